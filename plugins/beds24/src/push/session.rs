//! One call that writes, and how often it may ask: a call that asks more often than its budget allows is ended, and nobody
//! would know what it has done.

use gassync_plugin::{Attempt, ChannelError, FieldError, Operation, Outcome};
use serde_json::value::RawValue;

use crate::{
    client::{self, Parameters},
    envelope::{self, MAX_PAGES},
    push::write_results::{self, BatchResult},
    settings::Settings,
};

/// Requests of one call.
const MAX_REQUESTS: u32 = 19;
/// Those of them that may look before anything is written.
const MAX_LOOKUPS: u32 = 14;

pub(crate) struct WriteSession {
    pub settings: Settings,
    lookups: u32,
    written: u32,
    /// Whether anything may have been written by now: from then on nothing may end the call as a whole.
    pub has_written: bool,
    /// Since Beds24 has had enough of us, or is not there: nothing more is asked in this call, which would only wait.
    backoff: Option<Backoff>,
}

/// Why nothing more is asked, and after how many seconds it may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Backoff {
    Later(Option<u32>),
    Gone,
}

/// Why an operation is not gone on with.
#[derive(Debug)]
pub(crate) enum Abort {
    Refused(Vec<FieldError>),
    Later(Option<u32>),
    /// Nobody could look.
    Unclear,
    /// The whole call.
    Call(ChannelError),
}

impl WriteSession {
    pub fn open() -> Result<Self, ChannelError> {
        Ok(Self { settings: Settings::read()?, lookups: 0, written: 0, has_written: false, backoff: None })
    }

    /// Looks at bookings, at all that there are of what is asked for.
    pub fn lookup_pages(&mut self, parameters: &Parameters) -> Result<Vec<Box<RawValue>>, Abort> {
        if let Some(back_off) = self.backoff {
            return Err(back_off.into());
        }
        // As a rule it is one page; there must be room for all of them.
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

    /// Asks nothing more.
    pub fn back_off(&mut self, back_off: Backoff) -> Backoff {
        *self.backoff.get_or_insert(back_off)
    }

    /// Whether something that takes so many requests may still be written; else what is to be written waits.
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
    /// What became of the operation; an error where the whole call ends.
    pub fn outcome(self, operation: &Operation) -> Result<Outcome, ChannelError> {
        match self {
            Self::Refused(errors) => Ok(Outcome::Refused(errors)),
            Self::Later(seconds) => Ok(Outcome::Retry(seconds)),
            // What may be there already stays unknown until somebody has looked.
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
