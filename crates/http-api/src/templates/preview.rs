//! `POST /v1/templates/{id}/preview`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::{
    address::Channel,
    content::{ChannelContent, Content},
    locale::Locale,
    segments::segments,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    body::LOCALE_CHARS_MAX,
    rendering::{Outcome, Rendering, locale_of},
    view::find,
};
use crate::{
    api::Api,
    body,
    gate::Caller,
    problem::Problem,
    reply,
    schema::{self, any_object, integer, token},
};

/// A template filled with data.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplatePreview)]
pub(super) struct Preview {
    /// The version that was rendered.
    version: u32,
    /// The language that was found first.
    locale: String,
    /// By channel: `sms`, `email`, `push`, `whatsapp`; those that there is something for.
    channels: BTreeMap<&'static str, ChannelPreview>,
    /// Names in `data` that the version does not declare.
    undeclared: Vec<String>,
}

/// What one channel would get.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateChannelPreview)]
struct ChannelPreview {
    /// Its language.
    locale: String,
    /// The content, with `text` and `subject` filled in where its block has none.
    #[schema(value_type = Object)]
    content: Value,
    /// How an SMS would be split.
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<SegmentsPreview>,
}

/// Segments of an SMS.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateSegments)]
struct SegmentsPreview {
    /// `gsm7` or `ucs2`.
    encoding: &'static str,
    /// How many.
    count: u16,
}

pub(super) async fn preview(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let entry = find(&api, &caller, &id)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let rendering = schema::root(incoming.value, |fields, faults| {
        let locale = fields.optional("locale", faults, token(2..=LOCALE_CHARS_MAX));
        Some(Rendering {
            entry: &entry,
            version: fields.optional("version", faults, integer(1..=u32::MAX)),
            locale: locale_of(locale.as_deref()),
            data: fields.optional("data", faults, any_object).unwrap_or_default(),
            pointer: "",
            for_author: true,
        })
    })?;
    let Outcome { rendered, used, undeclared } = rendering.run(&api)?;
    let shown = |(channel, locale): (&Channel, &Locale)| {
        Some((channel.as_str(), channel_preview(&rendered.content, *channel, locale)?))
    };
    let channels = rendered.channels.iter().filter_map(shown).collect();
    Ok(reply::ok(&Preview { version: used.version, locale: used.locale.to_string(), channels, undeclared }))
}

fn channel_preview(content: &Content, channel: Channel, locale: &Locale) -> Option<ChannelPreview> {
    let (content, segments) = match content.for_channel(channel)? {
        ChannelContent::Sms(sms) => {
            let split = segments(sms.text.as_deref().unwrap_or_default());
            let told = SegmentsPreview { encoding: split.encoding.as_str(), count: split.count() };
            (serde_json::to_value(&sms), Some(told))
        }
        ChannelContent::Email(email) => (serde_json::to_value(email), None),
        ChannelContent::Push(push) => (serde_json::to_value(push), None),
        ChannelContent::Whatsapp(whatsapp) => (serde_json::to_value(whatsapp), None),
    };
    Some(ChannelPreview { locale: locale.to_string(), content: content.ok()?, segments })
}
