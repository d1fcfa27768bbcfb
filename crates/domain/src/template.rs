//! Message templates: content with gaps, per language, and the variables that fill them.

mod data;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use data::{Completed, VariableFault, VariableProblem, complete};

use crate::{TemplateId, content::Content, locale::Locale};

/// Most languages of one version.
pub const LOCALES_MAX: usize = 50;
/// Most variables of one version.
pub const VARIABLES_MAX: usize = 100;
/// Longest name of a variable, in bytes.
pub const VARIABLE_NAME_BYTES_MAX: usize = 64;

/// What one version of a template says. Never changes once it is stored.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TemplateBody {
    /// Used where there is nothing in the recipient's language; always one of `locales`.
    pub default_locale: Locale,
    /// What may stand in the gaps, in the order of the author; names are unique.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<Variable>,
    /// Content per language; its texts are template sources. Never empty.
    pub locales: BTreeMap<Locale, Content>,
}

/// A declared variable.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Variable {
    /// A word of letters, digits and `_` that begins with no digit.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: VariableKind,
    /// Messages without it are refused.
    pub required: bool,
    /// What it holds where a message names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// For people, and for trial runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
}

/// What a variable holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariableKind {
    /// A text.
    String,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A date such as `2026-01-02`, or an RFC 3339 instant.
    Date,
    /// A list of anything.
    List,
    /// An object with anything inside.
    Object,
}

/// Which version of which template a message was made from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TemplateUse {
    /// The template.
    pub id: TemplateId,
    /// Its version, from 1.
    pub version: u32,
    /// The language that was found first; channels that it lacks come from a more general one.
    pub locale: Locale,
}

impl TemplateBody {
    /// Languages to look in for a recipient who wants `wanted`, best first: its own tag, more general
    /// ones, the template's default. Only those that the template has; never empty, without repetition.
    pub fn candidates(&self, wanted: Option<&Locale>) -> Vec<(&Locale, &Content)> {
        let wanted = wanted.into_iter().flat_map(Locale::and_more_general);
        let mut found: Vec<(&Locale, &Content)> = Vec::new();
        for locale in wanted.chain([self.default_locale.clone()]) {
            if let Some(entry) = self.locales.get_key_value(&locale)
                && found.iter().all(|(known, _)| *known != entry.0)
            {
                found.push(entry);
            }
        }
        found
    }
}

impl VariableKind {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::List => "list",
            Self::Object => "object",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_looked_for_from_the_special_to_the_general() {
        let text = |text: &str| Content { text: Some(text.to_owned()), ..Content::default() };
        let locale = |tag: &str| tag.parse::<Locale>().unwrap();
        let body = TemplateBody {
            default_locale: locale("en"),
            variables: Vec::new(),
            locales: ["da", "da-DK", "en"].map(|tag| (locale(tag), text(tag))).into(),
        };
        let told = |wanted: Option<&str>| {
            let wanted = wanted.map(locale);
            let found = body.candidates(wanted.as_ref());
            found.into_iter().map(|(locale, _)| locale.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(told(Some("da-DK")), ["da-DK", "da", "en"]);
        assert_eq!(told(Some("da-GL")), ["da", "en"]);
        assert_eq!(told(Some("en-GB")), ["en"]);
        assert_eq!(told(Some("fr")), ["en"]);
        assert_eq!(told(None), ["en"]);
    }
}
