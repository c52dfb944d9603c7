//! Malicious or faulty guests: each is stopped by the limit made for it, and none gets anything that it was not given.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use gassync_domain::{ChannelError, HttpRequest, HttpResponse};
use gassync_runtime::{
    Adapter, Algorithm, Budget, Call, CallError, CredentialError, Credentials, Engine, Finished, Grant, HostPattern,
    LoadError, Memory, OutgoingRequest, Secret, SendError, Transport,
};
use gassync_tests::plugins::{self, component};

/// A secret that occurs only in the credentials.
const SECRET: &str = "Zq8vW3nX5kR7tB2m";

fn engine() -> Engine {
    plugins::engine(8)
}

async fn misbehaving() -> Arc<dyn Adapter> {
    engine().load(component("misbehaving")).await.expect("a plugin")
}

fn call() -> Call {
    let grant = Grant::as_requested(vec![HostPattern::parse("https://allowed.example").expect("a place")]);
    Call { grant, credentials: Arc::new(OneSecret), seed: 1, ..Call::isolated("test") }
}

fn request(deed: &str) -> HttpRequest {
    HttpRequest { method: "POST".into(), url: "/".into(), headers: Vec::new(), body: Some(deed.as_bytes().to_vec()) }
}

async fn said(plugin: &dyn Adapter, call: Call, deed: &str) -> String {
    match plugin.decode(call, request(deed)).await.result {
        Err(CallError::Channel(ChannelError::Conflict(text))) => text,
        other => panic!("{deed}: {other:?}"),
    }
}

async fn over(plugin: &dyn Adapter, call: Call, deed: &str) -> &'static str {
    match plugin.decode(call, request(deed)).await.result {
        Err(CallError::LimitExceeded { limit, .. }) => limit,
        other => panic!("{deed}: {other:?}"),
    }
}

struct OneSecret;

#[async_trait]
impl Credentials for OneSecret {
    async fn field(&self, _: &str, _: &str) -> Result<Secret, CredentialError> {
        Ok(Secret::new(SECRET))
    }

    async fn keep(&self, _: &str, _: &str, _: Secret, _: Option<Duration>) -> Result<(), CredentialError> {
        Ok(())
    }
}

/// Echoes the request: body, headers and URL.
struct Echo;

#[async_trait]
impl Transport for Echo {
    async fn send(&self, request: OutgoingRequest) -> Result<HttpResponse, SendError> {
        let mut body = format!("{} {:?}", request.url, request.headers).into_bytes();
        body.extend(request.body.unwrap_or_default());
        assert!(body.windows(SECRET.len()).filter(|w| *w == SECRET.as_bytes()).count() >= 3, "it was filled in");
        Ok(HttpResponse { status: 200, headers: request.headers, body })
    }
}

/// Never responds.
struct Silence;

#[async_trait]
impl Transport for Silence {
    async fn send(&self, _: OutgoingRequest) -> Result<HttpResponse, SendError> {
        std::future::pending().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_loops_end_within_the_processor_budget() {
    let plugin = misbehaving().await;
    let budget = Budget { processor: Duration::from_millis(100), ..Budget::fetch() };
    let Finished { result, record } = plugin.decode(Call { budget, ..call() }, request("spin")).await;
    assert!(matches!(result, Err(CallError::LimitExceeded { limit: "processor", .. })), "{result:?}");
    assert!(record.processor <= Duration::from_millis(105), "{:?}", record.processor);
    assert_eq!((record.outcome, record.entry), ("processor", "inbound.decode"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_channels_cost_wall_time_but_no_processor() {
    let plugin = misbehaving().await;
    let budget = Budget { wall: Duration::from_millis(200), ..Budget::fetch() };
    let began = Instant::now();
    let silent = Call { budget, transport: Arc::new(Silence), ..call() };
    let Finished { result, record } = plugin.decode(silent, request("send https://allowed.example/")).await;
    assert!(matches!(result, Err(CallError::LimitExceeded { limit: "wall", .. })), "{result:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(record.processor < Duration::from_millis(200), "{:?}", record.processor);
    assert_eq!(record.requests.len(), 1, "what it asked is told though it never ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oversized_copies_end_the_call() {
    let plugin = misbehaving().await;
    let budget = Budget { copied_bytes: 1024 * 1024, ..Budget::decode() };
    assert_eq!(over(&*plugin, Call { budget, ..call() }, "long 2097152").await, "copied bytes");
    assert_eq!(said(&*plugin, call(), "long 1048576").await.len(), 1_048_576);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_growth_ends_at_the_limit() {
    let plugin = misbehaving().await;
    let budget = Budget { memory_bytes: 8 * 1024 * 1024, ..Budget::decode() };
    let Finished { result, record } = plugin.decode(Call { budget, ..call() }, request("grow")).await;
    assert!(matches!(result, Err(CallError::LimitExceeded { limit: "memory", .. })), "{result:?}");
    assert!(record.peak_memory_bytes <= 8 * 1024 * 1024, "{}", record.peak_memory_bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_folders_and_sockets_are_denied() {
    let plugin = misbehaving().await;
    for deed in ["read /etc/passwd", "read ../secret.key", "folders"] {
        let reported = said(&*plugin, call(), deed).await;
        assert!(reported.starts_with("Err("), "{deed}: {reported}");
    }
    let Finished { result, .. } = plugin.decode(call(), request("connect 127.0.0.1:22")).await;
    match result {
        Err(CallError::Trap(why)) => assert!(why.contains("denied: wasi:sockets/"), "{why}"),
        Err(CallError::Channel(ChannelError::Conflict(reported))) => {
            assert!(reported.starts_with("Err("), "{reported}")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_imports_are_refused_by_name() {
    let wat = r#"(component
        (import "wasi:nn/tensor@0.2.0-rc-2024-10-28" (instance))
        (import "gassync:core/bookings@1.0.0" (instance))
        (import "wasi:io/poll@0.2.6" (instance)))"#;
    let refused = engine().load(wat::parse_str(wat).expect("a component")).await;
    let Err(LoadError::Imports(names)) = refused else { panic!("it was loaded, or refused for something else") };
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("wasi:nn/tensor")), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("gassync:core/bookings@1.0.0:")), "{names:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_never_enter_guest_memory() {
    let plugin = misbehaving().await;
    let turned: String = SECRET.bytes().map(|byte| char::from(byte ^ 1)).collect();
    let hunting = Call { transport: Arc::new(Echo), ..call() };
    let Finished { result, record } = plugin.decode(hunting, request(&format!("hunt {turned}"))).await;
    let Err(CallError::Channel(ChannelError::Conflict(reported))) = result else { panic!("{result:?}") };
    // The guest got a response, a signature and a refusal, and never the secret.
    assert!(reported.ends_with("32, true, 0)") && !reported.starts_with("(0,"), "{reported}");
    assert!(!format!("{record:?}").contains(SECRET), "nor is it in what is written down");
    // The same search finds a text that is in the guest's memory.
    let planted = plugin.decode(Call { transport: Arc::new(Echo), ..call() }, request("hunt `mmnvde/dy`lqmd")).await;
    let Err(CallError::Channel(ChannelError::Conflict(reported))) = planted.result else {
        panic!("{:?}", planted.result)
    };
    assert!(!reported.ends_with(" 0)"), "{reported}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_texts_may_name_secrets_without_revealing_them() {
    let plugin = misbehaving().await;
    let signed = plugin.decode(call(), request("sign GET\n/x\n{{misbehaving.token}}")).await.result.expect("signed");
    let expected = Algorithm::HmacSha256.sign(SECRET, format!("GET\n/x\n{SECRET}").as_bytes()).expect("signed");
    assert_eq!(signed.reply.expect("a reply").body, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plugin_state_is_limited_and_rolled_back_on_failure() {
    let plugin = misbehaving().await;
    assert!(plugin.keeps_state());
    assert_eq!(over(&*plugin, call(), "hoard").await, "state");
    let mut memory = Memory::new();
    for expected in ["1", "2", "3"] {
        let Finished { result, record } =
            plugin.decode(Call { memory: memory.clone(), ..call() }, request("keep")).await;
        assert!(result.is_ok(), "{result:?}");
        for (key, value) in record.memory {
            memory.insert(key, value.expect("a value"));
        }
        assert_eq!(
            memory.get("count").map(|value| String::from_utf8_lossy(value).into_owned()).as_deref(),
            Some(expected)
        );
    }
    let failed = plugin.decode(Call { memory: memory.clone(), ..call() }, request("keep and fail")).await.record;
    assert!(failed.memory.contains_key("count"), "an error is an outcome: what came before it is not forgotten");
    let trapped = plugin.decode(Call { memory, ..call() }, request("keep and panic")).await.record;
    assert!(trapped.memory.is_empty(), "a call that traps changes nothing");
}

#[test]
fn ten_thousand_calls_leave_memory_flat() {
    // In a separate process, since other tests of this one use memory, too.
    let here = std::env::current_exe().expect("this binary");
    let arguments =
        ["--exact", "hostile_plugins::ten_thousand_calls_in_a_process_of_their_own", "--ignored", "--nocapture"];
    let output = std::process::Command::new(here).args(arguments).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn ten_thousand_calls_in_a_process_of_their_own() {
    let plugin = misbehaving().await;
    let run = async |calls: u32| {
        for number in 0..calls {
            let deed = if number % 10 == 0 { "panic" } else { "nothing at all" };
            let _served = plugin.decode(call(), request(deed)).await;
        }
    };
    run(1_000).await;
    let before = resident_bytes();
    run(10_000).await;
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 4 * 1024 * 1024, "{grown} bytes more after 10,000 calls");
}

/// Resident memory of this process in bytes.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().expect("a number") * 1024
}

/// A component with two modules, each with a memory of this size in MiB.
fn with_two_memories(mib: u32) -> Vec<u8> {
    let manifest = r#"{"schemaVersion":1,"id":"two","displayName":"Two","version":"1.0.0","contract":"1.0.0-rc.5",
        "vendor":"V","limits":{"memoryMiB":256}}"#;
    let (pages, length) = (mib * 16, manifest.len());
    let data = manifest.replace('"', "\\\"").replace('\n', " ");
    let text = format!(
        r#"(component
            (core module $one
                (memory (export "memory") {pages})
                (data (i32.const 0) "\10\00\00\00")
                (data (i32.const 16) "{data}")
                (func (export "describe") (result i32)
                    (i32.store (i32.const 4) (i32.const {length})) (i32.const 0)))
            (core module $other (memory {pages}))
            (core instance $a (instantiate $one))
            (core instance $b (instantiate $other))
            (func $describe (result string) (canon lift (core func $a "describe") (memory (core memory $a "memory"))))
            (instance $about (export "describe" (func $describe)))
            (export "gassync:channel/metadata@1.0.0-rc.5" (instance $about)))"#
    );
    wat::parse_str(text).expect("a component")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_limit_covers_all_memories() {
    let fits =
        engine().load(with_two_memories(100)).await.expect("200 MiB are less than the most that a call may have");
    assert_eq!(fits.manifest().id, "two");
    let Err(refused) = engine().load(with_two_memories(160)).await else { panic!("each would fit by itself") };
    assert!(refused.to_string().contains("memory"), "{refused}");
}
