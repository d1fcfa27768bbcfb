//! `POST /admin/v1/providers`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_directory::ConnectionTerms;
use hermes_domain::{TenantId, connection::Connection, message::Mode};
use hermes_ports::adapter::Secrets;

use super::{
    super::keys::MODES,
    connection::{ConnectionView, find},
    fields,
    request::{Common, common},
};
use crate::{
    api::Api,
    body,
    gate::Operator,
    idempotency::{Keyed, OPERATOR, once},
    messages::cascade::{CHANNELS, NAME_CHARS_MAX},
    problem::{Code, Fault, Problem},
    reply::Reply,
    schema::{self, choice, id, text},
};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    _: Operator,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(OPERATOR, &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let (mut connection, mut common) = read(&api, incoming.value)?;
        if connection.tenant.is_some_and(|tenant| api.directory().tenant(tenant).is_none()) {
            let fault = Fault::new("/tenant_id", "unknown_tenant", "there is no such tenant");
            return Err(
                Problem::new(Code::SchemaInvalid, "There is no such tenant.").with_faults(vec![fault])
            );
        }
        let secrets = Secrets(common.credentials.take().unwrap_or_default());
        fields::check(&api, &mut connection, &secrets)?;
        let (id, terms) = (connection.id.to_string(), common.terms(&ConnectionTerms::default()));
        let version = api.directory().create_connection(connection, terms, secrets).await?;
        let view = ConnectionView::of(&api, &find(&api, &id)?);
        Ok(Reply::created(&format!("/admin/v1/providers/{id}"), &view).version(version))
    })
    .await
}

fn read(api: &Api, body: serde_json::Value) -> Result<(Connection, Common), Problem> {
    schema::root(body, |object, faults| {
        let tenant: Option<TenantId> = object.optional("tenant_id", faults, id);
        let mode = object.optional("mode", faults, choice(MODES)).unwrap_or(Mode::Live);
        let provider = object.required("provider", faults, text(1..=100));
        let name = object.required("name", faults, text(1..=NAME_CHARS_MAX));
        let channel = object.required("channel", faults, choice(CHANNELS));
        let mut common = common(object, faults);
        let connection = Connection {
            id: api.ports.mint.connection(),
            tenant,
            mode,
            provider: provider?,
            name: name?,
            channel: channel?,
            config: common.config.take().unwrap_or_default(),
            rate_per_s: common.rate_per_s,
            held: false,
            created_at: api.now(),
        };
        Some((connection, common))
    })
}
