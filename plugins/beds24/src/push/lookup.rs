//! Finds existing bookings. Beds24 has no idempotency key, so our bookings are recognised by our reference, compared
//! exactly.

use gassync_plugin::{Date, Lenient, to_date_text};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::session::{Abort, WriteSession};
use crate::{
    client::Parameters,
    pull::{BEFORE_ALL, STATUSES},
    vocabulary::{self, BookingKind, Word},
};

/// An existing booking.
#[derive(Debug, Deserialize, Default, Clone)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Existing {
    pub id: Lenient,
    pub room_id: Lenient,
    pub arrival: Lenient,
    status: Lenient,
    sub_status: Lenient,
    reference: Lenient,
    pub channel: Lenient,
    booking_group: Option<Group>,
}

#[derive(Debug, Deserialize, Default, Clone)]
#[serde(default)]
struct Group {
    ids: Vec<Lenient>,
}

impl Existing {
    pub fn as_str(&self) -> Option<Word> {
        match vocabulary::booking_kind(Some(self.status.as_str()?), &self.sub_status.lower()) {
            BookingKind::Block => None,
            BookingKind::Reservation(word) => Some(word),
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.as_str() == Some(Word::Cancelled)
    }

    /// Returns the ids of its group, its own first.
    pub fn group(&self) -> Vec<String> {
        let own = self.id.unless_zero();
        let others = self.booking_group.iter().flat_map(|group| &group.ids).filter_map(Lenient::unless_zero);
        let others: Vec<String> = others.filter(|id| Some(id) != own.as_ref()).collect();
        own.into_iter().chain(others).collect()
    }
}

/// Finds bookings by id, in any status.
pub(crate) fn by_ids(session: &mut WriteSession, ids: &[String]) -> Result<Vec<Existing>, Abort> {
    let mut parameters: Parameters = vec![("includeBookingGroup", "true".to_owned())];
    parameters.extend(ids.iter().map(|id| ("id", id.clone())));
    read(&session.lookup_pages(&parameters)?)
}

/// Finds bookings by our reference: first among those of the same rooms and dates, then by a search, since a person may
/// have moved them.
pub(crate) fn by_reference(
    session: &mut WriteSession,
    reference: &str,
    rooms: &[(String, Date)],
) -> Result<Vec<Existing>, Abort> {
    let mut found = Vec::new();
    if let (Some(first), Some(last)) = (rooms.iter().map(|r| r.1).min(), rooms.iter().map(|r| r.1).max()) {
        let mut parameters = any_status();
        parameters.extend(rooms.iter().map(|(room_id, _)| ("roomId", room_id.clone())));
        // It is unconfirmed if the bounds are inclusive, so extend both by a day.
        parameters.push(("arrivalFrom", to_date_text(first.day_before())));
        parameters.push(("arrivalTo", to_date_text(last.next_day())));
        found = read(&session.lookup_pages(&parameters)?)?;
        found.retain(|there| there.reference.as_str() == Some(reference));
    }
    if found.is_empty() {
        let mut parameters = any_status();
        parameters.push(("searchString", reference.to_owned()));
        parameters.push(("departureFrom", BEFORE_ALL.to_owned()));
        found = read(&session.lookup_pages(&parameters)?)?;
        found.retain(|there| there.reference.as_str() == Some(reference));
    }
    Ok(found)
}

fn any_status() -> Parameters {
    let mut parameters: Parameters = STATUSES.iter().map(|status| ("status", (*status).to_owned())).collect();
    parameters.push(("includeBookingGroup", "true".to_owned()));
    parameters
}

/// Reads bookings. An unreadable one is an error, since it may be ours.
fn read(items: &[Box<RawValue>]) -> Result<Vec<Existing>, Abort> {
    items.iter().map(|item| serde_json::from_str(item.get()).map_err(|_| Abort::Unclear)).collect()
}
