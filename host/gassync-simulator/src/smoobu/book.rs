//! State of the account: apartments, bookings and rates.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rand_chacha::ChaCha8Rng;

use super::{
    SmoobuSettings,
    apartment::{self, Apartment},
    booking::{BookingType, SmoobuBooking},
    channel::Channel,
    rates::Rates,
};
use crate::chance;

#[derive(Clone)]
pub(super) struct Book {
    pub apartments: Vec<Apartment>,
    pub bookings: Vec<SmoobuBooking>,
    pub rates: Rates,
    /// Ids of bookings that were deleted for good.
    pub removed: Vec<u64>,
    /// References of bookings created by API.
    pub made_by_api: Vec<String>,
    /// Zone of times that do not say theirs.
    pub time_zone: TimeZone,
    /// Number below the ids of the account's own channels.
    pub first_channel: u64,
    last_id: u64,
    last_element_id: u64,
}

impl Book {
    pub fn new(settings: &SmoobuSettings, rng: &mut ChaCha8Rng) -> Self {
        Self {
            apartments: apartment::build(settings, rng),
            bookings: Vec::new(),
            rates: Rates::default(),
            removed: Vec::new(),
            made_by_api: Vec::new(),
            time_zone: TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC),
            first_channel: settings.first_channel(),
            last_id: settings.first_booking(),
            last_element_id: 600_000,
        }
    }

    pub fn apartment(&self, id: u64) -> Option<&Apartment> {
        self.apartments.iter().find(|apartment| apartment.id == id)
    }

    pub fn get(&self, id: u64) -> Option<&SmoobuBooking> {
        self.bookings.iter().find(|booking| booking.id == id)
    }

    pub fn get_mut(&mut self, id: u64) -> Option<&mut SmoobuBooking> {
        self.bookings.iter_mut().find(|booking| booking.id == id)
    }

    /// Returns the id of a new booking.
    pub fn next_id(&mut self) -> u64 {
        self.last_id += 3;
        self.last_id
    }

    /// Returns the id of a new part of a price.
    pub fn next_element_id(&mut self) -> u64 {
        self.last_element_id += 1;
        self.last_element_id
    }

    /// Ids of the apartments that close with this one, itself first.
    pub fn closing_with(&self, apartment: u64) -> Vec<u64> {
        let related = self.apartment(apartment).map(|apartment| apartment.related.clone());
        [apartment].into_iter().chain(related.unwrap_or_default()).collect()
    }

    /// True if nothing takes these nights of the apartment, one booking left aside.
    pub fn is_free(&self, apartment: u64, nights: (Date, Date), without: Option<u64>) -> bool {
        let takers = self.closing_with(apartment);
        let closed = |night| self.rates.get(apartment, night).is_closed;
        let taken = |booking: &SmoobuBooking| {
            Some(booking.id) != without && takers.contains(&booking.apartment) && booking.meets(nights)
        };
        !chance::nights(nights.0, nights.1).any(closed) && !self.bookings.iter().any(taken)
    }

    /// True if something takes this night, or it is closed.
    pub fn is_taken(&self, apartment: u64, night: Date) -> bool {
        let takers = self.closing_with(apartment);
        let takes = |booking: &SmoobuBooking| takers.contains(&booking.apartment) && booking.takes(night);
        self.rates.get(apartment, night).is_closed || self.bookings.iter().any(takes)
    }

    /// Adds a booking of any channel; `None` for an unknown apartment, no night, or nights that are taken.
    pub fn make(
        &mut self,
        apartment: u64,
        channel: Channel,
        nights: (Date, Date),
        now: Timestamp,
    ) -> Option<&mut SmoobuBooking> {
        self.apartment(apartment)?;
        if nights.1 <= nights.0 || !self.is_free(apartment, nights, None) {
            return None;
        }
        let id = self.next_id();
        let mut booking = SmoobuBooking::new(id, apartment, channel, nights, now);
        if channel.is_of_ota() {
            booking.reference_id = Some(format!("{}", 4_000_000_000 + id * 7 % 1_000_000_000));
        }
        self.bookings.push(booking);
        self.bookings.last_mut()
    }

    /// Moves an active booking by hand to other nights, if they are free.
    pub fn rebook(&mut self, id: u64, nights: (Date, Date), now: Timestamp) -> bool {
        let Some(booking) = self.get(id).filter(|booking| booking.is_active()) else { return false };
        if nights.1 <= nights.0 || !self.is_free(booking.apartment, nights, Some(id)) {
            return false;
        }
        let Some(booking) = self.get_mut(id) else { return false };
        (booking.arrival, booking.departure) = nights;
        booking.touch(BookingType::Modification, now);
        true
    }

    /// Cancels an active booking.
    pub fn cancel(&mut self, id: u64, now: Timestamp) -> bool {
        let Some(booking) = self.get_mut(id).filter(|booking| booking.is_active()) else { return false };
        booking.touch(BookingType::Cancellation, now);
        true
    }

    /// Deletes a booking for good.
    pub fn remove(&mut self, id: u64) -> Option<SmoobuBooking> {
        let place = self.bookings.iter().position(|booking| booking.id == id)?;
        self.removed.push(id);
        Some(self.bookings.remove(place))
    }
}
