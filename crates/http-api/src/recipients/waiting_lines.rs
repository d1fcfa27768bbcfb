//! Lines of uploads that were not taken yet and name a person who is to be erased.

use std::collections::BTreeSet;

use hermes_domain::{
    address::{Email, Phone},
    batch::{Batch, BatchItem, ItemOutcome},
    recipient_address::RecipientAddress,
    tenant::TenantScope,
};
use hermes_ports::{StoreError, batches::WaitingLine};

use crate::{api::Api, json};

/// Lines read at once: up to 16 MiB of them.
const PAGE: usize = 64;

/// Drops every line that names one of `addresses`; how many. Nothing of a batch is taken while it is looked through.
///
/// # Errors
/// The store's: some lines may be dropped already. Do it again.
pub(super) async fn drop_lines_to(
    api: &Api,
    scope: TenantScope,
    addresses: &BTreeSet<RecipientAddress>,
) -> Result<u64, StoreError> {
    let mut dropped = 0;
    for batch in api.ports.batches.under_way(scope).await? {
        let _turn = api.batch_turns.of(batch.id).await;
        dropped += drop_lines_of(api, &batch, addresses).await?;
    }
    Ok(dropped)
}

async fn drop_lines_of(
    api: &Api,
    batch: &Batch,
    addresses: &BTreeSet<RecipientAddress>,
) -> Result<u64, StoreError> {
    let (mut from, mut dropped) = (0, 0);
    loop {
        let lines = api.ports.batches.waiting(batch.scope, batch.id, from, PAGE).await?;
        let Some(last) = lines.last() else { return Ok(dropped) };
        from = last.index + 1;
        let to_them = lines.iter().filter(|line| names_one_of(line, addresses));
        let items: Vec<_> =
            to_them.map(|line| BatchItem { index: line.index, outcome: ItemOutcome::Cancelled }).collect();
        dropped += items.len() as u64;
        if !items.is_empty() {
            api.ports.batches.settle(batch.scope, batch.id, items, api.now()).await?;
        }
    }
}

/// A line that is no message has no recipient: it will be refused.
fn names_one_of(line: &WaitingLine, addresses: &BTreeSet<RecipientAddress>) -> bool {
    let Ok(message) = json::parse(&line.body) else { return false };
    let to = &message["to"];
    let text = |field: &str| to[field].as_str();
    let phones = ["phone", "whatsapp"].into_iter().filter_map(text);
    let phones =
        phones.filter_map(|text| Phone::parse(text).ok().map(|phone| RecipientAddress::phone(&phone)));
    let email = text("email").and_then(|text| Email::parse(text).ok());
    let tokens = to["push"].as_array().into_iter().flatten().filter_map(|push| push["token"].as_str());
    phones
        .chain(email.as_ref().map(RecipientAddress::email))
        .chain(tokens.map(RecipientAddress::push))
        .any(|address| addresses.contains(&address))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn names(to: &Value) -> bool {
        let wanted = [
            RecipientAddress::phone(&Phone::parse("+4520123456").unwrap()),
            RecipientAddress::email(&Email::parse("ada@example.dk").unwrap()),
            RecipientAddress::push("token-1"),
        ];
        let body = Bytes::from(json!({ "to": to }).to_string());
        names_one_of(&WaitingLine { index: 0, body }, &wanted.into())
    }

    #[test]
    fn a_line_names_whoever_it_would_be_sent_to_on_any_channel() {
        for to in [
            json!({ "phone": "+4520123456" }),
            json!({ "whatsapp": "+4520123456", "phone": "+4520999999" }),
            json!({ "email": "Ada@Example.DK" }),
            json!({ "push": [{ "token": "token-0" }, { "token": "token-1" }] }),
        ] {
            assert!(names(&to), "{to}");
        }
        for to in
            [json!({ "phone": "+4520123457" }), json!({ "push": [{ "token": "TOKEN-1" }] }), json!(null)]
        {
            assert!(!names(&to), "{to}");
        }
    }
}
