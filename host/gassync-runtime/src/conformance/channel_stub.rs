//! A stub channel: plays responses in order, then one fixed answer for ever, and records the requests.

use std::collections::VecDeque;

use async_trait::async_trait;
use gassync_domain::HttpResponse;
use parking_lot::{Mutex, MutexGuard};

use crate::{OutgoingRequest, SendError, Transport};

/// A response, or a transport error.
pub(super) type StubAnswer = Result<HttpResponse, SendError>;

/// The transport of one call.
pub(super) struct ChannelStub {
    first: Mutex<VecDeque<HttpResponse>>,
    then: StubAnswer,
    received: Mutex<Vec<OutgoingRequest>>,
}

impl ChannelStub {
    /// Answers every request with the same response.
    pub fn always(answer: StubAnswer) -> Self {
        Self { first: Mutex::default(), then: answer, received: Mutex::default() }
    }

    /// Plays these responses, then answers 503.
    pub fn replaying(answers: Vec<HttpResponse>) -> Self {
        let down = HttpResponse { status: 503, headers: Vec::new(), body: Vec::new() };
        Self { first: Mutex::new(answers.into()), ..Self::always(Ok(down)) }
    }

    /// Plays these responses, then answers every further request the same way.
    pub fn then(answers: &[HttpResponse], answer: StubAnswer) -> Self {
        Self { first: Mutex::new(answers.to_vec().into()), ..Self::always(answer) }
    }

    /// Requests received so far.
    pub fn received(&self) -> MutexGuard<'_, Vec<OutgoingRequest>> {
        self.received.lock()
    }
}

#[async_trait]
impl Transport for ChannelStub {
    async fn send(&self, request: OutgoingRequest) -> StubAnswer {
        self.received().push(request);
        let next = self.first.lock().pop_front();
        next.map_or_else(|| self.then.clone(), Ok)
    }
}
