//! Constructors: what must be said is an argument, the rest is "not said" and filled in with `..`:
//! `Reservation { notes, ..Reservation::new(id, status) }`.

use crate::{
    Block, CalendarNights, CalendarPart, Completeness, GuestDetails, Intent, Money, Nights, Price, Property, RatePlan,
    Reservation, ReservationStatus, RoomStay, RoomType, StayRules,
};

impl Reservation {
    /// A full record of something that has happened.
    pub fn new(id: impl Into<String>, status: ReservationStatus) -> Self {
        Self {
            id: id.into(),
            ota_reference: None,
            group_id: None,
            property_id: None,
            rooms: Vec::new(),
            stay: None,
            status,
            source: None,
            guest: None,
            guests: None,
            adults: None,
            children: None,
            infants: None,
            total: None,
            commission: None,
            booked_at: None,
            modified_at: None,
            revision: None,
            notes: None,
            intent: Intent::Fact,
            completeness: Completeness::Full,
            receipt: None,
            extra: Vec::new(),
            raw: None,
        }
    }
}

impl RoomStay {
    /// A room of this type; without one, a room of which nothing is known.
    pub fn new(room_type_id: Option<String>) -> Self {
        Self {
            room_type_id,
            unit_id: None,
            rate_plan_id: None,
            stay: None,
            guests: None,
            adults: None,
            children: None,
            infants: None,
            total: None,
            guest: None,
            extra: Vec::new(),
        }
    }
}

impl GuestDetails {
    /// Nothing said.
    pub const NOTHING: Self = Self {
        id: None,
        name: None,
        first_name: None,
        last_name: None,
        email: None,
        phone: None,
        country: None,
        language: None,
    };

    /// None where nothing is said.
    pub fn said(self) -> Option<Self> {
        (self != Self::NOTHING).then_some(self)
    }
}

impl Block {
    /// These nights are taken out of sale.
    pub fn new(stay: Nights) -> Self {
        Self { id: None, property_id: None, room_type_id: None, unit_id: None, stay, reason: None, raw: None }
    }
}

impl Property {
    /// A property with a name.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            description: None,
            address: None,
            latitude: None,
            longitude: None,
            currency: None,
            time_zone: None,
            thumbnail: None,
            room_types: Vec::new(),
            extra: Vec::new(),
            raw: None,
        }
    }
}

impl RoomType {
    /// A room type of a property.
    pub fn new(id: impl Into<String>, property_id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            property_id: property_id.into(),
            name: name.into(),
            description: None,
            max_occupancy: None,
            quantity: None,
            amenities: Vec::new(),
            extra: Vec::new(),
            raw: None,
        }
    }
}

impl RatePlan {
    /// A set of conditions of a property.
    pub fn new(id: impl Into<String>, property_id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            property_id: property_id.into(),
            room_type_ids: Vec::new(),
            name: name.into(),
            meals: None,
            refundable: None,
            currency: None,
            extra: Vec::new(),
            raw: None,
        }
    }
}

impl CalendarNights {
    /// Nights of a room type of which nothing is said yet.
    pub fn new(room_type_id: impl Into<String>, stay: Nights) -> Self {
        Self {
            property_id: None,
            room_type_id: room_type_id.into(),
            rate_plan_id: None,
            stay,
            available: None,
            units_available: None,
            prices: Vec::new(),
            rules: StayRules::NONE,
            changed: CalendarPart::empty(),
            extra: Vec::new(),
        }
    }
}

impl StayRules {
    /// No rule said.
    pub const NONE: Self = Self {
        min_stay_arrival: None,
        min_stay_through: None,
        max_stay: None,
        exact_stay: None,
        closed_to_arrival: None,
        closed_to_departure: None,
        min_advance_days: None,
        max_advance_days: None,
    };
}

impl Price {
    /// A price of a night, whoever sleeps there.
    pub fn of(amount: Money) -> Self {
        Self { rate_plan_id: None, occupancy: None, amount, tax_included: None }
    }
}
