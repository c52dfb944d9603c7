//! Decoding in the sandbox compared with the same code run natively, in one run: the ratio matters.
//!
//! `cargo bench -p gassync-tests --bench decode`

use std::{
    hint::black_box,
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use gassync_domain::{HttpRequest, Timestamp};
use gassync_plugin::Inbound as _;
use gassync_plugin_beds24::Beds24;
use gassync_runtime::{Adapter, Call, Engine, EngineSettings};
use gassync_simulator::beds24::{self, Settings};
use gassync_tests::plugins::component;
use serde_json::{Value, json};

/// Duration of each measurement.
const MEASURED: Duration = Duration::from_secs(2);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let settings = EngineSettings { cache_dir: None, cache_key: [0; 32], concurrent_calls: 4 };
    let engine = Engine::new(settings).expect("an engine");
    let plugin = runtime.block_on(engine.load(component("beds24"))).expect("a plugin");
    let clock = Arc::new(|| "2027-01-01T00:00:00Z".parse::<Timestamp>().expect("an instant"));
    let account = beds24::Beds24::new(Settings { bookings: 150, properties: 6, ..Settings::default() }, clock);
    let messages: Vec<Value> = account.book().iter().filter_map(|entry| account.webhook_body(entry.id)).collect();
    let empty = time(|| runtime.block_on(sandboxed(&*plugin, b"[]")));
    let mut out = std::io::stdout();
    writeln!(out, "a fresh sandbox that decodes nothing: {:.1} µs", micros(empty)).expect("written");
    for count in [1, 100] {
        let body = json!(messages.iter().cycle().take(count).collect::<Vec<_>>()).to_string().into_bytes();
        let natively = time(|| native(&body));
        let sandbox = time(|| runtime.block_on(sandboxed(&*plugin, &body)));
        let ratio = micros(sandbox) / micros(natively);
        writeln!(
            out,
            "{count:>3} bookings, {} bytes: native {:.1} µs, sandbox {:.1} µs, ratio {ratio:.2}",
            body.len(),
            micros(natively),
            micros(sandbox)
        )
        .expect("written");
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The median of as many runs as fit into the time.
fn time(mut run: impl FnMut()) -> Duration {
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < MEASURED {
        let start = Instant::now();
        run();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

fn native(body: &[u8]) {
    let request = gassync_plugin::HttpRequest {
        method: "POST".into(),
        url: "/".into(),
        headers: Vec::new(),
        body: Some(body.to_vec()),
    };
    black_box(Beds24::decode(black_box(request)).expect("decoded"));
}

async fn sandboxed(plugin: &dyn Adapter, body: &[u8]) {
    let call = Call::isolated("bench");
    let request =
        HttpRequest { method: "POST".into(), url: "/".into(), headers: Vec::new(), body: Some(body.to_vec()) };
    black_box(plugin.decode(call, request).await.result.expect("decoded"));
}
