//! Errors of Smoobu.

use std::collections::BTreeMap;

use gassync_plugin::{ChannelError, FieldError, Lenient, clock, http, lenient};
use serde::Deserialize;

/// A larger wait is a point in time, not a number of seconds.
const EPOCH_FROM: u64 = 1_000_000_000;

/// An error response, as far as readable.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorBody {
    title: Lenient,
    detail: Lenient,
    #[serde(deserialize_with = "lenient")]
    validation_messages: BTreeMap<String, Messages>,
}

/// What is said about a field: one text, or several with or without names.
#[derive(Deserialize)]
#[serde(untagged)]
enum Messages {
    One(String),
    Several(Vec<String>),
    Named(BTreeMap<String, String>),
    Other(serde::de::IgnoredAny),
}

/// The error for a response other than a success. Some are HTML pages, which say nothing to people.
pub(crate) fn of(answer: &http::Response) -> ChannelError {
    let said: ErrorBody = serde_json::from_slice(answer.body()).unwrap_or_default();
    let fields: Vec<FieldError> =
        said.validation_messages.into_iter().flat_map(|(field, messages)| messages.of(&field)).collect();
    let detail = said.detail.text().or_else(|| said.title.text());
    match (answer.status(), answer.header("X-RateLimit-Retry-After").and_then(wait)) {
        (429, Some(seconds)) => ChannelError::RateLimited(Some(seconds)),
        (400 | 404..=428, _) if !fields.is_empty() => ChannelError::Rejected(fields),
        _ => answer.refusal(detail),
    }
}

impl Messages {
    fn of(self, field: &str) -> Vec<FieldError> {
        // `error` is no field: it is about the whole.
        let path = if field == "error" { String::new() } else { format!("/{field}") };
        let texts: Vec<String> = match self {
            Self::One(text) => vec![text],
            Self::Several(texts) => texts,
            Self::Named(texts) => texts.into_values().collect(),
            Self::Other(_) => Vec::new(),
        };
        texts.into_iter().map(|text| FieldError::new(&path, text)).collect()
    }
}

/// Seconds to wait: as such, or until a point in time. Which of the two Smoobu sends is not documented.
pub(crate) fn wait(text: &str) -> Option<u32> {
    let number: u64 = text.trim().parse().ok()?;
    let seconds = if number > EPOCH_FROM { number.saturating_sub(clock::since_1970().as_secs()) } else { number };
    u32::try_from(seconds).ok()
}
