use std::sync::Arc;

use gassync_domain::{HttpRequest, HttpResponse};
use serde_json::Value;
use url::Url;

use crate::{
    Call, CredentialError, Credentials, Grant, OutgoingRequest, RecordedRequest, Secret, SendError, Transport,
    placeholder,
};

/// Headers that are the host's business, in lower case.
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
/// Most header fields of one request.
const MAX_HEADERS: usize = 100;
/// What a captured secret is blanked with.
const BLANK: &str = "***";

/// The gate to the network, for one call.
pub(crate) struct HttpGate {
    grant: Grant,
    credentials: Arc<dyn Credentials>,
    transport: Arc<dyn Transport>,
    body_bytes: usize,
    requests_left: u32,
    pub requests: Vec<RecordedRequest>,
}

/// A part of an answer to keep as a secret.
pub(crate) struct Capture {
    pub slot: String,
    pub field: String,
    pub pointer: String,
}

/// What the guest is told instead of an answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    NotGranted(String),
    AddressRefused(String),
    TimedOut,
    TooLarge(u64),
    Connect(String),
    Tls(String),
    Credential(String),
    /// The call ends: it has asked too often.
    TooMany,
}

impl From<CredentialError> for Refusal {
    fn from(error: CredentialError) -> Self {
        Self::Credential(error.to_string())
    }
}

impl From<SendError> for Refusal {
    fn from(error: SendError) -> Self {
        match error {
            SendError::AddressRefused(host) => Self::AddressRefused(host),
            SendError::TimedOut => Self::TimedOut,
            SendError::TooLarge(limit) => Self::TooLarge(limit),
            SendError::Connect(text) => Self::Connect(text),
            SendError::Tls(text) => Self::Tls(text),
        }
    }
}

impl HttpGate {
    pub fn new(call: &Call) -> Self {
        Self {
            grant: call.grant.clone(),
            credentials: Arc::clone(&call.credentials),
            transport: Arc::clone(&call.transport),
            body_bytes: call.budget.body_bytes,
            requests_left: call.budget.requests,
            requests: Vec::new(),
        }
    }

    /// Checks, fills, sends, captures.
    pub async fn send(&mut self, request: HttpRequest, captures: Vec<Capture>) -> Result<HttpResponse, Refusal> {
        self.requests_left = self.requests_left.checked_sub(1).ok_or(Refusal::TooMany)?;
        self.record(&request);
        let outgoing = self.prepare(request).await?;
        let mut answer = self.transport.send(outgoing).await?;
        if let Some(recorded) = self.requests.last_mut() {
            recorded.status = Some(answer.status);
        }
        if answer.body.len() > self.body_bytes {
            return Err(Refusal::TooLarge(self.body_bytes as u64));
        }
        if !captures.is_empty() && (200..300).contains(&answer.status) {
            self.capture(&mut answer, &captures).await?;
        }
        Ok(answer)
    }

    fn record(&mut self, request: &HttpRequest) {
        let texts = [&request.url].into_iter().chain(request.headers.iter().map(|(_, value)| value));
        let in_body = request.body.as_deref().and_then(|body| std::str::from_utf8(body).ok());
        let credential = texts.map(String::as_str).chain(in_body).find_map(placeholder::slot_of);
        self.requests.push(RecordedRequest {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            credential,
            status: None,
        });
    }

    async fn prepare(&self, request: HttpRequest) -> Result<OutgoingRequest, Refusal> {
        // The place is judged as the guest wrote it, before any secret is looked up.
        let written: Url = without_placeholders(&request.url)
            .parse()
            .map_err(|_| Refusal::NotGranted("the address is not absolute".to_owned()))?;
        self.judge(&written)?;
        if request.headers.len() > MAX_HEADERS {
            return Err(Refusal::NotGranted(format!("more than {MAX_HEADERS} headers")));
        }
        if request.body.as_ref().is_some_and(|body| body.len() > self.body_bytes) {
            return Err(Refusal::TooLarge(self.body_bytes as u64));
        }
        let secrets = &*self.credentials;
        let url: Url = placeholder::fill(&request.url, secrets)
            .await?
            .parse()
            .map_err(|_| Refusal::NotGranted("the filled address is not one".to_owned()))?;
        // A secret must not lead elsewhere.
        self.judge(&url)?;
        let mut headers = Vec::with_capacity(request.headers.len());
        for (name, value) in request.headers {
            if FORBIDDEN_HEADERS.contains(&name.to_lowercase().as_str()) {
                return Err(Refusal::NotGranted(format!("the header {name} is the host's")));
            }
            let value = placeholder::fill(&value, secrets).await?;
            if value.contains(['\r', '\n', '\0']) || name.contains(['\r', '\n', '\0']) {
                return Err(Refusal::NotGranted(format!("the header {name} has a line break")));
            }
            headers.push((name, value));
        }
        let body = match request.body {
            Some(bytes) => Some(match String::from_utf8(bytes) {
                Ok(text) => placeholder::fill(&text, secrets).await?.into_bytes(),
                Err(binary) => binary.into_bytes(),
            }),
            None => None,
        };
        let may_be_private = self.grant.allows_private(&url);
        Ok(OutgoingRequest { method: request.method, url, headers, body, may_be_private })
    }

    fn judge(&self, url: &Url) -> Result<(), Refusal> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::NotGranted("an address may carry no user name".to_owned()));
        }
        if self.grant.allows(url) {
            return Ok(());
        }
        let port = url.port_or_known_default().unwrap_or_default();
        let line = format!("hosts = [\"{}://{}:{port}\"]", url.scheme(), url.host_str().unwrap_or_default());
        Err(Refusal::NotGranted(format!("neither manifest nor grant has {line}")))
    }

    async fn capture(&self, answer: &mut HttpResponse, captures: &[Capture]) -> Result<(), Refusal> {
        let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else {
            return Ok(());
        };
        for capture in captures {
            if let Some(value) = body.pointer_mut(&capture.pointer)
                && let Some(text) = value.as_str()
            {
                self.credentials.keep(&capture.slot, &capture.field, Secret::new(text)).await?;
                *value = Value::from(BLANK);
            }
        }
        answer.body = body.to_string().into_bytes();
        Ok(())
    }
}

/// The address with something harmless in place of each placeholder, so that it can be read as one.
fn without_placeholders(url: &str) -> String {
    url.replace("{{", "").replace("}}", "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Budget, Origin, ReplayTransport, ShownAsPlaceholders};

    fn gate(answers: Vec<HttpResponse>) -> HttpGate {
        HttpGate::new(&Call {
            id: "test".into(),
            settings: Value::Null,
            grant: Grant { origins: vec![Origin::parse("https://ok.example").expect("origin")], private: Vec::new() },
            credentials: Arc::new(ShownAsPlaceholders),
            transport: Arc::new(ReplayTransport::new(answers)),
            clock: Arc::new(|| gassync_domain::Timestamp::UNIX_EPOCH),
            seed: 0,
            budget: Budget { requests: 3, ..Budget::decode() },
        })
    }

    fn get(url: &str, headers: &[(&str, &str)]) -> HttpRequest {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        HttpRequest { method: "GET".into(), url: url.into(), headers, body: None }
    }

    #[tokio::test]
    async fn only_granted_places_and_decent_headers() {
        for (url, headers) in [
            ("https://evil.example/", &[][..]),
            ("https://user:pass@ok.example/", &[]),
            ("https://{{a.b}}.example/", &[]),
            ("https://ok.example/", &[("Host", "evil.example")]),
            ("https://ok.example/", &[("x", "a\r\nHost: evil")]),
        ] {
            let refusal = gate(Vec::new()).send(get(url, headers), Vec::new()).await.expect_err(url);
            assert!(matches!(refusal, Refusal::NotGranted(_)), "{url}: {refusal:?}");
        }
    }

    #[tokio::test]
    async fn captures_are_blanked_and_requests_counted() {
        let body = br#"{"token":"t0p"}"#.to_vec();
        let mut gate = gate(vec![HttpResponse { status: 200, headers: Vec::new(), body }]);
        let capture = Capture { slot: "s".into(), field: "token".into(), pointer: "/token".into() };
        let request = get("https://ok.example/x", &[("token", "{{s.token}}")]);
        let answer = gate.send(request.clone(), vec![capture]).await.expect("an answer");
        assert_eq!(answer.body, br#"{"token":"***"}"#);
        assert_eq!(gate.requests[0].credential.as_deref(), Some("s"));
        assert_eq!(gate.requests[0].headers[0].1, "{{s.token}}", "the record keeps the placeholder");
        for _ in 0..2 {
            assert_eq!(gate.send(request.clone(), Vec::new()).await.expect("an answer").status, 503);
        }
        assert!(matches!(gate.send(request, Vec::new()).await, Err(Refusal::TooMany)));
    }
}
