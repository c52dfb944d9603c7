use std::{fmt, sync::Arc, time::Duration};

use gassync_domain::{HttpRequest, HttpResponse};
use memchr::memmem;
use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use url::Url;

use crate::{
    Call, CredentialError, Credentials, Denial, Grant, Origin, OutgoingRequest, RecordedRequest, Secret, SendError,
    Transport,
    placeholder::{self, PlaceholderFiller},
};

/// Headers that only the host sets, in lower case.
const FORBIDDEN_HEADERS: [&str; 9] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
    "trailer",
    "proxy-authorization",
    "proxy-connection",
];
/// Methods that open a tunnel or echo the request.
const FORBIDDEN_METHODS: [&str; 2] = ["CONNECT", "TRACE"];
/// Maximum header fields per request.
const MAX_HEADERS: usize = 100;
/// Replaces secrets in responses.
const BLANK: &str = "***";
/// Prefix of a declared secret that is filled in the body. Bodies carry user text, so the URL and header names do not
/// apply there.
const IN_BODY: &str = "body:";
/// Shorter secrets, in bytes, are not masked in responses: they would match everywhere.
const MIN_BLANKED_BYTES: usize = 6;

/// The HTTP gate of one call. Cheap to clone, so that a guest can have several requests in flight.
#[derive(Clone)]
pub(crate) struct HttpGate {
    grant: Arc<Grant>,
    pub credentials: Arc<dyn Credentials>,
    transport: Arc<dyn Transport>,
    pub body_bytes: usize,
    seen: Arc<Mutex<RequestLog>>,
}

/// Requests of the call and their totals.
#[derive(Default)]
pub(crate) struct RequestLog {
    requests_left: u32,
    /// The call exceeded its request limit.
    pub over: bool,
    pub requests: Vec<RecordedRequest>,
    pub sent_bytes: u64,
    pub received_bytes: u64,
}

/// A part of a response to store as a secret.
pub(crate) struct SecretCapture {
    pub slot: String,
    pub field: String,
    /// A JSON pointer, or `header:NAME`.
    pub place: String,
    pub lifetime_seconds: Option<u32>,
}

/// Error returned to the guest instead of a response.
#[derive(Debug)]
pub(crate) enum HttpRefusal {
    NotGranted(String),
    BadRequest(String),
    AddressRefused(String),
    RateLimited(u32),
    CircuitOpen(u32),
    TimedOut,
    TooLarge(u64),
    Connect(String),
    Tls(String),
    Credential(String),
    /// The call ends: the request limit is exceeded.
    TooMany,
}

impl fmt::Display for HttpRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted(why) | Self::BadRequest(why) | Self::Connect(why) | Self::Credential(why) => {
                f.write_str(why)
            }
            Self::AddressRefused(host) => write!(f, "{host} resolves to an address that plugins may not call"),
            Self::RateLimited(seconds) => write!(f, "the channel's rate limit is exhausted for {seconds} seconds"),
            Self::CircuitOpen(seconds) => {
                write!(f, "the channel's circuit breaker is open for {seconds} seconds")
            }
            Self::TimedOut => f.write_str("it timed out"),
            Self::TooLarge(limit) => write!(f, "a body is larger than {limit} bytes"),
            Self::Tls(why) => write!(f, "TLS failed: {why}"),
            Self::TooMany => f.write_str("the call exceeded its request limit"),
        }
    }
}

impl From<CredentialError> for HttpRefusal {
    fn from(error: CredentialError) -> Self {
        Self::Credential(error.to_string())
    }
}

impl From<Denial> for HttpRefusal {
    fn from(denial: Denial) -> Self {
        Self::NotGranted(denial.to_string())
    }
}

impl From<SendError> for HttpRefusal {
    fn from(error: SendError) -> Self {
        match error {
            SendError::AddressRefused(host) => Self::AddressRefused(host),
            SendError::RateLimited(seconds) => Self::RateLimited(seconds),
            SendError::CircuitOpen(seconds) => Self::CircuitOpen(seconds),
            SendError::TimedOut => Self::TimedOut,
            SendError::TooLarge(limit) => Self::TooLarge(limit),
            SendError::Connect(text) => Self::Connect(text),
            SendError::Tls(text) => Self::Tls(text),
        }
    }
}

impl HttpGate {
    pub fn new(call: &Call) -> Self {
        let seen = RequestLog { requests_left: call.budget.requests, ..RequestLog::default() };
        Self {
            grant: Arc::new(call.grant.clone()),
            credentials: Arc::clone(&call.credentials),
            transport: Arc::clone(&call.transport),
            body_bytes: call.budget.body_bytes,
            seen: Arc::new(Mutex::new(seen)),
        }
    }

    /// The requests so far.
    pub fn seen(&self) -> MutexGuard<'_, RequestLog> {
        self.seen.lock()
    }

    /// Checks the request, fills declared placeholders, sends it, and stores captures.
    pub async fn send(
        &self,
        request: HttpRequest,
        declared: Vec<String>,
        captures: Vec<SecretCapture>,
    ) -> Result<HttpResponse, HttpRefusal> {
        let number = self.record(&request, &declared)?;
        let mut secrets = Vec::new();
        let prepared = self.prepare(request, &declared, &mut secrets).await;
        let outgoing =
            prepared.inspect_err(|refusal| self.seen().requests[number].refused = Some(refusal.to_string()))?;
        let sent = outgoing.body.as_ref().map_or(0, Vec::len) as u64;
        let mut response = self.transport.send(outgoing).await?;
        {
            let mut seen = self.seen();
            seen.requests[number].status = Some(response.status);
            seen.sent_bytes += sent;
            seen.received_bytes += response.body.len() as u64;
        }
        if response.body.len() > self.body_bytes {
            return Err(HttpRefusal::TooLarge(self.body_bytes as u64));
        }
        if !captures.is_empty() && (200..300).contains(&response.status) {
            self.capture(&mut response, &captures).await?;
        }
        blank(&mut response, &secrets);
        Ok(response)
    }

    fn record(&self, request: &HttpRequest, declared: &[String]) -> Result<usize, HttpRefusal> {
        let credential = declared.iter().find_map(|name| slot_of(name));
        let mut seen = self.seen();
        let Some(left) = seen.requests_left.checked_sub(1) else {
            seen.over = true;
            return Err(HttpRefusal::TooMany);
        };
        seen.requests_left = left;
        seen.requests.push(RecordedRequest {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            credential: credential.map(str::to_owned),
            status: None,
            refused: None,
        });
        Ok(seen.requests.len() - 1)
    }

    async fn prepare(
        &self,
        request: HttpRequest,
        declared: &[String],
        written: &mut Vec<String>,
    ) -> Result<OutgoingRequest, HttpRefusal> {
        let HttpRequest { method, url, headers, body } = request;
        let plain = method.bytes().all(|byte| byte.is_ascii_uppercase());
        if method.is_empty() || !plain || FORBIDDEN_METHODS.contains(&&*method) {
            return Err(HttpRefusal::BadRequest(format!("the method {method:?} may not be used")));
        }
        if headers.len() > MAX_HEADERS {
            return Err(HttpRefusal::BadRequest(format!("the request has more than {MAX_HEADERS} headers")));
        }
        if body.as_ref().is_some_and(|body| body.len() > self.body_bytes) {
            return Err(HttpRefusal::TooLarge(self.body_bytes as u64));
        }
        let (inside, outside): (Vec<String>, Vec<String>) =
            declared.iter().cloned().partition(|name| name.starts_with(IN_BODY));
        let inside: Vec<String> = inside.iter().map(|name| name[IN_BODY.len()..].to_owned()).collect();
        let secrets = &*self.credentials;
        let mut filler = PlaceholderFiller { secrets, declared: &outside, written };
        // Check the URL as written, before any secret is read. A URL that is itself a secret can only be checked once
        // filled.
        if !placeholder::is_alone(&url) {
            self.judge(&method, &absolute(&without_placeholders(&url))?)?;
        }
        let filled = absolute(&filler.fill(&url).await?)?;
        // A filled secret must not redirect the request.
        self.judge(&method, &filled)?;
        let mut slots = declared.iter().filter_map(|name| slot_of(name));
        if let Some(slot) = slots.find(|slot| !self.grant.allows_slot(slot, &method, &filled)) {
            return Err(HttpRefusal::Credential(format!(
                "secrets of {slot} may not be sent to {}",
                Origin::of(&filled)
            )));
        }
        let mut sent = Vec::with_capacity(headers.len());
        for (name, value) in headers {
            if FORBIDDEN_HEADERS.contains(&name.to_lowercase().as_str()) {
                return Err(HttpRefusal::BadRequest(format!("the header {name} is set by the host")));
            }
            let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            if name.is_empty() || !name.chars().all(token) {
                return Err(HttpRefusal::BadRequest(format!("{name:?} is not a valid header name")));
            }
            let value = filler.fill(&value).await?;
            if value.contains(['\r', '\n', '\0']) {
                return Err(HttpRefusal::BadRequest(format!("the header {name} contains a line break")));
            }
            sent.push((name, value));
        }
        let mut filler = PlaceholderFiller { secrets, declared: &inside, written };
        let body = match body {
            Some(bytes) => Some(match String::from_utf8(bytes) {
                Ok(text) => filler.fill(&text).await?.into_bytes(),
                Err(binary) => binary.into_bytes(),
            }),
            None => None,
        };
        let may_be_private = self.grant.allows_private(&filled);
        Ok(OutgoingRequest { method, url: filled, shown: url, headers: sent, body, may_be_private })
    }

    fn judge(&self, method: &str, url: &Url) -> Result<(), HttpRefusal> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HttpRefusal::BadRequest("the URL must not contain a user name".to_owned()));
        }
        Ok(self.grant.judge(method, url)?)
    }

    async fn capture(&self, response: &mut HttpResponse, captures: &[SecretCapture]) -> Result<(), HttpRefusal> {
        let mut body = serde_json::from_slice::<Value>(&response.body).ok();
        let mut blanked = false;
        for SecretCapture { slot, field, place, lifetime_seconds } in captures {
            let good_for = lifetime_seconds.map(|seconds| Duration::from_secs(seconds.into()));
            let keep = async |text: &str| self.credentials.keep(slot, field, Secret::new(text), good_for).await;
            if let Some(name) = place.strip_prefix("header:") {
                for (_, value) in response.headers.iter_mut().filter(|(n, _)| n.eq_ignore_ascii_case(name)) {
                    keep(value).await?;
                    BLANK.clone_into(value);
                }
            } else if let Some(value) = body.as_mut().and_then(|body| body.pointer_mut(place))
                && let Some(text) = value.as_str()
            {
                keep(text).await?;
                *value = Value::from(BLANK);
                blanked = true;
            }
        }
        if let Some(body) = body.filter(|_| blanked) {
            response.body = body.to_string().into_bytes();
        }
        Ok(())
    }
}

/// The slot of a declared secret, with or without the body prefix.
fn slot_of(name: &str) -> Option<&str> {
    name.strip_prefix(IN_BODY).unwrap_or(name).split_once('.').map(|(slot, _)| slot)
}

fn absolute(url: &str) -> Result<Url, HttpRefusal> {
    let mut url: Url = url.parse().map_err(|_| HttpRefusal::BadRequest("the URL is not absolute".to_owned()))?;
    url.set_fragment(None);
    Ok(url)
}

/// The URL without placeholder braces, so that it can be parsed.
fn without_placeholders(url: &str) -> String {
    url.replace("{{", "").replace("}}", "")
}

/// Masks secrets that the channel echoes in its response.
fn blank(response: &mut HttpResponse, secrets: &[String]) {
    for secret in secrets.iter().filter(|secret| secret.len() >= MIN_BLANKED_BYTES) {
        for (_, value) in &mut response.headers {
            if value.contains(secret) {
                *value = value.replace(secret, BLANK);
            }
        }
        let places: Vec<usize> = memmem::find_iter(&response.body, secret).collect();
        if places.is_empty() {
            continue;
        }
        let mut blanked = Vec::with_capacity(response.body.len());
        let mut from = 0;
        for place in places {
            blanked.extend_from_slice(&response.body[from..place]);
            blanked.extend_from_slice(BLANK.as_bytes());
            from = place + secret.len();
        }
        blanked.extend_from_slice(&response.body[from..]);
        response.body = blanked;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Budget, HostPattern, PlaceholderCredentials, ReplayTransport};

    fn gate(responses: Vec<HttpResponse>) -> HttpGate {
        HttpGate::new(&Call {
            grant: Grant::as_requested(vec![HostPattern::parse("https://ok.example").expect("a place")]),
            credentials: Arc::new(PlaceholderCredentials),
            transport: Arc::new(ReplayTransport::new(responses)),
            budget: Budget { requests: 3, ..Budget::decode() },
            ..Call::isolated("test")
        })
    }

    fn get(url: &str, headers: &[(&str, &str)]) -> HttpRequest {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        HttpRequest { method: "GET".into(), url: url.into(), headers, body: None }
    }

    #[tokio::test]
    async fn only_granted_hosts_and_valid_requests_are_sent() {
        let refused = async |request: HttpRequest| {
            gate(Vec::new()).send(request, vec!["a.b".into()], Vec::new()).await.expect_err("refused")
        };
        let refusal = refused(get("https://evil.example/", &[])).await;
        assert!(matches!(refusal, HttpRefusal::NotGranted(_)), "{refusal:?}");
        let refusal = refused(get("https://{{a.b}}.example/", &[])).await;
        assert!(matches!(refusal, HttpRefusal::NotGranted(_)), "{refusal:?}");
        for (url, headers) in [
            ("https://user:pass@ok.example/", &[][..]),
            ("//ok.example/", &[]),
            ("https://ok.example/", &[("Host", "evil.example")]),
            ("https://ok.example/", &[("Transfer-Encoding", "chunked")]),
            ("https://ok.example/", &[("x", "a\r\nHost: evil")]),
            ("https://ok.example/", &[("x\r\nHost", "evil")]),
            ("https://ok.example/", &[("x y", "z")]),
        ] {
            let refusal = refused(get(url, headers)).await;
            assert!(matches!(refusal, HttpRefusal::BadRequest(_)), "{url} {headers:?}: {refusal:?}");
        }
        for method in ["CONNECT", "TRACE", "get", "G ET", "", "GET\r\n"] {
            let refusal = refused(HttpRequest { method: method.into(), ..get("https://ok.example/", &[]) }).await;
            assert!(matches!(refusal, HttpRefusal::BadRequest(_)), "{method:?}: {refusal:?}");
        }
    }

    #[tokio::test]
    async fn captures_are_blanked_and_requests_counted() {
        let body = br#"{"token":"t0p","long":12345678901234567890}"#.to_vec();
        let headers = vec![("X-Next".to_owned(), "s3cret".to_owned())];
        let gate = gate(vec![HttpResponse { status: 200, headers, body }]);
        let capture = |place: &str| SecretCapture {
            slot: "s".into(),
            field: "token".into(),
            place: place.into(),
            lifetime_seconds: None,
        };
        let request = get("https://ok.example/x", &[("token", "{{s.token}}")]);
        let response = gate
            .send(request.clone(), vec!["s.token".into()], vec![capture("/token"), capture("header:x-next")])
            .await
            .expect("an answer");
        assert!(!response.body.windows(3).any(|w| w == b"t0p") && response.headers[0].1 == "***");
        let first = gate.seen().requests[0].clone();
        assert_eq!(first.credential.as_deref(), Some("s"));
        assert_eq!(first.headers[0].1, "{{s.token}}", "the record keeps the placeholder");
        for _ in 0..2 {
            assert_eq!(gate.send(request.clone(), Vec::new(), Vec::new()).await.expect("an answer").status, 503);
        }
        assert!(matches!(gate.send(request, Vec::new(), Vec::new()).await, Err(HttpRefusal::TooMany)));
        assert!(gate.seen().over);
    }

    #[tokio::test]
    async fn a_request_that_was_not_let_out_is_written_down_with_the_reason() {
        let gate = gate(Vec::new());
        assert!(gate.send(get("https://evil.example/", &[]), Vec::new(), Vec::new()).await.is_err());
        assert!(gate.send(get("https://ok.example/", &[]), Vec::new(), Vec::new()).await.is_ok());
        let requests = gate.seen().requests.clone();
        let why = requests[0].refused.as_deref().unwrap_or_default();
        assert!(why.contains("GET https://evil.example:443"), "{why}");
        assert_eq!((requests[0].status, requests[1].status, requests[1].refused.as_ref()), (None, Some(503), None));
    }

    #[tokio::test]
    async fn echoed_secrets_are_masked() {
        let echo = b"{rogue.token} and {rogue.token} and e3JvZ3VlLnRva2VufQ==".to_vec();
        let headers = vec![("x-echo".to_owned(), "got {rogue.token}".to_owned())];
        let gate = gate(vec![HttpResponse { status: 200, headers, body: echo }]);
        let request = HttpRequest {
            body: Some(b"{{rogue.token}}".to_vec()),
            ..get("https://ok.example/", &[("authorization", "Basic {{rogue.token|base64}}")])
        };
        let response = gate
            .send(request, vec!["rogue.token".into(), "body:rogue.token".into()], Vec::new())
            .await
            .expect("an answer");
        assert_eq!(String::from_utf8(response.body).expect("text"), "*** and *** and ***");
        assert_eq!(response.headers[0].1, "got ***");
    }

    #[tokio::test]
    async fn undeclared_placeholders_are_data() {
        let gate = gate(vec![HttpResponse { status: 200, headers: Vec::new(), body: Vec::new() }]);
        // Even the secret that stands in a header of the same request.
        let note = r#"{"note":"my keys are {{other.token}} and {{s.token}}"}"#;
        let mut written = Vec::new();
        let request = HttpRequest {
            body: Some(note.as_bytes().to_vec()),
            ..get(
                "https://ok.example/?q=%7B%7Bother.token%7D%7D",
                &[("token", "{{s.token}}"), ("x", "{{other.token}}")],
            )
        };
        let sent = gate.prepare(request, &["s.token".to_owned()], &mut written).await.expect("prepared");
        assert_eq!(sent.body.as_deref(), Some(note.as_bytes()));
        assert_eq!((&*sent.headers[0].1, &*sent.headers[1].1), ("{s.token}", "{{other.token}}"));
        assert_eq!((sent.url.query(), written), (Some("q=%7B%7Bother.token%7D%7D"), vec!["{s.token}".to_owned()]));
    }

    #[tokio::test]
    async fn urls_may_be_secrets_and_slots_are_bound_to_hosts() {
        struct Feed;
        #[async_trait::async_trait]
        impl Credentials for Feed {
            async fn field(&self, slot: &str, _: &str) -> Result<Secret, CredentialError> {
                Ok(Secret::new(if slot == "good" {
                    "https://ok.example/s3cret.ics"
                } else {
                    "http://169.254.169.254/"
                }))
            }
            async fn keep(&self, _: &str, _: &str, _: Secret, _: Option<Duration>) -> Result<(), CredentialError> {
                Ok(())
            }
        }
        let mut gate = gate(vec![HttpResponse { status: 200, headers: Vec::new(), body: Vec::new() }]);
        gate.credentials = Arc::new(Feed);
        assert!(gate.send(get("{{good.url}}", &[]), vec!["good.url".into()], Vec::new()).await.is_ok());
        let refusal =
            gate.send(get("{{bad.url}}", &[]), vec!["bad.url".into()], Vec::new()).await.expect_err("refused");
        assert!(matches!(refusal, HttpRefusal::NotGranted(_)), "{refusal:?}");
        let place = HostPattern::parse("https://elsewhere.example").expect("a place");
        Arc::make_mut(&mut gate.grant).slots.insert("good".to_owned(), vec![place]);
        let refusal =
            gate.send(get("{{good.url}}", &[]), vec!["good.url".into()], Vec::new()).await.expect_err("refused");
        assert!(matches!(refusal, HttpRefusal::Credential(_)), "{refusal:?}");
    }
}
