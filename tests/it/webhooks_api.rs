//! Subscriptions and deliveries through the partner and operator endpoints.

use gassync_domain::{DeliveryId, Timestamp, WebhookId};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, read, records, reservation},
    leftovers::Leftover,
    on_both,
    port::free_port,
    webhook_receiver::{Answer, WebhookReceiver},
};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

on_both!(
    subscription_crud,
    validation_errors_name_the_field,
    scopes_and_sources_are_isolated,
    a_delivery_can_be_replayed,
    replay_runs_can_be_planned_followed_and_cancelled,
    operators_can_manage_any_subscription,
    secrets_are_shown_once_and_stored_encrypted,
    attempts_are_deleted_with_their_jobs,
);

const SETTINGS: &[(&str, &str)] = &[("GASSYNC_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.0/8")];

async fn ask(host: &Host, key: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut request = host.http.request(method, format!("{}/integration/v1/{path}", host.base)).bearer_auth(key);
    if let Some(body) = body {
        request = request.json(&body);
    }
    read(request.send().await.expect("an answer")).await
}

async fn subscribe(host: &Host, key: &str, wants: Value) -> Value {
    let (status, made) = host.post(key, "webhooks", &wants).await;
    assert_eq!(status, 201, "{made}");
    made
}

/// The matching deliveries, newest first.
async fn deliveries(host: &Host, key: &str, id: &Value, query: &str) -> Vec<Value> {
    let (status, page) = host.get(key, &format!("webhooks/{id}/deliveries{query}")).await;
    assert_eq!(status, 200, "{page}");
    page["data"].as_array().expect("deliveries").clone()
}

async fn subscription_crud(database: Database) {
    let host = Host::with(database, SETTINGS).await;
    let key = host.key(ACCOUNT, "partner").await;
    host.post(&key, "properties", &records()[0].1).await;
    let closed = format!("http://127.0.0.1:{}/hook", free_port());
    let wants = json!({ "url": closed, "events": ["reservation.*", "pricing.updated"], "propertyIds": ["p1"],
        "description": "front desk", "headers": { "X-Tenant": "7" }, "bearer": "t0ken", "timeoutSeconds": 3 });
    let made = subscribe(&host, &key, wants).await;
    assert!(made["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")), "{made}");
    let id = &made["id"];
    let mut shown = made.clone();
    shown.as_object_mut().expect("an object").remove("secret");
    assert_eq!(host.get(&key, &format!("webhooks/{id}")).await, (200, shown.clone()), "all but the secret");
    assert_eq!(shown["headers"], json!(["authorization", "x-tenant"]), "names alone");
    let expected = json!([
        closed,
        ["reservation.*", "pricing.updated"],
        ["p1"],
        "thin",
        "standard",
        true,
        false,
        "v1",
        10,
        3,
        true
    ]);
    let fields = [
        "url",
        "events",
        "propertyIds",
        "payload",
        "envelope",
        "excludeOrigin",
        "ordered",
        "signing",
        "maxAttempts",
        "timeoutSeconds",
        "enabled",
    ];
    assert_eq!(json!(fields.map(|field| shown[field].clone())), expected);

    let path = format!("webhooks/{id}");
    let change = json!({ "payload": "full", "events": [], "headers": {}, "maxAttempts": 2 });
    let (status, changed) = ask(&host, &key, Method::PATCH, &path, Some(change)).await;
    assert_eq!((status, &changed["payload"], &changed["events"]), (200, &json!("full"), &json!([])));
    assert_eq!(
        (&changed["headers"], &changed["timeoutSeconds"], &changed["maxAttempts"]),
        (&json!([]), &json!(3), &json!(2))
    );

    let (_, off) = ask(&host, &key, Method::PATCH, &path, Some(json!({ "enabled": false }))).await;
    assert_eq!((&off["enabled"], &off["disabledReason"]), (&json!(false), &json!("disabled on request")));
    let since = json!({ "since": "2020-01-01T00:00:00Z" });
    for (path, body) in [(format!("{path}/test"), json!({})), (format!("{path}/replay"), since.clone())] {
        let (status, problem) = host.post(&key, &path, &body).await;
        assert_eq!((status, &problem["type"]), (409, &json!("/problems/conflict")), "{path}: {problem}");
    }
    let plan = json!({ "since": "2020-01-01T00:00:00Z", "dryRun": true });
    assert_eq!(host.post(&key, &format!("{path}/replay"), &plan).await.0, 200, "a plan sends nothing");
    let (_, on) = ask(&host, &key, Method::PATCH, &path, Some(json!({ "enabled": true }))).await;
    assert_eq!((&on["enabled"], &on["disabledReason"]), (&json!(true), &json!(null)));
    assert_eq!(host.post(&key, &format!("{path}/test"), &json!({})).await.0, 202);

    for number in 0..4 {
        subscribe(&host, &key, json!({ "url": format!("{closed}/{number}") })).await;
    }
    let first = host.get(&key, "webhooks?limit=3").await.1;
    let cursor = first["nextCursor"].as_str().expect("a cursor");
    let second = host.get(&key, &format!("webhooks?limit=3&cursor={cursor}")).await.1;
    let ids = |page: &Value| {
        page["data"].as_array().expect("a list").iter().filter_map(|w| w["id"].as_i64()).collect::<Vec<_>>()
    };
    let all = [ids(&first), ids(&second)].concat();
    assert!(all.len() == 5 && all.is_sorted() && second["hasMore"] == json!(false), "{all:?}");

    assert_eq!(ask(&host, &key, Method::DELETE, &path, None).await.0, 204);
    for (method, path) in
        [(Method::GET, path.clone()), (Method::DELETE, path.clone()), (Method::POST, format!("{path}/test"))]
    {
        assert_eq!(ask(&host, &key, method, &path, None).await.0, 404, "{path}");
    }
    assert_eq!(ids(&host.get(&key, "webhooks").await.1).len(), 4);
    host.stop().await;
}

async fn validation_errors_name_the_field(database: Database) {
    let host = Host::with(database, SETTINGS).await;
    let key = host.key(ACCOUNT, "partner").await;
    let good = format!("http://127.0.0.1:{}/", free_port());
    let many = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
    let headers =
        |count: usize| many(count).into_iter().map(|name| (format!("x-{name}"), json!("1"))).collect::<Value>();
    for (field, value, path) in [
        ("url", json!("nowhere"), "/url"),
        ("url", json!("ftp://127.0.0.1/"), "/url"),
        ("url", json!("http://user:pass@127.0.0.1/"), "/url"),
        ("url", json!("http://10.0.0.1/"), "/url"),
        ("url", json!("https://169.254.169.254/latest"), "/url"),
        ("url", json!(format!("{good}{}", "x".repeat(2_048))), "/url"),
        ("url", json!(7), "/url"),
        ("description", json!("x".repeat(501)), "/description"),
        ("description", json!("\0"), ""),
        ("events", json!(["reservation.created", "reservation.seen"]), "/events/1"),
        ("events", json!(many(65)), "/events"),
        ("propertyIds", json!(["nowhere"]), "/propertyIds/0"),
        ("propertyIds", json!(many(201)), "/propertyIds"),
        ("payload", json!("fat"), "/payload"),
        ("envelope", json!("brown"), "/envelope"),
        ("signing", json!("v2"), "/signing"),
        ("secret", json!("whsec_short"), "/secret"),
        ("headers", json!({ "Content-Length": "0" }), "/headers/Content-Length"),
        ("headers", headers(21), "/headers"),
        ("bearer", json!("a\nb"), "/bearer"),
        ("maxAttempts", json!(11), "/maxAttempts"),
        ("timeoutSeconds", json!(0), "/timeoutSeconds"),
        ("timeoutSeconds", json!(-1), "/timeoutSeconds"),
        ("evnts", json!([]), "/evnts"),
    ] {
        let mut wants = json!({ "url": good });
        wants[field] = value;
        let (status, problem) = host.post(&key, "webhooks", &wants).await;
        assert_eq!((status, &problem["errors"][0]["path"]), (422, &json!(path)), "{field}: {problem}");
    }
    assert_eq!(host.get(&key, "webhooks").await.1["data"], json!([]), "nothing was made");
    let id = subscribe(&host, &key, json!({ "url": good })).await["id"].clone();
    let old = "2020-01-01T00:00:00Z";
    for (method, path, body, status, named) in [
        (Method::PATCH, "", json!({ "url": "http://10.0.0.1/" }), 422, "/url"),
        (Method::PATCH, "", json!({ "secret": "whsec_x" }), 422, "/secret"),
        (Method::PATCH, "", json!([]), 422, ""),
        (Method::POST, "/rotate-secret", json!({ "graceSeconds": 604_801 }), 422, "/graceSeconds"),
        (Method::POST, "/rotate-secret", json!({ "secret": "whsec_x" }), 422, "/secret"),
        (Method::POST, "/replay", json!({}), 422, ""),
        (Method::POST, "/replay", json!({ "since": "soon" }), 422, "/since"),
        (Method::POST, "/replay", json!({ "since": "-004000-01-01T00:00:00Z" }), 422, "/since"),
        (Method::POST, "/replay", json!({ "since": old, "until": old }), 422, "/until"),
        (Method::POST, "/replay", json!({ "since": old, "events": ["nothing"] }), 422, "/events/0"),
        (Method::POST, "/replay", json!({ "since": old, "states": ["dead", "alive"] }), 422, "/states/1"),
        (Method::POST, "/replay", json!({ "since": old, "states": ["dead", "dead", "dead", "dead"] }), 422, "/states"),
        (Method::POST, "/replay", json!({ "since": old, "events": many(65) }), 422, "/events"),
        (Method::POST, "/replay", json!({ "since": old, "cursor": "1" }), 422, "/cursor"),
    ] {
        let (got, problem) = ask(&host, &key, method, &format!("webhooks/{id}{path}"), Some(body)).await;
        assert_eq!((got, &problem["errors"][0]["path"]), (status, &json!(named)), "{path}: {problem}");
    }
    for query in ["?state=done", "?event=reservation.seen", "?since=soon", "?limit=201", "?cursor=-1"] {
        let (status, problem) = host.get(&key, &format!("webhooks/{id}/deliveries{query}")).await;
        assert_eq!((status, &problem["type"]), (400, &json!("/problems/malformed")), "{query}: {problem}");
    }
    for path in ["/deliveries/1", "/deliveries/x", "/replays/1"] {
        assert_eq!(host.get(&key, &format!("webhooks/{id}{path}")).await.0, 404, "{path}");
    }
    for path in ["/deliveries/1/replay", "/replays/1/cancel"] {
        assert_eq!(host.post(&key, &format!("webhooks/{id}{path}"), &json!({})).await.0, 404, "{path}");
    }
    let bare = host.http.post(format!("{}/integration/v1/webhooks", host.base)).bearer_auth(&key).body("url=x");
    assert_eq!(read(bare.send().await.expect("an answer")).await.0, 415);
    host.stop().await;
}

async fn scopes_and_sources_are_isolated(database: Database) {
    let host = Host::with(database, SETTINGS).await;
    let key = host.key(ACCOUNT, "front desk").await;
    let other = host.key(ACCOUNT, "back office").await;
    let url = format!("http://127.0.0.1:{}/", free_port());
    let id = subscribe(&host, &key, json!({ "url": url })).await["id"].clone();
    assert_eq!(host.get(&other, &format!("webhooks/{id}")).await.0, 404, "another source of the same account");
    assert_eq!(ask(&host, &other, Method::DELETE, &format!("webhooks/{id}"), None).await.0, 404);
    assert_eq!(host.get(&other, "webhooks").await.1["data"], json!([]));
    let new = json!({ "account": ACCOUNT, "name": "reader", "source": "front desk", "scopes": ["webhooks:read"] });
    let made: Value = host.operate("keys", &new).await.json().await.expect("a key");
    let reader = made["key"].as_str().expect("a key");
    assert_eq!(host.get(reader, &format!("webhooks/{id}/deliveries")).await.0, 200);
    let (status, problem) = host.post(reader, &format!("webhooks/{id}/test"), &json!({})).await;
    assert_eq!((status, &problem["detail"]), (403, &json!("the key lacks the scope webhooks:write")));
    let new = json!({ "account": ACCOUNT, "name": "clerk", "scopes": ["reservations:write"] });
    let made: Value = host.operate("keys", &new).await.json().await.expect("a key");
    assert_eq!(host.get(made["key"].as_str().expect("a key"), "webhooks").await.0, 403);
    host.stop().await;
}

async fn a_delivery_can_be_replayed(database: Database) {
    let receiver = WebhookReceiver::start().await;
    let host = Host::with(database, SETTINGS).await;
    host.leaves(Leftover::DeadJobs);
    let (key, other) = (host.key(ACCOUNT, "partner").await, host.key(ACCOUNT, "listener").await);
    let made = subscribe(
        &host,
        &other,
        json!({ "url": receiver.url("/a"), "events": ["reservation.created"], "maxAttempts": 1 }),
    )
    .await;
    let id = &made["id"];
    receiver.answers(Answer::Says(500, "no such\ntable".to_owned()));
    let (status, test) = host.post(&other, &format!("webhooks/{id}/test"), &json!({})).await;
    let received = receiver.until(1).await;
    assert_eq!((status, received[0].header("webhook-id")), (202, test["messageId"].as_str().expect("an id")));
    for (entity, record) in records() {
        host.post(&key, entity, &record).await;
    }
    host.until("both are dead", async || deliveries(&host, &other, id, "?state=dead").await.len() == 2).await;

    let dead = deliveries(&host, &other, id, "?state=dead&event=booking.confirmed").await;
    let [booked] = dead.as_slice() else { panic!("{dead:?}") };
    assert_eq!((&booked["type"], &booked["event"]), (&json!("reservation.created"), &json!("booking.confirmed")));
    assert_eq!((&booked["attempts"], &booked["nextAttemptAt"]), (&json!(1), &json!(null)));
    assert_eq!(deliveries(&host, &other, id, "?event=reservation.*").await.len(), 1);
    let tests = deliveries(&host, &other, id, "?event=webhook.test").await;
    assert_eq!((tests.len(), &tests[0]["messageId"]), (1, &test["messageId"]));
    assert_eq!(deliveries(&host, &other, id, "?state=delivered").await.len(), 0);
    assert_eq!(deliveries(&host, &other, id, "?since=2100-01-01T00:00:00Z").await.len(), 0);
    let page = host.get(&other, &format!("webhooks/{id}/deliveries?limit=1")).await.1;
    assert_eq!((page["data"].as_array().map(Vec::len), &page["hasMore"]), (Some(1), &json!(true)));
    let cursor = page["nextCursor"].as_str().expect("a cursor");
    let rest = deliveries(&host, &other, id, &format!("?limit=1&cursor={cursor}")).await;
    assert!(rest[0]["id"].as_i64() < page["data"][0]["id"].as_i64(), "the newest first");

    let path = format!("webhooks/{id}/deliveries/{}", booked["id"]);
    let (_, whole) = host.get(&other, &path).await;
    let tried = &whole["attemptHistory"][0];
    assert_eq!(
        (&tried["attempt"], &tried["status"], &tried["answer"], &tried["errorKind"]),
        (&json!(1), &json!(500), &json!("no such table"), &json!(null)),
        "{whole}"
    );
    assert!(tried["durationMs"].is_i64() && whole["messageId"] == booked["messageId"], "{whole}");

    let before = receiver.received().len();
    receiver.answers(Answer::Status(204));
    let (status, again) = host.post(&other, &format!("{path}/replay"), &json!({})).await;
    assert_eq!((status, &again["messageId"]), (202, &booked["messageId"]), "the id that it had");
    let received = receiver.until(before + 1).await;
    assert_eq!(received[before].header("webhook-id"), again["messageId"].as_str().expect("an id"));
    host.until("it arrived", async || deliveries(&host, &other, id, "?state=delivered").await.len() == 1).await;
    assert_eq!(host.get(&other, &path).await.1["state"], "cancelled", "the dead one is on no list of work");
    let lost = format!("webhooks/{id}/deliveries/{}/replay", tests[0]["id"]);
    assert_eq!(host.post(&other, &lost, &json!({})).await.0, 409, "a test is not told again");

    let openapi: Value =
        host.http.get(format!("{}/openapi.json", host.base)).send().await.expect("it").json().await.expect("JSON");
    for message in receiver.received() {
        let body = message.json();
        let entry = &openapi["webhooks"][body["type"].as_str().expect("a type")]["post"];
        let mut schema = entry["requestBody"]["content"]["application/json"]["schema"].clone();
        schema["components"] = openapi["components"].clone();
        let wrong: Vec<String> =
            jsonschema::validator_for(&schema).expect("a schema").iter_errors(&body).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{body}: {wrong:?}");
    }
    host.stop().await;
}

async fn replay_runs_can_be_planned_followed_and_cancelled(database: Database) {
    let receiver = WebhookReceiver::start().await;
    let host = Host::with(database, SETTINGS).await;
    host.leaves(Leftover::Overbooked);
    let (key, other) = (host.key(ACCOUNT, "partner").await, host.key(ACCOUNT, "listener").await);
    for (entity, record) in records() {
        host.post(&key, entity, &record).await;
    }
    let more: Value = (2..6).map(|n| reservation(&format!("r{n}"))).collect();
    host.post(&key, "reservations", &more).await;
    // Events from before the subscription are not delivered without a replay.
    host.until("all have their places", async || {
        let feed = host.get(&other, "changes?limit=1000").await.1;
        let of = |kind: &Value| ["reservation.created", "property.created"].iter().any(|known| kind == known);
        feed["data"].as_array().expect("entries").iter().filter(|entry| of(&entry["type"])).count() == 6
    })
    .await;
    let id = subscribe(&host, &other, json!({ "url": receiver.url("/"), "events": ["reservation.*", "property.*"] }))
        .await["id"]
        .clone();
    let path = format!("webhooks/{id}/replay");
    let asked = |more: Value| {
        let mut asked = json!({ "since": "2020-01-01T00:00:00Z" });
        asked.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        asked
    };
    let plan = asked(json!({ "dryRun": true }));
    let (status, planned) = host.post(&other, &path, &plan).await;
    let by_event = json!({ "property.created": 1, "reservation.created": 5 });
    assert_eq!(
        (status, &planned["run"], &planned["byEvent"]),
        (200, &json!(null), &by_event),
        "what was before it was there"
    );
    let counted = async |more: Value| host.post(&other, &path, &asked(more)).await.1["messages"].clone();
    assert_eq!(counted(json!({ "dryRun": true, "events": ["booking.*"] })).await, 5);
    assert_eq!(counted(json!({ "dryRun": true, "states": ["dead", "delivered"] })).await, 0);
    assert_eq!(counted(json!({ "dryRun": true, "until": "2020-01-02T00:00:00Z" })).await, 0);
    assert!(receiver.received().is_empty(), "plans send nothing");

    let (status, run) = host.post(&other, &path, &asked(json!({ "events": ["property.created"] }))).await;
    assert_eq!((status, &run["messages"]), (202, &json!(1)), "{run}");
    let progress = async |run: &Value| host.get(&other, &format!("webhooks/{id}/replays/{run}")).await.1;
    host.until("it is done", async || progress(&run["run"]).await["state"] == "done").await;
    let done = json!({ "id": run["run"], "state": "done", "messages": 1, "waiting": 0, "delivered": 1, "dead": 0, "cancelled": 0 });
    assert_eq!(progress(&run["run"]).await, done);
    assert_eq!(receiver.received()[0].json()["type"], "property.created");

    // Nothing is delivered, so that there are deliveries to cancel.
    receiver.answers(Answer::Later(429, 600));
    let (_, run) = host.post(&other, &path, &asked(json!({}))).await;
    assert_eq!(run["messages"], 5, "what arrived is not told again");
    // One refusal pauses all of them, and each shows the reason.
    host.until("nothing is on its way", async || {
        let waiting = deliveries(&host, &other, &id, "?state=waiting").await;
        waiting.len() == 5 && waiting.iter().all(|one| one["why"] == "it answered 429")
    })
    .await;
    let until = host.app.now() + SignedDuration::from_mins(5);
    for waiting in deliveries(&host, &other, &id, "?state=waiting").await {
        let next: Timestamp = waiting["nextAttemptAt"].as_str().expect("a time").parse().expect("an instant");
        assert!(next > until, "{waiting}");
    }
    let (_, test) = host.post(&other, &format!("webhooks/{id}/test"), &json!({})).await;
    let behind = deliveries(&host, &other, &id, "?event=webhook.test").await.remove(0);
    assert_eq!((&behind["messageId"], &behind["why"]), (&test["messageId"], &json!("it answered 429")), "{behind}");
    let (status, stopped) =
        host.post(&other, &format!("webhooks/{id}/replays/{}/cancel", run["run"]), &json!({})).await;
    assert_eq!((status, &stopped["state"], &stopped["cancelled"]), (200, &json!("cancelled"), &json!(5)), "{stopped}");
    assert_eq!(counted(json!({ "dryRun": true })).await, 5, "they are missed still");
    host.stop().await;
}

async fn operators_can_manage_any_subscription(database: Database) {
    let mut receiver = WebhookReceiver::start().await;
    let host = Host::with(database, SETTINGS).await;
    host.leaves(Leftover::DeadJobs);
    let key = host.key(ACCOUNT, "partner").await;
    host.key("Other", "other").await;
    let (status, made) =
        read(host.operate("webhooks?source=partner", &json!({ "url": receiver.url("/") })).await).await;
    assert_eq!(status, 201, "{made}");
    let id = &made["id"];
    assert_eq!(host.get(&key, &format!("webhooks/{id}")).await.0, 200, "it is the partner's");
    for (path, body, status) in [
        ("webhooks", json!({ "url": receiver.url("/") }), 400),
        ("webhooks?source=nobody", json!({ "url": receiver.url("/") }), 404),
        ("webhooks?source=partner", json!({ "url": "http://10.0.0.1/" }), 422),
        ("webhooks/999/test", json!({}), 404),
    ] {
        assert_eq!(host.operate(path, &body).await.status().as_u16(), status, "{path}");
    }
    let listed = host.look("webhooks?source=partner").await;
    assert_eq!((&listed["data"][0]["id"], &listed["data"][0]["source"]), (id, &json!("partner")));
    assert_eq!(host.look("webhooks?source=other").await["data"], json!([]));
    assert_eq!(host.look("webhooks").await["data"].as_array().map(Vec::len), Some(1));
    let (status, sent) = read(host.operate(&format!("webhooks/{id}/test"), &json!({})).await).await;
    assert_eq!(
        (status, receiver.until(1).await[0].header("webhook-id")),
        (202, sent["messageId"].as_str().expect("an id"))
    );

    // 410 disables the subscription and raises an alarm.
    receiver.answers(Answer::Status(410));
    host.operate(&format!("webhooks/{id}/test"), &json!({})).await;
    host.until("it is disabled", async || host.look(&format!("webhooks/{id}")).await["enabled"] == json!(false)).await;
    let alarms = host.look("alarms").await;
    let of_it =
        alarms.as_array().expect("alarms").iter().find(|alarm| alarm["kind"] == "webhook-disabled").expect("one");
    assert_eq!(of_it["source"], "partner");
    assert!(
        of_it["remedy"].as_str().is_some_and(|mend| mend.contains(&format!("gassync webhooks enable {id}"))),
        "{of_it}"
    );
    assert!(of_it["detail"].as_str().is_some_and(|detail| detail.contains("410")), "{of_it}");
    let url = format!("{}/admin/v1/webhooks/{id}", host.base);
    let enabled =
        host.operator(host.http.patch(&url).json(&json!({ "enabled": true }))).send().await.expect("an answer");
    assert_eq!(read(enabled).await.1["enabled"], true);
    let kinds = async || {
        let alarms = host.look("alarms").await;
        alarms.as_array().expect("alarms").iter().map(|alarm| alarm["kind"].clone()).collect::<Vec<_>>()
    };
    assert!(!kinds().await.contains(&json!("webhook-disabled")));

    receiver.stop().await;
    host.operate(&format!("webhooks/{id}/test"), &json!({})).await;
    host.until("it fails", async || !host.look(&format!("webhooks/{id}")).await["failingSince"].is_null()).await;
    assert!(!kinds().await.contains(&json!("webhook-failing")), "not for an hour yet");
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let later = host.app.now() + jiff::SignedDuration::from_hours(1);
    let failing = gassync::store::alarms::failing_webhooks(&mut tx, later).await.expect("alarms");
    assert_eq!(failing.iter().map(|found| found.number).collect::<Vec<_>>(), [id.as_i64()]);
    drop(tx);
    let gone = host.operator(host.http.delete(&url)).send().await.expect("an answer");
    assert_eq!(gone.status().as_u16(), 204);
    assert_eq!(host.look("webhooks").await["data"], json!([]));
    host.stop().await;
}

async fn secrets_are_shown_once_and_stored_encrypted(database: Database) {
    const HEADER: &str = "Zq8vW3nX5kR7tB2m";
    let (url, folder) = (database.url.clone(), database.dir.path().to_owned());
    let receiver = WebhookReceiver::start().await;
    let host = Host::with(database, SETTINGS).await;
    let key = host.key(ACCOUNT, "partner").await;
    // A response that echoes the request reveals no secret.
    receiver.answers_by(|message| Answer::Says(200, format!("{:?}", message.headers)));
    let made = subscribe(&host, &key, json!({ "url": receiver.url("/"), "bearer": HEADER })).await;
    let first = made["secret"].as_str().expect("a secret").to_owned();
    let id = &made["id"];
    let rotated = host.post(&key, &format!("webhooks/{id}/rotate-secret"), &json!({ "graceSeconds": 60 })).await.1;
    let second = rotated["secret"].as_str().expect("a secret").to_owned();
    assert_ne!(first, second);
    let pair = subscribe(&host, &key, json!({ "url": receiver.url("/pair"), "signing": "v1a" })).await;
    let public = pair["secret"].as_str().expect("a key");
    assert!(public.starts_with("whpk_") && pair["publicKeys"] == json!([public]), "{pair}");
    host.post(&key, &format!("webhooks/{id}/test"), &json!({})).await;
    let received = receiver.until(1).await;
    let test = &received[0];
    assert_eq!(test.header("authorization"), format!("Bearer {HEADER}"));
    for secret in [&first, &second] {
        let verified = gassync::webhooks::verify(secret, test.signed(), &test.body, host.app.now());
        assert_eq!(verified, Ok(()), "both sign while one takes the other's place");
    }
    host.post(&key, &format!("webhooks/{}/test", pair["id"]), &json!({})).await;
    let received = receiver.until(2).await;
    assert_eq!(gassync::webhooks::verify(public, received[1].signed(), &received[1].body, host.app.now()), Ok(()));
    host.until("both arrived", async || {
        deliveries(&host, &key, id, "?state=delivered").await.len()
            + deliveries(&host, &key, &pair["id"], "?state=delivered").await.len()
            == 2
    })
    .await;
    let delivery = deliveries(&host, &key, id, "").await[0]["id"].clone();
    let whole = host.get(&key, &format!("webhooks/{id}/deliveries/{delivery}")).await.1;
    let answer = whole["attemptHistory"][0]["answer"].as_str().expect("an answer");
    assert!(answer.contains(r#"("authorization", "***")"#), "{answer}");
    let shown = [whole, host.get(&key, "webhooks").await.1, host.look("webhooks").await, host.look("alarms").await];
    let shown = shown.map(|shown| shown.to_string()).concat();
    let dump = gassync_tests::database::dump(&url, &folder).await;
    assert!(dump.contains("/pair") && shown.contains("/pair"), "the rows are there");
    for secret in [first.as_str(), &second, HEADER] {
        let bare = secret.trim_start_matches("whsec_");
        for form in [bare.to_owned(), hex::encode(bare), hex::encode_upper(bare)] {
            assert!(!dump.contains(&form), "{secret} is in the database");
            assert!(!shown.contains(&form), "{secret} is shown again");
        }
    }
    host.stop().await;
}

async fn attempts_are_deleted_with_their_jobs(database: Database) {
    let receiver = WebhookReceiver::start().await;
    let host = Host::with(database, SETTINGS).await;
    let key = host.key(ACCOUNT, "partner").await;
    let id = subscribe(&host, &key, json!({ "url": receiver.url("/") })).await["id"].clone();
    host.post(&key, &format!("webhooks/{id}/test"), &json!({})).await;
    host.until("it arrived", async || deliveries(&host, &key, &id, "?state=delivered").await.len() == 1).await;
    let delivery = deliveries(&host, &key, &id, "").await[0]["id"].as_i64().map(DeliveryId).expect("a number");
    let mut tx = host.app.db.platform_write().await.expect("a transaction");
    let account = gassync::store::webhooks::account_of(&mut tx, WebhookId(id.as_i64().expect("a number")))
        .await
        .expect("it")
        .expect("one");
    let tried = gassync::store::webhooks::attempts_of(&mut tx, account, delivery).await.expect("attempts");
    assert_eq!(tried.len(), 1);
    let later = host.app.now() + jiff::SignedDuration::from_hours(1);
    let gone = gassync::store::retention::forget(&mut tx, gassync::store::retention::DELIVERIES, later, 100).await;
    assert_eq!(gone.expect("forgotten"), 1);
    let tried = gassync::store::webhooks::attempts_of(&mut tx, account, delivery).await.expect("attempts");
    assert!(tried.is_empty(), "{tried:?}");
    tx.commit().await.expect("committed");
    assert_eq!(deliveries(&host, &key, &id, "").await.len(), 0);
    host.stop().await;
}
