use gassync_domain::{
    Change, ChangeKind, ConnectionEvent, Entity, EntityRef, Hint, Route, Unreadable, mend_json_text, mend_text,
};
use serde_json::Value;

use super::{
    Converted,
    calendar::calendars,
    questions::question,
    reading::{self, Reading},
    records::{block, guest, property, rate_plan, reservation, room_type},
    wit,
};
use crate::CallError;

/// Converts each change on its own. Facts are always kept, except blocks and calendars without nights, which become
/// unreadable changes.
pub(in crate::v1_0) fn changes(changes: Vec<wit::Change>, limit: usize) -> Converted<Vec<Change>> {
    if changes.len() > limit {
        return Err(CallError::LimitExceeded { limit: "changes", value: format!("{limit} in one answer") });
    }
    let mut converted = Vec::with_capacity(changes.len());
    for (index, change) in changes.into_iter().enumerate() {
        let place = |error| match error {
            CallError::InvalidResult { path, problem } => {
                CallError::InvalidResult { path: format!("changes[{index}].{path}"), problem }
            }
            other => other,
        };
        let route = Route { property_id: change.route.property_id, account: change.route.account };
        change_kind(change.data, change.notes, &route, &mut converted).map_err(place)?;
    }
    Ok(converted)
}

fn change_kind(
    data: wit::ChangeKind,
    notes: Vec<wit::FieldError>,
    route: &Route,
    into: &mut Vec<Change>,
) -> Converted<()> {
    let mut reading = Reading::of_fact(notes);
    let (data, raw) = match data {
        wit::ChangeKind::Property(record) => {
            let raw = reading.raw(record.raw.as_deref())?;
            (ChangeKind::Property(property(&mut reading, record)?), raw)
        }
        wit::ChangeKind::RoomType(record) => {
            let raw = reading.raw(record.raw.as_deref())?;
            (ChangeKind::RoomType(room_type(&mut reading, record)?), raw)
        }
        wit::ChangeKind::RatePlan(record) => {
            let raw = reading.raw(record.raw.as_deref())?;
            (ChangeKind::RatePlan(rate_plan(&mut reading, record)?), raw)
        }
        wit::ChangeKind::Reservation(record) => {
            if record.intent == wit::Intent::Request {
                reading = reading.strictly();
            }
            let raw = reading.raw(record.raw.as_deref())?;
            (ChangeKind::Reservation(Box::new(reservation(&mut reading, record)?)), raw)
        }
        wit::ChangeKind::Guest(record) => (ChangeKind::Guest(guest(&mut reading, "", record)?), None),
        wit::ChangeKind::Block(record) => block_or_unreadable(&mut reading, record)?,
        wit::ChangeKind::Calendar(rows) => {
            let (calendars, unreadable) = calendars(&mut reading, rows)?;
            let mended = reading.mended();
            let told = calendars
                .into_iter()
                .map(ChangeKind::Calendar)
                .chain(unreadable.into_iter().map(ChangeKind::Unreadable));
            into.extend(told.map(|data| Change {
                route: route.clone(),
                mended: mended.clone(),
                ..Change::new(data, None)
            }));
            return Ok(());
        }
        wit::ChangeKind::Removed(what) => (ChangeKind::Removed(entity_ref(what)), None),
        wit::ChangeKind::Refetch(hint) => {
            (ChangeKind::Refetch(Hint { entity: entity(hint.entity), id: hint.id }), None)
        }
        wit::ChangeKind::Connection(event) => (ChangeKind::Connection(connection_event(event)), None),
        wit::ChangeKind::Ask(what) => (ChangeKind::Ask(question(what)?), None),
        wit::ChangeKind::Unreadable(record) => (ChangeKind::Unreadable(unreadable(record)), None),
        wit::ChangeKind::Other((name, value)) => (ChangeKind::Other { name, value: json_or_text(&value) }, None),
    };
    into.push(Change { route: route.clone(), mended: reading.mended(), ..Change::new(data, raw) });
    Ok(())
}

type DecodedData = (ChangeKind, Option<gassync_domain::RawJson>);

fn block_or_unreadable(reading: &mut Reading, record: wit::Block) -> Converted<DecodedData> {
    let (id, words) = (record.id.clone(), record.raw.clone());
    let raw = reading.raw(words.as_deref())?;
    match block(reading, record) {
        Ok(record) => Ok((ChangeKind::Block(record), raw)),
        Err(CallError::InvalidResult { path, problem }) => {
            let problem = reading::problem(&path, &problem);
            Ok((ChangeKind::Unreadable(Unreadable { entity: Entity::Block, id, problem, raw: words }), None))
        }
        Err(error) => Err(error),
    }
}

fn unreadable(record: wit::Unreadable) -> Unreadable {
    let wit::Unreadable { entity, id, problem, raw } = record;
    let id = id.filter(|id| !id.trim().is_empty());
    Unreadable { entity: self::entity(entity), id, problem: reading::cut(&problem), raw }
}

/// Converts an informative value; text that is not JSON becomes a JSON string.
fn json_or_text(text: &str) -> Value {
    serde_json::from_str(&mend_json_text(text)).unwrap_or_else(|_| Value::String(mend_text(text).into_owned()))
}

pub(in crate::v1_0) fn entity_ref(what: wit::EntityRef) -> EntityRef {
    EntityRef { entity: entity(what.entity), id: what.id }
}

fn entity(entity: wit::Entity) -> Entity {
    match entity {
        wit::Entity::Property => Entity::Property,
        wit::Entity::RoomType => Entity::RoomType,
        wit::Entity::RatePlan => Entity::RatePlan,
        wit::Entity::Reservation => Entity::Reservation,
        wit::Entity::Guest => Entity::Guest,
        wit::Entity::Calendar => Entity::Calendar,
        wit::Entity::Block => Entity::Block,
    }
}

fn connection_event(event: wit::ConnectionEvent) -> ConnectionEvent {
    match event {
        wit::ConnectionEvent::Revoked => ConnectionEvent::Revoked,
        wit::ConnectionEvent::Unlinked(ids) => ConnectionEvent::Unlinked { ids },
        wit::ConnectionEvent::Linked(ids) => ConnectionEvent::Linked { ids },
        wit::ConnectionEvent::Remapped((from, to)) => ConnectionEvent::Remapped { from, to },
        wit::ConnectionEvent::Other((kind, value)) => ConnectionEvent::Other { kind, value: json_or_text(&value) },
    }
}
