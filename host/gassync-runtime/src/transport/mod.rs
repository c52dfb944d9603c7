//! How requests travel: over the network, or from a list of answers.

mod http;
mod pools;
mod replay;

use async_trait::async_trait;
use gassync_domain::HttpResponse;
use url::Url;

pub use http::{AddressPolicy, HttpTransport, Network, Resolver};
pub use replay::ReplayTransport;

/// A request with its secrets filled in. It has no way to be shown.
#[derive(Clone)]
pub struct OutgoingRequest {
    /// Upper case.
    pub method: String,
    /// Granted.
    pub url: Url,
    /// The address as it was written, its secrets still placeholders.
    pub shown: String,
    /// Filled.
    pub headers: Vec<(String, String)>,
    /// Filled.
    pub body: Option<Vec<u8>>,
    /// The operator lets this host be a private address.
    pub may_be_private: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The name leads to an address that may not be called.
    #[error("{0} leads to an address that may not be called")]
    AddressRefused(String),
    /// What the channel allows is used up; in so many seconds there is room again. Nothing was sent.
    #[error("the channel's limit is used up for {0} seconds")]
    RateLimited(u32),
    /// The channel has failed too often: it is left alone for so many seconds. Nothing was sent.
    #[error("the channel has failed too often and is left alone for {0} seconds")]
    CircuitOpen(u32),
    /// The channel took too long.
    #[error("it timed out")]
    TimedOut,
    /// The answer is over this many bytes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// Nobody answered.
    #[error("it could not connect: {0}")]
    Connect(String),
    /// The certificate is not good.
    #[error("TLS failed: {0}")]
    Tls(String),
}

/// Sends a request and reads the answer.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Never repeats, never follows a redirect.
    async fn send(&self, request: OutgoingRequest) -> Result<HttpResponse, SendError>;
}
