//! The one table of what a record may say: field, limit and rule of every kind of record, for all plugins, the API and the
//! kit. A fact is mended by it and kept; the strict check of what is asked is what would have to be mended.

use jiff::{Timestamp, civil::Date};
use sha2::{Digest as _, Sha256};

use crate::{
    Address, Block, Calendar, CalendarNight, Collector, Extra, FieldError, Guest, Mended, News, Property, RatePlan,
    Reservation, RoomStay, RoomType, Status, Stay, Validate, is_plausible, mend_text,
    validate::{
        MAX_AMENITIES, MAX_BLOCK_NIGHTS, MAX_ID_CHARS, MAX_NAME_CHARS, MAX_PEOPLE, MAX_PRICE_LINES, MAX_ROOM_TYPES,
        MAX_ROOMS, MAX_STATUS_CHARS, MAX_STAY_RULE, MAX_TEXT_CHARS, MAX_UNITS, YEARS,
    },
};

/// Most findings that are told of one record.
const MAX_FINDINGS: usize = 100;
/// Hexadecimal digits of the hash that ends an id which was too long.
const ID_HASH_CHARS: usize = 16;
/// What stands for a status that is not said.
const UNKNOWN_STATUS: &str = "unknown";

/// What going through the table did to a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mending {
    /// What was cut, replaced or left out.
    pub mended: Vec<Mended>,
    /// What cannot be mended: without it there is nothing to keep.
    pub refused: Vec<FieldError>,
}

/// Records that are mended field by field.
pub trait Mend {
    /// Mends what can be, and says what it did. Doing it again does nothing.
    fn mend(&mut self) -> Mending;
}

impl<T: Record> Mend for T {
    fn mend(&mut self) -> Mending {
        let mut table = Table::default();
        self.go_through(&mut table);
        table.mending()
    }
}

/// Asking is held to the same table: whatever would have to be mended is refused, by field and limit.
impl<T: Record> Validate for T {
    fn validate(&self) -> Vec<FieldError> {
        let mut table = Table::default();
        self.clone().go_through(&mut table);
        table.strict()
    }
}

impl News {
    /// Brings a record into its one form and mends it; news of any other kind has nothing to mend.
    pub fn mend(&mut self) -> Mending {
        match self {
            Self::Property(record) => {
                record.normalise();
                record.mend()
            }
            Self::RoomType(record) => {
                record.normalise();
                record.mend()
            }
            Self::RatePlan(record) => {
                record.normalise();
                record.mend()
            }
            Self::Reservation(record) => {
                record.normalise();
                record.mend()
            }
            Self::Guest(record) => {
                record.normalise();
                record.mend()
            }
            Self::Block(record) => {
                record.normalise();
                record.mend()
            }
            Self::Calendar(record) => record.mend(),
            Self::Removed(_)
            | Self::LookAgain(_)
            | Self::Unreadable(_)
            | Self::Connection(_)
            | Self::Ask(_)
            | Self::Other { .. } => Mending::default(),
        }
    }
}

/// Adds what was noted later to what was noted before; the same thing is noted once.
pub fn join_mended(mended: &mut Vec<Mended>, more: Vec<Mended>) {
    for note in more {
        if mended.len() < MAX_FINDINGS && !mended.contains(&note) {
            mended.push(note);
        }
    }
}

/// A record whose fields stand in the table.
trait Record: Clone {
    /// Its lines of the table, in the order in which people read about them.
    fn go_through(&mut self, table: &mut Table);
}

/// What becomes of a field that is not as it should be.
#[derive(Clone, Copy, PartialEq)]
enum Act {
    /// It is mended, and it is said how.
    Mend(&'static str),
    /// It is mended, and who asks may say it so.
    Allow(&'static str),
    /// It stays as it is: a fact is kept nevertheless.
    Keep,
    /// The record is nothing without it.
    Refuse,
}

const CUT: Act = Act::Mend("it was cut");
const LEFT_OUT: Act = Act::Mend("it was left out");

struct Finding {
    path: String,
    problem: String,
    act: Act,
}

/// The rules, and what they found.
#[derive(Default)]
struct Table {
    /// The record within the record that is gone through.
    within: String,
    found: Vec<Finding>,
    is_full: bool,
}

impl Table {
    fn mending(self) -> Mending {
        let mut mending = Mending::default();
        for Finding { path, problem, act } in self.found {
            match act {
                Act::Mend(how) | Act::Allow(how) => {
                    mending.mended.push(Mended { path, problem: format!("{problem}; {how}") });
                }
                Act::Refuse => mending.refused.push(FieldError { path, problem }),
                Act::Keep => {}
            }
        }
        if self.is_full {
            let problem = format!("has more than {MAX_FINDINGS} fields that had to be mended");
            mending.mended.push(Mended { path: String::new(), problem });
        }
        mending
    }

    fn strict(self) -> Vec<FieldError> {
        let wrong = self.found.into_iter().filter(|finding| !matches!(finding.act, Act::Allow(_)));
        wrong.map(|Finding { path, problem, .. }| FieldError { path, problem }).collect()
    }

    fn add(&mut self, path: &str, problem: impl Into<String>, act: Act) {
        let finding = Finding { path: format!("{}{path}", self.within), problem: problem.into(), act };
        // What cannot be mended is few, and always told.
        if self.found.len() >= MAX_FINDINGS && act != Act::Refuse {
            self.is_full = true;
        } else if !self.found.iter().any(|known| known.path == finding.path && known.problem == finding.problem) {
            self.found.push(finding);
        }
    }

    /// Goes on within a field.
    fn within(&mut self, path: &str, go_on: impl FnOnce(&mut Self)) {
        let length = self.within.len();
        self.within.push_str(path);
        go_on(self);
        self.within.truncate(length);
    }

    /// Goes on within each entry of a list, of which no more than `max` are kept.
    fn each<T>(&mut self, path: &str, list: &mut Vec<T>, max: usize, mut go_on: impl FnMut(&mut Self, &mut T)) {
        if list.len() > max {
            self.add(path, format!("has {} entries; the limit is {max}", list.len()), CUT);
            list.truncate(max);
        }
        for (index, entry) in list.iter_mut().enumerate() {
            let length = self.within.len();
            self.within.push_str(path);
            self.within.push('/');
            self.within.push_str(&index.to_string());
            go_on(self, entry);
            self.within.truncate(length);
        }
    }

    /// A text that is cut.
    fn text(&mut self, path: &str, text: &mut String, max: usize) {
        if let Some(cut) = self.too_long(path, text, max, CUT) {
            text.truncate(cut);
        }
        self.nul(path, text);
    }

    fn some_text(&mut self, path: &str, text: &mut Option<String>, max: usize) {
        if let Some(text) = text {
            self.text(path, text, max);
        }
    }

    /// A name that must be there; the record's id stands in for it.
    fn name(&mut self, path: &str, name: &mut String, id: &str) {
        if name.trim().is_empty() {
            self.add(path, "must not be empty", Act::Mend("its id stands in for it"));
            id.clone_into(name);
        }
        self.text(path, name, MAX_NAME_CHARS);
    }

    /// An id. Two that are too long stay two: a hash of the whole ends what is left.
    fn id(&mut self, path: &str, id: &mut String) {
        let cut = Act::Mend("it was cut, and a hash of it put at its end");
        if self.too_long(path, id, MAX_ID_CHARS, cut).is_some() {
            let hash = hex::encode(Sha256::digest(id.as_bytes()));
            let kept: String = id.chars().take(MAX_ID_CHARS - ID_HASH_CHARS - 1).collect();
            *id = format!("{kept}~{}", hash.get(..ID_HASH_CHARS).unwrap_or_default());
        }
        self.nul(path, id);
    }

    fn some_id(&mut self, path: &str, id: &mut Option<String>) {
        if let Some(id) = id {
            self.id(path, id);
        }
    }

    /// An id without which there is nothing to keep.
    fn own_id(&mut self, path: &str, id: &mut String) {
        if id.trim().is_empty() {
            self.add(path, "must not be empty", Act::Refuse);
        }
        self.id(path, id);
    }

    /// Ids of other records; an empty one names none.
    fn ids(&mut self, path: &str, ids: &mut Vec<String>) {
        self.each(path, ids, MAX_ROOM_TYPES, |table, id| {
            if id.trim().is_empty() {
                table.add("", "must not be empty", LEFT_OUT);
            }
            table.id("", id);
        });
        ids.retain(|id| !id.trim().is_empty());
    }

    /// Where a text is to be cut that is too long.
    fn too_long(&mut self, path: &str, text: &str, max: usize, act: Act) -> Option<usize> {
        if text.len() <= max {
            return None;
        }
        let (cut, _) = text.char_indices().nth(max)?;
        self.add(path, format!("has {} characters; the limit is {max}", text.chars().count()), act);
        Some(cut)
    }

    fn nul(&mut self, path: &str, text: &mut String) {
        if text.contains('\0') {
            let replaced = Act::Mend("what cannot be kept was replaced by U+FFFD");
            self.add(path, "contains a NUL character", replaced);
            *text = mend_text(text).into_owned();
        }
    }

    fn currency(&mut self, path: &str, currency: &mut Option<String>) {
        let Some(code) = currency else { return };
        if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) {
            return;
        }
        let problem = "must be three capital letters, as in ISO 4217";
        let capitals = code.trim().to_ascii_uppercase();
        if capitals.len() == 3 && capitals.bytes().all(|b| b.is_ascii_uppercase()) {
            self.add(path, problem, Act::Mend("it was put in capital letters"));
            *code = capitals;
        } else {
            self.add(path, problem, LEFT_OUT);
            *currency = None;
        }
    }

    /// A country is kept in whatever words it came; a code gets its capitals.
    fn country(&mut self, path: &str, country: &mut Option<String>) {
        self.some_text(path, country, MAX_NAME_CHARS);
        if let Some(code) = country
            && matches!(code.len(), 2 | 3)
            && code.bytes().all(|b| b.is_ascii_alphabetic())
            && code.bytes().any(|b| b.is_ascii_lowercase())
        {
            self.add(path, "is a code in small letters", Act::Allow("it was put in capital letters"));
            code.make_ascii_uppercase();
        }
    }

    /// A number that is left out where it is beyond its limit.
    fn count(&mut self, path: &str, count: &mut Option<u32>, (limit, unit): (u32, &str)) {
        if let Some(number) = count.filter(|number| *number > limit) {
            self.add(path, format!("is {number}; the limit is {limit}{unit}"), LEFT_OUT);
            *count = None;
        }
    }

    fn people<'a>(&mut self, counts: impl IntoIterator<Item = (&'a str, &'a mut Option<u32>)>) {
        for (path, count) in counts {
            self.count(path, count, (MAX_PEOPLE, ""));
        }
    }

    fn day(&mut self, path: &str, day: &mut Option<Date>, act: Act) {
        if day.is_some_and(|day| !is_plausible(day)) {
            self.add(path, format!("must lie between the years {} and {}", YEARS.start(), YEARS.end()), act);
            *day = None;
        }
    }

    fn instant(&mut self, path: &str, instant: &mut Option<Timestamp>) {
        let mut day = instant.map(|instant| instant.to_zoned(jiff::tz::TimeZone::UTC).date());
        self.day(path, &mut day, LEFT_OUT);
        if day.is_none() {
            *instant = None;
        }
    }

    /// Dates that name nights. Those that name none, or too many, are for a person to decide.
    fn stay(&mut self, check_in: &mut Option<Date>, check_out: &mut Option<Date>) {
        if let (Some(check_in), Some(check_out)) = (*check_in, *check_out)
            && let Err(error) = Stay::new(check_in, check_out)
        {
            self.add("/checkOut", error.to_string(), Act::Keep);
        }
        self.day("/checkIn", check_in, LEFT_OUT);
        self.day("/checkOut", check_out, LEFT_OUT);
    }

    fn degrees(&mut self, path: &str, degrees: &mut Option<f64>, limit: f64) {
        if degrees.is_some_and(|d| !d.is_finite() || d.abs() > limit) {
            self.add(path, format!("must lie within ±{limit} degrees"), LEFT_OUT);
            *degrees = None;
        }
    }

    fn extra(&mut self, extra: &mut Extra) {
        if let Some(problem) = extra.problem() {
            self.add("/extra", problem, Act::Mend("as much of it was kept as can be"));
            *extra = std::mem::take(extra).within_bounds();
        }
    }

    fn address(&mut self, path: &str, address: &mut Option<Address>) {
        let Some(Address { street, city, state, postcode, country }) = address else { return };
        self.within(path, |table| {
            for (path, text) in [("/street", street), ("/city", city), ("/state", state), ("/postcode", postcode)] {
                table.some_text(path, text, MAX_NAME_CHARS);
            }
            table.country("/country", country);
        });
    }

    fn guest(&mut self, guest: &mut Guest) {
        let Guest { id, name, first_name, last_name, email, phone, country, language, address, extra } = guest;
        self.some_id("/id", id);
        for (path, text) in [
            ("/name", name),
            ("/firstName", first_name),
            ("/lastName", last_name),
            ("/email", email),
            ("/phone", phone),
        ] {
            self.some_text(path, text, MAX_NAME_CHARS);
        }
        self.country("/country", country);
        self.some_text("/language", language, MAX_NAME_CHARS);
        self.address("/address", address);
        self.extra(extra);
    }
}

impl Record for Property {
    fn go_through(&mut self, table: &mut Table) {
        table.own_id("/id", &mut self.id);
        table.name("/name", &mut self.name, &self.id);
        table.some_text("/description", &mut self.description, MAX_TEXT_CHARS);
        table.some_text("/thumbnail", &mut self.thumbnail, MAX_TEXT_CHARS);
        table.currency("/currency", &mut self.currency);
        if let Some(zone) = &self.time_zone
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            table.add("/timeZone", "is not a name of the IANA time zone database", LEFT_OUT);
            self.time_zone = None;
        }
        table.address("/address", &mut self.address);
        table.ids("/roomTypes", &mut self.room_types);
        table.extra(&mut self.extra);
        table.degrees("/latitude", &mut self.latitude, 90.0);
        table.degrees("/longitude", &mut self.longitude, 180.0);
    }
}

impl Record for RoomType {
    fn go_through(&mut self, table: &mut Table) {
        table.own_id("/id", &mut self.id);
        table.own_id("/propertyId", &mut self.property_id);
        table.name("/name", &mut self.name, &self.id);
        table.some_text("/description", &mut self.description, MAX_TEXT_CHARS);
        table.count("/maxOccupancy", &mut self.max_occupancy, (MAX_PEOPLE, ""));
        table.count("/quantity", &mut self.quantity, (MAX_UNITS, ""));
        table.each("/amenities", &mut self.amenities, MAX_AMENITIES, |table, word| {
            table.text("", word, MAX_NAME_CHARS);
        });
        table.extra(&mut self.extra);
    }
}

impl Record for RatePlan {
    fn go_through(&mut self, table: &mut Table) {
        table.own_id("/id", &mut self.id);
        table.own_id("/propertyId", &mut self.property_id);
        table.name("/name", &mut self.name, &self.id);
        table.some_text("/description", &mut self.description, MAX_TEXT_CHARS);
        table.some_text("/meals", &mut self.meals, MAX_TEXT_CHARS);
        table.ids("/roomTypeIds", &mut self.room_type_ids);
        table.currency("/currency", &mut self.currency);
        table.extra(&mut self.extra);
    }
}

impl Record for Guest {
    fn go_through(&mut self, table: &mut Table) {
        if self.id.is_none() {
            table.add("/id", "is missing", Act::Refuse);
        }
        table.guest(self);
    }
}

impl Record for Calendar {
    fn go_through(&mut self, table: &mut Table) {
        table.some_id("/propertyId", &mut self.property_id);
        table.own_id("/roomTypeId", &mut self.room_type_id);
        table.some_id("/ratePlanId", &mut self.rate_plan_id);
        // The nights of a record are alike but for their dates, and those of a channel were read by its plugin: what is
        // wrong with many of them is told once.
        self.nights.retain(|night| {
            let mut date = Some(night.date);
            table.day("/date", &mut date, LEFT_OUT);
            date.is_some()
        });
        for night in &mut self.nights {
            night.go_through(table);
        }
    }
}

impl Record for CalendarNight {
    fn go_through(&mut self, table: &mut Table) {
        table.currency("/currency", &mut self.currency);
        if self.price.is_some_and(|price| price.ten_thousandths() < 0) {
            table.add("/price", "must not be below zero", LEFT_OUT);
            self.price = None;
        }
        table.count("/occupancy", &mut self.occupancy, (MAX_PEOPLE, ""));
        for (path, days) in [
            ("/minStay", &mut self.min_stay),
            ("/maxStay", &mut self.max_stay),
            ("/minStayThrough", &mut self.min_stay_through),
            ("/exactStay", &mut self.exact_stay),
            ("/minAdvanceDays", &mut self.min_advance_days),
            ("/maxAdvanceDays", &mut self.max_advance_days),
        ] {
            table.count(path, days, (MAX_STAY_RULE, " days"));
        }
        table.extra(&mut self.extra);
    }
}

impl Record for Block {
    fn go_through(&mut self, table: &mut Table) {
        for (path, id) in [
            ("/id", &mut self.id),
            ("/propertyId", &mut self.property_id),
            ("/unitId", &mut self.unit_id),
            ("/roomTypeId", &mut self.room_type_id),
            ("/revision", &mut self.revision),
        ] {
            table.some_id(path, id);
        }
        table.ids("/roomTypeIds", &mut self.room_type_ids);
        table.instant("/modifiedAt", &mut self.modified_at);
        // Left out, it means all units that there are.
        table.count("/units", &mut self.units, (MAX_UNITS, ""));
        table.some_text("/reason", &mut self.reason, MAX_TEXT_CHARS);
        let nights = self.check_in.until(self.check_out).map_or(0, |span| span.get_days());
        if !(1..=MAX_BLOCK_NIGHTS).contains(&nights) {
            let act = if nights < 1 { Act::Refuse } else { CUT };
            let problem = format!("makes a block of {nights} nights; allowed are 1 to {MAX_BLOCK_NIGHTS}");
            table.add("/checkOut", problem, act);
        }
        if nights > MAX_BLOCK_NIGHTS {
            // What is closed for ever is closed for as long as anybody sells.
            self.check_out = self.check_in.saturating_add(jiff::Span::new().days(MAX_BLOCK_NIGHTS));
        }
        table.day("/checkIn", &mut Some(self.check_in), Act::Refuse);
        table.day("/checkOut", &mut Some(self.check_out), Act::Refuse);
        table.extra(&mut self.extra);
        if self.property_id.is_none() && self.room_types().next().is_none() {
            let problem = "is missing: a block names its room types or its property";
            table.add("/roomTypeId", problem, Act::Refuse);
        }
    }
}

impl Record for Reservation {
    fn go_through(&mut self, table: &mut Table) {
        table.own_id("/id", &mut self.id);
        status(&mut self.status, table);
        for (path, id) in [
            ("/groupId", &mut self.group_id),
            ("/propertyId", &mut self.property_id),
            ("/revision", &mut self.revision),
        ] {
            table.some_id(path, id);
        }
        table.some_text("/otaReference", &mut self.ota_reference, MAX_ID_CHARS);
        table.some_text("/source", &mut self.source, MAX_ID_CHARS);
        table.some_text("/notes", &mut self.notes, MAX_TEXT_CHARS);
        table.currency("/currency", &mut self.currency);
        let outer = (self.check_in, self.check_out);
        table.stay(&mut self.check_in, &mut self.check_out);
        table.people([
            ("/guests", &mut self.guests),
            ("/adults", &mut self.adults),
            ("/children", &mut self.children),
            ("/infants", &mut self.infants),
            ("/pets", &mut self.pets),
        ]);
        table.each("/priceLines", &mut self.price_lines, MAX_PRICE_LINES, |table, line| {
            table.text("/name", &mut line.name, MAX_NAME_CHARS);
        });
        if let Some(Collector::Other(word)) = &mut self.collector {
            table.text("/collector", word, MAX_NAME_CHARS);
        }
        table.extra(&mut self.extra);
        table.each("/rooms", &mut self.rooms, MAX_ROOMS, |table, room| room_stay(room, outer, table));
        if self.rooms.is_empty() && self.status.holds_nights() {
            let problem = "is missing: a reservation that holds nights names its room type";
            table.add("/roomTypeId", problem, Act::Keep);
        }
        // What was left out was said to be.
        if self.status.holds_nights() && outer.0.is_none() {
            table.add("/checkIn", "is missing", Act::Keep);
        }
        if self.status.holds_nights() && outer.1.is_none() {
            table.add("/checkOut", "is missing", Act::Keep);
        }
        if let Some(guest) = &mut self.guest {
            table.within("/guest", |table| table.guest(guest));
        }
        table.instant("/holdUntil", &mut self.hold_until);
        table.instant("/bookedAt", &mut self.booked_at);
        table.instant("/modifiedAt", &mut self.modified_at);
        if !table.found.is_empty() {
            // A room whose dates were left out has the outer ones, and its id may be the short form's.
            self.normalise();
        }
    }
}

fn status(status: &mut Status, table: &mut Table) {
    let Status::Other(word) = status else { return };
    if word.trim().is_empty() {
        table.add("/status", "must not be empty", Act::Mend("it is taken for unknown"));
        UNKNOWN_STATUS.clone_into(word);
        return;
    }
    if word.trim() != word.as_str() {
        table.add("/status", "has space around it", Act::Mend("it was taken away"));
        *word = word.trim().to_owned();
    }
    table.text("/status", word, MAX_STATUS_CHARS);
    let Ok(known) = word.parse();
    *status = known;
}

fn room_stay(room: &mut RoomStay, outer: (Option<Date>, Option<Date>), table: &mut Table) {
    if (room.check_in, room.check_out) == outer {
        // A room filled from the outer dates would only repeat their error.
        let unsaid = |day: Option<Date>| day.filter(|day| is_plausible(*day));
        (room.check_in, room.check_out) = (unsaid(room.check_in), unsaid(room.check_out));
    } else {
        table.stay(&mut room.check_in, &mut room.check_out);
    }
    for (path, id) in [
        ("/id", &mut room.id),
        ("/roomTypeId", &mut room.room_type_id),
        ("/unitId", &mut room.unit_id),
        ("/ratePlanId", &mut room.rate_plan_id),
    ] {
        table.some_id(path, id);
    }
    table.people([
        ("/guests", &mut room.guests),
        ("/adults", &mut room.adults),
        ("/children", &mut room.children),
        ("/infants", &mut room.infants),
    ]);
    table.extra(&mut room.extra);
    if let Some(guest) = &mut room.guest {
        table.within("/guest", |table| table.guest(guest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Reservation {
        let mut reservation: Reservation = serde_json::from_str(json).expect("a reservation");
        reservation.normalise();
        reservation
    }

    fn paths(mending: &Mending) -> Vec<&str> {
        mending.mended.iter().map(|mended| mended.path.as_str()).collect()
    }

    #[test]
    fn strictness_names_the_field_and_the_limit() {
        let reservation =
            read(r#"{"id":"","status":"confirmed","checkIn":"2027-05-03","checkOut":"2027-05-03","currency":"euro"}"#);
        let paths: Vec<String> = reservation.validate().into_iter().map(|e| e.path).collect();
        assert_eq!(paths, ["/id", "/currency", "/checkOut", "/roomTypeId"]);
    }

    #[test]
    fn a_fact_is_mended_and_the_same_is_refused_of_a_request() {
        let long = "é".repeat(300);
        let json = serde_json::json!({
            "id": "r", "status": " confirmed ", "roomTypeId": long, "checkIn": "2027-05-03", "checkOut": "2029-10-19",
            "currency": "eur", "notes": "a\u{0}b", "adults": 5_000, "bookedAt": "0001-01-01T00:00:00Z",
            "guest": { "email": format!("{}@example.org", "x".repeat(260)), "country": "pt" },
            "extra": { "a": "x\u{0}" },
            "priceLines": (0..101).map(|_| serde_json::json!({ "kind": "fee", "name": "", "amount": 1 })).collect::<Vec<_>>(),
        });
        let mut reservation = read(&json.to_string());
        let asked = reservation.clone();
        let mending = reservation.mend();
        assert_eq!(mending.refused, []);
        assert_eq!(
            paths(&mending),
            [
                "/status",
                "/notes",
                "/currency",
                "/adults",
                "/priceLines",
                "/extra",
                "/rooms/0/roomTypeId",
                "/rooms/0/adults",
                "/guest/email",
                "/guest/country",
                "/bookedAt"
            ]
        );
        assert_eq!(mending.mended[8].problem, "has 272 characters; the limit is 255; it was cut");
        assert_eq!((&reservation.status, reservation.currency.as_deref()), (&Status::Confirmed, Some("EUR")));
        assert_eq!((reservation.notes.as_deref(), reservation.adults), (Some("a\u{fffd}b"), None));
        assert_eq!(reservation.extra.get("a"), Some(&"x\u{fffd}".into()));
        assert_eq!(reservation.price_lines.len(), MAX_PRICE_LINES);
        let room = reservation.rooms[0].room_type_id.as_deref().expect("a room type");
        assert!(room.chars().count() == MAX_ID_CHARS && room.starts_with("éé"), "{room}");
        assert_eq!(reservation.room_type_id.as_deref(), Some(room));
        assert_eq!(reservation.validate(), [], "what was mended passes");
        assert_eq!(reservation.clone().mend(), Mending::default());
        let refused: Vec<String> = asked.validate().into_iter().map(|error| error.path).collect();
        assert_eq!(refused.len(), mending.mended.len() - 1, "a country may be asked for in small letters: {refused:?}");
    }

    #[test]
    fn long_ids_stay_apart() {
        let cut = |last: &str| {
            let mut id = format!("{}{last}", "a".repeat(300));
            Table::default().id("/id", &mut id);
            id
        };
        assert_ne!(cut("1"), cut("2"));
        assert_eq!(cut("1").len(), MAX_ID_CHARS);
    }

    #[test]
    fn dates_that_nobody_means_are_left_out_and_those_of_nights_kept() {
        let mut odd = read(
            r#"{"id":"r","status":"confirmed","checkIn":"2027-05-03","checkOut":"2027-05-05",
                "rooms":[{"roomTypeId":"t","checkIn":"0001-01-01"},{"roomTypeId":"t"}]}"#,
        );
        assert_eq!(paths(&odd.mend()), ["/rooms/0/checkIn"]);
        assert_eq!(odd.rooms[0].check_in, odd.check_in);
        let mut none =
            read(r#"{"id":"r","status":"confirmed","roomTypeId":"t","checkIn":"0001-01-01","checkOut":"0001-01-02"}"#);
        assert_eq!(paths(&none.mend()), ["/checkIn", "/checkOut"]);
        assert_eq!((none.check_in, none.rooms[0].check_out), (None, None));
        let mut no_nights =
            read(r#"{"id":"r","status":"confirmed","roomTypeId":"t","checkIn":"2027-05-03","checkOut":"2027-05-03"}"#);
        assert_eq!(no_nights.mend(), Mending::default(), "a person decides");
        assert_eq!(no_nights.validate()[0].path, "/checkOut");
    }

    #[test]
    fn groups_and_long_lets_fit() {
        let rooms: Vec<_> = (0..130).map(|_| serde_json::json!({ "roomTypeId": "t" })).collect();
        let json = serde_json::json!({
            "id": "r", "status": "confirmed", "checkIn": "2027-01-01", "checkOut": "2029-06-19", "rooms": rooms,
        });
        assert_eq!(read(&json.to_string()).validate(), []);
    }

    #[test]
    fn only_identity_and_nights_refuse() {
        let refused = |json: &str| -> Vec<String> { read(json).mend().refused.into_iter().map(|e| e.path).collect() };
        assert_eq!(refused(r#"{"id":" ","status":"cancelled"}"#), ["/id"]);
        assert!(refused(r#"{"id":"r","status":""}"#).is_empty());
        let block = |json: &str| serde_json::from_str::<Block>(json).expect("a block");
        let mut for_ever = block(r#"{"roomTypeId":"t","checkIn":"2027-01-01","checkOut":"9999-12-31"}"#);
        let mending = for_ever.mend();
        assert_eq!((paths(&mending), mending.refused.len()), (vec!["/checkOut"], 0));
        assert_eq!(for_ever.check_out.to_string(), "2037-01-08");
        let nothing = block(r#"{"checkIn":"2027-01-01","checkOut":"2027-01-01"}"#).mend().refused;
        assert_eq!(nothing.iter().map(|e| e.path.as_str()).collect::<Vec<_>>(), ["/checkOut", "/roomTypeId"]);
    }

    #[test]
    fn houses_and_calendars_are_mended() {
        let mut house: Property = serde_json::from_str(
            r#"{"id":"h","name":" ","latitude":91,"longitude":-200.5,"currency":"€","timeZone":"Mars/Olympus"}"#,
        )
        .expect("a property");
        assert_eq!(paths(&house.mend()), ["/name", "/currency", "/timeZone", "/latitude", "/longitude"]);
        assert_eq!((house.name.as_str(), house.latitude, house.time_zone), ("h", None, None));
        let mut calendar: Calendar = serde_json::from_str(
            r#"{"roomTypeId":"t","nights":[{"date":"0001-01-01"},{"date":"2027-01-01","price":-1,"minStay":10000},
                {"date":"2027-01-02","price":-1}]}"#,
        )
        .expect("a calendar");
        assert_eq!(paths(&calendar.mend()), ["/date", "/price", "/minStay"]);
        assert_eq!(calendar.nights.len(), 2);
        assert_eq!(calendar.nights[0], CalendarNight::new(jiff::civil::date(2027, 1, 1)));
    }

    #[test]
    fn notes_are_bounded() {
        let rooms: Vec<_> = (0..150).map(|_| serde_json::json!({ "roomTypeId": "t", "adults": 2_000 })).collect();
        let json = serde_json::json!({ "id": "r", "status": "cancelled", "rooms": rooms });
        assert_eq!(read(&json.to_string()).mend().mended.len(), MAX_FINDINGS + 1);
    }
}
