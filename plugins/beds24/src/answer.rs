//! Tells the envelopes of an answer apart.

use gassync_plugin::{
    ChannelError, Digits, HttpResponse, Text,
    serde_json::{self, value::RawValue},
};
use serde::Deserialize;

/// A vendor's error text longer than this is cut: it may be a whole page.
const ERROR_TEXT_CHARS: usize = 300;

/// Both spellings that occur: on the wire, and in the vendor's API file.
const RESET_HEADERS: [&str; 3] = ["X-Five-Min-Limit-Resets-In", "X-FiveMinCreditLimit-ResetsIn", "Retry-After"];

/// One record of an answer.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    /// Where it stands, for error messages.
    pub at: String,
    pub json: &'a RawValue,
}

/// The records of an answer, and whether there is another page.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub rows: Vec<Row<'a>>,
    pub more: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Envelope<'a> {
    success: Option<bool>,
    #[serde(borrow, rename = "type")]
    type_: Text<'a>,
    #[serde(alias = "errorCode")]
    code: Digits,
    #[serde(borrow)]
    error: Text<'a>,
    #[serde(borrow)]
    pages: Option<Pages<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Pages<'a> {
    next_page_exists: Option<bool>,
    #[serde(borrow)]
    next_page_link: Text<'a>,
}

/// Reads a full envelope, a bare list (V1) or a single record.
pub(crate) fn read(response: &HttpResponse) -> Result<Answer<'_>, ChannelError> {
    if !(200..300).contains(&response.status) {
        let envelope: Envelope<'_> = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = envelope.error.owned().unwrap_or_else(|| format!("HTTP status {}", response.status));
        return Err(refusal(u32::from(response.status), text, response));
    }
    let body: &RawValue = response.json()?;
    if body.get().starts_with('[') {
        return Ok(Answer { rows: list("", body)?, more: false });
    }
    let envelope: Envelope<'_> = read_at("", body)?;
    if envelope.success == Some(false) || envelope.type_.said() == Some("error") || envelope.error.said().is_some() {
        let code = envelope.code.count().ok().flatten().unwrap_or(400);
        let text = envelope.error.owned().unwrap_or_else(|| format!("error code {code}"));
        return Err(refusal(code, text, response));
    }
    let more = envelope
        .pages
        .is_some_and(|pages| pages.next_page_exists.unwrap_or_else(|| pages.next_page_link.said().is_some()));
    let rows = match envelope.data {
        Some(data) if data.get().starts_with('[') => list("/data", data)?,
        Some(data) => vec![Row { at: "/data".to_owned(), json: data }],
        None if envelope.success.is_some() => Vec::new(),
        None => vec![Row { at: String::new(), json: body }],
    };
    Ok(Answer { rows, more })
}

/// Reads one record; an error says where it stands.
pub(crate) fn read_at<'a, T: Deserialize<'a>>(at: &str, json: &'a RawValue) -> Result<T, ChannelError> {
    serde_json::from_str(json.get()).map_err(|error| ChannelError::Malformed(format!("{at}/: {error}")))
}

fn list<'a>(at: &str, json: &'a RawValue) -> Result<Vec<Row<'a>>, ChannelError> {
    let items: Vec<&RawValue> = read_at(at, json)?;
    Ok(items.into_iter().enumerate().map(|(index, json)| Row { at: format!("{at}/{index}"), json }).collect())
}

/// By HTTP status, or by the code in a body: those of four digits are V1's.
fn refusal(code: u32, text: String, response: &HttpResponse) -> ChannelError {
    let text: String = text.chars().take(ERROR_TEXT_CHARS).collect();
    match code {
        401 | 403 => ChannelError::Unauthorized(text),
        429 | 1016 | 1020 | 1021 => ChannelError::RateLimited(seconds_to_wait(response)),
        408 | 500..=599 => ChannelError::Unavailable(text),
        _ => ChannelError::rejected("", &text),
    }
}

fn seconds_to_wait(response: &HttpResponse) -> Option<u32> {
    let header = RESET_HEADERS.iter().find_map(|name| response.header(name))?;
    let (whole, fraction) = header.trim().split_once('.').unwrap_or((header.trim(), ""));
    let seconds: u32 = whole.parse().ok()?;
    Some(seconds.saturating_add(u32::from(fraction.bytes().any(|digit| digit != b'0'))))
}

#[cfg(test)]
mod tests {
    use gassync_plugin::Header;

    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> HttpResponse {
        let headers = headers.iter().map(|(n, v)| Header { name: (*n).to_owned(), value: (*v).to_owned() }).collect();
        HttpResponse { status, headers, body: body.as_bytes().to_vec() }
    }

    fn places(body: &str) -> (Vec<String>, bool) {
        let response = response(200, &[], body);
        let answer = read(&response).expect("an answer");
        (answer.rows.into_iter().map(|row| row.at).collect(), answer.more)
    }

    fn error(response: &HttpResponse) -> ChannelError {
        read(response).expect_err("an error")
    }

    #[test]
    fn every_envelope_is_opened() {
        let pages = r#""pages":{"nextPageExists":true,"nextPageLink":"x"}"#;
        let full = format!(r#"{{"success":true,"type":"booking",{pages},"data":[{{"id":1}},{{"id":2}}]}}"#);
        assert_eq!(places(&full), (vec!["/data/0".to_owned(), "/data/1".to_owned()], true));
        assert_eq!(places(r#" [{"bookId":"1"}]"#), (vec!["/0".to_owned()], false));
        assert_eq!(places(r#"{"id":1}"#), (vec![String::new()], false));
        assert_eq!(places(r#"{"success":true,"data":[]}"#), (vec![], false));
    }

    #[test]
    fn statuses_become_errors() {
        let body = r#"{"success":false,"type":"error","code":401,"error":"no such token"}"#;
        assert_eq!(error(&response(401, &[], body)), ChannelError::Unauthorized("no such token".to_owned()));
        assert_eq!(error(&response(503, &[], "<p>")), ChannelError::Unavailable("HTTP status 503".to_owned()));
        let refused = error(&response(400, &[], r#"{"success":false,"code":400,"error":"wrong date"}"#));
        assert_eq!(refused, ChannelError::rejected("", "wrong date"));
        assert!(matches!(error(&response(200, &[], "<html>")), ChannelError::Malformed(_)));
    }

    #[test]
    fn a_spent_budget_says_until_when() {
        for name in ["x-five-min-limit-resets-in", "X-FiveMinCreditLimit-ResetsIn"] {
            assert_eq!(error(&response(429, &[(name, "41.2")], "")), ChannelError::RateLimited(Some(42)));
        }
        assert_eq!(error(&response(429, &[], "")), ChannelError::RateLimited(None));
        let old = response(200, &[], r#"{"error":"usage limit","errorCode":"1020"}"#);
        assert_eq!(error(&old), ChannelError::RateLimited(None));
    }

    #[test]
    fn a_refusal_with_status_200_is_one() {
        let refused = error(&response(200, &[], r#"{"success":false,"code":401,"error":"dead"}"#));
        assert_eq!(refused, ChannelError::Unauthorized("dead".to_owned()));
        assert_eq!(error(&response(200, &[], r#"{"success":false}"#)), ChannelError::rejected("", "error code 400"));
    }
}
