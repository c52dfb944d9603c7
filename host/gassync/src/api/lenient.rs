//! Reads facts that do not match the schema: values are coerced if that is lossless, and dropped otherwise; both are
//! reported. Only the identity and the nights can make a record invalid.

mod coerce;

use coerce::{Expected, amount_problem, coerce, raw_at};
use gassync_domain::{FieldError, Mended, mark_in_json_text, mend_json_text};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::storable::make_storable;
use crate::http::{json::without_nulls, parse_json};

/// Maximum fields mended one by one; beyond it only the essential fields are kept.
const MAX_REPAIRS: usize = 64;
/// Maximum fields mended one by one in the essential ones, such as dates of many rooms.
const MAX_REPAIRS_OF_ESSENTIALS: usize = 512;
/// The status of a record without one.
const UNKNOWN_STATUS: &str = "unknown";
/// Fields that identify a record, its nights and its guest.
const ESSENTIAL: [&str; 18] = [
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
/// Those of a room.
const ESSENTIAL_OF_ROOMS: [&str; 4] = ["id", "roomTypeId", "checkIn", "checkOut"];
/// Those of a guest.
const ESSENTIAL_OF_GUESTS: [&str; 3] = ["name", "firstName", "lastName"];

/// A leniently read record and its mended fields.
#[derive(Debug)]
pub struct Lenient<T> {
    /// The record.
    pub record: T,
    /// Coerced or dropped fields.
    pub mended: Vec<Mended>,
    /// The raw record in a storable form.
    pub raw: String,
}

/// True if a record has `intent: request`, and may be refused.
pub fn is_request(raw: &str) -> bool {
    let record: Option<Value> = serde_json::from_str(&make_storable(&mend_json_text(raw)).0).ok();
    let intent = record.as_ref().and_then(|record| record.get("intent")).and_then(Value::as_str);
    intent.is_some_and(|intent| intent.trim().eq_ignore_ascii_case("request"))
}

/// Reads a record as far as possible. Errors are those of the strict parser.
pub fn read<T: DeserializeOwned>(raw: &str) -> Result<Lenient<T>, FieldError> {
    // Unstorable characters are marked; the record's own rules find them.
    let marked = mark_in_json_text(raw);
    let (text, problem) = make_storable(&marked);
    let mut mended = Vec::new();
    mended.extend(problem.map(|problem| Mended { path: String::new(), problem: problem.to_owned() }));
    let record = match parse_json(&text) {
        Ok(record) => record,
        Err(error) => {
            let value: Value = serde_json::from_str(&text).map_err(|_| error.clone())?;
            let mut repair = Repair { value: without_nulls(value), text: &text, mended: Vec::new() };
            if !repair.value.is_object() {
                // Serde would accept a list of the values, too.
                return Err(FieldError::new("", "must be an object"));
            }
            let record = repair.record()?;
            mended.extend(repair.mended);
            record
        }
    };
    Ok(Lenient { record, mended, raw: make_storable(&mend_json_text(raw)).0.into_owned() })
}

/// A step of a path in a record.
#[derive(Debug, Clone, PartialEq)]
enum PathStep {
    Key(String),
    Index(usize),
}

struct Repair<'a> {
    value: Value,
    text: &'a str,
    mended: Vec<Mended>,
}

impl Repair<'_> {
    fn record<T: DeserializeOwned>(&mut self) -> Result<T, FieldError> {
        let mut tried: Vec<Vec<PathStep>> = Vec::new();
        for round in 0..MAX_REPAIRS + MAX_REPAIRS_OF_ESSENTIALS {
            if round == MAX_REPAIRS {
                self.keep_essentials();
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
            // Coerce each place only once.
            let is_new = !tried.contains(&steps);
            self.mend(&steps, Expected::of(&message), is_new)?;
            tried.push(steps);
        }
        Err(FieldError::new("", format!("has more than {MAX_REPAIRS} fields that cannot be read")))
    }

    fn note(&mut self, steps: &[PathStep], problem: String) {
        self.mended.push(Mended { path: pointer(steps), problem });
    }

    /// Fills in a required field, or drops its parent.
    fn fill_in(&mut self, steps: &[PathStep], name: &str) -> Result<(), FieldError> {
        let stand_in = match (steps, name) {
            ([], "status") => Some((Value::from(UNKNOWN_STATUS), "it is taken for unknown")),
            ([], "name") => self.value.get("id").cloned().map(|id| (id, "its id stands in for it")),
            ([PathStep::Key(list), PathStep::Index(_)], "kind") if list == "priceLines" => {
                Some((Value::from("other"), "it is taken for another"))
            }
            ([PathStep::Key(list), PathStep::Index(_)], "name") if list == "priceLines" => {
                Some((Value::from(""), "it has none"))
            }
            _ => None,
        };
        let mut place = steps.to_vec();
        match (stand_in, find(&mut self.value, steps)) {
            (Some((value, how)), Some(Value::Object(members))) => {
                members.insert(name.to_owned(), value);
                place.push(PathStep::Key(name.to_owned()));
                self.note(&place, format!("is missing; {how}"));
            }
            _ if steps.is_empty() => {
                return Err(FieldError::new("", format!("missing field `{name}`")));
            }
            _ => {
                remove(&mut self.value, steps);
                self.note(&place, format!("has no {name}; it was left out"));
            }
        }
        Ok(())
    }

    /// Coerces or drops a field, and the same field in the other items of a list.
    fn mend(&mut self, steps: &[PathStep], expected: Expected, may_coerce: bool) -> Result<(), FieldError> {
        let Some(field) = find(&mut self.value, steps).map(|field| field.clone()) else {
            let problem = format!("cannot be read as {}", expected.in_words());
            return Err(FieldError::new(pointer(steps), problem));
        };
        if may_coerce {
            let mut is_coerced = false;
            for place in same_field_in_siblings(&self.value, steps) {
                let text = self.text;
                let Some(field) = find(&mut self.value, &place) else { continue };
                if let Some((read, how)) = coerce(field, expected, || raw_at(text, &place)) {
                    *field = read;
                    is_coerced |= place == steps;
                    self.note(&place, how);
                }
            }
            if is_coerced {
                return Ok(());
            }
        }
        if matches!(steps, [PathStep::Key(key)] if key == "id") {
            let problem = format!("cannot be read as {}", expected.in_words());
            return Err(FieldError::new(pointer(steps), problem));
        }
        remove(&mut self.value, steps);
        if !field.is_null() {
            let problem = match (expected, amount_problem(&field)) {
                (Expected::Amount, Some(problem)) => problem,
                _ => format!("cannot be read as {}; it was left out", expected.in_words()),
            };
            self.note(steps, problem);
        }
        Ok(())
    }

    /// Drops all fields but the essential ones.
    fn keep_essentials(&mut self) {
        let keep = |value: &mut Value, names: &[&str]| {
            if let Value::Object(members) = value {
                members.retain(|name, _| names.contains(&name.as_str()));
            }
        };
        let is_plain = |value: &Value| !value.is_object() && !value.is_array();
        keep(&mut self.value, &ESSENTIAL);
        if let Some(Value::Array(rooms)) = self.value.get_mut("rooms") {
            rooms.retain(Value::is_object);
            for room in rooms {
                keep(room, &ESSENTIAL_OF_ROOMS);
                if let Value::Object(members) = room {
                    members.retain(|_, member| is_plain(member));
                }
            }
        }
        if let Some(Value::Array(ids)) = self.value.get_mut("roomTypeIds") {
            ids.retain(is_plain);
        }
        if let Value::Object(members) = &mut self.value {
            // A list in place of the guest would be dropped item by item.
            members.retain(|name, member| name != "guest" || member.is_object());
        }
        if let Some(guest) = self.value.get_mut("guest") {
            keep(guest, &ESSENTIAL_OF_GUESTS);
        }
        let problem = format!(
            "has more than {MAX_REPAIRS} fields that cannot be read; only what names it, its nights and its guest was kept"
        );
        self.mended.insert(0, Mended { path: String::new(), problem });
    }
}

/// The name of a missing required field.
fn missing(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

fn steps(path: &serde_path_to_error::Path) -> Vec<PathStep> {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(PathStep::Index(*index)),
        Segment::Map { key } => Some(PathStep::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().map_while(step).collect()
}

fn pointer(steps: &[PathStep]) -> String {
    let part = |step: &PathStep| match step {
        PathStep::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        PathStep::Index(index) => format!("/{index}"),
    };
    steps.iter().map(part).collect()
}

fn find<'v>(value: &'v mut Value, steps: &[PathStep]) -> Option<&'v mut Value> {
    steps.iter().try_fold(value, |value, step| match step {
        PathStep::Key(key) => value.get_mut(key),
        PathStep::Index(index) => value.get_mut(index),
    })
}

fn remove(value: &mut Value, steps: &[PathStep]) {
    let Some((last, way)) = steps.split_last() else { return };
    match (find(value, way), last) {
        (Some(Value::Object(members)), PathStep::Key(key)) => drop(members.remove(key)),
        (Some(Value::Array(items)), PathStep::Index(index)) if *index < items.len() => drop(items.remove(*index)),
        _ => {}
    }
}

/// The same field in all items of the lists on the path.
fn same_field_in_siblings(value: &Value, steps: &[PathStep]) -> Vec<Vec<PathStep>> {
    let mut ways: Vec<(Vec<PathStep>, &Value)> = vec![(Vec::new(), value)];
    for step in steps {
        let mut further = Vec::with_capacity(ways.len());
        for (way, value) in ways {
            let on = |step: PathStep, value| ([way.as_slice(), &[step]].concat(), value);
            match (step, value) {
                (PathStep::Key(key), value) => {
                    further.extend(value.get(key).map(|value| on(PathStep::Key(key.clone()), value)))
                }
                (PathStep::Index(_), Value::Array(items)) => {
                    further.extend(items.iter().enumerate().map(|(index, item)| on(PathStep::Index(index), item)));
                }
                _ => {}
            }
        }
        ways = further;
    }
    ways.into_iter().map(|(way, _)| way).collect()
}

#[cfg(test)]
mod tests;
