//! `POST /admin/v1/adapters/{name}`: the body is the component.

use std::{error::Error, sync::Arc};

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_ports::registry::{Record, RecordKind};
use tracing::{error, info};

use super::adapter::{AdapterView, is_name, record_id};
use crate::{
    api::Api,
    body,
    gate::Operator,
    idempotency::{Keyed, OPERATOR, fingerprint_bytes, once},
    problem::{Code, Problem},
    reply::Reply,
};

pub(super) async fn upload(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, request_body) = request.into_parts();
    let component = body::read(&api, &parts.headers, request_body, body::COMPONENT_MAX).await?;
    let fingerprint = || fingerprint_bytes(&parts.method, parts.uri.path(), &component);
    let keyed = Keyed::of(OPERATOR, &parts, fingerprint)?;
    once(&api, keyed, async {
        if !is_name(&name) {
            return Err(Problem::new(
                Code::AdapterInvalid,
                "The name must be lower-case letters, digits, - and _.",
            ));
        }
        // Compiling takes a while: not on a thread that serves requests.
        let (adapters, bytes, adapter) = (Arc::clone(&api.ports.adapters), component.clone(), name.clone());
        let installed = tokio::task::spawn_blocking(move || adapters.install(&adapter, &bytes)).await;
        let info = installed.map_err(|failure| {
            error!(error = &failure as &dyn Error, "installing an adapter panicked");
            Problem::new(Code::Internal, "The adapter could not be installed.")
        })??;
        let id = record_id(&name, info.version);
        let record = Record {
            kind: RecordKind::AdapterComponent,
            id,
            body: component.clone(),
            secret: None,
            version: 0,
        };
        api.ports.registry.put(record, None).await?;
        info!(adapter.name = name, adapter.version = %info.version, "an adapter was uploaded");
        Ok(Reply::created("/admin/v1/adapters", &AdapterView::of(info)))
    })
    .await
}
