//! The way to the network: granted hosts only, secrets as placeholders.

use crate::{ChannelError, Header, HttpRequest, HttpResponse};

pub use crate::generated::gassync::channel::http::HttpError;

/// A request being put together.
#[derive(Debug, Clone)]
pub struct Request(HttpRequest);

/// An answer.
#[derive(Debug, Clone)]
pub struct Response(HttpResponse);

impl Request {
    /// Asks for something.
    pub fn get(url: impl Into<String>) -> Self {
        Self(HttpRequest { method: "GET".to_owned(), url: url.into(), headers: Vec::new(), body: None })
    }

    /// Sends JSON.
    pub fn post_json(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        let content_type = Header { name: "content-type".to_owned(), value: "application/json".to_owned() };
        Self(HttpRequest {
            method: "POST".to_owned(),
            url: url.into(),
            headers: vec![content_type],
            body: Some(body.into()),
        })
    }

    /// Adds a header. A secret is written `{{slot.field}}`: the host fills it in.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push(Header { name: name.to_owned(), value: value.to_owned() });
        self
    }

    /// Sends it. What the host or the network refuses becomes the error that the contract has for it.
    pub fn send(self) -> Result<Response, ChannelError> {
        send(self.0).map(Response).map_err(into_channel_error)
    }
}

impl Response {
    /// Status code.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// A header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value.as_str())
    }

    /// The bytes.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }
}

fn into_channel_error(error: HttpError) -> ChannelError {
    match error {
        HttpError::RateLimited(seconds) | HttpError::CircuitOpen(seconds) => ChannelError::RateLimited(seconds),
        HttpError::Credential(why) => ChannelError::Unauthorized(why),
        HttpError::NotGranted(why) => ChannelError::Unavailable(format!("not granted: {why}")),
        HttpError::AddressRefused(host) => ChannelError::Unavailable(format!("address refused: {host}")),
        HttpError::TimedOut => ChannelError::Unavailable("timed out".to_owned()),
        HttpError::TooLarge(limit) => ChannelError::Unavailable(format!("an answer over {limit} bytes")),
        HttpError::Connect(why) => ChannelError::Unavailable(format!("cannot connect: {why}")),
        HttpError::Tls(why) => ChannelError::Unavailable(format!("TLS: {why}")),
    }
}

#[cfg(target_arch = "wasm32")]
fn send(request: HttpRequest) -> Result<HttpResponse, HttpError> {
    crate::generated::gassync::channel::http::send(&request, &[])
}

#[cfg(not(target_arch = "wasm32"))]
fn send(request: HttpRequest) -> Result<HttpResponse, HttpError> {
    crate::testing::send(request)
}
