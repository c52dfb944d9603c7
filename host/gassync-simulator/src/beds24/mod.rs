//! A simulated Beds24 that speaks API V2: tokens, scopes, credits, properties, bookings with their true filters and
//! writes, the calendar, messages, webhooks, and what can go wrong with any of them.
//! The same seed, the same clock and the same acts give the same bytes.
//!
//! `/` is a page for people, and `/_simulator/…` tells tests what the account has and lets them act in it.

mod acts;
mod answer;
mod auth;
mod book;
mod book_nights;
mod booking;
mod bookings;
mod by_hand;
mod calls;
mod chance;
mod control;
mod credits;
mod door;
mod faults;
mod houses;
mod inspect;
mod inventory;
mod items;
mod json_text;
mod keys;
mod messages;
mod money;
mod nights;
mod odd;
mod odd_kind;
mod plain_keys;
mod properties;
mod query;
mod scopes;
mod settings;
mod spoil;
mod webhook;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, middleware::from_fn_with_state, response::Response};
use jiff::{Timestamp, tz::TimeZone};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

pub use acts::{Action, Kind, Told};
pub use booking::{BookEntry, Change, NewBooking};
pub use by_hand::NightsSet;
pub use calls::SeenCall;
pub use faults::{Fault, Faults, Rule};
pub use houses::{Property, RoomType};
pub use messages::Message;
pub use nights::{Night, NightWrite};
pub use odd_kind::Odd;
pub use settings::{CreditHeaders, Parallel, Settings};
pub use webhook::{Delivered, Webhook};

use crate::Clock;
use auth::Tokens;
use book::Book;
use calls::Calls;
use credits::Credits;
use door::{Admitted, Door};
use messages::Messages;
use odd::Oddities;
use webhook::Outgoing;

/// The most that a write may be, in bytes.
const BODY_BYTES: usize = 1 << 20;
/// Apart from what happens by chance, so that prices change no booking.
const PRICES_STREAM: u64 = 1;
/// Apart from what happens by chance, so that a fault changes no booking.
const DICE_STREAM: u64 = 2;
/// Apart from both, so that what is said oddly changes nothing else.
const ODD_STREAM: u64 = 3;

/// A simulated account at Beds24. Clones share it.
#[derive(Clone)]
pub struct Beds24 {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    settings: Settings,
    state: Mutex<Account>,
    something_to_tell: Notify,
}

struct Account {
    book: Book,
    messages: Messages,
    tokens: Tokens,
    credits: Credits,
    outgoing: Outgoing,
    calls: Calls,
    faults: Faults,
    oddities: Oddities,
    /// What happens in the account.
    rng: ChaCha8Rng,
    /// What happens to calls and webhooks.
    dice: ChaCha8Rng,
}

impl Beds24 {
    /// An account with properties and bookings.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let stream = |number| {
            let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
            rng.set_stream(number);
            rng
        };
        let mut rng = stream(0);
        let mut book = Book::new(&settings, &mut rng);
        book.set_prices(today(clock()), settings.linked_prices, &mut stream(PRICES_STREAM));
        for _ in 0..settings.bookings {
            book.make_any(&mut rng, clock());
        }
        let mut faults = settings.faults.clone();
        if settings.webhook_shuffle {
            faults.rules.entry(Fault::ReorderedWebhook).or_insert(Rule::rate(1.0));
        }
        let account = Account {
            book,
            messages: Messages::default(),
            tokens: Tokens::default(),
            credits: Credits::new(&settings),
            outgoing: Outgoing::default(),
            calls: Calls::default(),
            faults,
            oddities: Oddities::new(settings.odd, stream(ODD_STREAM)),
            rng,
            dice: stream(DICE_STREAM),
        };
        let inner = Inner { clock, settings, state: Mutex::new(account), something_to_tell: Notify::new() };
        Self { inner: Arc::new(inner) }
    }

    /// Serves the API and delivers webhooks until it is told to stop.
    pub async fn serve(&self, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
        let door = Door { simulator: self.clone(), shutdown: shutdown.clone() };
        let behind_token = Router::new()
            .merge(properties::router())
            .merge(bookings::router())
            .merge(messages::router())
            .merge(inventory::router())
            .fallback(nowhere)
            .layer(from_fn_with_state(door.clone(), door::admit));
        let open = auth::router().layer(from_fn_with_state(door, door::note));
        let app = Router::new()
            .merge(control::router())
            .nest("/api/v2", open.merge(behind_token))
            .layer(DefaultBodyLimit::max(BODY_BYTES))
            .with_state(self.clone());
        let deliveries = tokio::spawn(webhook::deliver(self.clone(), shutdown.clone()));
        let served = axum::serve(listener, app).with_graceful_shutdown(shutdown.cancelled_owned()).await;
        deliveries.await.map_err(std::io::Error::other)?;
        served
    }

    fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        // A test that panicked while it held the account has said so already.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes to the account as a call asks for it; what is to change nothing is undone, the answer stays.
    fn write(&self, call: &Admitted, work: impl FnOnce(&mut Account, &Settings, Timestamp) -> Vec<Value>) -> Response {
        let account = &mut *self.account();
        let before =
            call.nothing_changes.then(|| (account.book.clone(), account.messages.clone(), account.outgoing.clone()));
        let outcomes = work(account, &self.inner.settings, self.now());
        if let Some(before) = before {
            (account.book, account.messages, account.outgoing) = before;
        }
        self.inner.something_to_tell.notify_one();
        answer::written(outcomes)
    }
}

/// The day that the account's calendar is at.
fn today(now: Timestamp) -> jiff::civil::Date {
    now.to_zoned(TimeZone::UTC).date()
}

async fn nowhere() -> Response {
    answer::error(StatusCode::NOT_FOUND, "Not found")
}

#[cfg(test)]
mod tests;
