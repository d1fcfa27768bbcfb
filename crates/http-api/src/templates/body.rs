//! What a version says, as tenants write it, and whether it can be rendered.

use std::sync::Arc;

use hermes_domain::{
    content::Content,
    locale::Locale,
    template::{LOCALES_MAX, TemplateBody, VARIABLE_NAME_BYTES_MAX, VARIABLES_MAX, Variable, VariableKind},
};
use hermes_templates::{Compiled, Limits};
use serde_json::Value;

use super::content::content;
use crate::{
    problem::{Code, Fault, Problem},
    schema::{Faults, Object, boolean, choice, list, map, object, token},
};

/// Longest language tag, in characters.
pub(super) const LOCALE_CHARS_MAX: usize = 35;
/// Longest default or example, in bytes of JSON.
const VALUE_BYTES_MAX: usize = 4_096;

const KINDS: &[(&str, VariableKind)] = &[
    ("string", VariableKind::String),
    ("number", VariableKind::Number),
    ("boolean", VariableKind::Boolean),
    ("date", VariableKind::Date),
    ("list", VariableKind::List),
    ("object", VariableKind::Object),
];

/// Reads the fields of a version.
pub(super) fn body(fields: &mut Object, faults: &mut Faults) -> Option<TemplateBody> {
    let default_locale = fields.required("default_locale", faults, locale);
    let variables =
        fields.optional("variables", faults, list(0..=VARIABLES_MAX, variable)).unwrap_or_default();
    let contents = fields.required("locales", faults, map(LOCALES_MAX, LOCALE_CHARS_MAX, content));
    for (index, variable) in variables.iter().enumerate() {
        if variables[..index].iter().any(|other| other.name == variable.name) {
            let again = |faults: &mut Faults| faults.note::<()>("duplicate", "this name is declared before");
            faults
                .at_key("variables", |faults| faults.at_index(index, |faults| faults.at_key("name", again)));
        }
    }
    let named = |(name, content): (String, Content)| {
        faults.at_key("locales", |faults| {
            let tag = faults.at_name(&name, |faults| locale(Value::String(name.clone()), faults))?;
            Some((tag, content))
        })
    };
    let locales = contents?.into_iter().map(named).collect::<Vec<_>>().into_iter().collect::<Option<_>>()?;
    let body = TemplateBody { default_locale: default_locale?, variables, locales };
    if !body.locales.contains_key(&body.default_locale) {
        return faults.at_key("default_locale", |faults| faults.note("choice", "expected one of locales"));
    }
    Some(body)
}

/// Refuses what does not compile, uses what is not declared, or fails in a trial run.
pub(super) fn check(body: TemplateBody) -> Result<TemplateBody, Problem> {
    let compiled = Compiled::of(Arc::new(body), Limits::default());
    match compiled.and_then(|compiled| compiled.try_out().map(|()| compiled)) {
        Ok(compiled) => Ok(TemplateBody::clone(compiled.body())),
        Err(found) => {
            let faults =
                found.iter().map(|fault| Fault::new(&*fault.pointer, fault.kind.code(), words(fault)));
            let detail = "The template cannot be used; see `errors`.";
            Err(Problem::new(Code::SchemaInvalid, detail).with_faults(faults.collect()))
        }
    }
}

/// The fault with the engine's own words, for the author of a template.
pub(super) fn words(fault: &hermes_templates::Fault) -> String {
    match &fault.detail {
        Some(detail) => format!("{fault}: {detail}"),
        None => fault.to_string(),
    }
}

/// Reads a language tag in its canonical case, so that no language is there twice.
fn locale(value: Value, faults: &mut Faults) -> Option<Locale> {
    let text = token(2..=LOCALE_CHARS_MAX)(value, faults)?;
    match text.parse::<Locale>() {
        Ok(locale) if locale.as_str() == text => Some(locale),
        Ok(locale) => faults.note("locale", format!("expected {locale}: case matters here")),
        Err(error) => faults.note("locale", error.to_string()),
    }
}

fn variable(value: Value, faults: &mut Faults) -> Option<Variable> {
    object(|fields, faults| {
        let name = fields.required("name", faults, name);
        let kind = fields.required("type", faults, choice(KINDS));
        let required = fields.optional("required", faults, boolean);
        let value = |value: Value, faults: &mut Faults| match kind {
            Some(kind) if !kind.holds(&value) => {
                faults.note("type", format!("expected a {}, as the variable's type says", kind.as_str()))
            }
            _ if value.to_string().len() > VALUE_BYTES_MAX => {
                faults.note("length", format!("expected at most {VALUE_BYTES_MAX} bytes"))
            }
            _ => Some(value),
        };
        let default = fields.optional("default", faults, value);
        let example = fields.optional("example", faults, value);
        if required == Some(true) && default.is_some() {
            let both = "a variable with a default is never missing";
            faults.at_key("required", |faults| faults.note::<()>("conflict", both));
        }
        let required = required.unwrap_or_else(|| default.is_none());
        Some(Variable { name: name?, kind: kind?, required, default, example })
    })(value, faults)
}

fn name(value: Value, faults: &mut Faults) -> Option<String> {
    let name = token(1..=VARIABLE_NAME_BYTES_MAX)(value, faults)?;
    let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if word && !name.starts_with(|char: char| char.is_ascii_digit()) {
        return Some(name);
    }
    faults.note("name", "expected letters, digits and _, without a digit at the beginning")
}
