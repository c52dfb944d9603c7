//! Pushes nights in one request: a list of rooms with ranges. The response echoes what was accepted per room; nights it
//! does not echo are only confirmed by a read-back.

use std::collections::BTreeMap;

use gassync_plugin::{Accepted, CalendarNights, ChannelError, FieldError, Lenient, Outcome, accepted, to_date_text};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    nights::{self, Nights, Range, Values},
    write_results::{self, BatchResult, WriteResult},
};
use crate::{client, settings::Settings};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoomForm<'a> {
    room_id: u64,
    calendar: Vec<Range<'a>>,
}

/// The nights to write for a room, and their updates.
#[derive(Default)]
struct Room {
    nights: Nights,
    updates: Vec<usize>,
}

/// The values to write for one update.
#[derive(Default)]
struct Said {
    values: Values,
    warnings: Vec<String>,
}

pub(crate) fn push(updates: &[CalendarNights]) -> Result<Vec<Outcome>, ChannelError> {
    let settings = Settings::read()?;
    let mut outcomes = vec![Outcome::Unknown; updates.len()];
    let mut said: Vec<Said> = Vec::with_capacity(updates.len());
    let mut rooms: Vec<(u64, Room)> = Vec::new();
    for (index, update) in updates.iter().enumerate() {
        let mut warnings = Vec::new();
        let read = room_of(update).and_then(|room| Ok((room, nights::values(update, &settings, &mut warnings)?)));
        let values = match read {
            Ok((_, values)) if values.is_empty() => {
                // The update has no value that Beds24 supports.
                outcomes[index] = with_warnings(accepted(None), &warnings);
                Values::default()
            }
            Ok((room_id, values)) => {
                let at = rooms.iter().position(|(id, _)| *id == room_id).unwrap_or_else(|| {
                    rooms.push((room_id, Room::default()));
                    rooms.len() - 1
                });
                rooms[at].1.nights.write(update, &values);
                rooms[at].1.updates.push(index);
                values
            }
            Err(error) => {
                outcomes[index] = Outcome::Refused(vec![error]);
                Values::default()
            }
        };
        said.push(Said { values, warnings });
    }
    if rooms.is_empty() {
        return Ok(outcomes);
    }
    let answered = send(&settings, &rooms)?;
    let mut results = match answered {
        BatchResult::Each(results) => results.into_iter(),
        other => {
            let outcome = for_all(other);
            rooms.iter().flat_map(|(_, room)| &room.updates).for_each(|index| outcomes[*index] = outcome.clone());
            return Ok(outcomes);
        }
    };
    for (_, room) in &rooms {
        let result = results.next().unwrap_or_default();
        for index in &room.updates {
            outcomes[*index] = judge(&result, room, (&updates[*index], &said[*index]));
        }
    }
    Ok(outcomes)
}

/// Returns the room id; an error if it is not a number or the update has no nights.
fn room_of(update: &CalendarNights) -> Result<u64, FieldError> {
    if update.stay.start >= update.stay.until {
        return Err(FieldError::new("/to", "is before the first night"));
    }
    let id = &update.room_type_id;
    id.parse().map_err(|_| FieldError::new("/roomId", format_args!("{id} is not a number")))
}

fn send(settings: &Settings, rooms: &[(u64, Room)]) -> Result<BatchResult, ChannelError> {
    let forms = rooms.iter().map(|(room_id, room)| RoomForm { room_id: *room_id, calendar: room.nights.ranges() });
    let forms: Vec<RoomForm<'_>> = forms.collect();
    let body = serde_json::to_vec(&forms).map_err(|error| ChannelError::Broken(error.to_string()))?;
    write_results::send(client::post(settings, "/inventory/rooms/calendar", body))
}

/// Returns one outcome for all updates. Writing nights again is harmless, so a missing response is `Unknown`.
fn for_all(answered: BatchResult) -> Outcome {
    match answered {
        BatchResult::Refused(errors) => Outcome::Refused(errors),
        BatchResult::Later(seconds) => Outcome::Retry(seconds),
        BatchResult::Unclear | BatchResult::Each(_) => Outcome::Unknown,
    }
}

/// A success may have changed nothing: only echoed values are confirmed.
fn judge(written: &WriteResult, room: &Room, (update, said): (&CalendarNights, &Said)) -> Outcome {
    match written.success {
        None => return Outcome::Unknown,
        Some(false) => return Outcome::Refused(written.errors.clone()),
        Some(true) => {}
    }
    let ranges = ranges_of(written);
    let (mut confirmed, mut differences) = (true, BTreeMap::new());
    for night in update.stay.each_night() {
        let Some(sent) = room.nights.of(night) else { continue };
        let of_night = || ranges.iter().filter(|range| nights::covers(range, night));
        for key in said.values.keys() {
            let has = of_night().find_map(|range| range.get(key).filter(|said| said.as_str().is_some()));
            let (Some(sent), Some(has)) = (sent.get(key).map(|raw| loose(raw)), has) else {
                confirmed = false;
                continue;
            };
            if !write_results::is_same(&sent, has) {
                confirmed = false;
                let (is, wanted) = (has.as_str().unwrap_or_default(), sent.as_str().unwrap_or_default());
                let night = to_date_text(night);
                differences
                    .entry(key)
                    .or_insert_with(|| format!("{key} is {is} at Beds24 and not {wanted}, from {night} on"));
            }
        }
    }
    let warnings: Vec<String> =
        said.warnings.iter().chain(&written.warnings).chain(differences.values()).cloned().collect();
    Outcome::Accepted(Accepted { channel_id: None, replaces: None, confirmed, warnings })
}

/// Returns the echoed ranges; none if the response contains no calendar.
fn ranges_of(written: &WriteResult) -> Vec<BTreeMap<String, Lenient>> {
    #[derive(Deserialize)]
    struct Repeated {
        calendar: Vec<BTreeMap<String, Lenient>>,
    }
    let repeated = written.applied.as_deref().and_then(|raw| serde_json::from_str::<Repeated>(raw.get()).ok());
    repeated.map(|repeated| repeated.calendar).unwrap_or_default()
}

fn loose(raw: &RawValue) -> Lenient {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

fn with_warnings(outcome: Outcome, warnings: &[String]) -> Outcome {
    match outcome {
        Outcome::Accepted(accepted) => Outcome::Accepted(Accepted { warnings: warnings.to_vec(), ..accepted }),
        other => other,
    }
}
