//! What became of the messages of a redrive.

use std::collections::BTreeMap;

use hermes_domain::{MessageId, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

use super::selection::{Cursor, Selection};
use crate::messages::{Redriven, Refusal};

/// Most messages shown.
const SHOWN_MAX: usize = 100;
/// Most reasons told apart; the others are counted together.
const REASONS_MAX: usize = 100;
const OTHER: &str = "other";

/// What a redrive did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Redrive {
    /// `parked` or `failed`.
    what: &'static str,
    /// Whether they were only counted: then the figures say what would have become of them, as far as that can be told
    /// without asking every layer.
    dry_run: bool,
    /// Messages that were looked at: the sum of the next three.
    matched: usize,
    /// Those that run again, or whose place a new message takes.
    redriven: usize,
    /// Failed ones whose place another message had taken before.
    already_redriven: usize,
    /// Those that nothing was done about.
    refused: usize,
    /// Why they had been given up: status reasons, or how parked ones' actors ended. The most frequent first.
    by_reason: Vec<ReasonCount>,
    /// Why they were refused, the most frequent first.
    refusals: Vec<RefusalCount>,
    /// At most 100 of them, in their order.
    messages: Vec<RedriveItem>,
    /// `cursor` of the call that goes on with older failed messages; null when there are none, and for parked ones, which
    /// leave the list as they run.
    next_cursor: Option<String>,
    /// Whether more messages may match.
    has_more: bool,
}

/// How many messages had been given up for one reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RedriveReason)]
struct ReasonCount {
    /// The reason.
    reason: String,
    /// How many.
    count: usize,
}

/// How many messages were refused with one code.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RedriveRefusals)]
struct RefusalCount {
    /// The code.
    code: &'static str,
    /// How many.
    count: usize,
}

/// What became of one message.
#[derive(Debug, Serialize, ToSchema)]
struct RedriveItem {
    /// Which.
    message_id: String,
    /// Whose.
    tenant_id: String,
    /// `redriven`, `already_redriven` or `refused`.
    outcome: &'static str,
    /// The message that takes its place; null for parked ones, in a dry run and when refused.
    redriven_as: Option<String>,
    /// Why nothing was done; null unless refused.
    refused: Option<RefusalView>,
}

/// Why nothing was done about a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RedriveRefusal)]
struct RefusalView {
    /// `not_given_up`, `recipient_erased`, `may_have_arrived`, `too_old`, `not_parked`, or the code of a problem that
    /// the message would meet if it were sent now, such as `recipient_suppressed`.
    code: &'static str,
    /// In words.
    detail: String,
}

/// What became of one message, before it is told.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A parked one runs again, or either kind would.
    Runs,
    /// See [`Redriven`].
    Redriven(Redriven),
    /// Nothing.
    Refused(Refusal),
}

/// Counts outcomes.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) matched: usize,
    pub(super) redriven: usize,
    already_redriven: usize,
    refused: usize,
    reasons: BTreeMap<String, usize>,
    refusals: BTreeMap<&'static str, usize>,
    shown: Vec<RedriveItem>,
}

impl Tally {
    pub(super) fn count(&mut self, message: (MessageId, TenantId), reason: &str, outcome: Outcome) {
        self.matched += 1;
        let known = self.reasons.len() < REASONS_MAX || self.reasons.contains_key(reason);
        *self.reasons.entry(if known { reason } else { OTHER }.to_owned()).or_default() += 1;
        let (counted, outcome, redriven_as, refused) = match outcome {
            Outcome::Runs => (&mut self.redriven, "redriven", None, None),
            Outcome::Redriven(Redriven::Now(id)) => (&mut self.redriven, "redriven", Some(id), None),
            Outcome::Redriven(Redriven::Before(id)) => {
                (&mut self.already_redriven, "already_redriven", Some(id), None)
            }
            Outcome::Refused(refusal) => {
                *self.refusals.entry(refusal.code).or_default() += 1;
                (&mut self.refused, "refused", None, Some(refusal))
            }
        };
        *counted += 1;
        if self.shown.len() < SHOWN_MAX {
            self.shown.push(RedriveItem {
                message_id: message.0.to_string(),
                tenant_id: message.1.to_string(),
                outcome,
                redriven_as: redriven_as.map(|id| id.to_string()),
                refused: refused.map(|Refusal { code, detail }| RefusalView { code, detail }),
            });
        }
    }

    pub(super) fn reply(self, selection: &Selection, next: Next) -> Redrive {
        let (next_cursor, has_more) = match next {
            Next::Nothing => (None, false),
            Next::Again => (None, true),
            Next::From(cursor) => (Some(cursor.text()), true),
        };
        let mut by_reason: Vec<_> =
            self.reasons.into_iter().map(|(reason, count)| ReasonCount { reason, count }).collect();
        by_reason.sort_by_key(|one| std::cmp::Reverse(one.count));
        let mut refusals: Vec<_> =
            self.refusals.into_iter().map(|(code, count)| RefusalCount { code, count }).collect();
        refusals.sort_by_key(|one| std::cmp::Reverse(one.count));
        Redrive {
            what: selection.what.as_str(),
            dry_run: selection.dry_run,
            matched: self.matched,
            redriven: self.redriven,
            already_redriven: self.already_redriven,
            refused: self.refused,
            by_reason,
            refusals,
            messages: self.shown,
            next_cursor,
            has_more,
        }
    }
}

/// Whether there is more to do than one call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// No.
    Nothing,
    /// The same call again finds the rest.
    Again,
    /// Behind this message.
    From(Cursor),
}
