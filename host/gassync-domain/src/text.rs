use jiff::Timestamp;
use serde::{Deserialize as _, Deserializer, de::Error as _};

/// Reads an instant a channel or partner wrote. With a zone or offset it is exact; a text without one
/// (`2027-01-05 10:00:00`, `2027-01-05T10:00:00`) is read as UTC, the rule of the plugin contract.
pub fn lossless_instant(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// An instant in a record; an empty text says nothing.
pub(crate) fn some_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)?.filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    lossless_instant(&text).map(Some).ok_or_else(|| D::Error::custom("is not an RFC 3339 instant"))
}

/// An empty text counts as not said.
pub(crate) fn said(text: &mut Option<String>) {
    if text.as_deref().is_some_and(|t| t.trim().is_empty()) {
        *text = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_zone_is_utc() {
        let exact: Timestamp = "2027-01-05T10:00:00Z".parse().expect("an instant");
        for text in ["2027-01-05T10:00:00Z", "2027-01-05T11:00:00+01:00", "2027-01-05 10:00:00", "2027-01-05T10:00:00"]
        {
            assert_eq!(lossless_instant(text), Some(exact), "{text}");
        }
        assert_eq!(lossless_instant("yesterday"), None);
    }
}
