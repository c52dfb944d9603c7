//! Requests to the Beds24 API, with the token in its own header.

use gassync_plugin::{
    ChannelError,
    http::{Request, Response},
    percent_encode,
};

use crate::settings::Settings;

/// Query parameters; names may repeat.
pub(crate) type Parameters = Vec<(&'static str, String)>;

/// Builds a GET request.
pub(crate) fn get(settings: &Settings, path: &str, parameters: &Parameters) -> Result<Response, ChannelError> {
    let query: Vec<String> = parameters.iter().map(|(key, value)| format!("{key}={}", percent_encode(value))).collect();
    let separator = if query.is_empty() { "" } else { "?" };
    with_token(Request::get(format!("{}{separator}{}", settings.url(path), query.join("&")))).send()
}

/// Builds a POST request. The body is always a list.
pub(crate) fn post(settings: &Settings, path: &str, body: impl Into<Vec<u8>>) -> Request {
    with_token(Request::post_json(settings.url(path), body))
}

fn with_token(request: Request) -> Request {
    request.header("token", "{{beds24.token}}").secret("beds24.token")
}
