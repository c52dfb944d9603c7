//! The nightly ledger always equals the bookings, and no night is sold twice.

use std::sync::Arc;

use gassync::{
    core::{self, BookingBatch, BookingRequest, BookingResult, SoldOut, WhenFull},
    store::{
        Db, Tx, accounts,
        core::{bookings, maintenance::MaintenanceKind},
        ledger::{self, Span},
        outbox,
    },
};
use gassync_domain::{AccountId, CoreId, Date, Property, Reservation, RoomType, Stay, Timestamp};
use gassync_tests::{database::Database, on_both};
use serde_json::json;
use tokio::task::JoinSet;

on_both!(
    facts_overbook_and_requests_are_refused,
    a_date_change_is_atomic,
    a_hold_ends,
    a_property_and_its_rooms_share_availability,
    reducing_capacity_overbooks,
    maintenance_takes_nights_off_sale,
    random_operations_keep_the_ledger_consistent,
    concurrent_buyers_never_oversell,
);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("an instant")
}

fn day(day: i8) -> Date {
    Date::new(2027, 5, day).expect("a day")
}

fn nights(from: i8, to: i8) -> Stay {
    Stay::new(day(from), day(to)).expect("a stay")
}

/// An account with one property.
struct House {
    db: Db,
    url: String,
    account: AccountId,
    property: CoreId,
    _database: Database,
}

impl House {
    async fn new(database: Database) -> Self {
        let db = Db::open(&database.url).await.expect("a database");
        db.migrate().await.expect("a schema");
        let mut tx = db.platform_write().await.expect("a transaction");
        let account = accounts::create(&mut tx, "one", "UTC", at(0)).await.expect("an account");
        let property: Property =
            serde_json::from_value(json!({ "id": "p", "name": "Casa", "currency": "EUR" })).expect("p");
        let property = core::put_property(&mut tx, account, None, &property, at(0)).await.expect("made");
        tx.commit().await.expect("committed");
        Self { db, url: database.url.clone(), account, property, _database: database }
    }

    async fn write(&self) -> Tx {
        self.db.write(self.account).await.expect("a transaction")
    }

    async fn unit(&self, known: Option<CoreId>, quantity: u32) -> CoreId {
        let room_type = json!({ "id": "t", "propertyId": "p", "name": "Doppelzimmer", "quantity": quantity });
        let room_type: RoomType = serde_json::from_value(room_type).expect("a room type");
        let mut tx = self.write().await;
        let id = core::put_unit(&mut tx, self.account, known, self.property, &room_type, at(0)).await.expect("made");
        tx.commit().await.expect("committed");
        id
    }

    async fn book(&self, known: Option<CoreId>, sale: &Sale, when_full: WhenFull, second: i64) -> BookingResult {
        let mut tx = self.write().await;
        let placed = put(&mut tx, self.account, known, sale, when_full, second).await;
        tx.commit().await.expect("committed");
        placed
    }

    async fn sell(&self, sale: &Sale) -> CoreId {
        booked(self.book(None, sale, WhenFull::Keep, 0).await)
    }

    /// Sold, held, blocked and overbooked units of a night.
    async fn night(&self, unit: CoreId, night: i8, second: i64) -> (i64, i64, i64, i64) {
        let mut tx = self.db.read(self.account).await.expect("a transaction");
        let stays = [nights(night, night + 1)];
        let found = ledger::nights(&mut tx, self.account, unit, &stays, at(second)).await.expect("read");
        found.first().map_or((0, 0, 0, 0), |n| (n.sold, n.held, n.blocked, n.overbooked))
    }

    async fn check(&self, second: i64) {
        let mut tx = self.db.read(self.account).await.expect("a transaction");
        let found = ledger::differences(&mut tx, self.account, at(second)).await.expect("counted");
        assert!(found.is_empty(), "{found:?}");
    }
}

/// A booking of one or more units for the same nights.
#[derive(Clone)]
struct Sale {
    units: Vec<CoreId>,
    stay: Stay,
    status: &'static str,
    hold_until: Option<Timestamp>,
}

impl Sale {
    fn new(unit: CoreId, from: i8, to: i8) -> Self {
        Self { units: vec![unit], stay: nights(from, to), status: "confirmed", hold_until: None }
    }

    fn with_status(&self, status: &'static str) -> Self {
        Self { status, ..self.clone() }
    }
}

async fn put(
    tx: &mut Tx,
    account: AccountId,
    known: Option<CoreId>,
    sale: &Sale,
    when_full: WhenFull,
    second: i64,
) -> BookingResult {
    let rooms: Vec<_> = sale.units.iter().map(|unit| json!({ "roomTypeId": unit.0.to_string() })).collect();
    let reservation = json!({ "id": "r", "status": sale.status, "rooms": rooms, "checkIn": sale.stay.check_in(),
        "checkOut": sale.stay.check_out(), "holdUntil": sale.hold_until });
    let mut reservation: Reservation = serde_json::from_value(reservation).expect("a reservation");
    reservation.normalise();
    tx.lock_ledger(account, false).await.expect("locked");
    let known = match known {
        Some(id) => bookings::booking_states(tx, account, &[id]).await.expect("read").remove(&id).map(|now| (id, now)),
        None => None,
    };
    let bookable = BookingRequest { known, reservation: &reservation, units: &sale.units };
    let mut batch = BookingBatch::open(tx, account, &[bookable], at(second)).await.expect("open");
    batch.put(tx, &[(0, None)], when_full).await.expect("placed").remove(0)
}

fn booked(placed: BookingResult) -> CoreId {
    match placed {
        BookingResult::Booked { id, .. } => id,
        other => panic!("{other:?}"),
    }
}

async fn facts_overbook_and_requests_are_refused(database: Database) {
    let house = House::new(database).await;
    let unit = house.unit(None, 1).await;
    let first = house.sell(&Sale::new(unit, 10, 13)).await;
    let second = house.book(None, &Sale::new(unit, 12, 14), WhenFull::Keep, 1).await;
    assert!(matches!(&second, BookingResult::Booked { overbooked, .. } if overbooked == &[day(12)]), "{second:?}");
    let refused = house.book(None, &Sale::new(unit, 11, 15), WhenFull::Refuse, 2).await;
    assert_eq!(refused, BookingResult::Refused(SoldOut { unit, nights: vec![day(11), day(12), day(13)] }));
    assert_eq!(house.night(unit, 12, 3).await, (1, 0, 0, 1));
    assert_eq!(house.night(unit, 14, 3).await, (0, 0, 0, 0), "what was refused left nothing");
    house.check(3).await;

    let mut tx = house.db.read(house.account).await.expect("a transaction");
    let facts = outbox::all(&mut tx, house.account).await.expect("facts");
    let reported = |kind: &str| facts.iter().filter(|f| f.entity_type == kind).map(|f| f.span()).collect::<Vec<_>>();
    assert_eq!(reported("overbooking"), [Some((day(12), day(12)))]);
    // PostgreSQL reports the nights of each statement, SQLite one span that grows until the relay reads it.
    let reported_of =
        reported("availability").into_iter().flatten().any(|(first, last)| first == day(10) && last >= day(12));
    assert!(reported_of, "{facts:?}");
    assert_eq!(reported("booking").len(), 2, "a booking and its rooms are told of once: {facts:?}");
    drop(tx);

    house.book(Some(first), &Sale::new(unit, 10, 13).with_status("cancelled"), WhenFull::Keep, 4).await;
    assert_eq!(house.night(unit, 12, 4).await, (1, 0, 0, 0), "the other one has its place now");
    house.check(4).await;
}

async fn a_date_change_is_atomic(database: Database) {
    let house = House::new(database).await;
    let unit = house.unit(None, 1).await;
    let mine = house.sell(&Sale::new(unit, 10, 13)).await;
    house.sell(&Sale::new(unit, 15, 17)).await;
    let refused = house.book(Some(mine), &Sale::new(unit, 12, 16), WhenFull::Refuse, 1).await;
    assert_eq!(refused, BookingResult::Refused(SoldOut { unit, nights: vec![day(15)] }));
    let mut seen = Vec::new();
    for night in 10..17 {
        seen.push(house.night(unit, night, 1).await.0);
    }
    assert_eq!(seen, [1, 1, 1, 0, 0, 1, 1]);
    house.check(1).await;
    booked(house.book(Some(mine), &Sale::new(unit, 12, 15), WhenFull::Refuse, 2).await);
    let mut seen = Vec::new();
    for night in 10..17 {
        seen.push(house.night(unit, night, 2).await.0);
    }
    assert_eq!(seen, [0, 0, 1, 1, 1, 1, 1]);
    house.check(2).await;
}

async fn a_hold_ends(database: Database) {
    let house = House::new(database).await;
    let unit = house.unit(None, 1).await;
    let hold = Sale { status: "pending", hold_until: Some(at(100)), ..Sale::new(unit, 10, 14) };
    let held = house.sell(&hold).await;
    assert_eq!(house.night(unit, 11, 0).await, (0, 1, 0, 0));
    let other = Sale::new(unit, 11, 12);
    assert!(matches!(house.book(None, &other, WhenFull::Refuse, 99).await, BookingResult::Refused(_)));
    assert_eq!(house.night(unit, 11, 100).await, (0, 0, 0, 0), "it is over, whether or not somebody cleared up");
    booked(house.book(None, &other, WhenFull::Refuse, 100).await);
    assert_eq!(house.night(unit, 11, 101).await, (1, 0, 0, 0));
    house.check(101).await;

    let mut tx = house.write().await;
    tx.lock_ledger(house.account, true).await.expect("locked");
    assert_eq!(core::release_expired(&mut tx, house.account, at(101)).await.expect("released"), 1);
    assert_eq!(core::release_expired(&mut tx, house.account, at(101)).await.expect("released"), 0);
    tx.commit().await.expect("committed");
    house.check(101).await;
    // A late confirmation is a fact, and is stored.
    let late = house.book(Some(held), &hold.with_status("confirmed"), WhenFull::Keep, 102).await;
    assert!(matches!(late, BookingResult::Booked { overbooked, .. } if overbooked == [day(11)]));
    house.check(102).await;
}

async fn a_property_and_its_rooms_share_availability(database: Database) {
    let house = House::new(database).await;
    let (whole, one, other) = (house.unit(None, 1).await, house.unit(None, 1).await, house.unit(None, 1).await);
    house.sell(&Sale::new(one, 10, 12)).await;
    let mut tx = house.write().await;
    for part in [one, other] {
        core::link_units(&mut tx, house.account, (whole, part), 1, at(0)).await.expect("linked");
    }
    tx.commit().await.expect("committed");
    house.check(0).await;
    let refused = house.book(None, &Sale::new(whole, 9, 12), WhenFull::Refuse, 1).await;
    assert_eq!(refused, BookingResult::Refused(SoldOut { unit: whole, nights: vec![day(10), day(11)] }));
    let sold = booked(house.book(None, &Sale::new(whole, 12, 14), WhenFull::Refuse, 1).await);
    for part in [one, other] {
        assert!(matches!(
            house.book(None, &Sale::new(part, 13, 15), WhenFull::Refuse, 2).await,
            BookingResult::Refused(_)
        ));
    }
    // Selling one of two rooms leaves the other for sale, but not the whole property.
    booked(house.book(None, &Sale::new(other, 10, 11), WhenFull::Refuse, 2).await);
    house.check(2).await;
    // A channel sold a room of the sold property: overbooked until the property becomes free.
    house.book(None, &Sale::new(one, 13, 14), WhenFull::Keep, 3).await;
    assert_eq!(house.night(one, 13, 3).await, (0, 0, 1, 1));
    house.check(3).await;
    house.book(Some(sold), &Sale::new(whole, 12, 14).with_status("cancelled"), WhenFull::Keep, 4).await;
    assert_eq!(house.night(one, 13, 4).await, (1, 0, 0, 0));
    // An expired hold on a room does not keep the property from being sold.
    let hold = Sale { status: "pending", hold_until: Some(at(100)), ..Sale::new(other, 20, 22) };
    house.sell(&hold).await;
    assert!(matches!(
        house.book(None, &Sale::new(whole, 20, 22), WhenFull::Refuse, 50).await,
        BookingResult::Refused(_)
    ));
    booked(house.book(None, &Sale::new(whole, 20, 22), WhenFull::Refuse, 150).await);
    house.check(150).await;
    let mut tx = house.write().await;
    core::link_units(&mut tx, house.account, (whole, one), 0, at(5)).await.expect("parted");
    tx.commit().await.expect("committed");
    house.check(150).await;
    assert_eq!(house.night(one, 20, 150).await, (0, 0, 0, 0));
}

async fn reducing_capacity_overbooks(database: Database) {
    let house = House::new(database).await;
    let unit = house.unit(None, 3).await;
    for _ in 0..3 {
        house.sell(&Sale::new(unit, 10, 12)).await;
    }
    house.unit(Some(unit), 1).await;
    assert_eq!(house.night(unit, 10, 1).await, (1, 0, 0, 2));
    house.check(1).await;
    house.unit(Some(unit), 2).await;
    assert_eq!(house.night(unit, 11, 1).await, (2, 0, 0, 1));
    house.check(1).await;
}

async fn maintenance_takes_nights_off_sale(database: Database) {
    let house = House::new(database).await;
    let unit = house.unit(None, 2).await;
    house.sell(&Sale::new(unit, 10, 12)).await;
    let mut tx = house.write().await;
    let painting = (MaintenanceKind::Maintenance, Some("painting"));
    let span = Span { unit, stay: nights(11, 14) };
    let id = core::block(&mut tx, house.account, (span, 1), painting, at(1)).await.expect("blocked");
    tx.commit().await.expect("committed");
    house.check(1).await;
    assert!(matches!(house.book(None, &Sale::new(unit, 11, 12), WhenFull::Refuse, 2).await, BookingResult::Refused(_)));
    house.book(None, &Sale::new(unit, 11, 12), WhenFull::Keep, 2).await;
    assert_eq!(house.night(unit, 11, 2).await, (1, 0, 1, 1));
    let mut tx = house.write().await;
    assert!(core::unblock(&mut tx, house.account, id, at(3)).await.expect("unblocked"));
    assert!(!core::unblock(&mut tx, house.account, id, at(3)).await.expect("read"), "it is gone");
    tx.commit().await.expect("committed");
    assert_eq!(house.night(unit, 11, 3).await, (2, 0, 0, 0));
    house.check(3).await;
}

/// A pseudo-random generator, the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % below).expect("small")
    }
}

async fn random_operations_keep_the_ledger_consistent(database: Database) {
    let house = House::new(database).await;
    let units = [house.unit(None, 1).await, house.unit(None, 2).await, house.unit(None, 3).await];
    let mut tx = house.write().await;
    core::link_units(&mut tx, house.account, (units[0], units[1]), 2, at(0)).await.expect("linked");
    tx.commit().await.expect("committed");
    let mut dice = Dice(7);
    let mut bookings = Vec::new();
    for round in 0..150_i64 {
        let from = i8::try_from(dice.roll(12)).expect("small") + 5;
        let to = from + 1 + i8::try_from(dice.roll(5)).expect("small");
        let status = ["confirmed", "confirmed", "pending", "cancelled", "inquiry"][dice.roll(5)];
        let hold_until = (status == "pending").then(|| at(round + 20));
        let mut sale = Sale { status, hold_until, ..Sale::new(units[dice.roll(3)], from, to) };
        if dice.roll(4) == 0 {
            sale.units.push(units[dice.roll(3)]);
        }
        let known = (dice.roll(2) == 0 && !bookings.is_empty()).then(|| bookings[dice.roll(bookings.len() as u64)]);
        let when_full = if dice.roll(2) == 0 { WhenFull::Keep } else { WhenFull::Refuse };
        if let BookingResult::Booked { id, .. } = house.book(known, &sale, when_full, round).await
            && known.is_none()
        {
            bookings.push(id);
        }
        if dice.roll(10) == 0 {
            let quantity = u32::try_from(dice.roll(4)).expect("small");
            house.unit(Some(units[2]), quantity).await;
        }
        house.check(round).await;
    }
    assert!(bookings.len() > 20);
}

/// Many buyers want the same few rooms at once, over two connection pools; some cancel.
async fn concurrent_buyers_never_oversell(database: Database) {
    const ROOMS: u32 = 3;
    const BUYERS: usize = 24;
    let house = Arc::new(House::new(database).await);
    let units = [house.unit(None, ROOMS).await, house.unit(None, ROOMS).await];
    let second = if house.url.starts_with("postgres") {
        Db::open(&house.url).await.expect("a second process's connections")
    } else {
        house.db.clone()
    };
    let mut crowd = JoinSet::new();
    for buyer in 0..BUYERS {
        let (house, db) = (Arc::clone(&house), if buyer % 2 == 0 { house.db.clone() } else { second.clone() });
        crowd.spawn(async move {
            // All want night 12 of both units; their other nights and the order of their rooms differ.
            let mut sale = Sale::new(units[buyer % 2], 10 + i8::try_from(buyer % 3).expect("small"), 13);
            sale.units.push(units[1 - buyer % 2]);
            let mut tx = db.write(house.account).await.expect("a transaction");
            let placed = put(&mut tx, house.account, None, &sale, WhenFull::Refuse, 0).await;
            tx.commit().await.expect("committed");
            let BookingResult::Booked { id, .. } = placed else { return 0 };
            if buyer % 4 == 0 {
                let mut tx = db.write(house.account).await.expect("a transaction");
                let gone = sale.with_status("cancelled");
                booked(put(&mut tx, house.account, Some(id), &gone, WhenFull::Keep, 1).await);
                tx.commit().await.expect("committed");
                return 0;
            }
            1
        });
    }
    let mut sold = 0;
    while let Some(buyer) = crowd.join_next().await {
        sold += buyer.expect("a buyer");
    }
    house.check(2).await;
    for unit in units {
        assert_eq!(house.night(unit, 12, 2).await, (sold, 0, 0, 0));
    }
    assert!(sold <= i64::from(ROOMS));
    // Exactly the cancelled rooms are available again.
    let mut sale = Sale::new(units[0], 12, 13);
    sale.units.push(units[1]);
    for _ in sold..i64::from(ROOMS) {
        booked(house.book(None, &sale, WhenFull::Refuse, 3).await);
    }
    assert!(matches!(house.book(None, &sale, WhenFull::Refuse, 3).await, BookingResult::Refused(_)));
    house.check(3).await;
}
