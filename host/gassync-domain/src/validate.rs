use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{Address, Block, Calendar, Extra, Guest, Property, RatePlan, Reservation, RoomType, Status, Stay};

/// The longest id, in characters.
pub const MAX_ID_CHARS: usize = 255;
/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 255;
/// The longest free text, in characters.
const MAX_TEXT_CHARS: usize = 20_000;
/// Most lines of a price.
pub const MAX_PRICE_LINES: usize = 100;
/// Most room types that a record names.
const MAX_ROOM_TYPES: usize = 10_000;
/// Most nights of a block.
pub const MAX_BLOCK_NIGHTS: i32 = 3_660;
/// Most rooms in one reservation.
pub const MAX_ROOMS: usize = 100;
/// Most nights that a rule of stay may ask for or allow.
const MAX_STAY_RULE: u32 = 9_999;
/// Most units of one room type.
const MAX_UNITS: u32 = 100_000;
/// Most people of one kind in one reservation.
const MAX_PEOPLE: u32 = 1_000;

/// The years that dates are taken for real in.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2999;

/// Whether a day is one that anybody means.
pub fn is_plausible(day: Date) -> bool {
    YEARS.contains(&day.year())
}

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

    fn day(&mut self, path: &str, day: Option<Date>) {
        if day.is_some_and(|day| !is_plausible(day)) {
            self.add(path, format!("must lie between the years {} and {}", YEARS.start(), YEARS.end()));
        }
    }

    fn instant(&mut self, path: &str, instant: Option<Timestamp>) {
        self.day(path, instant.map(|instant| instant.to_zoned(jiff::tz::TimeZone::UTC).date()));
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
        self.day(&format!("{path}/checkIn"), check_in);
        self.day(&format!("{path}/checkOut"), check_out);
    }

    fn address(&mut self, path: &str, address: &Option<Address>) {
        let Some(Address { street, city, state, postcode, country }) = address else { return };
        let fields =
            [("street", street), ("city", city), ("state", state), ("postcode", postcode), ("country", country)];
        for (field, text) in fields {
            self.texts(MAX_NAME_CHARS, [(format!("{path}/{field}").as_str(), text)]);
        }
    }

    fn extra(&mut self, path: &str, extra: &Extra) {
        if let Some(problem) = extra.problem() {
            self.add(format!("{path}/extra"), problem);
        }
    }

    /// Ids of room types, or the like.
    fn ids(&mut self, path: &str, ids: &[String]) {
        if ids.len() > MAX_ROOM_TYPES {
            self.add(path, format!("has {} entries; the limit is {MAX_ROOM_TYPES}", ids.len()));
        }
        for (index, id) in ids.iter().enumerate().take(MAX_ROOM_TYPES) {
            self.required(&format!("{path}/{index}"), id, MAX_ID_CHARS);
        }
    }

    fn guest(&mut self, path: &str, guest: &Guest) {
        let fields = [
            ("id", &guest.id),
            ("name", &guest.name),
            ("firstName", &guest.first_name),
            ("lastName", &guest.last_name),
            ("email", &guest.email),
            ("phone", &guest.phone),
            ("country", &guest.country),
            ("language", &guest.language),
        ];
        for (field, text) in fields {
            self.texts(MAX_NAME_CHARS, [(format!("{path}/{field}").as_str(), text)]);
        }
        self.address(&format!("{path}/address"), &guest.address);
        self.extra(path, &guest.extra);
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
        found.address("/address", &self.address);
        found.extra("", &self.extra);
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
        if let Some(quantity) = self.quantity.filter(|quantity| *quantity > MAX_UNITS) {
            found.add("/quantity", format!("is {quantity}; the limit is {MAX_UNITS}"));
        }
        found.extra("", &self.extra);
        found.0
    }
}

impl Validate for RatePlan {
    fn validate(&self) -> Vec<FieldError> {
        let mut found = Findings::default();
        found.required("/id", &self.id, MAX_ID_CHARS);
        found.required("/propertyId", &self.property_id, MAX_ID_CHARS);
        found.required("/name", &self.name, MAX_NAME_CHARS);
        found.texts(MAX_TEXT_CHARS, [("/description", &self.description), ("/meals", &self.meals)]);
        found.ids("/roomTypeIds", &self.room_type_ids);
        found.currency(&self.currency);
        found.extra("", &self.extra);
        found.0
    }
}

impl Validate for Guest {
    fn validate(&self) -> Vec<FieldError> {
        let mut found = Findings::default();
        if self.id.is_none() {
            found.add("/id", "is missing");
        }
        found.guest("", self);
        found.0
    }
}

impl Validate for Calendar {
    fn validate(&self) -> Vec<FieldError> {
        let mut found = Findings::default();
        found.required("/roomTypeId", &self.room_type_id, MAX_ID_CHARS);
        found.texts(MAX_ID_CHARS, [("/ratePlanId", &self.rate_plan_id)]);
        // The nights of a record are alike but for their dates, and those of a channel were read by its plugin.
        for night in &self.nights {
            let before = found.0.len();
            found.day("/date", Some(night.date));
            found.currency(&night.currency);
            if night.price.is_some_and(|price| price.ten_thousandths() < 0) {
                found.add("/price", "must not be below zero");
            }
            for (path, days) in [
                ("/minStay", night.min_stay),
                ("/maxStay", night.max_stay),
                ("/minStayThrough", night.min_stay_through),
                ("/exactStay", night.exact_stay),
                ("/minAdvanceDays", night.min_advance_days),
                ("/maxAdvanceDays", night.max_advance_days),
            ] {
                if let Some(days) = days.filter(|days| *days > MAX_STAY_RULE) {
                    found.add(path, format!("is {days}; the limit is {MAX_STAY_RULE} days"));
                }
            }
            found.extra("", &night.extra);
            if found.0.len() > before {
                break;
            }
        }
        found.0
    }
}

impl Validate for Block {
    fn validate(&self) -> Vec<FieldError> {
        let mut found = Findings::default();
        found.texts(MAX_ID_CHARS, [("/id", &self.id), ("/propertyId", &self.property_id), ("/unitId", &self.unit_id)]);
        found.texts(MAX_ID_CHARS, [("/roomTypeId", &self.room_type_id), ("/revision", &self.revision)]);
        found.ids("/roomTypeIds", &self.room_type_ids);
        found.instant("/modifiedAt", self.modified_at);
        if let Some(units) = self.units.filter(|units| *units > MAX_UNITS) {
            found.add("/units", format!("is {units}; the limit is {MAX_UNITS}"));
        }
        found.texts(MAX_TEXT_CHARS, [("/reason", &self.reason)]);
        let nights = self.check_in.until(self.check_out).map_or(0, |span| span.get_days());
        if !(1..=MAX_BLOCK_NIGHTS).contains(&nights) {
            found.add("/checkOut", format!("makes a block of {nights} nights; allowed are 1 to {MAX_BLOCK_NIGHTS}"));
        }
        found.day("/checkIn", Some(self.check_in));
        found.day("/checkOut", Some(self.check_out));
        found.extra("", &self.extra);
        if self.property_id.is_none() && self.room_types().next().is_none() {
            found.add("/roomTypeId", "is missing: a block names its room types or its property");
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
        found.people("/pets", self.pets);
        if self.price_lines.len() > MAX_PRICE_LINES {
            let lines = self.price_lines.len();
            found.add("/priceLines", format!("has {lines} entries; the limit is {MAX_PRICE_LINES}"));
        }
        for (index, line) in self.price_lines.iter().enumerate().take(MAX_PRICE_LINES) {
            found.length(&format!("/priceLines/{index}/name"), &line.name, MAX_NAME_CHARS);
        }
        found.extra("", &self.extra);
        if self.rooms.len() > MAX_ROOMS {
            found.add("/rooms", format!("has {} entries; the limit is {MAX_ROOMS}", self.rooms.len()));
        }
        for (index, room) in self.rooms.iter().enumerate().take(MAX_ROOMS) {
            // A room filled from the outer dates would only repeat their error.
            if (room.check_in, room.check_out) != (self.check_in, self.check_out) {
                found.stay(&format!("/rooms/{index}"), room.check_in, room.check_out);
            }
            for (field, id) in [("id", &room.id), ("roomTypeId", &room.room_type_id)] {
                found.texts(MAX_ID_CHARS, [(format!("/rooms/{index}/{field}").as_str(), id)]);
            }
            found.extra(&format!("/rooms/{index}"), &room.extra);
            if let Some(guest) = &room.guest {
                found.guest(&format!("/rooms/{index}/guest"), guest);
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
            found.guest("/guest", guest);
        }
        found.instant("/holdUntil", self.hold_until);
        found.instant("/bookedAt", self.booked_at);
        found.instant("/modifiedAt", self.modified_at);
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
