//! Pagination and ETags.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ApiError, Problem};
use crate::{store::buffer::PageCursor, vault::fingerprint};

/// Default page size.
const DEFAULT_LIMIT: i64 = 50;
/// Maximum page size.
const MAX_LIMIT: i64 = 200;

/// Cursor and page size.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `nextCursor` of the previous page.
    pub cursor: Option<String>,
    /// Page size, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
}

/// A page of a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListPage<T> {
    /// The items, oldest first unless the endpoint says otherwise.
    pub data: Vec<T>,
    /// Cursor of the next page.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

impl PageQuery {
    /// Requests one row more than the page size, to know whether there is another page.
    pub fn to_cursor(&self) -> Result<PageCursor, ApiError> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::Malformed(format!("limit must be between 1 and {MAX_LIMIT}")).into());
        }
        let after = match &self.cursor {
            None => 0,
            Some(cursor) => i64::from_str_radix(cursor, 36)
                .ok()
                .filter(|after| *after >= 0)
                .ok_or_else(|| Problem::Malformed("cursor is not valid for this endpoint".to_owned()))?,
        };
        Ok(PageCursor { after, limit: limit + 1 })
    }

    /// The cursor after a row.
    pub fn cursor(row: i64) -> String {
        base36(row)
    }
}

impl<T> ListPage<T> {
    /// Cuts rows read with [`PageQuery::to_cursor`] to a page.
    pub fn cut<S>(mut rows: Vec<S>, cursor: PageCursor, row: impl Fn(&S) -> i64, show: impl Fn(S) -> T) -> Self {
        let shown = usize::try_from(cursor.limit - 1).unwrap_or(0);
        let has_more = rows.len() > shown;
        rows.truncate(shown);
        let next_cursor = rows.last().filter(|_| has_more).map(|last| base36(row(last)));
        Self { data: rows.into_iter().map(show).collect(), next_cursor, has_more }
    }
}

fn base36(mut number: i64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        digits.push(char::from_digit(digit, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

/// A JSON response with a strong ETag; 304 if it matches `If-None-Match`.
pub fn with_etag<T: Serialize>(headers: &HeaderMap, body: &T) -> Result<Response, ApiError> {
    let text = serde_json::to_string(body).map_err(|error| {
        tracing::error!(%error, "response could not be serialized");
        Problem::Internal
    })?;
    let tag = format!("\"{}\"", &fingerprint(&text)[..32]);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let same = known.split(',').map(str::trim).any(|k| k == "*" || k.trim_start_matches("W/") == tag);
    let mut response = if same {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], Body::from(text)).into_response()
    };
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip() {
        for row in [1, 35, 36, i64::MAX] {
            let query = PageQuery { cursor: Some(base36(row)), limit: Some(2) };
            assert_eq!(query.to_cursor().expect("a slice").after, row);
        }
        let page = ListPage::cut(vec![5, 6, 7], PageCursor { after: 4, limit: 3 }, |row| *row, |row| row);
        assert_eq!((page.data, page.next_cursor.as_deref(), page.has_more), (vec![5, 6], Some("6"), true));
        assert!(PageQuery { cursor: Some("-1".into()), limit: None }.to_cursor().is_err());
    }
}
