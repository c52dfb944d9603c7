//! Polls of a channel whose lists shift, never end or fail, whose clock is wrong, and whose webhooks stop.

use std::collections::BTreeSet;

use gassync::{
    admin::CreatedSource,
    store::{
        self, calendar, connections, poll_failures,
        queue::{self, QueueKey},
        time_zones,
    },
};
use gassync_domain::{AccountId, CoreId, SourceId, SourceKey, Stay};
use gassync_tests::{
    database::Database,
    faulty_channel::{Account, FaultyChannel, ROOM, wire_time},
    host::{ACCOUNT, Host, read},
    on_both,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

on_both!(
    a_deletion_during_paging_hides_no_booking,
    a_future_timestamp_does_not_stop_polling,
    endless_pages_are_a_transient_error,
    failing_polls_put_a_source_in_error_until_one_succeeds,
    a_shorter_list_releases_no_nights,
    missing_webhooks_raise_an_alarm,
    a_property_without_a_time_zone_raises_an_alarm,
    an_empty_calendar_changes_nothing,
    a_fetch_now_waits_for_the_queue_of_its_source
);

async fn account(host: &Host) -> AccountId {
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there")
}

/// Channel ids of the bookings in the core, with their statuses.
async fn in_core(host: &Host, made: &CreatedSource) -> BTreeSet<(String, String)> {
    let account = account(host).await;
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let bookings = store::core::bookings::bookings_of_source(&mut tx, SourceKey { account, source: SourceId(made.id) })
        .await
        .expect("read");
    bookings.into_iter().map(|(id, facts)| (id, facts.status.as_str().to_owned())).collect()
}

fn confirmed(ids: impl IntoIterator<Item = u64>) -> BTreeSet<(String, String)> {
    ids.into_iter().map(|id| (id.to_string(), "confirmed".to_owned())).collect()
}

async fn status(host: &Host) -> String {
    host.look("sources/beds24").await["status"].as_str().expect("a status").to_owned()
}

async fn a_deletion_during_paging_hides_no_booking(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, deletes: Some(1_020), ..Account::default() }).await;
    channel.account().bookings = (0..250).map(|n| channel_booking(&channel, 1_000 + n, n)).collect();
    let host = channel.host(database, &[("GASSYNC_WORKERS_POLL_SECONDS", "0")]).await;
    let made = channel.connect(&host, Some("UTC")).await;
    // 1100 was on the second page when the first was read, and on the first when the second was read.
    host.until("all were read", async || in_core(&host, &made).await == confirmed(1_000..1_250)).await;
    // Three pages; three more, which show a hidden one; and three that show that there is no other.
    host.until("it was read three times", async || channel.asked("page=") == 9).await;
    host.stop().await;
}

fn channel_booking(channel: &FaultyChannel, id: u64, number: u64) -> Value {
    channel.booking(id, 10 + i64::try_from(number % 100).expect("few"))
}

async fn a_future_timestamp_does_not_stop_polling(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    let mut odd = channel.booking(7, 10);
    odd["modifiedTime"] = json!("2099-01-01T00:00:00Z");
    channel.account().bookings = vec![odd];
    let host = channel.host(database, &[]).await;
    let made = channel.connect(&host, Some("UTC")).await;
    host.until("it is in the core", async || in_core(&host, &made).await == confirmed([7])).await;
    let next = channel.booking(8, 12);
    channel.account().bookings.push(next);
    host.until("the next one too", async || in_core(&host, &made).await == confirmed([7, 8])).await;
    // A later change is not treated as older.
    channel.account().bookings[0]["status"] = json!("cancelled");
    channel.account().bookings[0]["modifiedTime"] = json!(wire_time(&channel.clock.now()));
    let cancelled = ("7".to_owned(), "cancelled".to_owned());
    host.until("it is cancelled", async || in_core(&host, &made).await.contains(&cancelled)).await;
    host.stop().await;
}

async fn endless_pages_are_a_transient_error(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 2, endless: true, ..Account::default() }).await;
    channel.account().bookings = (1..=3).map(|id| channel_booking(&channel, id, id)).collect();
    let host = channel.host(database, &[]).await;
    let made = channel.connect(&host, Some("UTC")).await;
    host.until("the source is in error", async || status(&host).await == "error").await;
    let whole = host.look("sources/beds24").await;
    let message = whole["failing"][0]["message"].as_str().expect("a message");
    assert!(message.contains("does not end"), "{whole}");
    assert!(channel.asked("page=") < 50, "{} requests", channel.asked("page="));
    assert_eq!(in_core(&host, &made).await, confirmed([1, 2]), "what it brought is kept");
    channel.account().endless = false;
    host.until("it is active again", async || {
        channel.pass_slowly(60).await;
        status(&host).await == "active"
    })
    .await;
    assert_eq!(in_core(&host, &made).await, confirmed([1, 2, 3]));
    host.stop().await;
}

async fn failing(host: &Host) -> usize {
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    poll_failures::failing(&mut tx).await.expect("read").len()
}

async fn failing_polls_put_a_source_in_error_until_one_succeeds(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    channel.account().bookings = vec![channel.booking(1, 10)];
    let host = channel.host(database, &[]).await;
    let made = channel.connect(&host, Some("UTC")).await;
    host.until("the first poll is over", async || in_core(&host, &made).await == confirmed([1])).await;
    channel.account().spoiled = Some((200, r#"{"success": true, "data": "none"}"#));
    host.until("it failed", async || host.look("sources/beds24").await["failing"][0]["failures"] != Value::Null).await;
    assert_eq!((status(&host).await.as_str(), failing(&host).await), ("active", 0), "once is no trouble");
    host.until("the source is in error", async || {
        channel.pass_slowly(20).await;
        status(&host).await == "error"
    })
    .await;
    let whole = host.look("sources/beds24").await;
    assert_eq!((failing(&host).await, &whole["failing"][0]["poll"]), (1, &json!("reservation")), "{whole}");
    assert!(whole["failing"][0]["failures"].as_i64() >= Some(5), "{whole}");
    // Queued work and the other polls continue; a partner's key would work.
    let next = channel.booking(2, 12);
    channel.account().bookings.push(next);
    channel.account().spoiled = None;
    host.until("it is active again", async || {
        channel.pass_slowly(20).await;
        status(&host).await == "active"
    })
    .await;
    assert_eq!(failing(&host).await, 0);
    assert_eq!(host.look("sources/beds24").await["failing"], json!([]));
    host.until("the next one came", async || in_core(&host, &made).await == confirmed([1, 2])).await;
    host.stop().await;
}

async fn a_shorter_list_releases_no_nights(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    channel.account().bookings = (1..=20).map(|id| channel_booking(&channel, id, id)).collect();
    let host = channel.host(database, &[]).await;
    let made = channel.connect(&host, Some("UTC")).await;
    host.until("all are in the core", async || in_core(&host, &made).await == confirmed(1..=20)).await;
    channel.account().bookings.truncate(2);
    let before = channel.asked("");
    host.until("it was polled", async || channel.asked("") > before + 1).await;
    let nights = json!({ "from": channel.day(0), "to": channel.day(60) });
    assert_eq!(host.operate("sources/beds24/backfills", &nights).await.status().as_u16(), 201);
    host.until("the nights were read", async || channel.asked("arrivalTo") > 2).await;
    let before = channel.asked("page=");
    host.until("it was polled again", async || channel.asked("page=") > before).await;
    assert_eq!(in_core(&host, &made).await, confirmed(1..=20));
    host.stop().await;
}

async fn silent(host: &Host) -> Vec<String> {
    let before = host.app.now() - SignedDuration::from_mins(1);
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let silent = connections::silent_channels(&mut tx, before).await.expect("read");
    silent.into_iter().map(|silent| silent.source_name).collect()
}

async fn call(host: &Host, made: &CreatedSource, booking: Value) {
    let header = made.webhook_header.as_deref().expect("a header");
    let request = host.http.post(&made.webhook_url).header(header, &made.webhook_token);
    let answer = request.json(&json!({ "timeStamp": wire_time(&host.app.now()), "booking": booking })).send().await;
    assert_eq!(answer.expect("an answer").status().as_u16(), 200);
}

async fn missing_webhooks_raise_an_alarm(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    let host = channel.host(database, &[]).await;
    let made = channel.connect(&host, Some("UTC")).await;
    host.until("the room is known", async || {
        host.look("sources/beds24/links").await.as_array().map(Vec::len) == Some(2)
    })
    .await;
    let mut id = 0;
    let mut sell = async |called: bool| {
        id += 1;
        let booking = channel.booking(id, 10);
        if called {
            call(&host, &made, booking.clone()).await;
            host.until("it came", async || in_core(&host, &made).await.len() as u64 == id).await;
        }
        channel.account().bookings.push(booking);
        host.until("it came", async || in_core(&host, &made).await.len() as u64 == id).await;
    };
    for _ in 0..4 {
        sell(false).await;
    }
    channel.pass(120);
    assert_eq!(silent(&host).await, [] as [&str; 0], "it never called");
    sell(true).await;
    for _ in 0..2 {
        sell(false).await;
    }
    channel.pass(120);
    assert_eq!(silent(&host).await, [] as [&str; 0], "two are no habit");
    sell(false).await;
    host.until("it is silent", async || silent(&host).await == ["beds24"]).await;
    let webhook = host.look("sources/beds24").await["webhook"].clone();
    assert_eq!((&webhook["unannouncedPolls"], &webhook["url"]), (&json!(3), &json!(made.webhook_url)));
    sell(true).await;
    assert_eq!(silent(&host).await, [] as [&str; 0]);
    host.stop().await;
}

async fn a_property_without_a_time_zone_raises_an_alarm(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    let host = channel.host(database, &[]).await;
    let made = channel.connect(&host, None).await;
    assert_eq!(made.time_zone, None);
    let missing = async || {
        let mut tx = host.app.db.platform_read().await.expect("a transaction");
        let missing = time_zones::missing(&mut tx).await.expect("read");
        missing.into_iter().map(|house| (house.source_name, house.property_name)).collect::<Vec<_>>()
    };
    host.until("the house is shown", async || missing().await == [("beds24".to_owned(), "Quinta".to_owned())]).await;
    let set = async |zone: &str| {
        let answer = host.operate("sources/beds24/time-zone", &json!({ "timeZone": zone })).await;
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    assert_eq!(set("Mars/Olympus").await.0, 400);
    assert_eq!(missing().await.len(), 1);
    assert_eq!(set("Europe/Paris").await, (200, json!({ "houses": 1 })));
    assert_eq!(missing().await, []);
    // A mistaken setting can be corrected.
    assert_eq!(set("Europe/Lisbon").await, (200, json!({ "houses": 1 })));
    assert_eq!(set("Europe/Lisbon").await, (200, json!({ "houses": 0 })));
    assert_eq!(host.look("sources/beds24").await["timeZone"], "Europe/Lisbon");
    let account = account(&host).await;
    let mut tx = host.app.db.read(account).await.expect("a transaction");
    let zones = time_zones::of_source(&mut tx, SourceKey { account, source: SourceId(made.id) }).await.expect("read");
    assert_eq!(zones, [Some("Europe/Lisbon".to_owned())]);
    drop(tx);
    host.stop().await;
}

async fn an_empty_calendar_changes_nothing(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    let host = channel.host(database, &[]).await;
    let made = channel.connect(&host, Some("UTC")).await;
    let links = async || host.look("sources/beds24/links").await.as_array().cloned().unwrap_or_default();
    host.until("the room is known", async || links().await.len() == 2).await;
    let kept = host.operate("sources/beds24/authority", &json!({ "calendar": "theirs" })).await;
    assert_eq!(kept.status().as_u16(), 204);
    let synced = host.operate("sources/beds24/sync", &Value::Null).await;
    let report: Value = synced.json().await.expect("a report");
    assert!(report["calendar"]["rejected"].is_null(), "{report}");
    let id = json!(ROOM.to_string());
    let room = links().await.into_iter().find(|link| link["id"] == id).expect("the room");
    let unit = CoreId(room["gasId"].as_i64().expect("a number"));
    let account = account(&host).await;
    let stay = Stay::new(channel.day(1), channel.day(4)).expect("a stay");
    let mut tx = host.app.db.read(account).await.expect("a transaction");
    let nights = calendar::nights(&mut tx, account, unit, None, &[stay], host.app.now()).await.expect("read");
    assert_eq!(nights.len(), 3);
    assert!(nights.iter().all(|night| (night.capacity, night.blocked) == (100, 0)), "{nights:?}");
    drop(tx);
    assert_eq!(status(&host).await, "active", "{}", made.id);
    host.stop().await;
}

async fn a_fetch_now_waits_for_the_queue_of_its_source(database: Database) {
    let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
    let host = channel.host(database, &[("GASSYNC_WORKERS_POLL_SECONDS", "0")]).await;
    let made = channel.connect(&host, Some("UTC")).await;
    let (account, mut held) = (account(&host).await, None);
    let queue = (SourceKey { account, source: SourceId(made.id) }, QueueKey::Channel);
    host.until("it was polled", async || channel.asked("page=") > 0).await;
    // As a worker of another process would.
    host.until("its queue is free", async || {
        let (mut tx, now) = (host.app.db.write(account).await.expect("a transaction"), host.app.now());
        let until = now + SignedDuration::from_mins(5);
        held = queue::acquire(&mut tx, queue, (now, until)).await.expect("asked");
        tx.commit().await.expect("committed");
        held.is_some()
    })
    .await;
    let before = channel.asked("page=");
    let (status, answer) = read(host.operate("sources/beds24/sync?wait=1", &Value::Null).await).await;
    assert_eq!(status, 202, "{answer}");
    assert_eq!(channel.asked("page="), before, "nobody calls the channel meanwhile");
    let poll = host.look(&format!("jobs/{}", answer["pending"][0]["id"])).await;
    assert_eq!((&poll["kind"], &poll["state"]), (&json!("poll"), &json!("waiting")), "{poll}");
    let mut tx = host.app.db.write(account).await.expect("a transaction");
    queue::release(&mut tx, &held.expect("a lease")).await.expect("released");
    tx.commit().await.expect("committed");
    let (status, answer) = read(host.operate("sources/beds24/sync", &Value::Null).await).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["reservation"].is_object() && channel.asked("page=") > before, "{answer}");
    // The channel's error is the answer, and a poll that failed is due again.
    channel.account().spoiled = Some((200, r#"{"success": true, "data": "none"}"#));
    let (status, answer) = read(host.operate("sources/beds24/sync", &Value::Null).await).await;
    assert_eq!(status, 502, "{answer}");
    host.stop().await;
}
