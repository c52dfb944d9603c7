//! What a caller sends: a body of records, and how to take it.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, request::Parts},
};
use gassync_domain::mend_json_text;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::http::{
    ApiError, Params, Problem,
    json::{json_only, read},
};

/// Most records in one list.
pub const MAX_RECORDS: usize = 1_000;
/// The longest Idempotency-Key, in characters.
const MAX_KEY_CHARS: usize = 255;
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
pub struct SubmissionOptions {
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
    pub options: SubmissionOptions,
    /// What the caller calls this request, so that it can send it again.
    pub idempotency_key: Option<String>,
    /// Method and path with query: where that name counts.
    pub endpoint: String,
}

impl<S: Send + Sync> FromRequest<S> for Submission {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        json_only(&parts.headers)?;
        let Params(options) = Params::<SubmissionOptions>::from_request_parts(&mut parts, state).await?;
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

fn endpoint(parts: &Parts) -> String {
    format!("{} {}", parts.method, parts.uri.path_and_query().map_or("/", |path| path.as_str()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotency_keys_may_be_quoted() {
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
