use serde::{Deserialize, Serialize};

/// One header field.
pub type Header = (String, String);

/// An HTTP call, ours or a channel's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// Upper-case method.
    pub method: String,
    /// Absolute for our calls; path and query for calls to us.
    pub url: String,
    /// Fields in order.
    pub headers: Vec<Header>,
    /// The bytes, where there are any.
    pub body: Option<Vec<u8>>,
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Fields in order.
    pub headers: Vec<Header>,
    /// The bytes.
    pub body: Vec<u8>,
}
