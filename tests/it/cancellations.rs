//! A cancellation always releases its nights, whatever else is odd or missing in it.

use gassync::{
    inbound::apply::{IngestContext, IngestOutcome},
    store::outbound::{
        bookings::{self, PushedReservation},
        invalidations::ReservationInvalidation,
    },
};
use gassync_domain::{SourceKey, SyncEvent};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, records, reservation},
    on_both,
    source_fixture::{SourceFixture, at, stay},
};
use serde_json::{Value, json};

on_both!(
    an_odd_cancellation_is_applied,
    a_cancellation_of_an_unknown_reservation,
    a_cancellation_of_a_parked_reservation,
    a_stay_without_nights,
    one_room_of_a_group,
    a_cancellation_of_ours_in_push,
    a_cancellation_repeated_over_the_api,
);

async fn an_odd_cancellation_is_applied(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    let odd: [(&str, Value); 9] = [
        ("no nights", stay("r", "t1", (10, 10), "cancelled")),
        ("backwards", stay("r", "t1", (13, 10), "cancelled")),
        ("no room", json!({ "id": "r", "status": "cancelled", "checkIn": "2027-05-10", "checkOut": "2027-05-13" })),
        ("nothing", json!({ "id": "r", "status": "cancelled" })),
        ("only arrival", json!({ "id": "r", "status": "canceled", "roomTypeId": "t1", "checkIn": "2027-05-10" })),
        ("a room that nobody knows", stay("r", "t9", (10, 13), "cancelled")),
        ("both", stay("r", "t9", (10, 10), "CANCELED")),
        (
            "too long",
            json!({ "id": "r", "roomTypeId": "t1", "status": "cancelled", "checkIn": "2027-05-10",
            "checkOut": "2047-05-10" }),
        ),
        ("declined, of a room that nobody knows", stay("r", "t9", (10, 10), "declined")),
    ];
    for (number, (what, said)) in (0_u8..).zip(odd) {
        let id = format!("r{number}");
        let second = i64::from(number) * 10;
        let booked = source_fixture.report(&stay(&id, "t1", (10, 13), "confirmed"), second + 1).await;
        assert!(matches!(booked, IngestOutcome::Created(_)), "{what}: {booked:?}");
        let mut said = said;
        said["id"] = json!(id);
        let ended = source_fixture.report(&said, second + 2).await;
        assert!(matches!(ended, IngestOutcome::Updated(_)), "{what}: {ended:?}");
        assert_eq!(source_fixture.night("t1", 10).await, (0, 0, 0), "{what}");
        assert_ne!(source_fixture.status(&id).await.as_deref(), Some("confirmed"), "{what}");
        let stored = source_fixture.stored(&id).await.expect("stored");
        assert!(stored.parked.is_none(), "{what}");
        let nights = (stored.record.check_in, stored.record.check_out);
        assert_eq!(nights.0.zip(nights.1).map(|(a, b)| (a.day(), b.day())), Some((10, 13)), "{what}: the stored dates");
        // A repetition is unchanged.
        let again = source_fixture.report(&said, second + 3).await;
        assert!(matches!(again, IngestOutcome::Unchanged(_)), "{what}: {again:?}");
        source_fixture.check().await;
    }
}

async fn a_cancellation_of_an_unknown_reservation(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    let modified = |mut said: Value, day: u8| {
        said["modifiedAt"] = json!(format!("2027-01-{day:02}T10:00:00Z"));
        said
    };
    for (id, said) in [
        ("bare", json!({ "id": "bare", "status": "cancelled" })),
        ("odd", stay("odd", "t9", (10, 10), "cancelled")),
        ("whole", stay("whole", "t1", (10, 13), "cancelled")),
    ] {
        let kept = source_fixture.report(&modified(said, 9), 1).await;
        assert!(matches!(kept, IngestOutcome::BufferedOnly | IngestOutcome::Created(_)), "{id}: {kept:?}");
        assert!(source_fixture.stored(id).await.expect("stored").parked.is_none(), "{id} is no alarm");
        let older = source_fixture.report(&modified(stay(id, "t1", (10, 13), "confirmed"), 8), 2).await;
        assert!(matches!(older, IngestOutcome::Stale(_)), "{id}: {older:?}");
        assert_eq!(source_fixture.night("t1", 10).await, (0, 0, 0), "{id}");
    }
    // A newer confirmation is parked until an operator decides.
    let newer = source_fixture.report(&modified(stay("bare", "t1", (10, 13), "confirmed"), 10), 3).await;
    assert!(matches!(newer, IngestOutcome::Parked(_)), "{newer:?}");
    assert_eq!(source_fixture.night("t1", 10).await, (0, 1, 0));
    source_fixture.check().await;
}

async fn a_cancellation_of_a_parked_reservation(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    let mut several = stay("g", "t1", (10, 13), "confirmed");
    several["rooms"] = json!([{ "roomTypeId": "t1" }, { "roomTypeId": "t9" }]);
    source_fixture.report(&several, 1).await;
    assert_eq!(source_fixture.night("t1", 10).await, (0, 1, 0));
    let ended = source_fixture.report(&json!({ "id": "g", "status": "cancelled" }), 2).await;
    assert_eq!(ended, IngestOutcome::BufferedOnly);
    assert_eq!((source_fixture.night("t1", 10).await, source_fixture.status("g").await), ((0, 0, 0), None));
    assert!(source_fixture.stored("g").await.expect("stored").parked.is_none());
    source_fixture.check().await;
}

async fn a_stay_without_nights(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    // Shortened to zero nights on its arrival day: the guest has left, and the nights are free.
    let today = IngestContext { now: "2027-05-10T20:00:00Z".parse().expect("an instant"), ..source_fixture.context(2) };
    for (id, reported, left) in [("left", today, (0, 0, 0)), ("later", source_fixture.context(2), (1, 0, 0))] {
        source_fixture.report(&stay(id, "t1", (10, 13), "confirmed"), 1).await;
        let shortened = source_fixture.report_as(&reported, &stay(id, "t1", (10, 10), "confirmed")).await;
        assert!(matches!(shortened, IngestOutcome::Parked(_)), "{id}: {shortened:?}");
        assert_eq!(source_fixture.night("t1", 11).await, left, "{id}");
        let stored = source_fixture.stored(id).await.expect("stored");
        assert_eq!(stored.record.check_out.map(|day| day.day()), Some(13), "{id}: the good word stays");
        assert!(stored.parked.is_some_and(|parked| parked.to_string().contains("no night")), "{id} is shown");
        let before = source_fixture.written(id).await;
        source_fixture
            .report_as(&IngestContext { observed_at: at(5), ..reported }, &stay(id, "t1", (10, 10), "confirmed"))
            .await;
        assert_eq!(source_fixture.written(id).await, before, "{id}: said again it is known");
        source_fixture.check().await;
    }
    // An operator confirms it.
    source_fixture.decide("later", gassync::inbound::decide::Choice::Cancel, 6).await.expect("decided");
    assert_eq!(source_fixture.night("t1", 11).await, (0, 0, 0));
    source_fixture.check().await;
}

async fn one_room_of_a_group(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    let group = |rooms: &[&str], status: &str| {
        let mut said = stay("g", "t2", (10, 13), status);
        said["rooms"] = rooms.iter().map(|room| json!({ "roomTypeId": room })).collect();
        said
    };
    source_fixture.report(&group(&["t1", "t2", "t2"], "confirmed"), 1).await;
    assert_eq!((source_fixture.night("t1", 10).await, source_fixture.night("t2", 10).await), ((1, 0, 0), (2, 0, 0)));
    source_fixture.report(&group(&["t1", "t2"], "confirmed"), 2).await;
    assert_eq!((source_fixture.night("t1", 10).await, source_fixture.night("t2", 10).await), ((1, 0, 0), (1, 0, 0)));
    source_fixture.check().await;
    source_fixture.report(&group(&["t1", "t2"], "cancelled"), 3).await;
    // Three reservations of the same guest are three bookings, each cancelled separately.
    let guest = json!({ "firstName": "Mira", "lastName": "Okafor", "email": "mira@example.org" });
    for id in ["a", "b", "c"] {
        let mut said = stay(id, if id == "a" { "t1" } else { "t2" }, (10, 13), "confirmed");
        (said["guest"], said["groupId"]) = (guest.clone(), json!("trip"));
        assert!(matches!(source_fixture.report(&said, 4).await, IngestOutcome::Created(_)));
    }
    assert_eq!((source_fixture.night("t1", 10).await, source_fixture.night("t2", 10).await), ((1, 0, 0), (2, 0, 0)));
    source_fixture.report(&json!({ "id": "b", "groupId": "trip", "status": "cancelled" }), 5).await;
    assert_eq!((source_fixture.night("t1", 10).await, source_fixture.night("t2", 10).await), ((1, 0, 0), (1, 0, 0)));
    source_fixture.check().await;
}

async fn a_cancellation_of_ours_in_push(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    let (account, source) = (source_fixture.account, source_fixture.source);
    let booked = source_fixture.report(&stay("r", "t1", (10, 13), "confirmed"), 1).await;
    let IngestOutcome::Created(core) = booked else { panic!("{booked:?}") };
    source_fixture.report(&stay("r", "t1", (10, 13), "cancelled"), 2).await;
    let invalidation = ReservationInvalidation {
        account_id: account.0,
        source_id: source.0,
        source_type: "api".to_owned(),
        booking_id: core.0,
        invalidated_at: at(2).into(),
    };
    let mut tx = source_fixture.db.write(account).await.expect("a transaction");
    bookings::invalidate(&mut tx, &[invalidation]).await.expect("invalidated");
    tx.commit().await.expect("committed");
    let mark = async |event: SyncEvent, second: i64| {
        let mut tx = source_fixture.db.write(account).await.expect("a transaction");
        let sync_state =
            bookings::get(&mut tx, SourceKey { account, source }, core).await.expect("read").expect("there");
        let mark = PushedReservation { sync_state: &sync_state, digest: "d", event, error: None };
        bookings::record_results(&mut tx, SourceKey { account, source }, &[mark], at(second)).await.expect("marked");
        tx.commit().await.expect("committed");
    };
    let shown = async |second: i64| source_fixture.report(&stay("r", "t1", (10, 13), "confirmed"), second).await;
    assert_eq!(shown(3).await, IngestOutcome::Unchanged(Some(core)), "it is to be told");
    mark(SyncEvent::Acknowledged { is_stored: false, is_trusted: false }, 4).await;
    assert_eq!(shown(5).await, IngestOutcome::Unchanged(Some(core)), "it was told, and is to be read back");
    mark(SyncEvent::Acknowledged { is_stored: true, is_trusted: true }, 8).await;
    assert_eq!(shown(7).await, IngestOutcome::Unchanged(Some(core)), "observed before the channel had it");
    assert_eq!(
        (source_fixture.night("t1", 10).await, source_fixture.status("r").await.as_deref()),
        ((0, 0, 0), Some("cancelled"))
    );
    assert!(source_fixture.stored("r").await.expect("stored").parked.is_none());
    assert!(matches!(shown(9).await, IngestOutcome::Parked(_)), "the channel knew, and says otherwise");
    assert_eq!(source_fixture.night("t1", 10).await, (0, 1, 0));
    source_fixture.check().await;
}

async fn a_cancellation_repeated_over_the_api(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    for (entity, record) in records() {
        assert_eq!(host.post(&key, entity, &record).await.0, 201);
    }
    let mut cancelled = reservation("r1");
    (cancelled["status"], cancelled["checkOut"]) = (json!("canceled"), cancelled["checkIn"].clone());
    let mut words = Vec::new();
    for _ in 0..3 {
        let (status, answer) = host.post(&key, "reservations", &cancelled).await;
        assert_eq!(status, 200, "{answer}");
        words.push(answer["status"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(words, ["updated", "unchanged", "unchanged"]);
    let (_, record) = host.get(&key, "reservations/r1").await;
    assert_eq!((&record["status"], &record["parked"]), (&json!("cancelled"), &Value::Null));
    assert_eq!(host.figure("bookings_cancelled").await, 1);
    host.stop().await;
}
