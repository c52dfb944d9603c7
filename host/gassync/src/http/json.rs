//! JSON bodies, and checks for JSON that no database can store.

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use futures_util::StreamExt;
use serde_json::Value;

use super::Problem;

/// Maximum body size in bytes.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// Maximum body size that is read completely before it is rejected, in bytes.
const MAX_READ_BYTES: usize = 64 * 1024 * 1024;
/// Maximum nesting depth of a record.
pub const MAX_DEPTH: usize = 127;
/// Maximum length of a number in characters that every database stores.
const MAX_NUMBER_CHARS: usize = 300;
/// Maximum exponent of a number.
const MAX_EXPONENT: i64 = 300;

/// Reads the whole body. Excess data is read and discarded up to a limit, because a client that is cut off while
/// sending may not see the response.
pub async fn read(body: Body) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut read) = (Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::Malformed("the body ended before it was whole".to_owned()))?;
        read += chunk.len();
        if read <= MAX_BODY_BYTES {
            kept.extend_from_slice(&chunk);
        } else if read > MAX_READ_BYTES {
            break;
        }
    }
    if read > MAX_BODY_BYTES {
        return Err(Problem::TooLarge(format!("the body is too large; the limit is {MAX_BODY_BYTES} bytes")));
    }
    Ok(kept)
}

/// Rejects a body whose header does not declare JSON.
pub fn json_only(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_lowercase();
    let json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if json { Ok(()) } else { Err(Problem::UnsupportedMediaType) }
}

/// Why valid JSON cannot be stored; databases do not accept everything that JSON allows.
pub fn unstorable(raw: &str) -> Option<String> {
    let bytes = raw.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(format!("is nested more than {MAX_DEPTH} levels deep"));
                }
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b'"' => {
                let (end, problem) = string(raw, at + 1);
                if problem.is_some() {
                    return problem;
                }
                at = end;
            }
            b'-' | b'0'..=b'9' => {
                let length = raw[at..].find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E'));
                let end = length.map_or(bytes.len(), |length| at + length);
                if is_beyond(&raw[at..end]) {
                    return Some(format!(
                        "has a number beyond {MAX_NUMBER_CHARS} characters or the {MAX_EXPONENT}th power of ten"
                    ));
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// True if a number has too many digits or is too large for a database.
pub fn is_beyond(number: &str) -> bool {
    let exponent = number.split_once(['e', 'E']).map(|(_, exponent)| exponent.trim_start_matches('+').parse::<i64>());
    number.len() > MAX_NUMBER_CHARS
        || exponent.is_some_and(|exponent| exponent.map_or(true, |e| e.unsigned_abs() > MAX_EXPONENT.unsigned_abs()))
}

/// Finds the end of a string, and anything in it that cannot be stored.
fn string(raw: &str, mut at: usize) -> (usize, Option<String>) {
    let bytes = raw.as_bytes();
    let unit = |from: usize| raw.get(from..from + 4).and_then(|hex| u16::from_str_radix(hex, 16).ok());
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return (at + 1, None),
            b'\\' if bytes.get(at + 1) == Some(&b'u') => match unit(at + 2) {
                Some(0) => return (at, Some("contains a NUL character".to_owned())),
                Some(0xD800..=0xDBFF) => {
                    let low = raw.get(at + 6..at + 8) == Some("\\u")
                        && unit(at + 8).is_some_and(|low| (0xDC00..=0xDFFF).contains(&low));
                    if !low {
                        return (at, Some("contains half of a surrogate pair".to_owned()));
                    }
                    at += 12;
                }
                Some(0xDC00..=0xDFFF) => return (at, Some("contains half of a surrogate pair".to_owned())),
                _ => at += 6,
            },
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    (at, None)
}

/// Removes null members and items, except inside `extra`.
pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let said = members.into_iter().filter(|(_, member)| !member.is_null());
            let said = said.map(|(name, member)| {
                let member = if name == "extra" { member } else { without_nulls(member) };
                (name, member)
            });
            Value::Object(said.collect())
        }
        Value::Array(items) => {
            Value::Array(items.into_iter().filter(|item| !item.is_null()).map(without_nulls).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_no_database_keeps_is_named() {
        let deep = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
        for (raw, part) in [
            (deep.as_str(), "127 levels"),
            (r#"{"a":"\u0000"}"#, "NUL"),
            (r#"{"a\u0000":1}"#, "NUL"),
            (r#"{"a":"\ud800"}"#, "surrogate"),
            (r#"{"a":"\ud800\u0041"}"#, "surrogate"),
            (r#"{"a":"\udc00"}"#, "surrogate"),
            (r#"{"a":1e400}"#, "number"),
            (r#"{"a":1E-99999999999999999999}"#, "number"),
        ] {
            let problem = unstorable(raw).expect(raw);
            assert!(problem.contains(part), "{problem}");
        }
        for fine in [r#"{"a":"\ud83d\ude00 [[[ \\u0000 \" {","b":[1,-2.5e10,{}]}"#, "17", "null"] {
            assert_eq!(unstorable(fine), None, "{fine}");
        }
    }

    #[test]
    fn nulls_are_dropped() {
        let said = without_nulls(json!({ "a": null, "b": [null, { "c": null, "d": 1 }], "extra": { "e": null } }));
        assert_eq!(said, json!({ "b": [{ "d": 1 }], "extra": { "e": null } }));
    }
}
