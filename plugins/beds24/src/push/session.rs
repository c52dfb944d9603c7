//! A push call with its request budget. The host ends a call that exceeds its limit, which would leave the results
//! unknown.

use gassync_plugin::{Attempt, ChannelError, FieldError, Operation, Outcome};
use serde_json::value::RawValue;

use crate::{
    client::{self, Parameters},
    envelope::{self, MAX_PAGES},
    push::write_results::{self, BatchResult},
    settings::Settings,
};

/// Maximum requests per call.
const MAX_REQUESTS: u32 = 19;
/// Maximum lookups among them, before the first write.
const MAX_LOOKUPS: u32 = 14;

pub(crate) struct WriteSession {
    pub settings: Settings,
    lookups: u32,
    written: u32,
    /// True once a write was sent: from then on no error may end the whole call.
    pub has_written: bool,
    /// Set once Beds24 limits requests or is unreachable. No further requests are sent in this call.
    backoff: Option<Backoff>,
}

/// Why no further requests are sent, with the retry delay in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Backoff {
    Later(Option<u32>),
    Gone,
}

/// Why planning of an operation stopped.
#[derive(Debug)]
pub(crate) enum Abort {
    Refused(Vec<FieldError>),
    Later(Option<u32>),
    /// The lookup failed.
    Unclear,
    /// An error of the whole call.
    Call(ChannelError),
}

impl WriteSession {
    pub fn open() -> Result<Self, ChannelError> {
        Ok(Self { settings: Settings::read()?, lookups: 0, written: 0, has_written: false, backoff: None })
    }

    /// Looks up bookings on all pages.
    pub fn lookup_pages(&mut self, parameters: &Parameters) -> Result<Vec<Box<RawValue>>, Abort> {
        if let Some(back_off) = self.backoff {
            return Err(back_off.into());
        }
        // Usually there is one page, but all must fit.
        if self.lookups + MAX_PAGES > MAX_LOOKUPS {
            return Err(Abort::Unclear);
        }
        let (items, pages) = envelope::ask_whole(&self.settings, "/bookings", parameters);
        self.lookups += pages;
        items.map_err(|error| match error {
            ChannelError::RateLimited(seconds) => self.back_off(Backoff::Later(seconds)).into(),
            ChannelError::Unavailable(_) => self.back_off(Backoff::Gone).into(),
            ChannelError::Unauthorized(_) | ChannelError::Broken(_) => Abort::Call(error),
            _ => Abort::Unclear,
        })
    }

    /// Stops further requests; the first reason is kept.
    pub fn back_off(&mut self, back_off: Backoff) -> Backoff {
        *self.backoff.get_or_insert(back_off)
    }

    /// Checks that this many requests remain for a write; otherwise returns the outcome that defers it.
    pub fn may_write(&mut self, requests: u32) -> Result<(), Outcome> {
        if MAX_REQUESTS.saturating_sub(self.lookups + self.written) < requests {
            self.back_off(Backoff::Later(None));
        }
        match self.backoff {
            None => Ok(()),
            Some(Backoff::Later(seconds)) => Err(Outcome::Retry(seconds)),
            Some(Backoff::Gone) => Err(Outcome::Retry(None)),
        }
    }

    /// Writes bookings.
    pub fn write(&mut self, bookings: &[&RawValue]) -> Result<BatchResult, ChannelError> {
        self.written += 1;
        let body = serde_json::to_vec(bookings).map_err(|error| ChannelError::Broken(error.to_string()))?;
        let answered = write_results::send(client::post(&self.settings, "/bookings", body))?;
        self.has_written |= !matches!(answered, BatchResult::Later(_));
        Ok(answered)
    }
}

impl Abort {
    /// Converts to the operation's outcome; an error ends the whole call.
    pub fn outcome(self, operation: &Operation) -> Result<Outcome, ChannelError> {
        match self {
            Self::Refused(errors) => Ok(Outcome::Refused(errors)),
            Self::Later(seconds) => Ok(Outcome::Retry(seconds)),
            // After an attempt without known result, the outcome stays unknown until a lookup succeeds.
            Self::Unclear if operation.attempt == Attempt::AfterUnknown => Ok(Outcome::Unknown),
            Self::Unclear => Ok(Outcome::Retry(None)),
            Self::Call(error) => Err(error),
        }
    }
}

impl From<Backoff> for Abort {
    fn from(back_off: Backoff) -> Self {
        match back_off {
            Backoff::Later(seconds) => Self::Later(seconds),
            Backoff::Gone => Self::Unclear,
        }
    }
}

impl From<FieldError> for Abort {
    fn from(error: FieldError) -> Self {
        Self::Refused(vec![error])
    }
}
