//! Percent-encoding.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but letters, digits and `-._~`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes a query value or path segment: everything but letters, digits and `-._~`.
pub fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Decodes percent-encoding. Invalid escapes are kept, and invalid UTF-8 becomes replacement characters.
pub fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_read_back() {
        assert_eq!(percent_encode("cB/= é~"), "cB%2F%3D%20%C3%A9~");
        for text in ["", "GAS-71", "a b&c=d/e?f#g%41", "Høyde 7"] {
            assert_eq!(percent_decode(&percent_encode(text)), text);
        }
        assert_eq!(percent_decode("%2f%C3%A9+%"), "/é+%");
        for (odd, read) in [("100%", "100%"), ("%+1", "%+1"), ("%zz%4", "%zz%4"), ("%ff", "\u{fffd}")] {
            assert_eq!(percent_decode(odd), read);
        }
    }
}
