//! Power cuts: the host is killed at random moments while a client posts and a channel pushes. Everything acknowledged
//! to either must be in buffer, mapping and core exactly once.
//!
//! `TEST_KILLS=50` kills more often.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gassync::store::{self, Db};
use gassync_domain::{SourceId, SourceKey, Status};
use gassync_simulator::{WebhookTarget, beds24::Settings};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, channel, records, reservation},
    on_both,
    plugins::component,
    port::free_port,
    process::Served,
    web,
};
use reqwest::Client;
use serde_json::{Value, json};

on_both!(nothing_acknowledged_is_lost_or_doubled);

/// Pause between two requests; the bookings are counted one by one in the end.
const PAUSE: Duration = Duration::from_millis(20);
/// Default number of kills per database.
const KILLS: u32 = 5;

async fn nothing_acknowledged_is_lost_or_doubled(database: Database) {
    let kills = std::env::var("TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let channel = channel(Settings { bookings: 5, credits_per_five_minutes: 1e6, ..Settings::default() }).await;
    let listen = ([127, 0, 0, 1], free_port()).into();
    let mut host = Served::new(&database, listen, channel.address.to_string());
    std::fs::create_dir_all(host.plugins()).expect("a folder");
    std::fs::write(host.plugins().join("beds24.wasm"), component("beds24")).expect("a component");
    host.start().await;
    let base = host.base();
    let token = std::fs::read_to_string(host.data().join("operator.token")).expect("the token");
    let http = web::client();
    let operate = async |path: &str, body: Value| -> Value {
        let request = http.post(format!("{base}/admin/v1/{path}")).bearer_auth(&token).json(&body);
        request.send().await.expect("an answer").json().await.expect("json")
    };
    // The partner creates the properties of its own account, the channel those of another.
    let key = operate("keys", json!({ "account": "Partner", "name": "partner", "source": null })).await;
    let key = key["key"].as_str().expect("a key").to_owned();
    for (entity, record) in &records()[..2] {
        let url = format!("{base}/integration/v1/{entity}");
        let posted = http.post(url).bearer_auth(&key).json(record).send().await.expect("an answer");
        assert_eq!(posted.status().as_u16(), 201);
    }
    let made = operate(
        "sources",
        json!({ "account": ACCOUNT, "channel": "beds24", "name": "beds24",
            "settings": { "baseUrl": format!("http://{}/api/v2", channel.address) },
            "credentials": { "inviteCode": channel.account.invite_code() } }),
    )
    .await;
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    let header = Some((text("webhookHeader"), text("webhookToken")));
    channel.account.set_webhook(WebhookTarget { url: text("webhookUrl"), header });

    let replay_key = key.clone();
    let answered = Arc::new(Mutex::new(BTreeSet::new()));
    let stop = Arc::new(AtomicBool::new(false));
    let posting = tokio::spawn(post(http.clone(), base.clone(), key, Arc::clone(&answered), Arc::clone(&stop)));
    for kill in 0..kills {
        // The moment depends only on the number of the kill, not on a clock or a random number: somewhere in the work.
        for _ in 0..4 {
            channel.account.act();
        }
        tokio::time::sleep(Duration::from_millis(150 + u64::from(kill * 137 % 400))).await;
        host.kill();
        host.start().await;
    }
    stop.store(true, Ordering::SeqCst);
    posting.await.expect("joined");
    // A response stored under an Idempotency-Key is returned again byte for byte, also by the next process.
    let first = answered.lock().expect("the ids").iter().find_map(|id| id.strip_suffix("-0").map(str::to_owned));
    let ids: Vec<String> = (0..5).map(|place| format!("{}-{place}", first.as_deref().expect("a list"))).collect();
    let (replayed, again) = post_once(&http, &base, &replay_key, &ids).await.expect("an answer");
    assert!(replayed && again.as_array().is_some_and(|outcomes| outcomes.len() == 5), "{again}");
    for _ in 0..600 {
        if channel.account.webhooks_pending() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(channel.account.webhooks_pending(), 0);
    let source = SourceId(made["id"].as_i64().expect("an id"));
    let ids = answered.lock().expect("the ids").clone();
    assert!(ids.len() > kills as usize, "the client was answered only {} times", ids.len());
    // A block is not a booking: its nights are stored elsewhere.
    let blocks: BTreeSet<u64> =
        channel.account.book().iter().filter(|entry| entry.status == "black").map(|entry| entry.id).collect();
    let mut webhooks = channel.account.webhooks_acknowledged();
    webhooks.retain(|id| !blocks.contains(id));
    check(&database, &ids, &webhooks, source).await;
    host.kill();
}

/// Posts reservations, alternating between one and a list of five with an Idempotency-Key, and records each
/// acknowledged id.
async fn post(http: Client, base: String, key: String, answered: Arc<Mutex<BTreeSet<String>>>, stop: Arc<AtomicBool>) {
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        let ids: Vec<String> = match number % 2 {
            0 => vec![format!("c{number:05}")],
            _ => (0..5).map(|place| format!("c{number:05}-{place}")).collect(),
        };
        if post_once(&http, &base, &key, &ids).await.is_some() {
            answered.lock().expect("the ids").extend(ids);
            number += 1;
            tokio::time::sleep(PAUSE).await;
        } else {
            // Without a response: sent again with the same ids and the same key, as a partner would.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Posts one record, or a list with a key; returns whether the response had been stored before.
async fn post_once(http: &Client, base: &str, key: &str, ids: &[String]) -> Option<(bool, Value)> {
    let records: Vec<Value> = ids.iter().map(|id| reservation(id)).collect();
    let request = http.post(format!("{base}/integration/v1/reservations")).bearer_auth(key);
    let request = match records.as_slice() {
        [record] => request.json(record),
        list => request.header("idempotency-key", &ids[0]).json(list),
    };
    let answer = request.send().await.ok().filter(|answer| answer.status().is_success())?;
    let replayed = answer.headers().contains_key("idempotency-replayed");
    let body: Value = answer.json().await.ok()?;
    for outcome in body.as_array().into_iter().flatten() {
        assert!(matches!(outcome["status"].as_str(), Some("created" | "unchanged")), "{body}");
    }
    Some((replayed, body))
}

async fn check(database: &Database, client: &BTreeSet<String>, webhooks: &[u64], source: SourceId) {
    let db = Db::open(&database.url).await.expect("the database");
    // Acknowledged records may still be in progress: they must arrive.
    let mut missing = Vec::new();
    for _ in 0..1200 {
        let mut tx = db.platform_read().await.expect("a transaction");
        let account = store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
        let booked =
            store::core::bookings::bookings_of_source(&mut tx, SourceKey { account, source }).await.expect("read");
        let ids: BTreeSet<&str> = booked.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(ids.len(), booked.len(), "a booking stands twice");
        missing = webhooks.iter().filter(|id| !ids.contains(id.to_string().as_str())).copied().collect();
        // A reservation cancelled before its room was known was never booked: the buffer has it as cancelled.
        let names: Vec<String> = missing.iter().map(u64::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let known =
            store::buffer::reservations::find_all(&mut tx, SourceKey { account, source }, &names).await.expect("read");
        let is_over = |id: &u64| {
            let stored = known.get(&id.to_string());
            stored.is_some_and(|stored| stored.record.status == Status::Cancelled && stored.parked.is_none())
        };
        missing.retain(|id| !is_over(id));
        let waiting = store::status::figures(&mut tx).await.expect("figures");
        if missing.is_empty() && waiting.iter().any(|(name, count)| *name == "messages_waiting" && *count == 0) {
            break;
        }
        drop(tx);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut tx = db.platform_read().await.expect("a transaction");
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    let sources = store::sources::named(&mut tx, "partner").await.expect("read");
    let booked = store::core::bookings::bookings_of_source(&mut tx, sources[0].key()).await.expect("read");
    let ids: BTreeSet<String> = booked.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids.len(), booked.len(), "a booking stands twice");
    let lost: Vec<_> = client.difference(&ids).collect();
    assert!(lost.is_empty(), "answered and lost: {lost:?}");
    for id in client {
        let stored = store::buffer::reservations::find(&mut tx, sources[0].key(), id).await.expect("read");
        assert!(stored.is_some_and(|s| s.core.is_some()), "{id} is in the core and not in the buffer");
    }
    // Every booking of the core has a mapping, so none was created twice. The host still polls, so both counts are
    // repeated until nothing arrives in between; a booking without a mapping would remain.
    let account = store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
    drop(tx);
    let mut counts = (0, 0);
    for _ in 0..100 {
        let mut tx = db.platform_read().await.expect("a transaction");
        let figures = store::status::figures(&mut tx).await.expect("figures");
        let theirs = store::core::bookings::bookings_of_source(&mut tx, SourceKey { account, source })
            .await
            .expect("read")
            .len();
        let all = figures.iter().find(|(name, _)| *name == "bookings").expect("a figure").1;
        counts = (all, i64::try_from(theirs + booked.len()).expect("few"));
        if counts.0 == counts.1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(counts.0, counts.1, "a booking without a mapping");
}
