//! The entries of the table: field, limit and rule.

use jiff::civil::Date;

use super::table::{Act, CUT, LEFT_OUT, Record, Table};
use crate::{
    Block, Calendar, CalendarNight, Guest, PaymentCollectedBy, Property, RatePlan, Reservation, RoomStay, RoomType,
    Status, is_plausible,
    validate::{
        MAX_AMENITIES, MAX_BLOCK_NIGHTS, MAX_ID_CHARS, MAX_NAME_CHARS, MAX_PEOPLE, MAX_PRICE_LINES, MAX_ROOMS,
        MAX_STATUS_CHARS, MAX_STAY_RULE, MAX_TEXT_CHARS, MAX_UNITS,
    },
};

/// The status of a record without one.
const UNKNOWN_STATUS: &str = "unknown";

impl Record for Property {
    fn mend_fields(&mut self, table: &mut Table) {
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
    fn mend_fields(&mut self, table: &mut Table) {
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
    fn mend_fields(&mut self, table: &mut Table) {
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
    fn mend_fields(&mut self, table: &mut Table) {
        if self.id.is_none() {
            table.add("/id", "is missing", Act::Refuse);
        }
        table.guest(self);
    }
}

impl Record for Calendar {
    fn mend_fields(&mut self, table: &mut Table) {
        table.some_id("/propertyId", &mut self.property_id);
        table.own_id("/roomTypeId", &mut self.room_type_id);
        table.some_id("/ratePlanId", &mut self.rate_plan_id);
        // Nights differ only by date, so the same problem of many nights is reported once.
        self.nights.retain(|night| {
            let mut date = Some(night.date);
            table.day("/date", &mut date, LEFT_OUT);
            date.is_some()
        });
        for night in &mut self.nights {
            night.mend_fields(table);
        }
    }
}

impl Record for CalendarNight {
    fn mend_fields(&mut self, table: &mut Table) {
        table.currency("/currency", &mut self.currency);
        if self.price.is_some_and(|price| price.ten_thousandths() < 0) {
            table.add("/price", "must not be below zero", LEFT_OUT);
            self.price = None;
        }
        table.count("/occupancy", &mut self.occupancy, (MAX_PEOPLE, ""));
        for (path, days) in [
            ("/minStay", &mut self.rules.min_stay),
            ("/maxStay", &mut self.rules.max_stay),
            ("/minStayThrough", &mut self.rules.min_stay_through),
            ("/exactStay", &mut self.rules.exact_stay),
            ("/minAdvanceDays", &mut self.rules.min_advance_days),
            ("/maxAdvanceDays", &mut self.rules.max_advance_days),
        ] {
            table.count(path, days, (MAX_STAY_RULE, " days"));
        }
        table.extra(&mut self.extra);
    }
}

impl Record for Block {
    fn mend_fields(&mut self, table: &mut Table) {
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
        // Absent means all units.
        table.count("/units", &mut self.units, (MAX_UNITS, ""));
        table.some_text("/reason", &mut self.reason, MAX_TEXT_CHARS);
        let nights = self.check_in.until(self.check_out).map_or(0, |span| span.get_days());
        if !(1..=MAX_BLOCK_NIGHTS).contains(&nights) {
            let act = if nights < 1 { Act::Refuse } else { CUT };
            let problem = format!("makes a block of {nights} nights; allowed are 1 to {MAX_BLOCK_NIGHTS}");
            table.add("/checkOut", problem, act);
        }
        if nights > MAX_BLOCK_NIGHTS {
            // An endless block is cut at the maximum.
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
    fn mend_fields(&mut self, table: &mut Table) {
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
        if let Some(PaymentCollectedBy::Other(word)) = &mut self.payment_collected_by {
            table.text("/paymentCollectedBy", word, MAX_NAME_CHARS);
        }
        table.extra(&mut self.extra);
        table.each("/rooms", &mut self.rooms, MAX_ROOMS, |table, room| room_stay(room, outer, table));
        if self.rooms.is_empty() && self.status.holds_nights() {
            let problem = "is missing: a reservation that holds nights names its room type";
            table.add("/roomTypeId", problem, Act::Keep);
        }
        // A date that was given and removed is already reported.
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
        if !table.is_clean() {
            // A room without dates uses the outer ones, and its id may come from the short form.
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
        // A room with the outer dates would only repeat their error.
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
