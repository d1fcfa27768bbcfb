//! Our own reference, as it comes back out of a provider's request.

/// `<message id>.<attempt>`, as the caller put it where the provider takes a reference. Compared as text; a separator
/// `-` before the attempt (SES tags allow no dot) is read as a dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reference(Box<str>);

impl Reference {
    /// Longest reference kept, in bytes; longer ones count as absent.
    const BYTES_MAX: usize = 128;

    /// Reads a reference; `None` if it is empty, too long or not printable ASCII.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty()
            || text.len() > Self::BYTES_MAX
            || !text.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return None;
        }
        let dotted = match text.rsplit_once('-') {
            Some((message, attempt)) if !text.contains('.') && is_number(attempt) => {
                format!("{message}.{attempt}")
            }
            _ => text.to_owned(),
        };
        Some(Self(dotted.into_boxed_str()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The part without the attempt number.
    pub(crate) fn message_id(&self) -> &str {
        match self.0.rsplit_once('.') {
            Some((message, attempt)) if is_number(attempt) => message,
            _ => &self.0,
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_and_hyphen_separate_the_attempt_alike() {
        let dot = Reference::parse("msg_01J.12").unwrap();
        let hyphen = Reference::parse("msg_01J-12").unwrap();
        assert_eq!(dot, hyphen);
        assert_eq!(hyphen.as_str(), "msg_01J.12");
        assert_eq!(hyphen.message_id(), "msg_01J");
    }

    #[test]
    fn a_foreign_reference_is_kept_as_it_is() {
        let reference = Reference::parse("order-abc").unwrap();
        assert_eq!(reference.as_str(), "order-abc");
        assert_eq!(reference.message_id(), "order-abc");
        assert_eq!(Reference::parse(""), None);
        assert_eq!(Reference::parse("two words"), None);
    }
}
