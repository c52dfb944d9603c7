//! A simulated Beds24 API V2: tokens, scopes, credits, properties, bookings with real filters and writes, the calendar,
//! messages, webhooks, and injected faults. The same seed, clock and actions give the same bytes.
//!
//! `/` is a control page; `/_simulator/…` is the control API for tests.

mod actions;
mod answer;
mod auth;
mod book_nights;
mod booking;
mod bookings;
mod by_hand;
mod control;
mod credits;
mod encode;
mod fields;
mod inspect;
mod inventory;
mod items;
mod messages;
mod middleware;
mod nights;
mod odd;
mod odd_kind;
mod plain_keys;
mod properties;
mod property;
mod query;
mod random;
mod scopes;
mod settings;
mod simulator;
mod state;
mod webhook;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, middleware::from_fn_with_state, response::Response};
use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

pub use actions::BookingAction;
pub use booking::{BookEntry, BookingChange, NewBooking};
pub use by_hand::NightsSet;
pub use messages::GuestMessage;
pub use nights::{NightWrite, RoomNight};
pub use odd_kind::Odd;
pub use property::{Beds24Property, Beds24RoomType};
pub use settings::{CreditHeaders, Parallel, Settings};
pub(crate) use simulator::account;

use crate::{
    ActionKind, Delivered, FaultSettings, InjectedFault, Notification, Rule, SeenCall, SimulatorClock, WebhookTarget,
    calls::CallLog,
    chance::{stream, today},
    json_text, money, response_faults,
    webhook::{Outgoing, deliver},
};
use auth::Tokens;
use credits::Credits;
use messages::Messages;
use middleware::{Admitted, CallGuard};
use odd::Oddities;
use state::AccountState;
use webhook::BookingWebhook;

/// Largest request body, in bytes.
const BODY_BYTES: usize = 1 << 20;
/// Random stream of prices, separate so that prices do not affect bookings.
const PRICES_STREAM: u64 = 1;
/// Random stream of faults, separate so that faults do not affect bookings.
const FAULT_STREAM: u64 = 2;
/// Random stream of odd bookings, separate from both.
const ODD_STREAM: u64 = 3;

/// A simulated account at Beds24. Clones share it.
#[derive(Clone)]
pub struct Beds24 {
    inner: Arc<Inner>,
}

struct Inner {
    clock: SimulatorClock,
    settings: Settings,
    state: Mutex<Account>,
    delivery_ready: Notify,
}

struct Account {
    book: AccountState,
    messages: Messages,
    tokens: Tokens,
    credits: Credits,
    outgoing: Outgoing<BookingWebhook>,
    /// Target of the inventory webhook.
    inventory: Option<WebhookTarget>,
    calls: CallLog,
    faults: FaultSettings,
    oddities: Oddities,
    /// Random stream of the account.
    rng: ChaCha8Rng,
    /// Random stream of faults.
    fault_rng: ChaCha8Rng,
}

impl Beds24 {
    /// Creates an account with properties and bookings.
    pub fn new(settings: Settings, clock: SimulatorClock) -> Self {
        let stream = |number| stream(settings.seed, number);
        let mut rng = stream(0);
        let mut book = AccountState::new(&settings, &mut rng);
        book.set_prices(today(clock()), settings.linked_prices, &mut stream(PRICES_STREAM));
        for _ in 0..settings.bookings {
            book.make_any(&mut rng, clock());
        }
        let mut faults = settings.faults.clone();
        if settings.webhook_shuffle {
            faults.rules.entry(InjectedFault::ReorderedWebhook).or_insert(Rule::rate(1.0));
        }
        let account = Account {
            book,
            messages: Messages::default(),
            tokens: Tokens::default(),
            credits: Credits::new(&settings),
            outgoing: Outgoing::default(),
            inventory: None,
            calls: CallLog::default(),
            faults,
            oddities: Oddities::new(settings.odd, stream(ODD_STREAM)),
            rng,
            fault_rng: stream(FAULT_STREAM),
        };
        let inner = Inner { clock, settings, state: Mutex::new(account), delivery_ready: Notify::new() };
        Self { inner: Arc::new(inner) }
    }

    /// Serves the API and delivers webhooks until shutdown.
    pub async fn serve(&self, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
        let guard = CallGuard { simulator: self.clone(), shutdown: shutdown.clone() };
        let behind_token = Router::new()
            .merge(properties::router())
            .merge(bookings::router())
            .merge(messages::router())
            .merge(inventory::router())
            .fallback(nowhere)
            .layer(from_fn_with_state(guard.clone(), middleware::admit));
        let open = auth::router().layer(from_fn_with_state(guard, middleware::note));
        let app = Router::new()
            .merge(control::router())
            .nest("/api/v2", open.merge(behind_token))
            .with_state(self.clone())
            .merge(crate::control::router(Arc::new(self.clone()), Arc::clone(&self.inner.clock)))
            .layer(DefaultBodyLimit::max(BODY_BYTES));
        let deliveries = tokio::spawn(deliver(self.clone(), shutdown.clone()));
        let served = axum::serve(listener, app).with_graceful_shutdown(shutdown.cancelled_owned()).await;
        deliveries.await.map_err(std::io::Error::other)?;
        served
    }

    fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        // A poisoned lock comes from a test that has already failed.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies a write; if the fault says so, the changes are rolled back and the response is kept.
    fn write(&self, call: &Admitted, work: impl FnOnce(&mut Account, &Settings, Timestamp) -> Vec<Value>) -> Response {
        let account = &mut *self.account();
        let before =
            call.discard_changes.then(|| (account.book.clone(), account.messages.clone(), account.outgoing.clone()));
        let outcomes = work(account, &self.inner.settings, self.now());
        if let Some(before) = before {
            (account.book, account.messages, account.outgoing) = before;
        }
        self.inner.delivery_ready.notify_one();
        answer::written(outcomes)
    }
}

async fn nowhere() -> Response {
    answer::error(StatusCode::NOT_FOUND, "Not found")
}

#[cfg(test)]
mod tests;
