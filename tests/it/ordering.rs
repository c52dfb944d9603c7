//! The messages of a booking have the same result in any order, by webhook or by fetch.

use std::sync::Arc;

use gassync::{
    inbound::apply::{self, IngestContext, IngestOutcome},
    store::{
        self, Db, accounts,
        core::bookings::BookingFacts,
        outbound::{bookings, external_ids, invalidations::ReservationInvalidation},
        sources,
    },
};
use gassync_domain::{
    AccountId, Change, ChangeKind, Entity, HttpRequest, HttpResponse, Query, Selection, SourceId, SourceKey, Status,
    SyncEvent, Timestamp,
};
use gassync_runtime::{Adapter, Budget, Call, Grant, PlaceholderCredentials, ReplayTransport};
use gassync_tests::{
    database::Database,
    on_both,
    plugins::{component, engine},
};
use serde_json::{Value, json};

on_both!(
    six_messages_in_every_order,
    a_cancelled_booking_is_never_revived,
    a_reinstated_booking_of_ours_is_confirmed,
    a_block_and_a_booking_of_one_id_in_every_order,
    a_block_takes_what_it_says,
    parked_records_are_retried_automatically
);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("an instant")
}

/// A booking as sent by Beds24 at some stage.
fn booking(id: u64, status: &str, adults: u32, departure: &str, price: f64, modified: &str) -> Value {
    json!({
        "id": id, "masterId": null, "propertyId": 1, "roomId": 11, "unitId": 1, "roomQty": 1, "status": status,
        "subStatus": "none", "arrival": "2027-05-10", "departure": departure, "numAdult": adults, "numChild": 0,
        "firstName": "Mirela", "lastName": "Popescu", "email": "mirela@example.org", "phone": "", "mobile": "",
        "price": price, "channel": "booking", "apiReference": "77", "bookingTime": "2027-01-01T10:00:00Z",
        "modifiedTime": modified, "cancelTime": null
    })
}

/// Created, changed, changed, cancelled; then the second change again, and the first change late.
fn life(id: u64) -> [Value; 6] {
    let created = booking(id, "new", 2, "2027-05-12", 200.0, "2027-01-01T10:00:00Z");
    let longer = booking(id, "new", 2, "2027-05-14", 400.0, "2027-01-02T10:00:00Z");
    let fuller = booking(id, "confirmed", 3, "2027-05-14", 450.0, "2027-01-03T10:00:00Z");
    let cancelled = booking(id, "cancelled", 3, "2027-05-14", 450.0, "2027-01-04T10:00:00Z");
    [created, longer.clone(), fuller.clone(), cancelled, fuller, longer]
}

struct Stage {
    db: Db,
    plugin: Arc<dyn Adapter>,
    account: AccountId,
    source: SourceId,
    _database: Database,
}

impl Stage {
    fn key(&self) -> SourceKey {
        SourceKey { account: self.account, source: self.source }
    }

    async fn set(database: Database) -> Self {
        let plugin = engine(4).load(component("beds24")).await.expect("a plugin");
        let db = Db::open(&database.url).await.expect("a database");
        db.migrate().await.expect("a schema");
        let mut tx = db.platform_write().await.expect("a transaction");
        let account = accounts::create(&mut tx, "one", "UTC", at(0)).await.expect("an account");
        let config = json!({});
        let new = sources::NewSourceRecord {
            connection: None,
            source_type: "beds24",
            name: "b",
            config: &config,
            creates: true,
        };
        let source = sources::create(&mut tx, account, &new, at(0)).await.expect("a source");
        tx.commit().await.expect("committed");
        Self { db, plugin, account, source, _database: database }
    }

    fn call(&self, answers: Vec<HttpResponse>) -> Call {
        let manifest = self.plugin.manifest();
        Call {
            grant: Grant::as_requested(manifest.host_patterns(
                &manifest.hosts,
                &manifest.with_defaults(&json!({})),
                |_, _| None,
            )),
            settings: manifest.with_defaults(&json!({})),
            credentials: Arc::new(PlaceholderCredentials),
            transport: Arc::new(ReplayTransport::new(answers)),
            clock: Arc::new(|| at(0)),
            budget: Budget::fetch(),
            ..Call::isolated("test")
        }
    }

    /// Decodes a booking received by webhook.
    async fn reported(&self, booking: &Value) -> Vec<Change> {
        let body = json!({ "timeStamp": "2027-01-01T00:00:00Z", "booking": booking, "retries": 0 });
        let body = Some(body.to_string().into_bytes());
        let request = HttpRequest { method: "POST".into(), url: "/".into(), headers: Vec::new(), body };
        self.plugin.decode(self.call(Vec::new()), request).await.result.expect("decoded").changes
    }

    /// Decodes a record received by fetch.
    async fn found(&self, entity: Entity, record: &Value) -> Vec<Change> {
        let body = json!({ "success": true, "pages": { "nextPageExists": false }, "data": [record] });
        let answer = HttpResponse { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() };
        let query = Query::new(entity, Selection::Everything);
        self.plugin.fetch(self.call(vec![answer]), query).await.result.expect("fetched").changes
    }

    async fn house(&self) -> Vec<Change> {
        let house = json!({ "id": 1, "name": "Pensiunea Lunca", "currency": "RON",
            "roomTypes": [{ "id": 11, "propertyId": 1, "name": "Dubla", "qty": 2, "maxPeople": 3 }] });
        self.found(Entity::Property, &house).await
    }

    async fn apply(&self, tx: &mut store::Tx, changes: Vec<Change>, second: i64) -> Vec<IngestOutcome> {
        let context = IngestContext {
            authority: gassync_domain::Authority::default(),
            account: self.account,
            source: self.source,
            creates: true,
            when_full: gassync::core::WhenFull::Keep,
            may_revive: false,
            strict: false,
            closes: true,
            counts: gassync_domain::UnitCount::default(),
            has_channel: false,
            observed_at: at(second),
            now: at(second),
        };
        apply::changes(tx, &context, changes).await.expect("applied")
    }

    async fn apply_alone(&self, changes: Vec<Change>, second: i64) -> Vec<IngestOutcome> {
        let mut tx = self.db.write_for(self.key()).await.expect("a transaction");
        let outcomes = self.apply(&mut tx, changes, second).await;
        tx.commit().await.expect("committed");
        outcomes
    }

    async fn bookings(&self) -> Vec<(String, BookingFacts)> {
        let mut tx = self.db.read(self.account).await.expect("a transaction");
        store::core::bookings::bookings_of_source(&mut tx, self.key()).await.expect("bookings")
    }
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(n - 1);
    shorter
        .iter()
        .flat_map(|order| {
            (0..=order.len()).map(move |place| {
                let mut longer = order.clone();
                longer.insert(place, n - 1);
                longer
            })
        })
        .collect()
}

/// The same changes of another booking.
fn renamed(changes: &[Change], id: &str) -> Vec<Change> {
    let mut changes = changes.to_vec();
    for change in &mut changes {
        if let ChangeKind::Reservation(reservation) = &mut change.data {
            reservation.id = id.to_owned();
        }
    }
    changes
}

async fn six_messages_in_every_order(database: Database) {
    let stage = Stage::set(database).await;
    stage.apply_alone(stage.house().await, 0).await;
    let mut messages = Vec::new();
    for (index, wire) in life(1).iter().enumerate() {
        // Every other one is fetched.
        let by_webhook = index % 2 == 0;
        messages.push(if by_webhook {
            stage.reported(wire).await
        } else {
            stage.found(Entity::Reservation, wire).await
        });
    }
    let orders = permutations(messages.len());
    assert_eq!(orders.len(), 720);
    for (number, order) in orders.iter().enumerate() {
        let mut tx = stage.db.write_for(stage.key()).await.expect("a transaction");
        for (second, message) in (1..).zip(order) {
            let changes = renamed(&messages[*message], &format!("b{number:03}"));
            stage.apply(&mut tx, changes, second).await;
        }
        tx.commit().await.expect("committed");
    }
    let bookings = stage.bookings().await;
    assert_eq!(bookings.len(), 720, "each once");
    let (_, first) = &bookings[0];
    assert_eq!((first.status.as_str(), first.adults, first.rooms), ("cancelled", Some(3), 1));
    assert_eq!(first.check_out.0.to_string(), "2027-05-14");
    for ((id, facts), order) in bookings.iter().zip(&orders) {
        let same = BookingFacts { id: first.id, ..facts.clone() };
        assert_eq!(&same, first, "{id}: {order:?}");
    }
    let mut tx = stage.db.read(stage.account).await.expect("a transaction");
    for number in [0, 359, 719] {
        let id = format!("b{number:03}");
        let stored = store::buffer::reservations::find(&mut tx, stage.key(), &id).await.expect("read");
        assert_eq!(stored.expect("there").record.status.as_str(), "cancelled");
    }
}

async fn a_cancelled_booking_is_never_revived(database: Database) {
    let stage = Stage::set(database).await;
    stage.apply_alone(stage.house().await, 0).await;
    let stand = async || stage.bookings().await[0].1.status.clone();
    let [created, _, fuller, cancelled, ..] = life(5);
    stage.apply_alone(stage.reported(&created).await, 1).await;
    stage.apply_alone(stage.reported(&cancelled).await, 2).await;
    assert!(matches!(stage.apply_alone(stage.reported(&fuller).await, 3).await[0], IngestOutcome::Stale(_)));
    // A change with the cancellation's timestamp is stale; a later one needs a decision.
    let mut same_second = fuller.clone();
    same_second["modifiedTime"] = cancelled["modifiedTime"].clone();
    assert!(matches!(stage.apply_alone(stage.reported(&same_second).await, 4).await[0], IngestOutcome::Stale(_)));
    let mut later = fuller;
    later["modifiedTime"] = json!("2027-01-09T10:00:00Z");
    assert!(matches!(stage.apply_alone(stage.reported(&later).await, 5).await[0], IngestOutcome::Parked(_)));
    assert_eq!(stand().await, Status::Cancelled);
    let again = stage.apply_alone(stage.reported(&cancelled).await, 6).await;
    assert!(matches!(again[0], IngestOutcome::Stale(_)));
    assert_eq!(stand().await, Status::Cancelled);
}

async fn a_reinstated_booking_of_ours_is_confirmed(database: Database) {
    let stage = Stage::set(database).await;
    stage.apply_alone(stage.house().await, 0).await;
    let [.., confirmed, cancelled, _, _] = life(5);
    let made = stage.apply_alone(stage.reported(&confirmed).await, 1).await;
    let IngestOutcome::Created(core) = made[0] else { panic!("{made:?}") };
    // From here on the booking belongs to the core, and was pushed to this channel.
    let (account, source) = (stage.account, stage.source);
    let mut tx = stage.db.write(account).await.expect("a transaction");
    let kind = store::mappings::EntityKind::Reservation;
    store::mappings::unlink(&mut tx, SourceKey { account, source }, kind, "5").await.expect("unlinked");
    external_ids::assign(
        &mut tx,
        SourceKey { account, source },
        &[external_ids::ExternalIdAssignment { booking: core, external_id: "6", replaces: None }],
        at(2),
    )
    .await
    .expect("linked");
    let invalidation = ReservationInvalidation {
        account_id: account.0,
        source_id: source.0,
        source_type: "beds24".to_owned(),
        booking_id: core.0,
        invalidated_at: at(2).into(),
    };
    bookings::invalidate(&mut tx, &[invalidation]).await.expect("invalidated");
    tx.commit().await.expect("committed");
    let reported = async |second: i64| {
        let mut tx = stage.db.write(account).await.expect("a transaction");
        let stands = bookings::get(&mut tx, SourceKey { account, source }, core).await.expect("read").expect("there");
        let mark = bookings::PushedReservation {
            sync_state: &stands,
            digest: "digest",
            event: SyncEvent::Acknowledged { is_stored: false, is_trusted: false },
            error: None,
        };
        bookings::record_results(&mut tx, SourceKey { account, source }, &[mark], at(second)).await.expect("marked");
        tx.commit().await.expect("committed");
    };
    let state = async || {
        let mut tx = stage.db.read(account).await.expect("a transaction");
        bookings::get(&mut tx, SourceKey { account, source }, core).await.expect("read").expect("there").state.status
    };
    let shown = |wire: &Value| {
        let mut wire = wire.clone();
        wire["id"] = json!(6);
        wire["modifiedTime"] = cancelled["modifiedTime"].clone();
        wire
    };
    reported(3).await;
    let news = stage.apply_alone(stage.reported(&shown(&cancelled)).await, 4).await;
    assert_eq!(
        (&news[0], state().await.as_str()),
        (&IngestOutcome::Unchanged(Some(core)), "pending"),
        "somebody has cancelled it"
    );
    reported(5).await;
    let news = stage.apply_alone(stage.reported(&shown(&confirmed)).await, 6).await;
    // Within one second of the channel's clock it seems older than its cancellation.
    assert_eq!((&news[0], state().await.as_str()), (&IngestOutcome::Stale(Some(core)), "confirmed"));
}

impl Stage {
    /// Number of units of the room type sold and blocked on a night.
    async fn taken(&self, night: &str) -> (i64, i64) {
        let mut tx = self.db.read(self.account).await.expect("a transaction");
        let kind = store::mappings::EntityKind::RoomType;
        let unit = store::mappings::find(&mut tx, self.key(), kind, "11").await.expect("read");
        let night: gassync_domain::Date = night.parse().expect("a date");
        let stay = gassync_domain::Stay::new(night, night.tomorrow().expect("a day")).expect("a stay");
        let unit = unit.expect("linked").core;
        let nights = store::ledger::nights(&mut tx, self.account, unit, &[stay], at(0)).await.expect("read");
        nights.first().map_or((0, 0), |night| (night.sold, night.blocked))
    }
}

async fn a_block_and_a_booking_of_one_id_in_every_order(database: Database) {
    let stage = Stage::set(database).await;
    stage.apply_alone(stage.house().await, 0).await;
    let of = |id, status, modified: &str| booking(id, status, 2, "2027-05-12", 0.0, modified);
    let mut second = 1;
    // For consecutive changes the last one counts in every order of arrival: sold, blocked.
    let lives: [(&[&str], (i64, i64)); 5] = [
        (&["confirmed", "black"], (0, 1)),
        (&["black", "confirmed"], (1, 0)),
        (&["confirmed", "black", "cancelled"], (0, 0)),
        (&["black", "cancelled", "black"], (0, 1)),
        (&["confirmed", "black", "confirmed"], (1, 0)),
    ];
    let mut id = 100;
    let (mut sold, mut blocked) = (0, 0);
    for (life, end) in lives {
        for order in permutations(life.len()) {
            id += 1;
            for place in &order {
                let modified = format!("2027-01-0{}T10:00:00Z", place + 1);
                stage.apply_alone(stage.reported(&of(id, life[*place], &modified)).await, second).await;
                second += 1;
            }
            let now = stage.taken("2027-05-10").await;
            assert_eq!((now.0 - sold, now.1 - blocked), end, "{life:?} in the order {order:?}");
            // Frees the night for the next one.
            let gone = of(id, "cancelled", "2027-01-09T10:00:00Z");
            stage.apply_alone(stage.reported(&gone).await, second).await;
            second += 1;
            (sold, blocked) = stage.taken("2027-05-10").await;
            assert_eq!((sold, blocked), (0, 0), "{life:?} in the order {order:?}, taken back");
        }
    }
}

async fn a_block_takes_what_it_says(database: Database) {
    let stage = Stage::set(database).await;
    let mut block = booking(7, "black", 0, "2027-05-12", 0.0, "2027-01-01T10:00:00Z");
    // A booking that became a block before its room was known: its cancellation, seen again, must not remove the block.
    let booked = booking(7, "confirmed", 2, "2027-05-12", 100.0, "2026-12-31T10:00:00Z");
    stage.apply_alone(stage.reported(&booked).await, 1).await;
    let parked = stage.apply_alone(stage.reported(&block).await, 1).await;
    assert!(matches!(parked[0], IngestOutcome::Parked(_)), "{parked:?}");
    stage.apply_alone(stage.house().await, 2).await;
    let mut ended = stage.reported(&booking(7, "cancelled", 2, "2027-05-12", 100.0, "2027-01-01T10:00:00Z")).await;
    ended.truncate(1);
    stage.apply_alone(ended, 2).await;
    let reported = stage.apply_alone(stage.reported(&block).await, 3).await;
    assert!(matches!(reported[0], IngestOutcome::Created(_)), "{reported:?}");
    assert_eq!((stage.taken("2027-05-11").await, stage.taken("2027-05-12").await), ((0, 1), (0, 0)));
    let again = stage.apply_alone(stage.reported(&block).await, 4).await;
    assert!(matches!(again[0], IngestOutcome::Unchanged(Some(_))), "{again:?}");
    // An unknown status does not replace a block.
    let unknown = booking(7, "waitlisted", 2, "2027-05-12", 0.0, "2027-01-01T11:00:00Z");
    let unknown = stage.apply_alone(stage.reported(&unknown).await, 4).await;
    assert!(matches!(unknown[0], IngestOutcome::Parked(_)), "{unknown:?}");
    assert_eq!(stage.taken("2027-05-11").await, (0, 1));
    // Both rooms of the type, and one more night.
    block["roomQty"] = json!(2);
    block["departure"] = json!("2027-05-13");
    block["modifiedTime"] = json!("2027-01-02T10:00:00Z");
    let more = stage.apply_alone(stage.reported(&block).await, 5).await;
    assert!(matches!(more[0], IngestOutcome::Updated(_)), "{more:?}");
    assert_eq!((stage.taken("2027-05-10").await, stage.taken("2027-05-12").await), ((0, 2), (0, 2)));
    // The channel has sold it nevertheless: it is stored as overbooked.
    let sold = booking(8, "confirmed", 2, "2027-05-12", 100.0, "2027-01-03T10:00:00Z");
    let sold = stage.apply_alone(stage.reported(&sold).await, 6).await;
    assert!(matches!(sold[0], IngestOutcome::Overbooked { .. }), "{sold:?}");
    // The block is removed, so the booking has availability.
    block["status"] = json!("cancelled");
    block["modifiedTime"] = json!("2027-01-04T10:00:00Z");
    let lifted = stage.apply_alone(stage.reported(&block).await, 7).await;
    assert!(matches!(lifted[0], IngestOutcome::Updated(_)), "{lifted:?}");
    assert_eq!(stage.taken("2027-05-10").await, (1, 0));
    let state = stage.bookings().await.into_iter().filter(|(_, facts)| facts.status != Status::Cancelled);
    assert_eq!(state.map(|(id, _)| id).collect::<Vec<_>>(), ["8"], "the booking that became a block is over");
    // A block that the channel reports as removed ends.
    block["status"] = json!("black");
    block["modifiedTime"] = json!("2027-01-05T10:00:00Z");
    stage.apply_alone(stage.reported(&block).await, 8).await;
    assert_eq!(stage.taken("2027-05-10").await.1, 2);
    let what = gassync_domain::EntityRef { entity: Entity::Block, id: "7".to_owned() };
    let removed = Change::new(ChangeKind::Removed(what), None);
    stage.apply_alone(vec![removed], 9).await;
    assert_eq!(stage.taken("2027-05-10").await.1, 0);
}

async fn parked_records_are_retried_automatically(database: Database) {
    let stage = Stage::set(database).await;
    let [created, ..] = life(9);
    let parked = stage.apply_alone(stage.reported(&created).await, 1).await;
    let IngestOutcome::Parked(missing) = &parked[0] else { panic!("{parked:?}") };
    assert_eq!(missing.to_string(), "room type 11 is not mapped");
    assert!(stage.bookings().await.is_empty());
    let house = stage.apply_alone(stage.house().await, 2).await;
    assert!(house.iter().all(|outcome| matches!(outcome, IngestOutcome::Created(_))), "{house:?}");
    // The link enqueued a job, in its own transaction.
    let mut tx = stage.db.read(stage.account).await.expect("a transaction");
    let job = store::queue::latest(&mut tx, stage.key(), "retry-parked").await.expect("read");
    assert_eq!(job.map(|(state, _)| state), Some(store::queue::JobState::Waiting));
    drop(tx);
    let again = stage.apply_alone(stage.reported(&created).await, 3).await;
    assert!(matches!(again[0], IngestOutcome::Created(_)), "the same news is not unchanged while it waits: {again:?}");
    assert_eq!(stage.bookings().await.len(), 1);
}
