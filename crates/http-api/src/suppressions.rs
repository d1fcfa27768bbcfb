//! `/v1/suppressions`: addresses that the tenant must not write to.

mod create;
mod delete;
mod export;
mod import;
mod list;
mod read;
mod rule;
mod settings;
mod update;

use std::time::Duration;

use hermes_domain::{address::Channel, suppression::SuppressionReason};
use serde_json::{Value, json};

use crate::{operation::Need, operation::Operation, router::Routes};
pub(crate) use import::Imports;
use rule::SuppressionView;

/// Imports take longer than other requests: their bodies are large and kept as they arrive.
pub(crate) const IMPORT: &str = "/v1/suppressions/import";
/// How long an import may take.
pub(crate) const IMPORT_LIMIT: Duration = Duration::from_secs(600);

/// The reasons, as the API spells them.
fn reasons() -> Vec<&'static str> {
    SuppressionReason::ALL.map(SuppressionReason::as_str).to_vec()
}

fn channels() -> Vec<&'static str> {
    Channel::ALL.map(Channel::as_str).to_vec()
}

fn create_body() -> Value {
    let mut properties = json!({
        "address": { "type": ["string", "null"], "maxLength": 4_096,
            "description": "A phone number in E.164, an email address, or with the channel push a token." },
        "domain": { "type": ["string", "null"], "maxLength": 254,
            "description": "Every email address at this domain and below it." },
        "prefix": { "type": ["string", "null"], "pattern": "^\\+[1-9][0-9]{0,14}$",
            "description": "Every phone number that begins so." },
        "channel": { "enum": channels(), "description": "Only on this channel; absent or null: on all." },
        "sender": { "type": ["string", "null"], "minLength": 1, "maxLength": 254,
            "description": "Only for messages from this sender; absent or null: from all." },
        "reason": { "enum": reasons(), "description": "`manual` where it is absent or null." },
    });
    for nullable in ["channel", "reason"] {
        if let Some(names) = properties[nullable]["enum"].as_array_mut() {
            names.push(Value::Null);
        }
    }
    merge(&mut properties, changeable());
    json!({ "type": "object", "additionalProperties": false, "properties": properties,
        "description": "Names exactly one of `address`, `domain` and `prefix`." })
}

fn changeable() -> Value {
    json!({
        "note": { "type": ["string", "null"], "minLength": 1, "maxLength": 500, "description": "For people." },
        "expires_at": { "type": ["string", "null"], "format": "date-time",
            "description": "It applies until then; null: for ever." },
    })
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

fn update_body() -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": changeable(),
        "description": "What is absent stays; null removes it." })
}

fn settings_body() -> Value {
    json!({ "type": "object", "additionalProperties": false, "required": ["opt_out_scope"],
        "properties": { "opt_out_scope": { "enum": ["sender", "all"],
            "description": "Whether a STOP silences every sender (the default), or the number that it was sent to." } } })
}

pub(crate) fn routes(routes: &mut Routes) {
    let create = Operation::post(
        Need::Manage,
        "/v1/suppressions",
        "createSuppression",
        "Keep messages from an address",
    )
    .body("SuppressionRequest", create_body())
    .reply::<SuppressionView>(201, "Kept; it applies at once, also to messages under way.");
    routes.add(create, create::create);
    let word = || json!({ "type": "string" });
    let list =
        Operation::get(Need::Read, "/v1/suppressions", "listSuppressions", "Suppressions, newest first")
            .query("address", "That name exactly this address, domain or prefix.", word())
            .query("channel", "For this channel alone.", json!({ "enum": channels() }))
            .query("reason", "For this reason.", json!({ "enum": reasons() }))
            .query("sender", "For this sender alone.", word())
            .query("created_after", "Made at or after.", json!({ "type": "string", "format": "date-time" }))
            .paged()
            .list::<SuppressionView>("A page.");
    routes.add(list, list::list);
    let read = Operation::get(Need::Read, "/v1/suppressions/{id}", "getSuppression", "A suppression");
    routes.add(read.reply::<SuppressionView>(200, "The suppression."), read::read);
    let update = Operation::patch(
        Need::Manage,
        "/v1/suppressions/{id}",
        "updateSuppression",
        "Change the note or end of a suppression",
    )
    .body("SuppressionUpdate", update_body())
    .versioned(true)
    .reply::<SuppressionView>(200, "Changed.");
    routes.add(update, update::update);
    let delete =
        Operation::delete(Need::Manage, "/v1/suppressions/{id}", "deleteSuppression", "Allow messages again");
    routes.add(delete.versioned(false).plain(204, "Removed.", None), delete::delete);
    bulk(routes);
    let read = Operation::get(
        Need::Read,
        "/v1/suppressions/settings",
        "getSuppressionSettings",
        "How opt-outs are taken for this tenant",
    );
    routes.add(read.reply::<settings::SettingsView>(200, "The settings."), settings::read);
    let write = Operation::put(
        Need::Manage,
        "/v1/suppressions/settings",
        "putSuppressionSettings",
        "Set how opt-outs are taken; rules that exist stay as they are",
    );
    let write = write.body("SuppressionSettingsRequest", settings_body());
    routes.add(write.reply::<settings::SettingsView>(200, "Set."), settings::write);
}

fn bulk(routes: &mut Routes) {
    let import = Operation::post(
        Need::Manage, IMPORT,
        "importSuppressions",
        "Add many suppressions: CSV with a header line, or one JSON object a line. At most 64 MiB and 1,000,000 \
         lines of 16 KiB, within 10 minutes, one at a time; what is there already stays as it is, so that it may be \
         repeated",
    )
    .repeatable()
    .bytes("text/csv")
    .bytes("application/x-ndjson")
    .reply::<import::ImportReport>(200, "What became of the lines.");
    routes.add(import, import::import);
    let export = Operation::get(
        Need::Read,
        "/v1/suppressions/export",
        "exportSuppressions",
        "All suppressions, newest first, but for those whose address was erased",
    )
    .query("format", "The form of the lines.", json!({ "enum": ["csv", "ndjson"], "default": "csv" }))
    .plain(200, "One suppression a line.", Some("text/csv"))
    .plain(200, "One suppression a line.", Some("application/x-ndjson"));
    routes.add(export, export::export);
}
