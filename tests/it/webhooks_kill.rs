//! Kills the host during delivery: every event is delivered, and repeated messages have the same id.
//!
//! `TEST_KILLS=50` kills more often.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gassync_tests::{
    database::Database,
    host::{ACCOUNT, records, reservation},
    on_both,
    port::free_port,
    process::Served,
    web,
    webhook_receiver::WebhookReceiver,
};
use reqwest::Client;
use serde_json::{Value, json};

on_both!(no_delivery_is_lost_when_a_host_is_killed);

/// Default number of kills per database.
const KILLS: u32 = 4;
/// Bookings between two kills.
const BOOKINGS: u32 = 6;
/// Maximum wait for anything, in steps of 50 ms.
const STEPS: u32 = 1_200;

/// A partner's client whose host may be killed at any moment.
struct Caller<'a> {
    http: Client,
    base: String,
    key: &'a str,
}

impl Caller<'_> {
    async fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(self.key).json(body);
        let answer = request.send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null)))
    }
}

async fn wait_for<T>(what: &str, mut there: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..STEPS {
        if let Some(found) = there().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("60 s went by before {what}");
}

async fn no_delivery_is_lost_when_a_host_is_killed(database: Database) {
    let kills = std::env::var("TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let listen = ([127, 0, 0, 1], free_port()).into();
    let mut host = Served::new(&database, listen, String::new()).with("GASSYNC_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.0/8");
    std::fs::create_dir_all(host.plugins()).expect("a folder");
    host.start().await;
    let (one, another) = (WebhookReceiver::start().await, WebhookReceiver::start().await);
    let token = std::fs::read_to_string(host.data().join("operator.token")).expect("the token");
    let operator = Caller { http: web::client(), base: host.base(), key: &token };
    let mut keys = Vec::new();
    for name in ["maker", "listener"] {
        let new = json!({ "account": ACCOUNT, "name": name, "source": null });
        let made = operator.post("/admin/v1/keys", &new).await.expect("an answer").1;
        keys.push(made["key"].as_str().expect("a key").to_owned());
    }
    let [maker, listener] = [&keys[0], &keys[1]].map(|key| Caller { http: web::client(), base: host.base(), key });
    for receiver in [&one, &another] {
        let new = json!({ "url": receiver.url("/"), "events": ["reservation.created"] });
        let (status, made) = listener.post("/integration/v1/webhooks", &new).await.expect("an answer");
        assert_eq!(status, 201, "{made}");
    }
    for (entity, record) in &records()[..2] {
        assert_eq!(maker.post(&format!("/integration/v1/{entity}"), record).await.expect("an answer").0, 201);
    }
    let mut booked = BTreeSet::new();
    for kill in 0..kills {
        for number in 0..BOOKINGS {
            let record = reservation(&format!("r{kill}-{number}"));
            let (status, taken) = maker.post("/integration/v1/reservations", &record).await.expect("the host is up");
            assert!(status < 300, "{taken}");
            booked.insert(taken["gasId"].as_i64().expect("a booking"));
        }
        // The moment depends only on the number of the kill, not on a clock or a random number: somewhere in the work.
        tokio::time::sleep(Duration::from_millis(u64::from(kill * 37 % 150))).await;
        host.kill();
        host.start().await;
    }
    for receiver in [&one, &another] {
        let delivered = async || {
            let mut ids: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
            for message in receiver.received() {
                let booking = message.json()["data"]["gasId"].as_i64().expect("a booking");
                ids.entry(booking).or_default().insert(message.header("webhook-id").to_owned());
            }
            (ids.keys().copied().collect::<BTreeSet<_>>() == booked).then_some(ids)
        };
        let ids = wait_for("all was told", delivered).await;
        assert!(ids.values().all(|of_one| of_one.len() == 1), "whatever comes twice has one id: {ids:?}");
    }
}
