//! `DELETE /admin/v1/tenants/{id}/keys/{key}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use hermes_domain::KeyId;

use super::super::tenants;
use crate::{api::Api, gate::Operator, problem::Problem, reply};

pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path((id, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let tenant = tenants::find(&api, &id)?;
    let key: KeyId = key.parse().map_err(|_| Problem::not_found())?;
    let owned = api.directory().read(|snapshot| snapshot.keys_of(Some(tenant.value.id)));
    if !owned.iter().any(|owned| owned.key.id == key) {
        return Err(Problem::not_found());
    }
    api.directory().delete_key(key).await?;
    Ok(reply::no_content())
}
