//! Templates: the components, and whether the account has such a template.

use super::{
    content,
    fault::{self, Fault},
    param::Param,
};
use crate::{WhatsAppAccount, WhatsAppTemplate};

const COMPONENTS: [&str; 5] = ["header", "body", "button", "carousel", "limited_time_offer"];
const NAME_CHARS_MAX: usize = 512;
const TEXT_CHARS_MAX: usize = 32_768;
const PARAMETERS_MAX: usize = 1024;
const BUTTON_INDEX_MAX: i64 = 9;

/// What the price of a template is by, where the account does not say.
const CATEGORY: &str = "utility";

/// Checks a template message; returns its category.
pub(super) fn check(template: &Param<'_>, account: &WhatsAppAccount) -> Result<String, Fault> {
    template.only(&["name", "language", "components", "namespace"])?;
    let name = template.required_text("name", NAME_CHARS_MAX)?;
    let language = template.required_object("language")?;
    language.only(&["code", "policy"])?;
    let code = language.required_text("code", usize::MAX)?;
    language.one_of("policy", &["deterministic"])?;
    let mut body_parameters = 0;
    for component in template.objects("components")?.unwrap_or_default() {
        body_parameters += check_component(&component)?;
    }
    if account.templates.is_empty() {
        return Ok(CATEGORY.to_owned());
    }
    let is_it = |known: &&WhatsAppTemplate| known.name == name && known.language == code;
    let known = account.templates.iter().find(is_it).ok_or_else(|| fault::no_such_template(name, code))?;
    if known.body_parameters == body_parameters {
        Ok(known.category.clone().unwrap_or_else(|| CATEGORY.to_owned()))
    } else {
        Err(fault::parameter_count(body_parameters, known.body_parameters))
    }
}

/// How many parameters of the body there are.
fn check_component(component: &Param<'_>) -> Result<usize, Fault> {
    component.required_text("type", usize::MAX)?;
    let kind = component.one_of("type", &COMPONENTS)?.unwrap_or_default().to_ascii_lowercase();
    match &*kind {
        "button" => {
            component.only(&["type", "sub_type", "index", "parameters"])?;
            component.required_text("sub_type", usize::MAX)?;
            check_index(component)?;
            check_parameters(&component.required_objects("parameters", PARAMETERS_MAX)?)?;
            Ok(0)
        }
        "carousel" => component.required_objects("cards", 10).map(|_| 0),
        _ => {
            component.only(&["type", "parameters"])?;
            let parameters = component.objects("parameters")?.unwrap_or_default();
            check_parameters(&parameters)?;
            Ok(if kind == "body" { parameters.len() } else { 0 })
        }
    }
}

/// Position of a button, written as a number or as a text.
fn check_index(component: &Param<'_>) -> Result<(), Fault> {
    let index = match component.value("index") {
        None => return Err(fault::missing_parameter(missing(component, "index"))),
        Some(index) => index.as_i64().or_else(|| index.as_str()?.parse().ok()),
    };
    if index.is_some_and(|index| (0..=BUTTON_INDEX_MAX).contains(&index)) {
        Ok(())
    } else {
        Err(fault::invalid_value(format!("Parameter '{}' is no button's index", component.path_of("index"))))
    }
}

fn missing(param: &Param<'_>, name: &str) -> String {
    format!("Parameter '{}' is missing", param.path_of(name))
}

fn check_parameters(parameters: &[Param<'_>]) -> Result<(), Fault> {
    for parameter in parameters {
        let kind = parameter.required_text("type", usize::MAX)?;
        if parameter.value(kind).is_none() {
            return Err(fault::invalid_parameter(format!(
                "Parameter '{kind}' is mandatory for component parameter type '{kind}'"
            )));
        }
        parameter.only(&["type", "parameter_name", kind])?;
        parameter.text("parameter_name", usize::MAX)?;
        check_parameter(parameter, kind)?;
    }
    Ok(())
}

fn check_parameter(parameter: &Param<'_>, kind: &str) -> Result<(), Fault> {
    match kind {
        "text" => parameter.required_text("text", TEXT_CHARS_MAX).map(drop),
        "payload" | "coupon_code" => parameter.required_text(kind, usize::MAX).map(drop),
        "image" | "video" => content::media(&parameter.required_object(kind)?, &[]),
        "document" => content::media(&parameter.required_object(kind)?, &["filename"]),
        "currency" => {
            let currency = parameter.required_object(kind)?;
            currency.only(&["fallback_value", "code", "amount_1000"])?;
            currency.required_text("fallback_value", usize::MAX)?;
            currency.required_text("code", 3)?;
            currency.integer("amount_1000").map(drop)
        }
        "date_time" => parameter.required_object(kind)?.required_text("fallback_value", usize::MAX).map(drop),
        "location" | "action" | "limited_time_offer" | "product" => parameter.required_object(kind).map(drop),
        other => Err(fault::invalid_value(format!("Parameter type {other} is not supported"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::demo;

    fn outcome(template: &Value, account: &WhatsAppAccount) -> Result<String, (u32, String)> {
        check(&Param::root(template.as_object().unwrap()), account)
            .map_err(|fault| (fault.code(), fault.text().to_owned()))
    }

    fn with(component: Value) -> Value {
        json!({ "name": "t", "language": { "code": "en_US" }, "components": [component] })
    }

    fn parameter(parameter: Value) -> Value {
        with(json!({ "type": "body", "parameters": [parameter] }))
    }

    #[test]
    fn components_and_parameters_are_checked() {
        let text = json!({ "type": "text", "text": "Alice" });
        let button = |index: Value| {
            with(json!({ "type": "button", "sub_type": "url", "index": index, "parameters": [text] }))
        };
        let currency = json!({ "fallback_value": "$1", "code": "USD", "amount_1000": 1000 });
        for (template, expected) in [
            (json!({ "name": "t", "language": { "code": "en_US", "policy": "deterministic" } }), 0),
            (json!({ "language": { "code": "en_US" } }), 131_008),
            (json!({ "name": "t" }), 131_008),
            (json!({ "name": "t", "language": {} }), 131_008),
            (json!({ "name": "t", "language": { "code": "en", "policystring": "x" } }), 100),
            (json!({ "name": "t", "language": "en" }), 100),
            (json!({ "name": "t", "language": { "code": "en" }, "components": {} }), 100),
            (button(json!("0")), 0),
            (button(json!(0)), 0),
            (button(json!("x")), 131_009),
            (with(json!({ "type": "button", "sub_type": "url", "parameters": [text] })), 131_008),
            (with(json!({ "type": "button", "sub_type": "url", "index": "0", "parameters": [] })), 131_009),
            (with(json!({ "type": "footer" })), 100),
            (with(json!({ "type": "BODY", "parameters": [text] })), 0),
            (parameter(json!({ "type": "text" })), 100),
            (parameter(json!({ "type": "text", "text": "" })), 131_008),
            (parameter(json!({ "type": "text", "text": "x", "parameter_name": "name" })), 0),
            (parameter(json!({ "type": "text", "text": "x", "value": "x" })), 100),
            (parameter(json!({ "type": "currency", "currency": currency })), 0),
            (parameter(json!({ "type": "currency", "currency": {} })), 131_008),
            (parameter(json!({ "type": "date_time", "date_time": { "fallback_value": "today" } })), 0),
            (parameter(json!({ "type": "image", "image": { "link": "https://a.example/i.png" } })), 0),
            (parameter(json!({ "type": "image", "image": {} })), 131_008),
            (parameter(json!({ "type": "poem", "poem": "x" })), 131_009),
        ] {
            let code = outcome(&template, &demo::whatsapp()).map_or_else(|(code, _)| code, |_| 0);
            assert_eq!(code, expected, "{template}");
        }
    }

    #[test]
    fn an_account_with_templates_has_only_those() {
        let known = WhatsAppTemplate {
            name: "t".into(),
            language: "en_US".into(),
            body_parameters: 1,
            category: Some("marketing".into()),
        };
        let account = WhatsAppAccount { templates: vec![known], ..demo::whatsapp() };
        let fits = parameter(json!({ "type": "text", "text": "Alice" }));
        assert_eq!(outcome(&fits, &account).unwrap(), "marketing");
        let mut german = fits;
        german["language"]["code"] = json!("de");
        let missing = (132_001, "template name (t) does not exist in de".to_owned());
        assert_eq!(outcome(&german, &account), Err(missing));
        let bare = json!({ "name": "t", "language": { "code": "en_US" } });
        assert_eq!(outcome(&bare, &account).unwrap_err().0, 132_000);
    }
}
