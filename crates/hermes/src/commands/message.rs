//! `hermes message`: sends, reads, cancels and follows messages; for operators, redrives those that were given up.

mod redrive;
mod send;
mod watch;

use clap::{Args, Subcommand};
use serde_json::json;

use super::client::{ApiOptions, Caller, Client, id, print, print_list};
use crate::runtime::block_on;

/// Options of `message`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    api: ApiOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sends a message and prints what was accepted.
    Send(send::New),
    /// Shows a message, attempts included.
    Get {
        #[arg(value_parser = id)]
        id: String,
    },
    /// Lists messages, newest first: id, status, channel, provider, when.
    List(Filter),
    /// Cancels a message.
    Cancel {
        #[arg(value_parser = id)]
        id: String,
    },
    /// Follows a message until it ends, one line per event.
    Watch {
        #[arg(value_parser = id)]
        id: String,
    },
    /// Gives messages that were given up another chance, or counts them; takes an operator's key.
    Redrive(redrive::Redrive),
}

#[derive(Debug, Args)]
struct Filter {
    /// Only those with this status, such as `delivered`.
    #[arg(long)]
    status: Option<String>,
    /// Only those that use this channel.
    #[arg(long)]
    channel: Option<String>,
    /// Only those with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Only those to this address.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// At most this many, up to 250.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=250))]
    limit: Option<u16>,
    /// Where the list before ended.
    #[arg(long)]
    cursor: Option<String>,
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let caller = match options.command {
        Command::Redrive(_) => Caller::Operator,
        Command::Send(_) | Command::Get { .. } | Command::List(_) => Caller::Tenant,
        Command::Cancel { .. } | Command::Watch { .. } => Caller::Tenant,
    };
    let client = Client::connect(&options.api, caller)?;
    block_on(async {
        match options.command {
            Command::Send(new) => print(&new.send(&client).await?),
            Command::Get { id } => print(&client.get(&format!("/v1/messages/{id}")).await?),
            Command::List(filter) => {
                let list = client.get(&format!("/v1/messages{}", filter.query())).await?;
                print_list(&list, &["id", "status", "channel", "provider", "created_at"]);
            }
            Command::Cancel { id } => {
                print(&client.post(&format!("/v1/messages/{id}/cancel"), &json!({})).await?);
            }
            Command::Watch { id } => watch::follow(&client, &id).await?,
            Command::Redrive(redrive) => print(&redrive.run(&client).await?),
        }
        Ok(())
    })
}

impl Filter {
    /// With `?`, or empty.
    fn query(&self) -> String {
        let limit = self.limit.map(|limit| limit.to_string());
        let pairs = [
            ("status", &self.status),
            ("channel", &self.channel),
            ("tag", &self.tag),
            ("to", &self.to),
            ("limit", &limit),
            ("cursor", &self.cursor),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_become_an_encoded_query() {
        let none = Filter { status: None, channel: None, tag: None, to: None, limit: None, cursor: None };
        assert_eq!(none.query(), "");
        let some = Filter { to: Some("+4520123456".into()), limit: Some(5), ..none };
        assert_eq!(some.query(), "?to=%2B4520123456&limit=5");
    }
}
