//! From a template and data to content: what sending and previewing have in common.

use hermes_directory::TemplateEntry;
use hermes_domain::{
    locale::Locale,
    template::{TemplateUse, VariableFault, VariableProblem, complete},
};
use hermes_templates::{FaultKind, Rendered};
use serde_json::{Map, Value};

use super::body::words;
use crate::{
    api::Api,
    problem::{Code, Fault, Problem},
};

/// What is to be rendered.
pub(crate) struct Rendering<'a> {
    /// The template.
    pub(crate) entry: &'a TemplateEntry,
    /// Its version; `None`: the active one.
    pub(crate) version: Option<u32>,
    /// What the recipient reads.
    pub(crate) locale: Option<Locale>,
    /// Values of variables, by name.
    pub(crate) data: Map<String, Value>,
    /// JSON pointer in the request to the object that names version and data.
    pub(crate) pointer: &'static str,
    /// Whether the template's author asks, who may see the engine's own words.
    pub(crate) for_author: bool,
}

/// What came out.
pub(crate) struct Outcome {
    pub(crate) rendered: Rendered,
    pub(crate) used: TemplateUse,
    /// Names in `data` that the version does not declare.
    pub(crate) undeclared: Vec<String>,
}

impl Rendering<'_> {
    /// Renders.
    pub(crate) fn run(mut self, api: &Api) -> Result<Outcome, Problem> {
        let template = &self.entry.template;
        let version = self.version.unwrap_or(template.active);
        let body = self.entry.body(version).ok_or_else(|| {
            let fault = self.fault("/version", "unknown_version", "the template has no such version");
            Problem::new(Code::SchemaInvalid, "The template cannot be used; see `errors`.")
                .with_faults(vec![fault])
        })?;
        let data = std::mem::take(&mut self.data);
        let given = complete(&body.variables, data).map_err(|faults| self.missing(&faults))?;
        let compiled = api.templates.get((template.id, version), body);
        let compiled = compiled.map_err(|faults| self.failed(faults.first()))?;
        let rendered =
            compiled.render(self.locale.as_ref(), given.data).map_err(|fault| self.failed(Some(&fault)))?;
        let used = TemplateUse { id: template.id, version, locale: rendered.locale.clone() };
        Ok(Outcome { rendered, used, undeclared: given.undeclared })
    }

    fn fault(&self, below: &str, code: &'static str, detail: impl Into<String>) -> Fault {
        Fault::new(format!("{}{below}", self.pointer), code, detail)
    }

    fn missing(&self, faults: &[VariableFault]) -> Problem {
        let told = faults.iter().map(|VariableFault { name, problem }| {
            let pointer = format!("/data/{name}");
            match problem {
                VariableProblem::Missing => {
                    self.fault(&pointer, "required", "the template needs this variable")
                }
                VariableProblem::Type(kind) => {
                    self.fault(&pointer, "type", format!("expected a {}", kind.as_str()))
                }
            }
        });
        Problem::new(Code::TemplateMissingVariable, "Variables are missing or of another type; see `errors`.")
            .with_faults(told.collect())
    }

    /// A text that these data cannot be put into. What is missing inside lists and objects is found only
    /// here.
    fn failed(&self, fault: Option<&hermes_templates::Fault>) -> Problem {
        let Some(fault) = fault else {
            return Problem::new(Code::Internal, "The stored template cannot be read.");
        };
        let told = if self.for_author { words(fault) } else { fault.to_string() };
        let told = format!("{}: {told}", fault.pointer);
        let (code, below) = match fault.kind {
            FaultKind::Undefined => (Code::TemplateMissingVariable, "/data"),
            _ => (Code::ContentRejected, ""),
        };
        let told = self.fault(below, fault.kind.code(), told);
        Problem::new(code, "The template cannot be filled with these data; see `errors`.")
            .with_faults(vec![told])
    }
}

/// The language of a recipient. Whatever cannot be read is as good as none, as it is in messages without a
/// template; `da_DK` is what many systems write.
pub(crate) fn locale_of(text: Option<&str>) -> Option<Locale> {
    text?.replace('_', "-").parse().ok()
}
