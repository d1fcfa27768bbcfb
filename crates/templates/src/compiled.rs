//! A version of a template, ready to be rendered.

use std::{collections::BTreeMap, sync::Arc};

use hermes_domain::{
    address::Channel,
    content::{ChannelContent, Content},
    locale::Locale,
    template::TemplateBody,
};
use minijinja::{Environment, Value, value::Serde};
use serde_json::Map;

use crate::{
    environment::{FUNCTIONS, environment},
    fault::{Fault, FaultKind},
    limits::{Limits, PARTS_MAX},
    output::Bounded,
    parts::{self, Part, PartKind},
    tokens,
};

/// Most faults that are told at once.
const FAULTS_MAX: usize = 50;

/// A compiled version.
#[derive(Debug)]
pub struct Compiled {
    pub(crate) body: Arc<TemplateBody>,
    pub(crate) environment: Environment<'static>,
    pub(crate) limits: Limits,
    source_bytes: usize,
}

/// A message made from a template.
#[derive(Clone, PartialEq, Debug)]
pub struct Rendered {
    /// What it says.
    pub content: Content,
    /// The language that was found first.
    pub locale: Locale,
    /// The language of each channel that it can be sent on.
    pub channels: BTreeMap<Channel, Locale>,
}

/// What is left of a message's limits.
pub(crate) struct Budget {
    pub(crate) fuel: u64,
    pub(crate) bytes: usize,
}

impl Compiled {
    /// Compiles every text of `body`.
    ///
    /// # Errors
    /// Every text that is no template or uses a variable that is not declared, up to 50.
    pub fn of(body: Arc<TemplateBody>, limits: Limits) -> Result<Self, Vec<Fault>> {
        let mut compiled = Self { environment: environment(&limits), body, limits, source_bytes: 0 };
        let mut faults = Vec::new();
        let body = Arc::clone(&compiled.body);
        for (locale, content) in &body.locales {
            let mut count = 0;
            let compile = &mut |part: Part<'_>| {
                count += 1;
                if count <= PARTS_MAX {
                    faults.extend(compiled.add(&part));
                }
                Ok::<_, std::convert::Infallible>(String::new())
            };
            let Ok(_) = parts::map(content, parts::root(locale), compile);
            if count > PARTS_MAX {
                faults.push(Fault::new(&parts::root(locale), FaultKind::TooManyParts));
            }
        }
        faults.truncate(FAULTS_MAX);
        if faults.is_empty() { Ok(compiled) } else { Err(faults) }
    }

    /// Bytes of all its sources.
    pub const fn source_bytes(&self) -> usize {
        self.source_bytes
    }

    /// What it was made from.
    pub const fn body(&self) -> &Arc<TemplateBody> {
        &self.body
    }

    fn add(&mut self, part: &Part<'_>) -> Vec<Fault> {
        self.source_bytes += part.source.len();
        // Before the parser: what it follows too deep would take the process with it.
        if let Err(fault) = tokens::check(part.pointer, part.source) {
            return vec![fault];
        }
        if let Err(error) =
            self.environment.add_template_owned(part.pointer.to_owned(), part.source.to_owned())
        {
            return vec![Fault::of(part.pointer, &error)];
        }
        let Ok(template) = self.environment.get_template(part.pointer) else { return Vec::new() };
        let declared = |name: &String| {
            FUNCTIONS.contains(&name.as_str()) || self.body.variables.iter().any(|known| known.name == *name)
        };
        let mut unknown: Vec<_> =
            template.undeclared_variables(false).into_iter().filter(|name| !declared(name)).collect();
        unknown.sort_unstable();
        unknown.into_iter().map(|name| Fault::new(part.pointer, FaultKind::Undeclared(name))).collect()
    }

    /// Renders the content for a recipient who wants `wanted`, with data that [`complete`] has checked.
    ///
    /// A channel that the best language has nothing for comes from the next one that has.
    ///
    /// # Errors
    /// The first text that cannot be rendered.
    ///
    /// [`complete`]: hermes_domain::template::complete
    pub fn render(
        &self,
        wanted: Option<&Locale>,
        data: Map<String, serde_json::Value>,
    ) -> Result<Rendered, Fault> {
        let data = Value::from(Serde(&data));
        let mut budget = Budget { fuel: self.limits.fuel_per_message, bytes: self.limits.output_bytes };
        let mut rendered: Option<Rendered> = None;
        for (locale, source) in self.body.candidates(wanted) {
            let lacking: Vec<_> = Channel::ALL
                .into_iter()
                .filter(|channel| rendered.as_ref().is_none_or(|done| !done.channels.contains_key(channel)))
                .filter(|channel| source.serves(*channel))
                .collect();
            if lacking.is_empty() {
                continue;
            }
            let content = self.content(locale, source, &data, &mut budget)?;
            match &mut rendered {
                None => rendered = Some(first(content, locale)),
                Some(rendered) => fill(rendered, &content, locale, &lacking),
            }
        }
        Ok(rendered.unwrap_or_else(|| first(Content::default(), &self.body.default_locale)))
    }

    fn content(
        &self,
        locale: &Locale,
        source: &Content,
        data: &Value,
        budget: &mut Budget,
    ) -> Result<Content, Fault> {
        parts::map(source, parts::root(locale), &mut |part| self.part(&part, data, budget))
    }

    /// Renders one text, and takes what it costs from `budget`.
    pub(crate) fn part(&self, part: &Part<'_>, data: &Value, budget: &mut Budget) -> Result<String, Fault> {
        let template =
            self.environment.get_template(part.pointer).map_err(|error| Fault::of(part.pointer, &error))?;
        let mut text = Vec::with_capacity(part.source.len().min(budget.bytes));
        let out = Bounded { text: &mut text, bytes_max: budget.bytes };
        let captured = template
            .render_captured_to(data.clone(), out)
            .map_err(|error| Fault::of(part.pointer, &error))?;
        let spent = captured.state().fuel_levels().map_or(0, |(spent, _)| spent);
        drop(captured);
        budget.bytes = budget.bytes.saturating_sub(text.len());
        budget.fuel =
            budget.fuel.checked_sub(spent).ok_or_else(|| Fault::new(part.pointer, FaultKind::OutOfFuel))?;
        let text = String::from_utf8_lossy(&text);
        Ok(match part.kind {
            PartKind::Text => text.into_owned(),
            PartKind::Line => single_line(&text),
        })
    }
}

fn first(content: Content, locale: &Locale) -> Rendered {
    let served = Channel::ALL.into_iter().filter(|channel| content.serves(*channel));
    let channels = served.map(|channel| (channel, locale.clone())).collect();
    Rendered { content, locale: locale.clone(), channels }
}

/// Takes the channels that are lacking from content in another language.
fn fill(rendered: &mut Rendered, from: &Content, locale: &Locale, lacking: &[Channel]) {
    for channel in lacking {
        let content = &mut rendered.content;
        match from.for_channel(*channel) {
            Some(ChannelContent::Sms(sms)) => content.sms = Some(sms),
            Some(ChannelContent::Email(email)) => content.email = Some(email),
            Some(ChannelContent::Push(push)) => content.push = Some(push),
            Some(ChannelContent::Whatsapp(whatsapp)) => content.whatsapp = Some(whatsapp),
            None => continue,
        }
        rendered.channels.insert(*channel, locale.clone());
    }
}

/// Line breaks and other control characters become blanks.
fn single_line(text: &str) -> String {
    let text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    text.trim().to_owned()
}
