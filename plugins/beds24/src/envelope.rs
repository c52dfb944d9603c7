//! The shapes that Beds24 wraps its answers in.

use gassync_plugin::{ChannelError, FieldError, Loose, malformed, read_json};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The records of an answer, each in the words it came in.
pub(crate) struct Records {
    pub items: Vec<Box<RawValue>>,
    pub another_page: bool,
}

#[derive(Deserialize)]
struct Envelope {
    success: Option<bool>,
    #[serde(default)]
    code: Loose,
    #[serde(default)]
    error: Loose,
    pages: Option<Pages>,
    data: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pages {
    #[serde(default)]
    next_page_exists: bool,
}

/// Reads an envelope, a bare list, or a single record.
pub(crate) fn records(body: &[u8]) -> Result<Records, ChannelError> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("", "is not UTF-8"))?;
    if text.trim_start().starts_with('[') {
        let items = read_json(text, "")?;
        return Ok(Records { items, another_page: false });
    }
    let envelope: Envelope = read_json(text, "")?;
    if envelope.success == Some(false) {
        return Err(refusal(envelope.code.count().unwrap_or(400), &envelope.error, None));
    }
    match envelope.data {
        Some(items) => Ok(Records { items, another_page: envelope.pages.is_some_and(|pages| pages.next_page_exists) }),
        None if envelope.success.is_some() => Err(malformed("/data", "is missing")),
        None => {
            let item = read_json(text, "")?;
            Ok(Records { items: vec![item], another_page: false })
        }
    }
}

/// What a status other than 200 means.
pub(crate) fn status_error(status: u16, body: &[u8], resets_in: Option<&str>) -> ChannelError {
    let error = serde_json::from_slice::<Envelope>(body).map(|e| e.error).unwrap_or_default();
    refusal(u32::from(status), &error, resets_in)
}

fn refusal(code: u32, error: &Loose, resets_in: Option<&str>) -> ChannelError {
    let text = error.as_str().unwrap_or("no reason given").to_owned();
    match code {
        401 | 403 => ChannelError::Unauthorized(text),
        429 => ChannelError::RateLimited(resets_in.and_then(seconds)),
        500.. => ChannelError::Unavailable(format!("status {code}: {text}")),
        _ => ChannelError::Rejected(vec![FieldError::new("", text)]),
    }
}

/// Whole seconds, rounded up: coming back early costs a refusal.
fn seconds(text: &str) -> Option<u32> {
    let seconds: f64 = text.trim().parse().ok()?;
    (0.0..1e6).contains(&seconds).then(|| seconds.ceil() as u32)
}
