//! `hermes usage`: what tenants sent, what it cost and brought in, and where it would have cost less.

use clap::{Args, Subcommand};

use super::client::{ApiOptions, Caller, Client, id, print};
use crate::runtime::block_on;

/// Options of `usage`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    api: ApiOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Counts, cost, price and margin.
    Report {
        #[command(flatten)]
        days: Days,
        /// Comma-separated: `day`, `tenant_id`, `mode`, `channel`, `provider`, `country`.
        #[arg(long, value_name = "DIMENSIONS")]
        group_by: Option<String>,
        /// Only this mode's; both without it.
        #[arg(long, value_parser = ["live", "test"])]
        mode: Option<String>,
        /// A CSV file instead of JSON.
        #[arg(long)]
        csv: bool,
    },
    /// Where live messages would have cost less: other connections and recorded offers.
    Savings {
        #[command(flatten)]
        days: Days,
        /// Most entries, 1 to 1000.
        #[arg(long, default_value_t = 100)]
        limit: u16,
    },
}

/// What a report is about.
#[derive(Debug, Args)]
struct Days {
    /// First day, UTC; the first of this month without it.
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Last day, included; today without it.
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Only this tenant's.
    #[arg(long, value_name = "ID", value_parser = id)]
    tenant: Option<String>,
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let client = Client::connect(&options.api, Caller::Operator)?;
    block_on(async {
        match options.command {
            Command::Report { days, group_by, mode, csv } => {
                let format = csv.then(|| "csv".to_owned());
                let query = query(days, [("group_by", group_by), ("mode", mode), ("format", format)]);
                let path = format!("/admin/v1/usage?{query}");
                if csv {
                    print!("{}", client.get_text(&path).await?);
                } else {
                    print(&client.get(&path).await?);
                }
            }
            Command::Savings { days, limit } => {
                let query = query(days, [("limit", Some(limit.to_string()))]);
                print(&client.get(&format!("/admin/v1/usage/savings?{query}")).await?);
            }
        }
        Ok(())
    })
}

fn query<const N: usize>(days: Days, more: [(&str, Option<String>); N]) -> String {
    let days = [("from", days.from), ("to", days.to), ("tenant_id", days.tenant)];
    let given = days.into_iter().chain(more).filter_map(|(name, value)| Some((name, value?)));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_given_is_asked_for() {
        let days = Days { from: Some("2026-01-01".into()), to: None, tenant: None };
        let more = [("group_by", Some("day,channel".to_owned())), ("mode", None)];
        assert_eq!(query(days, more), "from=2026-01-01&group_by=day%2Cchannel");
    }
}
