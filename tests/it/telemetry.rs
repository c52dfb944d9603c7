//! What happens inside a request, job, plugin call or delivery can be found in the log by that one's span, and nothing
//! secret is in it.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use gassync_simulator::beds24::Settings;
use gassync_tests::{
    database::Database,
    host::{self, ACCOUNT, Host},
    webhook_receiver::WebhookReceiver,
};
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

/// The lines of a log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
    }

    /// The events of this name with the fields of the span that they stand in.
    fn events(&self, name: &str) -> Vec<(Value, Value)> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        let named = lines.filter(|line| line["fields"]["message"] == name);
        named.map(|line| (line["fields"].clone(), line["span"].clone())).collect()
    }
}

/// The log is this thread's alone, so all that the host does has to happen on it.
#[tokio::test(flavor = "current_thread")]
async fn each_seam_has_a_span_and_a_last_event() {
    let lines = Lines::default();
    let (writer, filter) = (lines.clone(), EnvFilter::new("gassync=debug,gassync_runtime=debug"));
    let log = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(move || writer.clone()).finish();
    // With a single subscriber in the process, other tests' threads would judge for it which events are wanted.
    let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let logging = tracing::subscriber::set_default(log);
    let channel = host::channel(Settings { bookings: 2, ..Settings::default() }).await;
    let receiver = WebhookReceiver::start().await;
    let reached = format!("{},{}", channel.address, receiver.address);
    let settings =
        [("GASSYNC_EGRESS_ALLOW_PRIVATE", reached.as_str()), ("GASSYNC_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.0/8")];
    let host = Host::begin(Database::sqlite(), &["beds24"], None, &settings).await;
    let made = host.connect(&channel).await;
    let key = host.key(ACCOUNT, "partner").await;
    let (status, _) = host.post(&key, "webhooks", &json!({ "url": receiver.url("/in") })).await;
    assert_eq!(status, 201);
    host.post(&key, "properties", &json!({ "id": "p1", "name": "Casa Azul" })).await;
    for seam in ["request ended", "job ended", "plugin call ended", "delivery ended"] {
        host.until(seam, async || !lines.events(seam).is_empty()).await;
    }
    let polled = async || lines.events("job ended").iter().any(|(_, span)| span["kind"] == "poll");
    host.until("a poll has ended", polled).await;
    host.stop().await;
    drop(logging);

    let (request, span) = lines.events("request ended").pop().expect("a request");
    assert!(request["status"].is_u64() && request["millis"].is_u64(), "{request}");
    assert_eq!((&span["name"], span["route"].is_string()), (&json!("request"), true), "{span}");
    let of_poll = |(_, span): &(Value, Value)| span["kind"] == "poll";
    let (job, span) = lines.events("job ended").into_iter().find(of_poll).expect("a poll");
    assert!(job["outcome"].is_string() && job["millis"].is_u64(), "{job}");
    assert_eq!(span["name"], "job", "{span}");
    assert!(["account", "source", "job", "jobs", "attempt"].iter().all(|field| !span[field].is_null()), "{span}");
    // The first call asks a component what it is, before it has a name.
    let has_name = |(_, span): &(Value, Value)| span["plugin"] != "";
    let (call, span) = lines.events("plugin call ended").into_iter().find(has_name).expect("a call");
    assert!(call["outcome"] == "ok" && call["millis"].is_u64(), "{call}");
    assert_eq!((&span["name"], &span["plugin"]), (&json!("plugin_call"), &json!("beds24")), "{span}");
    assert!(span["entry"].is_string() && span["call"].is_string(), "{span}");
    let (delivery, span) = lines.events("delivery ended").remove(0);
    assert_eq!((&delivery["outcome"], &delivery["status"]), (&json!("delivered"), &json!(204)), "{delivery}");
    assert_eq!(span["name"], "delivery", "{span}");
    let text = lines.text();
    let hook = made.webhook_url.rsplit('/').next().expect("a key");
    for secret in [made.webhook_token.as_str(), hook, key.as_str(), "gso_"] {
        assert!(!text.contains(secret), "no secret is logged");
    }
}
