//! What the core has of an account's house, and changes of it by calls of `gassync::core`: without a key, a buffer or an
//! answer. A property-management system that is another program has no such way in.

use gassync::{
    core::{self, Bookable, Desk, Placed, WhenFull},
    store::{Db, core::bookings},
};
use gassync_domain::{AccountId, CalendarNight, CoreId, Reservation, Timestamp};

/// A house, its rooms and their price list.
pub struct CoreFixture {
    /// Whose.
    pub account: AccountId,
    /// The rooms, one of each.
    pub units: Vec<CoreId>,
    /// The price list.
    pub plan: CoreId,
}

impl CoreFixture {
    /// A room is booked, or what was booked is changed.
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
        let bookable = Bookable { known, reservation, units: &self.units[room..=room] };
        let mut desk = Desk::open(&mut tx, self.account, &[bookable], now).await.expect("nights");
        let placed = desk.put(&mut tx, &[(0, guest)], WhenFull::Keep).await.expect("booked").pop();
        tx.commit().await.expect("committed");
        let Some(Placed::Booked { id, .. }) = placed else { panic!("{placed:?}") };
        id
    }

    /// Other prices are written for a room.
    pub async fn price(&self, db: &Db, room: usize, nights: &[CalendarNight], now: Timestamp) {
        let mut tx = db.write(self.account).await.expect("a transaction");
        let place = (self.plan, self.units[room]);
        core::put_rates(&mut tx, self.account, place, nights, now).await.expect("written");
        tx.commit().await.expect("committed");
    }
}
