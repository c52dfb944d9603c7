//! Converts JSON to what every database can store.

use std::borrow::Cow;

use crate::http::json::{MAX_DEPTH, is_beyond};

/// Replaces JSON that no database stores: oversized numbers become strings, and values nested too deeply become null.
/// Also returns the warning about it.
pub fn make_storable(raw: &str) -> (Cow<'_, str>, Option<&'static str>) {
    let bytes = raw.as_bytes();
    let (mut kept, mut kept_until, mut at, mut depth, mut problem) = (String::new(), 0, 0, 0_usize, None);
    let mut replace = |from: usize, until: usize, by: &str| {
        kept.push_str(raw.get(kept_until..from).unwrap_or_default());
        kept.push_str(by);
        kept_until = until;
    };
    // Start of the dropped part.
    let mut too_deep = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => {
                depth += 1;
                if depth == MAX_DEPTH + 1 {
                    too_deep = at;
                }
                at += 1;
            }
            b'}' | b']' => {
                if depth == MAX_DEPTH + 1 {
                    replace(too_deep, at + 1, "null");
                    problem = Some("is nested too deeply; what lies deeper than 127 levels was left out");
                }
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b'"' => at = end_of_text(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let length = raw[at..].find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
                let end = length.map_or(bytes.len(), |length| at + length);
                let number = &raw[at..end];
                let is_finite = number.parse().is_ok_and(f64::is_finite);
                if depth <= MAX_DEPTH && (is_beyond(number) || !is_finite) {
                    replace(at, end, &format!("\"{number}\""));
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if kept_until == 0 {
        return (Cow::Borrowed(raw), problem);
    }
    kept.push_str(raw.get(kept_until..).unwrap_or_default());
    (Cow::Owned(kept), problem)
}

fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn only_unstorable_json_is_changed() {
        for fine in [r#"{"a":[1,-2.5e10,"[[\"1e999",{}]}"#, "17", "\"é\"", "null"] {
            assert_eq!(make_storable(fine), (Cow::Borrowed(fine), None));
        }
        let (text, problem) = make_storable(r#"{"a":1e999,"b":[-1E-400, 2]}"#);
        assert_eq!((text.as_ref(), problem), (r#"{"a":"1e999","b":["-1E-400", 2]}"#, None));
        let deep =
            format!(r#"{{"a":{}1{},"b":{}{}}}"#, "[".repeat(200), "]".repeat(200), "[".repeat(126), "]".repeat(126));
        let (text, problem) = make_storable(&deep);
        assert!(problem.is_some());
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(make_storable(&text), (Cow::Borrowed(text.as_ref()), None));
        assert!(value["a"].is_array() && value["b"].is_array());
    }
}
