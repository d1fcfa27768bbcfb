//! Templates that would take all there is.

use hermes_templates::{Compiled, FaultKind, Limits, PARTS_MAX};
use serde_json::json;

use crate::{body, codes, compile, render, sms};

#[test]
fn work_without_end_is_ended() {
    let nested = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
    let doubling: String = "{% set a = a ~ a %}".repeat(60);
    let doubling = format!("{{% set a = 'xxxxxxxxxxxxxxxx' %}}{doubling}{{{{ a }}}}");
    let joined = "{{ range(90000)|join('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')|length }}";
    for (text, expected) in [
        (nested, FaultKind::OutOfFuel),
        (&doubling, FaultKind::OutOfFuel),
        (joined, FaultKind::OutOfFuel),
        ("{{ 'x' * 99999999 }}", FaultKind::OutOfFuel),
        ("{{ ([1] * 9999999)|join }}", FaultKind::OutOfFuel),
        ("{{ range(10**9)|length }}", FaultKind::Operation),
        ("{{ range(10**5)|join }}", FaultKind::OutOfFuel),
    ] {
        let fault = render(&sms(text, &[]), "da", json!({})).unwrap_err();
        assert_eq!(fault.kind, expected, "{} {:?}", &text[..40.min(text.len())], fault.detail);
    }
}

#[test]
fn what_nests_or_chains_without_end_is_refused_before_it_is_parsed() {
    let deep = |begin: &str, end: &str| format!("{{{{ {}1{} }}}}", begin.repeat(10_000), end.repeat(10_000));
    for (text, code) in [
        (deep("(", ")"), "template_too_complex"),
        (deep("-", ""), "template_too_complex"),
        (deep("[", "]"), "template_too_complex"),
        (deep("not ", ""), "template_too_complex"),
        (deep("", " + 1"), "template_too_complex"),
        (deep("", "|upper"), "template_too_complex"),
        (deep("", ".a"), "template_too_complex"),
        (deep("", "[0]"), "template_too_complex"),
        (deep("", " if 1 else 1"), "template_too_complex"),
        (format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(10_000)), "template_too_complex"),
        // A tag does not end inside a string or an object.
        (format!("{{{{ '}}}}' ~ {{'a': {{}}}}{} }}}}", " + 1".repeat(10_000)), "template_too_complex"),
        (format!("{}{}", "{% if 1 %}".repeat(10_000), "{% endif %}".repeat(10_000)), "template_too_complex"),
        (
            format!("{}{}", "{% set a %}".repeat(10_000), "{% endset %}".repeat(10_000)),
            "template_too_complex",
        ),
        (
            format!("{}{}", "{% with %}".repeat(10_000), "{% endwith %}".repeat(10_000)),
            "template_too_complex",
        ),
        (
            format!("{}{}", "{% filter upper %}".repeat(10_000), "{% endfilter %}".repeat(10_000)),
            "template_too_complex",
        ),
        (
            format!("{}{}", "{% for a in [] %}".repeat(10_000), "{% endfor %}".repeat(10_000)),
            "template_too_complex",
        ),
    ] {
        let faults = compile(&sms(&text, &[])).unwrap_err();
        assert_eq!(codes(&faults), [("/locales/da/sms/text", code)], "{}", &text[..60]);
    }
}

#[test]
fn what_is_just_short_enough_is_compiled_and_run() {
    let chain = |link: &str, links: usize| format!("{{{{ 1{} }}}}", link.repeat(links));
    for text in [
        chain(" + 1", 98),
        chain(" if 1 else 1", 48),
        chain("|round", 98),
        chain(" ~ (1 + (1))", 24),
        format!("{{{{ {}1{} }}}}", "(".repeat(10), ")".repeat(10)),
        format!("{{{{ {}1{} }}}}", "[".repeat(10), "]".repeat(10)),
        format!("{{{{ {}1 }}}}", "-".repeat(120)),
        format!("{{% if 0 %}}{}{{% endif %}}x", "{% elif 0 %}".repeat(50)),
        format!("{}x{}", "{% if 1 %}".repeat(20), "{% endif %}".repeat(20)),
    ] {
        let compiled =
            compile(&sms(&text, &[])).unwrap_or_else(|faults| panic!("{}: {faults:?}", &text[..40]));
        assert_eq!(compiled.try_out(), Ok(()), "{}", &text[..40]);
    }
    assert!(compile(&sms(&"{{ 1 }}".repeat(10_000), &[])).is_ok(), "many tags are no long tag");
}

#[test]
fn output_is_bounded_over_all_texts_of_a_message() {
    let limits = Limits { output_bytes: 100, ..Limits::default() };
    let two = |bytes: usize| {
        body(json!({ "da": { "text": "x".repeat(60), "sms": { "text": "y".repeat(bytes) } } }), &[])
    };
    let rendered = |bytes| Compiled::of(two(bytes), limits).unwrap().render(None, serde_json::Map::new());
    assert!(rendered(40).is_ok());
    let fault = rendered(41).unwrap_err();
    assert_eq!((fault.kind, fault.pointer.as_str()), (FaultKind::TooLong, "/locales/da/sms/text"));
}

#[test]
fn work_is_bounded_over_all_texts_of_a_message() {
    let busy = "{% for a in range(5000) %}{% endfor %}x";
    let data: serde_json::Map<_, _> = (0..20).map(|number| (format!("k{number}"), json!(busy))).collect();
    let many = body(json!({ "da": { "push": { "body": "x", "data": data } } }), &[]);
    assert!(render(&sms(busy, &[]), "da", json!({})).is_ok(), "one alone is within its limits");
    assert_eq!(render(&many, "da", json!({})).unwrap_err().kind, FaultKind::OutOfFuel);
}

#[test]
fn a_language_has_a_bounded_number_of_texts() {
    let texts = |count: usize| {
        let list = vec!["x"; count];
        compile(&body(json!({ "da": { "whatsapp": { "template": { "components": list } } } }), &[]))
    };
    assert!(texts(PARTS_MAX).is_ok());
    assert_eq!(codes(&texts(PARTS_MAX + 1).unwrap_err()), [("/locales/da", "template_too_many_texts")]);
}

#[test]
fn data_costs_its_reader_not_the_engine_s_stack() {
    let mut deep = json!("x");
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let body = sms("{{ deep }}", &[("deep", "list")]);
    assert!(render(&body, "da", json!({ "deep": deep })).is_ok());
}

#[test]
fn loops_do_not_call_themselves() {
    let text = "{% for a in [1, 2] recursive %}{{ loop([1, 2]) }}{% endfor %}";
    assert_eq!(
        codes(&compile(&sms(text, &[])).unwrap_err()),
        [("/locales/da/sms/text", "template_unknown_call")]
    );
}

#[test]
fn the_deepest_blocks_with_the_longest_expressions_fit_the_stack() {
    for expression in [
        format!("1{}", " + 1".repeat(98)),
        format!("{}1", "not ".repeat(190)),
        format!("{}1", "-".repeat(190)),
        format!("1{}", " ** 1".repeat(98)),
        format!("1{}", " if 1 else 1".repeat(48)),
        format!("a{}", ".b".repeat(98)),
        format!("a{}", "[0]".repeat(65)),
        format!("1{}", " < 1".repeat(98)),
        format!("{}1{}", "(1 + ".repeat(10), ")".repeat(10)),
    ] {
        for (begin, end) in
            [("if 1", "endif"), ("filter upper", "endfilter"), ("autoescape true", "endautoescape")]
        {
            let (begin, end) = (format!("{{% {begin} %}}"), format!("{{% {end} %}}"));
            let text = format!("{}{{{{ {expression} }}}}{}", begin.repeat(20), end.repeat(20));
            // Whether it compiles or is refused: nothing else may happen.
            let _ = compile(&sms(&text, &[("a", "string")])).map(|compiled| compiled.try_out());
        }
    }
}

#[test]
fn values_that_nest_without_end_are_refused() {
    let with = format!("{{% with {} b = 1 %}}{{% endwith %}}", "a = [a], ".repeat(40));
    for link in [
        "{% set a = [a] %}",
        "{% set a = {'k': a} %}",
        "{% set a = a, 1 %}",
        "{% set a = a|default([a]) %}",
        &with,
    ] {
        let text = format!("{{% set a = 1 %}}{}", link.repeat(1_000));
        assert_eq!(
            codes(&compile(&sms(&text, &[])).unwrap_err()),
            [("/locales/da/sms/text", "template_too_complex")]
        );
    }
}

#[test]
fn values_that_nest_as_deep_as_they_may_are_printed_compared_and_dropped() {
    let wrap = |value: &str| format!("{}{value}{}", "[".repeat(10), "]".repeat(10));
    let set = format!("{{% set a = {} %}}", wrap("a"));
    let mut text = format!("{{% set a = deep %}}{}", set.repeat(10));
    for level in 0..10 {
        let inside = if level == 0 { "a".to_owned() } else { format!("l{}", level - 1) };
        text.push_str(&format!("{{% for l{level} in {} %}}", wrap(&inside)));
    }
    text.push_str("{{ l9 }}{{ l9 == a }}{{ l9 == l9 }}{{ [l9]|join }}{{ l9 in [l8] }}");
    text.push_str(&"{% endfor %}".repeat(10));
    let mut deep = json!("x");
    for _ in 0..120 {
        deep = json!([deep]);
    }
    let mut body = (*sms(&text, &[("deep", "list")])).clone();
    body.variables[0].example = Some(deep.clone());
    let body = body.into();
    compile(&body).unwrap().try_out().unwrap();
    render(&body, "da", json!({ "deep": deep })).unwrap();
}
