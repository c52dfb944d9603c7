//! Request bodies of records and their options.

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

/// Maximum records in a list.
pub const MAX_RECORDS: usize = 1_000;
/// Maximum length of an Idempotency-Key.
const MAX_KEY_CHARS: usize = 255;
/// How to handle a reservation on a full night.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnConflict {
    /// Keep the reservation and overbook the night.
    #[default]
    Keep,
    /// Refuse the reservation.
    Refuse,
}

/// Options for submitted records.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct SubmissionOptions {
    /// `keep` (default): a reservation on a full night is kept and overbooks it. `refuse`: it is refused with the
    /// problem `sold-out`.
    #[serde(default)]
    #[param(inline, required = false)]
    pub on_conflict: OnConflict,
    /// Change nothing and return the resulting changes field by field.
    #[serde(default)]
    #[param(required = false)]
    pub dry_run: bool,
    /// Reject records that do not match the schema instead of mending them with `warnings`. Requests
    /// (`onConflict=refuse`, `intent: request`) are always strict.
    #[serde(default)]
    #[param(required = false)]
    pub strict: bool,
    /// The `plan` of a dry run of the same body. The records are applied only if the result is still the same.
    pub plan: Option<String>,
}

/// A body of records with its options.
#[derive(Debug)]
pub struct Submission {
    /// JSON text: one record or a list.
    pub text: String,
    /// Whether the body was valid UTF-8.
    is_utf8: bool,
    /// Options.
    pub options: SubmissionOptions,
    /// Idempotency-Key of the request.
    pub idempotency_key: Option<String>,
    /// Method, path and query, which scope the key.
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
    /// Splits the body into records; the flag says whether it is a list. Invalid characters are replaced rather than
    /// rejected unless `strict`.
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

/// The draft requires a quoted string; most clients send it bare.
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
