//! `PATCH /admin/v1/senders/{id}`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::sender::{DKIM_TOKENS, EmailIdentity, Identity, Sender, Verification};
use serde_json::Value;

use super::{REASON_CHARS_MAX, TenantSender};
use crate::{
    api::Api,
    body, etag,
    gate::Operator,
    problem::{Code, Fault, Problem},
    reply,
    schema::{self, Faults, choice, list, map, text, token},
    senders::sender::COUNTRIES_MAX,
};

pub(super) const STANDINGS: &[(&str, Verification)] = &[
    ("pending", Verification::Pending),
    ("verified", Verification::Verified),
    ("rejected", Verification::Rejected),
];

/// What an operator says about a sender.
struct Judgement {
    status: Option<Verification>,
    countries: Option<BTreeMap<String, Verification>>,
    reason: Option<Option<String>>,
    dkim_tokens: Option<Vec<String>>,
}

pub(super) async fn update(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let stored = api.directory().any_sender(id).ok_or_else(Problem::not_found)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let next = judged(&stored.value, judgement(incoming.value)?)?;
    let expected = etag::if_match(&incoming.parts.headers, stored.version)?;
    let next = Sender { updated_at: api.now(), ..next };
    let view = TenantSender::of(&api, &next);
    let version = api.directory().update_sender(next, expected.or(Some(stored.version))).await?;
    Ok(reply::ok_version(&view, version))
}

fn judgement(body: Value) -> Result<Judgement, Problem> {
    schema::root(body, |fields, faults| {
        let status = fields.optional("status", faults, choice(STANDINGS));
        let countries = fields.optional("countries", faults, map(COUNTRIES_MAX, 2, choice(STANDINGS)));
        let reason = fields.nullable("reason", faults, text(1..=REASON_CHARS_MAX));
        let tokens = list(DKIM_TOKENS..=DKIM_TOKENS, dkim_token);
        let dkim_tokens = fields.optional("dkim_tokens", faults, tokens);
        Some(Judgement { status, countries, reason, dkim_tokens })
    })
}

fn dkim_token(value: Value, faults: &mut Faults) -> Option<String> {
    let token = token(1..=63)(value, faults)?;
    if token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Some(token);
    }
    faults.note("dkim_token", "expected letters and digits")
}

fn judged(sender: &Sender, judgement: Judgement) -> Result<Sender, Problem> {
    let Judgement { status: wanted, countries: standings, reason, dkim_tokens: tokens } = judgement;
    let mut next = sender.clone();
    match &mut next.identity {
        Identity::Sms { countries, .. } => {
            refuse_if(wanted.is_some(), "/status", "an SMS sender has a standing by country")?;
            refuse_if(tokens.is_some(), "/dkim_tokens", "only mail identities have DKIM tokens")?;
            for (country, standing) in standings.into_iter().flatten() {
                let known = countries.get_mut(&country);
                let pointer = format!("/countries/{country}");
                refuse_if(known.is_none(), &pointer, "the sender does not name this country")?;
                known.into_iter().for_each(|known| *known = standing);
            }
        }
        Identity::Email(EmailIdentity { status, dkim_tokens, published, checked_at, .. }) => {
            refuse_if(standings.is_some(), "/countries", "only SMS senders have countries")?;
            *status = wanted.unwrap_or(*status);
            if let Some(tokens) = tokens {
                // What was found belonged to the tokens before.
                (*dkim_tokens, *checked_at) = (tokens, None);
                published.clear();
            }
        }
        Identity::Whatsapp { status, .. } => {
            refuse_if(standings.is_some(), "/countries", "only SMS senders have countries")?;
            refuse_if(tokens.is_some(), "/dkim_tokens", "only mail identities have DKIM tokens")?;
            *status = wanted.unwrap_or(*status);
        }
    }
    next.status_reason = reason.unwrap_or(next.status_reason);
    Ok(next)
}

fn refuse_if(wrong: bool, pointer: &str, detail: &'static str) -> Result<(), Problem> {
    if !wrong {
        return Ok(());
    }
    let fault = Fault::new(pointer.to_owned(), "not_for_this_sender", detail);
    Err(Problem::new(Code::SchemaInvalid, "The sender is of another kind.").with_faults(vec![fault]))
}
