//! Channel faults, and the results allowed for each.

use gassync_domain::{ChannelError, HttpResponse, Outcome};

use super::{channel_stub::StubAnswer, describe};
use crate::{CallError, Manifest, SendError};

/// Retry delay requested by the channel, in seconds.
const WAIT_SECONDS: u32 = 120;
/// Maximum accepted retry delay, in seconds.
const MAX_WAIT_SECONDS: u32 = 600;
const HTML: &str = "<!DOCTYPE html><html><head><title>Maintenance</title></head><body><p>Back soon.</p></body></html>";
/// Truncated response used if there is no sample to truncate.
const CUT_OFF: &str = "{\"success\":true,\"data\":[{\"id\":";

/// A channel fault, and the results allowed for it.
pub(super) struct FaultCase {
    pub name: &'static str,
    pub question: &'static str,
    kind: Kind,
    /// Names of the contract's errors.
    errors: &'static [&'static str],
    /// Names of allowed outcomes of pushes.
    pub outcomes: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Status(&'static [u16]),
    SlowDown,
    Html,
    Empty,
    CutOff,
    Silence,
}

pub(super) const FAULT_CASES: [FaultCase; 8] = [
    FaultCase {
        name: "errors.unauthorized",
        question: "Is status 401 unauthorized?",
        kind: Kind::Status(&[401]),
        errors: &["unauthorized"],
        outcomes: &["refused"],
    },
    FaultCase {
        name: "errors.forbidden",
        question: "Is status 403 unauthorized or rejected?",
        kind: Kind::Status(&[403]),
        errors: &["unauthorized", "rejected"],
        outcomes: &["refused"],
    },
    FaultCase {
        name: "errors.rate-limited",
        question: "Is status 429 rate-limited, with the seconds it says?",
        kind: Kind::SlowDown,
        errors: &["rate-limited"],
        outcomes: &["retry"],
    },
    FaultCase {
        name: "errors.unavailable",
        question: "Are status 500 and 503 unavailable?",
        kind: Kind::Status(&[500, 503]),
        errors: &["unavailable", "rate-limited"],
        outcomes: &["retry", "unknown"],
    },
    FaultCase {
        name: "errors.html",
        question: "Is an HTML page with status 200 an error?",
        kind: Kind::Html,
        errors: &["malformed", "unavailable"],
        outcomes: &["retry", "unknown", "refused", "accepted, to be read back"],
    },
    FaultCase {
        name: "errors.empty",
        question: "Is an empty body with status 200 an error?",
        kind: Kind::Empty,
        errors: &["malformed", "unavailable"],
        // Many channels return an empty body on success.
        outcomes: &["retry", "unknown", "refused", "accepted, to be read back", "accepted"],
    },
    FaultCase {
        name: "errors.cut-off",
        question: "Is a truncated response an error?",
        kind: Kind::CutOff,
        errors: &["malformed", "unavailable"],
        outcomes: &["retry", "unknown", "refused", "accepted, to be read back"],
    },
    FaultCase {
        name: "errors.no-answer",
        question: "Is a channel that does not answer unavailable?",
        kind: Kind::Silence,
        errors: &["unavailable"],
        outcomes: &["retry", "unknown"],
    },
];

impl FaultCase {
    /// Returns the channel's responses in this fault, with descriptions; `whole` is a valid response.
    pub fn answers(&self, manifest: &Manifest, whole: Option<&HttpResponse>) -> Vec<(String, StubAnswer)> {
        let one = |how: &str, answer: HttpResponse| vec![(how.to_owned(), Ok(answer))];
        match self.kind {
            Kind::Status(statuses) => {
                let refusal = |status: &u16| answer(*status, "application/json", br#"{"error":"no"}"#);
                statuses.iter().map(|status| (format!("status {status}"), Ok(refusal(status)))).collect()
            }
            Kind::SlowDown => {
                let mut answer = answer(429, "application/json", br#"{"error":"slow down"}"#);
                // The manifest lists the channel's own rate limit headers.
                let own = manifest.rate_limits.iter().filter_map(|limit| limit.headers.get("resetsIn")).flatten();
                let names: Vec<&str> = own.map(String::as_str).chain(["retry-after"]).collect();
                answer.headers.extend(names.iter().map(|name| ((*name).to_owned(), WAIT_SECONDS.to_string())));
                one(&format!("status 429 with {}: {WAIT_SECONDS}", names.join(" and ")), answer)
            }
            Kind::Html => one("status 200 and a web page", answer(200, "text/html", HTML.as_bytes())),
            Kind::Empty => one("status 200 and no body", answer(200, "application/json", b"")),
            Kind::CutOff => {
                let mut half =
                    whole.cloned().unwrap_or_else(|| answer(200, "application/json", CUT_OFF.repeat(2).as_bytes()));
                half.body.truncate(half.body.len() / 2);
                one(&format!("status 200 and half an answer: {}", describe::excerpt(&half.body)), half)
            }
            Kind::Silence => {
                let refused = SendError::Connect("connection refused".to_owned());
                vec![("a time-out".to_owned(), Err(SendError::TimedOut)), ("no connection".to_owned(), Err(refused))]
            }
        }
    }

    pub fn allows_error(&self, error: &CallError) -> bool {
        match error {
            CallError::Channel(ChannelError::RateLimited(seconds)) if self.kind == Kind::SlowDown => waits(*seconds),
            CallError::Channel(error) => self.errors.contains(&error.name()),
            _ => false,
        }
    }

    pub fn allows_outcome(&self, outcome: &Outcome) -> bool {
        let name = match outcome {
            Outcome::Retry(seconds) if self.kind == Kind::SlowDown => return waits(*seconds),
            Outcome::Accepted { confirmed: true, .. } => "accepted",
            Outcome::Accepted { .. } => "accepted, to be read back",
            Outcome::Refused(_) => "refused",
            Outcome::Retry(_) => "retry",
            Outcome::Unknown => "unknown",
            // The plugin may use a term that the contract does not have.
            Outcome::Other { .. } => return true,
        };
        self.outcomes.contains(&name)
    }

    /// True if success may look like this: many channels return an empty body on success.
    pub fn allows_success(&self) -> bool {
        self.outcomes.contains(&"accepted")
    }

    pub fn expected(&self, outcomes: &[&str]) -> String {
        let mut text = format!("the error {}", self.errors.join(" or "));
        if self.kind == Kind::SlowDown {
            text.push_str(&format!("({WAIT_SECONDS})"));
        }
        if !outcomes.is_empty() {
            text.push_str(&format!(", or the outcome {}", outcomes.join(" or ")));
        }
        text
    }
}

fn answer(status: u16, content_type: &str, body: &[u8]) -> HttpResponse {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    HttpResponse { status, headers, body: body.to_vec() }
}

/// True if the retry delay is acceptable: a short one causes another refusal, a long one loses bookings.
fn waits(seconds: Option<u32>) -> bool {
    seconds.is_some_and(|seconds| (WAIT_SECONDS..=MAX_WAIT_SECONDS).contains(&seconds))
}
