//! Basic use of the standard API.

use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, read, records, reservation},
    leftovers::Leftover,
    on_both,
};
use serde_json::{Value, json};

on_both!(records_round_trip, one_invalid_record_does_not_block_others, accounts_are_isolated, pagination_and_etags);

async fn records_round_trip(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    for (entity, record) in records() {
        let (status, created) = host.post(&key, entity, &record).await;
        assert_eq!((status, &created["status"]), (201, &json!("created")), "{entity}: {created}");
        let (status, unchanged) = host.post(&key, entity, &record).await;
        assert_eq!((status, &unchanged["status"]), (200, &json!("unchanged")));
        assert_eq!(unchanged["gasId"], created["gasId"]);
        let id = record["id"].as_str().expect("an id");
        let (status, shown) = host.get(&key, &format!("{entity}/{id}")).await;
        assert_eq!((status, &shown["gasId"]), (200, &created["gasId"]), "{shown}");
        assert_eq!(shown["name"], record["name"]);
    }
    let mut moved = reservation("r1");
    moved["checkOut"] = json!("2027-06-06");
    moved["totalPrice"] = json!("550.00");
    assert_eq!(host.post(&key, "reservations", &moved).await.1["status"], "updated");
    let shown = host.get(&key, "reservations/r1").await.1;
    assert_eq!((&shown["checkOut"], shown["totalPrice"].as_f64()), (&json!("2027-06-06"), Some(550.0)));
    assert_eq!(shown["rooms"][0]["roomTypeId"], "t1");
    assert_eq!(host.figure("bookings").await, 1);
    // A cancellation need not repeat the other fields.
    let (status, cancelled) = host.post(&key, "reservations", &json!({ "id": "r1", "status": "cancelled" })).await;
    assert_eq!((status, &cancelled["status"]), (200, &json!("updated")));
    let shown = host.get(&key, "reservations/r1").await.1;
    assert_eq!((&shown["status"], &shown["checkOut"]), (&json!("cancelled"), &json!("2027-06-06")));
    assert_eq!((host.figure("bookings").await, host.figure("bookings_cancelled").await), (1, 1));
    host.stop().await;
}

async fn one_invalid_record_does_not_block_others(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.leaves(Leftover::Overbooked);
    let key = host.key(ACCOUNT, "partner").await;
    // A record that refers to an unknown one is parked, and applied once that arrives.
    let (status, parked) = host.post(&key, "reservations", &reservation("early")).await;
    assert_eq!((status, &parked["errors"][0]["problem"]), (202, &json!("room type t1 is not mapped")));
    for (entity, record) in &records()[..2] {
        host.post(&key, entity, record).await;
    }
    let mut backwards = reservation("backwards");
    backwards["checkOut"] = json!("2027-05-01");
    let mut odd = reservation("odd");
    odd["rooms"] = json!([{ "roomTypeId": "t1", "checkIn": "June" }]);
    let mut unknown_word = reservation("word");
    unknown_word["status"] = json!("waitlisted");
    let batch = json!([reservation("a"), backwards, odd, 17, unknown_word, reservation("b"), reservation("a")]);
    let (status, outcomes) = host.post(&key, "reservations", &batch).await;
    assert_eq!(status, 200);
    let words: Vec<&str> = outcomes.as_array().expect("a list").iter().filter_map(|o| o["status"].as_str()).collect();
    assert_eq!(words, ["created", "parked", "created", "rejected", "parked", "created", "unchanged"]);
    assert_eq!(outcomes[2]["warnings"][0]["path"], "/rooms/0/checkIn");
    assert_eq!((&outcomes[2]["id"], &outcomes[3]["id"]), (&json!("odd"), &Value::Null));
    let (_, outcomes) = host.post(&key, "reservations?strict=true", &batch).await;
    let words: Vec<&str> = outcomes.as_array().expect("a list").iter().filter_map(|o| o["status"].as_str()).collect();
    assert_eq!(words, ["unchanged", "rejected", "rejected", "rejected", "parked", "unchanged", "unchanged"]);
    assert_eq!(outcomes[1]["errors"][0]["path"], "/checkOut");
    assert_eq!(outcomes[2]["errors"][0]["path"], "/rooms/0/checkIn");
    let (status, problem) = host.post(&key, "reservations?strict=true", &batch[1]).await;
    assert_eq!((status, &problem["type"]), (422, &json!("/problems/invalid")));
    host.until("what waited for the room type is in the core", async || host.figure("bookings").await == 4).await;
    host.stop().await;
}

async fn accounts_are_isolated(database: Database) {
    let host = Host::start(database, &[], None).await;
    let (one, other) = (host.key("One", "partner").await, host.key("Other", "partner").await);
    for (entity, record) in records() {
        host.post(&one, entity, &record).await;
    }
    for path in ["properties/p1", "room-types/t1", "reservations/r1"] {
        assert_eq!(host.get(&other, path).await.0, 404, "{path}");
    }
    assert_eq!(host.get(&other, "reservations").await.1["data"], json!([]));
    // The same ids are independent for another partner.
    let (_, parked) = host.post(&other, "reservations", &reservation("r1")).await;
    assert_eq!(parked["status"], "parked", "the other's room type is none of this account's");
    for key in ["", "gsk_wrong", &host.app.operator_token] {
        assert_eq!(host.get(key, "reservations").await.0, 401, "{key:?}");
    }
    let request = host.http.get(format!("{}/admin/v1/status", host.base)).bearer_auth(&one);
    assert_eq!(read(request.send().await.expect("an answer")).await.0, 401, "a key is no operator's token");
    host.stop().await;
}

async fn pagination_and_etags(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.leaves(Leftover::Overbooked);
    let key = host.key(ACCOUNT, "partner").await;
    for (entity, record) in &records()[..2] {
        host.post(&key, entity, record).await;
    }
    let many: Vec<Value> = (0..25).map(|n| reservation(&format!("r{n:02}"))).collect();
    host.post(&key, "reservations", &json!(many)).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = host.get(&key, &format!("reservations?limit=10{cursor}")).await.1;
        seen.extend(page["data"].as_array().expect("data").iter().map(|r| r["id"].as_str().map(str::to_owned)));
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, (0..25).map(|n| Some(format!("r{n:02}"))).collect::<Vec<_>>());
    let none = host.get(&key, "reservations?status=cancelled").await.1;
    assert_eq!(none["data"], json!([]));
    let some = host.get(&key, "reservations?roomTypeId=t1&checkInFrom=2027-06-01&checkInTo=2027-06-01").await.1;
    assert_eq!(some["data"].as_array().map(Vec::len), Some(25));
    for bad in ["reservations?limit=0", "reservations?limit=201", "reservations?cursor=!"] {
        assert_eq!(host.get(&key, bad).await.0, 400, "{bad}");
    }
    let url = format!("{}/integration/v1/reservations/r00", host.base);
    let first = host.http.get(&url).bearer_auth(&key).send().await.expect("an answer");
    let tag = first.headers()["etag"].clone();
    let again = host.http.get(&url).bearer_auth(&key).header("if-none-match", &tag).send().await.expect("an answer");
    assert_eq!((again.status().as_u16(), &again.headers()["etag"]), (304, &tag));
    for (content_type, body, status) in
        [("text/plain", "{}", 415), ("application/json", "{", 400), ("application/json", "{}", 422)]
    {
        let url = format!("{}/integration/v1/properties", host.base);
        let request = host.http.post(url).bearer_auth(&key).header("content-type", content_type).body(body);
        assert_eq!(read(request.send().await.expect("an answer")).await.0, status, "{content_type} {body}");
    }
    let long = json!((0..1001).map(|n| json!({ "id": n.to_string() })).collect::<Vec<_>>());
    assert_eq!(host.post(&key, "properties", &long).await.0, 413);
    host.stop().await;
}

#[tokio::test]
async fn public_endpoints_need_no_key() {
    let host = Host::start(Database::sqlite(), &[], None).await;
    for (path, status) in [("/livez", 200), ("/readyz", 200), ("/nothing", 404), ("/problems/invalid", 200), ("/", 200)]
    {
        let answer = host.http.get(format!("{}{path}", host.base)).send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{path}");
    }
    let (_, openapi) =
        read(host.http.get(format!("{}/openapi.json", host.base)).send().await.expect("an answer")).await;
    assert_eq!(openapi["openapi"], "3.1.0");
    for path in ["properties", "room-types", "reservations"] {
        let described = &openapi["paths"][format!("/integration/v1/{path}")];
        assert!(described["get"].is_object() && described["post"].is_object(), "{path}");
        assert!(openapi["paths"][format!("/integration/v1/{path}/{{id}}")]["get"].is_object());
    }
    host.stop().await;
}
