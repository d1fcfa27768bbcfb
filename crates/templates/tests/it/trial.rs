//! What is found before a version is stored.

use serde_json::json;

use crate::{body, codes, compile, sms};

fn tried(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let faults = compile(&sms(text, variables)).unwrap().try_out().err().unwrap_or_default();
    codes(&faults).into_iter().map(|(_, code)| code.to_owned()).collect()
}

#[test]
fn calls_of_what_there_is_not_are_found() {
    for text in [
        "{{ 1|shout }}",
        "{{ 1|upper|safe }}",
        "{{ 1 is prime }}",
        "{{ 1 is not prime }}",
        "{% filter e %}{% endfilter %}",
    ] {
        // Wherever they stand: that branch is never taken.
        let text = format!("{{% if false %}}\n{text}{{% endif %}}");
        let faults = compile(&sms(&text, &[])).unwrap_err();
        assert_eq!(codes(&faults), [("/locales/da/sms/text", "template_unknown_call")], "{text}");
        assert_eq!(faults[0].line, Some(2));
    }
    assert_eq!(
        tried("{{ 1 is odd }}{{ 1 is not even }}{{ 'is prime |safe' }} is prime |safe", &[]),
        Vec::<String>::new()
    );
    assert_eq!(tried("{{ name.format() }}", &[("name", "string")]), ["template_unknown_call"]);
    assert_eq!(tried("{{ name|upper }}", &[("name", "string")]), Vec::<String>::new());
}

#[test]
fn optional_variables_must_be_guarded() {
    assert_eq!(tried("{{ name }}", &[("name?", "string")]), ["template_undefined"]);
    assert_eq!(tried("{% if name %}{{ name }}{% endif %}", &[("name?", "string")]), Vec::<String>::new());
}

#[test]
fn what_only_real_data_can_tell_is_let_through() {
    let lines = &[("order", "object"), ("lines", "list")];
    assert_eq!(
        tried("{{ order.number }}{% for line in lines %}{{ line.name }}{% endfor %}", lines),
        Vec::<String>::new()
    );
}

#[test]
fn work_without_end_ends_the_trial() {
    let nested = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
    let text = json!({ "text": nested });
    let many: serde_json::Map<_, _> =
        ["da", "de", "en", "fr"].map(|tag| (tag.to_owned(), text.clone())).into_iter().collect();
    let faults = compile(&body(many.into(), &[])).unwrap().try_out().unwrap_err();
    assert_eq!(codes(&faults), [("/locales/da/text", "template_out_of_fuel")]);
}
