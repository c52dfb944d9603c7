//! Percent-encoding.

/// Percent-encodes a query value or path segment: everything but letters, digits and `-._~`.
pub fn percent_encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Decodes percent-encoding. Invalid escapes are kept, and invalid UTF-8 becomes replacement characters.
pub fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let escaped = if *first == b'%' { more.first_chunk().and_then(byte) } else { None };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &more[2..] } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn byte([high, low]: &[u8; 2]) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
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
