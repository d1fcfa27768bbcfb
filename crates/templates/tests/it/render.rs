//! What comes out.

use hermes_domain::address::Channel;
use hermes_templates::FaultKind;
use serde_json::json;

use crate::{body, codes, compile, render, sms};

#[test]
fn texts_are_filled_and_only_html_is_escaped() {
    let everything = json!({ "da": {
        "text": "Hej {{ name }}", "subject": "{{ name }}",
        "sms": { "text": "Hej {{ name|upper }}" },
        "email": { "subject": "Til {{ name }}", "text": "<{{ name }}>", "html": "<p title=\"{{ name }}\">{{ count }}</p>" },
        "push": { "title": "{{ name }}", "body": "{{ count }}", "data": { "k/1": "{{ name }}" } },
        "whatsapp": { "template": { "name": "hello", "components": [{ "n": 1, "text": "{{ name }}" }] } },
    } });
    let body = body(everything, &[("name", "string"), ("count", "number")]);
    let content = render(&body, "da", json!({ "name": "Åse & <Bo>", "count": 2.5 })).unwrap();
    assert_eq!(
        content,
        json!({
            "text": "Hej Åse & <Bo>", "subject": "Åse & <Bo>",
            "sms": { "text": "Hej ÅSE & <BO>" },
            "email": { "subject": "Til Åse & <Bo>", "text": "<Åse & <Bo>>",
                "html": "<p title=\"Åse &amp; &lt;Bo&gt;\">2.5</p>" },
            "push": { "title": "Åse & <Bo>", "body": "2.5", "data": { "k/1": "Åse & <Bo>" } },
            "whatsapp": { "template": { "name": "hello", "components": [{ "n": 1, "text": "Åse & <Bo>" }] } },
        })
    );
}

#[test]
fn a_template_cannot_turn_escaping_off() {
    for html in [
        "{% autoescape false %}{{ name }}{% endautoescape %}",
        "{% autoescape 'none' %}{% set x = name %}{{ x }}{% endautoescape %}",
        "{{ name }}",
        "{{ [name]|first }}",
        "{{ [name]|join('') }}",
        "{% if true %}{{ name|trim }}{% endif %}",
    ] {
        let body = body(json!({ "da": { "email": { "html": html } } }), &[("name", "string")]);
        let content = render(&body, "da", json!({ "name": "<b>" })).unwrap();
        assert_eq!(content["email"]["html"], "&lt;b&gt;", "{html}");
    }
    let listed = body(json!({ "da": { "email": { "html": "{{ [name] }}" } } }), &[("name", "string")]);
    let content = render(&listed, "da", json!({ "name": "<b>" })).unwrap();
    assert!(!content["email"]["html"].as_str().unwrap().contains('<'));
}

#[test]
fn a_subject_stays_one_line() {
    let lines = json!({ "da": { "text": "{{ name }}", "subject": "{{ name }}\n",
        "email": { "subject": "Til\t{{ name }}", "text": "x" }, "push": { "title": "{{ name }}" } } });
    let body = body(lines, &[("name", "string")]);
    let content = render(&body, "da", json!({ "name": "Bo\r\nBcc: x@y.dk" })).unwrap();
    assert_eq!(content["subject"], "Bo  Bcc: x@y.dk");
    assert_eq!(content["email"]["subject"], "Til Bo  Bcc: x@y.dk");
    assert_eq!(content["push"]["title"], "Bo  Bcc: x@y.dk");
    assert_eq!(content["text"], "Bo\r\nBcc: x@y.dk");
}

#[test]
fn a_channel_that_a_language_lacks_comes_from_the_next_one() {
    let locales = json!({
        "en": { "sms": { "text": "Hello" }, "email": { "subject": "S", "text": "Mail" } },
        "da": { "sms": { "text": "Hej" } },
        "da-DK": { "push": { "body": "Puf" } },
    });
    let mut body = (*body(locales, &[])).clone();
    body.default_locale = "en".parse().unwrap();
    let compiled = compile(&body.into()).unwrap();
    let rendered =
        |wanted: &str| compiled.render(wanted.parse().ok().as_ref(), serde_json::Map::new()).unwrap();
    let danish = rendered("da-DK");
    assert_eq!(danish.locale.as_str(), "da-DK");
    let languages: Vec<_> =
        danish.channels.iter().map(|(channel, locale)| (*channel, locale.as_str())).collect();
    assert_eq!(languages, [(Channel::Sms, "da"), (Channel::Email, "en"), (Channel::Push, "da-DK")]);
    assert_eq!(danish.content.sms.unwrap().text.unwrap(), "Hej");
    assert_eq!(rendered("da").content.push, None);
    assert_eq!(rendered("fr-CA").content.sms.unwrap().text.unwrap(), "Hello");
    // A common text serves every channel, so nothing of another language comes in.
    let common = crate::body(json!({ "da": { "text": "Hej" }, "en": { "sms": { "text": "Hello" } } }), &[]);
    assert_eq!(render(&common, "da", json!({})).unwrap(), json!({ "text": "Hej" }));
}

#[test]
fn optional_values_can_be_asked_for_but_not_printed_unseen() {
    let asked = sms("Hej{% if name %} {{ name }}{% endif %}{{ name|default('!') }}", &[("name?", "string")]);
    assert_eq!(render(&asked, "da", json!({})).unwrap()["sms"]["text"], "Hej!");
    assert_eq!(render(&asked, "da", json!({ "name": "Bo" })).unwrap()["sms"]["text"], "Hej BoBo");
    let careless = sms("Hej\n{{ name }}", &[("name?", "string")]);
    let fault = render(&careless, "da", json!({})).unwrap_err();
    assert_eq!(
        (fault.kind, fault.line, fault.pointer.as_str()),
        (FaultKind::Undefined, Some(2), "/locales/da/sms/text")
    );
}

#[test]
fn dates_numbers_and_lists_are_written() {
    let text = "{{ due|date('%d.%m.%Y') }} {{ total|number(2, ',', '.') }} \
                {% for line in lines %}{{ loop.index }}:{{ line.name }} {% endfor %}{{ lines|length }}";
    let body = sms(text, &[("due", "date"), ("total", "number"), ("lines", "list")]);
    let data = json!({ "due": "2026-11-04T10:00:00Z", "total": 1234.5, "lines": [{ "name": "Æble" }, { "name": "Øl" }] });
    assert_eq!(render(&body, "da", data).unwrap()["sms"]["text"], "04.11.2026 1.234,50 1:Æble 2:Øl 2");
}

#[test]
fn what_comes_out_empty_is_left_out() {
    let body = body(
        json!({ "da": { "text": "{{ t }}", "sms": { "text": "{{ t }}" }, "push": { "data": { "k": "{{ t }}" } } } }),
        &[("t", "string")],
    );
    let content = render(&body, "da", json!({ "t": "" })).unwrap();
    assert_eq!(content, json!({ "sms": {}, "push": { "data": { "k": "" } } }));
}

#[test]
fn what_does_not_parse_or_is_not_declared_is_refused_where_it_stands() {
    let wrong = body(
        json!({ "da": { "text": "{{ a }}", "sms": { "text": "{{ b }} {{ a }} {{ c.d }}" } }, "da-DK": { "email": { "html": "x\n{% if %}" } } }),
        &[("a", "string")],
    );
    let faults = compile(&wrong).unwrap_err();
    assert_eq!(
        codes(&faults),
        [
            ("/locales/da/sms/text", "undeclared_variable"),
            ("/locales/da/sms/text", "undeclared_variable"),
            ("/locales/da-DK/email/html", "template_syntax"),
        ]
    );
    assert_eq!(
        (faults[0].kind.to_string().as_str(), faults[2].line),
        ("the variable b is not declared", Some(2))
    );
}

#[test]
fn there_are_no_other_templates_and_no_macros() {
    for text in [
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% block x %}{% endblock %}",
        "{% macro x() %}{% endmacro %}",
    ] {
        assert_eq!(
            codes(&compile(&sms(text, &[])).unwrap_err()),
            [("/locales/da/sms/text", "template_syntax")],
            "{text}"
        );
    }
}
