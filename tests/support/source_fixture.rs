//! A source that reports reservations, in a database without a host and with a test-controlled clock.

use gassync::{
    core::WhenFull,
    inbound::{
        apply::{self, IngestContext, IngestOutcome},
        decide::{self, Choice, DecideError, DecidedBy},
    },
    store::{
        self, Db, accounts,
        buffer::{Stored, parked_reservations},
        ledger, mappings, outbox,
        parked::ParkedKind,
        sources, sync_log,
    },
};
use gassync_domain::{
    AccountId, Authority, Change, ChangeKind, Date, Reservation, SourceId, SourceKey, Stay, Timestamp, UnitCount,
};
use serde_json::{Value, json};

use crate::database::Database;

/// Seconds after the morning of 15 January 2027.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("an instant")
}

/// A source with property `p`, one room `t1` and two rooms `t2`; `t9` is unknown.
pub struct SourceFixture {
    /// Database.
    pub db: Db,
    /// Account.
    pub account: AccountId,
    /// Source.
    pub source: SourceId,
    _database: Database,
}

impl SourceFixture {
    /// The source with its account.
    pub fn key(&self) -> SourceKey {
        SourceKey { account: self.account, source: self.source }
    }

    /// Creates a property whose rooms are linked.
    pub async fn new(database: Database) -> Self {
        let db = Db::open(&database.url).await.expect("a database");
        db.migrate().await.expect("a schema");
        let mut tx = db.platform_write().await.expect("a transaction");
        let account = accounts::create(&mut tx, "one", "UTC", at(0)).await.expect("an account");
        let config = json!({});
        let new = sources::NewSourceRecord {
            connection: None,
            source_type: "api",
            name: "one",
            config: &config,
            creates: true,
        };
        let source = sources::create(&mut tx, account, &new, at(0)).await.expect("a source");
        tx.commit().await.expect("committed");
        let fixture = Self { db, account, source, _database: database };
        let house = json!({ "id": "p", "name": "Casa", "currency": "EUR", "timeZone": "Europe/Lisbon" });
        let house = serde_json::from_value(house).expect("a property");
        fixture.apply(vec![ChangeKind::Property(house)], 0).await;
        fixture.room("t1", 1).await;
        fixture.room("t2", 2).await;
        fixture
    }

    /// Reports a room type.
    pub async fn room(&self, id: &str, quantity: u32) {
        let room = json!({ "id": id, "propertyId": "p", "name": format!("Room {id}"), "quantity": quantity });
        self.apply(vec![ChangeKind::RoomType(serde_json::from_value(room).expect("a room type"))], 0).await;
    }

    /// The context of changes observed this many seconds after the start.
    pub fn context(&self, second: i64) -> IngestContext {
        IngestContext {
            authority: Authority::default(),
            account: self.account,
            source: self.source,
            creates: true,
            when_full: WhenFull::Keep,
            may_revive: false,
            strict: false,
            closes: true,
            counts: UnitCount::default(),
            has_channel: false,
            observed_at: at(second),
            now: at(second),
        }
    }

    async fn apply(&self, data: Vec<ChangeKind>, second: i64) -> Vec<IngestOutcome> {
        self.apply_as(&self.context(second), data).await
    }

    /// Applies a change in a given context.
    pub async fn apply_as(&self, context: &IngestContext, data: Vec<ChangeKind>) -> Vec<IngestOutcome> {
        let mut tx = self.db.write_for(self.key()).await.expect("a transaction");
        let changes = data.into_iter().map(|data| Change::new(data, None)).collect();
        let outcomes = apply::changes(&mut tx, context, changes).await.expect("applied");
        tx.commit().await.expect("committed");
        outcomes
    }

    /// Reports a reservation, as JSON.
    pub async fn report(&self, said: &Value, second: i64) -> IngestOutcome {
        self.report_as(&self.context(second), said).await
    }

    /// Reports a reservation in a given context.
    pub async fn report_as(&self, context: &IngestContext, said: &Value) -> IngestOutcome {
        let record: Reservation = serde_json::from_value(said.clone()).expect("a reservation");
        self.apply_as(context, vec![ChangeKind::Reservation(Box::new(record))]).await.remove(0)
    }

    /// Decides a parked reservation.
    pub async fn decide(&self, id: &str, choice: Choice, second: i64) -> Result<IngestOutcome, DecideError> {
        self.decide_of((ParkedKind::Reservation, id), choice, second).await
    }

    /// Decides a parked record of any kind.
    pub async fn decide_of(
        &self,
        what: (ParkedKind, &str),
        choice: Choice,
        second: i64,
    ) -> Result<IngestOutcome, DecideError> {
        let mut tx = self.db.write_for(self.key()).await.expect("a transaction");
        let by = DecidedBy { who: "Ines", why: "the guest said so" };
        let context = self.context(second);
        let decided = decide::decide(&mut tx, &context, what, (choice, by)).await?;
        tx.commit().await.expect("committed");
        Ok(decided.outcome)
    }

    /// Sold, held and overbooked units of a night of May 2027.
    pub async fn night(&self, room: &str, day: i8) -> (i64, i64, i64) {
        let mut tx = self.db.read(self.account).await.expect("a transaction");
        let kind = mappings::EntityKind::RoomType;
        let unit = mappings::find(&mut tx, self.key(), kind, room).await.expect("read").expect("linked");
        let night = Date::new(2027, 5, day).expect("a day");
        let stay = Stay::new(night, night.tomorrow().expect("a day")).expect("a stay");
        let nights = ledger::nights(&mut tx, self.account, unit.core, &[stay], at(0)).await.expect("read");
        nights.first().map_or((0, 0, 0), |night| (night.sold, night.held, night.overbooked))
    }

    /// The status of the booking linked to a reservation, if any.
    pub async fn status(&self, id: &str) -> Option<String> {
        let mut tx = self.db.read(self.account).await.expect("a transaction");
        let all = store::core::bookings::bookings_of_source(&mut tx, self.key()).await.expect("read");
        all.into_iter().find(|(known, _)| known == id).map(|(_, facts)| facts.status.as_str().to_owned())
    }

    /// The buffered reservation.
    pub async fn stored(&self, id: &str) -> Option<Stored<Reservation>> {
        let mut tx = self.db.read(self.account).await.expect("a transaction");
        store::buffer::reservations::find(&mut tx, self.key(), id).await.expect("read")
    }

    /// Everything stored about a reservation, for comparison.
    pub async fn written(&self, id: &str) -> String {
        let stored = self.stored(id).await;
        let mut tx = self.db.read(self.account).await.expect("a transaction");
        let waiting = parked_reservations::with_raw(&mut tx, self.key(), id).await.expect("read");
        let facts = outbox::all(&mut tx, self.account).await.expect("facts").len();
        drop(tx);
        let mut tx = self.db.platform_read().await.expect("a transaction");
        let lines = sync_log::newest(&mut tx, 1_000).await.expect("lines").len();
        format!("{stored:?} {waiting:?} {facts} {lines}")
    }

    /// Number of outbox facts of a kind.
    pub async fn facts(&self, kind: &str) -> usize {
        let mut tx = self.db.read(self.account).await.expect("a transaction");
        let facts = outbox::all(&mut tx, self.account).await.expect("facts");
        facts.iter().filter(|fact| fact.entity_type == kind).count()
    }

    /// Asserts that the ledger matches bookings and holds.
    pub async fn check(&self) {
        let mut tx = self.db.read(self.account).await.expect("a transaction");
        let found = ledger::differences(&mut tx, self.account, at(0)).await.expect("counted");
        assert!(found.is_empty(), "{found:?}");
    }
}

/// A reservation of a room for nights of May 2027.
pub fn stay(id: &str, room: &str, (from, to): (u8, u8), status: &str) -> Value {
    json!({ "id": id, "roomTypeId": room, "checkIn": format!("2027-05-{from:02}"),
        "checkOut": format!("2027-05-{to:02}"), "status": status })
}
