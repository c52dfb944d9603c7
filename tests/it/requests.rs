//! Requests: idempotency, rate limits, scopes, dry-run plans, validation errors.

use std::time::Duration;

use gassync::admin::{CreatedKey, KeyRotation, NewKey};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, read, records, reservation},
    leftovers::Leftover,
    on_both,
};
use reqwest::Response;
use serde_json::{Value, json};

on_both!(
    idempotent_requests_return_the_stored_response,
    keys_enforce_scopes_and_expiry,
    on_conflict_keeps_or_refuses_a_full_night,
    dry_run_plans_match_the_outcome,
    validation_errors_name_the_field,
    withdrawn_records_are_hidden
);

async fn send(host: &Host, key: &str, path: &str, idempotency_key: &str, body: &Value) -> (Option<String>, u16, Value) {
    let url = format!("{}/integration/v1/{path}", host.base);
    let request = host.http.post(url).bearer_auth(key).header("idempotency-key", idempotency_key).json(body);
    let answer = request.send().await.expect("an answer");
    let replayed = header(&answer, "idempotency-replayed");
    let (status, body) = read(answer).await;
    (replayed, status, body)
}

fn header(answer: &Response, name: &str) -> Option<String> {
    answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned())
}

async fn furnish(host: &Host, key: &str) {
    for (entity, record) in &records()[..2] {
        assert_eq!(host.post(key, entity, record).await.0, 201);
    }
}

async fn idempotent_requests_return_the_stored_response(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.leaves(Leftover::Overbooked);
    let key = host.key(ACCOUNT, "partner").await;
    furnish(&host, &key).await;
    let batch = json!([reservation("a"), { "status": "confirmed" }, reservation("b")]);
    let first = send(&host, &key, "reservations", "\"batch-1\"", &batch).await;
    assert_eq!((first.0.as_ref(), first.1), (None, 200));
    // Quoted and bare keys are the same.
    let again = send(&host, &key, "reservations", "batch-1", &batch).await;
    assert_eq!(again.0.as_deref(), Some("true"));
    assert_eq!((first.1, &first.2), (again.1, &again.2));
    assert_eq!(host.figure("bookings").await, 2);
    let other = send(&host, &key, "reservations", "batch-1", &json!([reservation("c")])).await;
    assert_eq!((other.1, &other.2["type"]), (422, &json!("/problems/idempotency-key-reused")));
    // A key is valid for one endpoint and one API key.
    let elsewhere = send(&host, &key, "properties", "batch-1", &records()[0].1).await;
    assert_eq!((elsewhere.0, elsewhere.1), (None, 200));
    let stranger = host.key("Other", "partner").await;
    assert_eq!(send(&host, &stranger, "properties", "batch-1", &records()[0].1).await.1, 201);
    // An error response is stored, too.
    let refused = send(&host, &key, "reservations", "bad-1", &batch[1]).await;
    let again = send(&host, &key, "reservations", "bad-1", &batch[1]).await;
    assert_eq!((refused.1, again.1, again.0.as_deref()), (422, 422, Some("true")));
    assert_eq!(send(&host, &key, "reservations", &"x".repeat(256), &batch).await.1, 400);
    // Many concurrent requests with one key: one is executed, the others get its response or are told to retry.
    let body = reservation("crowd");
    let sends = (0..12).map(|_| send(&host, &key, "reservations", "crowd", &body));
    let mut done = 0;
    for (replayed, status, body) in all(sends).await {
        match (replayed.as_deref(), status) {
            (None, 201) => done += 1,
            (Some("true"), 201) => {}
            (None, 409) => assert_eq!(body["type"], "/problems/still-running"),
            other => panic!("{other:?} {body}"),
        }
    }
    assert_eq!((done, host.figure("bookings").await), (1, 3));
    host.stop().await;
}

async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut outputs = Vec::new();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => {
                outputs.push(output);
                false
            }
            std::task::Poll::Pending => true,
        });
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    outputs
}

async fn keys_enforce_scopes_and_expiry(database: Database) {
    let host = Host::start(database, &[], None).await;
    let full = host.key(ACCOUNT, "partner").await;
    furnish(&host, &full).await;
    let new = |scopes: &[&str]| NewKey {
        account: ACCOUNT.to_owned(),
        name: "reader".to_owned(),
        source: Some("partner".to_owned()),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        strict: false,
        expires_at: None,
    };
    let (status, problem) = read(host.operate("keys", &new(&["everything"])).await).await;
    assert_eq!(status, 400, "{problem}");
    let reader: CreatedKey =
        host.operate("keys", &new(&["properties:read", "sync:read"])).await.json().await.expect("a key");
    assert_eq!(host.get(&reader.key, "properties").await.0, 200);
    let (status, problem) = host.post(&reader.key, "properties", &records()[0].1).await;
    assert_eq!((status, &problem["detail"]), (403, &json!("the key lacks the scope properties:write")));
    assert_eq!(host.get(&reader.key, "reservations").await.0, 403);
    assert_eq!(host.get(&reader.key, "changes").await.0, 403);

    let list = async || -> Vec<Value> {
        let request = host.http.get(format!("{}/admin/v1/keys", host.base));
        host.operator(request).send().await.expect("an answer").json().await.expect("a list")
    };
    let prefix = &reader.key[..12];
    host.until("its use is noted", async || {
        list().await.iter().any(|key| key["prefix"] == prefix && key["lastUsedAt"].is_string())
    })
    .await;
    assert!(!serde_json::to_string(&list().await).expect("json").contains(&reader.key), "a key is shown once");
    let rotate = async |prefix: &str, grace: u32| {
        read(host.operate(&format!("keys/{prefix}/rotate"), &KeyRotation { grace_seconds: Some(grace) }).await).await
    };
    let (status, made) = rotate(prefix, 3600).await;
    let second = made["key"].as_str().expect("a key").to_owned();
    assert_eq!(status, 201);
    for key in [&reader.key, &second] {
        assert_eq!(host.get(key, "properties").await.0, 200, "both work while the change lasts");
    }
    assert_eq!(host.get(&second, "reservations").await.0, 403, "the new one may do what the old one may");
    assert_eq!(rotate(&second[..12], 0).await.0, 409, "not a third");
    let revoke = host.operate(&format!("keys/{prefix}/revoke"), &Value::Null).await;
    assert_eq!(revoke.status().as_u16(), 204);
    assert_eq!((host.get(&reader.key, "properties").await.0, host.get(&second, "properties").await.0), (401, 200));
    let (_, made) = rotate(&second[..12], 0).await;
    assert_eq!(host.get(&second, "properties").await.0, 401, "without grace it ends at once");
    assert_eq!(host.get(made["key"].as_str().expect("a key"), "properties").await.0, 200);
    assert_eq!(host.operate("keys/gsk_nothing/revoke", &Value::Null).await.status().as_u16(), 404);
    host.stop().await;
}

#[tokio::test]
async fn keys_are_rate_limited() {
    let host = Host::with(Database::sqlite(), &[("GASSYNC_LIMITS_KEY_REQUESTS", "3")]).await;
    let (one, other) = (host.key("One", "partner").await, host.key("Other", "partner").await);
    let call = async |key: &str| {
        let url = format!("{}/integration/v1/properties", host.base);
        host.http.get(url).bearer_auth(key).send().await.expect("an answer")
    };
    for left in [2, 1, 0] {
        let answer = call(&one).await;
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(header(&answer, "ratelimit-policy").as_deref(), Some("\"key\";q=3;w=60"));
        let rate_limit = header(&answer, "ratelimit").expect("a header");
        assert!(rate_limit.starts_with(&format!("\"key\";r={left};t=")), "{rate_limit}");
    }
    let refused = call(&one).await;
    let (wait, rate_limit) = (header(&refused, "retry-after"), header(&refused, "ratelimit").expect("a header"));
    let wait: u64 = wait.expect("a header").parse().expect("seconds");
    assert!(rate_limit.ends_with(&format!("t={wait}")) && (1..=60).contains(&wait), "{rate_limit}, {wait}");
    assert_eq!(read(refused).await.1["type"], "/problems/too-many-requests");
    assert_eq!(call(&other).await.status().as_u16(), 200, "each key has its own");
    host.stop().await;
}

async fn on_conflict_keeps_or_refuses_a_full_night(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.leaves(Leftover::Overbooked);
    let key = host.key(ACCOUNT, "partner").await;
    furnish(&host, &key).await;
    assert_eq!(host.post(&key, "reservations", &reservation("first")).await.0, 201);
    let (status, problem) = host.post(&key, "reservations?onConflict=refuse", &reservation("asked")).await;
    assert_eq!((status, &problem["type"]), (409, &json!("/problems/sold-out")));
    assert_eq!(problem["errors"][0]["problem"], "is sold out on 2027-06-01");
    assert_eq!(host.get(&key, "reservations/asked").await.0, 404);
    let (status, kept) = host.post(&key, "reservations", &reservation("told")).await;
    assert_eq!((status, &kept["overbooked"]), (201, &json!(["2027-06-01", "2027-06-02", "2027-06-03"])));
    let batch = json!([reservation("x"), reservation("first")]);
    let (status, outcomes) = host.post(&key, "reservations?onConflict=refuse", &batch).await;
    assert_eq!(
        (status, &outcomes[0]["status"], &outcomes[1]["status"]),
        (200, &json!("rejected"), &json!("unchanged"))
    );
    assert_eq!(host.post(&key, "reservations?onConflict=perhaps", &reservation("y")).await.0, 400);
    host.stop().await;
}

async fn dry_run_plans_match_the_outcome(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    furnish(&host, &key).await;
    let (status, plan) = host.post(&key, "reservations?dryRun=true", &reservation("r1")).await;
    assert_eq!((status, &plan["records"][0]["status"]), (200, &json!("created")));
    assert_eq!((&plan["records"][0]["gasId"], host.figure("bookings").await), (&Value::Null, 0));
    let (_, created) = host.post(&key, "reservations", &reservation("r1")).await;
    let mut moved = reservation("r1");
    moved["checkOut"] = json!("2027-06-06");
    moved["guest"]["phone"] = json!("+351 000");
    let (_, plan) = host.post(&key, "reservations?dryRun=true", &moved).await;
    let record = &plan["records"][0];
    assert_eq!((&record["status"], &record["gasId"]), (&json!("updated"), &created["gasId"]));
    let changed: Vec<(&str, &Value, &Value)> = record["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| (change["path"].as_str().expect("a path"), &change["before"], &change["after"]))
        .collect();
    assert_eq!(
        changed,
        [
            ("/checkOut", &json!("2027-06-04"), &json!("2027-06-06")),
            ("/guest/phone", &Value::Null, &json!("+351 000")),
            ("/rooms/0/checkOut", &json!("2027-06-04"), &json!("2027-06-06")),
        ]
    );
    assert_eq!(host.get(&key, "reservations/r1").await.1["checkOut"], "2027-06-04", "nothing was done");
    let path = format!("reservations?plan={}", plan["plan"].as_str().expect("a plan"));
    // Another change happens first: the plan is outdated, and nothing is done.
    let mut other = reservation("r1");
    other["checkOut"] = json!("2027-06-05");
    host.post(&key, "reservations", &other).await;
    let (status, problem) = host.post(&key, &path, &moved).await;
    assert_eq!((status, &problem["type"]), (409, &json!("/problems/plan-outdated")));
    assert_eq!(host.get(&key, "reservations/r1").await.1["checkOut"], "2027-06-05");
    let (_, plan) = host.post(&key, "reservations?dryRun=true", &moved).await;
    let path = format!("reservations?plan={}", plan["plan"].as_str().expect("a plan"));
    let (status, done) = host.post(&key, &path, &moved).await;
    assert_eq!((status, &done["status"]), (200, &json!("updated")), "{done}");
    assert_eq!(host.get(&key, "reservations/r1").await.1["checkOut"], "2027-06-06");
    host.stop().await;
}

async fn validation_errors_name_the_field(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    furnish(&host, &key).await;
    let raw = async |entity: &str, body: Vec<u8>| {
        let url = format!("{}/integration/v1/{entity}", host.base);
        let request = host.http.post(url).bearer_auth(&key).header("content-type", "application/json").body(body);
        read(request.send().await.expect("an answer")).await
    };
    let with = |field: &str, value: Value| {
        let mut record = reservation("r1");
        record[field] = value;
        serde_json::to_vec(&record).expect("json")
    };
    let deep = format!(r#"{{"id":"r1","status":"confirmed","x":{}1{}}}"#, "[".repeat(1_000), "]".repeat(1_000));
    for (body, path, part) in [
        (with("checkOut", json!("2027-05-01")), "/checkOut", "after checkIn"),
        (with("checkOut", json!("2033-05-01")), "/checkOut", "1830"),
        (with("checkIn", json!("0001-01-01")), "/checkOut", "1830"),
        (with("checkIn", json!(17)), "/checkIn", "invalid type"),
        (with("currency", json!("euro")), "/currency", "ISO 4217"),
        (with("adults", json!(-1)), "/adults", "invalid value"),
        (with("adults", json!(1_000_000)), "/adults", "1000"),
        (with("modifiedAt", json!("9999-01-01T00:00:00Z")), "/modifiedAt", "1900 and 2999"),
        (with("totalPrice", json!(1e300)), "/totalPrice", ""),
        (with("id", json!("x".repeat(256))), "/id", "255"),
        (with("notes", json!("a\u{0}b")), "", "NUL"),
        (br#"{"id":"r1","status":"confirmed","notes":"\ud800"}"#.to_vec(), "", "surrogate"),
        (br#"{"id":"r1","status":"confirmed","x":1e999}"#.to_vec(), "", "number"),
        (deep.into_bytes(), "", "127"),
        (b"17".to_vec(), "", "invalid type"),
        (b"null".to_vec(), "", "invalid type"),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(120)]).into_owned();
        let (status, problem) = raw("reservations?strict=true", body).await;
        assert_eq!(status, 422, "{shown}: {problem}");
        let error = &problem["errors"][0];
        assert_eq!(error["path"], path, "{shown}: {problem}");
        assert!(error["problem"].as_str().expect("a text").contains(part), "{shown}: {problem}");
    }
    assert_eq!(host.figure("bookings").await, 0, "nothing of it was stored");
    for (body, status, part) in [
        (b"{".to_vec(), 400, "not JSON"),
        (Vec::new(), 400, "not JSON"),
        (b"\xff\xfe".to_vec(), 400, "not JSON"),
        (vec![b' '; 11 * 1024 * 1024], 413, "10485760 bytes"),
        (format!("[{}]", vec!["{}"; 1_001].join(",")).into_bytes(), 413, "1000"),
    ] {
        let (answered, problem) = raw("reservations", body).await;
        assert_eq!(answered, status, "{problem}");
        assert!(problem["detail"].as_str().expect("a detail").contains(part), "{problem}");
    }
    for (path, part) in [
        ("reservations?checkInFrom=June", "checkInFrom"),
        ("reservations?checkInFrom=0000-01-01", "checkInFrom"),
        ("reservations?updatedSince=yesterday", "updatedSince"),
        ("reservations?limit=many", "limit"),
        ("reservations?status=%00", "NUL"),
        ("availability?from=2027-06-02&to=2027-06-01", "to"),
        ("availability?from=1950-06-02&to=2027-06-01", "1100"),
        ("changes?cursor=-1", "cursor"),
        ("changes?limit=0", "limit"),
    ] {
        let (status, problem) = host.get(&key, path).await;
        assert_eq!(status, 400, "{path}: {problem}");
        assert!(problem["detail"].as_str().expect("a detail").contains(part), "{path}: {problem}");
    }
    assert_eq!(host.get(&key, "reservations/a%00b").await.0, 404);
    let url = format!("{}/integration/v1/reservations", host.base);
    let put = host.http.put(url).bearer_auth(&key).timeout(Duration::from_secs(5)).send().await.expect("an answer");
    let (status, problem) = read(put).await;
    assert_eq!((status, &problem["type"]), (405, &json!("/problems/method-not-allowed")));
    host.stop().await;
}

async fn withdrawn_records_are_hidden(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    furnish(&host, &key).await;
    let delete = async |path: &str| {
        let url = format!("{}/integration/v1/{path}", host.base);
        read(host.http.delete(url).bearer_auth(&key).send().await.expect("an answer")).await.0
    };
    assert_eq!(host.post(&key, "reservations", &reservation("r1")).await.0, 201);
    assert_eq!(delete("reservations/r1").await, 409, "it holds nights");
    host.post(&key, "reservations", &json!({ "id": "r1", "status": "cancelled" })).await;
    assert_eq!((delete("reservations/r1").await, delete("reservations/r1").await), (204, 404));
    assert_eq!(host.get(&key, "reservations/r1").await.0, 404);
    assert_eq!(host.get(&key, "reservations").await.1["data"], json!([]));
    assert_eq!(host.figure("bookings").await, 1, "the core keeps what happened");
    assert_eq!(delete("properties/p1").await, 204);
    let (status, again) = host.post(&key, "properties", &records()[0].1).await;
    assert_eq!((status, &again["status"]), (200, &json!("updated")), "told again, it is back and still linked");
    assert_eq!(host.get(&key, "properties/p1").await.0, 200);
    let log = host.get(&key, "sync-log?entityType=reservation").await.1;
    let actions: Vec<&str> =
        log["data"].as_array().expect("lines").iter().filter_map(|l| l["action"].as_str()).collect();
    assert_eq!(actions, ["create", "update", "delete"]);
    host.stop().await;
}
