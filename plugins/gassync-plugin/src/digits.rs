use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::Money;

/// A number of a payload, with the very digits it was written with, whether as a JSON number or as a text. A float
/// would turn `450.00` into `450` and `0.1` into something else.
///
/// Null, an empty text and a missing key (with `#[serde(default)]`) are "not said".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digits(Option<String>);

impl Digits {
    /// The digits, if any were said.
    pub fn said(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// As money without a currency. The error holds nothing of the text, which may be anything.
    pub fn money(&self) -> Result<Option<Money>, &'static str> {
        self.said().map(|text| Money::parse(text).ok_or("expected a decimal number")).transpose()
    }

    /// As a count.
    pub fn count(&self) -> Result<Option<u32>, &'static str> {
        self.said().map(|text| text.parse().map_err(|_| "expected a whole number")).transpose()
    }

    /// As a number that may be below zero.
    pub fn signed(&self) -> Result<Option<i32>, &'static str> {
        self.said().map(|text| text.parse().map_err(|_| "expected a whole number")).transpose()
    }

    /// As a coordinate or another measure that need not be exact.
    pub fn measure(&self) -> Option<f64> {
        self.said().and_then(|text| text.parse().ok()).filter(|number: &f64| number.is_finite())
    }
}

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = match raw.get().as_bytes() {
            b"null" => return Ok(Self(None)),
            [b'"', ..] => {
                serde_json::from_str::<String>(raw.get()).map_err(serde::de::Error::custom)?.trim().to_owned()
            }
            [b'-' | b'0'..=b'9', ..] => Box::<str>::from(raw).into_string(),
            _ => return Err(serde::de::Error::custom("expected a number")),
        };
        Ok(Self((!text.is_empty()).then_some(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_keep_their_digits() {
        let read: Vec<Digits> = serde_json::from_str(r#"[450.00, "450.00", 0, null, "", " 7 "]"#).expect("digits");
        let said: Vec<_> = read.iter().map(Digits::said).collect();
        assert_eq!(said, [Some("450.00"), Some("450.00"), Some("0"), None, None, Some("7")]);
    }

    #[test]
    fn other_shapes_are_refused() {
        for json in ["[1]", "{}", "true"] {
            assert!(serde_json::from_str::<Digits>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn counts_are_whole() {
        let read: Vec<Digits> = serde_json::from_str(r#"["2", -1, 1.5]"#).expect("digits");
        let counts: Vec<_> = read.iter().map(Digits::count).collect();
        assert_eq!(counts, [Ok(Some(2)), Err("expected a whole number"), Err("expected a whole number")]);
        assert_eq!(read[1].signed(), Ok(Some(-1)));
    }
}
