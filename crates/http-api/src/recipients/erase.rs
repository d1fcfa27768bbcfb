//! `POST /v1/recipients/erase`.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_domain::{
    MessageId,
    address::{Email, Phone},
    cascade::Event,
    recipient_address::RecipientAddress,
};
use hermes_ports::{Erasure, cascade_inbox::DeliverError};
use serde::Serialize;
use serde_json::Value;
use tracing::info;
use utoipa::ToSchema;

use super::waiting_lines::drop_lines_to;
use crate::{
    api::Api,
    audited::counted,
    body,
    gate::Caller,
    messages::deliver,
    problem::{Code, Problem},
    reply,
    schema::{self, Faults, Object, text, token},
};

/// Open messages looked up at once.
const PAGE: usize = 500;
/// Longest push token, in bytes.
const TOKEN_BYTES_MAX: usize = 4_096;

/// What an erasure did.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Erasure)]
pub(super) struct ErasureView {
    /// When it was done; what was accepted later is not concerned.
    erased_at: String,
    /// Messages that were readable until now.
    messages: u64,
    /// Suppressions that no longer name the address, and go on working.
    suppressions: u64,
    /// Lines of uploads that were dropped before they became messages.
    batch_lines: u64,
    /// Messages under way that have ended because of it.
    cancelled: u64,
    /// Messages that a provider has already; they end by what becomes of that, and nothing more is sent.
    under_way: u64,
}

pub(super) async fn erase(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let addresses = schema::root(incoming.value, addresses)?;
    let erasure = api.ports.erasure.clone().ok_or_else(not_here)?;
    let mut run = Run { api: &api, caller: &caller, stopped: BTreeSet::new() };
    let at = api.now();
    let mut done = ErasureView { erased_at: at.rfc3339(), ..ErasureView::default() };
    // Before the messages: a line that is taken meanwhile is one of them.
    done.batch_lines = drop_lines_to(&api, caller.scope(), &addresses).await?;
    for address in &addresses {
        run.stop_all(&*erasure, address).await?;
        let erased = erasure.erase(caller.scope(), address, at).await?;
        // Those that came in between.
        for id in erased.open {
            run.stop(id).await?;
        }
        done.messages += erased.messages;
        done.suppressions += erased.suppressions;
    }
    for id in &run.stopped {
        match api.ports.store.load(caller.scope(), *id).await? {
            Some(stored) if !stored.state.status().is_terminal() => done.under_way += 1,
            _ => done.cancelled += 1,
        }
    }
    info!(
        tenant.id = %caller.tenant.id,
        messages = done.messages,
        batch_lines = done.batch_lines,
        cancelled = done.cancelled,
        under_way = done.under_way,
        "a recipient was erased"
    );
    let counts = [
        ("messages", done.messages),
        ("suppressions", done.suppressions),
        ("cancelled", done.cancelled),
        ("under_way", done.under_way),
    ];
    Ok(counted(reply::ok(&done), counts))
}

struct Run<'a> {
    api: &'a Api,
    caller: &'a Caller,
    /// Messages that were told to stop.
    stopped: BTreeSet<MessageId>,
}

impl Run<'_> {
    async fn stop_all(&mut self, erasure: &dyn Erasure, address: &RecipientAddress) -> Result<(), Problem> {
        let mut before = None;
        loop {
            let page = erasure.open_messages(self.caller.scope(), address, before, PAGE).await?;
            for id in &page {
                self.stop(*id).await?;
            }
            before = page.last().copied();
            if page.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// Tells a message to stop, once. One that has ended meanwhile needs no telling.
    async fn stop(&mut self, id: MessageId) -> Result<(), Problem> {
        if self.stopped.contains(&id) {
            return Ok(());
        }
        let Some(stored) = self.api.ports.store.load(self.caller.scope(), id).await? else { return Ok(()) };
        match deliver(self.api, &stored, Event::Cancel).await {
            Ok(_) | Err(DeliverError::Unknown(_)) => {}
            Err(error) => return Err(error.into()),
        }
        self.stopped.insert(id);
        Ok(())
    }
}

fn addresses(object: &mut Object, faults: &mut Faults) -> Option<BTreeSet<RecipientAddress>> {
    let phone = object.optional("phone", faults, phone);
    let whatsapp = object.optional("whatsapp", faults, self::phone);
    let email = object.optional("email", faults, email);
    let push = object.optional("push_token", faults, |value, faults| {
        token(1..=TOKEN_BYTES_MAX)(value, faults).map(|token| RecipientAddress::push(&token))
    });
    let all: BTreeSet<_> = [phone, whatsapp, email, push].into_iter().flatten().collect();
    if all.is_empty() {
        return faults
            .note("address_missing", "expected at least one of phone, whatsapp, email and push_token");
    }
    Some(all)
}

fn phone(value: Value, faults: &mut Faults) -> Option<RecipientAddress> {
    match Phone::parse(&text(1..=16)(value, faults)?) {
        Ok(phone) => Some(RecipientAddress::phone(&phone)),
        Err(error) => faults.note("phone_invalid", error.to_string()),
    }
}

fn email(value: Value, faults: &mut Faults) -> Option<RecipientAddress> {
    match Email::parse(&text(1..=254)(value, faults)?) {
        Ok(email) => Some(RecipientAddress::email(&email)),
        Err(error) => faults.note("email_invalid", error.to_string()),
    }
}

fn not_here() -> Problem {
    Problem::new(Code::Conflict, "The store of this deployment cannot erase recipients.")
}
