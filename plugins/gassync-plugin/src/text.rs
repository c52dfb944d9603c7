use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, de};

/// A text of a payload, borrowed from it where it can be. Numbers are taken too, since ids and telephone numbers come
/// both ways; null, an empty text and a missing key (with `#[serde(default)]`) are "not said".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(Option<Cow<'a, str>>);

impl Text<'_> {
    /// The text without blanks around it, if any is left.
    pub fn said(&self) -> Option<&str> {
        self.0.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The same, as the records of the contract want it.
    pub fn owned(&self) -> Option<String> {
        self.said().map(str::to_owned)
    }

    /// Whether the payload has the key at all, be it with an empty text.
    pub fn is_present(&self) -> bool {
        self.0.is_some()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(text.to_owned()))))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Text<'de>, E> {
                Ok(Text(Some(Cow::Owned(number.to_string()))))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Text<'de>, E> {
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_text_beyond_53_bits() {
        let read: Vec<Text<'_>> = serde_json::from_str(r#"[18446744073709551615, "007", null, "  "]"#).expect("texts");
        let said: Vec<_> = read.iter().map(Text::said).collect();
        assert_eq!(said, [Some("18446744073709551615"), Some("007"), None, None]);
        assert!(read[3].is_present() && !read[2].is_present());
    }

    #[test]
    fn lists_and_objects_are_no_text() {
        assert!(serde_json::from_str::<Text<'_>>("{}").is_err());
        assert!(serde_json::from_str::<Text<'_>>("[]").is_err());
    }
}
