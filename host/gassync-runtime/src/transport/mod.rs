//! Transports: the network, or a list of recorded responses.

mod http;
mod pools;
mod replay;

use async_trait::async_trait;
use gassync_domain::HttpResponse;
use url::Url;

pub use http::{AddressPolicy, HttpTransport, Network, Resolver};
pub use replay::ReplayTransport;

/// A request with its secrets filled in. It deliberately implements neither `Debug` nor `Display`.
#[derive(Clone)]
pub struct OutgoingRequest {
    /// Upper case.
    pub method: String,
    /// The URL, already granted.
    pub url: Url,
    /// The URL as written, with placeholders, for logs.
    pub shown: String,
    /// With secrets.
    pub headers: Vec<(String, String)>,
    /// With secrets.
    pub body: Option<Vec<u8>>,
    /// True if the operator allows this host to have a private address.
    pub may_be_private: bool,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The host resolves to an address that may not be called.
    #[error("{0} resolves to an address that may not be called")]
    AddressRefused(String),
    /// The rate limit is exhausted for this many seconds. Nothing was sent.
    #[error("the channel's rate limit is exhausted for {0} seconds")]
    RateLimited(u32),
    /// The circuit breaker is open for this many seconds. Nothing was sent.
    #[error("the channel's circuit breaker is open for {0} seconds")]
    CircuitOpen(u32),
    /// The request timed out.
    #[error("it timed out")]
    TimedOut,
    /// The response exceeds this many bytes.
    #[error("the response is larger than {0} bytes")]
    TooLarge(u64),
    /// The connection failed.
    #[error("connection failed: {0}")]
    Connect(String),
    /// The TLS handshake failed.
    #[error("TLS failed: {0}")]
    Tls(String),
}

/// Sends a request and reads the response.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request once, without retries or redirects.
    async fn send(&self, request: OutgoingRequest) -> Result<HttpResponse, SendError>;
}
