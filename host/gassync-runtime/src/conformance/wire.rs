//! The channel as a check wants it: answers in order, then one for ever, and a note of what arrived.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use gassync_domain::HttpResponse;

use crate::{OutgoingRequest, SendError, Transport};

/// An answer, or none.
pub(super) type Answer = Result<HttpResponse, SendError>;

/// One call's way to the channel.
pub(super) struct Wire {
    first: Mutex<VecDeque<HttpResponse>>,
    then: Answer,
    arrived: Mutex<Vec<OutgoingRequest>>,
}

impl Wire {
    /// Answers every request alike.
    pub fn always(answer: Answer) -> Self {
        Self { first: Mutex::default(), then: answer, arrived: Mutex::default() }
    }

    /// Plays these, and is down after them.
    pub fn playing(answers: Vec<HttpResponse>) -> Self {
        let down = HttpResponse { status: 503, headers: Vec::new(), body: Vec::new() };
        Self { first: Mutex::new(answers.into()), ..Self::always(Ok(down)) }
    }

    /// Plays these, and then answers every request alike.
    pub fn then(answers: &[HttpResponse], answer: Answer) -> Self {
        Self { first: Mutex::new(answers.to_vec().into()), ..Self::always(answer) }
    }

    /// What arrived so far.
    pub fn arrived(&self) -> MutexGuard<'_, Vec<OutgoingRequest>> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: OutgoingRequest) -> Answer {
        self.arrived().push(request);
        let next = self.first.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        next.map_or_else(|| self.then.clone(), Ok)
    }
}
