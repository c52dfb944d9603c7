//! Operating sources: pause and resume, direction, poll interval, settings, switches.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use gassync::store::{
    self,
    core::bookings::bookings_of_source,
    queue::{JobQuery, JobState},
};
use gassync_domain::{AccountId, Clock, SourceId, SourceKey, Status, Timestamp};
use gassync_simulator::{Notification, beds24::NewBooking};
use gassync_tests::{
    database::Database,
    faulty_channel::{Account, FaultyChannel},
    host::{self, ACCOUNT, Host, read},
    on_both,
};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::outbound::{Stage, is_open};

on_both!(
    a_paused_source_is_not_called_but_receives_webhooks,
    a_disabled_source_keeps_messages_until_resumed,
    a_partner_sees_that_its_source_is_stopped,
    disabled_entities_sync_in_neither_direction,
    an_outbound_only_source_changes_nothing_in_the_core,
    an_inbound_only_source_receives_no_pushes,
    a_shorter_poll_interval_applies_at_once,
    settings_are_validated_and_apply_to_the_next_call,
    every_contact_with_a_source_is_recorded,
    a_push_is_recorded_as_a_sync_run,
    records_of_a_disabled_property_are_parked,
    links_without_push_send_nothing,
);

/// How long to wait before asserting that something did not happen.
const A_WHILE: std::time::Duration = std::time::Duration::from_secs(3);

pub async fn call(host: &Host, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let request = host.http.request(method, format!("{}/admin/v1/{path}", host.base)).json(body);
    read(host.operator(request).send().await.expect("an answer")).await
}

async fn steer(host: &Host, source: &str, act: &str) -> Value {
    let (status, answer) = call(host, Method::POST, &format!("sources/{source}/{act}"), &Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn switch(host: &Host, source: &str, switches: Value) -> Value {
    let (status, answer) = call(host, Method::PATCH, &format!("sources/{source}/switches"), &switches).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

pub async fn account(host: &Host) -> AccountId {
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there")
}

pub async fn number(host: &Host, source: &str) -> SourceId {
    SourceId(host.look(&format!("sources/{source}")).await["id"].as_i64().expect("a number"))
}

/// True if a channel's reservation is booked in the core.
pub async fn is_booked(host: &Host, source: &str, id: u64) -> bool {
    let (account, source) = (account(host).await, number(host, source).await);
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let bookings = bookings_of_source(&mut tx, SourceKey { account, source }).await.expect("read");
    bookings.iter().any(|(known, facts)| *known == id.to_string() && facts.status == Status::Confirmed)
}

/// Why a source's reservation is parked.
async fn missing(host: &Host, source: &str, id: u64) -> String {
    let (parked, id) = (host.look(&format!("sources/{source}/parked")).await, id.to_string());
    let parked = parked.as_array().expect("a list").iter().find(|record| record["id"] == id);
    parked.map(|record| record["missing"].to_string()).unwrap_or_default()
}

/// Creates a booking at alpha.
pub fn sell(stage: &Stage, nights: (i64, i64), notification: Notification) -> u64 {
    let new = NewBooking {
        room_id: stage.rooms.0,
        arrival: stage.day(nights.0),
        departure: stage.day(nights.1),
        room_qty: 1,
        num_adult: 2,
        price_cents: 20_000,
        first_name: "Ines".to_owned(),
        last_name: "Moura".to_owned(),
    };
    stage.alpha.account.make(new, notification).expect("there is room")
}

pub async fn all_synced(stage: &Stage) {
    stage
        .host
        .until("both channels are up to date", async || stage.is_synced("alpha").await && stage.is_synced("beta").await)
        .await;
}

fn beta_is_open(stage: &Stage, ahead: i64) -> bool {
    is_open(&stage.beta, stage.rooms.1, stage.day(ahead))
}

/// Number of calls of alpha, once none is running.
async fn calls_of_alpha(stage: &Stage) -> usize {
    tokio::time::sleep(A_WHILE).await;
    stage.alpha.account.requests().len()
}

async fn a_paused_source_is_not_called_but_receives_webhooks(database: Database) {
    let stage = Stage::open(database, "1").await;
    let host = &stage.host;
    all_synced(&stage).await;
    assert_eq!(steer(host, "alpha", "pause").await, json!({ "was": "active", "status": "paused" }));
    let before = calls_of_alpha(&stage).await;
    let heard = sell(&stage, (0, 1), Notification::Webhook);
    let unheard = sell(&stage, (3, 4), Notification::None);
    stage.book("d1", (6, 7), "confirmed").await;
    host.until("what its channel says by itself is applied", async || is_booked(host, "alpha", heard).await).await;
    host.until("others are told of it", async || !beta_is_open(&stage, 0) && !beta_is_open(&stage, 6)).await;
    assert_eq!(calls_of_alpha(&stage).await, before, "nobody asked or told it");
    assert!(!is_booked(host, "alpha", unheard).await && stage.booked().is_empty());
    let (status, answer) = call(host, Method::POST, "sources/alpha/sync", &Value::Null).await;
    assert_eq!(status, 409, "{answer}");
    assert!(answer["detail"].as_str().expect("a detail").contains("paused"), "{answer}");
    assert_eq!(steer(host, "alpha", "resume").await, json!({ "was": "paused", "status": "active" }));
    host.until("it was asked", async || is_booked(host, "alpha", unheard).await).await;
    host.until("it was told what changed meanwhile", async || stage.booked().len() == 1).await;
    all_synced(&stage).await;
    let (status, answer) = call(host, Method::POST, "sources/alpha/resume", &Value::Null).await;
    assert_eq!(status, 409, "{answer}");
    stage.host.stop().await;
}

async fn a_disabled_source_keeps_messages_until_resumed(database: Database) {
    let stage = Stage::open(database, "1").await;
    let host = &stage.host;
    all_synced(&stage).await;
    steer(host, "alpha", "disable").await;
    let before = calls_of_alpha(&stage).await;
    let heard = sell(&stage, (0, 1), Notification::Webhook);
    let waits = async || {
        let messages = host.look("inbox?state=received").await;
        messages.as_array().is_some_and(|messages| messages.len() == 1)
    };
    host.until("the message is kept", waits).await;
    stage.book("d1", (6, 7), "confirmed").await;
    assert_eq!(calls_of_alpha(&stage).await, before);
    assert!(!is_booked(host, "alpha", heard).await && waits().await && stage.booked().is_empty());
    // Webhooks are accepted again.
    assert_eq!(steer(host, "alpha", "pause").await, json!({ "was": "disabled", "status": "paused" }));
    host.until("what was kept is applied", async || is_booked(host, "alpha", heard).await).await;
    assert!(stage.booked().is_empty());
    assert_eq!(steer(host, "alpha", "resume").await["status"], "active", "where it stood before both");
    host.until("it was told", async || stage.booked().len() == 1).await;
    stage.host.stop().await;
}

async fn a_partner_sees_that_its_source_is_stopped(database: Database) {
    let host = Host::with(database, &[]).await;
    let key = host.key(ACCOUNT, "front desk").await;
    let house = json!({ "id": "h", "name": "House" });
    assert_eq!(host.post(&key, "properties", &house).await.0, 201);
    for (act, status) in [("pause", "paused"), ("disable", "disabled")] {
        steer(&host, "front%20desk", act).await;
        let (code, problem) = host.post(&key, "properties", &house).await;
        assert_eq!((code, &problem["type"]), (403, &json!("/problems/source-stopped")), "{problem}");
        assert_eq!(problem["detail"], format!("the source is {status}"));
        assert_eq!(host.get(&key, "properties").await.0, 403);
    }
    steer(&host, "front%20desk", "resume").await;
    assert_eq!(host.post(&key, "properties", &house).await.0, 200);
    // The source has no channel to poll or push to.
    let path = "sources/front%20desk";
    let off = json!({ "syncEnabled": false });
    assert_eq!(call(&host, Method::PATCH, &format!("{path}/switches"), &off).await.0, 400);
    assert_eq!(call(&host, Method::POST, &format!("{path}/poll"), &json!({ "minutes": 5 })).await.0, 400);
    host.stop().await;
}

async fn disabled_entities_sync_in_neither_direction(database: Database) {
    let stage = Stage::open(database, "1").await;
    let host = &stage.host;
    all_synced(&stage).await;
    let off = switch(host, "alpha", json!({ "syncEnabled": false })).await;
    assert_eq!(off, json!({ "syncEnabled": false, "syncDirection": "bidirectional", "pollMinutes": null }));
    let before = calls_of_alpha(&stage).await;
    let heard = sell(&stage, (0, 1), Notification::Webhook);
    let unheard = sell(&stage, (3, 4), Notification::None);
    stage.book("d1", (6, 7), "confirmed").await;
    host.until("what its channel says by itself is applied", async || is_booked(host, "alpha", heard).await).await;
    assert_eq!(calls_of_alpha(&stage).await, before, "nobody asked or told it");
    assert!(!is_booked(host, "alpha", unheard).await && stage.booked().is_empty());
    assert_eq!(call(host, Method::POST, "sources/alpha/push", &json!({})).await.0, 409);
    // Push settings are independent of that.
    let (_, rules) = call(host, Method::GET, "sources/alpha/pushing", &Value::Null).await;
    assert_eq!(rules["enabled"], true);
    switch(host, "alpha", json!({ "syncEnabled": true })).await;
    host.until("it was asked", async || is_booked(host, "alpha", unheard).await).await;
    host.until("it was told", async || stage.booked().len() == 1).await;
    stage.host.stop().await;
}

async fn an_outbound_only_source_changes_nothing_in_the_core(database: Database) {
    let stage = Stage::open(database, "1").await;
    let host = &stage.host;
    all_synced(&stage).await;
    switch(host, "alpha", json!({ "syncDirection": "outbound_only" })).await;
    tokio::time::sleep(A_WHILE).await;
    let asked = || {
        let calls = stage.alpha.account.requests();
        calls.iter().filter(|call| call.path == "/bookings" && call.method == "GET").count()
    };
    let before = asked();
    let unheard = sell(&stage, (3, 4), Notification::None);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(asked(), before, "it is not polled");
    let heard = sell(&stage, (0, 1), Notification::Webhook);
    host.until("what it says is kept", async || missing(host, "alpha", heard).await.contains("no say")).await;
    stage.book("d1", (6, 7), "confirmed").await;
    host.until("it is told", async || stage.booked().len() == 1).await;
    assert!(!is_booked(host, "alpha", heard).await && beta_is_open(&stage, 0), "the core goes by no word of it");
    // One switch for one setting.
    let silent = json!({ "enabled": false });
    let (status, answer) = call(host, Method::POST, "sources/alpha/pushing", &silent).await;
    assert_eq!(status, 409, "{answer}");
    switch(host, "alpha", json!({ "syncDirection": "bidirectional" })).await;
    host.until("what was kept is applied", async || is_booked(host, "alpha", heard).await).await;
    host.until("it is polled", async || is_booked(host, "alpha", unheard).await).await;
    assert_eq!(stage.booked().len(), 1);
    stage.host.stop().await;
}

async fn an_inbound_only_source_receives_no_pushes(database: Database) {
    let stage = Stage::open(database, "1").await;
    let host = &stage.host;
    all_synced(&stage).await;
    // The same switch by its other name.
    let silent = json!({ "enabled": false, "bookings": "none" });
    assert_eq!(call(host, Method::POST, "sources/beta/pushing", &silent).await.0, 204);
    let (_, switches) = call(host, Method::GET, "sources/beta/switches", &Value::Null).await;
    assert_eq!(switches["syncDirection"], "inbound_only");
    let found = sell(&stage, (3, 4), Notification::None);
    host.until("alpha is polled", async || is_booked(host, "alpha", found).await).await;
    stage.book("d1", (6, 7), "confirmed").await;
    host.until("alpha has the push", async || stage.booked().len() == 1).await;
    tokio::time::sleep(A_WHILE).await;
    assert!(beta_is_open(&stage, 3) && beta_is_open(&stage, 6));
    switch(host, "beta", json!({ "syncDirection": "bidirectional" })).await;
    host.until("it is told all", async || !beta_is_open(&stage, 3) && !beta_is_open(&stage, 6)).await;
    let (_, rules) = call(host, Method::GET, "sources/beta/pushing", &Value::Null).await;
    assert_eq!((&rules["enabled"], &rules["bookings"]), (&json!(true), &json!("none")), "its other rules stay");
    stage.host.stop().await;
}

async fn a_shorter_poll_interval_applies_at_once(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    let host = channel.host(database, &[("GASSYNC_WORKERS_POLL_SECONDS", "0")]).await;
    channel.connect(&host, Some("UTC")).await;
    let polled = || channel.asked("page=");
    host.until("it was polled", async || polled() >= 1).await;
    let due = async || -> Option<Timestamp> {
        let mut tx = host.app.db.platform_read().await.expect("a transaction");
        let filter = JobQuery { state: Some(JobState::Waiting), kind: Some("poll".to_owned()), ..JobQuery::default() };
        let jobs = store::queue::list(&mut tx, &filter, None, 100).await.expect("read");
        let of_bookings = jobs.into_iter().filter(|job| job.payload.0["entity"] == "reservation");
        of_bookings.map(|job| Timestamp::from(job.run_at)).min()
    };
    // First wait until the job is due later, since other events enqueue it earlier.
    let waits_long = async || due().await.is_some_and(|at| at.duration_since(host.app.now()).as_secs() > 200);
    host.until("the next poll waits as the manifest says", waits_long).await;
    let wait = async || due().await.expect("a poll").duration_since(host.app.now()).as_secs();
    for (minutes, code) in [(json!(0), 422), (json!(1_441), 422), (json!("often"), 422), (json!(1), 200)] {
        let (status, answer) = call(&host, Method::POST, "sources/beds24/poll", &json!({ "minutes": minutes })).await;
        assert_eq!(status, code, "{minutes}: {answer}");
    }
    assert!(wait().await <= 60, "a shorter time counts at once: {}", wait().await);
    let before = polled();
    channel.pass(61);
    host.until("it was polled", async || polled() > before).await;
    host.until("the next one waits a minute", async || {
        due().await.is_some_and(|at| (30..=60).contains(&at.duration_since(host.app.now()).as_secs()))
    })
    .await;
    let longer = call(&host, Method::POST, "sources/beds24/poll", &json!({ "minutes": 1_440 })).await.1;
    assert_eq!(longer["pollMinutes"], 1_440);
    channel.pass(61);
    host.until("the one that waited comes; then a day goes by", async || {
        due().await.is_some_and(|at| at.duration_since(host.app.now()).as_secs() > 80_000)
    })
    .await;
    let default = call(&host, Method::POST, "sources/beds24/poll", &json!({ "minutes": null })).await.1;
    assert_eq!(default["pollMinutes"], Value::Null);
    assert!(wait().await <= 300, "{}", wait().await);
    host.stop().await;
}

async fn settings_are_validated_and_apply_to_the_next_call(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    let other = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    let private = format!("{},{}", channel.address, other.address);
    let polls = [("GASSYNC_WORKERS_POLL_SECONDS", "0"), ("GASSYNC_EGRESS_ALLOW_PRIVATE", private.as_str())];
    let host = Host::prepared(database, (&["beds24"], None), &polls, |_| {}).await;
    channel.connect(&host, Some("UTC")).await;
    host.until("it was polled", async || channel.asked("page=") >= 1).await;
    let change = async |body: Value| call(&host, Method::PATCH, "sources/beds24/settings", &body).await;
    let path = "/errors/0/path";
    let (status, answer) = change(json!({ "set": { "baseUrl": 7 } })).await;
    assert_eq!((status, answer.pointer(path)), (422, Some(&json!("settings.baseUrl"))), "{answer}");
    let (status, answer) = change(json!({ "set": { "nobodyKnows": 7 } })).await;
    assert_eq!(status, 422, "{answer}");
    let (status, answer) = change(json!({ "unset": ["nobodyKnows"] })).await;
    assert_eq!((status, answer.pointer(path)), (422, Some(&json!("settings.nobodyKnows"))), "{answer}");
    let whole = host.look("sources/beds24").await;
    assert_eq!(whole["settings"], json!({ "baseUrl": format!("http://{}", channel.address) }), "nothing was stored");
    let (status, answer) = change(json!({ "set": { "baseUrl": format!("http://{}", other.address) } })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["before"], whole["settings"]);
    assert_eq!(answer["after"], json!({ "baseUrl": format!("http://{}", other.address) }));
    let (status, answer) = call(&host, Method::POST, "sources/beds24/sync", &Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    assert!(other.asked("page=") >= 1, "the next call goes there");
    let (status, answer) = change(json!({ "unset": ["baseUrl"] })).await;
    assert_eq!((status, &answer["after"]), (200, &json!({})), "{answer}");
    host.stop().await;
}

/// A clock ahead of the system clock by an adjustable offset.
fn shifted() -> (Clock, Arc<AtomicI64>) {
    let (clock, ahead) = (host::clock(), Arc::new(AtomicI64::new(0)));
    let by = Arc::clone(&ahead);
    (Arc::new(move || clock() + SignedDuration::from_secs(by.load(Ordering::SeqCst))), ahead)
}

async fn every_contact_with_a_source_is_recorded(database: Database) {
    let (clock, ahead) = shifted();
    let stage = Stage::at(database, "0", clock).await;
    let host = &stage.host;
    all_synced(&stage).await;
    let last = async |source: &str| host.look(&format!("sources/{source}")).await["lastSyncAt"].to_string();
    let moves = async |source: &str, before: &str| {
        host.until("it is noted that it talked", async || last(source).await.as_str() > before).await;
    };
    ahead.fetch_add(20, Ordering::SeqCst);
    let (alpha, beta, engine) = (last("alpha").await, last("beta").await, last("engine").await);
    sell(&stage, (0, 1), Notification::Webhook);
    moves("alpha", &alpha).await;
    moves("beta", &beta).await;
    assert_eq!(last("engine").await, engine, "nobody called");
    ahead.fetch_add(20, Ordering::SeqCst);
    let alpha = last("alpha").await;
    stage.book("d1", (6, 7), "confirmed").await;
    moves("engine", &engine).await;
    moves("alpha", &alpha).await;
    let engine = last("engine").await;
    ahead.fetch_add(2, Ordering::SeqCst);
    stage.book("d1", (6, 7), "confirmed").await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(last("engine").await, engine, "it is known to ten seconds");
    // A failure is recorded as contact, not as success.
    ahead.fetch_add(20, Ordering::SeqCst);
    assert_eq!(host.post(&stage.engine, "reservations", &json!({ "roomTypeId": "studio" })).await.0, 422);
    let (account, source) = (account(host).await, number(host, "engine").await);
    host.until("it is noted", async || {
        let mut tx = host.app.db.read(account).await.expect("a transaction");
        let source = store::sources::get(&mut tx, SourceKey { account, source }).await.expect("read").expect("there");
        source.last_sync_at > source.last_successful_sync_at
    })
    .await;
    assert_eq!(last("engine").await, engine);
    stage.host.stop().await;
}

async fn runs(host: &Host, source: &str, kind: &str) -> Vec<Value> {
    let runs = host.look(&format!("sources/{source}/runs")).await;
    runs.as_array().expect("runs").iter().filter(|run| run["syncType"] == kind).cloned().collect()
}

async fn a_push_is_recorded_as_a_sync_run(database: Database) {
    let stage = Stage::open(database, "0").await;
    let host = &stage.host;
    all_synced(&stage).await;
    let before = runs(host, "beta", "availability_export").await;
    assert!(runs(host, "alpha", "booking_export").await.is_empty());
    stage.book("d1", (0, 2), "confirmed").await;
    host.until("alpha has it", async || stage.booked().len() == 1).await;
    host.until("beta knows", async || !beta_is_open(&stage, 0) && !beta_is_open(&stage, 1)).await;
    all_synced(&stage).await;
    host.until("both are runs", async || {
        runs(host, "alpha", "booking_export").await.len() == 1
            && runs(host, "beta", "availability_export").await.len() == before.len() + 1
    })
    .await;
    let run = runs(host, "alpha", "booking_export").await.remove(0);
    assert_eq!((&run["processed"], &run["failed"], &run["inDoubt"]), (&json!(1), &json!(0), &json!(0)), "{run}");
    assert_eq!((&run["updated"], &run["status"]), (&json!(1), &json!("success")), "{run}");
    assert!(run["durationMs"].as_i64().is_some(), "{run}");
    let run = runs(host, "beta", "availability_export").await.remove(0);
    assert_eq!((&run["processed"], &run["updated"]), (&json!(2), &json!(2)), "{run}");
    // A job with nothing to push is not recorded.
    let count = runs(host, "beta", "availability_export").await.len();
    assert_eq!(call(host, Method::POST, "sources/beta/push", &json!({})).await.0, 202);
    host.until("its job is done", async || {
        host.look("jobs?state=waiting&kind=push-calendar").await.as_array().is_some_and(Vec::is_empty)
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(runs(host, "beta", "availability_export").await.len(), count);
    // The links show it.
    let links = host.look("sources/beta/links").await;
    let id = stage.rooms.1.to_string();
    let room = links.as_array().expect("links").iter().find(|link| link["id"] == id);
    let room = room.expect("a link");
    assert!(room["lastSyncedAt"].is_string() && room["lastError"].is_null(), "{room}");
    assert_eq!((&room["retries"], &room["push"]), (&json!(0), &json!(true)));
    stage.host.stop().await;
}

async fn turn(host: &Host, source: &str, act: &str, kind: &str, id: &str) {
    let link = json!({ "kind": kind, "id": id });
    assert_eq!(call(host, Method::POST, &format!("sources/{source}/links/{act}"), &link).await.0, 204, "{act}");
}

async fn records_of_a_disabled_property_are_parked(database: Database) {
    let stage = Stage::open(database, "0").await;
    let host = &stage.host;
    all_synced(&stage).await;
    let house = stage.alpha.account.properties()[0].id.to_string();
    let room = stage.rooms.0.to_string();
    let known = sell(&stage, (20, 22), Notification::Webhook);
    host.until("it is booked", async || is_booked(host, "alpha", known).await).await;
    for (kind, id, nights) in [("property", &house, (0, 1)), ("room-type", &room, (3, 4))] {
        turn(host, "alpha", "pause", kind, id).await;
        let heard = sell(&stage, nights, Notification::Webhook);
        host.until("it waits for the switch", async || missing(host, "alpha", heard).await.contains("map resume"))
            .await;
        assert!(!is_booked(host, "alpha", heard).await && beta_is_open(&stage, nights.0), "{kind}: it holds nothing");
        if kind == "property" {
            assert!(stage.alpha.account.cancel(known, Notification::Webhook));
            host.until("so does an end", async || !missing(host, "alpha", known).await.is_empty()).await;
            assert!(is_booked(host, "alpha", known).await);
        }
        turn(host, "alpha", "resume", kind, id).await;
        host.until("it is applied", async || is_booked(host, "alpha", heard).await).await;
        host.until("others are told", async || !beta_is_open(&stage, nights.0)).await;
    }
    host.until("so is the end", async || !is_booked(host, "alpha", known).await).await;
    stage.host.stop().await;
}

async fn links_without_push_send_nothing(database: Database) {
    let stage = Stage::open(database, "0").await;
    let host = &stage.host;
    all_synced(&stage).await;
    let house = stage.beta.account.properties()[0].id.to_string();
    let room = stage.rooms.1.to_string();
    for (kind, id, night) in [("property", &house, 0), ("room-type", &room, 3)] {
        turn(host, "beta", "push-off", kind, id).await;
        stage.book(&format!("d{night}"), (night, night + 1), "confirmed").await;
        host.until("alpha has the push", async || {
            stage.booked().iter().any(|notification| notification.arrival == stage.day(night))
        })
        .await;
        tokio::time::sleep(A_WHILE).await;
        assert!(beta_is_open(&stage, night), "{kind}");
        turn(host, "beta", "push-on", kind, id).await;
        host.until("beta has the push", async || !beta_is_open(&stage, night)).await;
    }
    stage.host.stop().await;
}
