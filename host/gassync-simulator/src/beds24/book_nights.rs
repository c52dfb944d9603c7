//! Nights of the account with its bookings applied.

use jiff::{Span, civil::Date};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    nights::{LONGEST_STAY, PRICED_NIGHTS, RoomNight},
    state::AccountState,
};

impl AccountState {
    /// Sets prices and rules from this day on.
    pub fn set_prices(&mut self, today: Date, linked: bool, rng: &mut ChaCha8Rng) {
        let houses: Vec<Vec<u64>> =
            self.properties.iter().map(|p| p.room_types.iter().map(|room| room.id).collect()).collect();
        for rooms in houses {
            for (place, room) in rooms.iter().enumerate() {
                let price = rng.random_range(60..180) * 100;
                if linked && place == 1 {
                    self.calendar.linked.insert(*room, rooms[0]);
                    continue;
                }
                for night in today.series(Span::new().days(1)).take(PRICED_NIGHTS as usize) {
                    let weekend = night.weekday().to_monday_zero_offset() >= 4;
                    let set = self.calendar.at(*room, night);
                    set.prices.insert(1, if weekend { price * 5 / 4 } else { price });
                    set.min_stay = Some(if weekend { 2 } else { 1 });
                    set.max_stay = Some(LONGEST_STAY);
                }
            }
        }
    }

    /// Returns a night, for comparison in tests; `None` for an unknown room type.
    pub fn night(&self, room: u64, night: Date) -> Option<RoomNight> {
        let (_, room) = self.room(room)?;
        let set = self.calendar.get(room.id, night).cloned().unwrap_or_default();
        Some(RoomNight {
            night,
            available: self.available(room, night),
            price1_cents: self.calendar.price1(room.id, night),
            min_stay: set.min_stay,
            max_stay: set.max_stay,
            closing: set.closing,
        })
    }
}
