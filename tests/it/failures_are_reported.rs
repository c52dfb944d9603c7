//! No failure goes unnoticed: a panic fails the work, a panic of a background task stops the process, and a log that
//! cannot be written stops nothing.

use std::{
    fs::File,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use gassync::{
    admin::{CreatedSource, NewBackfill},
    app::App,
    panics, server,
    store::{
        self,
        queue::{self, Due, NewJob, QueueKey},
    },
    supervisor,
};
use gassync_domain::{Clock, SourceId, SourceKey, utc_day};
use gassync_simulator::{InjectedFault, Rule, beds24::Settings};
use gassync_tests::{
    database::Database,
    host::{self, ACCOUNT, Host, clock, records, reservation},
    leftovers::Leftover,
    on_both,
    port::free_port,
    process::{Served, program},
    test_clock::TestClock,
    web,
    webhook_receiver::WebhookReceiver,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::webhooks::{furnish, subscribe};

on_both!(
    a_panicking_message_is_retried_and_then_fails,
    a_panicking_job_is_discarded_and_others_continue,
    a_job_that_cannot_be_read_is_given_up,
    a_delivery_that_panics_is_a_failed_delivery,
    a_background_task_that_panics_stops_the_process,
    a_log_that_cannot_be_written_stops_nothing,
    an_unavailable_channel_raises_an_alarm_until_it_recovers,
);

/// Checks of a retried message before the clock is advanced.
const LOOKS_BETWEEN: u32 = 8;

/// A clock that can be advanced, and that panics in work of one name.
#[derive(Default)]
struct Trouble {
    at: Mutex<Option<&'static str>>,
    clock: TestClock,
}

impl Trouble {
    fn begin(&self, work: &'static str) {
        *self.at.lock().expect("its name") = Some(work);
    }

    fn end(&self) {
        *self.at.lock().expect("its name") = None;
    }

    fn put_forward(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    fn clock(self: Arc<Self>) -> Clock {
        Arc::new(move || {
            let at = *self.at.lock().expect("its name");
            // After the lock, since a panic would poison it.
            assert!(at.is_none() || panics::current() != at, "the clock stands still for Ada Example");
            self.clock.now()
        })
    }
}

async fn troubled(
    database: Database,
    components: &[&str],
    channel: Option<std::net::SocketAddr>,
    more: &[(&str, &str)],
) -> (Host, Arc<Trouble>) {
    let trouble = Arc::new(Trouble::default());
    let clock = Arc::clone(&trouble).clock();
    let sleep = trouble.clock.sleep();
    let replace = |app: &mut App| {
        app.set_clock(clock);
        app.sleep = sleep;
    };
    (Host::prepared(database, (components, channel), more, replace).await, trouble)
}

fn is_panic(why: &Value) -> bool {
    why.as_str().is_some_and(|why| why.contains("panicked") && !why.contains("Ada"))
}

/// The first item of an operator list.
async fn first(host: &Host, path: &str) -> Value {
    host.look(path).await[0].clone()
}

async fn a_panicking_message_is_retried_and_then_fails(database: Database) {
    let (host, trouble) = troubled(database, &["versioned"], None, &[]).await;
    host.leaves(Leftover::FailedMessages);
    let new = json!({ "account": ACCOUNT, "channel": "versioned", "name": "v" });
    let made: CreatedSource = host.operate("sources", &new).await.json().await.expect("a source");
    let call = async || host.http.post(&made.webhook_url).send().await.expect("an answer").status().as_u16();
    trouble.begin("message");
    assert_eq!(call().await, 202, "it is kept");
    let waits = async || {
        let message = first(&host, "inbox?state=received").await;
        is_panic(&message["error"]) && message["attempts"].as_i64().is_some_and(|attempts| attempts > 0)
    };
    host.until("it says why it waits", waits).await;
    trouble.end();
    assert_eq!(call().await, 200, "others go on");
    host.until("it is worked off", async || host.figure("messages_waiting").await == 0).await;
    assert_eq!(host.figure("messages_failed").await, 0);

    trouble.begin("message");
    assert_eq!(call().await, 202);
    let (mut seen, mut looks) = (0, 0);
    while host.figure("messages_failed").await == 0 {
        let tried_again = async || {
            // Each delay is longer than the one before, up to ten minutes plus half of that; the current one may just
            // have begun.
            looks += 1;
            if looks % LOOKS_BETWEEN == 0 {
                trouble.put_forward(SignedDuration::from_mins(16));
            }
            let waiting = first(&host, "inbox?state=received").await;
            let attempts =
                waiting["attempts"].as_i64().filter(|attempts| *attempts > seen && is_panic(&waiting["error"]));
            seen = attempts.unwrap_or(seen);
            attempts.is_some() || host.figure("messages_failed").await == 1
        };
        host.until("it is tried again or set aside", tried_again).await;
    }
    let failed = first(&host, "inbox?state=failed").await;
    assert!(is_panic(&failed["error"]), "{failed}");
    assert!(failed["attempts"].as_i64().is_some_and(|attempts| attempts >= 20), "{failed}");
    trouble.end();
    assert_eq!(call().await, 200);
    host.stop().await;
}

async fn a_panicking_job_is_discarded_and_others_continue(database: Database) {
    let settings = Settings { bookings: 5, credits_per_five_minutes: 100_000.0, ..Settings::default() };
    let channel = host::channel(settings).await;
    let (host, trouble) = troubled(database, &["beds24"], Some(channel.address), &[]).await;
    host.leaves(Leftover::DeadJobs);
    let made = host.connect(&channel).await;
    let polled = || channel.account.requests().iter().filter(|call| call.path == "/bookings").count();
    host.until("it is polled", async || polled() > 0).await;
    trouble.begin("backfill");
    let today = utc_day(clock()());
    let new = NewBackfill { from: today, to: today.tomorrow().expect("a day") };
    assert_eq!(host.operate(&format!("sources/{}/backfills", made.id), &new).await.status().as_u16(), 201);
    let tried_twice = async || {
        let job = first(&host, "jobs?state=waiting&kind=backfill").await;
        is_panic(&job["why"]) && job["attempts"].as_i64().is_some_and(|attempts| attempts > 1)
    };
    host.until("it was tried twice and says why it failed", tried_twice).await;
    let before = polled();
    host.until("others of its queue go on", async || polled() > before + 1).await;
    // Past its deadline, the job is given up.
    trouble.put_forward(SignedDuration::from_hours(73));
    let is_dead = async || is_panic(&first(&host, "jobs?state=dead&kind=backfill").await["why"]);
    host.until("it is dead, and says why", is_dead).await;
    let before = polled();
    host.until("others go on", async || polled() > before + 1).await;
    host.stop().await;
}

async fn a_job_that_cannot_be_read_is_given_up(database: Database) {
    let channel = host::channel(Settings { bookings: 5, ..Settings::default() }).await;
    let host = Host::begin(database, &["beds24"], Some(channel.address), &[]).await;
    host.leaves(Leftover::DeadJobs);
    let made = host.connect(&channel).await;
    let mut tx = host.app.db.platform_write().await.expect("a transaction");
    let account = store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
    let unreadable = |kind, payload| NewJob {
        source: SourceKey { account, source: SourceId(made.id) },
        queue: QueueKey::Channel,
        kind,
        payload,
        priority: 1,
        due: Due::NOW,
        max_age: None,
        sequence: None,
        run: None,
    };
    let work = [unreadable("push-booking", json!({ "booking": "seven" })), unreadable("refetch", json!({ "id": 7 }))];
    queue::enqueue(&mut tx, &work, host.app.now()).await.expect("enqueued");
    tx.commit().await.expect("committed");
    for kind in ["push-booking", "refetch"] {
        let why = async || first(&host, &format!("jobs?state=dead&kind={kind}")).await["why"].clone();
        let is_dead = async || why().await.as_str().is_some_and(|why| why.contains("payload cannot be read"));
        host.until("it is dead, and says why", is_dead).await;
    }
    host.stop().await;
}

async fn a_delivery_that_panics_is_a_failed_delivery(database: Database) {
    let allowed = [("GASSYNC_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.0/8")];
    let (host, trouble) = troubled(database, &[], None, &allowed).await;
    host.leaves(Leftover::DeadJobs);
    host.leaves(Leftover::Overbooked);
    let (maker, listener) = (host.key(ACCOUNT, "maker").await, host.key(ACCOUNT, "listener").await);
    let receiver = WebhookReceiver::start().await;
    let new = json!({ "url": receiver.url("/"), "events": ["reservation.created"], "maxAttempts": 2 });
    subscribe(&host, &listener, new).await;
    furnish(&host, &maker).await;
    let book = async |id: &str| assert_eq!(host.post(&maker, "reservations", &reservation(id)).await.0, 201);
    let failed_once = async || is_panic(&first(&host, "jobs?state=waiting&kind=deliver").await["why"]);
    trouble.begin("delivery");
    book("r1").await;
    host.until("it says why it waits", failed_once).await;
    trouble.end();
    receiver.until(1).await;

    trouble.begin("delivery");
    book("r2").await;
    host.until("it says why it waits", failed_once).await;
    trouble.put_forward(SignedDuration::from_mins(1));
    let is_dead = async || is_panic(&first(&host, "jobs?state=dead&kind=deliver").await["why"]);
    host.until("it was tried as often as its subscriber wants", is_dead).await;
    trouble.end();
    book("r3").await;
    receiver.until(2).await;
    host.stop().await;
}

async fn a_background_task_that_panics_stops_the_process(database: Database) {
    let listen = ([127, 0, 0, 1], free_port()).into();
    for name in server::TASKS {
        let mut served = Served::new(&database, listen, String::new()).with(supervisor::PANIC_VARIABLE, name);
        let (code, log) = served.run_to_its_end(Duration::from_secs(30)).await;
        assert_eq!(code, Some(1), "{name}: {log}");
        let last = log.lines().last().unwrap_or_default();
        assert!(last.starts_with(&format!("gassync: the background task {name} failed: panicked at")), "{log}");
    }
}

async fn a_log_that_cannot_be_written_stops_nothing(database: Database) {
    let listen = ([127, 0, 0, 1], free_port()).into();
    // The reader is gone, as when a terminal is closed; or the disk is full.
    let gone = || Stdio::from(std::io::pipe().expect("a pipe").1);
    let full = || Stdio::from(File::options().write(true).open("/dev/full").expect("a device"));
    let streams: [(&str, &dyn Fn() -> Stdio); 2] = [("gone", &gone), ("full", &full)];
    for (name, stderr) in streams {
        // Every task logs something.
        let mut served = Served::new(&database, listen, String::new()).with("GASSYNC_LOG_FILTER", "debug");
        served.start_with(stderr()).await;
        let base = served.base();
        let token = std::fs::read_to_string(served.data().join("operator.token")).expect("the token");
        let http = web::client();
        let new = json!({ "account": name, "name": name, "source": null });
        let made = http.post(format!("{base}/admin/v1/keys")).bearer_auth(&token).json(&new).send().await;
        let made: Value = made.expect("an answer").json().await.expect("a key");
        let key = made["key"].as_str().expect("a key").to_owned();
        let (entity, record) = &records()[0];
        let posted = http.post(format!("{base}/integration/v1/{entity}")).bearer_auth(&key).json(record).send().await;
        assert_eq!(posted.expect("an answer").status().as_u16(), 201, "{name}");
        // Every event gets its sequence number: the relay continues.
        let url = format!("{base}/integration/v1/changes?limit=10");
        let mut reported = Value::Null;
        for _ in 0..600 {
            let answer = http.get(&url).bearer_auth(&key).send().await.expect("an answer");
            reported = answer.json().await.expect("a page");
            if !reported["data"].as_array().is_none_or(Vec::is_empty) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(!reported["data"].as_array().is_none_or(Vec::is_empty), "{name}: {reported}");
        served.kill();
    }
}

async fn an_unavailable_channel_raises_an_alarm_until_it_recovers(database: Database) {
    let settings = Settings { bookings: 5, credits_per_five_minutes: 100_000.0, ..Settings::default() };
    let channel = host::channel(settings).await;
    let (host, trouble) = troubled(database, &["beds24"], Some(channel.address), &[]).await;
    host.connect(&channel).await;
    let alarm = async || {
        let alarms = host.look("alarms").await;
        alarms.as_array().expect("alarms").iter().find(|alarm| alarm["kind"] == "channel-down").cloned()
    };
    host.until("it is polled", async || !channel.account.requests().is_empty()).await;
    channel.account.set_fault(InjectedFault::ErrorBeforeWork, Rule::rate(1.0));
    let is_open = async || !host.app.breakers.open_breakers().await.is_empty();
    host.until("its breaker opens", is_open).await;
    assert_eq!(alarm().await, None, "a moment is no trouble");
    trouble.put_forward(SignedDuration::from_mins(6));
    let found = alarm().await.expect("an alarm");
    assert_eq!((&found["source"], found["since"].is_string()), (&json!("beds24"), true), "{found}");
    assert!(found["remedy"].as_str().is_some_and(|mend| mend.contains("gassync source status beds24")), "{found}");
    channel.account.set_fault(InjectedFault::ErrorBeforeWork, Rule::default());
    let is_well = async || {
        // Each retry waits longer.
        trouble.put_forward(SignedDuration::from_secs(20));
        alarm().await.is_none()
    };
    host.until("it is well", is_well).await;
    host.stop().await;
}

#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let gone = || Stdio::from(std::io::pipe().expect("a pipe").1);
    let mut command = Command::new(program());
    let output = command.arg("config").stdout(gone()).output().expect("it runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let status = Command::new(program()).arg("config").stdout(gone()).stderr(gone()).status().expect("it runs");
    assert!(status.success());
}
