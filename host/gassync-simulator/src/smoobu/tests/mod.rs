//! Tests of the simulator against what is known of the channel.

mod apartments;
mod auth;
mod calendar;
mod faults;
mod odd;
mod reading;
mod receiver;
mod webhooks;
mod writing;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::civil::Date;
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

use super::*;
use crate::{NewReservation, Notification, SimulatedReservation, Simulator, smoobu::auth as signing};

/// A running simulator with a clock set by tests.
struct Running {
    simulator: Smoobu,
    root: String,
    client: Client,
    clock: Arc<AtomicI64>,
    nonces: AtomicU64,
    shutdown: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// An answer of the simulator.
struct Answer {
    status: u16,
    text: String,
    body: Value,
    headers: reqwest::header::HeaderMap,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    fn is_html(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
    }

    fn ids(&self) -> Vec<u64> {
        let bookings = self.body["bookings"].as_array().unwrap_or_else(|| panic!("{}", self.text));
        bookings.iter().map(|booking| booking["id"].as_u64().expect("an id")).collect()
    }
}

fn turned_clock() -> (Arc<AtomicI64>, SimulatorClock) {
    let start: Timestamp = "2026-08-01T12:00:00Z".parse().expect("an instant");
    let seconds = Arc::new(AtomicI64::new(start.as_second()));
    let read = Arc::clone(&seconds);
    (seconds, Arc::new(move || Timestamp::from_second(read.load(Ordering::SeqCst)).expect("an instant")))
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// Settings with webhooks in order.
fn calm() -> SmoobuSettings {
    SmoobuSettings { webhook_shuffle: false, ..SmoobuSettings::default() }
}

/// The same, without bookings.
fn empty() -> SmoobuSettings {
    SmoobuSettings { bookings: 0, ..calm() }
}

impl Running {
    async fn start(settings: SmoobuSettings) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let (clock, read) = turned_clock();
        let simulator = Smoobu::new(settings, read);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let root = format!("http://{}", listener.local_addr().expect("an address"));
        let shutdown = CancellationToken::new();
        tokio::spawn(Simulator::serve(&simulator, listener, shutdown.clone()));
        let client = Client::builder().no_proxy().build().expect("a client");
        Self { simulator, root, client, clock, nonces: AtomicU64::new(0), shutdown }
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    fn apartment(&self, place: usize) -> u64 {
        self.simulator.properties()[place].id.parse().expect("a number")
    }

    fn nonce(&self) -> String {
        format!("3b8e1f60-0000-4000-8000-{:012x}", self.nonces.fetch_add(1, Ordering::SeqCst))
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
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }

    /// Sends a signed request.
    async fn signed(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let headers = self.signature(&method, path, body, &self.simulator.now().to_string(), &self.nonce());
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(method, path, &headers, body).await
    }

    /// Signs a request.
    fn signature(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        time: &str,
        nonce: &str,
    ) -> Vec<(&'static str, String)> {
        let (id, secret) = self.simulator.signing_key();
        let url = Url::parse(&format!("{}{path}", self.root)).expect("a URL");
        let uri = url.as_str().parse().expect("a URI");
        let body = body.map(ToString::to_string).unwrap_or_default();
        let signed = signing::canonical(method.as_str(), &uri, time, nonce, body.as_bytes(), &id);
        vec![
            ("X-API-Key", id),
            ("X-Timestamp", time.to_owned()),
            ("X-Nonce", nonce.to_owned()),
            ("X-Signature", signing::sign(&secret, &signed)),
        ]
    }

    async fn get(&self, path: &str) -> Answer {
        self.signed(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.signed(Method::POST, path, Some(&body)).await
    }

    /// Creates a booking by API, with these keys besides the required ones.
    async fn create(&self, nights: (&str, &str), keys: Value) -> Answer {
        let mut body = json!({ "apartmentId": self.apartment(0), "channelId": 70,
            "arrivalDate": nights.0, "departureDate": nights.1 });
        body.as_object_mut().expect("an object").extend(keys.as_object().expect("an object").clone());
        self.post("/api/reservations", body).await
    }

    /// Makes a direct booking by hand.
    fn book(&self, place: usize, nights: (&str, &str), notification: Notification) -> u64 {
        let new = NewReservation {
            room_type_id: self.apartment(place).to_string(),
            check_in: day(nights.0),
            check_out: day(nights.1),
            adults: 2,
            total_cents: 37_125,
            guest: ("Zoë".to_owned(), "Lindqvist".to_owned()),
        };
        let id = Simulator::book(&self.simulator, &new, notification).expect("room");
        id.parse().expect("a number")
    }

    fn reservation(&self, id: u64) -> Option<SimulatedReservation> {
        self.simulator.reservations().into_iter().find(|reservation| reservation.id == id.to_string())
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
fn the_same_seed_gives_the_same_account_and_another_gives_another() {
    let run = |seed| {
        let simulator = Smoobu::new(SmoobuSettings { seed, odd: 0.2, ..SmoobuSettings::default() }, turned_clock().1);
        simulator.set_webhook_urls(["http://127.0.0.1:1/".to_owned()]);
        let acts: Vec<String> = (0..60).filter_map(|_| simulator.act()).map(|action| action.summary).collect();
        let account = simulator.account();
        let book = account.book.bookings.iter().map(|booking| account.book.wire(booking, shown::Shown::WEBHOOK));
        let book: Vec<String> = book.map(|booking| booking.to_string()).collect();
        (acts, book, account.outgoing.pending(), account.keys.secret.clone())
    };
    assert_eq!(run(70), run(70));
    let (other, ours) = (run(71), run(70));
    assert!(other.1 != ours.1 && other.3 != ours.3);
}

#[test]
fn nothing_is_ever_sold_twice() {
    let simulator =
        Smoobu::new(SmoobuSettings { bookings: 30, odd: 0.2, ..SmoobuSettings::default() }, turned_clock().1);
    for _ in 0..200 {
        simulator.act();
    }
    let account = simulator.account();
    let live: Vec<_> = account.book.bookings.iter().filter(|booking| booking.is_active()).collect();
    assert!(live.len() > 20, "{}", live.len());
    for (place, booking) in live.iter().enumerate() {
        let closing = account.book.closing_with(booking.apartment);
        let meets = |other: &&&booking::SmoobuBooking| {
            closing.contains(&other.apartment) && other.meets((booking.arrival, booking.departure))
        };
        assert_eq!(live[place + 1..].iter().filter(meets).count(), 0, "{booking:?}");
    }
}
