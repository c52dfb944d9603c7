//! Manual closures, sales, prices and cancellations at two channels and the core, in any order: no night is open
//! anywhere that a seller has closed, and none stays closed that all have opened. Each night of a round has its own
//! order; `TEST_EXAMPLES` sets how many are tried.

use std::{collections::BTreeMap, time::Duration};

use gassync_domain::{Date, Timestamp};
use gassync_simulator::{Notification, beds24::NewBooking};
use gassync_tests::{database::Database, host::Channel, on_both};
use jiff::SignedDuration;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::{
    manual_closures::set,
    outbound::{Stage, is_open},
};

on_both!(random_interleavings_of_closures_converge);

/// Nights per round.
const NIGHTS: i64 = 250;
/// Actions on a night per round.
const STEPS: usize = 4;
/// Default number of orders tried.
const EXAMPLES: usize = 100;
/// Maximum number of checks for agreement, five seconds apart.
const LOOKS: usize = 24;

/// The expected state of a night.
#[derive(Debug, Clone, Default)]
struct Night {
    /// Manual closures at the first and at the second channel.
    closed: [bool; 2],
    /// The seller of its booking, and the booking's id there.
    sold: Option<Sold>,
    /// The actions on it so far.
    pushed: Vec<&'static str>,
}

#[derive(Debug, Clone)]
enum Sold {
    Channel(usize, u64),
    Engine(String),
}

impl Night {
    fn is_open(&self) -> bool {
        self.closed == [false, false] && self.sold.is_none()
    }
}

struct Market {
    stage: Stage,
    nights: BTreeMap<i64, Night>,
    rng: ChaCha8Rng,
    booked: u64,
}

async fn random_interleavings_of_closures_converge(database: Database) {
    let examples = std::env::var("TEST_EXAMPLES").ok().and_then(|text| text.parse().ok()).unwrap_or(EXAMPLES);
    let seed = std::env::var("TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(7);
    let stage = Stage::open(database, "0").await;
    stage.settled().await;
    let nights = (0..NIGHTS.min(i64::try_from(examples).expect("a number"))).map(|night| (night, Night::default()));
    let mut market = Market { stage, nights: nights.collect(), rng: ChaCha8Rng::seed_from_u64(seed), booked: 0 };
    let mut tried = 0;
    while tried < examples {
        for _ in 0..STEPS {
            market.step().await;
        }
        market.all_agree(seed).await;
        tried += market.nights.len();
    }
    assert_eq!(market.stage.host.look("ledger/differences").await, json!([]));
    market.stage.host.stop().await;
}

impl Market {
    fn channel(&self, place: usize) -> (&Channel, u64) {
        match place {
            0 => (&self.stage.alpha, self.stage.rooms.0),
            _ => (&self.stage.beta, self.stage.rooms.1),
        }
    }

    /// Acts on most nights, and reads some of the calendars.
    async fn step(&mut self) {
        let mut prices = Vec::new();
        for ahead in self.nights.keys().copied().collect::<Vec<_>>() {
            let dice = self.rng.random_range(0..14);
            let (date, place) = (self.stage.day(ahead), self.rng.random_range(0..2));
            match dice {
                0..=2 => self.close(ahead, date, place),
                3..=4 => self.open(ahead, date, place),
                5..=7 => self.sell(ahead, date, place).await,
                8..=9 => self.cancel(ahead).await,
                10..=11 => {
                    self.note(ahead, "price");
                    prices.push(json!({ "roomTypeId": "studio", "date": date, "price": self.rng.random_range(50..200),
                        "currency": self.stage.currency() }));
                }
                _ => {}
            }
        }
        if !prices.is_empty() {
            self.stage.host.operate("sources/engine/authority", &json!({ "calendar": "theirs" })).await;
            let (status, pushed) = self.stage.host.post(&self.stage.engine, "availability", &json!(prices)).await;
            assert!(status < 300, "{pushed}");
        }
        for source in ["alpha", "beta"] {
            if self.rng.random_bool(0.5) {
                self.stage.sync(source).await;
            }
        }
        self.quiet().await;
    }

    /// Waits until all actions are received, applied and pushed. A manual change between the host's read and its next
    /// write cannot be noticed: the two are simultaneous, not ordered.
    async fn quiet(&self) {
        let host = &self.stage.host;
        let is_pushed =
            || [&self.stage.alpha, &self.stage.beta].iter().all(|channel| channel.account.webhooks_pending() == 0);
        let works = async || {
            let soon = host.app.now() + SignedDuration::from_secs(2);
            // A running job counts as waiting until its result is stored.
            let listed = host.look("jobs?state=waiting").await;
            let jobs = listed.as_array().cloned().expect("jobs");
            let is_due = |job: &Value| {
                job["runAt"].as_str().and_then(|at| at.parse().ok()).is_none_or(|at: Timestamp| at <= soon)
            };
            let counts = |job: &&Value| {
                ["refetch", "push-booking", "push-calendar", "retry-parked"]
                    .contains(&job["kind"].as_str().expect("a kind"))
            };
            jobs.iter().filter(counts).any(is_due)
        };
        let mut still = 0;
        host.until("nothing more happens", async || {
            let rests = is_pushed() && host.figure("messages_waiting").await == 0 && !works().await;
            still = if rests { still + 1 } else { 0 };
            still >= 4
        })
        .await;
        self.stage.settled().await;
    }

    fn note(&mut self, ahead: i64, what: &'static str) {
        self.nights.get_mut(&ahead).expect("a night").pushed.push(what);
    }

    /// Does nothing if the channel has closed the night already: a manual closure could not be told apart.
    fn close(&mut self, ahead: i64, date: Date, place: usize) {
        let (channel, room) = self.channel(place);
        if channel.account.nights(room, date, date)[0].closing.as_deref() == Some("blackout") {
            return;
        }
        set(channel, room, (date, date), "blackout");
        self.nights.get_mut(&ahead).expect("a night").closed[place] = true;
        self.note(ahead, if place == 0 { "alpha closes" } else { "beta closes" });
    }

    fn open(&mut self, ahead: i64, date: Date, place: usize) {
        let (channel, room) = self.channel(place);
        set(channel, room, (date, date), "none");
        self.nights.get_mut(&ahead).expect("a night").closed[place] = false;
        self.note(ahead, if place == 0 { "alpha opens" } else { "beta opens" });
    }

    /// Sells the night if it is for sale and not booked.
    async fn sell(&mut self, ahead: i64, date: Date, place: usize) {
        if self.nights[&ahead].sold.is_some() {
            return;
        }
        self.booked += 1;
        if self.rng.random_bool(0.4) {
            let id = format!("e{}", self.booked);
            let record = self.stage.record(&id, (ahead, ahead + 1), "confirmed");
            let (status, _) = self.stage.host.post(&self.stage.engine, "reservations?onConflict=refuse", &record).await;
            if status < 300 {
                self.nights.get_mut(&ahead).expect("a night").sold = Some(Sold::Engine(id));
                self.note(ahead, "engine sells");
            }
            return;
        }
        let (channel, room) = self.channel(place);
        if !is_open(channel, room, date) {
            return;
        }
        let new = NewBooking {
            room_id: room,
            arrival: date,
            departure: self.stage.day(ahead + 1),
            room_qty: 1,
            num_adult: 2,
            price_cents: 9_000,
            first_name: "Ada".to_owned(),
            last_name: "Lind".to_owned(),
        };
        let pushed = if self.rng.random_bool(0.7) { Notification::Webhook } else { Notification::None };
        let (channel, _) = self.channel(place);
        if let Some(id) = channel.account.make(new, pushed) {
            self.nights.get_mut(&ahead).expect("a night").sold = Some(Sold::Channel(place, id));
            self.note(ahead, if place == 0 { "alpha sells" } else { "beta sells" });
        }
    }

    async fn cancel(&mut self, ahead: i64) {
        match self.nights.get_mut(&ahead).expect("a night").sold.take() {
            None => return,
            Some(Sold::Channel(place, id)) => {
                let (channel, _) = self.channel(place);
                assert!(channel.account.cancel(id, Notification::Webhook));
            }
            Some(Sold::Engine(id)) => self.stage.book(&id, (ahead, ahead + 1), "cancelled").await,
        }
        self.note(ahead, "cancelled");
    }

    /// After everything was read and pushed, all sellers show the expected state.
    async fn all_agree(&self, seed: u64) {
        let mut wrong = Vec::new();
        for _ in 0..LOOKS {
            self.stage.sync("alpha").await;
            self.stage.sync("beta").await;
            self.stage.settled().await;
            wrong.clear();
            for (ahead, night) in &self.nights {
                let date = self.stage.day(*ahead);
                let shown = [
                    self.stage.is_free(date).await,
                    is_open(&self.stage.alpha, self.stage.rooms.0, date),
                    is_open(&self.stage.beta, self.stage.rooms.1, date),
                ];
                if shown != [night.is_open(); 3] {
                    wrong.push(format!("{date}: the core, alpha and beta show {shown:?} of {night:?}"));
                }
            }
            if wrong.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        panic!("TEST_SEED={seed}: {}", wrong.join("\n"));
    }
}
