use std::collections::{BTreeSet, HashMap};

use gassync_domain::{AccountId, CoreId, Date, Reservation, Timestamp};

use super::{
    holds::{HoldRequest, Holds},
    ledger::{self, OpenNights, SoldOut},
};
use crate::store::{
    Result, Tx,
    core::{
        bookings::{self as rows, Booking, BookingRoom, BookingState, RoomRow},
        units::{self, Home},
    },
    ledger::{Bucket, Span, take_all},
};

/// A reservation that can be booked: it has dates, and all of its rooms are linked.
#[derive(Debug)]
pub struct BookingRequest<'a> {
    /// The existing booking and its state; `None` for a new one.
    pub known: Option<(CoreId, BookingState)>,
    /// The record, normalised and valid.
    pub reservation: &'a Reservation,
    /// The unit of each of its rooms, in their order.
    pub units: &'a [CoreId],
}

/// How to handle a booking without availability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhenFull {
    /// Store it as overbooked and raise an alarm: the sale has already happened.
    Keep,
    /// Refuse it and change nothing: it is only a request.
    Refuse,
}

/// The result of one booking request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookingResult {
    /// The booking is stored in the core.
    Booked {
        /// The booking.
        id: CoreId,
        /// Nights on which it exceeds the capacity.
        overbooked: Vec<Date>,
    },
    /// No availability.
    Refused(SoldOut),
    /// A room without dates or a unit without a property; callers exclude both.
    Invalid,
}

/// Bookings to create or change in one batch, with their ledger rows locked. The caller holds [`Tx::lock_ledger`].
pub struct BookingBatch {
    account: AccountId,
    now: Timestamp,
    asked: Vec<Option<PlannedBooking>>,
    holds: Holds,
    opened: OpenNights,
}

/// A request, resolved against the core.
struct PlannedBooking {
    known: Option<CoreId>,
    booking: Booking,
    /// The nights of each of its rooms.
    wanted: Vec<Span>,
    /// Sold or held; `None` for a status that takes no nights.
    bucket: Option<Bucket>,
    /// Its current rooms and nights.
    has: Vec<(i64, Span)>,
    /// Units and dates are unchanged.
    same_nights: bool,
    /// The ledger does not change.
    same_claim: bool,
    /// Every night had room for the whole batch when it was opened.
    has_room: bool,
}

impl BookingBatch {
    /// Locks the ledger rows of all current and requested nights. Each booking may occur once.
    pub async fn open(
        tx: &mut Tx,
        account: AccountId,
        bookables: &[BookingRequest<'_>],
        now: Timestamp,
    ) -> Result<Self> {
        Self::open_with(tx, account, bookables, &[], now).await
    }

    /// As [`BookingBatch::open`], with holds. For each hold call [`BookingBatch::release_hold`], write the booking that
    /// replaces it, then call [`BookingBatch::place_hold`].
    pub async fn open_with(
        tx: &mut Tx,
        account: AccountId,
        bookables: &[BookingRequest<'_>],
        holds: &[HoldRequest],
        now: Timestamp,
    ) -> Result<Self> {
        let first_units: BTreeSet<CoreId> = bookables.iter().filter_map(|asked| asked.units.first().copied()).collect();
        let homes = units::homes(tx, account, &Vec::from_iter(first_units)).await?;
        let known: Vec<CoreId> = bookables.iter().filter_map(|asked| asked.known.as_ref().map(|(id, _)| *id)).collect();
        let mut rooms = rows::rooms(tx, account, &known).await?;
        let asked = bookables.iter().map(|bookable| {
            let known = bookable.known.as_ref().and_then(|(id, _)| rooms.remove(id));
            PlannedBooking::new(bookable, &homes, known.unwrap_or_default(), now)
        });
        let mut asked: Vec<Option<PlannedBooking>> = asked.collect();
        let moving = || asked.iter().flatten().filter(|asked| !asked.same_claim);
        let holds = Holds::read(tx, account, holds).await?;
        let mut spans: Vec<Span> =
            moving().flat_map(|asked| asked.has.iter().map(|(_, span)| *span).chain(asked.takes())).collect();
        spans.extend(holds.spans());
        let mut wanted: HashMap<(CoreId, Date), i64> = HashMap::new();
        for span in moving().flat_map(PlannedBooking::takes).chain(holds.wanted()) {
            for night in span.stay.each() {
                *wanted.entry((span.unit, night)).or_default() += 1;
            }
        }
        let opened = OpenNights::new(tx, account, &spans, now).await?;
        for asked in asked.iter_mut().flatten() {
            let has_room = asked
                .takes()
                .flat_map(|span| span.stay.each().map(move |night| (span.unit, night)))
                .all(|place| opened.has_room(place, wanted.get(&place).copied().unwrap_or(1)));
            asked.has_room = has_room;
        }
        Ok(Self { account, now, asked, holds, opened })
    }

    /// Releases the nights of a hold that changes.
    pub async fn release_hold(&self, tx: &mut Tx, index: usize) -> Result<()> {
        self.holds.release(tx, self.account, (index, &self.opened), self.now).await
    }

    /// Keeps a hold as it was, because the booking that should replace it was refused.
    pub fn restore_hold(&mut self, index: usize) {
        self.holds.restore(index);
    }

    /// Takes the nights of a hold. Returns its id, or `None` if it was dropped.
    pub async fn place_hold(&mut self, tx: &mut Tx, index: usize) -> Result<Option<CoreId>> {
        self.holds.take(tx, self.account, (index, &mut self.opened), self.now).await
    }

    /// True if the booking at this index is certain to find availability.
    pub fn has_room(&self, index: usize) -> bool {
        self.asked.get(index).and_then(Option::as_ref).is_none_or(|asked| asked.has_room || asked.same_claim)
    }

    /// Writes bookings with their guests: new ones with availability in one batch, the others one by one.
    pub async fn put(
        &mut self,
        tx: &mut Tx,
        guests: &[(usize, Option<CoreId>)],
        when_full: WhenFull,
    ) -> Result<Vec<BookingResult>> {
        let mut placed: HashMap<usize, BookingResult> = HashMap::new();
        for (index, guest) in guests {
            match self.asked.get_mut(*index).and_then(Option::as_mut) {
                Some(asked) => asked.booking.guest = *guest,
                None => {
                    placed.insert(*index, BookingResult::Invalid);
                }
            }
        }
        let indexes = guests.iter().map(|(index, _)| *index).filter(|index| !placed.contains_key(index));
        let (new_ones, singles): (Vec<usize>, Vec<usize>) = indexes.partition(|index| self.is_new_with_room(*index));
        placed.extend(self.insert_batch(tx, &new_ones).await?);
        for index in singles {
            placed.insert(index, self.apply_single(tx, index, when_full).await?);
        }
        Ok(guests.iter().map(|(index, _)| placed.remove(index).unwrap_or(BookingResult::Invalid)).collect())
    }

    fn asked(&self, index: usize) -> Option<&PlannedBooking> {
        self.asked.get(index).and_then(Option::as_ref)
    }

    /// True if the booking at this index is new and has availability; such bookings are inserted in one batch.
    pub fn is_new_with_room(&self, index: usize) -> bool {
        self.asked(index).is_some_and(|asked| asked.known.is_none() && asked.has_room)
    }

    async fn insert_batch(&self, tx: &mut Tx, indexes: &[usize]) -> Result<Vec<(usize, BookingResult)>> {
        let Self { account, now, .. } = *self;
        let asked: Vec<&PlannedBooking> = indexes.iter().filter_map(|index| self.asked(*index)).collect();
        let bookings: Vec<&Booking> = asked.iter().map(|asked| &asked.booking).collect();
        let ids = rows::insert_bookings(tx, account, &bookings, now).await?;
        let with_rooms: Vec<(CoreId, &Booking)> = ids.iter().copied().zip(bookings).collect();
        let mut rooms = rows::insert_rooms(tx, account, &with_rooms, now).await?.into_iter();
        let mut taken = Vec::new();
        for asked in asked {
            for (span, room) in asked.wanted.iter().zip(rooms.by_ref()) {
                taken.extend(asked.bucket.map(|bucket| (room, *span, bucket)));
            }
        }
        take_all(tx, account, &taken, now).await?;
        let booked = ids.into_iter().map(|id| BookingResult::Booked { id, overbooked: Vec::new() });
        Ok(indexes.iter().copied().zip(booked).collect())
    }

    /// A change of dates takes the new nights and releases the old ones atomically.
    async fn apply_single(&mut self, tx: &mut Tx, index: usize, when_full: WhenFull) -> Result<BookingResult> {
        let Self { account, now, opened, asked, .. } = self;
        let (account, now) = (*account, *now);
        let Some(PlannedBooking { known, booking, wanted, bucket, has, same_nights, same_claim, .. }) =
            asked.get(index).and_then(Option::as_ref)
        else {
            return Ok(BookingResult::Invalid);
        };
        if let (Some(id), true) = (*known, *same_claim) {
            rows::update_booking(tx, account, id, booking, now).await?;
            rows::update_rooms(tx, account, id, &booking.rooms, now).await?;
            let overbooked = rows::overbooked_nights(tx, account, id).await?;
            return Ok(BookingResult::Booked { id, overbooked });
        }
        if when_full == WhenFull::Refuse {
            tx.savepoint("booking").await?;
        }
        for room in has {
            opened.release(tx, account, *room, now).await?;
        }
        let id = match *known {
            Some(id) => {
                rows::update_booking(tx, account, id, booking, now).await?;
                Some(id)
            }
            None => rows::insert_bookings(tx, account, &[booking], now).await?.pop(),
        };
        let Some(id) = id else { return Ok(BookingResult::Invalid) };
        let rooms = if *same_nights {
            rows::update_rooms(tx, account, id, &booking.rooms, now).await?;
            has.iter().map(|(room, _)| *room).collect()
        } else {
            if known.is_some() {
                rows::delete_rooms(tx, account, id).await?;
            }
            rows::insert_rooms(tx, account, &[(id, booking)], now).await?
        };
        let mut overbooked = Vec::new();
        for (room, span, bucket) in
            rooms.into_iter().zip(wanted).filter_map(|(room, span)| Some((room, *span, (*bucket)?)))
        {
            let nights = opened.take(tx, account, (room, span), bucket, now).await?;
            if !nights.is_empty() && when_full == WhenFull::Refuse {
                tx.rollback_to("booking").await?;
                return Ok(BookingResult::Refused(SoldOut { unit: span.unit, nights }));
            }
            overbooked.extend(nights);
        }
        let freed: Vec<Span> = has.iter().map(|(_, span)| *span).collect();
        opened.resolve_overbooked(tx, account, &freed, now).await?;
        overbooked.sort_unstable();
        overbooked.dedup();
        Ok(BookingResult::Booked { id, overbooked })
    }
}

impl PlannedBooking {
    fn new(
        bookable: &BookingRequest<'_>,
        homes: &HashMap<CoreId, Home>,
        rooms: Vec<RoomRow>,
        now: Timestamp,
    ) -> Option<Self> {
        let booking = booking(bookable, homes)?;
        let wanted: Vec<Span> = booking.rooms.iter().map(BookingRoom::span).collect::<Option<_>>()?;
        let after = BookingState { status: booking.status.clone(), hold_until: booking.hold_until };
        let before = bookable.known.as_ref().map(|(_, state)| state);
        let same_nights = before.is_some() && rooms.iter().map(RoomRow::span).eq(wanted.iter().copied().map(Some));
        Some(Self {
            known: bookable.known.as_ref().map(|(id, _)| *id),
            wanted,
            bucket: ledger::bucket(&after, now),
            has: rooms.iter().filter_map(|room| Some((room.id, room.span()?))).collect(),
            same_nights,
            same_claim: same_nights && before.is_some_and(|before| same_claim(before, &after, now)),
            has_room: false,
            booking,
        })
    }

    /// The nights it takes from the ledger.
    fn takes(&self) -> impl Iterator<Item = Span> {
        self.wanted.iter().copied().filter(|_| self.bucket.is_some())
    }
}

/// True if the claim on the ledger is unchanged. An expired hold may have lost its nights and takes them again.
fn same_claim(before: &BookingState, after: &BookingState, now: Timestamp) -> bool {
    match (ledger::bucket(before, now), ledger::bucket(after, now)) {
        (Some(Bucket::Sold), Some(Bucket::Sold)) => true,
        (Some(Bucket::Held), Some(Bucket::Held)) => before.hold_until == after.hold_until,
        (None, None) => before.status == after.status,
        _ => false,
    }
}

fn booking(bookable: &BookingRequest<'_>, homes: &HashMap<CoreId, Home>) -> Option<Booking> {
    let BookingRequest { reservation, units, .. } = bookable;
    let (check_in, check_out) = reservation.check_in.zip(reservation.check_out)?;
    let Home { property, currency, .. } = homes.get(units.first()?)?;
    let rooms = reservation.rooms.iter().zip(units.iter()).map(|(room, unit)| BookingRoom {
        unit: *unit,
        check_in: room.check_in.unwrap_or(check_in),
        check_out: room.check_out.unwrap_or(check_out),
        people: [room.guests, room.adults, room.children, room.infants],
        total_price: room.total_price,
    });
    Some(Booking {
        property: *property,
        guest: None,
        status: reservation.status.clone(),
        check_in,
        check_out,
        people: [reservation.guests, reservation.adults, reservation.children, reservation.infants],
        total_price: reservation.total_price,
        // A booking without a currency uses the property's.
        currency: reservation
            .currency
            .as_ref()
            .or(currency.as_ref())
            .filter(|_| reservation.total_price.is_some())
            .cloned(),
        notes: reservation.notes.clone(),
        hold_until: reservation.hold_until,
        rooms: rooms.collect(),
    })
}
