//! Tests of the simulator against known behaviour of the channel.

mod auth;
mod control;
mod credits;
mod faults;
mod inventory;
mod messages;
mod odd;
mod properties;
mod reading;
mod receiver;
mod webhooks;
mod writing;

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::civil::Date;
use reqwest::{Client, Method, StatusCode};
use serde_json::json;

use super::*;

/// A running simulator with a clock set by tests.
struct Running {
    simulator: Beds24,
    root: String,
    client: Client,
    clock: Arc<AtomicI64>,
    shutdown: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A response of the simulator.
struct Answer {
    status: u16,
    body: Value,
    headers: reqwest::header::HeaderMap,
}

impl Answer {
    fn data(&self) -> &Vec<Value> {
        self.body["data"].as_array().expect("data")
    }

    fn ids(&self) -> Vec<u64> {
        self.data().iter().map(|record| record["id"].as_u64().expect("an id")).collect()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

fn turned_clock() -> (Arc<AtomicI64>, SimulatorClock) {
    let start: Timestamp = "2027-02-01T12:00:00Z".parse().expect("an instant");
    let seconds = Arc::new(AtomicI64::new(start.as_second()));
    let read = Arc::clone(&seconds);
    (seconds, Arc::new(move || Timestamp::from_second(read.load(Ordering::SeqCst)).expect("an instant")))
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// Settings with webhooks in order and ample credits, for tests of other behaviour.
fn calm() -> Settings {
    Settings { webhook_shuffle: false, credits_per_five_minutes: 10_000.0, ..Settings::default() }
}

/// The same, without bookings.
fn empty() -> Settings {
    Settings { bookings: 0, ..calm() }
}

impl Running {
    async fn start(settings: Settings) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let (clock, read) = turned_clock();
        let simulator = Beds24::new(settings, read);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let root = format!("http://{}", listener.local_addr().expect("an address"));
        let shutdown = CancellationToken::new();
        tokio::spawn({
            let (simulator, shutdown) = (simulator.clone(), shutdown.clone());
            async move { simulator.serve(listener, shutdown).await }
        });
        Self { simulator, root, client: Client::builder().no_proxy().build().expect("a client"), clock, shutdown }
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    fn room(&self) -> u64 {
        self.simulator.properties()[0].room_types[0].id
    }

    fn qty(&self) -> i64 {
        self.simulator.properties()[0].room_types[0].qty.into()
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.root));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.expect("a body");
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    async fn redeem(&self, code: &str) -> Answer {
        let headers = [("code", code), ("deviceName", "test")];
        self.send(Method::GET, "/api/v2/authentication/setup", &headers, None).await
    }

    async fn token(&self) -> String {
        let answer = self.redeem(&self.simulator.invite_code()).await;
        answer.body["token"].as_str().expect("a token").to_owned()
    }

    async fn token_for(&self, scopes: &[&str]) -> String {
        let code = self.simulator.invite_code_with(scopes.iter().copied());
        self.redeem(&code).await.body["token"].as_str().expect("a token").to_owned()
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(Method::GET, &format!("/api/v2{path}"), &[("token", token)], None).await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.send(Method::POST, &format!("/api/v2{path}"), &[("token", token)], Some(&body)).await
    }

    /// Creates a booking by API, with these keys in addition to room and dates.
    async fn create(&self, token: &str, nights: (&str, &str), keys: Value) -> u64 {
        let mut item = json!({ "roomId": self.room(), "arrival": nights.0, "departure": nights.1 });
        item.as_object_mut().expect("an object").extend(keys.as_object().expect("an object").clone());
        let answer = self.post(token, "/bookings", json!([item])).await;
        answer.body[0]["new"]["id"].as_u64().unwrap_or_else(|| panic!("{}", answer.body))
    }

    /// Creates a booking sold by another site.
    fn sold(&self) -> u64 {
        let mut account = self.simulator.account();
        let now = self.simulator.now();
        loop {
            let account = &mut *account;
            let id = account.book.make_any(&mut account.rng, now).expect("room");
            if account.book.get(id).expect("it").is_of_ota() {
                return id;
            }
        }
    }

    async fn until(&self, what: &str, mut there: impl FnMut() -> bool) {
        for _ in 0..2_000 {
            if there() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("20 s went by before {what}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let run = |seed| {
        let simulator = Beds24::new(Settings { seed, ..Settings::default() }, turned_clock().1);
        let acts: Vec<String> = (0..50).filter_map(|_| simulator.act()).map(|a| a.summary).collect();
        let book = simulator.book();
        let bodies = book.iter().filter_map(|e| simulator.webhook_body(e.id)).map(|b| b.to_string());
        let rooms: Vec<u64> = simulator.properties().iter().flat_map(|p| &p.room_types).map(|r| r.id).collect();
        let nights: Vec<RoomNight> = rooms.into_iter().flat_map(|room| simulator.calendar(room)).collect();
        (acts, bodies.collect::<Vec<_>>(), nights)
    };
    assert_eq!(run(24), run(24));
    assert_ne!(run(24), run(25));
}

#[test]
fn chance_never_sells_more_than_there_is_and_the_calendar_says_so() {
    let simulator = Beds24::new(Settings { bookings: 60, ..Settings::default() }, turned_clock().1);
    for _ in 0..200 {
        simulator.act();
    }
    let mut taken = 0;
    for room in simulator.properties().iter().flat_map(|property| &property.room_types) {
        for night in simulator.calendar(room.id) {
            assert!((0..=i64::from(room.qty)).contains(&night.available), "{night:?} of {room:?}");
            taken += i64::from(room.qty) - night.available;
        }
    }
    let first = day("2027-02-01");
    let book = simulator.book();
    let active = book.iter().filter(|entry| entry.status != "cancelled" && entry.departure > first);
    let nights: i64 =
        active.map(|entry| i64::from(entry.departure.since(entry.arrival).expect("days").get_days())).sum();
    assert_eq!(taken, nights);
}

#[test]
fn accounts_have_ids_of_their_own() {
    let ids = |seed| {
        let simulator = Beds24::new(Settings { seed, ..Settings::default() }, turned_clock().1);
        simulator.book().iter().map(|entry| entry.id).collect::<Vec<_>>()
    };
    let other = ids(25);
    assert!(ids(24).iter().all(|id| !other.contains(id)));
}
