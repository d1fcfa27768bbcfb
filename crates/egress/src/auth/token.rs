//! An access token and its lifetime.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use reqwest::header::HeaderValue;

/// How long before its end a token is renewed, unless half its lifetime is less.
const RENEWED_EARLY: Duration = Duration::from_mins(5);
/// A token refused at a younger age is kept: a new one would be refused too, and each call would ask for it.
const REFUSED_TOO_YOUNG: Duration = Duration::from_secs(30);

/// A token, ready to be sent. `Debug` shows its lifetime only.
pub(crate) struct Token {
    authorization: HeaderValue,
    obtained_at: SystemTime,
    lifetime: Duration,
}

/// What a token is good for at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Use it.
    Fresh,
    /// Use it, and ask for a new one.
    Expiring,
    /// Do not use it.
    Expired,
}

impl Token {
    pub(crate) const fn new(authorization: HeaderValue, obtained_at: SystemTime, lifetime: Duration) -> Self {
        Self { authorization, obtained_at, lifetime }
    }

    /// The value of `Authorization`.
    pub(crate) const fn authorization(&self) -> &HeaderValue {
        &self.authorization
    }

    pub(crate) fn freshness(&self, now: SystemTime) -> Freshness {
        // A clock set back makes a token look newborn; the provider's 401 then ends its life.
        let age = self.age(now);
        let renewed_at = self.lifetime - RENEWED_EARLY.min(self.lifetime / 2);
        if age < renewed_at {
            Freshness::Fresh
        } else if age < self.lifetime {
            Freshness::Expiring
        } else {
            Freshness::Expired
        }
    }

    /// Whether a refusal of this token may be cured by a new one.
    pub(crate) fn is_worth_replacing(&self, now: SystemTime) -> bool {
        self.age(now) >= REFUSED_TOO_YOUNG
    }

    fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.obtained_at).unwrap_or_default()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_five_minutes_early_or_at_half_its_life() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_hours(1000);
        let at = |lifetime_s: u64, age_s: u64| {
            let token =
                Token::new(HeaderValue::from_static("Bearer t"), start, Duration::from_secs(lifetime_s));
            token.freshness(start + Duration::from_secs(age_s))
        };
        assert_eq!((at(3599, 3298), at(3599, 3299)), (Freshness::Fresh, Freshness::Expiring));
        assert_eq!((at(3599, 3598), at(3599, 3599)), (Freshness::Expiring, Freshness::Expired));
        assert_eq!(
            (at(60, 29), at(60, 30), at(60, 60)),
            (Freshness::Fresh, Freshness::Expiring, Freshness::Expired)
        );
        let newborn = Token::new(HeaderValue::from_static("Bearer t"), start, Duration::from_secs(60));
        assert_eq!(newborn.freshness(start - Duration::from_secs(5)), Freshness::Fresh);
    }
}
