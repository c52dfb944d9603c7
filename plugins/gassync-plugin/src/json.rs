use std::fmt;

use serde::de::DeserializeOwned;

use crate::{ChannelError, escapes::mend_escapes, malformed};

/// Deserialises JSON. Errors are malformed at `place`, the JSON pointer in the payload, empty for the whole. Unpaired
/// surrogates and NUL are replaced and cause no error.
pub fn read_json<T: DeserializeOwned>(
    json: &(impl AsRef<[u8]> + ?Sized),
    place: impl fmt::Display,
) -> Result<T, ChannelError> {
    let text = match std::str::from_utf8(json.as_ref()) {
        Ok(text) => text,
        Err(error) => return Err(malformed(place, format_args!("is not UTF-8: {error}"))),
    };
    serde_json::from_str(&mend_escapes(text)).map_err(|error| malformed(place, error))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::Lenient;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Booking {
        id: Lenient,
    }

    #[test]
    fn half_a_character_is_no_reason_to_fail() {
        let texts: Vec<String> = read_json(r#"["caf\u00e9 \ud83d", "\u0000", "\ud83d\ude00"]"#, "").expect("texts");
        assert_eq!(texts, ["café \u{fffd}", "\u{fffd}", "😀"]);
    }

    #[test]
    fn what_cannot_be_read_says_where_it_stands() {
        let booking: Booking = read_json(r#"{"id": 9007199254740993}"#, "").expect("a booking");
        assert_eq!(booking.id.as_str(), Some("9007199254740993"));
        for wrong in [&b"<html>"[..], b"", b"[]", b"{\"id\": \"\xff\"}"] {
            let reported = read_json::<Booking>(wrong, "/data/0");
            assert!(
                matches!(&reported, Err(ChannelError::Malformed(why)) if why.starts_with("/data/0: ")),
                "{reported:?}"
            );
        }
    }
}
