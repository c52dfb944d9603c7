//! Allocates and releases nights, for independent units and for units that share availability.

use std::collections::{BTreeSet, HashMap};

use gassync_domain::{AccountId, CoreId, Date, Timestamp};

use crate::store::{
    Result, Tx,
    core::bookings,
    ledger::{self, Bucket, LinkedUnit, Span},
};

/// Expired holds released per call.
const RELEASED_AT_ONCE: i64 = 100;

/// Nights without availability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldOut {
    /// The unit.
    pub unit: CoreId,
    /// Its nights, in order.
    pub nights: Vec<Date>,
}

/// The ledger rows that a transaction has locked, and the units that share availability with them.
pub(super) struct OpenNights {
    linked: HashMap<CoreId, Vec<LinkedUnit>>,
    /// Free units per night when the rows were locked.
    room: HashMap<(CoreId, Date), i64>,
    /// True if a night may be overbooked.
    overbooked: bool,
}

impl OpenNights {
    /// Locks nights, and those of all units that share availability with them.
    pub(super) async fn new(tx: &mut Tx, account: AccountId, spans: &[Span], now: Timestamp) -> Result<Self> {
        let mut linked: HashMap<CoreId, Vec<LinkedUnit>> = HashMap::new();
        let mut all = spans.to_vec();
        let mut ring = spans.to_vec();
        // Two rounds: the linked units, and the units linked to those, since a hold on one of them may have to be released.
        for _ in 0..2 {
            let units: BTreeSet<CoreId> = ring.iter().map(|span| span.unit).collect();
            let units: Vec<CoreId> = units.into_iter().filter(|unit| !linked.contains_key(unit)).collect();
            linked.extend(ledger::linked(tx, account, &units).await?);
            let others = |span: &Span| -> Vec<Span> {
                let with = linked.get(&span.unit).map_or(&[][..], Vec::as_slice);
                with.iter().map(|other| Span { unit: other.unit(), stay: span.stay }).collect()
            };
            ring = ring.iter().flat_map(others).collect();
            all.extend_from_slice(&ring);
        }
        let nights = ledger::open(tx, account, &all, now).await?;
        let overbooked = nights.iter().any(|night| night.overbooked > 0);
        let room = nights.into_iter().map(|night| (night.place(), night.room)).collect();
        Ok(Self { linked, room, overbooked })
    }

    fn with(&self, unit: CoreId) -> &[LinkedUnit] {
        self.linked.get(&unit).map_or(&[], Vec::as_slice)
    }

    /// True if a unit shares availability with no other and had this many units free on a night.
    pub(super) fn has_room(&self, place: (CoreId, Date), wanted: i64) -> bool {
        self.with(place.0).is_empty() && self.room.get(&place).is_some_and(|room| *room >= wanted)
    }

    /// Allocates the nights of a room. Returns those without availability.
    pub(super) async fn take(
        &mut self,
        tx: &mut Tx,
        account: AccountId,
        (room, span): (i64, Span),
        bucket: Bucket,
        now: Timestamp,
    ) -> Result<Vec<Date>> {
        let mut full = ledger::full(tx, account, span).await?;
        if !full.is_empty() {
            // Release expired holds before overbooking.
            self.reclaim(tx, account, span, now).await?;
            full = ledger::full(tx, account, span).await?;
        }
        self.overbooked |= !full.is_empty();
        ledger::take(tx, account, room, span, bucket, now).await?;
        for linked in self.with(span.unit) {
            let other = Span { unit: linked.unit(), stay: span.stay };
            ledger::block_with(tx, account, room, other, linked.quantity(), now).await?;
        }
        Ok(full)
    }

    /// Releases those nights of a room that are in the span.
    pub(super) async fn release(
        &self,
        tx: &mut Tx,
        account: AccountId,
        (room, span): (i64, Span),
        now: Timestamp,
    ) -> Result<()> {
        for linked in self.with(span.unit) {
            let other = Span { unit: linked.unit(), stay: span.stay };
            ledger::block_with(tx, account, room, other, -linked.quantity(), now).await?;
        }
        ledger::release(tx, account, room, span, now).await
    }

    /// Moves overbooked claims to the units that became free on these nights, or on nights of linked units.
    pub(super) async fn resolve_overbooked(
        &self,
        tx: &mut Tx,
        account: AccountId,
        freed: &[Span],
        now: Timestamp,
    ) -> Result<()> {
        if !self.overbooked {
            return Ok(());
        }
        for span in freed {
            for unit in std::iter::once(span.unit).chain(self.with(span.unit).iter().map(LinkedUnit::unit)) {
                ledger::settle_overbooked(tx, account, Span { unit, stay: span.stay }, now).await?;
            }
        }
        Ok(())
    }

    async fn reclaim(&self, tx: &mut Tx, account: AccountId, span: Span, now: Timestamp) -> Result<()> {
        let others = self.with(span.unit).iter().map(LinkedUnit::unit);
        for unit in std::iter::once(span.unit).chain(others) {
            let span = Span { unit, stay: span.stay };
            for expired in ledger::expired_on(tx, account, span, now).await? {
                let shared = expired.span().and_then(|held| held.stay.shared_with(span.stay));
                if let Some(stay) = shared {
                    self.release(tx, account, (expired.room(), Span { unit, stay }), now).await?;
                }
            }
            ledger::settle_overbooked(tx, account, span, now).await?;
        }
        Ok(())
    }
}

/// Releases the nights of expired holds and returns their number. A sale reclaims such nights by itself; calendars are only
/// updated here.
pub async fn release_expired(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<usize> {
    let expired = ledger::expired(tx, account, RELEASED_AT_ONCE, now).await?;
    let rooms: Vec<(i64, Span)> = expired.iter().filter_map(|e| Some((e.room(), e.span()?))).collect();
    let spans: Vec<Span> = rooms.iter().map(|(_, span)| *span).collect();
    let opened = OpenNights::new(tx, account, &spans, now).await?;
    for room in rooms {
        opened.release(tx, account, room, now).await?;
    }
    opened.resolve_overbooked(tx, account, &spans, now).await?;
    Ok(expired.len())
}

/// Links a unit to a whole, or changes the quantity: existing claims on one block the other from now on.
pub(super) async fn link(
    tx: &mut Tx,
    account: AccountId,
    (whole, part): (CoreId, CoreId),
    quantity: i64,
    now: Timestamp,
) -> Result<()> {
    let linked = ledger::linked(tx, account, &[whole]).await?.remove(&whole).unwrap_or_default();
    let before = linked.iter().find(|linked| linked.unit() == part).map_or(0, LinkedUnit::quantity);
    ledger::set_link(tx, account, (whole, part), quantity, now).await?;
    let Some(stay) = ledger::taken_on_either(tx, account, whole, part).await? else {
        return Ok(());
    };
    let (of_whole, of_part) = (Span { unit: whole, stay }, Span { unit: part, stay });
    ledger::open(tx, account, &[of_whole, of_part], now).await?;
    ledger::block_as_taken_on(tx, account, of_part, whole, quantity - before, now).await?;
    ledger::block_as_taken_on(tx, account, of_whole, part, quantity.min(1) - before.min(1), now).await?;
    ledger::settle_overbooked(tx, account, of_whole, now).await?;
    ledger::settle_overbooked(tx, account, of_part, now).await
}

/// The ledger bucket of a booking.
pub(super) fn bucket(state: &bookings::BookingState, now: Timestamp) -> Option<Bucket> {
    use gassync_domain::Status;
    match state.status {
        Status::Confirmed | Status::NoShow => Some(Bucket::Sold),
        Status::Pending if state.hold_until.is_none_or(|until| until > now) => Some(Bucket::Held),
        Status::Pending | Status::Inquiry | Status::Cancelled | Status::Declined | Status::Other(_) => None,
    }
}
