//! Random bookings of fictitious guests, without overbooking.

use jiff::{Span, Timestamp, civil::Date};
use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    booking::{BookingRecord, NewBooking},
    money,
    state::AccountState,
    today,
};
use crate::chance::{FIRST_NAMES, LAST_NAMES, nights};

/// Maximum days from now until arrival.
const HORIZON_DAYS: i64 = 120;
/// Maximum nights of a stay.
const MAX_NIGHTS: i64 = 9;
/// Maximum attempts to find a free room.
const TRIES: u32 = 40;

impl AccountState {
    /// Creates a booking in a free room, occasionally a block or a group of two; `None` if the property is full.
    pub fn make_any(&mut self, rng: &mut ChaCha8Rng, now: Timestamp) -> Option<u64> {
        let (room_id, arrival, departure) = self.find_room(rng, now)?;
        let count = departure.since(arrival).map_or(1, |s| s.get_days());
        let new = NewBooking {
            room_id,
            arrival,
            departure,
            room_qty: 1,
            num_adult: rng.random_range(1..=3),
            price_cents: u64::from(count.unsigned_abs()) * rng.random_range(6_000..22_000),
            first_name: FIRST_NAMES.choose(rng)?.to_string(),
            last_name: LAST_NAMES.choose(rng)?.to_string(),
        };
        let (channel, source, status) = *[
            ("booking", (19, "Booking.com"), "new"),
            ("airbnb", (46, "Airbnb"), "new"),
            ("expedia", (14, "Expedia"), "new"),
            ("vrbo", (30, "Vrbo"), "new"),
            ("direct", (0, "Direct"), "confirmed"),
            ("direct", (0, "Direct"), "request"),
        ]
        .choose(rng)?;
        let black = rng.random_ratio(1, 15);
        let id = self.make(new.clone(), now)?;
        let reference = if channel == "direct" {
            String::new()
        } else {
            rng.random_range(1_000_000_000_u64..9_999_999_999).to_string()
        };
        let children = rng.random_range(0..=2);
        let booking = self.get_mut(id)?;
        booking.entry.status = if black { "black" } else { status }.to_owned();
        booking.entry.num_child = children;
        let seller = Seller { channel, source, reference: &reference };
        seller.sold(booking);
        self.charge(id);
        if !black && rng.random_ratio(1, 10) && self.free(room_id, (arrival, departure), None) > 0 {
            // A second room with the same reference.
            let second = self.make(new, now)?;
            let booking = self.get_mut(second)?;
            booking.entry.master_id = Some(id);
            booking.entry.status = status.to_owned();
            seller.sold(booking);
            self.charge(second);
        }
        Some(id)
    }

    /// Finds any room that is free for some nights.
    pub(super) fn find_room(&self, rng: &mut ChaCha8Rng, now: Timestamp) -> Option<(u64, Date, Date)> {
        let rooms: Vec<u64> = self.room_types().map(|(_, room)| room.id).collect();
        let today = today(now);
        (0..TRIES).find_map(|_| {
            let room = *rooms.choose(rng)?;
            let arrival = today.saturating_add(Span::new().days(rng.random_range(1..HORIZON_DAYS)));
            let departure = arrival.saturating_add(Span::new().days(rng.random_range(1..=MAX_NIGHTS)));
            let open = !nights(arrival, departure).any(|night| self.calendar.is_blackout(room, night));
            (open && self.free(room, (arrival, departure), None) > 0).then_some((room, arrival, departure))
        })
    }

    /// Adds charges: the room, sometimes a cleaning fee not included in the price, and sometimes a payment.
    fn charge(&mut self, id: u64) {
        let mut item_id = self.last_item_id;
        let Some(booking) = self.get_mut(id) else { return };
        let (price, now) = (money::number(booking.entry.price_cents), booking.booked);
        let mut add = |keys: Value| {
            item_id += 1;
            booking.invoice_items.add(item_id, id, keys, now);
        };
        add(json!({ "type": "charge", "subType": 1, "description": "Room", "qty": 1, "amount": price, "vatRate": 6 }));
        if id.is_multiple_of(3) {
            add(json!({ "type": "charge", "subType": 3, "description": "Cleaning", "qty": 1, "amount": 30 }));
        }
        if id.is_multiple_of(2) {
            add(
                json!({ "type": "payment", "subType": 200, "description": "First payment", "qty": -1, "amount": 20.5 }),
            );
            item_id += 1;
            booking.info_items.add(item_id, id, json!({ "code": "PAYMENT", "text": "first payment came in" }), now);
        }
        self.last_item_id = item_id;
    }
}

/// The seller of a booking.
struct Seller<'a> {
    channel: &'a str,
    source: (u32, &'static str),
    reference: &'a str,
}

impl Seller<'_> {
    fn sold(&self, booking: &mut BookingRecord) {
        self.channel.clone_into(&mut booking.entry.channel);
        self.reference.clone_into(&mut booking.entry.api_reference);
        booking.source = self.source;
        let commission = booking.entry.price_cents * 15 / 100;
        let keys = [
            ("lang", json!("en")),
            ("referer", json!(self.source.1)),
            ("refererEditable", json!(self.source.1)),
            ("commission", money::number(commission)),
        ];
        booking.keys.extend(keys.map(|(key, value)| (key.to_owned(), value)));
    }
}
