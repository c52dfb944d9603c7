//! What a caller sends: a body of records, and how to take it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use futures_util::StreamExt;
use gassync_domain::mend_json_text;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{ApiError, Problem, params::Params};
use crate::app::App;

/// Most records in one list.
pub const MAX_RECORDS: usize = 1_000;
/// The largest body, in bytes.
pub const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// The largest body that is read to its end before it is refused, in bytes.
const MAX_READ_BYTES: usize = 64 * 1024 * 1024;
/// The longest Idempotency-Key, in characters.
const MAX_KEY_CHARS: usize = 255;
/// How many levels of lists and objects a record may have.
pub(super) const MAX_DEPTH: usize = 127;
/// The longest number, in characters; beyond it no database keeps one.
const MAX_NUMBER_CHARS: usize = 300;
/// The largest power of ten in a number.
const MAX_EXPONENT: i64 = 300;

/// What becomes of a reservation on a night that is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnConflict {
    /// It has happened: it is kept, and the night is overbooked.
    #[default]
    Keep,
    /// It is refused.
    Refuse,
}

/// How records are to be taken.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Options {
    /// `keep` (the default): a reservation on a full night has happened, is kept, and the night is overbooked.
    /// `refuse`: it is refused as `sold-out`.
    #[serde(default)]
    #[param(inline, required = false)]
    pub on_conflict: OnConflict,
    /// Nothing is changed: the answer says, field by field, what would be.
    #[serde(default)]
    #[param(required = false)]
    pub dry_run: bool,
    /// Whether what happened is refused where it is not as the schema says, instead of being mended and kept with
    /// `warnings`. What is asked (`onConflict=refuse`, `intent: request`) always is.
    #[serde(default)]
    #[param(required = false)]
    pub strict: bool,
    /// The `plan` of an answer to `dryRun=true` for the same body: the records are taken if that is still just what
    /// would change.
    pub plan: Option<String>,
}

/// A body of records and how to take it.
#[derive(Debug)]
pub struct Submission {
    /// JSON: one record, or a list.
    pub text: String,
    /// Whether the body was the text, byte by byte.
    is_utf8: bool,
    /// How to take them.
    pub options: Options,
    /// What the caller calls this request, so that it can send it again.
    pub idempotency_key: Option<String>,
    /// Method and path with query: where that name counts.
    pub endpoint: String,
}

impl FromRequest<Arc<App>> for Submission {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        json_only(&parts.headers)?;
        let Params(options) = Params::<Options>::from_request_parts(&mut parts, app).await?;
        let idempotency_key = idempotency_key(&parts.headers)?;
        let endpoint = endpoint(&parts);
        let body = read(body).await?;
        let (text, is_utf8) = match String::from_utf8(body) {
            Ok(text) => (text, true),
            Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), false),
        };
        Ok(Self { text, is_utf8, options, idempotency_key, endpoint })
    }
}

impl Submission {
    /// Whether it is a list, and its records as they were sent. Of facts what is no text, or stands in one unescaped, is
    /// replaced rather than refused.
    pub fn records(&self, strict: bool) -> Result<(bool, Vec<Box<RawValue>>), Problem> {
        if strict && !self.is_utf8 {
            return Err(Problem::Malformed("the body is not UTF-8".to_owned()));
        }
        let malformed = |error: serde_json::Error| Problem::Malformed(format!("the body is not JSON: {error}"));
        let (list, records) = match listed(&self.text) {
            Err(_) if !strict => listed(&mend_json_text(&self.text)).map_err(malformed)?,
            read => read.map_err(malformed)?,
        };
        if !list {
            return Ok((false, records));
        }
        if records.len() > MAX_RECORDS {
            let text = format!("the list has {} records; the limit is {MAX_RECORDS}", records.len());
            return Err(Problem::TooLarge(text));
        }
        Ok((true, records))
    }
}

fn listed(text: &str) -> serde_json::Result<(bool, Vec<Box<RawValue>>)> {
    if text.trim_start().starts_with('[') {
        return Ok((true, serde_json::from_str(text)?));
    }
    Ok((false, vec![serde_json::from_str(text)?]))
}

/// The whole body. What is too much is read all the same, up to a point, and thrown away: who is cut off while still
/// sending may never see the answer.
pub(super) async fn read(body: Body) -> Result<Vec<u8>, Problem> {
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

fn endpoint(parts: &Parts) -> String {
    format!("{} {}", parts.method, parts.uri.path_and_query().map_or("/", |path| path.as_str()))
}

pub(super) fn json_only(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_lowercase();
    let json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    if json { Ok(()) } else { Err(Problem::UnsupportedMediaType) }
}

/// The draft asks for a quoted string; most clients send it bare.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let wrong = |what: &str| Problem::Malformed(format!("the header Idempotency-Key {what}"));
    let text = value.to_str().map_err(|_| wrong("must be printable ASCII"))?.trim();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    match bare.len() {
        0 => Err(wrong("is empty")),
        length if length > MAX_KEY_CHARS => {
            Err(wrong(&format!("has {length} characters; the limit is {MAX_KEY_CHARS}")))
        }
        _ => Ok(Some(bare.to_owned())),
    }
}

/// Why a record that is JSON cannot be kept nevertheless: no database takes all that JSON allows.
pub fn unkeepable(raw: &str) -> Option<String> {
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

pub(super) fn is_beyond(number: &str) -> bool {
    let exponent = number.split_once(['e', 'E']).map(|(_, exponent)| exponent.trim_start_matches('+').parse::<i64>());
    number.len() > MAX_NUMBER_CHARS
        || exponent.is_some_and(|exponent| exponent.map_or(true, |e| e.unsigned_abs() > MAX_EXPONENT.unsigned_abs()))
}

/// Where a string ends, and what in it cannot be kept.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_database_keeps_is_told() {
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
            let problem = unkeepable(raw).expect(raw);
            assert!(problem.contains(part), "{problem}");
        }
        for fine in [r#"{"a":"\ud83d\ude00 [[[ \\u0000 \" {","b":[1,-2.5e10,{}]}"#, "17", "null"] {
            assert_eq!(unkeepable(fine), None, "{fine}");
        }
    }

    #[test]
    fn keys_come_quoted_or_bare() {
        let key = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("idempotency-key", text.parse().expect("a header"));
            idempotency_key(&headers)
        };
        assert_eq!(key("\"a-1\""), Ok(Some("a-1".to_owned())));
        assert_eq!(key("a-1"), Ok(Some("a-1".to_owned())));
        assert!(key("\"\"").is_err() && key(&"x".repeat(256)).is_err());
        assert_eq!(idempotency_key(&HeaderMap::new()), Ok(None));
    }
}
