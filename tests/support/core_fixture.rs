//! A property in the core, changed by direct calls of `gassync::core`, without API key or buffer. An external
//! property-management system has no such access.

use gassync::{
    core::{self, BookingBatch, BookingRequest, BookingResult, WhenFull},
    store::{Db, core::bookings},
};
use gassync_domain::{AccountId, CalendarNight, CoreId, Reservation, Timestamp};

/// A property with rooms and a rate plan.
pub struct CoreFixture {
    /// Account.
    pub account: AccountId,
    /// Rooms, one unit each.
    pub units: Vec<CoreId>,
    /// Rate plan.
    pub plan: CoreId,
}

impl CoreFixture {
    /// Creates or changes a booking.
    pub async fn book(
        &self,
        db: &Db,
        (known, room): (Option<CoreId>, usize),
        reservation: &Reservation,
        now: Timestamp,
    ) -> CoreId {
        let mut tx = db.write(self.account).await.expect("a transaction");
        tx.lock_ledger(self.account, false).await.expect("locked");
        let guest = reservation.guest.as_ref().filter(|_| known.is_none());
        let guests: Vec<_> = guest.into_iter().map(|guest| (None, guest)).collect();
        let guest = core::put_guests(&mut tx, self.account, &guests, now).await.expect("guests").pop();
        let known = match known {
            Some(id) => {
                let mut states = bookings::booking_states(&mut tx, self.account, &[id]).await.expect("read");
                Some((id, states.remove(&id).expect("a booking")))
            }
            None => None,
        };
        let bookable = BookingRequest { known, reservation, units: &self.units[room..=room] };
        let mut desk = BookingBatch::open(&mut tx, self.account, &[bookable], now).await.expect("nights");
        let placed = desk.put(&mut tx, &[(0, guest)], WhenFull::Keep).await.expect("booked").pop();
        tx.commit().await.expect("committed");
        let Some(BookingResult::Booked { id, .. }) = placed else { panic!("{placed:?}") };
        id
    }

    /// Sets prices of a room.
    pub async fn price(&self, db: &Db, room: usize, nights: &[CalendarNight], now: Timestamp) {
        let mut tx = db.write(self.account).await.expect("a transaction");
        let place = (self.plan, self.units[room]);
        core::put_rates(&mut tx, self.account, place, nights, now).await.expect("written");
        tx.commit().await.expect("committed");
    }
}
