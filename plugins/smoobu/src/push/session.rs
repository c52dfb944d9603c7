//! A push call with its request budget. The host ends a call that exceeds its limit, which would leave the results
//! unknown and lose the state.

use gassync_plugin::{Attempt, ChannelError, Outcome, http};

use crate::signature::Request;

/// Maximum requests per call; the host allows 20.
const MAX_REQUESTS: u32 = 18;

/// A push call.
#[derive(Default)]
pub(crate) struct Session {
    asked: u32,
    /// True once a write was accepted: from then on no error may end the whole call.
    has_written: bool,
    /// True while nobody knows whether the current item's last write was accepted.
    in_doubt: bool,
    /// Set once Smoobu limits requests: no further ones are sent in this call.
    limited: Option<Option<u32>>,
    /// Warnings about the current item.
    pub warnings: Vec<String>,
}

impl Session {
    /// Runs an item; only errors of the whole call are errors.
    pub fn item(
        &mut self,
        attempt: Attempt,
        one: impl FnOnce(&mut Self) -> Result<Outcome, ChannelError>,
    ) -> Result<Outcome, ChannelError> {
        (self.in_doubt, self.warnings) = (false, Vec::new());
        let error = match one(self) {
            Ok(outcome) => return Ok(outcome),
            Err(error) => error,
        };
        Ok(match error {
            ChannelError::Rejected(errors) => Outcome::Refused(errors),
            ChannelError::RateLimited(seconds) => Outcome::Retry(seconds),
            // The results of earlier items must not be lost through this error; the next call will return it again.
            ChannelError::Unauthorized(_) | ChannelError::Broken(_) | ChannelError::Unsupported => {
                if !self.has_written {
                    return Err(error);
                }
                Outcome::Retry(None)
            }
            // After an attempt without known result, the outcome stays unknown until a lookup succeeds.
            _ if self.in_doubt || attempt == Attempt::AfterUnknown => Outcome::Unknown,
            _ => Outcome::Retry(None),
        })
    }

    /// Sends a request within the budget.
    pub fn ask(&mut self, request: Request) -> Result<http::Response, ChannelError> {
        if let Some(seconds) = self.limited {
            return Err(ChannelError::RateLimited(seconds));
        }
        if self.asked == MAX_REQUESTS {
            return Err(ChannelError::RateLimited(Some(0)));
        }
        self.asked += 1;
        let writes = request.writes();
        let answer = request.send();
        self.limited = match &answer {
            Err(ChannelError::RateLimited(seconds)) => Some(*seconds),
            Ok(answer) if answer.status() == 429 => match crate::refusal::of(answer) {
                ChannelError::RateLimited(seconds) => Some(seconds),
                _ => Some(None),
            },
            _ => None,
        };
        if writes {
            let status = answer.as_ref().map(http::Response::status);
            let is_sent = !matches!(answer, Err(ChannelError::RateLimited(_) | ChannelError::Unauthorized(_)));
            self.in_doubt = is_sent && !matches!(status, Ok(400..=499));
            self.has_written |= matches!(status, Ok(200..=299));
        }
        answer
    }
}
