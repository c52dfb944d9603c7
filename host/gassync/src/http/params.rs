//! Path and query parameters, with errors that name the parameter.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use gassync_domain::{Date, MAX_ID_CHARS, Timestamp, is_plausible, utc_day};
use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error};

use super::{ApiError, Problem};

/// Query parameters.
#[derive(Debug)]
pub struct Params<T>(pub T);

/// An id of the caller in the path.
#[derive(Debug)]
pub struct PathId(pub String);

/// Numeric path parameters; anything else is 404.
#[derive(Debug)]
pub struct PathParams<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParams<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(numbers) = Path::<T>::from_request_parts(parts, state).await.map_err(|_| Problem::NotFound)?;
        Ok(Self(numbers))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        let Query(params) = read.map_err(|error| Problem::Malformed(format!("in the query: {}", reason(&error))))?;
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(Problem::Malformed("in the query: contains a NUL character".to_owned()).into());
        }
        Ok(Self(params))
    }
}

/// The error without the library's prefix.
fn reason(error: &axum::extract::rejection::QueryRejection) -> String {
    use std::error::Error as _;
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Problem::NotFound)?;
        // No record can have such an id.
        if id.contains('\0') || id.chars().count() > MAX_ID_CHARS {
            return Err(Problem::NotFound.into());
        }
        Ok(Self(id))
    }
}

/// Parses a date between the years 1900 and 2999.
pub fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let day: Date = text.parse().map_err(|_| D::Error::custom("is not a date such as 2027-06-01"))?;
    if is_plausible(day) { Ok(Some(day)) } else { Err(D::Error::custom("must lie between the years 1900 and 2999")) }
}

/// Parses an instant between the years 1900 and 2999.
pub fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let wrong = || D::Error::custom("is not an instant such as 2027-06-01T12:00:00Z");
    let instant: Timestamp = text.parse().map_err(|_| wrong())?;
    if is_plausible(utc_day(instant)) {
        Ok(Some(instant))
    } else {
        Err(D::Error::custom("must lie between the years 1900 and 2999"))
    }
}
