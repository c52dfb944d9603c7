use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Guest, Property, Reservation, RoomType, Status, Stay};

/// The longest id, in characters.
pub const MAX_ID_CHARS: usize = 255;
/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 255;
/// The longest free text, in characters.
const MAX_TEXT_CHARS: usize = 20_000;
/// Most rooms in one reservation.
pub const MAX_ROOMS: usize = 100;
/// Most people of one kind in one reservation.
const MAX_PEOPLE: u32 = 1_000;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// A JSON pointer into the record.
    pub path: String,
    /// What is wrong, and the limit where there is one.
    pub problem: String,
}

/// Records that can be wrong.
pub trait Validate {
    /// All that is wrong with it; empty when it may be stored.
    fn validate(&self) -> Vec<FieldError>;
}

#[derive(Default)]
struct Findings(Vec<FieldError>);

impl Findings {
    fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push(FieldError { path: path.into(), problem: problem.into() });
    }

    fn required(&mut self, path: &str, text: &str, max: usize) {
        if text.trim().is_empty() {
            self.add(path, "must not be empty");
        }
        self.length(path, text, max);
    }

    fn length(&mut self, path: &str, text: &str, max: usize) {
        let chars = text.chars().count();
        if chars > max {
            self.add(path, format!("has {chars} characters; the limit is {max}"));
        }
        if text.contains('\0') {
            self.add(path, "contains a NUL character");
        }
    }

    fn texts<'a>(&mut self, max: usize, fields: impl IntoIterator<Item = (&'a str, &'a Option<String>)>) {
        for (path, text) in fields {
            if let Some(text) = text {
                self.length(path, text, max);
            }
        }
    }

    fn currency(&mut self, currency: &Option<String>) {
        if let Some(code) = currency
            && !(code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()))
        {
            self.add("/currency", "must be three capital letters, as in ISO 4217");
        }
    }

    fn people(&mut self, path: &str, count: Option<u32>) {
        if let Some(count) = count.filter(|c| *c > MAX_PEOPLE) {
            self.add(path, format!("is {count}; the limit is {MAX_PEOPLE}"));
        }
    }

    fn stay(&mut self, path: &str, check_in: Option<Date>, check_out: Option<Date>) {
        if let (Some(check_in), Some(check_out)) = (check_in, check_out)
            && let Err(error) = Stay::new(check_in, check_out)
        {
            self.add(format!("{path}/checkOut"), error.to_string());
        }
    }

    fn guest(&mut self, guest: &Guest) {
        self.texts(
            MAX_NAME_CHARS,
            [
                ("/guest/id", &guest.id),
                ("/guest/name", &guest.name),
                ("/guest/firstName", &guest.first_name),
                ("/guest/lastName", &guest.last_name),
                ("/guest/email", &guest.email),
                ("/guest/phone", &guest.phone),
                ("/guest/country", &guest.country),
                ("/guest/language", &guest.language),
            ],
        );
    }
}

impl Validate for Property {
    fn validate(&self) -> Vec<FieldError> {
        let mut found = Findings::default();
        found.required("/id", &self.id, MAX_ID_CHARS);
        found.required("/name", &self.name, MAX_NAME_CHARS);
        found.texts(MAX_TEXT_CHARS, [("/description", &self.description), ("/thumbnail", &self.thumbnail)]);
        found.currency(&self.currency);
        if let Some(zone) = &self.time_zone
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            found.add("/timeZone", "is not a name of the IANA time zone database");
        }
        if let Some(address) = &self.address {
            found.texts(
                MAX_NAME_CHARS,
                [
                    ("/address/street", &address.street),
                    ("/address/city", &address.city),
                    ("/address/state", &address.state),
                    ("/address/postcode", &address.postcode),
                    ("/address/country", &address.country),
                ],
            );
        }
        for (path, degrees, limit) in [("/latitude", self.latitude, 90.0), ("/longitude", self.longitude, 180.0)] {
            if degrees.is_some_and(|d| !d.is_finite() || d.abs() > limit) {
                found.add(path, format!("must lie within ±{limit} degrees"));
            }
        }
        found.0
    }
}

impl Validate for RoomType {
    fn validate(&self) -> Vec<FieldError> {
        let mut found = Findings::default();
        found.required("/id", &self.id, MAX_ID_CHARS);
        found.required("/propertyId", &self.property_id, MAX_ID_CHARS);
        found.required("/name", &self.name, MAX_NAME_CHARS);
        found.texts(MAX_TEXT_CHARS, [("/description", &self.description)]);
        found.people("/maxOccupancy", self.max_occupancy);
        if let Some(quantity) = self.quantity.filter(|q| *q > 100_000) {
            found.add("/quantity", format!("is {quantity}; the limit is 100000"));
        }
        found.0
    }
}

impl Validate for Reservation {
    fn validate(&self) -> Vec<FieldError> {
        let mut found = Findings::default();
        found.required("/id", &self.id, MAX_ID_CHARS);
        found.required("/status", self.status.as_str(), 50);
        found.texts(
            MAX_ID_CHARS,
            [
                ("/otaReference", &self.ota_reference),
                ("/groupId", &self.group_id),
                ("/propertyId", &self.property_id),
                ("/source", &self.source),
                ("/revision", &self.revision),
            ],
        );
        found.texts(MAX_TEXT_CHARS, [("/notes", &self.notes)]);
        found.currency(&self.currency);
        found.stay("", self.check_in, self.check_out);
        found.people("/guests", self.guests);
        found.people("/adults", self.adults);
        found.people("/children", self.children);
        found.people("/infants", self.infants);
        if self.rooms.len() > MAX_ROOMS {
            found.add("/rooms", format!("has {} entries; the limit is {MAX_ROOMS}", self.rooms.len()));
        }
        for (index, room) in self.rooms.iter().enumerate().take(MAX_ROOMS) {
            // A room filled from the outer dates would only repeat their error.
            if (room.check_in, room.check_out) != (self.check_in, self.check_out) {
                found.stay(&format!("/rooms/{index}"), room.check_in, room.check_out);
            }
            if let Some(id) = &room.room_type_id {
                found.length(&format!("/rooms/{index}/roomTypeId"), id, MAX_ID_CHARS);
            }
        }
        if self.rooms.is_empty() && self.status.holds_nights() {
            found.add("/roomTypeId", "is missing: a reservation that holds nights names its room type");
        }
        if self.status.holds_nights() && self.check_in.is_none() {
            found.add("/checkIn", "is missing");
        }
        if self.status.holds_nights() && self.check_out.is_none() {
            found.add("/checkOut", "is missing");
        }
        if let Some(guest) = &self.guest {
            found.guest(guest);
        }
        if let Status::Other(word) = &self.status
            && word.trim() != word
        {
            found.add("/status", "has space around it");
        }
        found.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_field_and_the_limit() {
        let mut reservation: Reservation = serde_json::from_str(
            r#"{"id":"","status":"confirmed","checkIn":"2027-05-03","checkOut":"2027-05-03","currency":"euro"}"#,
        )
        .expect("a reservation");
        reservation.normalise();
        let paths: Vec<String> = reservation.validate().into_iter().map(|e| e.path).collect();
        assert_eq!(paths, ["/id", "/currency", "/checkOut", "/roomTypeId"]);
    }
}
