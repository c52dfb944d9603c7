use std::fmt;

use crate::{
    Accepted, Address, Block, CalendarNights, CalendarPart, Change, ChangeKind, ChannelError, Completeness, Entity,
    FieldError, GuestDetails, Header, Hint, HttpResponse, Intent, Money, Nights, Outcome, Page, Property, Query,
    RatePlan, Reservation, ReservationStatus, RoomStay, RoomType, Route, Scope, StayQuery, StayRules, Subscribed,
    notes::take_notes,
};

/// A change for the source with this property, including the [notes](crate::note) made while reading it.
pub fn change(property_id: Option<&str>, data: ChangeKind) -> Change {
    let route = Route { property_id: property_id.map(str::to_owned), account: None };
    Change { route, data, notes: take_notes() }
}

/// Something changed: the host fetches this record or, without an id, all changed records of its kind.
pub fn refetch(entity: Entity, id: Option<String>) -> ChangeKind {
    ChangeKind::Refetch(Hint { entity, id })
}

/// Money with the digits of the payload.
pub fn money(amount: impl Into<String>, currency: Option<&str>) -> Money {
    Money { amount: amount.into(), currency: currency.map(str::to_owned) }
}

/// A plain-text response.
pub fn reply(status: u16, body: &str) -> HttpResponse {
    reply_with(status, "text/plain", body)
}

/// A response with a content type.
pub fn reply_with(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> HttpResponse {
    let content_type = Header { name: "content-type".to_owned(), value: content_type.to_owned() };
    HttpResponse { status, headers: vec![content_type], body: body.into() }
}

/// Accepted, with the channel's id if it returned one.
pub fn accepted(channel_id: Option<String>) -> Outcome {
    Outcome::Accepted(Accepted { channel_id, replaces: None, confirmed: true, warnings: Vec::new() })
}

/// The payload cannot be read: the place, usually a JSON pointer or element names, and the problem. An empty place
/// means the whole payload.
pub fn malformed(place: impl fmt::Display, problem: impl fmt::Display) -> ChannelError {
    let place = place.to_string();
    ChannelError::Malformed(if place.is_empty() { problem.to_string() } else { format!("{place}: {problem}") })
}

impl Page {
    /// The only page of a fetch; records it does not contain are unaffected.
    pub fn of(changes: Vec<Change>) -> Self {
        Self { changes, next: None, resume: None, scope: Scope::Delta, wait_seconds: None }
    }
}

impl Query {
    /// A query for records of a kind, first page.
    pub fn new(entity: crate::Entity, selection: crate::Selection) -> Self {
        Self { entity, selection, property_id: None, room_type_id: None, cursor: None }
    }
}

impl FieldError {
    /// A field error: JSON pointer (empty for the whole) and problem.
    pub fn new(path: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self { path: path.to_string(), problem: problem.to_string() }
    }
}

impl StayRules {
    /// No known values.
    pub fn unknown() -> Self {
        Self {
            min_stay_arrival: None,
            min_stay_through: None,
            max_stay: None,
            exact_stay: None,
            closed_to_arrival: None,
            closed_to_departure: None,
            min_advance_days: None,
            max_advance_days: None,
        }
    }
}

impl CalendarNights {
    /// Nights of a room type, without values.
    pub fn new(room_type_id: impl Into<String>, stay: Nights) -> Self {
        Self {
            property_id: None,
            room_type_id: room_type_id.into(),
            rate_plan_id: None,
            stay,
            available: None,
            units_available: None,
            prices: Vec::new(),
            rules: StayRules::unknown(),
            changed: CalendarPart::empty(),
            extra: Vec::new(),
        }
    }
}

impl RatePlan {
    /// A rate plan of a property.
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

impl Reservation {
    /// A complete record with only id and status.
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
            pets: None,
            total: None,
            price_lines: Vec::new(),
            commission: None,
            payout: None,
            payment_collected_by: None,
            booked_at: None,
            modified_at: None,
            revision: None,
            notes: None,
            intent: Intent::Fact,
            completeness: Completeness::Full,
            acknowledgement_token: None,
            extra: Vec::new(),
            raw: None,
        }
    }
}

impl RoomStay {
    /// A room of a type.
    pub fn new(room_type_id: Option<String>) -> Self {
        Self {
            id: None,
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

impl Address {
    /// An empty address.
    pub fn unknown() -> Self {
        Self { street: None, city: None, state: None, postcode: None, country: None }
    }
}

impl GuestDetails {
    /// A guest without details.
    pub fn unknown() -> Self {
        Self {
            id: None,
            name: None,
            first_name: None,
            last_name: None,
            email: None,
            phone: None,
            country: None,
            language: None,
            address: None,
            extra: Vec::new(),
        }
    }

    /// The guest with an address: sets the country unless already set, and the address if there is more than a country.
    #[must_use]
    pub fn living_at(mut self, address: Address) -> Self {
        self.country = self.country.or_else(|| address.country.clone());
        self.address =
            Some(address).filter(|a| [&a.street, &a.city, &a.state, &a.postcode].iter().any(|l| l.is_some()));
        self
    }

    /// True if all fields are empty.
    pub fn is_unknown(&self) -> bool {
        let texts = [&self.id, &self.name, &self.first_name, &self.last_name, &self.email, &self.phone, &self.country];
        let is_silent = texts.iter().all(|text| text.is_none()) && self.language.is_none();
        is_silent && self.address.is_none() && self.extra.is_empty()
    }
}

impl Block {
    /// A block of these room types, or of the whole property if empty.
    pub fn new(room_type_ids: Vec<String>, stay: Nights) -> Self {
        Self {
            id: None,
            property_id: None,
            room_type_ids,
            unit_id: None,
            units: None,
            stay,
            reason: None,
            modified_at: None,
            revision: None,
            extra: Vec::new(),
            raw: None,
        }
    }
}

impl StayQuery {
    /// A stay query for these nights of a property, without occupancy.
    pub fn new(property_id: Option<String>, stay: Nights) -> Self {
        Self {
            property_id,
            room_type_id: None,
            rate_plan_id: None,
            stay,
            occupancy: None,
            replaces: None,
            extra: Vec::new(),
        }
    }
}

impl Subscribed {
    /// A subscription without manual steps.
    pub fn to(ids: Vec<String>) -> Self {
        Self { ids, steps: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_is_known_by_anything_that_is_said() {
        assert!(GuestDetails::unknown().is_unknown());
        for known in [
            GuestDetails { language: Some("fi".to_owned()), ..GuestDetails::unknown() },
            GuestDetails { address: Some(Address::unknown()), ..GuestDetails::unknown() },
            GuestDetails { extra: vec![("club".to_owned(), "true".to_owned())], ..GuestDetails::unknown() },
        ] {
            assert!(!known.is_unknown(), "{known:?}");
        }
    }

    #[test]
    fn a_country_alone_is_no_address() {
        let of = |country: &str| Address { country: Some(country.to_owned()), ..Address::unknown() };
        let guest = GuestDetails::unknown().living_at(of("PT"));
        assert_eq!((guest.country.as_deref(), guest.address), (Some("PT"), None));
        let town = Address { city: Some("Faro".to_owned()), ..of("PT") };
        let guest = GuestDetails { country: Some("FI".to_owned()), ..GuestDetails::unknown() }.living_at(town.clone());
        assert_eq!((guest.country.as_deref(), guest.address), (Some("FI"), Some(town)), "she comes from elsewhere");
        assert!(GuestDetails::unknown().living_at(Address::unknown()).is_unknown());
    }
}
