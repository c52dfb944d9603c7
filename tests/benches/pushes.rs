//! Time from a change of the core until the channels that sell it have it: 200 changes per second over 400 sources,
//! each a simulated Beds24 account with its own five-minute credits, called through the sandbox. Time spent waiting for
//! rate limits is shown separately.
//!
//! `cargo bench -p gassync-tests --bench pushes`; `TEST_SOURCES`, `TEST_CHANGES_PER_SECOND`, `TEST_SECONDS` and
//! `TEST_SELLERS` (number of sources that sell each room) set its size, `TEST_DATABASE=sqlite` selects one database.
//! The changes are made by calling this program's own core (`gassync::core`), which keeps the ledger of nights; another
//! program cannot make them like that. With `TEST_BY=api` each is a call of the standard API instead.
//!
//! Host, channels and the callers share this process and its processors.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gassync::store::plugins::calls::{self, StoredCall};
use gassync_domain::{Amount, CalendarNight, CoreId, Date, Reservation, Timestamp, utc_day};
use gassync_simulator::{SeenCall, beds24::RoomNight};
use gassync_tests::{
    database::Database,
    load_fixture::{LoadFixture, OF_ACCOUNT},
};
use jiff::{SignedDuration, Span};
use serde_json::{Value, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

/// Each change has its own nights, which identify it. The last of the three stays free.
const NIGHTS: usize = 3;
/// Number of such places per room, from the tenth day on.
const PLACES: usize = 110;
/// Interval between reads of queue and outbox.
const LOOKED_AT: Duration = Duration::from_millis(200);
/// The figures read.
const FIGURES: [(&str, &str); 4] = [
    ("facts that nobody has read", "select count(*) from int_outbox where sequence is null and created_at <= $1"),
    (
        "queues that wait",
        "select count(*) from int_queues where due_at <= $1 and (busy_until is null or busy_until <= $1)
            and (paused_until is null or paused_until <= $1)",
    ),
    ("queues that are paused", "select count(*) from int_queues where due_at <= $1 and paused_until > $1"),
    ("queues at work", "select count(*) from int_queues where busy_until > $1"),
];

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
#[tokio::main]
async fn main() {
    let load = Load {
        accounts: setting("TEST_SOURCES", 400).div_ceil(OF_ACCOUNT).max(1),
        sellers: setting("TEST_SELLERS", 1).clamp(1, OF_ACCOUNT),
        per_second: setting("TEST_CHANGES_PER_SECOND", 200).max(1),
        seconds: setting("TEST_SECONDS", 30).max(1),
        by_api: std::env::var("TEST_BY").is_ok_and(|by| by == "api"),
    };
    println!(
        "{} changes per second {} for {} s, over {} sources in {} accounts; {} sell each room",
        load.per_second,
        if load.by_api { "by the API" } else { "in the core" },
        load.seconds,
        load.accounts * OF_ACCOUNT,
        load.accounts,
        load.sellers
    );
    let only = std::env::var("TEST_DATABASE").unwrap_or_default();
    for name in ["postgres", "sqlite"].into_iter().filter(|name| only.is_empty() || only == *name) {
        let database = if name == "sqlite" { Database::sqlite() } else { Database::durable_postgres().await };
        println!("{name}, each commit on disk");
        let market = LoadFixture::open(database, load.accounts, load.sellers).await;
        let market = Arc::new(market);
        let hand = Arc::new(Hand { market: Arc::clone(&market), booked: Mutex::default() });
        Run { load, market, hand }.run().await;
    }
}

#[derive(Clone, Copy)]
struct Load {
    accounts: usize,
    sellers: usize,
    per_second: usize,
    seconds: usize,
    by_api: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Booked,
    Cancelled,
    Priced,
}

impl Kind {
    /// The effect on its nights.
    fn nights(self) -> &'static str {
        match self {
            Self::Booked => "nights closed",
            Self::Cancelled => "nights opened",
            Self::Priced => "prices",
        }
    }
}

/// A change of nights that no other change touches.
#[derive(Clone, Copy)]
struct Change {
    number: usize,
    kind: Kind,
    account: usize,
    room: usize,
    first: Date,
}

impl Load {
    fn units(self) -> usize {
        self.accounts * OF_ACCOUNT
    }

    /// A quarter creates bookings, a quarter cancels earlier ones, the rest changes prices; the rooms are
    /// pseudo-random.
    fn changes(self, today: Date) -> Vec<Change> {
        let mut dice = Dice(24);
        let mut used = vec![0; self.units()];
        let change = |number| {
            let unit = dice.below(self.units());
            let place = used[unit] * 37 % PLACES;
            assert!(used[unit] < PLACES, "so many changes need more nights");
            used[unit] += 1;
            let ahead = i64::try_from(10 + place * NIGHTS).expect("few");
            let kind = [Kind::Booked, Kind::Priced, Kind::Cancelled, Kind::Priced][number % 4];
            let first = today.saturating_add(Span::new().days(ahead));
            Change { number, kind, account: unit / OF_ACCOUNT, room: unit % OF_ACCOUNT, first }
        };
        (0..self.per_second * self.seconds).map(change).collect()
    }
}

/// A pseudo-random generator, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).expect("few")
    }
}

impl Change {
    fn last(&self) -> Date {
        self.first.tomorrow().expect("a day")
    }

    fn cents(&self) -> u64 {
        6_050 + 100 * (self.number as u64 % 300)
    }

    /// True if a channel shows the change: by the status of the booking and by the nights.
    fn is_shown(&self, booking: Option<&str>, nights: &[RoomNight]) -> bool {
        nights.iter().all(|night| match self.kind {
            Kind::Booked => booking == Some("confirmed") && night.closing.as_deref() == Some("blackout"),
            Kind::Cancelled => booking == Some("cancelled") && night.closing.as_deref() == Some("none"),
            Kind::Priced => booking.is_none() && night.price1_cents == Some(self.cents()),
        })
    }

    fn booking(&self, status: &str) -> Value {
        let number = self.number;
        json!({
            "id": format!("b{number}"), "roomTypeId": format!("r{}", self.room), "status": status, "adults": 2,
            "checkIn": self.first, "checkOut": self.last().tomorrow().expect("a day"), "totalPrice": 240.5,
            "currency": "EUR", "guest": { "firstName": "Noor", "lastName": "de Wit", "email": format!("g{number}@example.org") },
        })
    }

    /// The endpoint of the change and the body for it.
    fn request(&self) -> (&'static str, Value) {
        match self.kind {
            Kind::Booked => ("reservations", self.booking("confirmed")),
            Kind::Cancelled => ("reservations", self.booking("cancelled")),
            Kind::Priced => {
                let price = self.cents() as f64 / 100.0;
                let night = json!({ "roomTypeId": format!("r{}", self.room), "ratePlanId": "flex", "price": price,
                    "currency": "EUR", "from": self.first, "to": self.last() });
                ("availability", night)
            }
        }
    }
}

/// Makes changes in the core directly.
struct Hand {
    market: Arc<LoadFixture>,
    /// Bookings so far, by account, room and first night.
    booked: Mutex<HashMap<(usize, usize, Date), CoreId>>,
}

impl Hand {
    async fn make(&self, change: Change) {
        let Change { kind, account, room, first, .. } = change;
        let (house, app) = (&self.market.houses[account], &self.market.host.app);
        match kind {
            Kind::Booked => self.book(change, "confirmed").await,
            Kind::Cancelled => self.book(change, "cancelled").await,
            Kind::Priced => {
                let price = Some(Amount::from_ten_thousandths(100 * change.cents().cast_signed()));
                let currency = Some("EUR".to_owned());
                let night = |date| CalendarNight { price, currency: currency.clone(), ..CalendarNight::new(date) };
                house.price(&app.db, room, &[first, change.last()].map(night), app.now()).await;
            }
        }
    }

    async fn book(&self, change: Change, status: &str) {
        let Change { account, room, first, .. } = change;
        let mut reservation: Reservation = serde_json::from_value(change.booking(status)).expect("a reservation");
        reservation.normalise();
        let (app, place) = (&self.market.host.app, (account, room, first));
        let known = self.booked.lock().expect("what is booked").get(&place).copied();
        let id = self.market.houses[account].book(&app.db, (known, room), &reservation, app.now()).await;
        self.booked.lock().expect("what is booked").insert(place, id);
    }
}

/// When a caller requested a change, and when its commit was acknowledged.
type Made = (Timestamp, Timestamp);

/// Arrival of a change at one channel.
struct Delivery {
    what: &'static str,
    seller: usize,
    committed: Timestamp,
    /// By the channel's own record.
    there: Timestamp,
}

struct Run {
    load: Load,
    market: Arc<LoadFixture>,
    hand: Arc<Hand>,
}

impl Run {
    async fn run(self) {
        let changes = self.load.changes(utc_day(self.market.host.app.now()));
        self.book_ahead(&changes).await;
        self.market.quiet("what is to be cancelled").await;
        self.market.settle().await;
        let newest = self.calls(None).await.first().map_or(0, |call| call.id);
        let stop = AtomicBool::new(false);
        let work = async {
            let made = self.change(&changes).await;
            self.market.quiet("the end").await;
            stop.store(true, Ordering::SeqCst);
            made
        };
        let (made, looks) = tokio::join!(work, self.look(&stop));
        let deliveries = self.deliveries(&changes, &made);
        report_callers(&made);
        self.report_deliveries(&deliveries, &self.calls(Some(newest)).await).await;
        self.report_limits(made[0].0).await;
        report_looks(&looks);
        let Self { market, hand, .. } = self;
        drop(hand);
        Arc::into_inner(market).expect("nobody else has it").stop().await;
    }

    /// The plugin calls after this one, or the newest.
    async fn calls(&self, after: Option<i64>) -> Vec<StoredCall> {
        let mut tx = self.market.db.platform_read().await.expect("a transaction");
        let limit = if after.is_some() { i64::MAX } else { 1 };
        calls::of_plugin(&mut tx, "beds24", (after, limit), false).await.expect("calls")
    }

    /// Creates the bookings that are cancelled later.
    async fn book_ahead(&self, changes: &[Change]) {
        if !self.load.by_api {
            for change in changes.iter().filter(|change| change.kind == Kind::Cancelled) {
                self.hand.book(*change, "confirmed").await;
            }
            return;
        }
        for (account, key) in self.market.keys.iter().enumerate() {
            let cancelled = changes.iter().filter(|change| change.account == account && change.kind == Kind::Cancelled);
            let list: Vec<Value> = cancelled.map(|change| change.booking("confirmed")).collect();
            for piece in list.chunks(100) {
                let (status, outcomes) = self.market.host.post(key, "reservations", &json!(piece)).await;
                assert_eq!((status, &outcomes[0]["status"]), (200, &json!("created")), "{outcomes}");
            }
        }
    }

    /// Makes the changes on schedule, however long earlier ones take.
    async fn change(&self, changes: &[Change]) -> Vec<Made> {
        let mut callers = JoinSet::new();
        let begin = Instant::now();
        for change in changes {
            let apart = Duration::from_secs(1) / u32::try_from(self.load.per_second).expect("few");
            sleep_until(begin + apart * u32::try_from(change.number).expect("few")).await;
            let (hand, change, by_api) = (Arc::clone(&self.hand), *change, self.load.by_api);
            callers.spawn(async move {
                let LoadFixture { host, keys, .. } = &*hand.market;
                let asked = host.app.now();
                if by_api {
                    let (entity, body) = change.request();
                    let (status, answer) = host.post(&keys[change.account], entity, &body).await;
                    assert!(status < 300, "{answer}");
                } else {
                    hand.make(change).await;
                    host.app.facts.notify_one();
                }
                (change.number, (asked, host.app.now()))
            });
        }
        let mut made = callers.join_all().await;
        made.sort_unstable();
        made.into_iter().map(|(_, made)| made).collect()
    }

    async fn look(&self, stop: &AtomicBool) -> Vec<[i64; 4]> {
        let mut looks = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            let mut look = [0; 4];
            for (figure, (_, text)) in look.iter_mut().zip(FIGURES) {
                *figure = self.market.figure(text).await;
            }
            looks.push(look);
            sleep(LOOKED_AT).await;
        }
        looks
    }

    /// When each change arrived at each channel that sells the room. Panics if one is missing or wrong.
    fn deliveries(&self, changes: &[Change], made: &[Made]) -> Vec<Delivery> {
        let mut booked: HashMap<(usize, u64, Date), (String, u64)> = HashMap::new();
        for (seller, at) in self.market.sellers.iter().enumerate() {
            for entry in at.channel.account.book() {
                booked.insert((seller, entry.room_id, entry.arrival), (entry.status, entry.id));
            }
        }
        let mut deliveries = Vec::new();
        for (change, (asked, committed)) in changes.iter().zip(made) {
            for place in 0..self.load.sellers {
                let seller = LoadFixture::seller_of(change.account, change.room, place);
                let at = &self.market.sellers[seller];
                let (beds24, room) = (&at.channel.account, at.room(place));
                let booking = booked.get(&(seller, room, change.first));
                let nights = beds24.nights(room, change.first, change.last());
                let is_right = change.is_shown(booking.map(|(status, _)| status.as_str()), &nights);
                assert!(is_right, "change {} is not at seller {seller}: {booking:?}, {nights:?}", change.number);
                let nights = [change.first, change.last()].map(|night| beds24.night_written(room, night));
                let mut written = vec![(change.kind.nights(), nights.into_iter().flatten().max())];
                if let Some((_, id)) = booking {
                    written.push(("bookings", beds24.booking_written(*id)));
                }
                for (what, there) in written {
                    let there = there.filter(|there| there >= asked).expect("it was written since");
                    // The caller may get the response after the channel has the change.
                    deliveries.push(Delivery { what, seller, committed: *committed, there: there.max(*committed) });
                }
            }
        }
        deliveries
    }

    #[expect(clippy::print_stdout, reason = "the figures are what it is for")]
    async fn report_deliveries(&self, deliveries: &[Delivery], calls: &[StoredCall]) {
        let connections = self.market.connections().await;
        let waits = self.market.waits(&connections);
        let mut begun: HashMap<i64, Vec<Timestamp>> = HashMap::new();
        let mut kinds: BTreeMap<&str, (Vec<SignedDuration>, f64)> = BTreeMap::new();
        for call in calls {
            let wall = SignedDuration::from_micros(call.wall_micros);
            begun.entry(call.connection_id).or_default().push(Timestamp::from(call.created_at) - wall);
            let (walls, processor) = kinds.entry(&call.entry).or_default();
            walls.push(wall);
            *processor += call.processor_micros as f64 / 1_000.0;
        }
        let mut times: BTreeMap<&str, Vec<SignedDuration>> = BTreeMap::new();
        for Delivery { what, seller, committed, there } in deliveries {
            let all = there.duration_since(*committed);
            let limited = waits[*seller].iter().fold(SignedDuration::ZERO, |sum, (from, until)| {
                let shared = (*until).min(*there).duration_since((*from).max(*committed));
                sum + shared.max(SignedDuration::ZERO)
            });
            let calls = begun.get(&connections[*seller].1).into_iter().flatten();
            let began = calls.filter(|began| *began <= there).max().copied().unwrap_or(*committed).max(*committed);
            for (name, time) in [
                (*what, all),
                ("all", all),
                ("all, without limits", all - limited),
                ("until its call began", began.duration_since(*committed)),
                ("in its call", there.duration_since(began)),
            ] {
                times.entry(name).or_default().push(time);
            }
        }
        println!("  from the commit until the channel has it:");
        for (name, times) in times {
            println!("    {name:<20} {}", spread(times));
        }
        println!("  calls of the plugin:");
        for (kind, (walls, processor)) in kinds {
            let each = processor / walls.len() as f64;
            println!("    {kind:<20} {}, {each:.1} ms of the processor each", spread(walls));
        }
    }

    /// Time spent waiting for rate limits since then.
    #[expect(clippy::print_stdout, reason = "the figures are what it is for")]
    async fn report_limits(&self, since: Timestamp) {
        let mut waits = self.market.waits(&self.market.connections().await);
        waits.iter_mut().for_each(|waits| waits.retain(|(_, until)| *until > since));
        let all = || waits.iter().flatten();
        let channels = || self.market.sellers.iter().map(|seller| &seller.channel.account);
        let refused = |calls: Vec<_>| calls.iter().filter(|call: &&SeenCall| call.status == 429).count();
        println!(
            "  limits: {} waits of {} sources, {:.1} s together; channels refused {} calls; of 100 credits {:.1} are left at least",
            all().count(),
            waits.iter().filter(|waits| !waits.is_empty()).count(),
            all().map(|(from, until)| until.duration_since(*from).as_secs_f64()).sum::<f64>(),
            channels().map(|beds24| refused(beds24.requests())).sum::<usize>(),
            channels().map(|beds24| beds24.credits_remaining()).fold(f64::INFINITY, f64::min),
        );
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn report_callers(made: &[Made]) {
    let took = made.last().map_or(SignedDuration::ZERO, |(asked, _)| asked.duration_since(made[0].0));
    let waited = made.iter().map(|(asked, committed)| committed.duration_since(*asked)).collect();
    println!("  {} changes in {:.1} s; who asks for one waits {}", made.len(), took.as_secs_f64(), spread(waited));
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn report_looks(looks: &[[i64; 4]]) {
    for (place, (name, _)) in FIGURES.into_iter().enumerate() {
        let of_it = || looks.iter().map(|look| look[place]);
        let mean = of_it().sum::<i64>() as f64 / looks.len().max(1) as f64;
        println!("  {name}: {mean:.1} on average, {} at most", of_it().max().unwrap_or_default());
    }
}

/// The distribution of times in seconds.
fn spread(mut times: Vec<SignedDuration>) -> String {
    times.sort_unstable();
    let at = |share: f64| {
        let place = (times.len() as f64 * share).ceil() as usize;
        times.get(place.clamp(1, times.len().max(1)) - 1).map_or(f64::NAN, SignedDuration::as_secs_f64)
    };
    let figures = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("most", 1.0)];
    let figures = figures.map(|(name, share)| format!("{name} {:.3} s", at(share)));
    format!("{} ({})", figures.join(", "), times.len())
}
