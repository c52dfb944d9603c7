//! Records of plugin calls.

use gassync_domain::{AccountId, ConnectionId, Timestamp};
use gassync_runtime::{CallRecord, LogLine, RecordedRequest};
use serde::{Deserialize, Serialize};

use super::Plugin;
use crate::{
    store::{
        self, Tx,
        plugins::calls::{self, NewStoredCall, StoredCall},
    },
    vault::{DecryptError, Vault},
};

/// Stored bytes of a request body.
const MAX_BODY_BYTES: usize = 4 * 1024;
/// Stored bytes of a URL or header value.
const MAX_TEXT_BYTES: usize = 2 * 1024;
/// Stored headers per request.
const MAX_HEADERS: usize = 40;

/// Details that require permission to read the account's messages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallDetail {
    /// Its HTTP requests.
    pub requests: Vec<DetailedRequest>,
    /// Its log.
    pub log: Vec<LogLine>,
    /// Lines over the limit.
    pub log_lines_dropped: usize,
    /// Why it failed, if it did.
    #[serde(default)]
    pub problem: Option<String>,
}

/// A request as the plugin wrote it, with placeholders for secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetailedRequest {
    /// Upper case.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names and values, as written.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body.
    pub body: Option<String>,
    /// The whole body's size, in bytes.
    pub body_bytes: usize,
    /// The status of the response; `None` without a response.
    pub status: Option<u16>,
    /// Why the request was not sent.
    pub refused: Option<String>,
}

impl From<&RecordedRequest> for DetailedRequest {
    fn from(request: &RecordedRequest) -> Self {
        let headers = request.headers.iter().take(MAX_HEADERS);
        Self {
            method: beginning(request.method.as_bytes(), MAX_TEXT_BYTES),
            url: beginning(request.url.as_bytes(), MAX_TEXT_BYTES),
            headers: headers
                .map(|(name, value)| {
                    (beginning(name.as_bytes(), MAX_TEXT_BYTES), beginning(value.as_bytes(), MAX_TEXT_BYTES))
                })
                .collect(),
            body: request.body.as_ref().map(|body| beginning(body, MAX_BODY_BYTES)),
            body_bytes: request.body.as_ref().map_or(0, Vec::len),
            status: request.status,
            refused: request.refused.clone(),
        }
    }
}

fn beginning(bytes: &[u8], most: usize) -> String {
    String::from_utf8_lossy(bytes.get(..most).unwrap_or(bytes)).into_owned()
}

impl DetailedRequest {
    /// A curl command with placeholders for secrets. Everything is quoted, because a plugin wrote it.
    pub fn as_curl(&self) -> String {
        let mut line = format!("curl --globoff -X {} --url {}", quoted(&self.method), quoted(&self.url));
        for (name, value) in &self.headers {
            line.push_str(&format!(" -H {}", quoted(&format!("{name}: {value}"))));
        }
        if let Some(body) = &self.body {
            line.push_str(&format!(" --data-raw {}", quoted(body)));
        }
        line
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Stores a call, and its error if it failed.
pub async fn keep_call(
    vault: &Vault,
    tx: &mut Tx,
    (account, connection): (AccountId, ConnectionId),
    (plugin, record, problem): (&Plugin, &CallRecord, Option<&str>),
    now: Timestamp,
) -> store::Result<()> {
    let detail = CallDetail {
        requests: record.requests.iter().map(DetailedRequest::from).collect(),
        log: record.log.clone(),
        log_lines_dropped: record.log_lines_dropped,
        problem: problem.map(|why| beginning(why.as_bytes(), MAX_TEXT_BYTES)),
    };
    let text = serde_json::to_vec(&detail).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let sealed = vault.encrypt_for(account, &place(connection), &text);
    let sealed = sealed.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    let micros = |time: std::time::Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let call = NewStoredCall {
        plugin_id: &plugin.manifest().id,
        hash: plugin.hash(),
        version: &plugin.manifest().version,
        entry: record.entry,
        subject: &record.id,
        outcome: record.outcome,
        wall_micros: micros(record.wall),
        processor_micros: micros(record.processor),
        peak_memory_bytes: i64::try_from(record.peak_memory_bytes).unwrap_or(i64::MAX),
        sent_bytes: bytes(record.sent_bytes),
        received_bytes: bytes(record.received_bytes),
        detail: &sealed,
    };
    calls::keep(tx, account, connection, &call, now).await
}

/// The requests and log of a call.
pub fn detail_of(vault: &Vault, call: &StoredCall) -> Result<CallDetail, DecryptError> {
    let place = place(ConnectionId(call.connection_id));
    let text = vault.decrypt_for(AccountId(call.account_id), &place, call.detail.as_deref().unwrap_or_default())?;
    serde_json::from_slice(&text).map_err(|_| DecryptError)
}

fn place(connection: ConnectionId) -> String {
    format!("call/{connection}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_printed_as_curl() {
        let request = DetailedRequest {
            method: "POST".to_owned(),
            url: "https://api.example.org/v1?a=b&c=d".to_owned(),
            headers: vec![("token".to_owned(), "{{api.token}}".to_owned())],
            body: Some("it's here".to_owned()),
            body_bytes: 9,
            status: None,
            refused: None,
        };
        assert_eq!(
            request.as_curl(),
            "curl --globoff -X 'POST' --url 'https://api.example.org/v1?a=b&c=d' -H 'token: {{api.token}}' \
             --data-raw 'it'\\''s here'"
        );
        let sly = DetailedRequest { method: "X; rm -rf ~".to_owned(), ..request };
        assert!(sly.as_curl().starts_with("curl --globoff -X 'X; rm -rf ~' "), "{}", sly.as_curl());
    }
}
