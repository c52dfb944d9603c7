use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// Money is kept in the databases as this many parts of one unit of currency.
pub const TEN_THOUSANDTHS: i64 = 10_000;
/// The most places behind the point that an amount may have.
const MAX_SCALE: u32 = 4;
/// 100 billion units of currency: beyond it an amount is taken for a mistake.
const MAX_UNITS: i64 = 100_000_000_000;
/// The largest amount in ten-thousandths.
pub(crate) const MAX_TEN_THOUSANDTHS: i64 = MAX_UNITS * TEN_THOUSANDTHS;

/// An exact decimal that keeps the digits it was written with: `450.00` stays `450.00`.
///
/// In JSON it is a number; a text is read as well.
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

    /// With at least the digits that amounts of this currency (ISO 4217) are written with; never rounded.
    #[must_use]
    pub fn written_in(self, currency: &str) -> Self {
        let digits = places(currency);
        let mut decimal = self.0.normalize();
        if decimal.scale() < digits {
            decimal.rescale(digits);
        }
        Self(decimal)
    }

    /// From the database form, without needless zeros.
    pub fn from_ten_thousandths(value: i64) -> Self {
        Self(Decimal::new(value, MAX_SCALE).normalize())
    }
}

/// How many ten-thousandths the smallest part of a currency (ISO 4217) is that prices are made of.
pub(crate) fn smallest_part(currency: &str) -> i64 {
    TEN_THOUSANDTHS / 10_i64.pow(places(currency))
}

/// Places behind the point that amounts of a currency are written with.
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
            // The shortest text that reads back as this float has the digits that were written,
            // for all amounts within the limit.
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Amount, E> {
                value.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// An amount and, where it is known, its currency (upper-case ISO 4217). Without one the property's is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_kept_and_floats_never_used() {
        for text in ["450.00", "0.1", "-12.3456", "0", "99999999999.99"] {
            let amount: Amount = text.parse().expect(text);
            assert_eq!(serde_json::to_string(&amount).expect("json"), text);
        }
        let read: Vec<Amount> = serde_json::from_str(r#"[0.1, "0.10", 3, 1e2]"#).expect("amounts");
        let parts: Vec<i64> = read.iter().map(|a| a.ten_thousandths()).collect();
        assert_eq!(parts, [1_000, 1_000, 30_000, 1_000_000]);
    }

    #[test]
    fn the_database_form_goes_both_ways() {
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
    fn refusals_say_why() {
        assert_eq!("1.23456".parse::<Amount>(), Err(AmountError::TooFine));
        assert_eq!("1e15".parse::<Amount>(), Err(AmountError::TooLarge));
        assert_eq!("ten".parse::<Amount>(), Err(AmountError::NotANumber));
    }
}
