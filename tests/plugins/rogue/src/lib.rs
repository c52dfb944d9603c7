//! A guest that misbehaves on request: the body of the call says how.

use gassync_plugin::{Adapter, ChannelError, Decoded, HttpRequest, http, log};

/// Does as it is told.
pub struct Rogue;

gassync_plugin::export!(crate::Rogue);

const MANIFEST: &str = r#"{
    "schemaVersion": 1, "id": "rogue", "displayName": "Rogue", "version": "0.1.0", "contract": "1.0.0-rc.1",
    "vendor": "GasSync", "hosts": ["setting:baseUrl"],
    "routes": [{"path": "/", "methods": ["POST"], "verification": {"kind": "none"}, "kind": "ack",
        "budgetMillis": 3000, "whenUnable": {"status": 202}}],
    "settings": {"properties": {"baseUrl": {"type": "string", "default": "https://allowed.example"}}}
}"#;

impl Adapter for Rogue {
    fn manifest() -> String {
        MANIFEST.to_owned()
    }

    fn decode(request: HttpRequest) -> Result<Decoded, ChannelError> {
        let body = String::from_utf8(request.body.unwrap_or_default()).unwrap_or_default();
        let (deed, rest) = body.split_once(' ').unwrap_or((&body, ""));
        match deed {
            "spin" => {
                let mut n: u64 = 0;
                loop {
                    n = std::hint::black_box(n.wrapping_add(1));
                }
            }
            "grow" => {
                let mut hoard: Vec<Vec<u8>> = Vec::new();
                loop {
                    hoard.push(std::hint::black_box(vec![1; 1024 * 1024]));
                }
            }
            "panic" => panic!("as asked"),
            "chatter" => (0..10_000).for_each(|n| log::info(&format!("line {n}"))),
            "flood" => {
                for _ in 0..1_000 {
                    drop(http::Request::get("https://allowed.example/").send());
                }
            }
            "send" => {
                let answer = http::Request::get(rest).header("x-secret", "{{rogue.token}}").send()?;
                return Err(ChannelError::Conflict(String::from_utf8_lossy(answer.body()).into_owned()));
            }
            "environment" => {
                let names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
                return Err(ChannelError::Conflict(format!("{names:?}")));
            }
            "remember" => {
                static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
                let calls = CALLS.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                return Err(ChannelError::Conflict(format!("{calls} calls before")));
            }
            _ => {}
        }
        Ok(Decoded { event_id: None, changes: Vec::new(), reply: None })
    }
}
