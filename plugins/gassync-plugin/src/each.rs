//! Reads records one by one, so that a malformed record does not affect the others.

use std::{collections::HashMap, fmt};

use serde_json::value::RawValue;

use crate::{
    Change, ChangeKind, ChannelError, Entity, FieldError, Lenient, Unreadable, change, json::read_json,
    notes::take_notes,
};

/// Reads each record of a list at `place` and collects the changes. `read` receives the record and its place, such as
/// `/data/0`.
///
/// A record for which `read` returns malformed or rejected becomes [unreadable](ChangeKind::Unreadable), with the
/// original record and the id found under one of `ids`, if any: the host sets it aside and continues with the others.
/// Any other error applies to the whole response and ends the call.
///
/// ```
/// use gassync_plugin::{Change, ChannelError, Entity, Lenient, ChangeKind, malformed, read_each, read_json};
/// use serde_json::value::RawValue;
///
/// fn booking(item: &RawValue, place: &str) -> Result<Change, ChannelError> {
///     # let _ = item;
///     Err(malformed(format_args!("{place}/from"), "is not a date (YYYY-MM-DD)"))
/// }
///
/// let items: Vec<Box<RawValue>> = read_json(br#"[{"id": 17, "from": "tomorrow"}]"#, "")?;
/// let changes = read_each(Entity::Reservation, &items, "", &["id"], booking)?;
/// assert!(matches!(&changes[0].data, ChangeKind::Unreadable(record) if record.id.as_deref() == Some("17")));
/// # Ok::<(), ChannelError>(())
/// ```
pub fn read_each<I, C>(
    entity: Entity,
    items: I,
    place: impl fmt::Display,
    ids: &[&str],
    mut read: impl FnMut(&RawValue, &str) -> Result<C, ChannelError>,
) -> Result<Vec<Change>, ChannelError>
where
    I: IntoIterator<Item: AsRef<RawValue>>,
    C: Into<Vec<Change>>,
{
    let mut changes = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let item = item.as_ref();
        let place = format!("{place}/{index}");
        let one = read_one(entity, item.get(), || id_of(item.get(), ids), || read(item, &place))?;
        changes.extend(one);
    }
    Ok(changes)
}

/// The same for one record in any text format. `id` extracts its id, if possible.
pub fn read_one<C: Into<Vec<Change>>>(
    entity: Entity,
    raw: &str,
    id: impl FnOnce() -> Option<String>,
    read: impl FnOnce() -> Result<C, ChannelError>,
) -> Result<Vec<Change>, ChannelError> {
    // Discard notes of other records.
    take_notes();
    let problem = match read() {
        Ok(changes) => return Ok(changes.into()),
        Err(ChannelError::Malformed(problem)) => problem,
        Err(ChannelError::Rejected(errors)) => listed(&errors),
        Err(error) => return Err(error),
    };
    take_notes();
    let record = Unreadable { entity, id: id(), problem, raw: Some(raw.to_owned()) };
    Ok(vec![change(None, ChangeKind::Unreadable(record))])
}

/// The first non-empty member with one of these names, in a JSON record that may otherwise be malformed.
pub fn id_of(json: &str, names: &[&str]) -> Option<String> {
    let members: HashMap<String, Lenient> = read_json(json, "").ok()?;
    names.iter().find_map(|name| members.get(*name)?.unless_zero())
}

fn listed(errors: &[FieldError]) -> String {
    let each = errors.iter().map(|error| format!("{}: {}", error.path, error.problem));
    each.collect::<Vec<_>>().join("; ")
}

/// Allows reading a record into one or several changes.
impl From<Change> for Vec<Change> {
    fn from(change: Change) -> Self {
        vec![change]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reservation, ReservationStatus, malformed, note};

    fn items(json: &str) -> Vec<Box<RawValue>> {
        read_json(json, "").expect("a list")
    }

    fn read(item: &RawValue, place: &str) -> Result<Change, ChannelError> {
        #[derive(serde::Deserialize)]
        struct Booking {
            id: Lenient,
            #[serde(default)]
            from: Lenient,
            #[serde(default)]
            adults: Lenient,
        }
        let booking: Booking = read_json(item.get(), place)?;
        let id = booking.id.text().ok_or_else(|| malformed(format_args!("{place}/id"), "is missing"))?;
        booking.from.date(format_args!("{place}/from"))?;
        let adults = booking.adults.count_or_note(format_args!("{place}/adults"));
        let record = Reservation { adults, ..Reservation::new(id, ReservationStatus::Confirmed) };
        Ok(change(None, ChangeKind::Reservation(record)))
    }

    #[test]
    fn one_record_stops_no_other() {
        let sent = r#"[{"id":1,"adults":"two"},{"id":2,"from":"x","adults":"two"},7,{"from":1},{"id":3}]"#;
        let changes = read_each(Entity::Reservation, items(sent), "/data", &["id"], read).expect("a page");
        let read: Vec<_> = changes
            .iter()
            .map(|change| match &change.data {
                ChangeKind::Reservation(record) => (Some(record.id.as_str()), None, change.notes.len()),
                ChangeKind::Unreadable(record) => (record.id.as_deref(), record.raw.as_deref(), change.notes.len()),
                other => panic!("{other:?}"),
            })
            .collect();
        let odd = r#"{"id":2,"from":"x","adults":"two"}"#;
        let wanted = [
            (Some("1"), None, 1),
            (Some("2"), Some(odd), 0),
            (None, Some("7"), 0),
            (None, Some(r#"{"from":1}"#), 0),
            (Some("3"), None, 0),
        ];
        assert_eq!(read, wanted);
        assert_eq!(changes[0].notes[0].path, "/data/0/adults");
        let ChangeKind::Unreadable(record) = &changes[1].data else { panic!("{changes:?}") };
        assert_eq!(record.problem, "/data/1/from: is not a date (YYYY-MM-DD)");
    }

    #[test]
    fn what_is_wrong_with_all_of_it_ends_it() {
        let unavailable = |_: &RawValue, _: &str| Err::<Change, _>(ChannelError::Unavailable("busy".to_owned()));
        let reported = read_each(Entity::Reservation, items(r#"[{"id":1}]"#), "", &["id"], unavailable);
        assert_eq!(reported, Err(ChannelError::Unavailable("busy".to_owned())));
    }

    #[test]
    fn notes_are_of_the_record_they_were_made_for() {
        note("/left", "over");
        let read = || {
            Ok::<_, ChannelError>(change(
                None,
                ChangeKind::Removed(crate::EntityRef { entity: Entity::Reservation, id: "1".to_owned() }),
            ))
        };
        assert_eq!(read_one(Entity::Reservation, "", || None, read).expect("a change")[0].notes, []);
        note("/a", "is odd");
        assert_eq!(read().expect("a change").notes, [FieldError::new("/a", "is odd")]);
    }
}
