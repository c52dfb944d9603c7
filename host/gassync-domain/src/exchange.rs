use serde::{Deserialize, Serialize};

/// One header field.
pub type Header = (String, String);

/// An HTTP request, from us or from a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// Upper-case method.
    pub method: String,
    /// Absolute for our requests; path and query for requests to us.
    pub url: String,
    /// Headers, in order.
    pub headers: Vec<Header>,
    /// The body, if there is one.
    pub body: Option<Vec<u8>>,
}

/// An HTTP response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Headers, in order.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
}
