//! Templates as their authors write them, and as attackers do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod limits;
mod render;
mod trial;

use std::sync::Arc;

use hermes_domain::{locale::Locale, template::TemplateBody};
use hermes_templates::{Compiled, Fault, Limits};
use serde_json::{Value, json};

/// A version as it is stored: `locales`, and variables by name and type.
fn body(locales: Value, variables: &[(&str, &str)]) -> Arc<TemplateBody> {
    let first = locales.as_object().unwrap().keys().next().unwrap().clone();
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, kind)| json!({ "name": name.trim_end_matches('?'), "type": kind, "required": !name.ends_with('?') }))
        .collect();
    let body = json!({ "default_locale": first, "variables": variables, "locales": locales });
    Arc::new(serde_json::from_value(body).unwrap())
}

/// A version with one SMS in Danish.
fn sms(text: &str, variables: &[(&str, &str)]) -> Arc<TemplateBody> {
    body(json!({ "da": { "sms": { "text": text } } }), variables)
}

fn compile(body: &Arc<TemplateBody>) -> Result<Compiled, Vec<Fault>> {
    Compiled::of(Arc::clone(body), Limits::default())
}

/// The content in the API's shape.
fn render(body: &Arc<TemplateBody>, locale: &str, data: Value) -> Result<Value, Fault> {
    let Value::Object(data) = data else { panic!("data is an object") };
    let wanted: Option<Locale> = locale.parse().ok();
    let rendered = compile(body).unwrap().render(wanted.as_ref(), data)?;
    Ok(serde_json::to_value(rendered.content).unwrap())
}

fn codes(faults: &[Fault]) -> Vec<(&str, &str)> {
    faults.iter().map(|fault| (fault.pointer.as_str(), fault.kind.code())).collect()
}
