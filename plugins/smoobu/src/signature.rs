//! Signs every request: a text of seven lines, of which the last is a secret and therefore a placeholder.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gassync_plugin::{ChannelError, clock, http, signing};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::settings::Settings;

/// The slot of key and secret.
const SLOT: &str = "smoobu";
/// The key, as a secret to declare and as a placeholder.
const KEY: &str = "smoobu.apiKey";
const KEY_PLACEHOLDER: &str = "{{smoobu.apiKey}}";

/// A request to be signed. Query keys and values need no escaping, since clients disagree on whether to sign before or
/// after it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Request {
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), query: Vec::new(), body: None }
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self { method: "DELETE", ..Self::get(path) }
    }

    pub fn post(path: impl Into<String>, body: &impl Serialize) -> Result<Self, ChannelError> {
        Ok(Self { method: "POST", body: Some(json(body)?), ..Self::get(path) })
    }

    pub fn put(path: impl Into<String>, body: &impl Serialize) -> Result<Self, ChannelError> {
        Ok(Self { method: "PUT", body: Some(json(body)?), ..Self::get(path) })
    }

    pub fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// True if it changes something at the channel.
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// Sends with a new timestamp and nonce, so that a repeated request is signed again.
    pub fn send(self) -> Result<http::Response, ChannelError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| ChannelError::Broken(format!("no randomness: {error}")))?;
        self.send_as(&clock::now(), &uuid(random))
    }

    pub(crate) fn send_as(mut self, at: &str, nonce: &str) -> Result<http::Response, ChannelError> {
        let Settings { base_url, .. } = Settings::read()?;
        // Sent in the order that is signed, which is by key; equal keys keep theirs.
        self.query.sort_by_key(|(key, _)| *key);
        let query = self.query.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&");
        let address = format!("{}{}", base_url.trim_end_matches('/'), self.path);
        let path = address.splitn(4, '/').nth(3).unwrap_or_default();
        let digest = hex(&Sha256::digest(self.body.as_deref().unwrap_or_default()));
        let method = self.method;
        let text = format!("{method}\n/{path}\n{query}\n{at}\n{nonce}\n{digest}\n{KEY_PLACEHOLDER}");
        let signature = signing::sign((SLOT, "apiSecret"), signing::HMAC_SHA256, text.as_bytes(), &[KEY])?;
        let url = if query.is_empty() { address } else { format!("{address}?{query}") };
        let request = match self.body {
            Some(body) => http::Request::with_body(method, url, "application/json", body),
            None => http::Request::bare(method, url),
        };
        request
            .header("X-API-Key", KEY_PLACEHOLDER)
            .secret(KEY)
            .header("X-Timestamp", at)
            .header("X-Nonce", nonce)
            .header("X-Signature", &STANDARD.encode(signature))
            .send()
    }
}

fn json(body: &impl Serialize) -> Result<String, ChannelError> {
    serde_json::to_string(body).map_err(|error| ChannelError::Broken(error.to_string()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
