//! A plugin that returns its version. Tests derive other versions by patching its bytes: the version number, and the
//! padding in its list of hosts.

use std::{hint::black_box, time::Duration};

use gassync_plugin::{Adapter, ChannelError, Decoded, HttpRequest, Inbound, http, reply_with};

/// The plugin.
pub struct Versioned;

gassync_plugin::export!(crate::Versioned: Inbound);

/// Eight bytes that tests replace; the manifest contains them too.
static VERSION: [u8; 8] = *b"1.0.1000";

static MANIFEST: &str = concat!(
    r#"{
    "schemaVersion": 1, "id": "versioned", "displayName": "Versioned", "version": "1.0.1000",
    "contract": "1.0.0-rc.5", "vendor": "GasSync",
    "hosts": ["GET https://one.example""#,
    // Padding of 32 bytes.
    "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t",
    r#"],
    "routes": [
        {"path": "/", "methods": ["POST"], "verification": {"kind": "url-token"}, "kind": "ack",
            "budgetMillis": 5000, "fallbackResponse": {"status": 202}},
        {"path": "/open", "methods": ["POST"], "verification": {"kind": "none"}, "kind": "ack",
            "budgetMillis": 5000, "fallbackResponse": {"status": 202}}
    ],
    "settings": {"type": "object", "additionalProperties": false, "required": ["house"], "properties": {
        "house": {"type": "string", "maxLength": 8, "default": "H1"}, "rooms": {"type": "integer", "minimum": 1}}}
}"#
);

impl Adapter for Versioned {
    fn manifest() -> String {
        // Prevents the compiler from inlining the text into code, where tests could not find it.
        black_box(MANIFEST).to_owned()
    }
}

impl Inbound for Versioned {
    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        let version = String::from_utf8_lossy(black_box(&VERSION)).into_owned();
        let body = String::from_utf8(request.body.unwrap_or_default()).unwrap_or_default();
        let (deed, rest) = body.split_once(' ').unwrap_or((&body, ""));
        match deed {
            "panic" => assert!(!rest.is_empty() && rest != version, "as asked"),
            "sleep" => std::thread::sleep(Duration::from_millis(rest.parse().unwrap_or_default())),
            "send" => {
                let sent = http::Request::get(rest).send();
                return Err(ChannelError::Conflict(sent.err().map(|error| format!("{error:?}")).unwrap_or_default()));
            }
            _ => {}
        }
        let reply = reply_with(200, "text/plain", version);
        Ok(Decoded { event_id: None, changes: Vec::new(), reply: Some(reply) })
    }
}
