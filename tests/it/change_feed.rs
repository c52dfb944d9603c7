//! The change feed and other read endpoints.

use gassync::store::{Day, Tx};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, records, reservation},
    leftovers::Leftover,
    on_both,
};
use serde_json::{Value, json};

on_both!(
    feed_is_gapless_and_resumable,
    event_stream_resumes,
    calendars_guests_and_rate_plans,
    calendars_are_stored_once_as_received,
    source_status_and_sync_log
);

async fn furnish(host: &Host, key: &str) {
    for (entity, record) in records() {
        assert_eq!(host.post(key, entity, &record).await.0, 201);
    }
}

async fn read_feed(host: &Host, key: &str, mut cursor: String) -> (Vec<Value>, String) {
    let mut entries = Vec::new();
    loop {
        let page = host.get(key, &format!("changes?limit=3&cursor={cursor}")).await.1;
        entries.extend(page["data"].as_array().expect("entries").iter().cloned());
        cursor = page["nextCursor"].as_str().expect("a cursor").to_owned();
        if page["hasMore"] == json!(false) {
            return (entries, cursor);
        }
    }
}

async fn feed_is_gapless_and_resumable(database: Database) {
    let host = Host::start(database, &[], None).await;
    let (key, other) = (host.key(ACCOUNT, "partner").await, host.key("Other", "partner").await);
    furnish(&host, &key).await;
    furnish(&host, &other).await;
    let types = async |cursor: &str| {
        let (entries, next) = read_feed(&host, &key, cursor.to_owned()).await;
        let types: Vec<String> = entries.iter().map(|e| e["type"].as_str().expect("a type").to_owned()).collect();
        (types, entries, next)
    };
    host.until("everything has its place", async || types("").await.0.contains(&"availability.updated".to_owned()))
        .await;
    let (seen, entries, next) = types("").await;
    for kind in ["property.created", "room-type.created", "guest.created", "reservation.created"] {
        assert!(seen.contains(&kind.to_owned()), "{kind} in {seen:?}");
    }
    let sequences: Vec<i64> = entries.iter().filter_map(|entry| entry["sequence"].as_i64()).collect();
    assert_eq!(sequences, (1..=sequences.len() as i64).collect::<Vec<_>>(), "no gap, whatever others do");
    let booked = entries.iter().find(|entry| entry["type"] == "reservation.created").expect("an entry");
    assert_eq!(
        (&booked["event"], &booked["id"], &booked["own"]),
        (&json!("booking.confirmed"), &json!("r1"), &json!(true))
    );
    let nights = entries.iter().find(|entry| entry["type"] == "availability.updated").expect("an entry");
    assert_eq!(nights["event"], "availability.updated");
    assert_eq!(
        (&nights["from"], &nights["to"], &nights["id"]),
        (&json!("2027-06-01"), &json!("2027-06-03"), &json!("t1"))
    );
    assert!(!serde_json::to_string(&entries).expect("json").contains("Noor"), "what a guest wrote is not in the feed");
    // Without new entries the cursor stays the same.
    assert_eq!(types(&next).await.2, next);
    host.post(&key, "reservations", &reservation("r2")).await;
    host.until("the new ones are there", async || types(&next).await.0.contains(&"overbooking.detected".to_owned()))
        .await;
    let (_, newer, _) = types(&next).await;
    assert_eq!(newer[0]["sequence"].as_i64(), sequences.last().map(|last| last + 1));
    let latest = host.get(&key, "changes?cursor=latest").await.1;
    assert_eq!(latest["data"], json!([]));
    let cursor = latest["nextCursor"].as_str().expect("a cursor");
    let mut cancelled = reservation("r2");
    cancelled["status"] = json!("cancelled");
    host.post(&key, "reservations", &cancelled).await;
    host.until("it is known as cancelled, by both its names", async || {
        let entries = types(cursor).await.1;
        entries.iter().any(|entry| entry["type"] == "reservation.cancelled" && entry["event"] == "booking.cancelled")
    })
    .await;
    host.stop().await;
}

async fn event_stream_resumes(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    furnish(&host, &key).await;
    let open = async |last: Option<&str>| {
        let mut request = host.http.get(format!("{}/integration/v1/changes", host.base)).bearer_auth(&key);
        request = request.header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        request.send().await.expect("an answer")
    };
    let mut stream = open(None).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    while !text.contains("\"event\":\"booking.confirmed\"") {
        text += std::str::from_utf8(&stream.chunk().await.expect("a chunk").expect("no end")).expect("text");
    }
    assert!(text.starts_with("id: 1\nevent: property.created\ndata: {\"sequence\":1,"), "{text}");
    assert!(text.contains("\nevent: reservation.created\ndata: {\"sequence\":"), "{text}");
    drop(stream);
    host.until("all have their place", async || {
        let page = host.get(&key, "changes?limit=1000").await.1;
        page["data"].as_array().expect("entries").iter().any(|entry| entry["type"] == "availability.updated")
    })
    .await;
    let cursor = host.get(&key, "changes?cursor=latest").await.1["nextCursor"].as_str().expect("a cursor").to_owned();
    let mut stream = open(Some(&cursor)).await;
    let mut moved = reservation("r1");
    moved["checkOut"] = json!("2027-06-02");
    host.post(&key, "reservations", &moved).await;
    let chunk = stream.chunk().await.expect("a chunk").expect("no end");
    let next = cursor.parse::<i64>().expect("a number") + 1;
    let text = std::str::from_utf8(&chunk).expect("text");
    assert!(text.starts_with(&format!("id: {next}\n")), "{text}");
    // An open stream does not keep the host from stopping.
    host.stop().await;
}

async fn calendars_are_stored_once_as_received(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    furnish(&host, &key).await;
    let until =
        |last: &str| json!({ "roomTypeId": "t1", "from": "2027-06-01", "to": last, "price": 120, "currency": "EUR" });
    for last in ["2027-06-01", "2027-06-04"] {
        assert_eq!(host.post(&key, "availability", &until(last)).await.1["status"], "updated");
    }
    // The first night was known: the raw record is stored with the first of the new nights.
    let text = "select min(date) as first, count(*) as nights from int_availability
        where cast(raw_data as text) like '%2027-06-04%'";
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let (first, nights): (Option<Day>, i64) = match &mut tx {
        Tx::Sqlite(inner, _) => sqlx::query_as(text).fetch_one(&mut **inner).await,
        Tx::Postgres(inner, _) => sqlx::query_as(text).fetch_one(&mut **inner).await,
    }
    .expect("counted");
    assert_eq!((first.map(|day| day.0.to_string()), nights), (Some("2027-06-02".to_owned()), 1));
    drop(tx);
    host.stop().await;
}

async fn calendars_guests_and_rate_plans(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    furnish(&host, &key).await;
    let plan = json!({ "id": "flex", "propertyId": "p1", "name": "Flexible", "currency": "EUR" });
    assert_eq!(host.post(&key, "rate-plans", &plan).await.0, 201);
    assert_eq!(host.post(&key, "rate-plans", &plan).await.1["status"], "unchanged");
    assert_eq!(host.get(&key, "rate-plans/flex").await.1["name"], "Flexible");
    let calendar = json!([
        { "roomTypeId": "t1", "ratePlanId": "flex", "from": "2027-06-01", "to": "2027-06-05", "price": 120, "currency": "EUR", "minStay": 2 },
        { "roomTypeId": "t1", "ratePlanId": "flex", "date": "2027-06-05", "closedToArrival": true },
        { "roomTypeId": "t9", "date": "2027-06-05" },
        { "roomTypeId": "t1" },
    ]);
    let outcomes = host.post(&key, "availability", &calendar).await.1;
    let words: Vec<&str> = outcomes.as_array().expect("a list").iter().filter_map(|o| o["status"].as_str()).collect();
    assert_eq!(words, ["updated", "updated", "parked", "rejected"], "{outcomes}");
    assert_eq!(host.post(&key, "availability", &calendar[0]).await.1["status"], "unchanged");
    let nights =
        async |query: &str| host.get(&key, &format!("availability?from=2027-06-01&to=2027-06-05{query}")).await;
    let (status, page) = nights("").await;
    let units: Vec<i64> =
        page["data"].as_array().expect("nights").iter().filter_map(|n| n["unitsAvailable"].as_i64()).collect();
    assert_eq!((status, units), (200, vec![0, 0, 0, 1, 1]), "the ledger says what can be sold");
    assert_eq!(nights("&ratePlanId=flex").await.1["data"][4]["price"], Value::Null, "prices are ours by default");
    assert_eq!(nights("&ratePlanId=none").await.0, 400);
    // The operator gives the source authority over the calendar.
    let answer = host.operate("sources/partner/authority", &json!({ "calendar": "theirs" })).await;
    assert_eq!(answer.status().as_u16(), 204);
    // Prices received before are applied, too.
    let priced = async || nights("&ratePlanId=flex").await.1["data"][4]["price"].as_f64() == Some(120.0);
    host.until("its prices are in the core", priced).await;
    let mut dearer = calendar[0].clone();
    dearer["price"] = json!(130.5);
    let plan = host.post(&key, "availability?dryRun=true", &dearer).await.1;
    let change = &plan["records"][0]["changes"][0];
    assert_eq!((&change["path"], &change["after"]), (&json!("/2027-06-01/price"), &json!("130.5")), "{plan}");
    assert_eq!(host.post(&key, "availability", &dearer).await.1["status"], "updated");
    host.post(
        &key,
        "availability",
        &json!({ "roomTypeId": "t1", "ratePlanId": "flex", "date": "2027-06-04", "available": false }),
    )
    .await;
    let page = nights("&ratePlanId=flex&limit=3").await.1;
    let rest =
        nights(&format!("&ratePlanId=flex&limit=3&cursor={}", page["nextCursor"].as_str().expect("a cursor"))).await.1;
    assert_eq!(page["data"].as_array().map(Vec::len), Some(3));
    let (fourth, fifth) = (&rest["data"][0], &rest["data"][1]);
    assert_eq!(
        (&fourth["date"], &fourth["available"], &fourth["unitsAvailable"]),
        (&json!("2027-06-04"), &json!(false), &json!(0))
    );
    assert_eq!(
        (fifth["price"].as_f64(), &fifth["minStay"], &fifth["available"]),
        (Some(130.5), &json!(2), &json!(true))
    );

    // Only the same own email address and the same family name make two records one person.
    let guests = json!([
        { "id": "g1", "firstName": "Noor", "lastName": "De Wit", "email": "NOOR@example.org", "phone": "+31 1" },
        { "id": "g2", "lastName": "De Wit", "email": "other@example.org" },
        { "id": "g3", "lastName": "De Wit", "email": "x1@guest.booking.com" },
        { "id": "g4", "lastName": "De Wit", "email": "x1@guest.booking.com" },
        { "firstName": "Nobody" },
    ]);
    let outcomes = host.post(&key, "guests", &guests).await.1;
    let words: Vec<&str> = outcomes.as_array().expect("a list").iter().filter_map(|o| o["status"].as_str()).collect();
    assert_eq!(words, ["updated", "created", "created", "created", "rejected"], "{outcomes}");
    let known = host.get(&key, "guests?email=noor@example.org").await.1;
    assert_eq!(known["data"][0]["gasId"], outcomes[0]["gasId"], "the guest of the reservation");
    assert_eq!(host.get(&key, "guests/g1").await.1["phone"], "+31 1");
    host.stop().await;
}

async fn source_status_and_sync_log(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.leaves(Leftover::Overbooked);
    let key = host.key(ACCOUNT, "partner").await;
    host.post(&key, "reservations", &reservation("early")).await;
    furnish(&host, &key).await;
    let status = host.get(&key, "sources/me/status").await.1;
    assert_eq!(
        (&status["name"], &status["status"], &status["creates"]),
        (&json!("partner"), &json!("active"), &json!(true))
    );
    let id = status["id"].as_i64().expect("an id");
    assert_eq!(host.get(&key, &format!("sources/{id}/status")).await.0, 200);
    assert_eq!(host.get(&key, &format!("sources/{}/status", id + 1)).await.0, 404);
    let of =
        |entity: &str| status["entities"].as_array().expect("kinds").iter().find(|e| e["entity"] == entity).cloned();
    assert_eq!(of("properties").expect("a kind")["linked"], 1);
    let log = host.get(&key, "sync-log?entityId=early").await.1;
    assert_eq!(
        (&log["data"][0]["action"], &log["data"][0]["message"]),
        (&json!("park"), &json!("room type t1 is not mapped"))
    );
    let failed = host.get(&key, "sync-log?status=failed").await.1;
    assert_eq!(failed["data"], json!([]));
    host.stop().await;
}
