//! Reading a fact that is not written as the schema says: what can be read otherwise without loss is, what cannot is left out,
//! and of both it is said where. Only identity and nights can refuse a record.

use std::borrow::Cow;

use gassync_domain::{AmountError, Date, FieldError, Mended, mark_in_json_text, mend_amount, mend_json_text};
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};
use serde_path_to_error::Segment;

use super::{
    body::read_as,
    keepable::{keepable, without_nulls},
};

/// Fields that are mended one by one; beyond it only what holds a record's nights is kept.
const MAX_REPAIRS: usize = 64;
/// What stands for a status that is not said.
const UNKNOWN_STATUS: &str = "unknown";
/// What tells which record it is, which nights it holds and in whose name.
const NEEDED: [&str; 18] = [
    "id",
    "name",
    "status",
    "intent",
    "completeness",
    "revision",
    "modifiedAt",
    "propertyId",
    "roomTypeId",
    "roomTypeIds",
    "ratePlanId",
    "rooms",
    "checkIn",
    "checkOut",
    "guest",
    "date",
    "from",
    "to",
];
/// What of a room does.
const NEEDED_OF_ROOMS: [&str; 4] = ["id", "roomTypeId", "checkIn", "checkOut"];
/// What of a guest does.
const NEEDED_OF_GUESTS: [&str; 3] = ["name", "firstName", "lastName"];

/// A record and what was mended of it while it was read.
#[derive(Debug)]
pub struct Lenient<T> {
    /// The record.
    pub record: T,
    /// What was read otherwise, or left out.
    pub mended: Vec<Mended>,
    /// As it came, but that databases can keep it.
    pub raw: String,
}

/// Whether a record asks, and may be refused.
pub fn asks(raw: &str) -> bool {
    let record: Option<Value> = serde_json::from_str(&keepable(&mend_json_text(raw)).0).ok();
    let intent = record.as_ref().and_then(|record| record.get("intent")).and_then(Value::as_str);
    intent.is_some_and(|intent| intent.trim().eq_ignore_ascii_case("request"))
}

/// Reads a record as far as it can be read. What refuses it is told as a strict reader tells it.
pub fn read<T: DeserializeOwned>(raw: &str) -> Result<Lenient<T>, FieldError> {
    // Where something stood that cannot be kept is found by the record's own rules.
    let marked = mark_in_json_text(raw);
    let (text, problem) = keepable(&marked);
    let mut mended = Vec::new();
    mended.extend(problem.map(|problem| Mended { path: String::new(), problem: problem.to_owned() }));
    let record = match read_as(&text) {
        Ok(record) => record,
        Err(error) => {
            let value: Value = serde_json::from_str(&text).map_err(|_| error.clone())?;
            let mut repair = Repair { value: without_nulls(value), text: &text, mended: Vec::new() };
            if !repair.value.is_object() {
                return Err(error);
            }
            let record = repair.record()?;
            mended.extend(repair.mended);
            record
        }
    };
    Ok(Lenient { record, mended, raw: keepable(&mend_json_text(raw)).0.into_owned() })
}

/// A way into a record.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

/// What a field should have been.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wanted {
    Text,
    WholeNumber,
    Number,
    Flag,
    List,
    Object,
    Amount,
    Instant,
    Word,
    Date,
}

impl Wanted {
    /// By what the reader says of a field that it could not read.
    fn of(message: &str) -> Self {
        let amounts = [AmountError::NotANumber, AmountError::TooFine, AmountError::TooLarge];
        if amounts.iter().any(|error| message == error.to_string()) {
            return Self::Amount;
        }
        if message.starts_with("unknown variant") {
            return Self::Word;
        }
        let Some((_, expected)) = message.rsplit_once("expected ") else {
            return if message.ends_with("instant") { Self::Instant } else { Self::Date };
        };
        let is = |words: &[&str]| words.iter().any(|word| expected.contains(word));
        match () {
            () if is(&["amount of money"]) => Self::Amount,
            () if is(&["date"]) => Self::Date,
            () if is(&["boolean"]) => Self::Flag,
            () if is(&["sequence"]) => Self::List,
            () if is(&["struct", "map"]) => Self::Object,
            () if is(&["f64", "f32"]) => Self::Number,
            () if is(&["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "usize"]) => Self::WholeNumber,
            () if is(&["enum", "variant"]) => Self::Word,
            () => Self::Text,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::WholeNumber => "a whole number within its range",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Amount => "an amount of money",
            Self::Instant => "an RFC 3339 instant",
            Self::Word => "one of the words it can be",
            Self::Date => "a date",
        }
    }
}

struct Repair<'a> {
    value: Value,
    text: &'a str,
    mended: Vec<Mended>,
}

impl Repair<'_> {
    fn record<T: DeserializeOwned>(&mut self) -> Result<T, FieldError> {
        let mut tried: Vec<Vec<Step>> = Vec::new();
        for round in 0..2 * MAX_REPAIRS {
            if round == MAX_REPAIRS {
                self.reduce();
            }
            let error = match serde_path_to_error::deserialize::<_, T>(&self.value) {
                Ok(record) => return Ok(record),
                Err(error) => error,
            };
            let steps = steps(error.path());
            let message = error.inner().to_string();
            if let Some(name) = missing(&message) {
                self.fill_in(&steps, name)?;
                continue;
            }
            // A second failure in the same place is not read otherwise once more.
            let is_new = !tried.contains(&steps);
            self.mend(&steps, Wanted::of(&message), is_new)?;
            tried.push(steps);
        }
        Err(FieldError {
            path: String::new(),
            problem: format!("has more than {MAX_REPAIRS} fields that cannot be read"),
        })
    }

    fn note(&mut self, steps: &[Step], problem: String) {
        self.mended.push(Mended { path: pointer(steps), problem });
    }

    /// Something that must be there is not.
    fn fill_in(&mut self, steps: &[Step], name: &str) -> Result<(), FieldError> {
        let stand_in = match (steps, name) {
            ([], "status") => Some((Value::from(UNKNOWN_STATUS), "it is taken for unknown")),
            ([], "name") => self.value.get("id").cloned().map(|id| (id, "its id stands in for it")),
            ([Step::Key(list), Step::Index(_)], "kind") if list == "priceLines" => {
                Some((Value::from("other"), "it is taken for another"))
            }
            ([Step::Key(list), Step::Index(_)], "name") if list == "priceLines" => {
                Some((Value::from(""), "it has none"))
            }
            _ => None,
        };
        let mut place = steps.to_vec();
        match (stand_in, find(&mut self.value, steps)) {
            (Some((value, how)), Some(Value::Object(members))) => {
                members.insert(name.to_owned(), value);
                place.push(Step::Key(name.to_owned()));
                self.note(&place, format!("is missing; {how}"));
            }
            _ if steps.is_empty() => {
                return Err(FieldError { path: String::new(), problem: format!("missing field `{name}`") });
            }
            _ => {
                remove(&mut self.value, steps);
                self.note(&place, format!("has no {name}; it was left out"));
            }
        }
        Ok(())
    }

    /// Reads a field otherwise, or leaves it out; with it those of the same name in the other entries of a list.
    fn mend(&mut self, steps: &[Step], wanted: Wanted, may_be_read: bool) -> Result<(), FieldError> {
        let Some(field) = find(&mut self.value, steps).map(|field| field.clone()) else {
            let problem = format!("cannot be read as {}", wanted.in_words());
            return Err(FieldError { path: pointer(steps), problem });
        };
        if may_be_read {
            let mut is_read = false;
            for place in alike(&self.value, steps) {
                let text = self.text;
                let Some(field) = find(&mut self.value, &place) else { continue };
                if let Some((read, how)) = read_otherwise(field, wanted, || raw_at(text, &place)) {
                    *field = read;
                    is_read |= place == steps;
                    self.note(&place, how);
                }
            }
            if is_read {
                return Ok(());
            }
        }
        if matches!(steps, [Step::Key(key)] if key == "id") {
            let problem = format!("cannot be read as {}", wanted.in_words());
            return Err(FieldError { path: pointer(steps), problem });
        }
        remove(&mut self.value, steps);
        if !field.is_null() {
            let problem = match (wanted, why_no_amount(&field)) {
                (Wanted::Amount, Some(problem)) => problem,
                _ => format!("cannot be read as {}; it was left out", wanted.in_words()),
            };
            self.note(steps, problem);
        }
        Ok(())
    }

    /// Leaves out all but what tells which record it is and which nights it holds.
    fn reduce(&mut self) {
        let keep = |value: &mut Value, names: &[&str]| {
            if let Value::Object(members) = value {
                members.retain(|name, _| names.contains(&name.as_str()));
            }
        };
        keep(&mut self.value, &NEEDED);
        if let Some(Value::Array(rooms)) = self.value.get_mut("rooms") {
            rooms.iter_mut().for_each(|room| keep(room, &NEEDED_OF_ROOMS));
        }
        if let Some(guest) = self.value.get_mut("guest") {
            keep(guest, &NEEDED_OF_GUESTS);
        }
        let problem = format!(
            "has more than {MAX_REPAIRS} fields that cannot be read; only what names it, its nights and its guest was kept"
        );
        self.mended.insert(0, Mended { path: String::new(), problem });
    }
}

/// The name of a field that must be there.
fn missing(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

fn steps(path: &serde_path_to_error::Path) -> Vec<Step> {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().map_while(step).collect()
}

fn pointer(steps: &[Step]) -> String {
    let part = |step: &Step| match step {
        Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Step::Index(index) => format!("/{index}"),
    };
    steps.iter().map(part).collect()
}

fn find<'v>(value: &'v mut Value, steps: &[Step]) -> Option<&'v mut Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(index),
    })
}

fn remove(value: &mut Value, steps: &[Step]) {
    let Some((last, way)) = steps.split_last() else { return };
    match (find(value, way), last) {
        (Some(Value::Object(members)), Step::Key(key)) => drop(members.remove(key)),
        (Some(Value::Array(items)), Step::Index(index)) if *index < items.len() => drop(items.remove(*index)),
        _ => {}
    }
}

/// The fields of the same name in all entries of the lists on the way.
fn alike(value: &Value, steps: &[Step]) -> Vec<Vec<Step>> {
    let mut ways: Vec<(Vec<Step>, &Value)> = vec![(Vec::new(), value)];
    for step in steps {
        let mut further = Vec::with_capacity(ways.len());
        for (way, value) in ways {
            let on = |step: Step, value| ([way.as_slice(), &[step]].concat(), value);
            match (step, value) {
                (Step::Key(key), value) => {
                    further.extend(value.get(key).map(|value| on(Step::Key(key.clone()), value)))
                }
                (Step::Index(_), Value::Array(items)) => {
                    further.extend(items.iter().enumerate().map(|(index, item)| on(Step::Index(index), item)));
                }
                _ => {}
            }
        }
        ways = further;
    }
    ways.into_iter().map(|(way, _)| way).collect()
}

/// A number as it was written. Where entries were left out before it, it may be another's: whoever asks compares.
fn raw_at(text: &str, steps: &[Step]) -> Option<String> {
    let mut raw: Box<serde_json::value::RawValue> = serde_json::from_str(text).ok()?;
    for step in steps {
        raw = match step {
            Step::Key(key) => {
                let mut members: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
                    serde_json::from_str(raw.get()).ok()?;
                members.remove(key)?
            }
            Step::Index(index) => {
                let mut items: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(raw.get()).ok()?;
                (*index < items.len()).then(|| items.swap_remove(*index))?
            }
        };
    }
    Some(raw.get().to_owned())
}

/// The digits of a number as they were written.
fn digits(number: &Number, raw: impl Fn() -> Option<String>) -> String {
    let written = number.to_string();
    if !number.is_f64() {
        return written;
    }
    raw().filter(|raw| raw.parse().ok() == number.as_f64()).unwrap_or(written)
}

/// The same value as it should have been written, and what is said of that; none where it is not the same, or is as it should.
fn read_otherwise(field: &Value, wanted: Wanted, raw: impl Fn() -> Option<String>) -> Option<(Value, String)> {
    let value = match (wanted, field) {
        (Wanted::Text, Value::Number(number)) => Value::from(digits(number, raw)),
        (Wanted::Text, Value::Bool(flag)) => Value::from(flag.to_string()),
        (Wanted::WholeNumber, Value::String(text)) => Value::from(whole(text)?),
        (Wanted::WholeNumber, Value::Number(number)) if number.is_f64() => Value::from(whole(&digits(number, raw))?),
        (Wanted::WholeNumber, Value::Bool(flag)) => Value::from(i64::from(*flag)),
        (Wanted::Number, Value::String(text)) => Value::Number(Number::from_f64(text.trim().parse().ok()?)?),
        (Wanted::Flag, Value::String(text)) => Value::Bool(flag(text)?),
        (Wanted::Flag, Value::Number(number)) => Value::Bool(flag(&number.to_string())?),
        (Wanted::List, Value::Object(members)) => Value::Array(listed(members)),
        (Wanted::List, Value::String(_) | Value::Number(_)) => Value::Array(vec![field.clone()]),
        (Wanted::Amount, Value::String(_) | Value::Number(_)) => {
            let written = match field {
                Value::Number(number) => digits(number, raw),
                other => other.as_str()?.to_owned(),
            };
            let (amount, problem) = mend_amount(&written);
            return Some((Value::from(amount?.to_string()), problem?));
        }
        (Wanted::Date, Value::String(text)) => Value::from(day(text)?.to_string()),
        (Wanted::Date, Value::Number(number)) => Value::from(day(&number.to_string())?.to_string()),
        (Wanted::Instant, Value::String(text)) if text.trim() != text => Value::from(text.trim()),
        (Wanted::Word, Value::String(text)) => Value::from(text.trim().to_lowercase().replace(['_', ' '], "-")),
        // Whoever knows one kind of list writes everything as one.
        (wanted, Value::Array(items)) if wanted != Wanted::List => match items.as_slice() {
            [only] if !only.is_array() => only.clone(),
            _ => return None,
        },
        _ => return None,
    };
    (value != *field).then(|| (value, format!("was not written as {}; it was read as one", wanted.in_words())))
}

fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    digits.parse().ok()
}

fn flag(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// The day of a text that says more than one, in its own zone.
fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.get(..10)?.parse().ok())
}

/// Some languages write a list as an object of its places.
fn listed(members: &Map<String, Value>) -> Vec<Value> {
    let places: Option<Vec<usize>> = members.keys().map(|key| key.parse().ok()).collect();
    match places {
        Some(places) => {
            let mut items: Vec<(usize, &Value)> = places.into_iter().zip(members.values()).collect();
            items.sort_by_key(|(place, _)| *place);
            items.into_iter().map(|(_, item)| item.clone()).collect()
        }
        None => vec![Value::Object(members.clone())],
    }
}

fn why_no_amount(field: &Value) -> Option<String> {
    let written: Cow<'_, str> = match field {
        Value::String(text) => text.into(),
        Value::Number(number) => number.to_string().into(),
        _ => return None,
    };
    mend_amount(&written).1
}

#[cfg(test)]
mod tests {
    use gassync_domain::{Availability, Property, Reservation};
    use serde_json::json;

    use super::*;

    fn reservation(json: &Value) -> Lenient<Reservation> {
        read(&json.to_string()).unwrap_or_else(|error| panic!("{json}: {error:?}"))
    }

    fn paths(mended: &[Mended]) -> Vec<&str> {
        mended.iter().map(|mended| mended.path.as_str()).collect()
    }

    #[test]
    fn what_says_the_same_is_read_and_what_says_nothing_left_out() {
        let Lenient { record, mended, raw } = reservation(&json!({
            "id": 4711, "status": "confirmed", "roomTypeId": 12, "checkIn": "2027-05-01T14:00:00+02:00",
            "checkOut": "2027-05-04 10:00", "adults": "2", "children": 1.0, "infants": "many", "pets": true,
            "totalPrice": 1714.28571, "commission": "NaN", "payout": "1e30", "guests": -3, "source": null,
            "guest": { "firstName": 7, "email": { "a": 1 }, "lastName": "Lindqvist" }, "notes": ["late"],
            "bookedAt": "yesterday", "collector": 5, "priceLines": null, "intent": "told",
        }));
        assert_eq!((record.id.as_str(), record.room_type_id.as_deref()), ("4711", Some("12")));
        assert_eq!(record.check_in, Some("2027-05-01".parse().expect("a date")));
        assert_eq!(record.check_out, Some("2027-05-04".parse().expect("a date")));
        assert_eq!((record.adults, record.children, record.infants, record.pets), (Some(2), Some(1), None, Some(1)));
        assert_eq!(record.total_price.map(|price| price.to_string()).as_deref(), Some("1714.2857"));
        assert_eq!((record.commission, record.payout, record.guests, record.booked_at), (None, None, None, None));
        let guest = record.guest.expect("a guest");
        assert_eq!((guest.first_name.as_deref(), guest.email), (Some("7"), None));
        assert_eq!(record.notes.as_deref(), Some("late"));
        for path in ["/id", "/checkIn", "/infants", "/totalPrice", "/payout", "/guest/email", "/bookedAt", "/intent"] {
            assert!(paths(&mended).contains(&path), "{path}: {mended:?}");
        }
        let of = |path: &str| mended.iter().find(|note| note.path == path).map(|note| note.problem.as_str());
        assert_eq!(of("/totalPrice"), Some("has more than 4 decimal places; it was rounded half to even"));
        assert_eq!(of("/payout"), Some("is beyond ±100000000000; it was left out"));
        assert!(mended.iter().all(|note| !note.problem.contains("yesterday")), "{mended:?}");
        assert!(raw.contains("1714.28571"), "{raw}");
    }

    #[test]
    fn texts_that_cannot_be_kept_are_marked_where_they_stood() {
        let raw = r#"{"id":"r","status":"confirmed","notes":"a\u0000b\ud83d","other":"\udc00","guest":{"name":5}}"#;
        let lenient: Lenient<Reservation> = read(raw).expect("a record");
        assert_eq!(lenient.record.notes.as_deref(), Some("a\0b\0"), "the record's own rules say so");
        assert!(
            lenient.raw.contains(r"a\ufffdb\ufffd") && lenient.raw.contains(r#""other":"\ufffd""#),
            "{}",
            lenient.raw
        );
        let deep =
            format!(r#"{{"id":"r","status":"confirmed","x":{}1{},"adults":1e999}}"#, "[".repeat(500), "]".repeat(500));
        let lenient: Lenient<Reservation> = read(&deep).expect("a record");
        assert_eq!(paths(&lenient.mended), ["", "/adults"]);
    }

    #[test]
    fn dates_and_statuses_do_not_lose_a_record_and_ids_do() {
        let Lenient { record, mended, .. } =
            reservation(&json!({ "id": "r", "checkIn": "soon", "checkOut": 0, "rooms": [null, { "roomTypeId": 5 }] }));
        assert_eq!((record.status.as_str(), record.check_in, record.check_out), ("unknown", None, None));
        assert_eq!(record.rooms.len(), 1);
        assert_eq!(record.rooms[0].room_type_id.as_deref(), Some("5"));
        assert!(paths(&mended).contains(&"/status") && paths(&mended).contains(&"/checkIn"), "{mended:?}");
        for (odd, path) in [
            (json!({ "status": "confirmed" }), ""),
            (json!({ "id": null, "status": "confirmed" }), ""),
            (json!({ "id": {}, "status": "confirmed" }), "/id"),
            (json!([1]), ""),
            (json!("r"), ""),
        ] {
            assert_eq!(read::<Reservation>(&odd.to_string()).expect_err("refused").path, path, "{odd}");
        }
    }

    #[test]
    fn lists_are_read_in_other_shapes_and_many_at_once() {
        let rooms: Map<String, Value> =
            (0..130).map(|n| (n.to_string(), json!({ "roomTypeId": n, "adults": "2", "infants": "no" }))).collect();
        let Lenient { record, mended, .. } =
            reservation(&json!({ "id": "r", "status": "confirmed", "rooms": rooms, "roomTypeIds": "t" }));
        assert_eq!(record.rooms.len(), 130);
        assert_eq!(record.rooms[129].room_type_id.as_deref(), Some("129"));
        assert!(record.rooms.iter().all(|room| room.infants.is_none()));
        assert!(mended.iter().any(|note| note.problem.contains("more than 64 fields")), "{mended:?}");
        let one = reservation(&json!({ "id": "r", "status": "confirmed", "rooms": { "roomTypeId": "t" } })).record;
        assert_eq!(one.rooms[0].room_type_id.as_deref(), Some("t"));
    }

    #[test]
    fn other_kinds_are_read_too() {
        let house: Lenient<Property> = read(r#"{"id":5,"latitude":"37.5","longitude":"east"}"#).expect("a house");
        assert_eq!(
            (house.record.name.as_str(), house.record.latitude, house.record.longitude),
            ("5", Some(37.5), None)
        );
        let nights: Lenient<Availability> = read(
            r#"{"roomTypeId":"t","date":"2027-05-01","available":"yes","unitsAvailable":true,"closedToArrival":0}"#,
        )
        .expect("nights");
        let Availability { available, units_available, closed_to_arrival, .. } = nights.record;
        assert_eq!((available, units_available, closed_to_arrival), (Some(true), Some(1), Some(false)));
        assert!(asks(r#"{"intent":"request","x":"\u0000"}"#) && !asks(r#"{"intent":"fact"}"#) && !asks("5"));
    }
}
