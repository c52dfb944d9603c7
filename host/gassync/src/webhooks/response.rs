//! Evaluates endpoint responses and extracts a redacted excerpt.

use gassync_domain::Timestamp;
use gassync_runtime::SendError;
use jiff::{SignedDuration, fmt::rfc2822};

/// Length of the stored excerpt in characters.
const EXCERPT_CHARS: usize = 256;
/// Replacement for secrets.
const REDACTED: &str = "***";
/// Shortest prefix of a secret at the end of a truncated body that is redacted, in characters.
const MIN_SECRET_PREFIX: usize = 4;

/// The outcome of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DeliveryOutcome {
    Delivered,
    /// The message was rejected; other messages may succeed.
    Failed(String),
    /// The endpoint did not respond; other messages would fail, too.
    Unreachable(String),
    /// The endpoint asked to pause, optionally with a `Retry-After`.
    Deferred(Option<SignedDuration>, String),
    /// The endpoint answered 410 Gone.
    Gone,
}

impl DeliveryOutcome {
    /// Its word in the log.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed(_) => "failed",
            Self::Unreachable(_) => "unreachable",
            Self::Deferred(..) => "deferred",
            Self::Gone => "gone",
        }
    }
}

/// Disable reason for 410 Gone.
pub(super) const GONE: &str = "the endpoint answered 410 Gone";

/// Classifies a response by its status.
pub(super) fn classify(status: u16, retry_after: Option<&str>, now: Timestamp) -> DeliveryOutcome {
    match status {
        200..300 => DeliveryOutcome::Delivered,
        410 => DeliveryOutcome::Gone,
        429 | 502 | 504 => {
            let wait = retry_after.and_then(|value| parse_retry_after(value.trim(), now));
            DeliveryOutcome::Deferred(wait, format!("it answered {status}"))
        }
        300..400 => DeliveryOutcome::Failed(format!("it answered {status}: redirects are not followed")),
        _ => DeliveryOutcome::Failed(format!("it answered {status}")),
    }
}

/// Parses `Retry-After`: seconds or an HTTP date.
fn parse_retry_after(value: &str, now: Timestamp) -> Option<SignedDuration> {
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let at = rfc2822::parse(value).ok()?.timestamp();
    Some(at.duration_since(now).max(SignedDuration::ZERO))
}

/// A name for why there was no response.
pub(super) fn error_kind(error: &SendError) -> &'static str {
    match error {
        SendError::TimedOut => "timeout",
        SendError::Tls(_) => "tls",
        SendError::AddressRefused(_) => "address",
        // Rate limits and breakers apply to channels only; long bodies are truncated.
        SendError::Connect(_) | SendError::TooLarge(_) | SendError::RateLimited(_) | SendError::CircuitOpen(_) => {
            "connect"
        }
    }
}

/// The first characters of a body on one line, with `secrets` (longest first) redacted.
pub(super) fn excerpt(body: &[u8], secrets: &[String]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    for secret in secrets {
        text = text.replace(secret.as_str(), REDACTED);
    }
    // The truncated body may end inside a secret.
    let cut = secrets.iter().filter_map(|secret| {
        let mut beginnings = (MIN_SECRET_PREFIX..secret.len()).rev().filter_map(|end| secret.get(..end));
        beginnings.find(|beginning| text.ends_with(*beginning)).map(str::len)
    });
    if let Some(length) = cut.max() {
        text.truncate(text.len() - length);
        text.push_str(REDACTED);
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(EXCERPT_CHARS).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhooks::headers;

    #[test]
    fn responses_are_classified() {
        let now: Timestamp = "2027-05-11T09:30:00Z".parse().expect("an instant");
        let judged = |status, retry_after| classify(status, retry_after, now);
        for (status, outcome) in
            [(200, DeliveryOutcome::Delivered), (204, DeliveryOutcome::Delivered), (410, DeliveryOutcome::Gone)]
        {
            assert_eq!(judged(status, None), outcome);
        }
        assert!(matches!(judged(302, None), DeliveryOutcome::Failed(_)));
        assert!(matches!(judged(500, Some("9")), DeliveryOutcome::Failed(_)));
        for (retry_after, seconds) in [
            (None, None),
            (Some(" 9"), Some(9)),
            (Some("Tue, 11 May 2027 09:32:00 GMT"), Some(120)),
            (Some("Tue, 11 May 2027 09:29:00 GMT"), Some(0)),
            (Some("soon"), None),
            (Some("-1"), None),
        ] {
            let wait = seconds.map(SignedDuration::from_secs);
            for status in [429, 502, 504] {
                assert_eq!(
                    judged(status, retry_after),
                    DeliveryOutcome::Deferred(wait, format!("it answered {status}")),
                    "{retry_after:?}"
                );
            }
        }
    }

    #[test]
    fn excerpts_are_short() {
        assert_eq!(excerpt(b" {\n\t\"ok\": true }\0", &[]), "{  \"ok\": true }");
        assert_eq!(excerpt("é".repeat(300).as_bytes(), &[]).chars().count(), EXCERPT_CHARS);
    }

    #[test]
    fn credentials_are_redacted_from_excerpts() {
        let own = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        let secrets = headers::secret_values(&own(&[
            ("authorization", "Basic ZGVzazpoYWxsbyI/P3dlbHQ="),
            ("x-key", "Zq8/vW3n\"X5kR"),
            ("x-token", "Bearer t0ken"),
        ]));
        for (echo, kept) in [
            ("authorization: Basic ZGVzazpoYWxsbyI/P3dlbHQ=", "authorization: ***"),
            ("token ZGVzazpoYWxsbyI/P3dlbHQ= is no good", "token *** is no good"),
            (r#"{"a":"Basic ZGVzazpoYWxsbyI\/P3dlbHQ="}"#, r#"{"a":"***"}"#),
            ("nobody knows desk:hallo\"??welt", "nobody knows ***"),
            ("desk may not: hallo\"??welt", "desk may not: ***"),
            (r#"{"key":"Zq8/vW3n\"X5kR"}"#, r#"{"key":"***"}"#),
            ("bad t0ken, Bearer t0ken", "bad ***, ***"),
            ("cut off: Zq8/vW3", "cut off: ***"),
            ("no such table", "no such table"),
        ] {
            assert_eq!(excerpt(echo.as_bytes(), &secrets), kept, "{echo}");
        }
    }
}
