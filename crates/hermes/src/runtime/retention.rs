//! Applies tenants' retention, beside everything else.

use std::{error::Error, sync::Arc, time::Duration};

use hermes_directory::Directory;
use hermes_domain::{message::Mode, policy::Retention, tenant::TenantScope};
use hermes_ports::{Retain, retention::NoCopies};
use tracing::warn;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(60);
/// Shares of all recipients whose data keys are looked at each time.
const KEY_SHARES: usize = 20;

/// Runs until it is dropped.
pub(super) async fn keep(directory: Arc<Directory>, store: Arc<dyn Retain>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for (scope, rules) in rules(&directory) {
            apply(&*store, scope, &rules).await;
        }
        drop_keys(&*store).await;
    }
}

fn rules(directory: &Directory) -> Vec<(TenantScope, Retention)> {
    let all = directory.read(|all| all.tenants());
    let with =
        all.iter().filter_map(|tenant| Some((tenant.value.id, tenant.value.policy.retention.clone()?)));
    let modes = |(id, rules): (_, Retention)| {
        [Mode::Live, Mode::Test].map(|mode| (TenantScope::new(id, mode), rules.clone()))
    };
    with.flat_map(modes).collect()
}

async fn apply(store: &dyn Retain, scope: TenantScope, rules: &Retention) {
    if let Err(failure) = store.retain(scope, rules, &NoCopies).await {
        // The next round tries again.
        warn!(tenant.id = %scope.tenant, error = &failure as &dyn Error, "retention was not applied");
    }
}

async fn drop_keys(store: &dyn Retain) {
    for _ in 0..KEY_SHARES {
        if let Err(failure) = store.drop_keys().await {
            // The next round goes on.
            warn!(error = &failure as &dyn Error, "data keys that nothing needs were not destroyed");
            return;
        }
    }
}
