//! JSON object bodies, with errors that name the field.

use axum::extract::{FromRequest, Request};
use gassync_domain::FieldError;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    ApiError, Problem,
    json::{json_only, read, unstorable, without_nulls},
};

/// The body of a request.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// The optional body of a request.
#[derive(Debug)]
pub struct MaybeBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        json_only(&parts.headers)?;
        Ok(Self(parse_object(&read(body).await?)?))
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let body = read(body).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        json_only(&parts.headers)?;
        Ok(Self(parse_object(&body)?))
    }
}

fn parse_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(body).map_err(|_| Problem::Malformed("the body is not UTF-8".to_owned()))?;
    let malformed = |error: serde_json::Error| Problem::Malformed(format!("the body is not JSON: {error}"));
    let _: serde::de::IgnoredAny = serde_json::from_str(text).map_err(malformed)?;
    // Serde would accept a list of the values, too.
    if !text.trim_start().starts_with('{') {
        let problem = "must be an object".to_owned();
        return Err(Problem::Invalid(vec![FieldError::new("", problem)]));
    }
    if let Some(problem) = unstorable(text) {
        return Err(Problem::Invalid(vec![FieldError::new("", problem)]));
    }
    parse_json(text).map_err(|error| Problem::Invalid(vec![error]))
}

/// Parses JSON, or names the invalid field. A null member equals an absent one.
pub fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, FieldError> {
    let error = match parse_strict(text) {
        Ok(record) => return Ok(record),
        Err(error) => error,
    };
    match serde_json::from_str::<Value>(text) {
        Ok(value) if text.contains("null") => parse_strict(&without_nulls(value).to_string()).map_err(|_| error),
        _ => Err(error),
    }
}

fn parse_strict<T: DeserializeOwned>(text: &str) -> Result<T, FieldError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = pointer(&error.path().to_string());
        // The line and column are dropped: the path is enough.
        let problem = error.inner().to_string();
        let problem = problem.split(" at line ").next().unwrap_or_default().to_owned();
        FieldError::new(path, problem)
    })
}

/// `rooms[0].checkIn` becomes `/rooms/0/checkIn`.
fn pointer(path: &str) -> String {
    if path == "." {
        return String::new();
    }
    let path = path.replace("].", "/").replace(['[', '.'], "/").replace(']', "");
    format!("/{}", path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_json_pointers() {
        assert_eq!(pointer("rooms[0].checkIn"), "/rooms/0/checkIn");
        assert_eq!(pointer("guest.email"), "/guest/email");
        assert_eq!(pointer("."), "");
        assert_eq!(pointer("[0].id"), "/0/id");
    }

    #[test]
    fn errors_name_the_field() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Settings {
            #[serde(rename = "limit")]
            _limit: Option<u32>,
        }
        let path_of = |text: &str| match parse_object::<Settings>(text.as_bytes()) {
            Err(Problem::Invalid(errors)) => errors[0].path.clone(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(path_of(r#"{"limit": -1}"#), "/limit");
        assert_eq!(path_of(r#"{"limits": 1}"#), "/limits");
        assert_eq!(path_of("[1]"), "");
        assert_eq!(path_of(r#"{"limit": "\u0000"}"#), "");
        assert!(matches!(parse_object::<Settings>(b"{"), Err(Problem::Malformed(_))));
        assert!(parse_object::<Settings>(b" {}").is_ok());
        assert_eq!(parse_json::<Vec<u8>>("[1,null]"), Ok(vec![1]), "null says nothing");
    }
}
