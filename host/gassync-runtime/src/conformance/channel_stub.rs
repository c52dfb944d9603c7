//! The channel as a check wants it: answers in order, then one for ever, and a note of what arrived.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use gassync_domain::HttpResponse;

use crate::{OutgoingRequest, SendError, Transport};

/// An answer, or none.
pub(super) type StubAnswer = Result<HttpResponse, SendError>;

/// One call's way to the channel.
pub(super) struct ChannelStub {
    first: Mutex<VecDeque<HttpResponse>>,
    then: StubAnswer,
    received: Mutex<Vec<OutgoingRequest>>,
}

impl ChannelStub {
    /// Answers every request alike.
    pub fn always(answer: StubAnswer) -> Self {
        Self { first: Mutex::default(), then: answer, received: Mutex::default() }
    }

    /// Plays these, and is down after them.
    pub fn replaying(answers: Vec<HttpResponse>) -> Self {
        let down = HttpResponse { status: 503, headers: Vec::new(), body: Vec::new() };
        Self { first: Mutex::new(answers.into()), ..Self::always(Ok(down)) }
    }

    /// Plays these, and then answers every request alike.
    pub fn then(answers: &[HttpResponse], answer: StubAnswer) -> Self {
        Self { first: Mutex::new(answers.to_vec().into()), ..Self::always(answer) }
    }

    /// What arrived so far.
    pub fn received(&self) -> MutexGuard<'_, Vec<OutgoingRequest>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for ChannelStub {
    async fn send(&self, request: OutgoingRequest) -> StubAnswer {
        self.received().push(request);
        let next = self.first.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        next.map_or_else(|| self.then.clone(), Ok)
    }
}
