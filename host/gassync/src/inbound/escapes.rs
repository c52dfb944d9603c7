//! Repairs JSON bodies before a plugin reads them, so that a lone surrogate or a NUL does not cost the message. Stored and
//! signed bytes stay unchanged.

use gassync_domain::mend_json_text;

/// Replaces escaped NULs and lone surrogates in a JSON body, and invalid UTF-8 unless the headers name another encoding.
/// Other bodies are returned unchanged.
pub fn mend(body: Vec<u8>, headers: &[(String, String)]) -> Vec<u8> {
    if !matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return body;
    }
    let text = match String::from_utf8(body) {
        Ok(text) => text,
        Err(error) if is_in_utf8(headers) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        Err(error) => return error.into_bytes(),
    };
    match mend_json_text(&text) {
        std::borrow::Cow::Owned(mended) => mended.into_bytes(),
        std::borrow::Cow::Borrowed(_) => text.into_bytes(),
    }
}

fn is_in_utf8(headers: &[(String, String)]) -> bool {
    let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let value = content_type.map(|(_, value)| value.to_ascii_lowercase()).unwrap_or_default();
    value.split_once("charset=").is_none_or(|(_, charset)| charset.trim_start_matches('"').starts_with("utf-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_invalid_escapes_are_replaced() {
        let mended = |body: &[u8], kind: &str| mend(body.to_vec(), &[("Content-Type".to_owned(), kind.to_owned())]);
        let json = "application/json; charset=UTF-8";
        assert_eq!(mended(br#" {"a":"x\u0000\ud83d"}"#, json), br#" {"a":"x\ufffd\ufffd"}"#);
        assert_eq!(mended(b"[\"\xf0\x9f\"]", json), "[\"\u{fffd}\"]".as_bytes());
        for (body, kind) in [
            (&b"[\"\xe9\"]"[..], "application/json; charset=iso-8859-1"),
            (br#"{"a":"\ud83d\ude00","b":1.50}"#, json),
            (br"<a>\u0000</a>", "application/xml"),
            (b"", json),
        ] {
            assert_eq!(mended(body, kind), body);
        }
    }
}
