//! What happens to a tenant's batches when the tenant goes.

use hermes_domain::TenantId;

use super::runner::LOOK_MAX;
use crate::{api::Api, problem::Problem};

/// Whether the tenant has a batch under way.
pub(crate) async fn any_under_way(api: &Api, tenant: TenantId) -> Result<bool, Problem> {
    Ok(api.ports.batches.any_under_way(tenant).await?)
}

/// Removes the batches of a tenant that may not send any more; none of their items is taken once this returns.
pub(crate) async fn stop(api: &Api, tenant: TenantId) -> Result<(), Problem> {
    let owing = api.ports.batches.owing(api.now(), LOOK_MAX).await?;
    api.ports.batches.discard_all(tenant).await?;
    for batch in owing.iter().filter(|batch| batch.scope.tenant == tenant) {
        drop(api.batch_turns.of(batch.id).await); // A turn that began before has ended.
    }
    Ok(())
}
