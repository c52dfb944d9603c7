use gassync_domain::{
    Change, ConnectionEvent, Entity, EntityRef, Hint, News, Route, Unreadable, mend_json_text, mend_text,
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

/// Converts record by record: of what has happened nothing but a block or a calendar without nights cannot be kept, and that
/// is handed on as unreadable.
pub(in crate::v1_0) fn changes(changes: Vec<wit::Change>, limit: usize) -> Converted<Vec<Change>> {
    if changes.len() > limit {
        return Err(CallError::OverLimit { limit: "changes", value: format!("{limit} in one answer") });
    }
    let mut converted = Vec::with_capacity(changes.len());
    for (index, change) in changes.into_iter().enumerate() {
        let place = |error| match error {
            CallError::BadAnswer { path, problem } => {
                CallError::BadAnswer { path: format!("changes[{index}].{path}"), problem }
            }
            other => other,
        };
        let route = Route { property_id: change.route.property_id, account: change.route.account };
        news(change.news, change.notes, &route, &mut converted).map_err(place)?;
    }
    Ok(converted)
}

fn news(news: wit::News, notes: Vec<wit::FieldError>, route: &Route, into: &mut Vec<Change>) -> Converted<()> {
    let mut reading = Reading::of_fact(notes);
    let (news, raw) = match news {
        wit::News::Property(record) => {
            let raw = reading.raw(record.raw.as_deref())?;
            (News::Property(property(&mut reading, record)?), raw)
        }
        wit::News::RoomType(record) => {
            let raw = reading.raw(record.raw.as_deref())?;
            (News::RoomType(room_type(&mut reading, record)?), raw)
        }
        wit::News::RatePlan(record) => {
            let raw = reading.raw(record.raw.as_deref())?;
            (News::RatePlan(rate_plan(&mut reading, record)?), raw)
        }
        wit::News::Reservation(record) => {
            if record.intent == wit::Intent::Request {
                reading = reading.strictly();
            }
            let raw = reading.raw(record.raw.as_deref())?;
            (News::Reservation(Box::new(reservation(&mut reading, record)?)), raw)
        }
        wit::News::Guest(record) => (News::Guest(guest(&mut reading, "", record)?), None),
        wit::News::Block(record) => block_or_unreadable(&mut reading, record)?,
        wit::News::Calendar(rows) => {
            let (calendars, unreadable) = calendars(&mut reading, rows)?;
            let mended = reading.mended();
            let told = calendars.into_iter().map(News::Calendar).chain(unreadable.into_iter().map(News::Unreadable));
            into.extend(told.map(|news| Change {
                route: route.clone(),
                mended: mended.clone(),
                ..Change::new(news, None)
            }));
            return Ok(());
        }
        wit::News::Removed(what) => (News::Removed(entity_ref(what)), None),
        wit::News::LookAgain(hint) => (News::LookAgain(Hint { entity: entity(hint.entity), id: hint.id }), None),
        wit::News::Connection(event) => (News::Connection(connection_event(event)), None),
        wit::News::Ask(what) => (News::Ask(question(what)?), None),
        wit::News::Unreadable(record) => (News::Unreadable(unreadable(record)), None),
        wit::News::Other((name, value)) => (News::Other { name, value: json_or_text(&value) }, None),
    };
    into.push(Change { route: route.clone(), mended: reading.mended(), ..Change::new(news, raw) });
    Ok(())
}

type Told = (News, Option<gassync_domain::RawJson>);

fn block_or_unreadable(reading: &mut Reading, record: wit::Block) -> Converted<Told> {
    let (id, words) = (record.id.clone(), record.raw.clone());
    let raw = reading.raw(words.as_deref())?;
    match block(reading, record) {
        Ok(record) => Ok((News::Block(record), raw)),
        Err(CallError::BadAnswer { path, problem }) => {
            let problem = reading::problem(&path, &problem);
            Ok((News::Unreadable(Unreadable { entity: Entity::Block, id, problem, raw: words }), None))
        }
        Err(error) => Err(error),
    }
}

fn unreadable(record: wit::Unreadable) -> Unreadable {
    let wit::Unreadable { entity, id, problem, raw } = record;
    let id = id.filter(|id| !id.trim().is_empty());
    Unreadable { entity: self::entity(entity), id, problem: reading::cut(&problem), raw }
}

/// A value that nothing is decided by: what is no JSON is kept as text.
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
