//! HTTP requests: granted hosts only, secrets as placeholders.

use crate::{ChannelError, FieldError, Header, HttpRequest, HttpResponse, clock, instant::moment};

pub use crate::generated::gassync::channel::http::{Capture, HttpError};

/// A request builder.
#[derive(Debug, Clone)]
pub struct Request {
    request: HttpRequest,
    secrets: Vec<String>,
}

/// A response.
#[derive(Debug, Clone)]
pub struct Response(HttpResponse);

impl Request {
    /// A GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::bare("GET", url)
    }

    /// A POST request with JSON.
    pub fn post_json(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::with_body("POST", url, "application/json", body)
    }

    /// A POST request with XML.
    pub fn post_xml(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::with_body("POST", url, "application/xml", body)
    }

    /// A request with a body of a content type.
    pub fn with_body(method: &str, url: impl Into<String>, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let content_type = Header { name: "content-type".to_owned(), value: content_type.to_owned() };
        let (method, url) = (method.to_owned(), url.into());
        let request = HttpRequest { method, url, headers: vec![content_type], body: Some(body.into()) };
        Self { request, secrets: Vec::new() }
    }

    /// A request with an XML document, whose secrets are declared.
    #[cfg(feature = "xml")]
    pub fn with_document(method: &str, url: impl Into<String>, content_type: &str, root: &crate::xml::Element) -> Self {
        let request = Self::with_body(method, url, content_type, root.document());
        root.secrets().into_iter().fold(request, Self::body_secret)
    }

    /// A request without a body, such as `DELETE`.
    pub fn bare(method: &str, url: impl Into<String>) -> Self {
        let request = HttpRequest { method: method.to_owned(), url: url.into(), headers: Vec::new(), body: None };
        Self { request, secrets: Vec::new() }
    }

    /// Declares `{{slot.field}}` in URL and headers as a secret that the host fills in; undeclared placeholders are
    /// plain text.
    #[must_use]
    pub fn secret(mut self, name: &str) -> Self {
        self.secrets.push(name.to_owned());
        self
    }

    /// The same for the body. If the body also contains user text, escape its braces.
    #[must_use]
    pub fn body_secret(mut self, name: &str) -> Self {
        self.secrets.push(format!("body:{name}"));
        self
    }

    /// Authenticates with user name and password of a slot of the kind `basic`: the host encodes them when it sends the
    /// request.
    #[must_use]
    pub fn basic_auth(self, slot: &str) -> Self {
        self.header("authorization", &format!("Basic {{{{{slot}.basic}}}}")).secret(&format!("{slot}.basic"))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request.headers.push(Header { name: name.to_owned(), value: value.to_owned() });
        self
    }

    /// Sends the request. Host and network failures become errors of the contract.
    pub fn send(self) -> Result<Response, ChannelError> {
        self.send_capturing(&[])
    }

    /// Sends the request; the host stores captured values of the response as secrets and masks them here.
    pub fn send_capturing(self, captures: &[Capture]) -> Result<Response, ChannelError> {
        send(self.request, &self.secrets, captures).map(Response).map_err(into_channel_error)
    }
}

impl HttpRequest {
    /// The body of a call, empty if there is none.
    pub fn bytes(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// The URL path without the query.
    pub fn path(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }
}

impl Response {
    /// Status code.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// A header by its case-insensitive name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value.as_str())
    }

    /// The delay of `Retry-After` in seconds, if given, for
    /// [`ChannelError::RateLimited`].
    pub fn retry_after(&self) -> Option<u32> {
        let said = self.header("retry-after")?.trim();
        said.parse().ok().or_else(|| seconds_until(said))
    }

    /// The bytes.
    pub fn body(&self) -> &[u8] {
        &self.0.body
    }

    /// The error of the contract for an unsuccessful response: unauthorized for 401 and 403, rate-limited for 429,
    /// rejected for other 4xx, otherwise unavailable. `problem` is the message of the channel, if readable.
    pub fn refusal(&self, problem: Option<String>) -> ChannelError {
        let problem = problem.unwrap_or_else(|| format!("status {}", self.status()));
        match self.status() {
            401 | 403 => ChannelError::Unauthorized(problem),
            429 => ChannelError::RateLimited(self.retry_after()),
            400..=499 => ChannelError::Rejected(vec![FieldError::new("", problem)]),
            _ => ChannelError::Unavailable(problem),
        }
    }
}

/// Seconds until an HTTP date, such as `Fri, 05 Mar 2027 10:00:00 GMT`; zero if it is past.
fn seconds_until(text: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let [_, day, month, year, time, "GMT"] = *text.split_whitespace().collect::<Vec<_>>() else { return None };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let (at, _) = moment(&format!("{year}-{month:02}-{day}T{time}Z"))?;
    let seconds = at - i64::try_from(clock::since_1970().as_secs()).ok()?;
    u32::try_from(seconds.max(0)).ok()
}

fn into_channel_error(error: HttpError) -> ChannelError {
    match error {
        HttpError::RateLimited(seconds) | HttpError::CircuitOpen(seconds) => ChannelError::RateLimited(seconds),
        HttpError::Credential(why) => ChannelError::Unauthorized(why),
        HttpError::BadRequest(why) => ChannelError::Broken(format!("the request may not be made: {why}")),
        HttpError::NotGranted(why) => ChannelError::Unavailable(format!("not granted: {why}")),
        HttpError::AddressRefused(host) => ChannelError::Unavailable(format!("address refused: {host}")),
        HttpError::TimedOut => ChannelError::Unavailable("timed out".to_owned()),
        HttpError::TooLarge(limit) => ChannelError::Unavailable(format!("an answer over {limit} bytes")),
        HttpError::Connect(why) => ChannelError::Unavailable(format!("cannot connect: {why}")),
        HttpError::Tls(why) => ChannelError::Unavailable(format!("TLS: {why}")),
    }
}

#[cfg(target_arch = "wasm32")]
fn send(request: HttpRequest, secrets: &[String], captures: &[Capture]) -> Result<HttpResponse, HttpError> {
    crate::generated::gassync::channel::http::send(&request, secrets, captures)
}

#[cfg(not(target_arch = "wasm32"))]
fn send(request: HttpRequest, secrets: &[String], _: &[Capture]) -> Result<HttpResponse, HttpError> {
    crate::testing::send(request, secrets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeHost;

    fn answer(status: u16, retry_after: &str) -> Response {
        let header = Header { name: "Retry-After".to_owned(), value: retry_after.to_owned() };
        Response(HttpResponse { status, headers: vec![header], body: Vec::new() })
    }

    #[test]
    fn a_wait_is_seconds_or_its_end() {
        FakeHost::set_now("2027-03-05T09:58:00Z");
        let wait = |text: &str| answer(429, text).retry_after();
        assert_eq!((wait("120"), wait("Fri, 05 Mar 2027 10:00:00 GMT")), (Some(120), Some(120)));
        assert_eq!(wait("Fri, 05 Mar 2027 09:00:00 GMT"), Some(0));
        for none in ["", "soon", "-1", "Fri, 05 Mar 2027 10:00:00 CET", "Fri, 31 Feb 2027 10:00:00 GMT"] {
            assert_eq!(wait(none), None, "{none}");
        }
    }

    #[test]
    fn each_refusal_has_its_name() {
        let refusal = |status: u16| answer(status, "120").refusal(Some("so it is".to_owned()));
        assert_eq!(refusal(401), ChannelError::Unauthorized("so it is".to_owned()));
        assert_eq!(refusal(403), refusal(401));
        assert_eq!(refusal(429), ChannelError::RateLimited(Some(120)));
        assert_eq!(refusal(422), ChannelError::Rejected(vec![FieldError::new("", "so it is")]));
        assert_eq!(refusal(503), ChannelError::Unavailable("so it is".to_owned()));
        // Redirects are not followed, so a redirect is a failure.
        assert_eq!(answer(302, "").refusal(None), ChannelError::Unavailable("status 302".to_owned()));
    }

    #[test]
    fn a_password_is_named_and_never_seen() {
        FakeHost::reset();
        FakeHost::answer(200, "");
        Request::get("https://api.example.org/").basic_auth("acme").send().expect("an answer");
        let sent = FakeHost::take_requests();
        let header = |header: &Header| (header.name.clone(), header.value.clone());
        let expected = ("authorization".to_owned(), "Basic {{acme.basic}}".to_owned());
        assert_eq!(sent[0].headers.iter().map(header).collect::<Vec<_>>(), [expected]);
        assert_eq!(FakeHost::secrets_meant(), ["acme.basic"]);
    }

    #[test]
    fn a_call_may_have_no_body_and_no_question_mark() {
        let call = |url: &str, body: Option<Vec<u8>>| HttpRequest {
            method: "POST".to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body,
        };
        assert_eq!(
            (call("/a/b?c=/d", None).path(), call("/a", None).path(), call("", None).path()),
            ("/a/b", "/a", "")
        );
        assert_eq!((call("/", Some(vec![1, 2])).bytes(), call("/", None).bytes()), (&[1, 2][..], &[][..]));
    }
}
