use std::fmt;

use serde::Deserialize;

use crate::{ChannelError, malformed};

/// Reads JSON into a type of yours. What cannot be read is malformed, at `place`: the pointer to where it stands in the
/// payload, empty for the whole of it.
pub fn read_json<'a, T: Deserialize<'a>>(
    json: &'a (impl AsRef<[u8]> + ?Sized),
    place: impl fmt::Display,
) -> Result<T, ChannelError> {
    serde_json::from_slice(json.as_ref()).map_err(|error| malformed(place, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Loose;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Booking {
        id: Loose,
    }

    #[test]
    fn what_cannot_be_read_says_where_it_stands() {
        let booking: Booking = read_json(r#"{"id": 9007199254740993}"#, "").expect("a booking");
        assert_eq!(booking.id.as_str(), Some("9007199254740993"));
        for wrong in [&b"<html>"[..], b"", b"[]", b"{\"id\": \"\xff\"}"] {
            let told = read_json::<Booking>(wrong, "/data/0");
            assert!(matches!(&told, Err(ChannelError::Malformed(why)) if why.starts_with("/data/0: ")), "{told:?}");
        }
    }
}
