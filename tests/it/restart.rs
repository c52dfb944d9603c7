//! The database goes away and comes back while the core speaks: nothing is lost, and nothing is done twice at a channel.
//! PostgreSQL alone: SQLite is no server that could be restarted.
//!
//! `TEST_RESTARTS=20` asks for more of them.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use gassync_simulator::{FaultSettings, InjectedFault, Notification, Rule, beds24::NewBooking};
use gassync_tests::{
    database::{Cluster, Stop},
    fault_proxy::FaultProxy,
};
use serde_json::{Value, json};

use crate::outbound::{Stage, is_open, wait_for};

/// Restarts, unless the environment says otherwise.
const RESTARTS: u32 = 4;
/// Bookings of the engine, each of two nights; after that they are changed.
const BOOKINGS: i64 = 60;
/// Between two changes.
const PAUSE: Duration = Duration::from_millis(150);

/// What was sold while the database came and went.
#[derive(Default)]
struct Sold {
    /// First nights of the active bookings of the engine.
    booked: Vec<i64>,
    /// First nights of cancelled bookings.
    cancelled: Vec<i64>,
    /// First nights of bookings sold by a channel itself.
    theirs: Vec<i64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_postgresql_is_restarted_under_load() {
    let restarts = std::env::var("TEST_RESTARTS").ok().and_then(|text| text.parse().ok()).unwrap_or(RESTARTS);
    // A server of its own: other tests are at work on the shared one.
    let cluster = Cluster::start().await;
    let mut database = cluster.database().await;
    // Whatever a connection was about when the server goes, the host waits for a new one: only what has begun to commit is
    // lost. So the wire breaks around commits, too, just before.
    let cutter = FaultProxy::to(cluster.address()).await;
    database.url = database.url.replace(&cluster.address().to_string(), &cutter.address.to_string());
    let stage = Stage::open(database, "2").await;
    let host = &stage.host;
    let is_known = async || stage.is_synced("alpha").await && stage.is_synced("beta").await;
    host.until("both channels are up to date", is_known).await;
    // Calls take their time, so that some are under way whenever the database goes.
    for channel in [&stage.alpha, &stage.beta] {
        channel.account.set_faults(FaultSettings { delay_millis: 300, ..FaultSettings::default() });
        channel.account.set_fault(InjectedFault::Delay, Rule::rate(0.5));
    }
    let stop = AtomicBool::new(false);
    let restart = async {
        for number in 0..restarts {
            let (before, cuts) = (writes(&stage), || cutter.cuts().0 + cutter.cuts().1);
            wait_for(async || (writes(&stage) > before + 3).then_some(())).await;
            let before = cuts();
            cutter.begin();
            wait_for(async || (cuts() > before + 8).then_some(())).await;
            cluster.stop(if number % 2 == 0 { Stop::Fast } else { Stop::Immediate });
            cutter.end();
            tokio::time::sleep(Duration::from_millis(u64::from(number * 700 % 2_000))).await;
            cluster.start_again();
        }
        stop.store(true, Ordering::SeqCst);
    };
    let (sold, ()) = tokio::join!(sell(&stage, &stop), restart);
    for channel in [&stage.alpha, &stage.beta] {
        channel.account.set_faults(FaultSettings::default());
    }
    let (lost, unheard) = cutter.cuts();
    assert!(lost > 2 && unheard > 2, "the wire broke {lost} times before and {unheard} times after a commit");
    assert!(sold.booked.len() > 3 && !sold.cancelled.is_empty() && !sold.theirs.is_empty());
    // What a lost connection left undone comes again when its lease or its pause is over.
    for _ in 0..180 {
        if differences(&stage, &sold).is_empty() && is_known().await && host.figure("messages_waiting").await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let jobs = host.look("jobs?state=waiting").await;
    assert_eq!(differences(&stage, &sold), Vec::<String>::new(), "{jobs}");
    assert!(is_known().await, "{}\n{}\n{jobs}", stage.age("alpha").await, stage.age("beta").await);
    assert_eq!(host.figure("messages_waiting").await, 0);
    assert_eq!(host.look("jobs?state=dead").await, json!([]));
    for (reference, creates) in stage.alpha.account.creates_by_reference() {
        assert_eq!(creates, 1, "{reference} was made {creates} times");
    }
    let sources = host.look("sources").await;
    assert!(sources.as_array().is_some_and(|all| all.iter().all(|source| source["status"] == "active")), "{sources}");
    stage.host.stop().await;
}

/// Calls that wrote at either channel.
fn writes(stage: &Stage) -> usize {
    let of = |calls: Vec<_>| calls.iter().filter(|call: &&gassync_simulator::SeenCall| call.method == "POST").count();
    of(stage.alpha.account.requests()) + of(stage.beta.account.requests())
}

/// Books at the engine, cancels every third and changes the others; of every fourth a channel sells another night by itself.
async fn sell(stage: &Stage, stop: &AtomicBool) -> Sold {
    let mut sold = Sold::default();
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        let (id, night) = (format!("d{}", number % BOOKINGS), number % BOOKINGS * 2);
        let stays = stage.record(&id, (night, night + 2), "confirmed");
        if number >= BOOKINGS {
            if sold.booked.contains(&night) {
                let mut dearer = stays;
                dearer["totalPrice"] = json!(300 + number);
                taken(stage, &dearer).await;
            }
            continue;
        }
        taken(stage, &stays).await;
        if number % 3 == 0 {
            taken(stage, &stage.record(&id, (night, night + 2), "cancelled")).await;
            sold.cancelled.push(night);
        } else {
            sold.booked.push(night);
        }
        if number % 4 == 0 {
            let night = BOOKINGS * 2 + number;
            let new = NewBooking {
                room_id: stage.rooms.1,
                arrival: stage.day(night),
                departure: stage.day(night + 1),
                room_qty: 1,
                num_adult: 2,
                price_cents: 9_000,
                first_name: "Ada".to_owned(),
                last_name: "Berg".to_owned(),
            };
            stage.beta.account.make(new, Notification::Webhook).expect("there is room");
            sold.theirs.push(night);
        }
    }
    sold
}

/// Sends a booking until somebody says that it was taken, as a partner would.
async fn taken(stage: &Stage, record: &Value) {
    let host = &stage.host;
    wait_for(async || {
        let request = host.http.post(format!("{}/integration/v1/reservations", host.base));
        let answer = request.bearer_auth(&stage.engine).json(record).send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
}

/// Where a channel has something else than was sold.
fn differences(stage: &Stage, sold: &Sold) -> Vec<String> {
    let pushed = stage.booked();
    let mut found = Vec::new();
    let stands = |night: i64| {
        let of_it = pushed.iter().filter(|entry| entry.arrival == stage.day(night) && entry.status != "cancelled");
        of_it.count()
    };
    for night in sold.booked.iter().filter(|night| stands(**night) != 1) {
        found.push(format!("alpha has the booking of night {night} {} times", stands(*night)));
    }
    for night in sold.cancelled.iter().filter(|night| stands(**night) != 0) {
        found.push(format!("alpha has the booking of night {night}, which was cancelled"));
    }
    let is_sold = |night: i64| {
        let engine = sold.booked.iter().any(|first| (*first..first + 2).contains(&night));
        engine || sold.theirs.contains(&night)
    };
    let last = sold.theirs.iter().max().copied().unwrap_or_default() + 2;
    for night in 0..last {
        for (name, channel, room) in [("alpha", &stage.alpha, stage.rooms.0), ("beta", &stage.beta, stage.rooms.1)] {
            if is_open(channel, room, stage.day(night)) == is_sold(night) {
                found.push(format!("{name} is wrong about night {night}"));
            }
        }
    }
    found
}
