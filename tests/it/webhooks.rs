//! Webhook delivery: complete, signed, at least once, with stable ids.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Mutex,
    time::Duration,
};

use gassync::webhooks::{self, CreatedWebhook, NewWebhook, SecretRotation};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, clock, read, records, reservation},
    leftovers::Leftover,
    on_both,
    port::free_port,
    webhook_receiver::{Answer, Received, WebhookReceiver},
};
use serde_json::{Value, json};

on_both!(
    events_are_delivered_signed_to_matching_subscriptions,
    full_payloads_require_read_scopes,
    message_ids_are_unique_per_database,
    failed_deliveries_are_retried_with_the_same_id,
    slow_and_failing_endpoints_do_not_delay_others,
    an_endpoint_receives_everything_after_an_outage,
    ordered_subscriptions_receive_events_in_order,
    status_410_disables_the_subscription,
    messages_carry_both_signatures_during_rotation,
    replay_delivers_missed_events
);

/// The operator allows loopback addresses here.
const ALLOWED: (&str, &str) = ("GASSYNC_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.0/8");

/// A host with a partner that creates the properties, and the key of another that listens.
pub(super) async fn stage(database: Database) -> (Host, String, String) {
    let host = Host::with(database, &[ALLOWED]).await;
    let (maker, listener) = (host.key(ACCOUNT, "maker").await, host.key(ACCOUNT, "listener").await);
    (host, maker, listener)
}

pub(super) async fn furnish(host: &Host, maker: &str) {
    for (entity, record) in &records()[..2] {
        assert_eq!(host.post(maker, entity, record).await.0, 201);
    }
}

async fn book(host: &Host, maker: &str, id: &str) {
    assert_eq!(host.post(maker, "reservations", &reservation(id)).await.0, 201);
}

pub(super) async fn subscribe(host: &Host, key: &str, new: Value) -> CreatedWebhook {
    let (status, made) = host.post(key, "webhooks", &new).await;
    assert_eq!(status, 201, "{made}");
    serde_json::from_value(made).expect("a subscription")
}

pub(super) fn now() -> gassync_domain::Timestamp {
    clock()()
}

fn verifies(made: &CreatedWebhook, message: &Received) -> bool {
    webhooks::verify(&made.secret, message.signed(), &message.body, now()).is_ok()
}

fn types(messages: &[Received]) -> BTreeMap<String, usize> {
    let mut types = BTreeMap::new();
    for message in messages {
        let kind = message.json()["type"].as_str().expect("a type").to_owned();
        *types.entry(kind).or_default() += 1;
    }
    types
}

fn of_type<'a>(messages: &'a [Received], kind: &str) -> &'a Received {
    messages.iter().find(|message| message.json()["type"] == kind).expect(kind)
}

async fn events_are_delivered_signed_to_matching_subscriptions(database: Database) {
    let (host, maker, listener) = stage(database).await;
    let receiver = WebhookReceiver::start().await;
    let mut subscribers = BTreeMap::new();
    for (path, more) in [
        ("all", json!({ "headers": { "X-Tenant": "7" }, "bearer": "t0ken" })),
        ("pair", json!({ "signing": "v1a", "events": ["booking.*"] })),
        ("full", json!({ "payload": "full", "events": ["reservation.created"] })),
        ("events", json!({ "envelope": "cloudevents", "events": ["booking.confirmed"] })),
    ] {
        let mut new = json!({ "url": receiver.url(&format!("/{path}")) });
        new.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
        subscribers.insert(format!("/{path}"), subscribe(&host, &listener, new).await);
    }
    // By default a subscriber does not receive its own source's changes.
    let own = subscribe(&host, &maker, json!({ "url": receiver.url("/own") })).await;
    let echo = json!({ "url": receiver.url("/echo"), "excludeOrigin": false, "events": ["reservation.created"], "payload": "full" });
    subscribers.insert("/echo".to_owned(), subscribe(&host, &maker, echo).await);
    furnish(&host, &maker).await;
    book(&host, &maker, "r1").await;
    // All events: property, room type, guest, booking, nights. The other subscriptions match the booking only.
    let received = receiver.until(5 + 4).await;
    let to = |path: &str| received.iter().filter(|message| message.path == path).cloned().collect::<Vec<_>>();
    let expected =
        ["availability.updated", "guest.created", "property.created", "reservation.created", "room-type.created"];
    assert_eq!(types(&to("/all")), expected.map(|kind| (kind.to_owned(), 1)).into());
    assert!(to("/own").is_empty() && own.webhook.exclude_origin, "it did all of it itself");
    for message in &received {
        assert_eq!(message.method, "POST");
        assert!(verifies(&subscribers[&message.path], message), "{} {:?}", message.path, message.headers);
        assert!(!verifies(&own, message), "another's secret");
        assert_eq!(message.json()["data"]["own"], json!(message.path == "/echo"));
    }
    let all = to("/all");
    let booked = of_type(&all, "reservation.created");
    assert_eq!((booked.header("x-tenant"), booked.header("authorization")), ("7", "Bearer t0ken"));
    let body = booked.json();
    assert_eq!(body["data"]["event"], "booking.confirmed");
    assert_eq!(
        (&body["data"]["entity"], &body["data"]["id"]),
        (&json!("reservation"), &Value::Null),
        "not linked there"
    );
    assert!(!String::from_utf8_lossy(&booked.body).contains("Noor"), "thin messages carry no guest");
    let nights = of_type(&all, "availability.updated").json();
    assert_eq!((&nights["data"]["from"], &nights["data"]["to"]), (&json!("2027-06-01"), &json!("2027-06-03")));
    // The source that sent the record sees it; other sources of the account do not.
    assert_eq!(to("/echo")[0].json()["data"]["record"]["guest"]["firstName"], "Noor");
    let (full, record) = (to("/full").remove(0), json!(null));
    assert_eq!(full.json()["data"]["record"], record);
    assert!(!String::from_utf8_lossy(&full.body).contains("Noor"), "nor anything of it");
    assert!(to("/pair")[0].header("webhook-signature").starts_with("v1a,"));
    let event = to("/events").remove(0);
    assert_eq!(event.header("content-type"), "application/cloudevents+json");
    let body = event.json();
    assert_eq!((&body["specversion"], &body["type"]), (&json!("1.0"), &json!("reservation.created")));
    assert_eq!(body["id"], event.header("webhook-id"));
    // An event has the same id for all subscribers, and different events have different ids.
    let ids: HashSet<&str> = all.iter().map(|message| message.header("webhook-id")).collect();
    assert_eq!(ids.len(), all.len());
    assert_eq!(event.header("webhook-id"), booked.header("webhook-id"));
    let sequences: BTreeSet<i64> =
        all.iter().filter_map(|message| message.json()["data"]["sequence"].as_i64()).collect();
    assert_eq!(sequences.len(), all.len());
    host.stop().await;
}

async fn full_payloads_require_read_scopes(database: Database) {
    let (host, _, key) = stage(database).await;
    let url = format!("http://127.0.0.1:{}/", free_port());
    let id = subscribe(&host, &key, json!({ "url": url })).await.webhook.id;
    let subscriber = async |name: &str, scopes: Value| -> String {
        let new = json!({ "account": ACCOUNT, "name": name, "source": "listener", "scopes": scopes });
        let made: Value = host.operate("keys", &new).await.json().await.expect("a key");
        made["key"].as_str().expect("a key").to_owned()
    };
    let writer = subscriber("writer", json!(["webhooks:write"])).await;
    let full = |events: Value| json!({ "url": url, "payload": "full", "events": events });
    let lacks = |scope: &str| (403, json!(format!("the key lacks the scope {scope}")));
    let refused = |(status, problem): (u16, Value)| (status, problem["detail"].clone());
    let make = async |key: &str, events: Value| refused(host.post(key, "webhooks", &full(events)).await);
    for (events, scope) in [
        (json!([]), "reservations:read"),
        (json!(["booking.cancelled"]), "reservations:read"),
        (json!(["guest.*"]), "guests:read"),
        (json!(["availability.updated", "property.updated"]), "properties:read"),
        (json!(["room-type.created"]), "room-types:read"),
        (json!(["rate-plan.created"]), "rate-plans:read"),
    ] {
        assert_eq!(make(&writer, events).await, lacks(scope));
    }
    assert_eq!(make(&writer, json!(["availability.updated"])).await.0, 201, "nights have no record");
    let path = format!("webhooks/{id}");
    let change = async |key: &str, body: Value| {
        let request = host.http.patch(format!("{}/integration/v1/{path}", host.base)).bearer_auth(key).json(&body);
        read(request.send().await.expect("an answer")).await
    };
    let to_full = async |key: &str| change(key, json!({ "payload": "full" })).await;
    assert_eq!(refused(to_full(&writer).await), lacks("reservations:read"));
    let half = subscriber("half", json!(["webhooks:write", "reservations:read"])).await;
    assert_eq!(make(&half, json!(["reservation.*"])).await, lacks("guests:read"), "whose booking it is");
    let both = subscriber("both", json!(["webhooks:write", "reservations:read", "guests:read"])).await;
    assert_eq!(make(&both, json!(["reservation.*"])).await.0, 201);
    // A key without the read scopes cannot redirect a `full` subscription; any key may change it to `thin`.
    assert_eq!(to_full(&key).await.0, 200);
    let elsewhere = json!({ "url": format!("{url}elsewhere") });
    assert_eq!(refused(change(&writer, elsewhere).await), lacks("reservations:read"));
    let thin = json!({ "payload": "thin", "description": "thin" });
    assert_eq!(change(&writer, thin).await.0, 200);
    assert_eq!(host.operate("webhooks?source=listener", &full(json!([]))).await.status().as_u16(), 201);
    host.stop().await;
}

async fn message_ids_are_unique_per_database(database: Database) {
    let mut ids: Vec<BTreeMap<i64, String>> = Vec::new();
    for database in [database, Database::sqlite()] {
        let (host, maker, listener) = stage(database).await;
        let receiver = WebhookReceiver::start().await;
        subscribe(&host, &listener, json!({ "url": receiver.url("/") })).await;
        furnish(&host, &maker).await;
        let of_fact = |message: &Received| {
            let sequence = message.json()["data"]["sequence"].as_i64().expect("a place");
            (sequence, message.header("webhook-id").to_owned())
        };
        ids.push(receiver.until(2).await.iter().map(of_fact).collect());
        host.stop().await;
    }
    assert_eq!(ids[0].keys().collect::<Vec<_>>(), ids[1].keys().collect::<Vec<_>>(), "the same places");
    assert!(ids[0].values().all(|id| !ids[1].values().any(|other| other == id)), "{ids:?}");
}

async fn failed_deliveries_are_retried_with_the_same_id(database: Database) {
    let (host, maker, listener) = stage(database).await;
    let receiver = WebhookReceiver::start().await;
    subscribe(
        &host,
        &listener,
        json!({ "url": receiver.url("/"), "events": ["room-type.created", "property.created"] }),
    )
    .await;
    let seen = Mutex::new(HashSet::new());
    receiver.answers_by(move |message| {
        let is_new = seen.lock().expect("unlocked").insert(message.header("webhook-id").to_owned());
        match (is_new, message.json()["type"] == "property.created") {
            (true, true) => Answer::Says(500, "not\nnow".to_owned()),
            (true, false) => Answer::Redirect("http://169.254.169.254/".to_owned()),
            (false, _) => Answer::Status(200),
        }
    });
    furnish(&host, &maker).await;
    let received = receiver.until(4).await;
    let mut by_id: BTreeMap<&str, Vec<&Received>> = BTreeMap::new();
    for message in &received {
        by_id.entry(message.header("webhook-id")).or_default().push(message);
    }
    assert_eq!(by_id.len(), 2, "{received:?}");
    for tries in by_id.values() {
        let [first, second] = tries[..] else { panic!("{} tries", tries.len()) };
        assert_eq!(first.body, second.body, "byte for byte");
        let second_of = |message: &Received| message.signed().1.parse::<i64>().expect("a second");
        assert!(second_of(second) - second_of(first) >= 4, "five seconds, and each time its own");
    }
    let delivered = async || {
        let page = host.get(&listener, "webhooks").await.1;
        let id = page["data"][0]["id"].as_i64().expect("an id");
        let list = host.get(&listener, &format!("webhooks/{id}/deliveries?state=delivered")).await.1;
        (id, list["data"].as_array().expect("deliveries").clone())
    };
    host.until("both are known to have arrived", async || delivered().await.1.len() == 2).await;
    let (id, deliveries) = delivered().await;
    for delivery in &deliveries {
        let path = format!("webhooks/{id}/deliveries/{}", delivery["id"]);
        let whole = host.get(&listener, &path).await.1;
        let statuses: Vec<i64> = whole["attemptHistory"]
            .as_array()
            .expect("attempts")
            .iter()
            .filter_map(|one| one["status"].as_i64())
            .collect();
        if delivery["type"] == "property.created" {
            assert_eq!((statuses, &whole["attemptHistory"][0]["answer"]), (vec![500, 200], &json!("not now")));
        } else {
            assert_eq!(statuses, [302, 200], "a redirect is an answer");
        }
    }
    host.stop().await;
}

async fn slow_and_failing_endpoints_do_not_delay_others(database: Database) {
    let (host, maker, listener) = stage(database).await;
    host.leaves(Leftover::Overbooked);
    let (good, hanging, failing) =
        (WebhookReceiver::start().await, WebhookReceiver::start().await, WebhookReceiver::start().await);
    hanging.answers(Answer::Hang);
    failing.answers(Answer::Status(500));
    let mut made = Vec::new();
    for receiver in [&hanging, &failing, &good] {
        let new = json!({ "url": receiver.url("/"), "events": ["reservation.created"], "timeoutSeconds": 15 });
        made.push(subscribe(&host, &listener, new).await.webhook.id);
    }
    furnish(&host, &maker).await;
    for number in 0..20 {
        book(&host, &maker, &format!("r{number}")).await;
    }
    let delivered = async |id: i64, state: &str| {
        let page = host.get(&listener, &format!("webhooks/{id}/deliveries?state={state}&limit=200")).await.1;
        page["data"].as_array().expect("deliveries").len()
    };
    host.until("the good one has all", async || {
        delivered(made[2], "waiting").await == 0 && delivered(made[2], "delivered").await == 20
    })
    .await;
    assert_eq!(delivered(made[2], "delivered").await, good.received().len(), "each once");
    // The hanging endpoint is still pending: it delayed nobody.
    assert_eq!((delivered(made[0], "delivered").await, delivered(made[1], "delivered").await), (0, 0));
    assert!(hanging.received().len() <= 16, "no more than are on their way at once");
    let tried: HashSet<String> =
        failing.received().iter().map(|message| message.header("webhook-id").to_owned()).collect();
    assert!(tried.len() == 20, "one message that fails keeps no other of its subscriber");
    host.stop().await;
}

/// How long a subscriber is down; set by `TEST_AWAY_SECONDS`.
fn away() -> Duration {
    let seconds = std::env::var("TEST_AWAY_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(0))
}

async fn an_endpoint_receives_everything_after_an_outage(database: Database) {
    let (host, maker, listener) = stage(database).await;
    host.leaves(Leftover::Overbooked);
    let mut receiver = WebhookReceiver::start().await;
    let id = subscribe(&host, &listener, json!({ "url": receiver.url("/"), "events": ["reservation.created"] }))
        .await
        .webhook
        .id;
    furnish(&host, &maker).await;
    book(&host, &maker, "r0").await;
    receiver.until(1).await;
    receiver.stop().await;
    for number in 1..30 {
        book(&host, &maker, &format!("r{number}")).await;
    }
    let failing = async || host.get(&listener, &format!("webhooks/{id}")).await.1["failures"].as_i64().unwrap_or(0);
    host.until("it was missed", async || failing().await > 0).await;
    tokio::time::sleep(away()).await;
    receiver.resume().await;
    // The pauses have doubled meanwhile, and messages tried twice are retried after five minutes.
    let received = receiver.within(away() * 6 + Duration::from_secs(60), 30).await;
    let ids: HashSet<&str> = received.iter().map(|message| message.header("webhook-id")).collect();
    assert_eq!(ids.len(), 30, "each of them");
    host.until("it is fine again", async || failing().await == 0).await;
    host.stop().await;
}

async fn ordered_subscriptions_receive_events_in_order(database: Database) {
    let (host, maker, listener) = stage(database).await;
    let receiver = WebhookReceiver::start().await;
    let new = json!({ "url": receiver.url("/"), "ordered": true, "events": ["booking.*"], "payload": "full" });
    subscribe(&host, &listener, new).await;
    furnish(&host, &maker).await;
    // The first event of the first booking is rejected once.
    let refused = Mutex::new(false);
    receiver.answers_by(move |message| {
        let is_it = message.json()["type"] == "reservation.created" && message.json()["data"]["gasId"] == json!(1);
        let mut refused = refused.lock().expect("unlocked");
        if is_it && !std::mem::replace(&mut *refused, true) { Answer::Status(503) } else { Answer::Status(204) }
    });
    book(&host, &maker, "r0").await;
    receiver.until(1).await;
    for (id, status) in [("r0", "cancelled"), ("r1", "confirmed"), ("r1", "cancelled")] {
        let mut record = reservation(id);
        record["status"] = json!(status);
        host.post(&maker, "reservations", &record).await;
    }
    let received = receiver.until(5).await;
    let delivered: Vec<(i64, String)> = received
        .iter()
        .map(|message| {
            let body = message.json();
            (body["data"]["gasId"].as_i64().expect("a booking"), body["type"].as_str().expect("a type").to_owned())
        })
        .collect();
    let of = |booking: i64| {
        delivered.iter().filter(|(id, _)| *id == booking).map(|(_, kind)| kind.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(1), ["reservation.created", "reservation.created", "reservation.cancelled"]);
    assert_eq!(of(2), ["reservation.created", "reservation.cancelled"]);
    assert_eq!(delivered.last().map(|(id, _)| *id), Some(1), "others did not wait for it: {delivered:?}");
    host.stop().await;
}

async fn status_410_disables_the_subscription(database: Database) {
    let (host, maker, listener) = stage(database).await;
    host.leaves(Leftover::DeadJobs);
    let (receiver, other) = (WebhookReceiver::start().await, WebhookReceiver::start().await);
    let id = subscribe(&host, &listener, json!({ "url": receiver.url("/") })).await.webhook.id;
    subscribe(&host, &listener, json!({ "url": other.url("/"), "events": ["webhook.disabled"] })).await;
    receiver.answers(Answer::Status(410));
    furnish(&host, &maker).await;
    let notice = other.until(1).await.remove(0).json();
    assert_eq!((&notice["type"], &notice["data"]["gasId"]), (&json!("webhook.disabled"), &json!(id)));
    let shown = host.get(&listener, &format!("webhooks/{id}")).await.1;
    assert_eq!(shown["enabled"], json!(false));
    assert!(shown["disabledReason"].as_str().expect("a reason").contains("410"));
    let before = receiver.received().len();
    book(&host, &maker, "r1").await;
    host.until("the booking is in the feed", async || {
        let feed = host.get(&listener, "changes?limit=1000").await.1;
        feed["data"].as_array().expect("entries").iter().any(|entry| entry["type"] == "reservation.created")
    })
    .await;
    assert_eq!(receiver.received().len(), before);
    host.stop().await;
}

async fn messages_carry_both_signatures_during_rotation(database: Database) {
    let (host, _, listener) = stage(database).await;
    let receiver = WebhookReceiver::start().await;
    let made = subscribe(&host, &listener, json!({ "url": receiver.url("/") })).await;
    let path = format!("webhooks/{}", made.webhook.id);
    let rotate = async |rotation: SecretRotation| -> CreatedWebhook {
        let body = serde_json::to_value(rotation).expect("json");
        let (status, rotated) = host.post(&listener, &format!("{path}/rotate-secret"), &body).await;
        assert_eq!(status, 200, "{rotated}");
        serde_json::from_value(rotated).expect("a subscription")
    };
    let second = rotate(SecretRotation::default()).await;
    assert_ne!(made.secret, second.secret);
    assert_eq!(host.post(&listener, &format!("{path}/test"), &json!({})).await.0, 202);
    let message = receiver.until(1).await.remove(0);
    assert_eq!(message.json()["type"], "webhook.test");
    assert!(verifies(&made, &message) && verifies(&second, &message));
    assert_eq!(message.header("webhook-signature").split(' ').count(), 2);
    // However often the secret is rotated, there is one previous secret.
    let third = rotate(SecretRotation { grace_seconds: Some(604_800), ..SecretRotation::default() }).await;
    host.post(&listener, &format!("{path}/test"), &json!({})).await;
    let message = receiver.until(2).await.remove(1);
    assert!(verifies(&third, &message) && verifies(&second, &message) && !verifies(&made, &message));
    assert_eq!(message.header("webhook-signature").split(' ').count(), 2);
    let fourth = rotate(SecretRotation { grace_seconds: Some(0), ..SecretRotation::default() }).await;
    host.post(&listener, &format!("{path}/test"), &json!({})).await;
    let message = receiver.until(3).await.remove(2);
    assert!(verifies(&fourth, &message) && !verifies(&third, &message) && !verifies(&second, &message));
    let NewWebhook { secret, .. } =
        NewWebhook { secret: Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()), ..NewWebhook::default() };
    let given = rotate(SecretRotation { secret: secret.clone(), grace_seconds: Some(60) }).await;
    assert_eq!(Some(given.secret), secret);
    host.stop().await;
}

async fn replay_delivers_missed_events(database: Database) {
    let (host, maker, listener) = stage(database).await;
    let began = now();
    let receiver = WebhookReceiver::start().await;
    let id = subscribe(&host, &listener, json!({ "url": receiver.url("/") })).await.webhook.id;
    let path = format!("webhooks/{id}");
    furnish(&host, &maker).await;
    let first: HashSet<String> =
        receiver.until(2).await.iter().map(|message| message.header("webhook-id").to_owned()).collect();
    let change = async |body: Value| {
        let request =
            host.http.patch(format!("{}/integration/v1/{path}", host.base)).bearer_auth(&listener).json(&body);
        assert_eq!(request.send().await.expect("an answer").status().as_u16(), 200);
    };
    let plan = async |states: Value| {
        let asked = json!({ "since": began, "states": states, "dryRun": true });
        host.post(&listener, &format!("{path}/replay"), &asked).await.1["messages"].as_i64().expect("a number")
    };
    host.until("both are known to have arrived", async || plan(json!(["delivered"])).await == 2).await;
    change(json!({ "enabled": false })).await;
    book(&host, &maker, "r1").await;
    host.until("it was missed", async || plan(json!(["missed"])).await == 3).await;
    change(json!({ "enabled": true })).await;
    assert_eq!((plan(json!([])).await, plan(json!(["delivered"])).await), (3, 2));
    receiver.forget();
    let asked = json!({ "since": began, "states": ["missed", "delivered"] });
    let (status, replayed) = host.post(&listener, &format!("{path}/replay"), &asked).await;
    assert_eq!((status, &replayed["messages"]), (202, &json!(5)), "{replayed}");
    let again = receiver.until(5).await;
    let ids: HashSet<String> = again.iter().map(|message| message.header("webhook-id").to_owned()).collect();
    assert!(ids.len() == 5 && first.is_subset(&ids), "what it had, it gets under the same id");
    let run = replayed["run"].as_i64().expect("a run");
    host.until("the run is over", async || {
        let run = host.get(&listener, &format!("{path}/replays/{run}")).await.1;
        run["delivered"] == json!(5) && run["state"] == "done"
    })
    .await;
    assert_eq!(plan(json!([])).await, 0);
    host.stop().await;
}
