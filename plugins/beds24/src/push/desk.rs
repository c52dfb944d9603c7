//! One call that writes, and how often it may ask: a call that asks more often than its budget allows is ended, and nobody
//! would know what it has done.

use gassync_plugin::{Attempt, ChannelError, FieldError, Operation, Outcome};
use serde_json::value::RawValue;

use crate::{
    client::{self, Parameters},
    envelope::{self, MAX_PAGES},
    push::written::{self, Answered},
    settings::Settings,
};

/// Requests of one call.
const MAX_REQUESTS: u32 = 19;
/// Those of them that may look before anything is written.
const MAX_LOOKS: u32 = 14;

pub(crate) struct Desk {
    pub settings: Settings,
    looked: u32,
    written: u32,
    /// Whether anything may have been written by now: from then on nothing may end the call as a whole.
    pub has_written: bool,
    /// Since Beds24 has had enough of us, or is not there: nothing more is asked in this call, which would only wait.
    stopped: Option<Stop>,
}

/// Why nothing more is asked, and after how many seconds it may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stop {
    Later(Option<u32>),
    Gone,
}

/// Why an operation is not gone on with.
#[derive(Debug)]
pub(crate) enum Halt {
    Refused(Vec<FieldError>),
    Later(Option<u32>),
    /// Nobody could look.
    Unclear,
    /// The whole call.
    Call(ChannelError),
}

impl Desk {
    pub fn open() -> Result<Self, ChannelError> {
        Ok(Self { settings: Settings::read()?, looked: 0, written: 0, has_written: false, stopped: None })
    }

    /// Looks at bookings, at all that there are of what is asked for.
    pub fn look(&mut self, parameters: &Parameters) -> Result<Vec<Box<RawValue>>, Halt> {
        if let Some(stop) = self.stopped {
            return Err(stop.into());
        }
        // As a rule it is one page; there must be room for all of them.
        if self.looked + MAX_PAGES > MAX_LOOKS {
            return Err(Halt::Unclear);
        }
        let (items, pages) = envelope::ask_whole(&self.settings, "/bookings", parameters);
        self.looked += pages;
        items.map_err(|error| match error {
            ChannelError::RateLimited(seconds) => self.stop(Stop::Later(seconds)).into(),
            ChannelError::Unavailable(_) => self.stop(Stop::Gone).into(),
            ChannelError::Unauthorized(_) | ChannelError::Broken(_) => Halt::Call(error),
            _ => Halt::Unclear,
        })
    }

    /// Asks nothing more.
    pub fn stop(&mut self, stop: Stop) -> Stop {
        *self.stopped.get_or_insert(stop)
    }

    /// Whether something that takes so many requests may still be written; else what is to be written waits.
    pub fn may_write(&mut self, requests: u32) -> Result<(), Outcome> {
        if MAX_REQUESTS.saturating_sub(self.looked + self.written) < requests {
            self.stop(Stop::Later(None));
        }
        match self.stopped {
            None => Ok(()),
            Some(Stop::Later(seconds)) => Err(Outcome::Retry(seconds)),
            Some(Stop::Gone) => Err(Outcome::Retry(None)),
        }
    }

    /// Writes bookings.
    pub fn write(&mut self, bookings: &[&RawValue]) -> Result<Answered, ChannelError> {
        self.written += 1;
        let body = serde_json::to_vec(bookings).map_err(|error| ChannelError::Broken(error.to_string()))?;
        let answered = written::send(client::post(&self.settings, "/bookings", body))?;
        self.has_written |= !matches!(answered, Answered::Later(_));
        Ok(answered)
    }
}

impl Halt {
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

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Later(seconds) => Self::Later(seconds),
            Stop::Gone => Self::Unclear,
        }
    }
}

impl From<FieldError> for Halt {
    fn from(error: FieldError) -> Self {
        Self::Refused(vec![error])
    }
}
