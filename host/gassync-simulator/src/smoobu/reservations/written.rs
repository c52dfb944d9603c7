//! Fields that a caller writes, under other names than they are read.

use serde_json::{Map, Value, json};

use Write::{Change, Create};

use super::super::booking::SmoobuBooking;
use crate::money;

/// What a field is.
enum Field {
    Text(fn(&mut SmoobuBooking, String)),
    /// `HH:MM`.
    Time(fn(&mut SmoobuBooking, String)),
    Count(fn(&mut SmoobuBooking, u32)),
    Money(fn(&mut SmoobuBooking, u64)),
    /// 0 for open, 1 for paid.
    Paid(fn(&mut SmoobuBooking, bool)),
}

/// Who may write a field: a new booking, a change, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    Create,
    Change,
}

const BOTH: &[Write] = &[Create, Change];

/// Every field that is taken. Others are ignored: a change of dates or of the apartment, too.
const FIELDS: &[(&str, &[Write], Field)] = &[
    ("arrivalTime", BOTH, Field::Time(|booking, time| booking.check_in = Some(time))),
    ("departureTime", BOTH, Field::Time(|booking, time| booking.check_out = Some(time))),
    ("price", BOTH, Field::Money(|booking, cents| booking.price.cents = Some(cents))),
    ("priceStatus", BOTH, Field::Paid(|booking, paid| booking.price.paid = paid)),
    ("prepayment", BOTH, Field::Money(|booking, cents| booking.prepayment.cents = Some(cents))),
    ("prepaymentStatus", BOTH, Field::Paid(|booking, paid| booking.prepayment.paid = paid)),
    ("deposit", BOTH, Field::Money(|booking, cents| booking.deposit.cents = Some(cents))),
    ("depositStatus", BOTH, Field::Paid(|booking, paid| booking.deposit.paid = paid)),
    ("notice", BOTH, Field::Text(|booking, text| booking.notice = text)),
    ("adults", BOTH, Field::Count(|booking, count| booking.adults = Some(count))),
    ("children", BOTH, Field::Count(|booking, count| booking.children = Some(count))),
    ("language", BOTH, Field::Text(|booking, text| booking.language = text)),
    ("firstName", &[Create], Field::Text(|booking, text| booking.first_name = text)),
    ("lastName", &[Create], Field::Text(|booking, text| booking.last_name = text)),
    ("email", &[Create], Field::Text(|booking, text| booking.email = Some(text))),
    ("phone", &[Create], Field::Text(|booking, text| booking.phone = Some(text))),
    ("country", &[Create], Field::Text(|booking, text| booking.address.country = text)),
    ("assistantNotice", &[Change], Field::Text(|booking, text| booking.assistant_notice = text)),
    ("guestName", &[Change], Field::Text(|booking, text| booking.name_guest(&text))),
    ("guestEmail", &[Change], Field::Text(|booking, text| booking.email = Some(text))),
    ("guestPhone", &[Change], Field::Text(|booking, text| booking.phone = Some(text))),
];

impl Field {
    /// Writes the value; false if it is none of this field.
    fn write(&self, booking: &mut SmoobuBooking, value: &Value) -> bool {
        let text = value.as_str().map(str::to_owned);
        let number = value.as_u64();
        let written = match self {
            Self::Text(write) => text.map(|text| write(booking, text)),
            Self::Time(write) => text.filter(|text| is_time(text)).map(|time| write(booking, time)),
            Self::Count(write) => number.and_then(|count| u32::try_from(count).ok()).map(|count| write(booking, count)),
            Self::Money(write) => money::cents(value).map(|cents| write(booking, cents)),
            Self::Paid(write) => number.filter(|number| *number <= 1).map(|number| write(booking, number == 1)),
        };
        written.is_some()
    }
}

fn is_time(text: &str) -> bool {
    text.len() == 5 && text.parse::<jiff::civil::Time>().is_ok()
}

/// Writes the fields that are given and known, null as not given. Returns a message for each that is invalid.
pub(super) fn write(booking: &mut SmoobuBooking, given: &Value, what: Write) -> Map<String, Value> {
    let mut invalid = Map::new();
    for (name, _, field) in FIELDS.iter().filter(|(_, by, _)| by.contains(&what)) {
        let value = given.get(name).filter(|value| !value.is_null());
        if value.is_some_and(|value| !field.write(booking, value)) {
            invalid.insert((*name).to_owned(), json!("invalid value"));
        }
    }
    invalid
}
