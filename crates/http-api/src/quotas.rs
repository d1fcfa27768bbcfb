//! Monthly caps of tenants, by count and by money, and who is told when they run out.
//!
//! Counts are read from the log of usage at most every two seconds; between two readings every accepted message is added,
//! with what it is expected to cost. Kept per process.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use dashmap::DashMap;
use hermes_domain::{
    EventId, UnixMillis,
    calendar::{day_of, first_of_month, first_of_next_month, start_of},
    money::Money,
    tenant::TenantScope,
    usage::{UsageCounts, UsageKey},
};
use hermes_ports::{
    operational_events::{Announcement, Audience, OperationalEvent},
    usage_log::UsageQuery,
};
use sha2::{Digest as _, Sha256};
use tracing::warn;

use crate::{
    api::Api,
    gate::Caller,
    problem::{Code, Fault, Problem},
    rate::{Spent, wait_s},
};

/// Age at which counts are read again, in milliseconds.
const FRESH_MS: u64 = 2_000;
/// Parts of a unit of money in `Used`.
const MICROS: i64 = 1_000_000;
/// Shares of a quota, in percent, that tenants are told of.
const THRESHOLDS: [u8; 3] = [50, 80, 100];
/// Tenants remembered; beyond them all are forgotten and read again.
const TENANTS_MAX: usize = 100_000;
/// Most counts of a month of one tenant: days, channels, connections and countries.
const COUNTS_MAX: usize = 200_000;

/// What tenants have used of this month.
#[derive(Debug, Default)]
pub(crate) struct Quotas(DashMap<TenantScope, Arc<Month>>);

/// What one tenant has used, as it was read, and what came after.
#[derive(Debug)]
struct Month {
    first_day: u32,
    read_at: UnixMillis,
    messages: AtomicI64,
    /// Millionths of the quota's currency.
    spent: AtomicI64,
}

/// A quota with what is used of it.
struct Used {
    name: &'static str,
    used: i64,
    limit: i64,
    currency: Option<Money>,
}

/// A place in the month for a message that is being accepted. Dropped before [`Self::keep`], it is free again.
#[derive(Debug)]
pub(crate) struct Share {
    month: Option<Arc<Month>>,
    cost: i64,
}

impl Share {
    /// The message is durable: it counts.
    pub(crate) fn keep(mut self) {
        self.month = None;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(month) = &self.month {
            month.messages.fetch_sub(1, Ordering::AcqRel);
            month.spent.fetch_sub(self.cost, Ordering::AcqRel);
        }
    }
}

/// Refuses when a cap of the caller is used up; counts nothing.
pub(crate) async fn check(api: &Api, caller: &Caller, now: UnixMillis) -> Result<(), Problem> {
    let Some(month) = month(api, caller, now).await? else { return Ok(()) };
    used(caller, &month).iter().try_for_each(|used| verdict(used, &month, now))
}

/// Takes a share for a message that is expected to cost `price`.
pub(crate) async fn take(
    api: &Api,
    caller: &Caller,
    price: Option<Money>,
    now: UnixMillis,
) -> Result<Share, Problem> {
    let Some(month) = month(api, caller, now).await? else { return Ok(Share { month: None, cost: 0 }) };
    let currency = caller.tenant.policy.spend_per_month.map(|most| most.currency);
    let cost = price.filter(|price| Some(price.currency) == currency).map_or(0, |price| price.micros);
    month.messages.fetch_add(1, Ordering::AcqRel);
    month.spent.fetch_add(cost, Ordering::AcqRel);
    let share = Share { month: Some(Arc::clone(&month)), cost };
    for mut used in used(caller, &month) {
        // The share itself may be the last one that fits.
        used.used -= if used.currency.is_some() { cost } else { 1 };
        verdict(&used, &month, now)?;
    }
    Ok(share)
}

/// This month's counts of a caller; `None` where nothing is capped.
async fn month(api: &Api, caller: &Caller, now: UnixMillis) -> Result<Option<Arc<Month>>, Problem> {
    let policy = &caller.tenant.policy;
    if policy.messages_per_month.is_none() && policy.spend_per_month.is_none() {
        return Ok(None);
    }
    let (scope, today) = (caller.scope(), day_of(now));
    let first_day = first_of_month(today);
    let known = api.quotas.0.get(&scope).map(|month| Arc::clone(&month));
    if let Some(month) =
        known.filter(|month| month.first_day == first_day && now.since(month.read_at) < FRESH_MS)
    {
        return Ok(Some(month));
    }
    let query = UsageQuery { scope: Some(scope), from_day: first_day, to_day: today };
    let counts = api.ports.usage.counts(query, COUNTS_MAX).await?;
    let month = Arc::new(Month {
        first_day,
        read_at: now,
        messages: AtomicI64::new(counts.iter().map(|(_, counts)| counts.messages).sum()),
        spent: AtomicI64::new(spent(&counts, policy.spend_per_month)),
    });
    if api.quotas.0.len() >= TENANTS_MAX {
        api.quotas.0.clear();
    }
    api.quotas.0.insert(scope, Arc::clone(&month));
    tell(api, caller, &month, now).await;
    Ok(Some(month))
}

fn spent(counts: &[(UsageKey, UsageCounts)], most: Option<Money>) -> i64 {
    let counted = |key: &UsageKey| key.currency.is_some() && key.currency == most.map(|most| most.currency);
    counts.iter().filter(|(key, _)| counted(key)).map(|(_, counts)| counts.cost_micros).sum()
}

fn used(caller: &Caller, month: &Month) -> Vec<Used> {
    let policy = &caller.tenant.policy;
    let messages = policy.messages_per_month.map(|most| Used {
        name: "messages_per_month",
        used: month.messages.load(Ordering::Acquire),
        limit: most.get().into(),
        currency: None,
    });
    let spend = policy.spend_per_month.map(|most| Used {
        name: "spend_per_month",
        used: month.spent.load(Ordering::Acquire),
        limit: most.micros,
        currency: Some(most),
    });
    [messages, spend].into_iter().flatten().collect()
}

fn verdict(used: &Used, month: &Month, now: UnixMillis) -> Result<(), Problem> {
    if used.used < used.limit {
        return Ok(());
    }
    let seconds = wait_s(next_month(month.first_day), now);
    let (_, limit, unit) = used.told();
    let fault = Fault::new("", used.name, format!("{limit} {unit} a month are used up"));
    let problem =
        Problem::new(Code::QuotaExceeded, "A monthly quota of the tenant is used up; see `errors`.");
    // Months differ in length, so there is no window to name. Money is counted in whole units of its currency.
    let quota = used.limit / used.currency.map_or(1, |_| MICROS);
    let spent =
        Spent { name: used.name.to_owned(), quota: u64::try_from(quota).unwrap_or_default(), window_s: None };
    Err(problem.with_faults(vec![fault]).retry_after(seconds).for_lack_of(spent))
}

impl Used {
    /// What is used, what there is, and of what.
    fn told(&self) -> (String, String, String) {
        match self.currency {
            None => (self.used.to_string(), self.limit.to_string(), "messages".to_owned()),
            Some(most) => {
                let amount = |micros| Money { micros, ..most }.amount();
                (amount(self.used), amount(self.limit), most.currency.as_str().to_owned())
            }
        }
    }
}

/// Tells the tenant which shares of its quotas are used up. Each is told once a month: its event's id follows from it.
async fn tell(api: &Api, caller: &Caller, month: &Month, now: UnixMillis) {
    for used in used(caller, month) {
        let reached =
            |percent: &u8| used.used.saturating_mul(100) >= used.limit.saturating_mul(i64::from(*percent));
        for threshold_percent in THRESHOLDS.into_iter().filter(reached) {
            let (spent, limit, unit) = used.told();
            let event = OperationalEvent::QuotaThresholdReached {
                quota: used.name.to_owned(),
                threshold_percent,
                used: spent,
                limit,
                unit,
                resets_at: Some(next_month(month.first_day)),
            };
            let scope = caller.scope();
            let announcement = Announcement {
                id: event_id(scope, month.first_day, used.name, threshold_percent),
                at: now,
                event,
                audience: Audience::Tenant(scope.tenant, scope.mode),
            };
            if let Err(failure) = api.ports.events.announce(announcement).await {
                warn!(error = &failure as &dyn Error, "a used quota could not be told; it is tried again");
            }
        }
    }
}

fn event_id(scope: TenantScope, first_day: u32, quota: &str, threshold_percent: u8) -> EventId {
    let name = format!("{} {} {first_day} {quota} {threshold_percent}", scope.tenant, scope.mode.as_str());
    let digest = Sha256::digest(name.as_bytes());
    let random = digest.iter().take(10).fold(0_u128, |random, byte| random << 8 | u128::from(*byte));
    EventId::new(start_of(first_day), random)
}

/// When the month that begins on `first_day` ends.
fn next_month(first_day: u32) -> UnixMillis {
    start_of(first_of_next_month(first_day))
}
