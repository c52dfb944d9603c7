//! Taking and giving back nights, for units that stand alone and for those that go with others.

use std::collections::{BTreeSet, HashMap};

use gassync_domain::{AccountId, CoreId, Date, Timestamp};

use crate::store::{
    Result, Tx,
    core::bookings,
    ledger::{self, Bucket, LinkedUnit, Span},
};

/// Expired holds released in one go.
const RELEASED_AT_ONCE: i64 = 100;

/// Nights that there is no room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldOut {
    /// The unit.
    pub unit: CoreId,
    /// Its nights, in order.
    pub nights: Vec<Date>,
}

/// The rows of the ledger that a transaction has opened, and what goes with their units.
pub(super) struct OpenNights {
    linked: HashMap<CoreId, Vec<LinkedUnit>>,
    /// How many more could be sold of each night when it was opened.
    room: HashMap<(CoreId, Date), i64>,
    /// Whether some night may have been sold more often than it can be.
    overbooked: bool,
}

impl OpenNights {
    /// Opens nights, and those of all units that are sold with them.
    pub(super) async fn new(tx: &mut Tx, account: AccountId, spans: &[Span], now: Timestamp) -> Result<Self> {
        let mut linked: HashMap<CoreId, Vec<LinkedUnit>> = HashMap::new();
        let mut all = spans.to_vec();
        let mut ring = spans.to_vec();
        // The units that go with a unit, and, since a hold on one of those may have to be released, those with them.
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

    /// Whether a unit stands alone and had room for so many more on a night.
    pub(super) fn has_room(&self, place: (CoreId, Date), wanted: i64) -> bool {
        self.with(place.0).is_empty() && self.room.get(&place).is_some_and(|room| *room >= wanted)
    }

    /// Gives a room its nights; the answer names those that there is no room for.
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
            // Before it is too much, whoever only held the night and is late must go.
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

    /// Gives back those of a room's nights that are in the span.
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

    /// Whatever is too much takes the places that have come free on these nights, or with them.
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

/// Gives back the nights of holds that have ended. A sale that needs one of them does not wait for this; calendars do.
/// Tells how many there were.
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

/// Makes a unit part of a whole, or changes that: what is taken already blocks the other from now on.
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

/// What a booking takes of the ledger.
pub(super) fn bucket(state: &bookings::BookingState, now: Timestamp) -> Option<Bucket> {
    use gassync_domain::Status;
    match state.status {
        Status::Confirmed | Status::NoShow => Some(Bucket::Sold),
        Status::Pending if state.hold_until.is_none_or(|until| until > now) => Some(Bucket::Held),
        Status::Pending | Status::Inquiry | Status::Cancelled | Status::Declined | Status::Other(_) => None,
    }
}
