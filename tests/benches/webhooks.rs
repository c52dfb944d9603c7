//! Deliveries per second, compared with a bare client that posts the same bytes to the same subscriber; and the delay
//! of a change while one of a hundred subscribers hangs and another fails.
//!
//! `cargo bench -p gassync-tests --bench webhooks`; `BENCH_DELIVERIES=20000` sets the number of messages,
//! `BENCH_SECONDS=20` for how long a hundred subscribers receive five changes per second.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use gassync::{
    store::{
        keys,
        outbox::{self, ReportedChange},
    },
    vault::fingerprint,
};
use gassync_domain::{AccountId, Timestamp};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, clock, records},
    webhook_receiver::{Answer, WebhookReceiver},
};
use serde_json::json;

/// Subscribers that share the messages of the first figure.
const SUBSCRIBERS: usize = 10;
/// Concurrent messages of the bare client.
const AT_ONCE: usize = 64;
/// Subscribers of the second figure, of which one hangs and one fails.
const MANY: usize = 100;
/// Changes per second of the second figure.
const CHANGES: u32 = 5;
/// Rounds; the best one counts, since the machines are shared.
const ROUNDS: usize = 3;

fn from_environment(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
#[tokio::main]
async fn main() {
    for (name, database) in [("SQLite", Database::sqlite()), ("PostgreSQL", Database::durable_postgres().await)] {
        println!("{name}");
        let stage = Stage::set(database).await;
        let deliveries = from_environment("BENCH_DELIVERIES", 20_000);
        let (mut ours, mut bare) = (0.0_f64, 0.0_f64);
        for _ in 0..ROUNDS {
            let (reported, sample) = stage.reported(deliveries / SUBSCRIBERS).await;
            ours = ours.max(reported);
            bare = bare.max(stage.posted(&sample, deliveries).await);
        }
        println!(
            "  {deliveries} messages to {SUBSCRIBERS} subscribers: {ours:.0} a second, a bare client {bare:.0}: {:.2} times",
            ours / bare
        );
        stage.late().await;
        stage.host.stop().await;
    }
}

struct Stage {
    host: Host,
    listener: String,
    account: AccountId,
    receiver: WebhookReceiver,
}

impl Stage {
    async fn set(database: Database) -> Self {
        let host = Host::with(database, &[("GASSYNC_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.0/8")]).await;
        let (maker, listener) = (host.key(ACCOUNT, "maker").await, host.key(ACCOUNT, "listener").await);
        for (entity, record) in records() {
            assert_eq!(host.post(&maker, entity, &record).await.0, 201);
        }
        let mut tx = host.app.db.platform_read().await.expect("a transaction");
        let holder = keys::holder(&mut tx, &fingerprint(&listener), clock()()).await.expect("read").expect("a holder");
        drop(tx);
        Self { host, listener, account: holder.account, receiver: WebhookReceiver::start().await }
    }

    async fn subscribe(&self, url: String) -> i64 {
        let new = json!({ "url": url, "events": ["booking.*"] });
        let (status, made) = self.host.post(&self.listener, "webhooks", &new).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_i64().expect("a number")
    }

    async fn unsubscribe(&self, id: i64) {
        let url = format!("{}/integration/v1/webhooks/{id}", self.host.base);
        let request = self.host.http.delete(url).bearer_auth(&self.listener);
        assert!(request.send().await.expect("an answer").status().is_success());
    }

    /// Reports this many changes of the booking in one transaction.
    async fn change(&self, times: usize) {
        let change = ReportedChange { entity_type: "booking", entity_id: 1, span: None };
        let mut tx = self.host.app.db.write(self.account).await.expect("a transaction");
        for _ in 0..times {
            assert!(outbox::report_change(&mut tx, self.account, &change, clock()()).await.expect("touched"));
        }
        tx.commit().await.expect("committed");
        self.host.app.facts.notify_one();
    }

    /// Messages per second, from the commit of their events to the last arrival; and one of the messages.
    async fn reported(&self, changes: usize) -> (f64, Vec<u8>) {
        let mut made = Vec::new();
        for number in 0..SUBSCRIBERS {
            made.push(self.subscribe(self.receiver.url(&format!("/{number}"))).await);
        }
        self.receiver.forget();
        let began = Instant::now();
        self.change(changes).await;
        let received = self.arrived(changes * SUBSCRIBERS).await;
        let figure = received as f64 / began.elapsed().as_secs_f64();
        let sample = self.receiver.received().remove(0).body;
        for id in made {
            self.unsubscribe(id).await;
        }
        (figure, sample)
    }

    async fn arrived(&self, messages: usize) -> usize {
        while self.receiver.count() < messages {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.receiver.count()
    }

    /// Messages per second of a bare client with the same bytes.
    async fn posted(&self, body: &[u8], messages: usize) -> f64 {
        self.receiver.forget();
        let (client, url) = (self.host.http.clone(), self.receiver.url("/0"));
        let body: Arc<[u8]> = body.into();
        let began = Instant::now();
        let posts = stream::iter(0..messages).map(|_| {
            let request = client.post(&url).header("content-type", "application/json").body(body.to_vec());
            async move { assert!(request.send().await.expect("an answer").status().is_success()) }
        });
        posts.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        messages as f64 / began.elapsed().as_secs_f64()
    }

    /// The delay of a change at the healthy subscribers, among many.
    #[expect(clippy::print_stdout, reason = "the figures are what it is for")]
    async fn late(&self) {
        self.receiver.forget();
        self.receiver.answers_by(|message| match message.path.as_str() {
            "/98" => Answer::Hang,
            "/99" => Answer::Status(500),
            _ => Answer::Status(204),
        });
        for number in 0..MANY {
            self.subscribe(self.receiver.url(&format!("/{number}"))).await;
        }
        let changes = from_environment("BENCH_SECONDS", 20) * CHANGES as usize;
        for _ in 0..changes {
            self.change(1).await;
            tokio::time::sleep(Duration::from_secs(1) / CHANGES).await;
        }
        // Failed messages are repeated: only arrivals at healthy subscribers count.
        let mut late: Vec<i64> = Vec::new();
        while late.len() < changes * (MANY - 2) {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let mut first: HashMap<(String, String), i64> = HashMap::new();
            for message in self.receiver.received() {
                if !["/98", "/99"].contains(&message.path.as_str()) {
                    let happened: Timestamp =
                        message.json()["timestamp"].as_str().and_then(|text| text.parse().ok()).expect("an instant");
                    let after = i64::try_from(message.at.duration_since(happened).as_millis()).expect("a while");
                    first.entry((message.path.clone(), message.header("webhook-id").to_owned())).or_insert(after);
                }
            }
            late = first.into_values().collect();
        }
        late.sort_unstable();
        let at = |part: f64| late[((late.len() - 1) as f64 * part) as usize];
        println!(
            "  {} messages, {} a second, one of {MANY} hangs and one fails: known after {} ms in the middle, {} ms for 99 of 100, \
             {} ms at most",
            late.len(),
            CHANGES as usize * (MANY - 2),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
}
