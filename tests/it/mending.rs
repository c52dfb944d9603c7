//! Facts are stored and their nights held, whatever else is odd about the record; a cancellation releases them,
//! whatever is odd about it.
//!
//! `TEST_EXAMPLES=2000` generates more bookings, `TEST_SEED=1` other ones.

use std::collections::BTreeMap;

use gassync::store::{
    accounts,
    buffer::reservations,
    ledger,
    sources::{self, Source},
};
use gassync_domain::{AccountId, CoreId, Stay};
use gassync_tests::{
    database::Database,
    host::{Host, clock, read},
    odd_records::{Booking, Dice, as_text, booking, cancellation, damaged},
    on_both,
};
use serde_json::{Value, json};

on_both!(
    odd_records_are_stored_and_returned,
    mended_fields_are_reported,
    strict_mode_rejects_instead_of_mending,
    a_non_utf8_body_is_accepted,
    properties_rooms_and_guests_are_mended,
);

/// Bookings generated per database.
const EXAMPLES: usize = 40;
const SEED: u64 = 20_270_501;
/// Maximum records per list.
const LIST: usize = 5;

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// An account with a property of two room types.
struct House {
    host: Host,
    key: String,
    account: AccountId,
    source: Source,
    units: BTreeMap<&'static str, CoreId>,
}

impl House {
    async fn open(database: Database) -> Self {
        let host = Host::start(database, &[], None).await;
        let key = host.key("facts", "facts").await;
        assert_eq!(host.post(&key, "properties", &json!({ "id": "p", "name": "Lunca" })).await.0, 201);
        let mut units = BTreeMap::new();
        for room in ["single", "double"] {
            let record = json!({ "id": room, "propertyId": "p", "name": room, "quantity": 3 });
            let (status, made) = host.post(&key, "room-types", &record).await;
            assert_eq!(status, 201, "{made}");
            units.insert(room, CoreId(made["gasId"].as_i64().expect("an id")));
        }
        let mut tx = host.app.db.platform_read().await.expect("a transaction");
        let source = sources::named(&mut tx, "facts").await.expect("read").remove(0);
        let account = accounts::find(&mut tx, "facts").await.expect("read").expect("there");
        drop(tx);
        Self { host, key, account, source, units }
    }

    async fn send(&self, entity: &str, body: impl Into<Vec<u8>>) -> (u16, Value) {
        let url = format!("{}/integration/v1/{entity}", self.host.base);
        let request = self.host.http.post(url).bearer_auth(&self.key).header("content-type", "application/json");
        read(request.body(body.into()).send().await.expect("an answer")).await
    }

    /// Submits one record or a list; returns the outcome of each.
    async fn submit(&self, texts: &[String]) -> Vec<Value> {
        let body = match texts {
            [one] => one.clone(),
            many => format!("[{}]", many.join(",")),
        };
        let (status, answer) = self.send("reservations", body).await;
        match answer {
            Value::Array(outcomes) => outcomes,
            one => {
                assert!((200..300).contains(&status), "{status}: {one}");
                vec![one]
            }
        }
    }

    /// Number of nights taken per room type in these days, overbooked ones included.
    async fn taken(&self, bookings: &[Booking]) -> BTreeMap<&'static str, i64> {
        let mut tx = self.host.app.db.read(self.account).await.expect("a transaction");
        let from = bookings.iter().flat_map(|b| &b.rooms).map(|room| room.1).min().expect("a night");
        let until = bookings.iter().flat_map(|b| &b.rooms).map(|room| room.2).max().expect("a night");
        let all = [Stay::spanning(from, until).expect("nights")];
        let mut taken = BTreeMap::new();
        for (room, unit) in &self.units {
            let nights = ledger::nights(&mut tx, self.account, *unit, &all, clock()()).await.expect("read");
            taken.insert(*room, nights.iter().map(|night| night.sold + night.overbooked).sum());
        }
        taken
    }

    async fn agrees(&self) {
        let mut tx = self.host.app.db.read(self.account).await.expect("a transaction");
        assert_eq!(ledger::differences(&mut tx, self.account, clock()()).await.expect("counted"), []);
    }

    /// The stored original record of a reservation.
    async fn raw(&self, id: &str) -> String {
        let mut tx = self.host.app.db.read(self.account).await.expect("a transaction");
        let kept = reservations::with_raw(&mut tx, self.source.key(), id).await.expect("read");
        kept.expect("it is there").1.as_str().to_owned()
    }
}

async fn odd_records_are_stored_and_returned(database: Database) {
    let house = House::open(database).await;
    let (examples, seed) = (setting("TEST_EXAMPLES", EXAMPLES), setting("TEST_SEED", SEED));
    let mut dice = Dice::new(seed);
    let mut done = 0;
    while done < examples {
        let count = 1 + dice.below(LIST);
        let bookings: Vec<Booking> =
            (done..done + count).map(|n| booking(&mut dice, &format!("r{n}"), &["single", "double"])).collect();
        let about = format!("seed {seed}, booking {done} and {} more", count - 1);
        let submitted: Vec<_> = bookings.iter().map(|booking| damaged(&mut dice, &booking.record)).collect();
        let texts: Vec<String> = submitted.iter().map(|submitted| as_text(&submitted.record)).collect();
        let before = house.taken(&bookings).await;
        let outcomes = house.submit(&texts).await;
        for ((submitted, text), outcome) in submitted.iter().zip(&texts).zip(&outcomes) {
            assert_eq!(outcome["status"], "created", "{about}: {outcome} of {text}");
            let warnings = outcome["warnings"].as_array().map_or(0, Vec::len);
            assert!(submitted.noticed.is_empty() || warnings > 0, "{about}: {:?} of {text}", submitted.noticed);
        }
        let mut expected = before.clone();
        for (room, check_in, check_out) in bookings.iter().flat_map(|booking| &booking.rooms) {
            let nights = Stay::spanning(*check_in, *check_out).expect("nights").nights();
            *expected.get_mut(room.as_str()).expect("a room type") += i64::from(nights);
        }
        assert_eq!(house.taken(&bookings).await, expected, "{about}: {texts:?}");
        let texts: Vec<String> = bookings
            .iter()
            .map(|booking| {
                let cancelled = cancellation(&mut dice, booking);
                as_text(&damaged(&mut dice, &cancelled).record)
            })
            .collect();
        for (outcome, text) in house.submit(&texts).await.iter().zip(&texts) {
            assert_eq!(outcome["status"], "updated", "{about}: {outcome} of {text}");
        }
        assert_eq!(house.taken(&bookings).await, before, "{about}: {texts:?}");
        done += count;
    }
    house.agrees().await;
    house.host.stop().await;
}

fn warned(answer: &Value) -> Vec<(&str, &str)> {
    let warnings = answer["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = warnings.iter().map(|note| (note["path"].as_str(), note["problem"].as_str()));
    texts.map(|(path, problem)| (path.expect("a path"), problem.expect("a problem"))).collect()
}

async fn mended_fields_are_reported(database: Database) {
    let house = House::open(database).await;
    let (host, key) = (&house.host, &house.key);
    let text = format!(
        r#"{{"id":"r1","status":"confirmed","roomTypeId":"single","checkIn":"2027-06-01","checkOut":"2027-06-04",
            "totalPrice":1714.28571,"currency":"eur","notes":"late\u0000 \ud83d","adults":"2",
            "guest":{{"lastName":"Lindqvist","email":"{}@example.org"}},"priceLines":null}}"#,
        "x".repeat(260)
    );
    // The dry run shows the same result before anything changes.
    let (status, plan) = house.send("reservations?dryRun=true", text.clone()).await;
    assert_eq!(status, 200, "{plan}");
    let expected = [
        ("/adults", "was not written as a whole number within its range; it was read as one"),
        ("/totalPrice", "has more than 4 decimal places; it was rounded half to even"),
        ("/notes", "contains a NUL character; what cannot be kept was replaced by U+FFFD"),
        ("/currency", "must be three capital letters, as in ISO 4217; it was put in capital letters"),
        ("/guest/email", "has 272 characters; the limit is 255; it was cut"),
    ];
    let sorted = |answer: &Value| {
        let mut all: Vec<(String, String)> =
            warned(answer).into_iter().map(|(path, problem)| (path.to_owned(), problem.to_owned())).collect();
        all.sort();
        all
    };
    let mut all: Vec<(String, String)> = expected.map(|(path, problem)| (path.to_owned(), problem.to_owned())).into();
    all.sort();
    assert_eq!(sorted(&plan["records"][0]), all);
    let path = format!("reservations?plan={}", plan["plan"].as_str().expect("a plan"));
    let (status, made) = house.send(&path, text.clone()).await;
    assert_eq!((status, sorted(&made)), (201, all.clone()), "{made}");
    // Sent again it is unchanged, and the warnings are repeated.
    let (status, again) = house.send("reservations", text).await;
    assert_eq!((status, &again["status"], sorted(&again)), (200, &json!("unchanged"), all.clone()));
    // The warnings are stored with the record and logged; the original record keeps its digits.
    let shown = host.get(key, "reservations/r1").await.1;
    assert_eq!(sorted(&shown), all);
    assert_eq!((shown["totalPrice"].as_f64(), &shown["notes"]), (Some(1714.2857), &json!("late\u{fffd} \u{fffd}")));
    let raw = house.raw("r1").await;
    // One database stores the escape as written, the other the character.
    assert!(raw.contains("1714.28571") && (raw.contains("\u{fffd}") || raw.contains(r"\ufffd")), "{raw}");
    let log = host.get(key, "sync-log?entityType=reservation").await.1;
    let line = log["data"][0].to_string();
    assert!(line.contains("/totalPrice has more than 4 decimal places") && !line.contains("1714"), "{line}");
    assert!(host.get(key, "reservations").await.1["data"][0]["warnings"].is_array());
    // A cancellation with a note of 23,000 characters is applied.
    let cancelled = json!({ "id": "r1", "status": "cancelled", "notes": "é".repeat(23_000) });
    let (status, answer) = host.post(key, "reservations", &cancelled).await;
    assert_eq!(
        (status, warned(&answer)),
        (200, vec![("/notes", "has 23000 characters; the limit is 20000; it was cut")])
    );
    assert_eq!(host.get(key, "reservations/r1").await.1["status"], "cancelled");
    // A valid record has no warnings.
    let plain = json!({ "id": "r1", "status": "cancelled", "notes": "short" });
    assert_eq!(warned(&host.post(key, "reservations", &plain).await.1), []);
    assert_eq!(host.get(key, "reservations/r1").await.1["warnings"], Value::Null);
    house.agrees().await;
    house.host.stop().await;
}

async fn strict_mode_rejects_instead_of_mending(database: Database) {
    let house = House::open(database).await;
    let odd = json!({ "id": "r1", "status": "confirmed", "roomTypeId": "single", "checkIn": "2027-06-01",
        "checkOut": "2027-06-04", "totalPrice": 1714.28571 });
    let asking = json!({ "id": "r2", "status": "confirmed", "roomTypeId": "single", "checkIn": "2027-06-01",
        "checkOut": "2027-06-04", "totalPrice": 1714.28571, "intent": "request" });
    let strict = gassync::admin::NewKey {
        account: "facts".to_owned(),
        name: "strict".to_owned(),
        source: Some("facts".to_owned()),
        scopes: Vec::new(),
        strict: true,
        expires_at: None,
    };
    let made = house.host.operate("keys", &strict).await;
    let strict: gassync::admin::CreatedKey = made.json().await.expect("a key");
    for (key, path, record) in [
        (&house.key, "reservations?strict=true", &odd),
        (&house.key, "reservations?onConflict=refuse", &odd),
        (&house.key, "reservations", &asking),
        (&strict.key, "reservations", &odd),
    ] {
        let (status, problem) = house.host.post(key, path, record).await;
        assert_eq!((status, &problem["errors"][0]["path"]), (422, &json!("/totalPrice")), "{path}: {problem}");
        assert_eq!(problem["errors"][0]["problem"], "has more than 4 decimal places");
    }
    let shown = house.host.look("keys").await;
    let is_strict: Vec<bool> =
        shown.as_array().expect("keys").iter().filter_map(|key| key["strict"].as_bool()).collect();
    assert_eq!(is_strict, [false, true]);
    let mut limits = asking.clone();
    limits["totalPrice"] = json!(1);
    limits["source"] = json!("x".repeat(300));
    let (status, problem) = house.host.post(&house.key, "reservations", &limits).await;
    assert_eq!((status, &problem["errors"][0]["problem"]), (422, &json!("has 300 characters; the limit is 255")));
    // Null is allowed: a request may write an absent field as null.
    limits["source"] = json!(null);
    limits["rooms"] = json!(null);
    limits["priceLines"] = json!(null);
    assert_eq!(house.host.post(&strict.key, "reservations", &limits).await.0, 201);
    house.host.stop().await;
}

async fn a_non_utf8_body_is_accepted(database: Database) {
    let house = House::open(database).await;
    let mut body = br#"[{"id":"r1","status":"confirmed","roomTypeId":"single","checkIn":"2027-06-01","checkOut":"2027-06-04","notes":"a"#.to_vec();
    body.extend([0xff, 0x00, b'\n']);
    body.extend(br#"b"},{"id":"r2"},{"status":"confirmed"},17]"#);
    let (status, outcomes) = house.send("reservations", body.clone()).await;
    let words: Vec<&str> = outcomes.as_array().expect("a list").iter().filter_map(|o| o["status"].as_str()).collect();
    assert_eq!((status, words), (200, vec!["created", "parked", "rejected", "rejected"]), "{outcomes}");
    assert_eq!(warned(&outcomes[1]), [("/status", "is missing; it is taken for unknown")]);
    assert_eq!(house.host.get(&house.key, "reservations/r1").await.1["notes"], "a\u{fffd}\u{fffd}\nb");
    assert_eq!(house.send("reservations?strict=true", body).await.0, 400);
    house.host.stop().await;
}

async fn properties_rooms_and_guests_are_mended(database: Database) {
    let house = House::open(database).await;
    for (entity, record, path) in [
        ("properties", json!({ "id": "h", "name": "", "latitude": 91, "timeZone": "Mars/Olympus" }), "/latitude"),
        (
            "room-types",
            json!({ "id": "t", "propertyId": "p", "name": "x".repeat(300), "quantity": "2.0" }),
            "/quantity",
        ),
        ("rate-plans", json!({ "id": "flex", "propertyId": "p", "currency": "eur" }), "/name"),
        ("guests", json!({ "id": "g", "firstName": 5, "email": "x".repeat(300) }), "/email"),
    ] {
        let (status, made) = house.host.post(&house.key, entity, &record).await;
        assert_eq!(status, 201, "{entity}: {made}");
        assert!(warned(&made).iter().any(|(at, _)| *at == path), "{entity}: {made}");
        let id = record["id"].as_str().expect("an id");
        let shown = house.host.get(&house.key, &format!("{entity}/{id}")).await.1;
        assert_eq!(warned(&shown).len(), warned(&made).len(), "{entity}: {shown}");
        let (status, _) = house.host.post(&house.key, &format!("{entity}?strict=true"), &record).await;
        assert_eq!(status, 422, "{entity}");
    }
    let nights =
        json!({ "roomTypeId": "single", "date": "2027-06-01", "price": -1, "minStay": 20_000, "available": "yes" });
    let (status, submitted) = house.host.post(&house.key, "availability", &nights).await;
    let paths: Vec<&str> = warned(&submitted).into_iter().map(|(path, _)| path).collect();
    assert_eq!((status, paths), (200, vec!["/available", "/price", "/minStay"]), "{submitted}");
    house.host.stop().await;
}
