//! Blocked bookings that close nights for us: nights are closed by creating one over them and opened by deleting it, so
//! the ids of our blocks are stored.
//!
//! There are two kinds of state keys: `ours/APARTMENT/ID` for an existing block, and `owed/APARTMENT/START/UNTIL` for
//! one that must be created, or whose creation was attempted and may have succeeded. Owed blocks are settled before
//! anything else is done to an apartment.

use gassync_plugin::{ChannelError, Lenient, Nights, malformed, parse_date, read_json, state, to_date_text};
use serde::{Deserialize, Serialize};

use super::{lookup, session::Session};
use crate::{
    booking::{Booking, ours},
    mark, pull, rates, refusal,
    signature::Request,
};

/// The channel of blocked bookings, the same in every account.
pub(crate) const BLOCKED_CHANNEL: u32 = 11;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewBlock<'a> {
    arrival_date: &'a str,
    departure_date: &'a str,
    channel_id: u32,
    apartment_id: u64,
    notice: &'a str,
}

/// Closes the open nights: sold or manually closed ones cannot be closed again.
pub(crate) fn close(session: &mut Session, apartment: u64, stay: Nights) -> Result<(), ChannelError> {
    let answer = session.ask(pull::nights_request(&[apartment], stay))?;
    if answer.status() != 200 {
        return Err(refusal::of(&answer));
    }
    let apartments = rates::by_apartment(&pull::nights_in(&answer)?, "/data")?;
    let taken = match apartments.get(&apartment.to_string()) {
        Some(nights) => rates::taken(nights, "/data")?,
        None => Vec::new(),
    };
    let is_open = |night: &String| !taken.contains(night);
    let mut start: Option<String> = None;
    let until = to_date_text(stay.until);
    for night in stay.each_night().map(to_date_text).chain([until.clone()]) {
        match (night != until && is_open(&night), start.take()) {
            (true, begun) => start = begun.or(Some(night)),
            (false, Some(begun)) => state::set(&owed(apartment, &begun, &night), &false)?,
            (false, None) => {}
        }
    }
    settle(session, apartment)
}

/// Deletes our blocks there; their nights outside the span are closed again.
pub(crate) fn open(session: &mut Session, apartment: u64, stay: Nights) -> Result<(), ChannelError> {
    let active = lookup::active(session, apartment, stay)?;
    remember(apartment, &active)?;
    // What others closed or sold stays theirs.
    for other in active.iter().filter(|booking| !booking.closes_for_us()) {
        let word = |said: &Lenient| said.text().unwrap_or_else(|| "?".to_owned());
        let (arrival, departure, id) = (word(&other.arrival), word(&other.departure), word(&other.id));
        let kind = if other.is_block() { "block" } else { "booking" };
        session.warnings.push(format!("{arrival} to {departure} stays closed: Smoobu has the {kind} {id}"));
    }
    let inside = free(session, apartment, stay)?;
    inside.iter().for_each(|key| state::delete(key));
    settle(session, apartment)
}

/// Stores the ids of our blocks among these: a call that did not end has lost them.
pub(crate) fn remember(apartment: u64, active: &[Booking]) -> Result<(), ChannelError> {
    for block in active.iter().filter(|booking| booking.closes_for_us()) {
        let nights = (block.arrival.as_str(), block.departure.as_str());
        if let (Some(id), (Some(start), Some(until))) = (block.id.text(), nights) {
            state::set(&ours(&apartment.to_string(), &id), &(start, until))?;
        }
    }
    Ok(())
}

/// Deletes our blocks that hold some of these nights. All their nights are owed then; returns the keys of those inside,
/// for the caller to forget or to settle.
pub(crate) fn free(session: &mut Session, apartment: u64, stay: Nights) -> Result<Vec<String>, ChannelError> {
    let (start, until) = (to_date_text(stay.start), to_date_text(stay.until));
    let mut inside = Vec::new();
    for key in state::keys(&ours(&apartment.to_string(), "")) {
        let Some((first, end)) = state::get::<(String, String)>(&key)? else { continue };
        if end <= start || first >= until {
            continue;
        }
        let id = key.rsplit('/').next().unwrap_or_default();
        let answer = session.ask(Request::delete(format!("/api/reservations/{id}")))?;
        // A block already deleted by someone else counts as deleted.
        if !matches!(answer.status(), 200..=299 | 404) {
            return Err(refusal::of(&answer));
        }
        state::delete(&key);
        if first < start {
            state::set(&owed(apartment, &first, &start), &false)?;
        }
        if end > until {
            state::set(&owed(apartment, &until, &end), &false)?;
        }
        let part = owed(apartment, (&first).max(&start), (&end).min(&until));
        state::set(&part, &false)?;
        inside.push(part);
    }
    Ok(inside)
}

/// Creates the owed blocks. If a creation was attempted before, the block is looked up first: Smoobu has no
/// idempotency key.
pub(crate) fn settle(session: &mut Session, apartment: u64) -> Result<(), ChannelError> {
    for key in state::keys(&format!("owed/{apartment}/")) {
        let mut ends = key.rsplit('/');
        let (Some(until), Some(start)) = (ends.next(), ends.next()) else { continue };
        let was_tried = state::get::<bool>(&key)?.unwrap_or(false);
        let found = if was_tried { find(session, apartment, start, until)? } else { None };
        let id = match found {
            Some(id) => Some(id),
            None => make(session, apartment, (start, until), &key)?,
        };
        state::delete(&key);
        if let Some(id) = id {
            state::set(&ours(&apartment.to_string(), &id), &(start, until))?;
        }
    }
    Ok(())
}

fn make(
    session: &mut Session,
    apartment: u64,
    (start, until): (&str, &str),
    key: &str,
) -> Result<Option<String>, ChannelError> {
    state::set(key, &true)?;
    let block = NewBlock {
        arrival_date: start,
        departure_date: until,
        channel_id: BLOCKED_CHANNEL,
        apartment_id: apartment,
        notice: mark::OUR_BLOCK,
    };
    let answer = session.ask(Request::post("/api/reservations", &block)?)?;
    match answer.status() {
        200..=299 => made(answer.body()).map(Some),
        // Someone else was faster and has the nights; the read-back shows that.
        400 | 409 | 422 => {
            session.warnings.push(format!("{start} to {until} could not be closed: it may be sold"));
            Ok(None)
        }
        _ => Err(refusal::of(&answer)),
    }
}

/// The id of a new booking.
pub(crate) fn made(body: &[u8]) -> Result<String, ChannelError> {
    #[derive(Deserialize)]
    struct Made {
        #[serde(default)]
        id: Lenient,
    }
    let made: Made = read_json(body, "")?;
    made.id.unless_zero().ok_or_else(|| malformed("/id", "is missing"))
}

/// Our block over exactly these nights, which a call that did not end may have created.
fn find(session: &mut Session, apartment: u64, start: &str, until: &str) -> Result<Option<String>, ChannelError> {
    let day = |text: &str| parse_date(text).ok_or_else(|| ChannelError::Broken(format!("state: {text} is no date")));
    let stay = Nights { start: day(start)?, until: day(until)? };
    let active = lookup::active(session, apartment, stay)?;
    let is_it = |booking: &&Booking| booking.closes_for_us() && booking.nights("") == Some(stay);
    Ok(active.iter().find(is_it).and_then(|booking| booking.id.text()))
}

fn owed(apartment: u64, start: &str, until: &str) -> String {
    format!("owed/{apartment}/{start}/{until}")
}
