//! Lenient parsing of single values, so that a fact is not lost over its formatting.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::{is_plausible, lossless_instant, utc_day};

/// Replacement of unstorable characters.
const REPLACEMENT: &str = "\u{fffd}";

/// Parses an optional instant; an invalid one or an implausible year gives `None` and the problem.
pub fn mend_instant(text: &str) -> (Option<Timestamp>, Option<String>) {
    if text.trim().is_empty() {
        return (None, None);
    }
    match lossless_instant(text.trim()) {
        Some(instant) if is_plausible(utc_day(instant)) => (Some(instant), None),
        Some(_) => (None, Some("lies outside of the years that are taken for real; it was left out".to_owned())),
        None => (None, Some("is not an RFC 3339 instant; it was left out".to_owned())),
    }
}

/// Replaces NUL, which databases do not store in text, by U+FFFD.
pub fn mend_text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', REPLACEMENT)) } else { Cow::Borrowed(text) }
}

/// Makes JSON text acceptable to every parser and database: escaped NULs and lone surrogates become `\ufffd`, raw
/// control characters are escaped, and all else is unchanged.
pub fn mend_json_text(text: &str) -> Cow<'_, str> {
    mend_escapes(text, "\\ufffd")
}

/// As [`mend_json_text`], but marks lone surrogates as NUL and keeps NUL, so that mending can name the affected field.
pub fn mark_in_json_text(text: &str) -> Cow<'_, str> {
    mend_escapes(text, "\\u0000")
}

fn mend_escapes<'a>(text: &'a str, replacement: &str) -> Cow<'a, str> {
    let bytes = text.as_bytes();
    let (mut mended, mut kept_until, mut at, mut in_text) = (String::new(), 0, 0, false);
    let mut replace = |from: usize, until: usize, by: &str| {
        mended.push_str(text.get(kept_until..from).unwrap_or_default());
        mended.push_str(by);
        kept_until = until;
    };
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                in_text = !in_text;
                at += 1;
            }
            0 if in_text => {
                replace(at, at + 1, replacement);
                at += 1;
            }
            control @ 1..0x20 if in_text => {
                replace(at, at + 1, &format!("\\u{control:04x}"));
                at += 1;
            }
            b'\\' if in_text && bytes.get(at + 1) == Some(&b'u') => match escaped(text, at) {
                Some(0xD800..=0xDBFF) if escaped(text, at + 6).is_some_and(|low| (0xDC00..=0xDFFF).contains(&low)) => {
                    at += 12;
                }
                Some(0 | 0xD800..=0xDFFF) => {
                    replace(at, at + 6, replacement);
                    at += 6;
                }
                Some(_) => at += 6,
                None => at += 2,
            },
            b'\\' if in_text => at += 2,
            _ => at += 1,
        }
    }
    if kept_until == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(text.get(kept_until..).unwrap_or_default());
    Cow::Owned(mended)
}

/// The unit of the escape `\uXXXX` that begins here.
fn escaped(text: &str, at: usize) -> Option<u16> {
    let hex = text.get(at..at + 6)?.strip_prefix("\\u")?;
    hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(hex, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_or_left_out() {
        assert!(mend_instant("2027-01-05 10:00:00").0.is_some());
        assert_eq!(mend_instant(" "), (None, None));
        for odd in ["yesterday", "0000-00-00 00:00:00", "0001-01-01T00:00:00Z"] {
            let (instant, problem) = mend_instant(odd);
            assert!(instant.is_none() && problem.is_some(), "{odd}");
        }
    }

    #[test]
    fn only_unstorable_characters_are_replaced() {
        for (odd, mended) in [
            (r#"{"a":"x\u0000y"}"#, r#"{"a":"x\ufffdy"}"#),
            (r#"{"a\u0000":"\ud83d"}"#, r#"{"a\ufffd":"\ufffd"}"#),
            (r#"["\ud83d\u0041","\uDE00"]"#, r#"["\ufffd\u0041","\ufffd"]"#),
            (r#"["\ud83d\ud83d\ude00"]"#, r#"["\ufffd\ud83d\ude00"]"#),
            ("[\"a\nb\0\"]", "[\"a\\u000ab\\ufffd\"]"),
        ] {
            assert_eq!(mend_json_text(odd), mended, "{odd}");
            assert!(serde_json::from_str::<serde_json::Value>(mended).is_ok(), "{mended}");
            assert_eq!(mend_json_text(mended), mended, "it is mended once");
        }
        for fine in [r#"{"a":"\ud83d\ude00 \\u0000 \\\\ud800 \" é","b":[1,2.50]}"#, "\n{}\n", "\\u0000", r#"["\u00"]"#]
        {
            assert!(matches!(mend_json_text(fine), Cow::Borrowed(_)), "{fine}");
        }
        assert_eq!(mark_in_json_text(r#"["\ud83d","\u0000"]"#), r#"["\u0000","\u0000"]"#);
        assert_eq!(mend_text("a\0b"), "a\u{fffd}b");
    }
}
