//! How long messages are kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{UnixMillis, address::Channel, plan::Plan};

const DAY_MS: u64 = 86_400_000;

/// How long messages are kept, counted from their acceptance. What it does not name is kept for ever.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// For every channel.
    #[serde(flatten)]
    pub periods: Periods,
    /// For single channels, instead of the former.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub per_channel: BTreeMap<Channel, Periods>,
}

/// Two periods, in days.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Periods {
    /// Recipient, content, metadata and warnings go after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_days: Option<u32>,
    /// The whole message goes after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_days: Option<u32>,
}

/// What goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kept {
    /// What is personal in a message.
    Content,
    /// The message.
    Message,
}

impl Kept {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Content, Self::Message];
}

impl Periods {
    const fn days(&self, what: Kept) -> Option<u32> {
        match what {
            Kept::Content => self.content_days,
            Kept::Message => self.messages_days,
        }
    }
}

impl Retention {
    /// Every period in use for `what`, in days, ascending.
    pub fn all_days(&self, what: Kept) -> BTreeSet<u32> {
        let periods = self.per_channel.values().chain([&self.periods]);
        periods.filter_map(|periods| periods.days(what)).collect()
    }

    /// The period of a message with this plan, in days: the shortest of its channels.
    pub fn days(&self, what: Kept, plan: &Plan) -> Option<u32> {
        let of = |channel| match self.per_channel.get(&channel) {
            Some(own) => own.days(what).or_else(|| self.periods.days(what)),
            None => self.periods.days(what),
        };
        plan.steps.iter().filter_map(|step| of(step.channel)).min()
    }

    /// What was accepted before has been kept for so many days.
    pub const fn before(now: UnixMillis, days: u32) -> UnixMillis {
        UnixMillis(now.0.saturating_sub(days as u64 * DAY_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_operators_write_it_and_names_every_period_once() {
        let text = r#"{"content_days":30,"messages_days":60,"per_channel":{"sms":{"content_days":30},"email":{"content_days":7}}}"#;
        let rules: Retention = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&rules).unwrap(), text);
        assert_eq!(rules.all_days(Kept::Content), [7, 30].into());
        assert_eq!(rules.all_days(Kept::Message), [60].into());
        assert_eq!(Retention::before(UnixMillis(DAY_MS * 10), 7), UnixMillis(DAY_MS * 3));
    }
}
