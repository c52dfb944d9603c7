//! Webhooks of version 2: as it was when it happened, out of order, and again until it is taken.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Beds24;

/// The first wait after a delivery that was not taken; each further one is twice as long.
const FIRST_WAIT: SignedDuration = SignedDuration::from_millis(200);
/// The longest wait. The true one is minutes; here people watch.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(3);
/// How long a delivery may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often the queue is looked at when nothing new happens.
const IDLE: Duration = Duration::from_millis(50);

/// Where deliveries go.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The whole address.
    pub url: String,
    /// The static header, which is all the proof there is.
    pub header: Option<(String, String)>,
}

struct Delivery {
    booking: u64,
    body: Value,
    retries: u32,
    not_before: Timestamp,
}

pub(super) struct Outgoing {
    pub target: Option<Webhook>,
    pub acknowledged: Vec<u64>,
    queue: Vec<Delivery>,
    in_flight: usize,
    shuffle: bool,
}

impl Outgoing {
    pub fn new(shuffle: bool) -> Self {
        Self { target: None, acknowledged: Vec::new(), queue: Vec::new(), in_flight: 0, shuffle }
    }

    pub fn pending(&self) -> usize {
        self.queue.len() + self.in_flight
    }

    pub fn add(&mut self, booking: u64, body: Value, now: Timestamp) {
        self.queue.push(Delivery { booking, body, retries: 0, not_before: now });
    }
}

/// What a delivery says of a booking.
pub(super) fn body(booking: Value, now: Timestamp) -> Value {
    let stamp = Timestamp::from_second(now.as_second()).unwrap_or(now).to_string();
    json!({ "timeStamp": stamp, "booking": booking, "infoItems": [], "invoiceItems": [], "messages": [], "retries": 0 })
}

/// Delivers until it is told to stop.
pub(super) async fn deliver(simulator: Beds24, shutdown: CancellationToken) {
    // Another part of the process may have chosen a provider already: either is fine.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = match reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "webhooks cannot be sent");
            return;
        }
    };
    while !shutdown.is_cancelled() {
        let Some((target, delivery)) = take(&simulator) else {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = simulator.inner.something_to_tell.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
            }
            continue;
        };
        let taken = post(&client, &target, &delivery).await;
        settle(&simulator, delivery, taken);
    }
}

fn take(simulator: &Beds24) -> Option<(Webhook, Delivery)> {
    let now = (simulator.inner.clock)();
    let account = &mut *simulator.account();
    let target = account.webhooks.target.clone()?;
    let due: Vec<usize> =
        account.webhooks.queue.iter().enumerate().filter(|(_, d)| d.not_before <= now).map(|(i, _)| i).collect();
    if due.is_empty() {
        return None;
    }
    let choice = if account.webhooks.shuffle { account.rng.random_range(0..due.len()) } else { 0 };
    let delivery = account.webhooks.queue.remove(due[choice]);
    account.webhooks.in_flight += 1;
    Some((target, delivery))
}

async fn post(client: &reqwest::Client, target: &Webhook, delivery: &Delivery) -> bool {
    let mut body = delivery.body.clone();
    body["retries"] = Value::from(delivery.retries);
    let mut request = client.post(&target.url).json(&body);
    if let Some((name, value)) = &target.header {
        request = request.header(name, value);
    }
    request.send().await.is_ok_and(|answer| answer.status().is_success())
}

fn settle(simulator: &Beds24, mut delivery: Delivery, taken: bool) {
    let now = (simulator.inner.clock)();
    let webhooks = &mut simulator.account().webhooks;
    webhooks.in_flight -= 1;
    if taken {
        webhooks.acknowledged.push(delivery.booking);
        return;
    }
    let wait = (FIRST_WAIT * 2_i32.pow(delivery.retries.min(6))).min(LONGEST_WAIT);
    delivery.retries += 1;
    delivery.not_before = now + wait;
    webhooks.queue.push(delivery);
}
