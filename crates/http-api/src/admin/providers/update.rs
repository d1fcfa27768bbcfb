//! `PATCH /admin/v1/providers/{id}`. Whose it is, its provider, channel and mode stay.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::connection::Connection;
use hermes_ports::adapter::Secrets;

use super::{
    connection::{ConnectionView, find},
    fields,
    request::common,
};
use crate::{
    api::Api,
    body, etag,
    gate::Operator,
    messages::cascade::NAME_CHARS_MAX,
    problem::Problem,
    reply,
    schema::{self, text},
};

pub(super) async fn update(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let stored = find(&api, &id)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let (name, mut common) = schema::root(incoming.value, |object, faults| {
        let name = object.omittable("name", faults, text(1..=NAME_CHARS_MAX));
        Some((name, common(object, faults)))
    })?;
    let expected = etag::if_match(&incoming.parts.headers, stored.version)?;
    let before = &*stored.access.connection;
    let mut next = Connection {
        name: name.unwrap_or_else(|| before.name.clone()),
        config: common.config.take().unwrap_or_else(|| before.config.clone()),
        rate_per_s: common.rate_per_s.or(before.rate_per_s),
        ..before.clone()
    };
    let credentials: Option<BTreeMap<_, _>> = common.credentials.take();
    let secrets = credentials.map(Secrets);
    fields::check(&api, &mut next, secrets.as_ref().unwrap_or(&stored.access.secrets))?;
    let terms = common.terms(&stored.terms);
    let version = api.directory().update_connection(next, terms, secrets, expected).await?;
    Ok(reply::ok_version(&ConnectionView::of(&api, &find(&api, &id)?), version))
}
