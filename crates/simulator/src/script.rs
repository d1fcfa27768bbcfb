//! What a recipient makes happen: the behaviour that its address asks for, and the course it takes.
//!
//! The last four digits of a phone number, the `+NNNN` tag of an email address, or the start `sim-NNNN-` of a
//! push token decide. Everything else is delivered. All of it is pure; `carrier.rs` acts it out.

use std::time::Duration;

/// What will happen to a message, by its recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Behaviour {
    /// Any other recipient: accepted, then delivered.
    Deliver,
    /// 9901: accepted, then undelivered for good.
    Undelivered,
    /// 9902: accepted, and never heard of again.
    Silent,
    /// 9903: delivered, the receipt 5 s later than usual.
    Late,
    /// 9904: delivered, the same receipt twice.
    Twice,
    /// 9905: delivered, the receipts in the wrong order.
    OutOfOrder,
    /// 9906: delivered, then undelivered after all.
    DeliveredThenUndelivered,
    /// 9907: throttled once per message, then delivered.
    ThrottledOnce,
    /// 9908: unavailable once per message (nothing processed), then delivered.
    UnavailableOnce,
    /// 9909: no answer until the caller gives up; nothing processed.
    Hang,
    /// 9910: processed, connection closed before the answer, receipt follows.
    DroppedThenReceipt,
    /// 9911: the provider's own error for an invalid recipient.
    InvalidRecipient,
    /// 9912: delivered, then the recipient opts out.
    DeliveredThenStop,
    /// 9913: processed, connection closed before the answer, no receipt.
    DroppedSilently,
    /// 9914: processed, answered 500, receipt follows.
    ServerErrorThenReceipt,
    /// Published by SES: delivered, then reported as spam.
    Complained,
    /// Published by SES: accepted, then bounced as being on the suppression list.
    Suppressed,
}

impl Behaviour {
    /// By the last four digits of a phone number.
    pub(crate) fn of_phone(number: &str) -> Self {
        number
            .len()
            .checked_sub(4)
            .and_then(|start| number.get(start..))
            .map_or(Self::Deliver, Self::of_ending)
    }

    /// By the `+NNNN` tag of an email address (`anything+9902@…`).
    pub(crate) fn of_email(address: &str) -> Self {
        let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
        local.rsplit_once('+').map_or(Self::Deliver, |(_, ending)| Self::of_ending(ending))
    }

    /// By the start of a push token (`sim-9902-…`).
    pub(crate) fn of_token(token: &str) -> Self {
        token.strip_prefix("sim-").and_then(|rest| rest.get(..4)).map_or(Self::Deliver, Self::of_ending)
    }

    fn of_ending(ending: &str) -> Self {
        match ending {
            "9901" => Self::Undelivered,
            "9902" => Self::Silent,
            "9903" => Self::Late,
            "9904" => Self::Twice,
            "9905" => Self::OutOfOrder,
            "9906" => Self::DeliveredThenUndelivered,
            "9907" => Self::ThrottledOnce,
            "9908" => Self::UnavailableOnce,
            "9909" => Self::Hang,
            "9910" => Self::DroppedThenReceipt,
            "9911" => Self::InvalidRecipient,
            "9912" => Self::DeliveredThenStop,
            "9913" => Self::DroppedSilently,
            "9914" => Self::ServerErrorThenReceipt,
            _ => Self::Deliver,
        }
    }

    /// Whether the first submission of a message is treated differently from later ones.
    pub(crate) fn remembers_the_message(self) -> bool {
        matches!(self, Self::ThrottledOnce | Self::UnavailableOnce)
    }
}

/// Something that happens to an accepted message, in words that no provider uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ReceiptEvent {
    Sent,
    Delivered,
    /// Permanently: the address does not exist.
    Undelivered,
    /// The recipient wants no more messages.
    OptedOut,
    /// The recipient reported the message as spam.
    Complained,
    /// The provider did not try: the address is on its suppression list.
    Suppressed,
}

/// How a submission is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accept,
    /// 429 with `Retry-After: 1`; nothing processed.
    Throttle,
    /// 503; nothing processed.
    Unavailable,
    /// The provider's own error; nothing processed.
    InvalidRecipient,
    /// No answer; nothing processed.
    Hang,
    /// Processed, then the connection is closed without a status line.
    AcceptThenDrop,
    /// Processed, then answered 500.
    AcceptThenServerError,
}

impl Verdict {
    /// Whether the provider took the message over, whatever it answers.
    pub(crate) fn processes(self) -> bool {
        matches!(self, Self::Accept | Self::AcceptThenDrop | Self::AcceptThenServerError)
    }
}

/// The answer, and what follows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) verdict: Verdict,
    /// What lookups report, by delay after acceptance.
    pub(crate) events: Vec<(Duration, ReceiptEvent)>,
    /// Whether receipts are sent for `events`.
    pub(crate) receipts: bool,
}

/// When things happen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// From acceptance to the final receipt.
    pub(crate) receipt_delay: Duration,
    /// Also sends the intermediate receipt (`sent`) at half that delay.
    pub(crate) intermediate: bool,
}

/// Between two receipts of one message that follow each other.
const GAP: Duration = Duration::from_millis(50);
/// How much later than usual the receipt of a `Late` recipient comes.
const LATE: Duration = Duration::from_secs(5);

/// What happens to a message. `first` is whether this is the message's first submission to this recipient; it
/// matters only to behaviours that [remember](Behaviour::remembers_the_message).
pub(crate) fn course(behaviour: Behaviour, first: bool, timing: Timing) -> Course {
    use ReceiptEvent::{Complained, Delivered, OptedOut, Sent, Suppressed, Undelivered};
    let delay = timing.receipt_delay;
    let follows = |events: &[ReceiptEvent]| {
        let timed = events.iter().zip(0u32..).map(|(event, index)| (delay + GAP * index, *event));
        Course { verdict: Verdict::Accept, events: timed.collect(), receipts: true }
    };
    let refuses = |verdict| Course { verdict, events: Vec::new(), receipts: false };
    match behaviour {
        Behaviour::ThrottledOnce if first => refuses(Verdict::Throttle),
        Behaviour::UnavailableOnce if first => refuses(Verdict::Unavailable),
        Behaviour::Hang => refuses(Verdict::Hang),
        Behaviour::InvalidRecipient => refuses(Verdict::InvalidRecipient),
        Behaviour::Deliver | Behaviour::ThrottledOnce | Behaviour::UnavailableOnce => delivered(timing),
        Behaviour::Undelivered => follows(&[Undelivered]),
        Behaviour::Silent => Course { receipts: false, ..follows(&[Sent]) },
        Behaviour::Late => Course { events: vec![(delay + LATE, Delivered)], ..follows(&[]) },
        Behaviour::Twice => follows(&[Delivered, Delivered]),
        Behaviour::OutOfOrder => follows(&[Delivered, Sent]),
        Behaviour::DeliveredThenUndelivered => follows(&[Delivered, Undelivered]),
        Behaviour::DeliveredThenStop => follows(&[Delivered, OptedOut]),
        Behaviour::DroppedThenReceipt => Course { verdict: Verdict::AcceptThenDrop, ..follows(&[Delivered]) },
        Behaviour::DroppedSilently => {
            Course { verdict: Verdict::AcceptThenDrop, receipts: false, ..follows(&[Sent]) }
        }
        Behaviour::ServerErrorThenReceipt => {
            Course { verdict: Verdict::AcceptThenServerError, ..follows(&[Delivered]) }
        }
        Behaviour::Complained => follows(&[Delivered, Complained]),
        Behaviour::Suppressed => follows(&[Suppressed]),
    }
}

fn delivered(timing: Timing) -> Course {
    let last = (timing.receipt_delay, ReceiptEvent::Delivered);
    let events = if timing.intermediate {
        vec![(timing.receipt_delay / 2, ReceiptEvent::Sent), last]
    } else {
        vec![last]
    };
    Course { verdict: Verdict::Accept, events, receipts: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: Timing = Timing { receipt_delay: Duration::from_millis(50), intermediate: false };

    #[test]
    fn phone_email_and_token_endings_mean_the_same() {
        for (ending, behaviour) in [
            ("9901", Behaviour::Undelivered),
            ("9907", Behaviour::ThrottledOnce),
            ("9914", Behaviour::ServerErrorThenReceipt),
            ("9915", Behaviour::Deliver),
        ] {
            assert_eq!(Behaviour::of_phone(&format!("+452012{ending}")), behaviour);
            assert_eq!(Behaviour::of_email(&format!("ann+{ending}@example.dk")), behaviour);
            assert_eq!(Behaviour::of_token(&format!("sim-{ending}-device")), behaviour);
        }
    }

    #[test]
    fn digits_elsewhere_mean_nothing() {
        assert_eq!(Behaviour::of_phone("+4599020123"), Behaviour::Deliver);
        assert_eq!(Behaviour::of_phone("901"), Behaviour::Deliver);
        assert_eq!(Behaviour::of_email("9902@example.dk"), Behaviour::Deliver);
        assert_eq!(Behaviour::of_email("a@b+9902"), Behaviour::Deliver);
        assert_eq!(Behaviour::of_token("x-sim-9902-"), Behaviour::Deliver);
    }

    #[test]
    fn once_is_refused_first_and_delivered_after() {
        assert_eq!(course(Behaviour::ThrottledOnce, true, TIMING).verdict, Verdict::Throttle);
        assert_eq!(course(Behaviour::ThrottledOnce, false, TIMING), course(Behaviour::Deliver, true, TIMING));
        assert_eq!(course(Behaviour::UnavailableOnce, true, TIMING).verdict, Verdict::Unavailable);
    }

    #[test]
    fn silence_is_still_a_message_on_its_way() {
        let course = course(Behaviour::DroppedSilently, true, TIMING);
        assert_eq!(course.events, [(TIMING.receipt_delay, ReceiptEvent::Sent)]);
        assert!(course.verdict.processes() && !course.receipts);
    }
}
