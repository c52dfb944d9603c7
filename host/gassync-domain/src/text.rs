use jiff::Timestamp;
use serde::{Deserialize as _, Deserializer, de::Error as _};

/// Parses an instant from a channel or partner. With a zone or offset it is exact; without one (`2027-01-05 10:00:00`,
/// `2027-01-05T10:00:00`) it is read as UTC, as the plugin contract defines.
pub fn lossless_instant(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// Deserialises an instant; an empty text counts as absent.
pub(crate) fn some_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)?.filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    lossless_instant(&text).map(Some).ok_or_else(|| D::Error::custom("is not an RFC 3339 instant"))
}

/// Treats an empty text as absent.
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
