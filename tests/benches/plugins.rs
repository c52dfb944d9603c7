//! The cost of plugins: the same mapping in the sandbox, natively and in Node.js; memory per plugin and per call; ten
//! plugins loaded from the compile cache; calls while versions are replaced, and beside a failing plugin. Ratios of one
//! run.
//!
//! `cargo bench -p gassync-tests --bench plugins`; Node.js is measured if installed.

use std::{
    hint::black_box,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use gassync::admin::CreatedSource;
use gassync_domain::{Entity, HttpResponse, Query, Selection};
use gassync_plugin::{Pull as _, testing::FakeHost};
use gassync_plugin_example::Example;
use gassync_runtime::{
    Adapter, Budget, Call, Engine, EngineSettings, Grant, HostPattern, PlaceholderCredentials, ReplayTransport,
};
use gassync_tests::{
    database::Database,
    host::Host,
    plugins::{component, repository, versioned},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Duration of each measurement.
const MEASURED: Duration = Duration::from_secs(2);
/// Duration of the calls, with and without replacements.
const CALLED: Duration = Duration::from_secs(10);

/// The same mapping in Node.js, with the partner template: the median in microseconds.
const NODE: &str = r#"
import { FakeHost } from "./gassync/fake-host.js";
import { exportsOf } from "./gassync/index.js";
import * as plugin from "./plugin.js";
const { pull } = exportsOf(plugin, '{"id":"x"}');
const body = process.argv[2];
const query = { entity: "reservation", selection: { tag: "everything" } };
const times = [];
const began = performance.now();
while (performance.now() - began < 2000) {
  new FakeHost({ settings: { baseUrl: "https://channel.example/api" } }).answer(200, body);
  const start = performance.now();
  await pull.fetch(query);
  times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
console.log(times[Math.floor(times.length / 2)] * 1000);
"#;

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
#[tokio::main]
async fn main() {
    mapping().await;
    memory().await;
    cache().await;
    println!();
    for database in [Database::sqlite(), Database::durable_postgres().await] {
        replacements(database).await;
    }
    for database in [Database::sqlite(), Database::durable_postgres().await] {
        neighbours(database).await;
    }
}

fn engine(cache: Option<&Path>) -> Engine {
    let cache_dir = cache.map(Path::to_owned);
    Engine::new(EngineSettings { cache_dir, cache_key: [0; 32], concurrent_calls: 64 }).expect("an engine")
}

fn bookings(count: usize) -> String {
    let booking = |number: usize| {
        json!({
            "number": format!("B-{number}"), "room": "sea-view", "from": "2027-06-01", "to": "2027-06-04",
            "state": "booked", "name": "Ada Example", "price": "410.00", "currency": "EUR",
            "changed": "2027-01-05T09:00:00Z",
        })
    };
    Value::from((0..count).map(booking).collect::<Vec<_>>()).to_string()
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
async fn mapping() {
    let plugin = engine(None).load(component("example")).await.expect("a plugin");
    for count in [1, 100] {
        let body = bookings(count);
        let natively = median(|| {
            FakeHost::reset();
            FakeHost::set_settings(r#"{"baseUrl":"https://channel.example/api"}"#);
            FakeHost::answer(200, &body);
            let start = Instant::now();
            let query =
                gassync_plugin::Query::new(gassync_plugin::Entity::Reservation, gassync_plugin::Selection::Everything);
            black_box(Example::fetch(query).expect("fetched"));
            start.elapsed()
        });
        let mut times = Vec::new();
        let began = Instant::now();
        while began.elapsed() < MEASURED {
            let start = Instant::now();
            sandboxed(&*plugin, &body).await;
            times.push(start.elapsed());
        }
        let sandbox = middle(times);
        println!(
            "fetch and map {count:>3} bookings: native {:.1} µs; sandbox {:.1} µs, {:.2} times native",
            micros(natively),
            micros(sandbox),
            micros(sandbox) / micros(natively)
        );
        if let Some(node) = node(&body) {
            println!("  Node.js {node:.1} µs, {:.2} times the sandbox", node / micros(sandbox));
        }
    }
}

async fn sandboxed(plugin: &dyn Adapter, body: &str) {
    let answer = HttpResponse { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    let call = Call {
        grant: Grant::as_requested(vec![HostPattern::parse("https://channel.example").expect("a place")]),
        settings: json!({ "baseUrl": "https://channel.example/api" }),
        credentials: Arc::new(PlaceholderCredentials),
        transport: Arc::new(ReplayTransport::new(vec![answer])),
        budget: Budget::fetch(),
        ..Call::isolated("bench")
    };
    let query = Query::new(Entity::Reservation, Selection::Everything);
    black_box(plugin.fetch(call, query).await.result.expect("fetched"));
}

fn node(body: &str) -> Option<f64> {
    let folder = tempfile::tempdir().expect("a folder");
    let template = repository().join("plugins/templates/javascript/.");
    Command::new("cp").arg("-r").arg(template).arg(folder.path()).status().expect("copied");
    std::fs::write(folder.path().join("bench.js"), NODE).expect("written");
    let output = Command::new("node").arg("bench.js").arg(body).current_dir(folder.path()).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
async fn memory() {
    const PLUGINS: u32 = 10;
    let engine = engine(None);
    let mut loaded = vec![engine.load(versioned(1001, &[])).await.expect("a plugin")];
    let before = resident_kib();
    for number in 0..PLUGINS {
        loaded.push(engine.load(versioned(1002 + number, &[])).await.expect("a plugin"));
    }
    let each = resident_kib().saturating_sub(before) / u64::from(PLUGINS);
    println!("memory: {each} KiB for each further plugin");
    let plugin = engine.load(component("example")).await.expect("a plugin");
    for _ in 0..1_000 {
        sandboxed(&*plugin, &bookings(1)).await;
    }
    let before = resident_kib();
    for _ in 0..10_000 {
        sandboxed(&*plugin, &bookings(1)).await;
    }
    println!("memory: {} KiB more after 10,000 calls", resident_kib().saturating_sub(before));
}

/// Resident memory of this process in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
async fn cache() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut took = Vec::new();
    for _ in 0..2 {
        let engine = engine(Some(folder.path()));
        let began = Instant::now();
        for number in 0..10 {
            black_box(engine.load(versioned(1001 + number, &[])).await.expect("a plugin"));
        }
        took.push(began.elapsed());
    }
    let (compiled, cached) = (took[0].as_secs_f64() * 1e3, took[1].as_secs_f64() * 1e3);
    println!(
        "ten plugins: compiled {compiled:.0} ms, from the cache {cached:.1} ms, {:.0} times faster",
        compiled / cached
    );
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
async fn replacements(database: Database) {
    let name = if database.is_postgres() { "PostgreSQL" } else { "SQLite" };
    let host = Host::start(database, &[], None).await;
    host.install(versioned(1001, &[])).await;
    let new = json!({ "account": "One", "channel": "versioned", "name": "v" });
    let made: CreatedSource = host.operate("sources", &new).await.json().await.expect("a source");
    let mut figures = Vec::new();
    for busy in [false, true] {
        let during = async {
            let began = Instant::now();
            let mut number = 1002;
            while began.elapsed() < CALLED {
                tokio::time::sleep(CALLED / 10).await;
                if busy {
                    assert_eq!(host.install(versioned(number, &[])).await.0, 201);
                    number += 1;
                }
            }
        };
        let what = if busy { "ten replacements" } else { "quiet" };
        figures.push(called(&host, &made.webhook_url, (name, what), during).await);
    }
    println!("  p99 while versions are replaced: {:.2} times the quiet one", figures[1] / figures[0]);
    host.stop().await;
}

/// Calls of a good plugin while another one fails at each call.
#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
async fn neighbours(database: Database) {
    let name = if database.is_postgres() { "PostgreSQL" } else { "SQLite" };
    let host = Host::start(database, &["misbehaving"], None).await;
    host.install(versioned(1001, &[])).await;
    let add = async |channel: &str| {
        let new = json!({ "account": "One", "channel": channel, "name": channel });
        host.operate("sources", &new).await.json::<CreatedSource>().await.expect("a source").webhook_url
    };
    let (good, bad) = (add("versioned").await, add("misbehaving").await);
    let mut figures = Vec::new();
    for (what, deed) in [("quiet", None), ("beside one that works", Some("")), ("beside one that traps", Some("panic"))]
    {
        let during = async {
            let began = Instant::now();
            while began.elapsed() < CALLED {
                match deed {
                    None => tokio::time::sleep(CALLED / 10).await,
                    Some(deed) => drop(host.http.post(&bad).body(deed).send().await.expect("an answer").bytes().await),
                }
            }
        };
        figures.push(called(&host, &good, (name, what), during).await);
    }
    println!("  p99 beside a plugin that fails: {:.2} times that beside one that works", figures[2] / figures[1]);
    host.stop().await;
}

/// The 99th percentile of calls in milliseconds, from two callers, while something else runs.
#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
async fn called(host: &Host, url: &str, (name, what): (&str, &str), during: impl Future<Output = ()>) -> f64 {
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..2 {
        let (http, url, stop) = (host.http.clone(), url.to_owned(), Arc::clone(&stop));
        callers.spawn(async move {
            let mut times = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let start = Instant::now();
                let answer = http.post(&url).send().await.expect("an answer");
                assert_eq!(answer.status().as_u16(), 200);
                answer.bytes().await.expect("a body");
                times.push(start.elapsed());
            }
            times
        });
    }
    during.await;
    stop.store(true, Ordering::Relaxed);
    let mut times: Vec<Duration> = callers.join_all().await.into_iter().flatten().collect();
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 1_000].as_secs_f64() * 1e3;
    println!("{name}, {what}: {} calls, p50 {:.2} ms, p99 {:.2} ms", times.len(), at(500), at(990));
    at(990)
}

fn median(mut run: impl FnMut() -> Duration) -> Duration {
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < MEASURED {
        times.push(run());
    }
    middle(times)
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
