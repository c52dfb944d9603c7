use std::borrow::Cow;

/// Replacement for invalid characters: U+FFFD as a JSON escape.
const REPLACEMENT: &str = "\\ufffd";

/// Replaces escapes of lone surrogates, which Rust texts cannot contain, and of NUL, which the host cannot store.
/// Everything else is unchanged.
pub(crate) fn mend_escapes(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u") {
        return Cow::Borrowed(json);
    }
    let bytes = json.as_bytes();
    let mut mended = String::new();
    let (mut copied, mut at) = (0, 0);
    while at + 1 < bytes.len() {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        if bytes[at + 1] != b'u' {
            at += 2;
            continue;
        }
        at += match (unit(bytes, at), unit(bytes, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0 | 0xd800..=0xdfff), _) => {
                mended.push_str(&json[copied..at]);
                mended.push_str(REPLACEMENT);
                copied = at + 6;
                6
            }
            _ => 2,
        };
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    mended.push_str(&json[copied..]);
    Cow::Owned(mended)
}

/// The value of a `\uXXXX` escape at this position.
fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_characters_are_replaced_and_nothing_else() {
        for (json, mended) in [
            (r#""half \ud83d""#, r#""half \ufffd""#),
            (r#""\ude00 \u0000 \uD83D\uDE00""#, r#""\ufffd \ufffd \uD83D\uDE00""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud83d \\\ud83d""#, r#""\\ud83d \\\ufffd""#),
            (r#""\ud83dé\u00eb \u12""#, r#""\ufffdé\u00eb \u12""#),
            (r#""\u00"#, r#""\u00"#),
        ] {
            assert_eq!(mend_escapes(json), mended);
        }
    }
}
