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

/// Not a decimal amount with at most six places, or not a currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoney {
    /// The amount could not be read.
    #[error("expected a decimal amount with at most six decimal places")]
    Amount,
    /// The currency is not three upper-case letters.
    #[error("expected an ISO 4217 code such as EUR")]
    Currency,
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
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
            return Err(InvalidMoney::Amount);
        }
        let whole: i64 = whole.parse().map_err(|_| InvalidMoney::Amount)?;
        let fraction: i64 = format!("{fraction:0<6}").parse().map_err(|_| InvalidMoney::Amount)?;
        let micros = whole.checked_mul(1_000_000).and_then(|micros| micros.checked_add(fraction));
        Ok(Self { micros: micros.ok_or(InvalidMoney::Amount)?, currency })
    }

    /// The amount as a decimal string, with at least two and at most six places.
    pub fn amount(&self) -> String {
        let (sign, micros) = (if self.micros < 0 { "-" } else { "" }, self.micros.unsigned_abs());
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
}
