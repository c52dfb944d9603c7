use crate::{
    Change, Completeness, GuestDetails, Header, HttpResponse, Intent, Money, News, Property, Reservation,
    ReservationStatus, RoomStay, RoomType, Route,
};

/// News for the source that has this property.
pub fn change(property_id: Option<&str>, news: News) -> Change {
    Change { route: Route { property_id: property_id.map(str::to_owned), account: None }, news }
}

/// Money with the digits the payload had.
pub fn money(amount: impl Into<String>, currency: Option<&str>) -> Money {
    Money { amount: amount.into(), currency: currency.map(str::to_owned) }
}

/// An answer of plain text.
pub fn reply(status: u16, body: &str) -> HttpResponse {
    let content_type = Header { name: "content-type".to_owned(), value: "text/plain".to_owned() };
    HttpResponse { status, headers: vec![content_type], body: body.as_bytes().to_vec() }
}

impl Reservation {
    /// A whole record of something that happened, which says nothing yet but its id and status.
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
    /// A room of this type.
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

impl Property {
    /// A property of this name.
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
    /// A room type of this property.
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

impl GuestDetails {
    /// A guest of whom nothing is known.
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
        }
    }

    /// Whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        let texts = [&self.id, &self.name, &self.first_name, &self.last_name, &self.email, &self.phone, &self.country];
        texts.iter().all(|text| text.is_none()) && self.language.is_none()
    }
}
