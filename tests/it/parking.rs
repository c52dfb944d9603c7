//! Parked reservations hold their nights until an operator decides, or until the last night is past.

use gassync::{
    admin::ParkedRecordResponse,
    core,
    inbound::{
        apply::{IngestContext, IngestOutcome},
        decide::{Choice, DecideError},
    },
    store::{
        buffer::parked_reservations,
        core::holds,
        parked::{self, ParkedAlarm, ParkedKind},
    },
};
use gassync_domain::{Authority, ChangeKind, Date, Owner};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, read, records, reservation},
    on_both,
    source_fixture::{SourceFixture, at, stay},
};
use serde_json::{Value, json};

on_both!(
    a_reconfirmation_holds_nights_without_a_booking,
    an_operator_keeps_the_booking,
    an_operator_cancels_or_ignores_the_change,
    an_unknown_status_is_parked_beside_the_applied_record,
    a_repeated_parked_record_writes_nothing,
    a_decision_is_not_requested_twice,
    a_resold_night_is_overbooked,
    records_that_hold_no_nights,
    a_hold_ends_with_its_last_night,
    some_rooms_are_linked,
    operators_list_and_decide_parked_records,
    every_kind_is_decided,
);

/// Booked, cancelled, and confirmed again.
async fn confirmed_again(source_fixture: &SourceFixture, id: &str) {
    let booked = source_fixture.report(&stay(id, "t1", (10, 13), "confirmed"), 1).await;
    assert!(matches!(booked, IngestOutcome::Created(_)), "{booked:?}");
    let cancelled = source_fixture.report(&stay(id, "t1", (10, 13), "cancelled"), 2).await;
    assert!(matches!(cancelled, IngestOutcome::Updated(_)), "{cancelled:?}");
    let again = source_fixture.report(&stay(id, "t1", (10, 13), "confirmed"), 3).await;
    assert!(matches!(again, IngestOutcome::Parked(_)), "{again:?}");
}

async fn a_reconfirmation_holds_nights_without_a_booking(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    source_fixture.report(&stay("r", "t1", (10, 13), "confirmed"), 1).await;
    source_fixture.report(&stay("r", "t1", (10, 13), "cancelled"), 2).await;
    assert_eq!(source_fixture.night("t1", 10).await, (0, 0, 0));
    let pushed_before = (source_fixture.facts("booking").await, source_fixture.facts("availability").await);
    source_fixture.report(&stay("r", "t1", (10, 13), "confirmed"), 3).await;
    assert_eq!((source_fixture.night("t1", 10).await, source_fixture.night("t1", 12).await), ((0, 1, 0), (0, 1, 0)));
    assert_eq!(source_fixture.status("r").await.as_deref(), Some("cancelled"));
    assert_eq!(source_fixture.facts("booking").await, pushed_before.0, "nobody is told of a booking");
    let stored = source_fixture.stored("r").await.expect("stored");
    assert_eq!(stored.record.status.as_str(), "cancelled", "the good word stays");
    assert!(stored.parked.is_some());
    source_fixture.check().await;
    // A request finds the nights taken; a fact is stored as overbooked.
    let asks = IngestContext { when_full: core::WhenFull::Refuse, ..source_fixture.context(4) };
    let asked = source_fixture.report_as(&asks, &stay("other", "t1", (12, 14), "confirmed")).await;
    assert!(matches!(asked, IngestOutcome::Refused(_)), "{asked:?}");
    assert_eq!(source_fixture.facts("overbooking").await, 0);
    let sold = source_fixture.report(&stay("other", "t1", (12, 14), "confirmed"), 5).await;
    assert!(matches!(sold, IngestOutcome::Overbooked { .. }), "{sold:?}");
    assert!(source_fixture.facts("overbooking").await > 0);
    source_fixture.check().await;
    // Changed again, it holds the new nights instead of the old ones.
    source_fixture.report(&stay("r", "t1", (9, 12), "confirmed"), 6).await;
    assert_eq!((source_fixture.night("t1", 9).await, source_fixture.night("t1", 12).await), ((0, 1, 0), (1, 0, 0)));
    source_fixture.check().await;
    // A newer cancellation ends it without a decision.
    let ended = source_fixture.report(&stay("r", "t1", (10, 13), "cancelled"), 7).await;
    assert!(matches!(ended, IngestOutcome::Updated(_)), "{ended:?}");
    assert_eq!(source_fixture.night("t1", 9).await, (0, 0, 0));
    assert!(source_fixture.stored("r").await.expect("stored").parked.is_none());
    source_fixture.check().await;
}

async fn an_operator_keeps_the_booking(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    confirmed_again(&source_fixture, "r").await;
    let stands = source_fixture.decide("r", Choice::Stand, 4).await.expect("decided");
    assert!(matches!(stands, IngestOutcome::Updated(_)), "{stands:?}");
    assert_eq!(
        (source_fixture.night("t1", 10).await, source_fixture.status("r").await.as_deref()),
        ((1, 0, 0), Some("confirmed"))
    );
    let stored = source_fixture.stored("r").await.expect("stored");
    assert!(stored.parked.is_none() && stored.record.status.as_str() == "confirmed");
    source_fixture.check().await;
    assert!(matches!(source_fixture.decide("r", Choice::Stand, 5).await, Err(DecideError::NotWaiting)));
    // An unknown status applied by decision counts as confirmed.
    source_fixture.report(&stay("w", "t2", (10, 13), "waitlisted"), 1).await;
    assert_eq!(source_fixture.night("t2", 10).await, (0, 1, 0));
    assert!(matches!(source_fixture.decide("w", Choice::Stand, 5).await, Ok(IngestOutcome::Created(_))));
    assert_eq!(
        (source_fixture.night("t2", 10).await, source_fixture.status("w").await.as_deref()),
        ((1, 0, 0), Some("confirmed"))
    );
    // A record without a linked room cannot be applied.
    source_fixture.report(&stay("n", "t9", (10, 13), "confirmed"), 1).await;
    let lacking = source_fixture.decide("n", Choice::Stand, 5).await;
    assert!(matches!(&lacking, Err(DecideError::Lacking(parked)) if parked.to_string().contains("t9")), "{lacking:?}");
    source_fixture.check().await;
}

async fn an_operator_cancels_or_ignores_the_change(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    confirmed_again(&source_fixture, "r").await;
    source_fixture.decide("r", Choice::Cancel, 4).await.expect("decided");
    assert_eq!(
        (source_fixture.night("t1", 10).await, source_fixture.status("r").await.as_deref()),
        ((0, 0, 0), Some("cancelled"))
    );
    assert!(source_fixture.stored("r").await.expect("stored").parked.is_none());
    source_fixture.check().await;
    // For an active booking, cancelling releases the nights, and ignoring the change leaves them.
    for (id, choice, left) in [("c", Choice::Cancel, 0), ("i", Choice::Ignore, 1)] {
        source_fixture.report(&stay(id, "t1", (20, 22), "confirmed"), 1).await;
        source_fixture.report(&stay(id, "t1", (20, 22), "waitlisted"), 2).await;
        assert_eq!(source_fixture.night("t1", 20).await, (1, 0, 0), "its booking has them already");
        source_fixture.decide(id, choice, 3).await.expect("decided");
        assert_eq!(source_fixture.night("t1", 20).await, (left, 0, 0), "{id}");
        assert!(source_fixture.stored(id).await.expect("stored").parked.is_none());
        source_fixture.check().await;
    }
    // A reservation that was never booked stays unbooked.
    source_fixture.report(&stay("n", "t2", (10, 13), "waitlisted"), 1).await;
    assert_eq!(source_fixture.night("t2", 10).await, (0, 1, 0));
    source_fixture.decide("n", Choice::Ignore, 2).await.expect("decided");
    assert_eq!((source_fixture.night("t2", 10).await, source_fixture.status("n").await), ((0, 0, 0), None));
    source_fixture.check().await;
}

async fn an_unknown_status_is_parked_beside_the_applied_record(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    let mut good = stay("r", "t1", (10, 13), "confirmed");
    good["notes"] = json!("late arrival");
    source_fixture.report(&good, 1).await;
    // Longer, with an unknown status: the nights that the booking does not have are held.
    let waits = source_fixture.report(&stay("r", "t1", (10, 15), "waitlisted"), 2).await;
    assert!(matches!(waits, IngestOutcome::Parked(_)), "{waits:?}");
    assert_eq!((source_fixture.night("t1", 12).await, source_fixture.night("t1", 14).await), ((1, 0, 0), (0, 1, 0)));
    let stored = source_fixture.stored("r").await.expect("stored");
    assert_eq!(stored.record.check_out.map(|day| day.to_string()).as_deref(), Some("2027-05-13"));
    assert_eq!(source_fixture.status("r").await.as_deref(), Some("confirmed"));
    source_fixture.check().await;
    // Order is judged by the newer of both.
    let older =
        source_fixture.report_as(&IngestContext { observed_at: at(1), ..source_fixture.context(3) }, &good).await;
    assert!(matches!(older, IngestOutcome::Stale(Some(_))), "{older:?}");
    // A partial record is completed from the applied one.
    let partial = json!({ "id": "r", "status": "confirmed", "completeness": "partial", "adults": 3 });
    let applied = source_fixture.report(&partial, 4).await;
    assert!(matches!(applied, IngestOutcome::Updated(_)), "{applied:?}");
    let stored = source_fixture.stored("r").await.expect("stored");
    assert_eq!((stored.record.notes.as_deref(), stored.parked), (Some("late arrival"), None));
    assert_eq!((source_fixture.night("t1", 12).await, source_fixture.night("t1", 14).await), ((1, 0, 0), (0, 0, 0)));
    source_fixture.check().await;
}

async fn a_repeated_parked_record_writes_nothing(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    confirmed_again(&source_fixture, "r").await;
    source_fixture.report(&stay("w", "t2", (10, 13), "waitlisted"), 3).await;
    source_fixture.report(&stay("n", "t9", (10, 13), "confirmed"), 3).await;
    for (id, room, status) in [("r", "t1", "confirmed"), ("w", "t2", "waitlisted"), ("n", "t9", "confirmed")] {
        let before = source_fixture.written(id).await;
        for second in 10..13 {
            let again = source_fixture.report(&stay(id, room, (10, 13), status), second).await;
            assert!(matches!(again, IngestOutcome::Parked(_)), "{again:?}");
        }
        assert_eq!(source_fixture.written(id).await, before);
    }
    source_fixture.check().await;
}

async fn a_decision_is_not_requested_twice(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    for (id, from, choice) in [("s", 1, Choice::Stand), ("c", 5, Choice::Cancel), ("i", 9, Choice::Ignore)] {
        let said = |status: &str| stay(id, "t1", (from, from + 2), status);
        source_fixture.report(&said("confirmed"), 1).await;
        source_fixture.report(&said("cancelled"), 2).await;
        assert!(matches!(source_fixture.report(&said("waitlisted"), 3).await, IngestOutcome::Parked(_)));
        source_fixture.decide(id, choice, 4).await.expect("decided");
        let before =
            (source_fixture.night("t1", i8::try_from(from).expect("small")).await, source_fixture.status(id).await);
        let again = source_fixture.report(&said("waitlisted"), 5).await;
        assert!(matches!(again, IngestOutcome::Unchanged(_)), "{id}: {again:?}");
        let after =
            (source_fixture.night("t1", i8::try_from(from).expect("small")).await, source_fixture.status(id).await);
        assert_eq!(after, before, "{id}");
        assert!(source_fixture.stored(id).await.expect("stored").parked.is_none());
        // A different record needs another decision.
        let mut other = said("waitlisted");
        other["adults"] = json!(4);
        assert!(matches!(source_fixture.report(&other, 6).await, IngestOutcome::Parked(_)), "{id}");
        source_fixture.check().await;
    }
}

async fn a_resold_night_is_overbooked(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    source_fixture.report(&stay("r", "t1", (10, 13), "confirmed"), 1).await;
    source_fixture.report(&stay("r", "t1", (10, 13), "cancelled"), 2).await;
    source_fixture.report(&stay("next", "t1", (12, 14), "confirmed"), 3).await;
    assert_eq!(source_fixture.facts("overbooking").await, 0);
    source_fixture.report(&stay("r", "t1", (10, 13), "confirmed"), 4).await;
    assert_eq!((source_fixture.night("t1", 11).await, source_fixture.night("t1", 12).await), ((0, 1, 0), (1, 0, 1)));
    assert!(source_fixture.facts("overbooking").await > 0);
    source_fixture.check().await;
    // The other booking is cancelled, so the hold has availability.
    source_fixture.report(&stay("next", "t1", (12, 14), "cancelled"), 5).await;
    assert_eq!(source_fixture.night("t1", 12).await, (0, 1, 0));
    source_fixture.check().await;
}

async fn records_that_hold_no_nights(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    // A stay over the maximum length needs a decision.
    let mut lifetime = stay("lifetime", "t1", (10, 13), "confirmed");
    lifetime["checkIn"] = json!("2000-01-01");
    assert!(matches!(source_fixture.report(&lifetime, 1).await, IngestOutcome::Parked(_)));
    assert_eq!(source_fixture.night("t1", 10).await, (0, 0, 0));
    // An inquiry, a past stay, and a reservation of an unlinked room.
    source_fixture.report(&stay("q", "t9", (10, 13), "inquiry"), 1).await;
    let mut past = stay("p", "t2", (10, 13), "waitlisted");
    (past["checkIn"], past["checkOut"]) = (json!("2027-01-10"), json!("2027-01-14"));
    assert!(matches!(source_fixture.report(&past, 1).await, IngestOutcome::Parked(_)));
    source_fixture.report(&stay("n", "t9", (10, 13), "confirmed"), 1).await;
    // A source without authority over bookings, and a request.
    let authority = Authority { bookings: Some(Owner::None), ..Authority::default() };
    let quiet = IngestContext { authority, ..source_fixture.context(1) };
    assert!(matches!(
        source_fixture.report_as(&quiet, &stay("a", "t2", (10, 13), "confirmed")).await,
        IngestOutcome::Parked(_)
    ));
    let mut asks = stay("asks", "t2", (10, 13), "waitlisted");
    asks["intent"] = json!("request");
    assert!(matches!(source_fixture.report(&asks, 1).await, IngestOutcome::Parked(_)));
    assert_eq!((source_fixture.night("t1", 10).await, source_fixture.night("t2", 10).await), ((0, 0, 0), (0, 0, 0)));
    let mut tx = source_fixture.db.platform_read().await.expect("a transaction");
    let waiting = parked::waiting(&mut tx, Date::new(2027, 1, 15).expect("a day")).await.expect("read");
    let mut ids: Vec<&str> = waiting.iter().map(|alarm| alarm.external_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a", "asks", "lifetime", "n", "q"], "what is past is no alarm");
    assert!(waiting.iter().all(|alarm| !alarm.held));
    drop(tx);
    source_fixture.check().await;
}

async fn a_hold_ends_with_its_last_night(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    source_fixture.report(&stay("w", "t1", (10, 13), "waitlisted"), 1).await;
    let instant = |text: &str| text.parse().expect("an instant");
    let ended = async |now: &str| {
        let mut tx = source_fixture.db.platform_read().await.expect("a transaction");
        holds::ended(&mut tx, 100, instant(now)).await.expect("read")
    };
    assert_eq!(ended("2027-05-12T22:30:00Z").await, [], "in Lisbon it is the evening before");
    let over = ended("2027-05-12T23:30:00Z").await;
    assert_eq!(over.len(), 1, "in Lisbon the day of departure has begun");
    let ids: Vec<_> = over.iter().map(|(_, hold)| *hold).collect();
    let mut tx = source_fixture.db.write(source_fixture.account).await.expect("a transaction");
    tx.lock_ledger(source_fixture.account, true).await.expect("locked");
    core::drop_holds(&mut tx, source_fixture.account, &ids, instant("2027-05-13T00:00:00Z")).await.expect("dropped");
    parked_reservations::forget_holds(&mut tx, source_fixture.account, &ids).await.expect("forgotten");
    tx.commit().await.expect("committed");
    assert_eq!(source_fixture.night("t1", 12).await, (0, 0, 0));
    source_fixture.check().await;
    // Received again, it is past.
    let later = IngestContext { now: instant("2027-05-14T00:00:00Z"), observed_at: at(9), ..source_fixture.context(9) };
    let again = source_fixture.report_as(&later, &stay("w", "t1", (10, 13), "waitlisted")).await;
    assert!(matches!(again, IngestOutcome::Parked(_)), "{again:?}");
    assert_eq!(source_fixture.night("t1", 12).await, (0, 0, 0));
}

async fn some_rooms_are_linked(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    let mut several = stay("g", "t1", (10, 13), "confirmed");
    several["rooms"] = json!([{ "roomTypeId": "t1" }, { "roomTypeId": "t9" }, { "roomTypeId": "t2" }]);
    assert!(matches!(source_fixture.report(&several, 1).await, IngestOutcome::Parked(_)));
    assert_eq!((source_fixture.night("t1", 10).await, source_fixture.night("t2", 10).await), ((0, 1, 0), (0, 1, 0)));
    let mut tx = source_fixture.db.platform_read().await.expect("a transaction");
    let waiting = parked::waiting(&mut tx, Date::new(2027, 1, 15).expect("a day")).await.expect("read");
    let [ParkedAlarm { source_name, kind, property, room, first_night, last_night, held, .. }] = waiting.as_slice()
    else {
        panic!("{waiting:?}")
    };
    assert_eq!((source_name.as_str(), *kind, *held), ("one", ParkedKind::Reservation, true));
    assert_eq!((property.as_deref(), room.as_deref()), (Some("Casa"), Some("Room t1")));
    let days = [first_night, last_night].map(|day| day.map(|day| day.to_string()).unwrap_or_default());
    assert_eq!(days, ["2027-05-10", "2027-05-12"]);
    drop(tx);
    source_fixture.check().await;
    source_fixture.room("t9", 1).await;
    let booked = source_fixture.report(&several, 2).await;
    assert!(matches!(booked, IngestOutcome::Created(_)), "{booked:?}");
    assert_eq!((source_fixture.night("t1", 10).await, source_fixture.night("t9", 10).await), ((1, 0, 0), (1, 0, 0)));
    source_fixture.check().await;
}

async fn operators_list_and_decide_parked_records(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    for (entity, record) in records() {
        assert_eq!(host.post(&key, entity, &record).await.0, 201);
    }
    let with_status = |id: &str, status: &str| {
        let mut record = reservation(id);
        record["status"] = json!(status);
        record
    };
    host.post(&key, "reservations", &with_status("r1", "canceled")).await;
    assert_eq!(host.post(&key, "reservations", &with_status("r1", "confirmed")).await.0, 202);
    let waiting = async || -> Vec<ParkedRecordResponse> {
        serde_json::from_value(host.look("sources/partner/parked").await).expect("what waits")
    };
    let shown = waiting().await;
    assert_eq!((shown.len(), shown[0].id.as_str(), shown[0].held), (1, "r1", true));
    assert_eq!(shown[0].rooms, ["t1"]);
    assert!(shown[0].commands.iter().any(|c| c.starts_with("gassync map decide partner reservation r1 stand")));
    let (_, record) = host.get(&key, "reservations/r1").await;
    assert!(record["parked"].is_array() && record["status"] == "cancelled", "{record}");
    // By an operator, with a dry run first.
    let decision = |decision: &str, more: Value| {
        let mut body = json!({ "kind": "reservation", "id": "r1", "decision": decision, "by": "Ines", "why": "paid" });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let decide = async |body: &Value| read(host.operate("sources/partner/parked/decide", body).await).await;
    let (status, plan) = decide(&decision("stand", json!({ "dryRun": true }))).await;
    assert_eq!((status, &plan["status"]), (200, &json!("updated")), "{plan}");
    assert_eq!(waiting().await.len(), 1, "nothing was done");
    assert_eq!(decide(&decision("stand", json!({ "plan": "another" }))).await.0, 409);
    assert_eq!(decide(&decision("revive", json!({}))).await.0, 422);
    assert_eq!(decide(&decision("stand", json!({ "plan": plan["plan"] }))).await.0, 200);
    assert_eq!(waiting().await.len(), 0);
    assert_eq!(decide(&decision("stand", json!({}))).await.0, 404);
    assert_eq!(host.get(&key, "reservations/r1").await.1["status"], "confirmed");
    let log = host.get(&key, "sync-log").await.1;
    let reported = log["data"].as_array().expect("lines").iter().any(|line| line["action"] == "decide");
    assert!(reported, "{log}");
    // By the partner, with its key.
    assert_eq!(host.post(&key, "reservations", &with_status("r1", "waitlisted")).await.0, 202);
    let why = json!({ "decision": "cancel", "why": "the guest is not coming" });
    let (status, taken) = host.post(&key, "reservations/r1/decision", &why).await;
    assert_eq!((status, &taken["status"]), (200, &json!("updated")), "{taken}");
    assert_eq!(host.get(&key, "reservations/r1").await.1["status"], "cancelled");
    assert_eq!(host.post(&key, "reservations/r1/decision", &why).await.0, 404);
    let empty = json!({ "decision": "cancel", "why": " " });
    assert_eq!(host.post(&key, "reservations/r1/decision", &empty).await.0, 422);
    // A parked record cannot be withdrawn.
    assert_eq!(host.post(&key, "reservations", &with_status("r9", "waitlisted")).await.0, 202);
    let address = format!("{}/integration/v1/reservations/r9", host.base);
    let gone = host.http.delete(address).bearer_auth(&key).send().await.expect("an answer");
    assert_eq!(gone.status().as_u16(), 409);
    // A parked record can be linked with an existing booking, unless that is linked already.
    let links = host.look("sources/partner/links").await;
    let booking = links.as_array().expect("links").iter().find(|link| link["id"] == "r1").expect("r1")["gasId"].clone();
    let linked = json!({ "kind": "reservation", "id": "r9", "gasId": booking, "by": "Ines" });
    assert_eq!(read(host.operate("sources/partner/links", &linked).await).await.0, 409);
    host.stop().await;
}

async fn every_kind_is_decided(database: Database) {
    let source_fixture = SourceFixture::new(database).await;
    let quiet = IngestContext { creates: false, ..source_fixture.context(1) };
    let record = |value: Value| serde_json::to_string(&value).expect("json");
    let data = || {
        let house = record(json!({ "id": "h2", "name": "Annexe" }));
        let room = record(json!({ "id": "t8", "propertyId": "h2", "name": "Loft" }));
        let plan = record(json!({ "id": "flex", "propertyId": "p", "name": "Flexible" }));
        let block =
            json!({ "id": "b", "roomTypeIds": ["t9", "t2"], "checkIn": "2027-05-20", "checkOut": "2027-05-22" });
        vec![
            ChangeKind::Property(serde_json::from_str(&house).expect("a property")),
            ChangeKind::RoomType(serde_json::from_str(&room).expect("a room type")),
            ChangeKind::RatePlan(serde_json::from_str(&plan).expect("a rate plan")),
            ChangeKind::Block(serde_json::from_value(block).expect("a block")),
        ]
    };
    let reported = source_fixture.apply_as(&quiet, data()).await;
    assert!(reported.iter().all(|outcome| matches!(outcome, IngestOutcome::Parked(_))), "{reported:?}");
    let waiting = async || {
        let mut tx = source_fixture.db.platform_read().await.expect("a transaction");
        let all = parked::waiting(&mut tx, Date::new(2027, 1, 15).expect("a day")).await.expect("read");
        all.into_iter().map(|alarm| (alarm.kind, alarm.since, alarm.held)).collect::<Vec<_>>()
    };
    let first = waiting().await;
    let mut kinds: Vec<ParkedKind> = first.iter().map(|(kind, ..)| *kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [ParkedKind::Property, ParkedKind::RoomType, ParkedKind::RatePlan, ParkedKind::Block]);
    assert!(
        first.iter().all(|(kind, _, held)| *held == (*kind == ParkedKind::Block)),
        "what is linked of a block is taken"
    );
    // Received again, they keep their parking time.
    source_fixture.apply_as(&IngestContext { creates: false, ..source_fixture.context(60) }, data()).await;
    assert_eq!(waiting().await, first);
    let house = (ParkedKind::Property, "h2");
    let room = (ParkedKind::RoomType, "t8");
    let rate = (ParkedKind::RatePlan, "flex");
    let block = (ParkedKind::Block, "b");
    assert!(matches!(source_fixture.decide_of(room, Choice::Stand, 61).await, Err(DecideError::Lacking(_))));
    assert!(matches!(source_fixture.decide_of(house, Choice::Stand, 61).await, Ok(IngestOutcome::Created(_))));
    assert!(matches!(source_fixture.decide_of(room, Choice::Stand, 62).await, Ok(IngestOutcome::Created(_))));
    assert!(matches!(source_fixture.decide_of(rate, Choice::Cancel, 62).await, Err(DecideError::NoCancelling)));
    assert!(source_fixture.decide_of(rate, Choice::Ignore, 62).await.is_ok());
    assert!(matches!(source_fixture.decide_of(block, Choice::Stand, 62).await, Err(DecideError::Lacking(_))));
    assert!(source_fixture.decide_of(block, Choice::Cancel, 63).await.is_ok());
    assert_eq!(waiting().await, []);
    // An ignored record is not parked again.
    let ignored =
        source_fixture.apply_as(&IngestContext { creates: false, ..source_fixture.context(70) }, data()).await;
    assert!(matches!(ignored[2], IngestOutcome::Unchanged(None)), "{ignored:?}");
    // A block left unchanged keeps its nights.
    assert!(matches!(ignored[3], IngestOutcome::Parked(_)), "what was cancelled is told anew: {ignored:?}");
    assert!(source_fixture.decide_of(block, Choice::Ignore, 71).await.is_ok());
    assert_eq!(waiting().await, []);
    source_fixture.check().await;
}
