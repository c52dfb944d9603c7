//! Calls per minute.

use axum::{http::HeaderValue, response::Response};
use jiff::{SignedDuration, Timestamp};

use super::{RetryAfter, SmoobuSettings};

/// Length of a window; the next begins with the first call after it.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// Calls in the current minute.
#[derive(Default)]
pub(super) struct MinuteLimit {
    began: Option<Timestamp>,
    calls: u32,
}

impl MinuteLimit {
    /// Counts a call; false if it is one too many.
    pub fn count(&mut self, settings: &SmoobuSettings, now: Timestamp) -> bool {
        if self.began.is_none_or(|began| now.duration_since(began) >= WINDOW) {
            *self = Self { began: Some(now), calls: 0 };
        }
        if self.calls >= settings.calls_per_minute {
            return false;
        }
        self.calls += 1;
        true
    }

    /// Sets the headers of an answer; the time to wait only where the limit is met.
    pub fn write_headers(&self, answer: &mut Response, settings: &SmoobuSettings, now: Timestamp, met: bool) {
        let left = if met { 0 } else { settings.calls_per_minute.saturating_sub(self.calls) };
        let headers = answer.headers_mut();
        headers.insert("x-ratelimit-limit", HeaderValue::from(settings.calls_per_minute));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(left));
        if met {
            let ends = self.began.unwrap_or(now) + WINDOW;
            let seconds = match settings.retry_after {
                RetryAfter::Seconds => ends.duration_since(now).as_secs().max(1),
                RetryAfter::Epoch => ends.as_second(),
            };
            headers.insert("x-ratelimit-retry-after", HeaderValue::from(seconds));
        }
    }
}
