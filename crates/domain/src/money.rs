//! Amounts of money as integers, so that sums are exact.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An ISO 4217 code: three upper-case ASCII letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Currency([u8; 3]);

/// Millionths of a currency unit, with the currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Money {
    /// Millionths of the unit; never negative where Hermes makes it.
    pub micros: i64,
    /// Whose unit.
    pub currency: Currency,
}

/// Hundredths of a percent, so that sums and shares are exact to that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Percent(pub i64);

/// Not a decimal amount with at most six places, or not a currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoney {
    /// The amount could not be read.
    #[error("expected a decimal amount with at most six decimal places")]
    Amount,
    /// The currency is not three upper-case letters.
    #[error("expected an ISO 4217 code such as EUR")]
    Currency,
    /// The percentage could not be read.
    #[error("expected a decimal percentage with at most two decimal places")]
    Percent,
}

impl Currency {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl FromStr for Currency {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, InvalidMoney> {
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| InvalidMoney::Currency)?;
        if code.iter().all(u8::is_ascii_uppercase) { Ok(Self(code)) } else { Err(InvalidMoney::Currency) }
    }
}

impl Money {
    /// Reads a decimal amount such as `0.25`.
    ///
    /// # Errors
    /// `Amount` for signs, exponents, more than six places or an overflow; `Currency` for a bad code.
    pub fn parse(amount: &str, currency: &str) -> Result<Self, InvalidMoney> {
        let currency = currency.parse()?;
        let micros = decimal(amount, 6).ok_or(InvalidMoney::Amount)?;
        Ok(Self { micros, currency })
    }

    /// The amount as a decimal string, with at least two and at most six places.
    pub fn amount(&self) -> String {
        let (sign, micros) = (sign(self.micros), self.micros.unsigned_abs());
        let fraction = format!("{:06}", micros % 1_000_000);
        let places = fraction.trim_end_matches('0').len().max(2);
        format!("{sign}{}.{}", micros / 1_000_000, &fraction[..places])
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency.as_str())
    }
}

impl Percent {
    /// Reads a decimal percentage such as `12.5`.
    ///
    /// # Errors
    /// `Percent` for signs, exponents, more than two places or an overflow.
    pub fn parse(text: &str) -> Result<Self, InvalidMoney> {
        decimal(text, 2).map(Self).ok_or(InvalidMoney::Percent)
    }

    /// How much of `whole` is `part`, rounded to the nearest hundredth of a percent; `None` of nothing.
    pub fn of(part: i64, whole: i64) -> Option<Self> {
        let share = nearest(i128::from(part) * 10_000, i128::from(whole))?;
        Some(Self(i64::try_from(share).unwrap_or(if share < 0 { i64::MIN } else { i64::MAX })))
    }

    /// `amount` and this much on top, rounded to the nearest whole number.
    pub fn on_top_of(self, amount: i64) -> i128 {
        let amount = i128::from(amount);
        amount + nearest(amount * i128::from(self.0), 10_000).unwrap_or_default()
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.0.unsigned_abs();
        write!(f, "{}{}.{:02}", sign(self.0), hundredths / 100, hundredths % 100)
    }
}

const fn sign(number: i64) -> &'static str {
    if number < 0 { "-" } else { "" }
}

/// A decimal number without a sign as a count of its smallest places; `None` for anything else and for overflows.
fn decimal(text: &str, places: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > places {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

/// `dividend / divisor`, rounded to the nearest whole number, halves away from zero; `None` for a divisor of zero.
fn nearest(dividend: i128, divisor: i128) -> Option<i128> {
    let (quotient, rest) = (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?);
    let up = rest.unsigned_abs() * 2 >= divisor.unsigned_abs();
    let away = if (dividend < 0) == (divisor < 0) { 1 } else { -1 };
    Some(if up { quotient + away } else { quotient })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_trip_exactly() {
        for (text, printed) in
            [("0.25", "0.25"), ("12", "12.00"), ("0.000001", "0.000001"), ("3.1400", "3.14")]
        {
            assert_eq!(Money::parse(text, "EUR").unwrap().amount(), printed);
        }
        for bad in ["", ".5", "1.", "-1", "1e3", "0.0000001", "99999999999999999999"] {
            assert_eq!(Money::parse(bad, "EUR"), Err(InvalidMoney::Amount), "{bad}");
        }
        assert_eq!(Money::parse("1", "eur"), Err(InvalidMoney::Currency));
    }

    #[test]
    fn percentages_are_exact_to_a_hundredth() {
        for (text, printed) in [("12.5", "12.50"), ("0", "0.00"), ("150", "150.00"), ("0.01", "0.01")] {
            assert_eq!(Percent::parse(text).unwrap().to_string(), printed);
        }
        for bad in ["", "-1", "1e2", "0.001", "1.", ".5", "99999999999999999999"] {
            assert_eq!(Percent::parse(bad), Err(InvalidMoney::Percent), "{bad}");
        }
        let of = |part, whole| Percent::of(part, whole).unwrap().to_string();
        assert_eq!((of(1, 3), of(2, 3), of(-1, 8), of(5, 4)), dec("33.33", "66.67", "-12.50", "125.00"));
        assert_eq!((of(1, 20_000), of(-1, 20_000)), ("0.01".into(), "-0.01".into()), "halves away from zero");
        assert_eq!(Percent::of(1, 0), None);
        assert_eq!(Percent(1_250).on_top_of(100), 113);
        assert_eq!(
            Percent(i64::MAX).on_top_of(i64::MAX) / i128::from(i64::MAX),
            i128::from(i64::MAX) / 10_000 + 1
        );
    }

    fn dec(one: &str, two: &str, three: &str, four: &str) -> (String, String, String, String) {
        (one.into(), two.into(), three.into(), four.into())
    }
}
