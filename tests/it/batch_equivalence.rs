//! A batch, and coalesced single records, have the same effect as separate requests.

use gassync::store::{accounts, core::bookings, ledger, sources};
use gassync_tests::{
    database::Database,
    host::{Host, clock},
    leftovers::Leftover,
    on_both,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

on_both!(a_batch_has_the_effect_of_its_single_records, coalesced_requests_get_their_own_outcome);

/// A pseudo-random generator, the same for every run of a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).expect("few")]
    }
}

/// Few rooms, nights, ids and guests, so that records collide.
fn record(dice: &mut Dice) -> Value {
    let first = jiff::civil::date(2027, 3, 1) + jiff::Span::new().days(i64::try_from(dice.below(9)).expect("few"));
    let last = first + jiff::Span::new().days(1 + i64::try_from(dice.below(4)).expect("few"));
    let person = dice.pick(&["Amara", "Birger", "Chidi"]);
    let mut guest = json!({ "firstName": person, "lastName": "Ölund", "email": format!("{person}@Example.org") });
    match dice.below(3) {
        0 => guest["id"] = json!(format!("guest-{person}")),
        1 => guest["email"] = json!("x9@guest.booking.com"),
        _ => {}
    }
    let rooms: Vec<Value> = (0..=dice.below(2))
        .map(|_| json!({ "roomTypeId": dice.pick(&["single", "double", "nowhere", "double"]) }))
        .collect();
    json!({
        "id": format!("r{}", dice.below(25)),
        "status": dice.pick(&["confirmed", "confirmed", "confirmed", "pending", "cancelled", "inquiry", "strange"]),
        "checkIn": first.to_string(), "checkOut": last.to_string(), "rooms": rooms, "guest": guest,
        "totalPrice": 100 + dice.below(3), "intent": dice.pick(&["fact", "fact", "request"]),
    })
}

/// A partner with a property, whose data is separate from all others'.
async fn partner(host: &Host, account: &str) -> String {
    let key = host.key(account, account).await;
    host.post(&key, "properties", &json!({ "id": "p", "name": "Lunca", "currency": "RON" })).await;
    for (room, quantity) in [("single", 1), ("double", 3)] {
        let room = json!({ "id": room, "propertyId": "p", "name": room, "quantity": quantity });
        assert_eq!(host.post(&key, "room-types", &room).await.0, 201);
    }
    key
}

/// The bookings, nights and guests of an account, without database ids.
async fn snapshot(host: &Host, account: &str) -> Value {
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let source = sources::named(&mut tx, account).await.expect("read").remove(0);
    let account = accounts::find(&mut tx, account).await.expect("read").expect("there");
    assert_eq!(ledger::differences(&mut tx, account, clock()()).await.expect("counted"), []);
    let booked = bookings::bookings_of_source(&mut tx, source.key()).await.expect("read");
    let facts: Vec<Value> =
        booked.iter().map(|(id, f)| json!([id, f.status, f.check_in, f.check_out, f.total_price, f.rooms])).collect();
    let guests: Vec<Value> = gassync::store::buffer::guests::list(
        &mut tx,
        source.key(),
        (None, None),
        gassync::store::buffer::PageCursor { after: 0, limit: 1_000 },
    )
    .await
    .expect("read")
    .into_iter()
    .map(|stored| json!([stored.record.id, stored.record.first_name]))
    .collect();
    json!({ "bookings": facts, "guests": guests })
}

fn normalised(answer: &Value) -> Value {
    // Errors are at another place in the response to a single record than in the response to a list.
    json!([answer["status"].as_str().unwrap_or("rejected"), answer["overbooked"]])
}

async fn a_batch_has_the_effect_of_its_single_records(database: Database) {
    let host = Host::start(database, &[], None).await;
    host.leaves(Leftover::Overbooked);
    let (listed, alone) = (partner(&host, "listed").await, partner(&host, "alone").await);
    let mut dice = Dice(20_270_301);
    for round in 0..6 {
        let records: Vec<Value> = (0..40).map(|_| record(&mut dice)).collect();
        let (status, together) = host.post(&listed, "reservations", &json!(records)).await;
        assert_eq!(status, 200, "{together}");
        for (index, record) in records.iter().enumerate() {
            let (_, one) = host.post(&alone, "reservations", record).await;
            assert_eq!(normalised(&together[index]), normalised(&one), "round {round}: {record}");
        }
        assert_eq!(snapshot(&host, "listed").await, snapshot(&host, "alone").await, "after round {round}");
    }
}

async fn coalesced_requests_get_their_own_outcome(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = partner(&host, "crowd").await;
    let mut crowd = JoinSet::new();
    for caller in 0..60 {
        let request = host.http.post(format!("{}/integration/v1/reservations?onConflict=refuse", host.base));
        // Every fifth request is invalid: it has no night.
        let last = if caller % 5 == 0 { "2027-04-01" } else { "2027-04-03" };
        let stay = json!({ "id": format!("c{caller}"), "roomTypeId": "double", "status": "confirmed",
            "checkIn": "2027-04-01", "checkOut": last });
        let request = request.bearer_auth(&key).header("idempotency-key", format!("k{caller}")).json(&stay);
        crowd.spawn(async move {
            let first = request.try_clone().expect("a copy").send().await.expect("an answer");
            let normalised = (first.status().as_u16(), first.text().await.expect("text"));
            let again = request.send().await.expect("an answer");
            assert_eq!(again.headers()["idempotency-replayed"], "true");
            assert_eq!((again.status().as_u16(), again.text().await.expect("text")), normalised);
            (caller, normalised.0, normalised.1)
        });
    }
    let mut sold = Vec::new();
    for (caller, status, body) in crowd.join_all().await {
        match (caller % 5, status) {
            (0, 422) => {}
            (1.., 409) => assert!(body.contains("2027-04-01"), "{body}"),
            (1.., 201) => {
                let body: Value = serde_json::from_str(&body).expect("json");
                assert_eq!(body["id"], json!(format!("c{caller}")));
                sold.push(body["gasId"].as_i64().expect("an id"));
            }
            other => panic!("caller {caller} was told {other:?}: {body}"),
        }
    }
    sold.sort_unstable();
    sold.dedup();
    assert_eq!(sold.len(), 3, "there are three rooms");
    snapshot(&host, "crowd").await;
}
