//! State of the account: properties, bookings and their calendar.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use rand_chacha::ChaCha8Rng;

use super::{
    Settings,
    booking::{BookEntry, BookingChange, BookingRecord, NewBooking, whole_second},
    nights::RateCalendar,
    property::{self, Beds24Property, Beds24RoomType},
    webhook::PropertyHook,
};
use crate::chance::nights;

#[derive(Clone)]
pub(super) struct AccountState {
    pub properties: Vec<Beds24Property>,
    pub bookings: Vec<BookingRecord>,
    pub calendar: RateCalendar,
    /// Webhook of each property.
    pub hooks: BTreeMap<u64, PropertyHook>,
    /// Id and reference of each booking created by API.
    pub made_by_api: Vec<(u64, String)>,
    /// Last id of an item inside a booking.
    pub last_item_id: u64,
    last_id: u64,
}

impl AccountState {
    pub fn new(settings: &Settings, rng: &mut ChaCha8Rng) -> Self {
        Self {
            properties: property::build(settings, rng),
            bookings: Vec::new(),
            calendar: RateCalendar::default(),
            hooks: BTreeMap::new(),
            made_by_api: Vec::new(),
            last_item_id: 148_000_000,
            last_id: settings.first_booking_id(),
        }
    }

    pub fn entries(&self) -> Vec<BookEntry> {
        let entry =
            |booking: &BookingRecord| BookEntry { owed: booking.owed(), odd: booking.odd, ..booking.entry.clone() };
        self.bookings.iter().map(entry).collect()
    }

    pub fn get(&self, id: u64) -> Option<&BookingRecord> {
        self.bookings.iter().find(|booking| booking.entry.id == id)
    }

    pub fn get_mut(&mut self, id: u64) -> Option<&mut BookingRecord> {
        self.bookings.iter_mut().find(|booking| booking.entry.id == id)
    }

    pub fn room_types(&self) -> impl Iterator<Item = (&Beds24Property, &Beds24RoomType)> {
        self.properties.iter().flat_map(|property| property.room_types.iter().map(move |room| (property, room)))
    }

    pub fn room(&self, id: u64) -> Option<(&Beds24Property, &Beds24RoomType)> {
        self.room_types().find(|(_, room)| room.id == id)
    }

    /// Creates a booking by hand; `None` for an unknown room type or without enough rooms.
    pub fn make(&mut self, new: NewBooking, now: Timestamp) -> Option<u64> {
        let (property, _) = self.room(new.room_id)?;
        let country = if property.country == "NO" { "no" } else { "es" };
        if new.departure <= new.arrival || new.room_qty == 0 {
            return None;
        }
        if self.free(new.room_id, (new.arrival, new.departure), None) < i64::from(new.room_qty) {
            return None;
        }
        let mut booking =
            BookingRecord::new(self.next_id(), property.id, new.room_id, (new.arrival, new.departure), now);
        booking.entry.room_qty = new.room_qty;
        booking.entry.num_adult = new.num_adult;
        booking.entry.price_cents = new.price_cents;
        (booking.entry.first_name, booking.entry.last_name) = (new.first_name, new.last_name);
        let id = booking.entry.id;
        let keys = [
            ("email", format!("guest{id}@example.org")),
            ("phone", "+34600000000".to_owned()),
            ("country", country.to_owned()),
            ("country2", country.to_uppercase()),
        ];
        booking.keys.extend(keys.map(|(key, value)| (key.to_owned(), value.into())));
        self.add(booking);
        Some(id)
    }

    /// Returns the id of the next booking.
    pub fn next_id(&self) -> u64 {
        self.last_id + 7
    }

    /// Adds a booking, even without a free room, and assigns a free unit if there is one.
    pub fn add(&mut self, mut booking: BookingRecord) {
        if booking.entry.unit_id == 0 {
            booking.entry.unit_id = self.free_unit(&booking);
        }
        self.last_id = self.last_id.max(booking.entry.id);
        self.bookings.push(booking);
    }

    /// Changes an active booking by hand, if the new nights are free.
    pub fn change(&mut self, id: u64, change: &BookingChange, now: Timestamp) -> bool {
        let Some(booking) = self.get(id).filter(|b| b.is_active()) else { return false };
        let mut changed = booking.clone();
        let entry = &mut changed.entry;
        if let Some((arrival, departure)) = change.dates {
            (entry.arrival, entry.departure) = (arrival, departure);
        }
        if let Some(room) = change.room_id {
            let Some((property, _)) = self.room(room) else { return false };
            (entry.room_id, entry.property_id) = (room, property.id);
        }
        entry.num_adult = change.num_adult.unwrap_or(entry.num_adult);
        if let Some(price_cents) = change.price_cents {
            entry.price_cents = price_cents;
            changed.invoice_items.charge_anew("Room", super::money::number(price_cents));
        }
        let entry = &mut changed.entry;
        let moves = change.dates.is_some() || change.room_id.is_some();
        let nights = (entry.arrival, entry.departure);
        let needed = i64::from(entry.room_qty);
        if moves && (nights.1 <= nights.0 || self.free(entry.room_id, nights, Some(id)) < needed) {
            return false;
        }
        self.replace(changed, now);
        true
    }

    /// Cancels an active booking and stores the time.
    pub fn cancel(&mut self, id: u64, now: Timestamp) -> bool {
        let Some(booking) = self.get(id).filter(|b| b.is_active()) else { return false };
        let mut cancelled = booking.clone();
        "cancelled".clone_into(&mut cancelled.entry.status);
        self.replace(cancelled, now);
        if let Some(booking) = self.get_mut(id) {
            booking.cancelled = Some(booking.entry.modified);
        }
        true
    }

    /// Replaces a booking. Its modification time always advances, even without other changes, and it moves to another
    /// unit if its own is taken.
    pub fn replace(&mut self, mut booking: BookingRecord, now: Timestamp) {
        // The API has a precision of seconds, so advance by at least one to keep changes distinguishable.
        let next = booking.entry.modified + SignedDuration::from_secs(1);
        booking.entry.modified = whole_second(now).max(next);
        if let Some(before) = self.get(booking.entry.id) {
            let (was, is) = (&before.entry, &booking.entry);
            let moved = (was.room_id, was.arrival, was.departure) != (is.room_id, is.arrival, is.departure);
            let comes_back = !before.takes_rooms();
            if (moved || comes_back) && was.unit_id == is.unit_id && booking.takes_rooms() {
                booking.entry.unit_id = self.free_unit(&booking);
            }
        }
        if let Some(place) = self.get_mut(booking.entry.id) {
            *place = booking;
        }
    }

    /// Rooms of the type left this night; negative if overbooked.
    pub fn available(&self, room: &Beds24RoomType, night: Date) -> i64 {
        self.calendar.stock(room, night) - self.taken(room.id, night, None)
    }

    /// Rooms of the type taken this night, excluding one booking.
    pub fn taken(&self, room_id: u64, night: Date, without: Option<u64>) -> i64 {
        let holds = |b: &&BookingRecord| b.entry.room_id == room_id && Some(b.entry.id) != without && b.holds(night);
        self.bookings.iter().filter(holds).map(|b| i64::from(b.entry.room_qty)).sum()
    }

    /// Minimum number of rooms left over these nights, excluding one booking.
    pub fn free(&self, room_id: u64, (arrival, departure): (Date, Date), without: Option<u64>) -> i64 {
        let Some((_, room)) = self.room(room_id) else { return 0 };
        let left = |night| self.calendar.stock(room, night) - self.taken(room_id, night, without);
        nights(arrival, departure).map(left).min().unwrap_or(0)
    }

    /// First unit that is free for the whole stay; 0 if none.
    fn free_unit(&self, booking: &BookingRecord) -> u32 {
        let e = &booking.entry;
        let Some((_, room)) = self.room(e.room_id) else { return 0 };
        let meets = |other: &BookingRecord| {
            other.entry.id != e.id
                && other.entry.room_id == e.room_id
                && other.takes_rooms()
                && other.entry.arrival < e.departure
                && e.arrival < other.entry.departure
        };
        let taken = |unit: &u32| self.bookings.iter().any(|other| other.entry.unit_id == *unit && meets(other));
        (1..=room.qty).find(|unit| !taken(unit)).unwrap_or(0)
    }
}
