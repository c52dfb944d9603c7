//! A simulated Beds24 that speaks API V2: tokens, credits, properties, bookings with their true filters, webhooks.
//! The same seed, the same clock and the same acts give the same bytes.

mod acts;
mod auth;
mod book;
mod bookings;
mod credits;
mod page;
mod properties;
mod webhook;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

pub use acts::{Action, Kind, Told};
pub use book::{BookEntry, Change, NewBooking, Property, RoomType};
pub use webhook::Webhook;

use crate::Clock;
use auth::Tokens;
use book::Book;
use credits::Credits;
use webhook::Outgoing;

/// What the simulation starts with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What all chance grows from.
    pub seed: u64,
    /// How many properties.
    pub properties: u32,
    /// How many room types each of them has.
    pub room_types_per_property: u32,
    /// How many bookings are there from the start.
    pub bookings: u32,
    /// Credits per rolling five minutes.
    pub credits_per_five_minutes: f64,
    /// Deliver webhooks out of order.
    pub webhook_shuffle: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 24,
            properties: 3,
            room_types_per_property: 2,
            bookings: 20,
            credits_per_five_minutes: 100.0,
            webhook_shuffle: true,
        }
    }
}

/// A simulated account at Beds24. Clones share it.
#[derive(Clone)]
pub struct Beds24 {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    state: Mutex<Account>,
    something_to_tell: Notify,
}

struct Account {
    book: Book,
    tokens: Tokens,
    credits: Credits,
    webhooks: Outgoing,
    rng: ChaCha8Rng,
}

impl Beds24 {
    /// An account with properties and bookings.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
        let mut book = Book::new(&settings, &mut rng);
        for _ in 0..settings.bookings {
            book.make_any(&mut rng, clock());
        }
        let account = Account {
            book,
            tokens: Tokens::default(),
            credits: Credits::new(settings.credits_per_five_minutes),
            webhooks: Outgoing::new(settings.webhook_shuffle),
            rng,
        };
        let inner = Inner { clock, state: Mutex::new(account), something_to_tell: Notify::new() };
        Self { inner: Arc::new(inner) }
    }

    /// Serves the API and delivers webhooks until it is told to stop.
    pub async fn serve(&self, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
        let behind_token = Router::new()
            .route("/properties", get(properties::list))
            .route("/bookings", get(bookings::list))
            .layer(from_fn_with_state(self.clone(), admit));
        let app = Router::new()
            .route("/", get(page::show))
            .nest("/api/v2", auth::router().merge(behind_token))
            .with_state(self.clone());
        let deliveries = tokio::spawn(webhook::deliver(self.clone(), shutdown.clone()));
        let served = axum::serve(listener, app).with_graceful_shutdown(shutdown.cancelled_owned()).await;
        deliveries.await.map_err(std::io::Error::other)?;
        served
    }

    /// A fresh invite code, good for one use.
    pub fn invite_code(&self) -> String {
        let account = &mut *self.account();
        account.tokens.invite(&mut account.rng)
    }

    /// Where every property's webhook goes.
    pub fn set_webhook(&self, webhook: Webhook) {
        self.account().webhooks.target = Some(webhook);
    }

    /// Deliveries not taken yet.
    pub fn webhooks_pending(&self) -> usize {
        self.account().webhooks.pending()
    }

    /// The bookings whose deliveries were taken with a 2xx, in order.
    pub fn webhooks_acknowledged(&self) -> Vec<u64> {
        self.account().webhooks.acknowledged.clone()
    }

    /// What the account has, for comparing.
    pub fn book(&self) -> Vec<BookEntry> {
        self.account().book.entries()
    }

    /// The houses.
    pub fn properties(&self) -> Vec<Property> {
        self.account().book.properties.clone()
    }

    /// What a webhook would say of a booking now.
    pub fn webhook_body(&self, booking: u64) -> Option<Value> {
        let now = (self.inner.clock)();
        self.account().book.wire(booking).map(|wire| webhook::body(wire, now))
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        // A test that panicked while it held the account has said so already.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Token and credits, before any call is looked at.
async fn admit(State(simulator): State<Beds24>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let now = (simulator.inner.clock)();
    let token = headers.get("token").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let admitted = {
        let account = &mut *simulator.account();
        if !account.tokens.is_valid(token, now) {
            return error(StatusCode::UNAUTHORIZED, "Token not valid");
        }
        account.credits.charge(now)
    };
    let Ok(paid) = admitted else {
        let left = simulator.account().credits.left(now);
        return left.on(error(StatusCode::TOO_MANY_REQUESTS, "Credit limit exceeded"));
    };
    let answer = next.run(request).await;
    if answer.status() == StatusCode::BAD_REQUEST {
        // What is refused costs nothing, and carries no header that says so.
        simulator.account().credits.refund(&paid);
        return answer;
    }
    let left = simulator.account().credits.left(now);
    left.on(answer)
}

/// The envelope of every refusal.
fn error(status: StatusCode, text: &str) -> Response {
    let body = json!({ "success": false, "type": "error", "code": status.as_u16(), "error": text });
    (status, axum::Json(body)).into_response()
}

/// The envelope of every list.
fn envelope(kind: &str, data: Vec<Value>, next_page: Option<String>) -> Response {
    let body = json!({
        "success": true,
        "type": kind,
        "count": data.len(),
        "pages": { "nextPageExists": next_page.is_some(), "nextPageLink": next_page },
        "data": data,
    });
    axum::Json(body).into_response()
}

#[cfg(test)]
mod tests;
