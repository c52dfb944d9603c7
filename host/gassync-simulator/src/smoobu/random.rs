//! Random bookings of invented guests, without overbooking.

use jiff::{Span, Timestamp, civil::Date};
use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::{book::Book, booking::SmoobuBooking, channel::Channel, price_element::PriceElement};
use crate::{
    chance::{FIRST_NAMES, LAST_NAMES, today},
    money,
};

/// Maximum days from now until arrival.
const HORIZON_DAYS: i64 = 120;
/// Maximum nights of a stay.
const MAX_NIGHTS: i64 = 4;
/// Maximum attempts to find free nights.
const TRIES: u32 = 40;
/// Cost of cleaning, in cents.
const CLEANING: u64 = 3_000;
/// Channels that sell by chance.
const SELLERS: [Channel; 4] = [Channel::Direct, Channel::Homepage, Channel::Airbnb, Channel::BookingCom];

impl Book {
    /// Adds a booking where nights are free, occasionally a block; `None` if there is no room.
    pub fn make_any(&mut self, rng: &mut ChaCha8Rng, now: Timestamp) -> Option<u64> {
        let (apartment, nights) = self.find_nights(rng, now)?;
        if rng.random_ratio(1, 15) {
            return Some(self.make(apartment, Channel::Blocked, nights, now)?.id);
        }
        let channel = *SELLERS.choose(rng)?;
        self.sell(apartment, channel, nights, rng, now)
    }

    /// Adds a booking of an invented guest.
    pub fn sell(
        &mut self,
        apartment: u64,
        channel: Channel,
        nights: (Date, Date),
        rng: &mut ChaCha8Rng,
        now: Timestamp,
    ) -> Option<u64> {
        let (currency, beds) = self.apartment(apartment).map(|found| (found.currency(), found.max_occupancy))?;
        let elements = [self.next_element_id(), self.next_element_id(), self.next_element_id()];
        let booking = self.make(apartment, channel, nights, now)?;
        let count = nights.1.since(nights.0).map_or(1, |span| span.get_days());
        let cents = u64::from(count.unsigned_abs()) * rng.random_range(6_000..22_000);
        booking.first_name = FIRST_NAMES.choose(rng)?.to_string();
        booking.last_name = LAST_NAMES.choose(rng)?.to_string();
        booking.adults = Some(rng.random_range(1..=beds.min(3)));
        booking.children = Some(rng.random_range(0..=1));
        booking.price.cents = Some(cents);
        booking.price.paid = rng.random_bool(0.5);
        booking.prepayment.cents = Some(0);
        "en".clone_into(&mut booking.language);
        booking.phone = Some("+49 170 0000000".to_owned());
        // Airbnb rarely tells an address.
        booking.email = (channel != Channel::Airbnb).then(|| format!("guest{}@example.org", booking.id));
        if rng.random_bool(0.5) {
            (booking.check_in, booking.check_out) = (Some("16:00".to_owned()), Some("10:00".to_owned()));
        }
        if channel.is_of_ota() {
            booking.commission = Some(cents * 15 / 100);
        }
        if rng.random_bool(0.5) {
            itemise(booking, elements, currency);
        }
        Some(booking.id)
    }

    /// Finds free nights of any apartment.
    pub fn find_nights(&self, rng: &mut ChaCha8Rng, now: Timestamp) -> Option<(u64, (Date, Date))> {
        let all: Vec<u64> = self.apartments.iter().map(|apartment| apartment.id).collect();
        self.find_nights_of(&all, rng, now)
    }

    /// Finds free nights of one of these apartments.
    pub fn find_nights_of(
        &self,
        apartments: &[u64],
        rng: &mut ChaCha8Rng,
        now: Timestamp,
    ) -> Option<(u64, (Date, Date))> {
        (0..TRIES).find_map(|_| {
            let apartment = *apartments.choose(rng)?;
            let arrival = today(now).saturating_add(Span::new().days(rng.random_range(1..HORIZON_DAYS)));
            let departure = arrival.saturating_add(Span::new().days(rng.random_range(1..=MAX_NIGHTS)));
            self.is_free(apartment, (arrival, departure), None).then_some((apartment, (arrival, departure)))
        })
    }
}

/// Lists the parts of the price: the base, cleaning, and the commission, which is in the base already.
fn itemise(booking: &mut SmoobuBooking, ids: [u64; 3], currency: &str) {
    let cents = booking.price.cents.unwrap_or_default();
    let mut parts = vec![("basePrice", "Base price", cents.saturating_sub(CLEANING), None)];
    parts.push(("cleaningFee", "Cleaning fee", CLEANING, None));
    parts.extend(booking.commission.map(|cents| ("commission", "Commission", cents, Some(ids[0]))));
    let parts = ids.into_iter().zip(1..).zip(parts);
    booking.elements = parts
        .filter_map(|((id, sort_order), (kind, name, cents, included_in))| {
            let keys = json!({ "type": kind, "name": name, "amount": money::number(cents), "sortOrder": sort_order });
            Some(PriceElement { included_in, ..PriceElement::read(id, &keys, currency)? })
        })
        .collect();
}
