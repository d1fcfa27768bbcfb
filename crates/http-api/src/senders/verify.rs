//! `POST /v1/senders/{id}/verify`: looks for the DNS records of a mail domain.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use futures::future::try_join_all;
use hermes_domain::{
    message::Mode,
    sender::{DnsRecord, EmailIdentity, Identity, Sender, Verification, proves, records},
};
use hermes_ports::dns::DnsUnavailable;

use super::sender::{SenderView, find, region};
use crate::{
    api::Api,
    gate::Caller,
    idempotency::bodiless,
    problem::{Code, Problem},
    reply,
};

pub(super) async fn verify(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id)?;
    bodiless(&api, caller.scope(), request).await?;
    let Identity::Email(email) = &stored.value.identity else {
        return Err(Problem::new(Code::Conflict, "Only mail domains and addresses are verified by the DNS."));
    };
    let records = records(stored.value.id, email, region(&api, &stored.value).as_deref());
    let published = published(&api, caller.mode, &records).await.map_err(|DnsUnavailable| {
        Problem::new(Code::Overloaded, "The DNS does not answer at the moment; try again.").retry_after(10)
    })?;
    let next = judged(&api, &stored.value, email, (&records, published));
    let view = SenderView::of(&api, &next);
    let version = api.directory().update_sender(next, Some(stored.version)).await?;
    Ok(reply::ok_version(&view, version))
}

/// Purposes of the records that are there. In test mode nothing is looked up: everything counts as published.
async fn published(
    api: &Api,
    mode: Mode,
    records: &[DnsRecord],
) -> Result<BTreeSet<&'static str>, DnsUnavailable> {
    let looked_up = records.iter().map(async |record| {
        let found = match mode {
            Mode::Test => true,
            Mode::Live => record.is_published(&api.ports.dns.values(&record.name, record.record_type).await?),
        };
        Ok(found.then(|| record.purpose.as_str()))
    });
    Ok(try_join_all(looked_up).await?.into_iter().flatten().collect())
}

/// The sender with what was found. What is missing never takes a verification away: an operator may have given it.
fn judged(
    api: &Api,
    sender: &Sender,
    email: &EmailIdentity,
    (records, published): (&[DnsRecord], BTreeSet<&'static str>),
) -> Sender {
    let is_there = |record: &DnsRecord| published.contains(record.purpose.as_str());
    let proven = match sender.mode {
        Mode::Live => proves(records, is_there),
        Mode::Test => true,
    };
    let mut email = EmailIdentity { checked_at: Some(api.now()), ..email.clone() };
    if proven && email.status == Verification::Pending {
        email.status = Verification::Verified;
    }
    email.published = published.into_iter().map(str::to_owned).collect();
    Sender { identity: Identity::Email(email), updated_at: api.now(), ..sender.clone() }
}
