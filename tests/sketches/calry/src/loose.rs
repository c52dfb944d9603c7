use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

/// A number or a text, kept as its text, digit for digit. Null, a missing key and an empty text say nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Loose(Option<String>);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: &RawValue = <&RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let value = match text.as_bytes().first() {
            Some(b'"') => Some(serde_json::from_str::<String>(text).map_err(D::Error::custom)?),
            Some(b'0'..=b'9' | b'-') => Some(text.to_owned()),
            _ => None,
        };
        Ok(Self(value.filter(|value| !value.trim().is_empty())))
    }
}

impl Loose {
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub fn text(&self) -> Option<String> {
        self.0.clone()
    }

    pub fn count(&self) -> Option<u32> {
        self.as_str()?.parse().ok()
    }
}
