//! `hermes message send`: a message from options, or from a file with the whole request.

use std::{fs, io::Read as _, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value, json};

use crate::commands::client::Client;

/// Largest request that is read, in bytes: the API takes no larger one.
const REQUEST_BYTES_MAX: u64 = 10 * 1024 * 1024;

/// What to send to whom.
#[derive(Args)]
pub(super) struct New {
    /// To this phone number, in international format.
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    /// To this email address.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// To this push token.
    #[arg(long, value_name = "TOKEN")]
    push: Option<String>,
    /// What it says.
    #[arg(long, required_unless_present = "file")]
    text: Option<String>,
    /// Its subject, where the channel has one.
    #[arg(long)]
    subject: Option<String>,
    /// Try these channels in order; without it the tenant's default cascade.
    #[arg(long, value_delimiter = ',', value_name = "CHANNEL")]
    channels: Vec<String>,
    /// JSON file with the whole request; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["phone", "email", "push", "text", "subject", "channels"])]
    file: Option<PathBuf>,
    /// Makes a repeated call harmless.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

impl std::fmt::Debug for New {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("New")
            .field("channels", &self.channels)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl New {
    /// Sends it and returns what was accepted.
    ///
    /// # Errors
    /// When the file cannot be read, or the API refuses.
    pub(super) async fn send(&self, client: &Client) -> anyhow::Result<Value> {
        let request = self.request()?;
        match &self.idempotency_key {
            Some(key) => client.post_once("/v1/messages", &request, key).await,
            None => client.post("/v1/messages", &request).await,
        }
    }

    fn request(&self) -> anyhow::Result<Value> {
        if let Some(path) = &self.file {
            let text = read(path).with_context(|| format!("could not read {}", path.display()))?;
            return serde_json::from_slice(&text).context("the request is not JSON");
        }
        let mut to = Map::new();
        let mut name = |key: &str, value: Option<Value>| value.map(|value| to.insert(key.to_owned(), value));
        name("phone", self.phone.clone().map(Value::from));
        name("email", self.email.clone().map(Value::from));
        name("push", self.push.as_ref().map(|token| json!([{ "token": token, "platform": "android" }])));
        let mut content = json!({ "text": self.text });
        if let Some(subject) = &self.subject {
            content["subject"] = json!(subject);
        }
        let mut request = json!({ "to": to, "content": content });
        if !self.channels.is_empty() {
            let steps: Vec<_> = self.channels.iter().map(|channel| json!({ "channel": channel })).collect();
            request["cascade"] = json!({ "steps": steps });
        }
        Ok(request)
    }
}

fn read(path: &PathBuf) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().take(REQUEST_BYTES_MAX).read_to_end(&mut text)?;
    } else {
        fs::File::open(path)?.take(REQUEST_BYTES_MAX).read_to_end(&mut text)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> New {
        New {
            phone: Some("+4520123456".into()),
            email: None,
            push: None,
            text: Some("hi".into()),
            subject: None,
            channels: vec!["sms".into(), "email".into()],
            file: None,
            idempotency_key: None,
        }
    }

    #[test]
    fn options_become_a_request_without_absent_fields() {
        let expected = json!({
            "to": { "phone": "+4520123456" },
            "content": { "text": "hi" },
            "cascade": { "steps": [{ "channel": "sms" }, { "channel": "email" }] },
        });
        assert_eq!(new().request().unwrap(), expected);
    }

    #[test]
    fn debug_output_names_neither_address_nor_text() {
        let shown = format!("{:?}", new());
        assert!(!shown.contains("4520123456") && !shown.contains("hi"), "{shown}");
    }
}
