use std::collections::VecDeque;

use async_trait::async_trait;
use gassync_domain::HttpResponse;
use parking_lot::Mutex;

use super::{OutgoingRequest, SendError, Transport};

/// Serves responses from a list, then 503.
#[derive(Debug)]
pub struct ReplayTransport {
    responses: Mutex<VecDeque<HttpResponse>>,
}

impl ReplayTransport {
    /// Creates a transport with these responses.
    pub fn new(responses: Vec<HttpResponse>) -> Self {
        Self { responses: Mutex::new(responses.into()) }
    }
}

#[async_trait]
impl Transport for ReplayTransport {
    async fn send(&self, _: OutgoingRequest) -> Result<HttpResponse, SendError> {
        let next = self.responses.lock().pop_front();
        Ok(next.unwrap_or_else(|| HttpResponse { status: 503, headers: Vec::new(), body: Vec::new() }))
    }
}
