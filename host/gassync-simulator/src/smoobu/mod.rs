//! A simulated Smoobu account: apartments, reservations with their one status, rates, blocks, webhooks, and injected
//! faults. The same seed, clock and actions give the same bytes.

mod actions;
mod answer;
mod apartment;
mod apartments;
mod auth;
mod availability;
mod book;
mod booking;
mod by_hand;
mod calendar;
mod channel;
mod encode;
mod guests;
mod middleware;
mod odd;
mod odd_kind;
mod price_element;
mod query;
mod random;
mod rate_limit;
mod rates;
mod reservations;
mod settings;
mod shown;
mod simulator;
mod webhook;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, middleware::from_fn_with_state, response::Response};
use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::sync::CancellationToken;

pub use settings::{RetryAfter, SmoobuSettings};
pub(crate) use simulator::account;

use crate::{
    FaultSettings, InjectedFault, Rule, SimulatorClock,
    calls::CallLog,
    chance::{stream, today},
    webhook::{Outgoing, deliver},
};
use auth::Keys;
use book::Book;
use middleware::{AdmittedCall, Gate};
use odd::OddTurns;
use rate_limit::MinuteLimit;
use webhook::SmoobuWebhook;

/// Largest request body, in bytes.
const BODY_BYTES: usize = 1 << 20;
/// Random stream of prices, separate so that prices do not affect bookings.
const PRICES_STREAM: u64 = 1;
/// Random stream of faults, separate so that faults do not affect bookings.
const FAULT_STREAM: u64 = 2;
/// Random stream of odd bookings, separate from both.
const ODD_STREAM: u64 = 3;
/// Random stream of keys, separate so that keys do not affect anything.
const KEYS_STREAM: u64 = 4;

/// A simulated account at Smoobu. Clones share it.
#[derive(Clone)]
pub struct Smoobu {
    inner: Arc<Inner>,
}

struct Inner {
    clock: SimulatorClock,
    settings: SmoobuSettings,
    state: Mutex<Account>,
    delivery_ready: Notify,
}

struct Account {
    book: Book,
    keys: Keys,
    limit: MinuteLimit,
    webhook_urls: Vec<String>,
    outgoing: Outgoing<SmoobuWebhook>,
    calls: CallLog,
    faults: FaultSettings,
    oddities: OddTurns,
    /// Random stream of the account.
    rng: ChaCha8Rng,
    /// Random stream of faults.
    fault_rng: ChaCha8Rng,
}

impl Smoobu {
    /// Creates an account with apartments and bookings.
    pub fn new(settings: SmoobuSettings, clock: SimulatorClock) -> Self {
        let stream = |number| stream(settings.seed, number);
        let (now, mut rng, mut prices) = (clock(), stream(0), stream(PRICES_STREAM));
        let mut book = Book::new(&settings, &mut rng);
        for place in 0..book.apartments.len() {
            let id = book.apartments[place].id;
            book.rates.price(id, today(now), &mut prices);
        }
        for _ in 0..settings.bookings {
            book.make_any(&mut rng, now);
        }
        let mut faults = settings.faults.clone();
        if settings.webhook_shuffle {
            faults.rules.entry(InjectedFault::ReorderedWebhook).or_insert(Rule::rate(1.0));
        }
        let account = Account {
            book,
            keys: Keys::new(stream(KEYS_STREAM)),
            limit: MinuteLimit::default(),
            webhook_urls: Vec::new(),
            outgoing: Outgoing::default(),
            calls: CallLog::default(),
            faults,
            oddities: OddTurns::new(settings.odd, stream(ODD_STREAM)),
            rng,
            fault_rng: stream(FAULT_STREAM),
        };
        let inner = Inner { clock, settings, state: Mutex::new(account), delivery_ready: Notify::new() };
        Self { inner: Arc::new(inner) }
    }

    /// The plain key, which stops to work one day.
    pub fn plain_key(&self) -> String {
        self.account().keys.plain.clone()
    }

    /// Name and secret of the key that signs requests.
    pub fn signing_key(&self) -> (String, String) {
        let account = self.account();
        (account.keys.id.clone(), account.keys.secret.clone())
    }

    /// Serves the API and delivers webhooks until shutdown.
    async fn run(self, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
        let guard = Gate { simulator: self.clone(), shutdown: shutdown.clone() };
        let api = Router::new()
            .merge(apartments::router())
            .merge(availability::router())
            .merge(calendar::router())
            .merge(guests::router())
            .merge(reservations::router())
            .method_not_allowed_fallback(async || answer::page(StatusCode::METHOD_NOT_ALLOWED))
            .fallback(async || answer::not_found())
            .with_state(self.clone())
            .layer(from_fn_with_state(guard, middleware::admit));
        let control = crate::control::router(Arc::new(self.clone()), Arc::clone(&self.inner.clock));
        let deliveries = tokio::spawn(deliver(self, shutdown.clone()));
        let served = axum::serve(listener, control.merge(api).layer(DefaultBodyLimit::max(BODY_BYTES)))
            .with_graceful_shutdown(shutdown.cancelled_owned())
            .await;
        deliveries.await.map_err(io::Error::other)?;
        served
    }

    fn now(&self) -> Timestamp {
        (self.inner.clock)()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        // A poisoned lock comes from a test that has already failed.
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the account by hand or by chance.
    fn change<T>(&self, work: impl FnOnce(&mut Account, &SmoobuSettings, Timestamp) -> T) -> T {
        let now = self.now();
        let done = work(&mut self.account(), &self.inner.settings, now);
        self.inner.delivery_ready.notify_one();
        done
    }

    /// Applies a write; if the fault says so, the changes are rolled back and the answer is kept.
    fn write(
        &self,
        call: AdmittedCall,
        work: impl FnOnce(&mut Account, &SmoobuSettings, Timestamp) -> Response,
    ) -> Response {
        self.change(|account, settings, now| {
            let before = call.discard_changes.then(|| (account.book.clone(), account.outgoing.clone()));
            let answer = work(account, settings, now);
            if let Some(before) = before {
                (account.book, account.outgoing) = before;
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests;
