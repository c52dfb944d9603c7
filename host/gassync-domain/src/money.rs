use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// Databases store money in ten-thousandths of a currency unit.
pub const TEN_THOUSANDTHS: i64 = 10_000;
/// Maximum number of decimal places.
const MAX_SCALE: u32 = 4;
/// 100 billion currency units; larger amounts are rejected.
const MAX_UNITS: i64 = 100_000_000_000;
/// The largest amount in ten-thousandths.
pub(crate) const MAX_TEN_THOUSANDTHS: i64 = MAX_UNITS * TEN_THOUSANDTHS;

/// An exact decimal that keeps its digits: `450.00` stays `450.00`. In JSON a number; strings are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(Decimal);

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number.
    #[error("is not a decimal number")]
    NotANumber,
    /// Finer than a ten-thousandth.
    #[error("has more than {MAX_SCALE} decimal places")]
    TooFine,
    /// Larger than any booking.
    #[error("is beyond ±{MAX_UNITS}")]
    TooLarge,
}

impl Amount {
    /// The database form: ten-thousandths of one unit of currency.
    pub fn ten_thousandths(self) -> i64 {
        let scaled = self.0 * Decimal::from(TEN_THOUSANDTHS);
        i64::try_from(scaled.mantissa() / 10_i128.pow(scaled.scale())).unwrap_or(i64::MAX)
    }

    /// Pads to the decimal places of the currency (ISO 4217); never rounds.
    #[must_use]
    pub fn written_in(self, currency: &str) -> Self {
        let digits = places(currency);
        let mut decimal = self.0.normalize();
        if decimal.scale() < digits {
            decimal.rescale(digits);
        }
        Self(decimal)
    }

    /// From the database form, without trailing zeros.
    pub fn from_ten_thousandths(value: i64) -> Self {
        Self(Decimal::new(value, MAX_SCALE).normalize())
    }
}

/// The smallest unit of a currency (ISO 4217), in ten-thousandths.
pub(crate) fn smallest_part(currency: &str) -> i64 {
    TEN_THOUSANDTHS / 10_i64.pow(places(currency))
}

/// Decimal places of a currency.
fn places(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
        | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let decimal = Decimal::from_str_exact(text.trim())
            .or_else(|_| Decimal::from_scientific(text.trim()))
            .map_err(|_| AmountError::NotANumber)?;
        if decimal.normalize().scale() > MAX_SCALE {
            return Err(AmountError::TooFine);
        }
        if decimal.abs() > Decimal::from(MAX_UNITS) {
            return Err(AmountError::TooLarge);
        }
        Ok(Self(decimal))
    }
}

/// Parses an optional amount, rounded half to even to a ten-thousandth; `None` if invalid or too large. Also returns
/// the problem, never the digits.
pub fn mend_amount(text: &str) -> (Option<Amount>, Option<String>) {
    let text = text.trim();
    let left_out = |error: AmountError| (None, Some(format!("{error}; it was left out")));
    match text.parse() {
        Ok(amount) => (Some(amount), None),
        Err(error @ AmountError::TooLarge) => left_out(error),
        Err(_) => match round_to_ten_thousandths(text) {
            Ok(rounded) => (
                Some(Amount::from_ten_thousandths(rounded)),
                Some(format!("{}; it was rounded half to even", AmountError::TooFine)),
            ),
            Err(error) => left_out(error),
        },
    }
}

/// Rounds digit by digit, for any length and without double rounding.
fn round_to_ten_thousandths(text: &str) -> Result<i64, AmountError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent: i32 = exponent.parse().map_err(|_| AmountError::NotANumber)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.len() + fraction.len() == 0 || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError::NotANumber);
    }
    let digits = || whole.bytes().chain(fraction.bytes()).map(|byte| i64::from(byte - b'0'));
    if digits().all(|digit| digit == 0) {
        return Ok(0);
    }
    let scale = i64::from(MAX_SCALE) + i64::from(exponent);
    let places = i64::try_from(whole.len()).map_err(|_| AmountError::TooLarge)?.saturating_add(scale);
    let (mut parts, mut left) = (0_i64, digits());
    for _ in 0..places {
        parts = parts * 10 + left.next().unwrap_or(0);
        if parts > MAX_TEN_THOUSANDTHS {
            return Err(AmountError::TooLarge);
        }
    }
    // The digits behind the last kept place, including leading zeros.
    let zeros = usize::try_from(-places).unwrap_or(0);
    let mut behind = std::iter::repeat_n(0, zeros.min(1)).chain(left);
    let first = behind.next().unwrap_or(0);
    let is_half = first == 5 && behind.all(|digit| digit == 0);
    let up = if is_half { parts % 2 == 1 } else { first >= 5 };
    let parts = parts + i64::from(up);
    if parts > MAX_TEN_THOUSANDTHS {
        return Err(AmountError::TooLarge);
    }
    Ok(if negative { -parts } else { parts })
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A raw value keeps every digit; a float would not.
        serde_json::value::RawValue::from_string(self.to_string()).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of money, as a number or a text")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Amount, E> {
                value.to_string().parse().map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Amount, E> {
                value.to_string().parse().map_err(E::custom)
            }
            // The shortest text that parses to this float has the original digits, for all amounts within the limit.
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Amount, E> {
                value.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// An amount with its currency (upper-case ISO 4217), if known; otherwise the property's applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// The amount.
    pub amount: Amount,
    /// The currency.
    pub currency: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for text in ["450.00", "0.1", "-12.3456", "0", "99999999999.99"] {
            let amount: Amount = text.parse().expect(text);
            assert_eq!(serde_json::to_string(&amount).expect("json"), text);
        }
        let read: Vec<Amount> = serde_json::from_str(r#"[0.1, "0.10", 3, 1e2]"#).expect("amounts");
        let parts: Vec<i64> = read.iter().map(|a| a.ten_thousandths()).collect();
        assert_eq!(parts, [1_000, 1_000, 30_000, 1_000_000]);
    }

    #[test]
    fn amounts_round_trip_through_the_database() {
        for parts in [0, 1, -1, 4_500_000, 999_999_999_999_999] {
            assert_eq!(Amount::from_ten_thousandths(parts).ten_thousandths(), parts);
        }
    }

    #[test]
    fn currencies_have_their_digits() {
        for (text, currency, written) in
            [("100.5", "EUR", "100.50"), ("100.00", "JPY", "100"), ("1.5", "KWD", "1.500"), ("0.1234", "EUR", "0.1234")]
        {
            assert_eq!(text.parse::<Amount>().expect(text).written_in(currency).to_string(), written);
        }
    }

    #[test]
    fn excess_digits_round_half_to_even() {
        for (text, rounded) in [
            ("1714.28571", "1714.2857"),
            ("0.00005", "0"),
            ("0.00015", "0.0002"),
            ("0.00025", "0.0002"),
            ("-0.00015", "-0.0002"),
            ("0.00005000000000000000000000000000000000001", "0.0001"),
            ("0.0000499999999999999999999999999999999999999999", "0"),
            ("1.2e-9", "0"),
            ("5e-5", "0"),
            ("9e-5", "0.0001"),
            ("17.1428571428571428571428571428571428571428571e2", "1714.2857"),
            ("2399.9999999999995", "2400"),
        ] {
            let (amount, problem) = mend_amount(text);
            assert_eq!(amount, Some(rounded.parse().expect(rounded)), "{text}");
            assert_eq!(
                problem.as_deref(),
                Some("has more than 4 decimal places; it was rounded half to even"),
                "{text}"
            );
        }
        for (text, kept) in
            [("450.00", "450.00"), (" 3 ", "3"), ("1e2", "100"), ("0.00000", "0.00000"), ("1.23450", "1.23450")]
        {
            assert_eq!(mend_amount(text).0.expect(text).to_string(), kept);
            assert_eq!(mend_amount(text).1, None, "{text}");
        }
        for (odd, why) in [
            ("NaN", "is not a decimal number; it was left out"),
            ("1.234,56", "is not a decimal number; it was left out"),
            ("", "is not a decimal number; it was left out"),
            (".", "is not a decimal number; it was left out"),
            ("--1", "is not a decimal number; it was left out"),
            ("1e400", "is beyond ±100000000000; it was left out"),
            ("100000000000.00005000001", "is beyond ±100000000000; it was left out"),
            ("99999999999999999999999999999999999999999", "is beyond ±100000000000; it was left out"),
        ] {
            assert_eq!(mend_amount(odd), (None, Some(why.to_owned())), "{odd}");
        }
    }

    #[test]
    fn refusals_say_why() {
        assert_eq!("1.23456".parse::<Amount>(), Err(AmountError::TooFine));
        assert_eq!("1e15".parse::<Amount>(), Err(AmountError::TooLarge));
        assert_eq!("ten".parse::<Amount>(), Err(AmountError::NotANumber));
    }
}
