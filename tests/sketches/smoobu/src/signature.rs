//! Signs every request: a text of seven lines, of which the last is a secret and therefore a placeholder.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gassync_plugin::{ChannelError, Lenient, clock, http, settings, signing};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// A larger Retry-After is a point in time, not a number of seconds.
const EPOCH_FROM: u64 = 1_000_000_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    base_url: String,
}

/// A request to be signed. Query keys and values need no escaping, since clients disagree on whether to sign before or
/// after it.
pub(crate) struct Request {
    method: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Request {
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), body: None }
    }

    pub fn body(mut self, json: String) -> Self {
        self.body = Some(json);
        self
    }

    pub fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// Sends with a new timestamp and nonce, so that a repeated request is signed again.
    pub fn send(self) -> Result<http::Response, ChannelError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| ChannelError::Broken(format!("no randomness: {error}")))?;
        self.send_as(&clock::now(), &uuid(random))
    }

    fn send_as(mut self, at: &str, nonce: &str) -> Result<http::Response, ChannelError> {
        let Settings { base_url } = settings()?;
        self.query.sort();
        let query = self.query.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&");
        let address = format!("{}{}", base_url.trim_end_matches('/'), self.path);
        let path = address.splitn(4, '/').nth(3).unwrap_or_default();
        let digest = Sha256::digest(self.body.as_deref().unwrap_or_default());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let method = self.method;
        let text = format!("{method}\n/{path}\n{query}\n{at}\n{nonce}\n{digest}\n{{{{smoobu.key}}}}");
        let signature = signing::sign(("smoobu", "secret"), signing::HMAC_SHA256, text.as_bytes(), &["smoobu.key"])?;
        let url = if query.is_empty() { address } else { format!("{address}?{query}") };
        let request = match self.body {
            Some(body) => http::Request::with_body(method, url, "application/json", body),
            None => http::Request::bare(method, url),
        };
        request
            .header("X-API-Key", "{{smoobu.key}}")
            .secret("smoobu.key")
            .header("X-Timestamp", at)
            .header("X-Nonce", nonce)
            .header("X-Signature", &STANDARD.encode(signature))
            .send()
    }
}

fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The error for a response other than a success. Some are HTML pages.
pub(crate) fn failure(answer: &http::Response) -> ChannelError {
    #[derive(Deserialize, Default)]
    struct Said {
        #[serde(default)]
        detail: Lenient,
    }
    let said: Said = serde_json::from_slice(answer.body()).unwrap_or_default();
    match (answer.status(), answer.header("X-RateLimit-Retry-After").and_then(wait)) {
        (429, Some(seconds)) => ChannelError::RateLimited(Some(seconds)),
        _ => answer.refusal(said.detail.text()),
    }
}

fn wait(text: &str) -> Option<u32> {
    let number: u64 = text.trim().parse().ok()?;
    let seconds = if number > EPOCH_FROM { number.saturating_sub(clock::since_1970().as_secs()) } else { number };
    u32::try_from(seconds).ok()
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{Header, HttpResponse, testing::FakeHost};
    use hmac::{Hmac, KeyInit, Mac};

    use super::*;

    const AT: &str = "2027-03-04T05:06:07Z";
    const NONCE: &str = "0f8a1c52-9d3e-4b67-8a10-3c5e7d9f1b24";

    /// Signs as the host does: with the secret, over the text with the key filled in.
    fn signed(request: Request) -> String {
        FakeHost::reset();
        FakeHost::set_settings(r#"{"baseUrl":"https://login.smoobu.example/"}"#);
        FakeHost::sign_with(|slot, field, algorithm, text| {
            assert_eq!((slot, field, algorithm), ("smoobu", "secret", "hmac-sha256"));
            let text = String::from_utf8(text.to_vec()).expect("text").replace("{{smoobu.key}}", "usr_live_k7m2sketch");
            let mut mac = Hmac::<Sha256>::new_from_slice(b"Xx-not-a-real-secret-91").expect("a key");
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        });
        drop(request.send_as(AT, NONCE));
        let sent = FakeHost::take_requests().remove(0);
        assert!(!format!("{sent:?}").contains("usr_live"), "the key stays a placeholder");
        sent.headers.into_iter().find(|header| header.name == "X-Signature").expect("signed").value
    }

    /// The expected signatures were computed independently of this code.
    #[test]
    fn signatures_are_those_of_the_rule() {
        let list = Request::new("GET", "/api/reservations");
        let list = list.query("pageSize", "100").query("page", "2").query("modifiedFrom", "2027-03-01");
        assert_eq!(signed(list), "TnRFjjqEViYUTaos4QXbQQQHja15DoqzWLrgCwlFQj8=");
        let block = r#"{"arrivalDate":"2027-05-02","departureDate":"2027-05-04","channelId":11,"apartmentId":7301}"#;
        let made = Request::new("POST", "/api/reservations").body(block.to_owned());
        assert_eq!(signed(made), "0ZhS0wICRVejRbQhBxO7cZ6VE6hbx6PEiLIT3OFzB5w=");
    }

    #[test]
    fn a_refusal_for_now_says_how_long() {
        let heard = |headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(name, value)| Header { name: (*name).into(), value: (*value).into() });
            FakeHost::reset();
            FakeHost::answer_with(Ok(HttpResponse { status: 429, headers: headers.collect(), body: Vec::new() }));
            failure(&http::Request::get("https://login.smoobu.example").send().expect("an answer"))
        };
        let wait = |headers: &[(&str, &str)]| match heard(headers) {
            ChannelError::RateLimited(seconds) => seconds,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(&[("Retry-After", "120"), ("X-RateLimit-Retry-After", "30")]), Some(30), "its own word first");
        assert_eq!((wait(&[("retry-after", "120")]), wait(&[])), (Some(120), None));
    }

    #[test]
    fn a_wait_is_seconds_or_its_end() {
        FakeHost::set_now(AT);
        assert_eq!((wait("30"), wait("1804136800"), wait("1000000001")), (Some(30), Some(33), Some(0)));
        assert_eq!(wait("soon"), None);
        assert!(uuid([255; 16]).starts_with("ffffffff-ffff-4fff-bfff-"));
    }
}
