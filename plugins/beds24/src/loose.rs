use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

/// A value that Beds24 writes now as a number, now as a text: kept as its text, digit for digit. Null, a missing key
/// and an empty text all say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Loose(Option<String>);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: &RawValue = <&RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let value = match text.as_bytes().first() {
            Some(b'"') => Some(serde_json::from_str::<String>(text).map_err(D::Error::custom)?),
            Some(b'0'..=b'9' | b'-') => Some(text.to_owned()),
            // true, false and null name nothing that is wanted here; nested values neither.
            _ => None,
        };
        Ok(Self(value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())))
    }
}

impl Loose {
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub fn text(&self) -> Option<String> {
        self.0.clone()
    }

    pub fn lower(&self) -> String {
        self.as_str().unwrap_or_default().to_lowercase()
    }

    /// An id: zero stands for "none" at Beds24.
    pub fn id(&self) -> Option<String> {
        self.text().filter(|id| id != "0")
    }

    pub fn count(&self) -> Option<u32> {
        let text = self.as_str()?;
        text.parse().ok().or_else(|| text.strip_suffix(".0")?.parse().ok())
    }

    /// An amount, if the text is one.
    pub fn amount(&self) -> Option<String> {
        let text = self.as_str()?;
        let digits = text.strip_prefix('-').unwrap_or(text);
        let decimal = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && digits.bytes().filter(|b| *b == b'.').count() <= 1
            && digits.bytes().any(|b| b.is_ascii_digit());
        let plain = || text.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| n.to_string());
        if decimal { Some(text.to_owned()) } else { plain() }
    }

    pub fn number(&self) -> Option<f64> {
        self.as_str()?.parse().ok().filter(|n: &f64| n.is_finite())
    }
}
