//! Recorded exchanges: one JSON file a case, read and checked before anything is run.

mod expected;
mod http;
mod message;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use hermes_ports::adapter::{LookupQuery, SendCall};
use serde::Deserialize;
use serde_json::Value;
use serde_path_to_error::Segment;

pub(crate) use expected::{EntryFields, Expected, OutcomeFields, RefusalWord, ReplyFields};
pub(crate) use http::{Body, Exchange, RequestSpec, Signature, WebhookSpec, form_pairs};
pub(crate) use message::Message;

/// Why fixtures cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// The folder cannot be listed.
    #[error("could not list {}", dir.display())]
    List {
        /// The folder.
        dir: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The folder holds no fixture: a check of nothing must not pass.
    #[error("{} holds no file that ends in .json", dir.display())]
    Empty {
        /// The folder.
        dir: PathBuf,
    },
    /// A file cannot be read.
    #[error("could not read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file is not a case.
    #[error("{file} at {pointer}: {problem}")]
    Invalid {
        /// Name of the file.
        file: String,
        /// Where in it: a JSON pointer, `/` for the whole.
        pointer: String,
        /// What is wrong there.
        problem: String,
    },
}

/// One recorded case.
#[derive(Debug, Clone)]
pub struct Case {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) connection: ConnectionSpec,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) subject: Subject,
}

/// Settings and credentials of a case.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionSpec {
    #[serde(default)]
    pub(crate) config: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) credentials: BTreeMap<String, String>,
}

/// What the adapter is asked, and what it must answer.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    Send(SendCall, Expected<OutcomeFields>),
    Check(Expected<OutcomeFields>),
    Lookup(LookupQuery, Expected<OutcomeFields>),
    Webhook(WebhookSpec, WebhookEnd),
}

/// What must become of a webhook.
#[derive(Debug, Clone)]
pub(crate) enum WebhookEnd {
    Taken { entries: Vec<Expected<EntryFields>>, reply: Option<Expected<ReplyFields>> },
    Refused(RefusalWord),
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    connection: ConnectionSpec,
    send: Option<Message>,
    check: Option<Nothing>,
    lookup: Option<message::Lookup>,
    webhook: Option<WebhookSpec>,
    #[serde(default)]
    exchanges: Vec<Exchange>,
    outcome: Option<Expected<OutcomeFields>>,
    receipts: Option<Vec<Expected<EntryFields>>>,
    reply: Option<Expected<ReplyFields>>,
    refused: Option<RefusalWord>,
}

/// An empty object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Where something is wrong, and what.
type Problem = (String, String);

/// Reads every case of a folder: files that end in `.json`, in the order of their names.
///
/// # Errors
/// When the folder or a file cannot be read, when there is no file, or with the first place of a file that
/// does not say what a case can say.
pub fn load(dir: &Path) -> Result<Vec<Case>, FixtureError> {
    let list = |cause| FixtureError::List { dir: dir.to_owned(), cause };
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(list)? {
        let path = entry.map_err(list)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(FixtureError::Empty { dir: dir.to_owned() });
    }
    files.into_iter().map(|file| read(&file)).collect()
}

fn read(path: &Path) -> Result<Case, FixtureError> {
    let text = fs::read(path).map_err(|cause| FixtureError::Read { file: path.to_owned(), cause })?;
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let case = parse(&file, &text);
    case.map_err(|(pointer, problem)| FixtureError::Invalid { file, pointer, problem })
}

fn parse(file: &str, text: &[u8]) -> Result<Case, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let written: File = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| (pointer(error.path()), error.inner().to_string()))?;
    reader.end().map_err(|error| ("/".to_owned(), error.to_string()))?;
    let (name, connection) = (written.name.clone(), written.connection.clone());
    let exchanges = written.exchanges.clone();
    Ok(Case { file: file.to_owned(), name, connection, exchanges, subject: subject(written)? })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let parts = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    format!("/{}", parts.collect::<Vec<_>>().join("/"))
}

fn subject(file: File) -> Result<Subject, Problem> {
    let problem = |pointer: &str, problem: &str| (pointer.to_owned(), problem.to_owned());
    let below = |field: &str, (place, problem): message::Problem| (format!("{field}{place}"), problem);
    let ends = (file.receipts, file.reply, file.refused);
    match (file.send, file.check, file.lookup, file.webhook) {
        (None, None, None, Some(webhook)) => {
            if file.outcome.is_some() {
                return Err(problem("/outcome", "a webhook has `receipts` or `refused` instead"));
            }
            webhook_subject(webhook, ends)
        }
        (send, check, lookup, None) => {
            if ends.0.is_some() || ends.1.is_some() || ends.2.is_some() {
                return Err(problem("/", "`receipts`, `reply` and `refused` are for a webhook"));
            }
            let outcome = file.outcome.ok_or_else(|| problem("/", "missing field `outcome`"))?;
            match (send, check, lookup) {
                (Some(message), None, None) => {
                    Ok(Subject::Send(message.to_call().map_err(|error| below("/send", error))?, outcome))
                }
                (None, Some(Nothing {}), None) => Ok(Subject::Check(outcome)),
                (None, None, Some(lookup)) => {
                    Ok(Subject::Lookup(lookup.to_query().map_err(|error| below("/lookup", error))?, outcome))
                }
                _ => Err(problem("/", "expected one of `send`, `check`, `lookup`, `webhook`")),
            }
        }
        _ => Err(problem("/", "expected one of `send`, `check`, `lookup`, `webhook`, not several")),
    }
}

type Ends = (Option<Vec<Expected<EntryFields>>>, Option<Expected<ReplyFields>>, Option<RefusalWord>);

fn webhook_subject(webhook: WebhookSpec, ends: Ends) -> Result<Subject, Problem> {
    let problem = |pointer: &str, problem: &str| (pointer.to_owned(), problem.to_owned());
    let end = match ends {
        (Some(entries), reply, None) => WebhookEnd::Taken { entries, reply },
        (None, None, Some(word)) => WebhookEnd::Refused(word),
        _ => {
            return Err(problem(
                "/",
                "a webhook has either `receipts`, with or without `reply`, or `refused`",
            ));
        }
    };
    let plain = webhook.to_webhook();
    if matches!(end, WebhookEnd::Taken { .. }) {
        let has = match &webhook.signature {
            None => return Err(problem("/webhook", "missing field `signature`: where is the signature?")),
            Some(Signature::Header(name)) => plain.headers.iter().any(|(key, _)| key == &name.to_lowercase()),
            Some(Signature::Query(name)) => crate::mutation::query_value(&plain.url, name).is_some(),
            Some(Signature::Body) => !plain.body.is_empty(),
        };
        if !has {
            return Err(problem("/webhook/signature", "the webhook has nothing there"));
        }
    }
    // Where there is no body the URL is what was signed.
    let body = String::from_utf8_lossy(&plain.body);
    let content = if body.is_empty() { plain.url.as_str() } else { &body };
    let missing =
        webhook.unsigned.iter().position(|part| part.is_empty() || !content.contains(part.as_str()));
    if let Some(index) = missing {
        return Err((format!("/webhook/unsigned/{index}"), "it does not stand in the webhook".to_owned()));
    }
    Ok(Subject::Webhook(webhook, end))
}

#[cfg(test)]
mod tests;
