//! The way to Beds24's API: the token stands in a header of its own.

use gassync_plugin::{
    ChannelError,
    http::{Request, Response},
    percent_encode,
};

use crate::settings::Settings;

/// Parameters of a query; the same name may come several times.
pub(crate) type Parameters = Vec<(&'static str, String)>;

/// Asks for something.
pub(crate) fn get(settings: &Settings, path: &str, parameters: &Parameters) -> Result<Response, ChannelError> {
    let query: Vec<String> = parameters.iter().map(|(key, value)| format!("{key}={}", percent_encode(value))).collect();
    let separator = if query.is_empty() { "" } else { "?" };
    with_token(Request::get(format!("{}{separator}{}", settings.url(path), query.join("&")))).send()
}

/// A request that writes; it is a list whatever it writes.
pub(crate) fn post(settings: &Settings, path: &str, body: impl Into<Vec<u8>>) -> Request {
    with_token(Request::post_json(settings.url(path), body))
}

fn with_token(request: Request) -> Request {
    request.header("token", "{{beds24.token}}").secret("beds24.token")
}
