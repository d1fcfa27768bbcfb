//! `POST /admin/v1/adapters/{name}/activate`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::cascade::AdapterVersion;
use hermes_ports::registry::{Record, RecordKind};
use tracing::info;

use super::adapter::AdapterView;
use crate::{
    api::Api,
    body,
    gate::Operator,
    idempotency::{Keyed, OPERATOR, once},
    problem::Problem,
    reply::Reply,
    schema::{self, id},
};

pub(super) async fn activate(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(OPERATOR, &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let version: AdapterVersion =
            schema::root(incoming.value, |object, faults| object.required("version", faults, id))?;
        let info = api.ports.adapters.activate(&name, version)?;
        let record = Record {
            kind: RecordKind::AdapterActive,
            id: name.clone(),
            body: version.to_string().into(),
            secret: None,
            version: 0,
        };
        api.ports.registry.put(record, None).await?;
        info!(adapter.name = name, adapter.version = %version, "an adapter was activated");
        Ok(Reply::ok(&AdapterView::of(info)))
    })
    .await
}
