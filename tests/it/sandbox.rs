//! Limits of the sandbox.

use std::{sync::Arc, time::Duration};

use gassync_domain::{ChannelError, HttpRequest, HttpResponse};
use gassync_runtime::{
    Adapter, Budget, Call, CallError, Engine, EngineSettings, Finished, Grant, HostPattern, LoadError, NoCredentials,
    PlaceholderCredentials, ReplayTransport,
};
use gassync_tests::plugins::{self, component};

fn engine(cache: Option<&std::path::Path>) -> Engine {
    let cache_dir = cache.map(std::path::Path::to_owned);
    Engine::new(EngineSettings { cache_dir, cache_key: [3; 32], concurrent_calls: 8 }).expect("an engine")
}

async fn misbehaving() -> Arc<dyn Adapter> {
    plugins::engine(8).load(component("misbehaving")).await.expect("a plugin")
}

fn call() -> Call {
    let answer = HttpResponse { status: 200, headers: Vec::new(), body: b"hello".to_vec() };
    Call {
        grant: Grant::as_requested(vec![HostPattern::parse("https://allowed.example").expect("a place")]),
        credentials: Arc::new(PlaceholderCredentials),
        transport: Arc::new(ReplayTransport::new(vec![answer])),
        seed: 1,
        ..Call::isolated("test")
    }
}

fn request(body: &str) -> HttpRequest {
    let body = Some(body.as_bytes().to_vec());
    HttpRequest { method: "POST".into(), url: "/".into(), headers: Vec::new(), body }
}

async fn over(plugin: &dyn Adapter, call: Call, deed: &str) -> &'static str {
    match plugin.decode(call, request(deed)).await.result {
        Err(CallError::LimitExceeded { limit, .. }) => limit,
        other => panic!("{deed}: {other:?}"),
    }
}

async fn said(plugin: &dyn Adapter, deed: &str) -> String {
    match plugin.decode(call(), request(deed)).await.result {
        Err(CallError::Channel(ChannelError::Conflict(text) | ChannelError::Unavailable(text))) => text,
        other => panic!("{deed}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_exceeded_limit_is_named() {
    let plugin = misbehaving().await;
    let mut patient = call();
    patient.budget.wall = Duration::from_secs(60);
    assert_eq!(over(&*plugin, patient, "spin").await, "processor");
    let mut impatient = call();
    impatient.budget = Budget { wall: Duration::from_millis(100), ..Budget::fetch() };
    assert_eq!(over(&*plugin, impatient, "spin").await, "wall");
    assert_eq!(over(&*plugin, call(), "grow").await, "memory");
    assert_eq!(over(&*plugin, call(), "flood").await, "requests");
    let mut narrow = call();
    narrow.budget.copied_bytes = 64 * 1024;
    let large = format!("nothing {}", "x".repeat(256 * 1024));
    let large = plugin.decode(narrow, request(&large)).await.result;
    assert!(large.is_ok() || matches!(large, Err(CallError::LimitExceeded { limit: "copied bytes", .. })), "{large:?}");
    // After that the next call works normally.
    assert!(plugin.decode(call(), request("nothing")).await.result.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn panics_are_plugin_faults_with_a_message() {
    let plugin = misbehaving().await;
    let Finished { result, record } = plugin.decode(call(), request("panic")).await;
    assert!(result.as_ref().is_err_and(CallError::is_plugin_fault), "{result:?}");
    assert!(record.log.iter().any(|line| line.message.contains("as asked")), "{:?}", record.log);
    let chatter = plugin.decode(call(), request("chatter")).await.record;
    assert_eq!((chatter.log.len(), chatter.log_lines_dropped), (50, 9_950));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_see_only_what_they_were_given() {
    let plugin = misbehaving().await;
    assert_eq!(said(&*plugin, "environment").await, "[]");
    for _ in 0..3 {
        assert_eq!(said(&*plugin, "remember").await, "0 calls before", "each call has a memory of its own");
    }
    assert_eq!(said(&*plugin, "send https://allowed.example/x").await, "hello");
    let refused = said(&*plugin, "send https://elsewhere.example/x").await;
    assert!(refused.contains(r#""hosts": ["GET https://elsewhere.example:443"]"#), "ready to paste: {refused}");
    let mut without = call();
    without.credentials = Arc::new(NoCredentials);
    let result = plugin.decode(without, request("send https://allowed.example/x")).await.result;
    assert!(matches!(result, Err(CallError::Channel(ChannelError::Unauthorized(_)))), "{result:?}");
    let record = plugin.decode(call(), request("send https://allowed.example/x")).await.record;
    assert_eq!(record.requests[0].headers[0].1, "{{misbehaving.token}}", "the record keeps the placeholder");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_components_are_refused_with_a_reason() {
    let engine = engine(None);
    let refused = async |bytes: Vec<u8>| match engine.load(bytes).await {
        Ok(_) => panic!("it was loaded"),
        Err(error) => error,
    };
    assert!(matches!(refused(b"\0asm garbage".to_vec()).await, LoadError::Compile(_)));
    // An empty component exports nothing of the contract.
    assert!(matches!(refused(b"\0asm\x0d\0\x01\0".to_vec()).await, LoadError::Contract(_)));
    let half = component("example");
    assert!(matches!(refused(half[..half.len() / 2].to_vec()).await, LoadError::Compile(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compiled_code_is_loaded_only_from_the_signed_cache() {
    let dir = tempfile::tempdir().expect("a folder");
    let cache = dir.path().join("compiled");
    let first = engine(Some(&cache)).load(component("example")).await.expect("compiled");
    let file = std::fs::read_dir(&cache).expect("a folder").next().expect("a file").expect("a file").path();
    let code = std::fs::read(&file).expect("read");
    let again = engine(Some(&cache)).load(component("example")).await.expect("from the cache");
    assert_eq!(first.hash(), again.hash());
    // Without its authentication tag it is untrusted native code.
    assert!(matches!(engine(None).load(code[32..].to_vec()).await, Err(LoadError::Precompiled)));
    let mut forged = code.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    std::fs::write(&file, forged).expect("forged");
    engine(Some(&cache)).load(component("example")).await.expect("compiled anew");
    assert_eq!(std::fs::read(&file).expect("read").len(), code.len(), "and cached anew");
}
