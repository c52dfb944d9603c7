//! Query parameters. Misspelt ones are ignored.

use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::civil::{Date, DateTime};

use super::answer;

/// Records per page, if the caller does not say, and at most.
const PAGE_SIZE: (usize, usize) = (25, 100);

/// The parameters of a call.
pub(super) struct Parameters(Vec<(String, String)>);

/// A parameter that cannot be read.
#[derive(Debug)]
pub(super) struct InvalidParameter(String);

impl IntoResponse for InvalidParameter {
    fn into_response(self) -> Response {
        answer::refused(StatusCode::BAD_REQUEST, &format!("{} is invalid", self.0))
    }
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = InvalidParameter;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, InvalidParameter> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
        pairs.map(|Query(pairs)| Self(pairs)).map_err(|_| InvalidParameter("the query".to_owned()))
    }
}

impl Parameters {
    /// The values of a parameter that is repeated.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn text<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).last().filter(|text| !text.is_empty())
    }

    pub fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), Some("true" | "1"))
    }

    pub fn number(&self, name: &str) -> Result<Option<u64>, InvalidParameter> {
        self.text(name).map(|text| text.parse().map_err(|_| InvalidParameter(name.to_owned()))).transpose()
    }

    pub fn date(&self, name: &str) -> Result<Option<Date>, InvalidParameter> {
        self.text(name).map(|text| day(text).ok_or_else(|| InvalidParameter(name.to_owned()))).transpose()
    }

    /// Reads a local time, or a day as its beginning or its end.
    pub fn moment(&self, name: &str, ends: bool) -> Result<Option<DateTime>, InvalidParameter> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if let Some(day) = day(text) {
            return Ok(Some(if ends { day.at(23, 59, 59, 0) } else { day.at(0, 0, 0, 0) }));
        }
        text.parse().map(Some).map_err(|_| InvalidParameter(name.to_owned()))
    }

    /// Number of the page, and its size.
    pub fn page(&self, size_name: &str) -> Result<(usize, usize), InvalidParameter> {
        let number = |name: &str, or: usize| {
            let number = self.number(name)?.map_or(Some(or), |number| usize::try_from(number).ok());
            number.ok_or_else(|| InvalidParameter(name.to_owned()))
        };
        Ok((number("page", 1)?.max(1), number(size_name, PAGE_SIZE.0)?.clamp(1, PAGE_SIZE.1)))
    }
}

/// Reads a day, and nothing but a day.
pub(super) fn day(text: &str) -> Option<Date> {
    (text.len() == "2027-01-01".len()).then(|| text.parse().ok()).flatten()
}
