//! The body of a webhook. Fields come in the order in which Meta writes them.

use serde::Serialize;

/// The whole body.
#[derive(Serialize)]
pub(super) struct Envelope {
    object: &'static str,
    entry: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: String,
    changes: Vec<Change>,
}

/// Something that happened, and the business account it belongs to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Change {
    #[serde(skip)]
    pub(super) business_account_id: String,
    pub(super) value: Value,
    pub(super) field: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Value {
    pub(super) messaging_product: &'static str,
    pub(super) metadata: Metadata,
    pub(super) contacts: Vec<Contact>,
    #[serde(flatten)]
    pub(super) news: News,
}

/// What the change tells, under the name it has there.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum News {
    Statuses(Vec<StatusNews>),
    Messages(Vec<Inbound>),
    UserPreferences(Vec<Preference>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Metadata {
    pub(super) display_phone_number: String,
    pub(super) phone_number_id: String,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Contact {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<Profile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wa_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Profile {
    pub(super) name: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct StatusNews {
    pub(super) id: String,
    pub(super) status: &'static str,
    /// Seconds, as text.
    pub(super) timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipient_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recipient_user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) biz_opaque_callback_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pricing: Option<Pricing>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<ErrorNews>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Pricing {
    pub(super) billable: bool,
    pub(super) pricing_model: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) category: String,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct ErrorNews {
    pub(super) code: u32,
    pub(super) title: &'static str,
    pub(super) message: &'static str,
    pub(super) error_data: ErrorData,
    pub(super) href: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct ErrorData {
    pub(super) details: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Inbound {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    pub(super) from_user_id: String,
    pub(super) id: String,
    pub(super) timestamp: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) text: Text,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Text {
    pub(super) body: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Preference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wa_id: Option<String>,
    pub(super) user_id: String,
    pub(super) detail: &'static str,
    pub(super) category: &'static str,
    pub(super) value: &'static str,
    /// Seconds, and here as a number.
    pub(super) timestamp: i64,
}

/// Neighbours that share a level of the body, at most. More than one, so that every level repeats as soon as
/// there is enough to tell.
const NEIGHBOURS: usize = 2;

/// Puts changes into one body, repeating every level that may be: statuses of one number share a change,
/// changes of one account share an entry.
pub(super) fn envelope(changes: Vec<Change>) -> Envelope {
    let mut entry: Vec<Entry> = Vec::new();
    for change in merge_statuses(changes) {
        match entry.last_mut() {
            Some(last) if last.id == change.business_account_id && last.changes.len() < NEIGHBOURS => {
                last.changes.push(change);
            }
            _ => entry.push(Entry { id: change.business_account_id.clone(), changes: vec![change] }),
        }
    }
    Envelope { object: "whatsapp_business_account", entry }
}

fn merge_statuses(changes: Vec<Change>) -> Vec<Change> {
    let mut merged: Vec<Change> = Vec::new();
    for change in changes {
        let last = merged.last_mut().filter(|last| last.value.metadata == change.value.metadata);
        match (last.map(|last| &mut last.value), change) {
            (
                Some(Value { news: News::Statuses(known), contacts, .. }),
                Change { value: Value { news: News::Statuses(more), contacts: others, .. }, .. },
            ) if known.len() < NEIGHBOURS => {
                known.extend(more);
                contacts.extend(others);
            }
            (_, change) => merged.push(change),
        }
    }
    merged
}
