//! Content from a template. Rendering happens once, at acceptance: a later change of the template changes
//! no message.

use hermes_directory::TemplateEntry;
use hermes_domain::{
    TemplateId,
    content::Content,
    message::{Envelope, Warning},
    template::TemplateUse,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{cascade::NAME_CHARS_MAX, content};
use crate::{
    api::Api,
    gate::Caller,
    problem::{Code, Fault, Problem},
    schema::{Faults, Object, any_object, id, integer, object, text},
    templates::{Rendering, locale_of},
};

/// Most undeclared names that a message is warned of.
const WARNINGS_MAX: usize = 10;
/// Longest undeclared name that is told back, in characters.
const UNDECLARED_CHARS_MAX: usize = 64;

/// What a message says, as its request has it.
pub(crate) enum ContentChoice {
    /// This.
    Inline(Box<Content>),
    /// What a template makes of data.
    Template(TemplateChoice),
}

/// A template, and what fills it.
pub(crate) struct TemplateChoice {
    by: TemplateName,
    version: Option<u32>,
    data: Map<String, Value>,
}

enum TemplateName {
    Id(TemplateId),
    Name(String),
}

/// Content that is ready, whatever it came from.
pub(crate) struct Made {
    pub(crate) content: Content,
    pub(crate) template: Option<TemplateUse>,
    pub(crate) warnings: Vec<Warning>,
}

/// The template that a message was made from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TemplateUsed {
    /// Its id.
    id: String,
    /// Its version.
    version: u32,
    /// The language that was found first.
    locale: String,
}

impl TemplateUsed {
    pub(crate) fn of(envelope: &Envelope) -> Option<Self> {
        let used = envelope.template.as_ref()?;
        Some(Self { id: used.id.to_string(), version: used.version, locale: used.locale.to_string() })
    }
}

/// Reads `content` or `template`, one of which must be there.
pub(crate) fn content_choice(fields: &mut Object, faults: &mut Faults) -> Option<ContentChoice> {
    if !fields.names("template") {
        let _ = fields.optional("template", faults, any_object); // A null is taken out.
        return fields
            .required("content", faults, content::content)
            .map(|content| ContentChoice::Inline(Box::new(content)));
    }
    if fields.names("content") {
        faults.at_key("template", |faults| {
            faults.note::<()>("conflict", "expected content or template, not both")
        });
    }
    let _ = fields.optional("content", faults, content::content);
    fields.optional("template", faults, object(template)).map(ContentChoice::Template)
}

fn template(fields: &mut Object, faults: &mut Faults) -> Option<TemplateChoice> {
    let id = fields.optional("id", faults, id).map(TemplateName::Id);
    let name = fields.optional("name", faults, text(1..=NAME_CHARS_MAX)).map(TemplateName::Name);
    let version = fields.optional("version", faults, integer(1..=u32::MAX));
    let data = fields.optional("data", faults, any_object).unwrap_or_default();
    match (id, name) {
        (Some(by), None) | (None, Some(by)) => Some(TemplateChoice { by, version, data }),
        (Some(_), Some(_)) => faults.note("conflict", "expected id or name, not both"),
        (None, None) => faults.note("required", "expected the id or the name of a template"),
    }
}

/// Content as it is, or as a template makes it for a recipient with this locale.
pub(crate) fn made(
    api: &Api,
    caller: &Caller,
    choice: ContentChoice,
    locale: Option<&str>,
) -> Result<Made, Problem> {
    let choice = match choice {
        ContentChoice::Inline(content) => {
            return Ok(Made { content: *content, template: None, warnings: Vec::new() });
        }
        ContentChoice::Template(choice) => choice,
    };
    let entry = find(api, caller, &choice.by)?;
    let rendering = Rendering {
        entry: &entry,
        version: choice.version,
        locale: locale_of(locale),
        data: choice.data,
        pointer: "/template",
        for_author: false,
    };
    let outcome = rendering.run(api)?;
    let content = as_if_written(&outcome.rendered.content)?;
    let warnings = outcome.undeclared.iter().take(WARNINGS_MAX).map(|name| undeclared(name)).collect();
    Ok(Made { content, template: Some(outcome.used), warnings })
}

fn find(api: &Api, caller: &Caller, by: &TemplateName) -> Result<TemplateEntry, Problem> {
    let owner = caller.scope();
    let (found, pointer) = api.directory().read(|snapshot| match by {
        TemplateName::Id(id) => (snapshot.template(owner, *id).cloned(), "/template/id"),
        TemplateName::Name(name) => (snapshot.template_named(owner, name).cloned(), "/template/name"),
    });
    found.ok_or_else(|| {
        let fault = Fault::new(pointer, "unknown_template", "there is no such template");
        Problem::new(Code::SchemaInvalid, "The template cannot be used; see `errors`.")
            .with_faults(vec![fault])
    })
}

/// Holds what a template has made to what a request may say.
fn as_if_written(made: &Content) -> Result<Content, Problem> {
    let value = serde_json::to_value(made).unwrap_or_default();
    let mut faults = Faults::below("content");
    let read = content::content(value, &mut faults);
    faults.finish(read, Code::ContentRejected).map_err(relocated)
}

/// What the rules of content say of content that `template` has made, if one has.
pub(crate) fn judged(verdict: Result<(), Problem>, template: Option<&TemplateUse>) -> Result<(), Problem> {
    if template.is_some() { verdict.map_err(relocated) } else { verdict }
}

/// Faults of content that a request does not have are its template's.
fn relocated(mut refusal: Problem) -> Problem {
    for fault in &mut refusal.faults {
        if let Some(place) = fault.pointer.strip_prefix("/content") {
            fault.detail = format!("{}: {}", place.trim_start_matches('/').replace('/', "."), fault.detail);
            "/template".clone_into(&mut fault.pointer);
        }
    }
    refusal
}

fn undeclared(name: &str) -> Warning {
    let name: String = name.chars().take(UNDECLARED_CHARS_MAX).collect();
    Warning {
        code: "undeclared_variable".to_owned(),
        detail: "The template does not declare this variable, so it was not used.".to_owned(),
        pointer: format!("/template/data/{}", name.replace('~', "~0").replace('/', "~1")),
    }
}
