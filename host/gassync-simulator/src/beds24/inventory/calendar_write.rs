//! `POST /inventory/rooms/calendar`: reads only the nested list; without it the response is a success, and nothing
//! changes.

use axum::{Extension, body::Bytes, extract::State, response::Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Account, Admitted, Beds24, Settings,
        answer::{self, Malformed, refused},
        fields::{day, whole},
        money,
        nights::{LONGEST_STAY, NightSettings, NightWrite},
    },
    Nights,
};

const CHANGES: &str = "process inventory rooms calendar";
const OVERRIDES: [&str; 6] = ["none", "blackout", "exception", "noCheckIn", "noCheckOut", "noCheckInOrCheckOut"];

pub(super) async fn write(
    State(simulator): State<Beds24>,
    Extension(call): Extension<Admitted>,
    body: Bytes,
) -> Result<Response, Malformed> {
    let items = answer::items(&body)?;
    Ok(simulator.write(&call, |account, settings, now| {
        items.iter().map(|item| item_of(account, settings, item, now)).collect()
    }))
}

/// Result of one item.
#[derive(Default)]
struct Written {
    ranges: Vec<Value>,
    warnings: Vec<Value>,
    /// True if counts or prices changed, not only rules.
    is_notified: bool,
}

fn item_of(account: &mut Account, settings: &Settings, item: &Value, now: Timestamp) -> Value {
    let room = whole(&item["roomId"]).filter(|id| account.book.room(*id).is_some());
    let Some(room) = room else { return refused(CHANGES, &[("roomId", "invalid")]) };
    let Some(ranges) = item["calendar"].as_array() else { return json!({ "success": true }) };
    let mut written = Written::default();
    for range in ranges {
        if let Err(field) = write_range(account, (room, range), &mut written, now) {
            return refused(CHANGES, &[(field, "invalid")]);
        }
    }
    if written.is_notified {
        account.notify_room(settings, room, now);
    }
    let mut outcome = json!({ "success": true });
    if !settings.bare_answers && !written.ranges.is_empty() {
        outcome["modified"] = json!({ "roomId": room, "calendar": written.ranges });
    }
    if !written.warnings.is_empty() {
        outcome["warnings"] = Value::Array(written.warnings);
    }
    outcome
}

fn write_range(
    account: &mut Account,
    (room, range): (u64, &Value),
    written: &mut Written,
    now: Timestamp,
) -> Result<(), &'static str> {
    let from = day(&range["from"]).ok_or("from")?;
    let nights = day(&range["to"]).and_then(|to| Nights::between(from, to)).ok_or("to")?;
    let Some(keys) = range.as_object() else { return Err("calendar") };
    let mut changes = Changes::default();
    for (key, value) in keys.iter().filter(|(key, _)| !["from", "to"].contains(&key.as_str())) {
        changes.read(key, value)?;
    }
    written.is_notified |= changes.notify;
    if let (Some(from), Some(to)) = (day(&range["from"]), day(&range["to"])) {
        let values = keys.iter().filter(|(key, _)| !["from", "to"].contains(&key.as_str()));
        let values = values.map(|(key, value)| (key.clone(), value.clone())).collect();
        account.book.calendar.note(NightWrite { at: now, room_id: room, from, to, values });
    }
    for night in nights.each() {
        let taken = account.book.taken(room, night, None);
        let set = account.book.calendar.at(room, night);
        for change in &changes.all {
            change.apply(set, taken);
        }
        account.book.calendar.written.insert((room, night), now);
    }
    written.warnings.extend(changes.warnings);
    if !changes.echo.is_empty() {
        changes.echo.extend([("from".to_owned(), range["from"].clone()), ("to".to_owned(), range["to"].clone())]);
        written.ranges.push(Value::Object(changes.echo));
    }
    Ok(())
}

enum Change {
    NumAvail(i64),
    Price(u8, Option<u64>),
    MinStay(u32),
    MaxStay(u32),
    Multiplier(f64),
    Closing(String),
    Channel(String, Option<u32>),
}

impl Change {
    fn apply(&self, set: &mut NightSettings, taken: i64) {
        match self {
            // Store the stock before bookings, which are subtracted on every read.
            Self::NumAvail(left) => set.stock = Some(left + taken),
            Self::Price(number, Some(cents)) => drop(set.prices.insert(*number, *cents)),
            Self::Price(number, None) => drop(set.prices.remove(number)),
            Self::MinStay(nights) => set.min_stay = Some(*nights),
            Self::MaxStay(nights) => set.max_stay = Some(*nights),
            Self::Multiplier(factor) => set.multiplier = Some(*factor),
            Self::Closing(word) => set.closing = Some(word.clone()),
            Self::Channel(name, most) => drop(set.channels.insert(name.clone(), *most)),
        }
    }
}

/// The changes of a range, as accepted.
#[derive(Default)]
struct Changes {
    all: Vec<Change>,
    echo: Map<String, Value>,
    warnings: Vec<Value>,
    notify: bool,
}

impl Changes {
    fn read(&mut self, key: &str, value: &Value) -> Result<(), &'static str> {
        let is_empty = value.is_null() || value == "";
        match key {
            "minStay" | "maxStay" | "numAvail" | "multiplier" | "override" | "channels" if is_empty => return Ok(()),
            "minStay" => {
                let nights = self.stay(key, value).ok_or("minStay")?;
                self.all.push(Change::MinStay(nights));
                return Ok(());
            }
            "maxStay" => {
                let nights = self.stay(key, value).ok_or("maxStay")?;
                self.all.push(Change::MaxStay(nights));
                return Ok(());
            }
            "numAvail" => {
                self.all.push(Change::NumAvail(value.as_i64().ok_or("numAvail")?));
                self.notify = true;
            }
            "multiplier" => {
                let factor = value.as_f64().filter(|factor| (0.1..=100.0).contains(factor));
                self.all.push(Change::Multiplier(factor.ok_or("multiplier")?));
            }
            "override" => {
                let word = value.as_str().filter(|word| OVERRIDES.contains(word)).ok_or("override")?;
                self.all.push(Change::Closing(word.to_owned()));
                // `none` and `blackout` change availability; the other values only restrict arrival or departure.
                self.notify |= ["none", "blackout"].contains(&word);
            }
            "channels" => {
                for (name, wanted) in value.as_object().ok_or("channels")? {
                    let most = wanted.get("maxBookings").ok_or("channels")?;
                    let count = most.as_u64().and_then(|count| u32::try_from(count).ok());
                    if count.is_none() && !most.is_null() {
                        return Err("channels");
                    }
                    self.all.push(Change::Channel(name.clone(), count));
                }
            }
            _ => {
                let number = key.strip_prefix("price").and_then(|number| number.parse().ok());
                // Unknown keys are silently ignored.
                let Some(number) = number.filter(|number| (1..=16).contains(number)) else { return Ok(()) };
                let cents = if value.is_null() { None } else { Some(money::cents(value).ok_or("price")?) };
                self.all.push(Change::Price(number, cents));
                self.notify = true;
            }
        }
        self.echo.insert(key.to_owned(), value.clone());
        Ok(())
    }

    /// Reads a number of nights, limited to the maximum stay. A limited value is echoed as text.
    fn stay(&mut self, key: &str, value: &Value) -> Option<u32> {
        let wanted = whole(value)?;
        let capped = wanted.clamp(1, u64::from(LONGEST_STAY));
        if wanted != capped {
            let message = format!("{key} capped to {capped}");
            self.warnings.push(json!({ "action": CHANGES, "message": message }));
        }
        let shown = if wanted > capped { json!(capped.to_string()) } else { json!(capped) };
        self.echo.insert(key.to_owned(), shown);
        u32::try_from(capped).ok()
    }
}
