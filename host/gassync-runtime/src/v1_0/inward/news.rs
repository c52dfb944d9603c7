use gassync_domain::{Change, ConnectionEvent, Entity, EntityRef, Hint, News, Route};

use super::{
    Converted,
    calendar::calendars,
    questions::question,
    records::{block, guest, property, rate_plan, reservation, room_type},
    values::{json, raw},
    wit,
};
use crate::CallError;

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
        news(change.news, &route, &mut converted).map_err(place)?;
    }
    Ok(converted)
}

fn news(news: wit::News, route: &Route, into: &mut Vec<Change>) -> Converted<()> {
    let mut add = |news, raw| into.push(Change { route: route.clone(), ..Change::new(news, raw) });
    match news {
        wit::News::Property(record) => {
            let raw = raw(record.raw.as_deref())?;
            add(News::Property(property(record)?), raw);
        }
        wit::News::RoomType(record) => {
            let raw = raw(record.raw.as_deref())?;
            add(News::RoomType(room_type(record)?), raw);
        }
        wit::News::Reservation(record) => {
            let raw = raw(record.raw.as_deref())?;
            add(News::Reservation(Box::new(reservation(record)?)), raw);
        }
        wit::News::Guest(record) => add(News::Guest(guest(record)?), None),
        wit::News::Block(record) => {
            let raw = raw(record.raw.as_deref())?;
            add(News::Block(block(record)?), raw);
        }
        wit::News::Calendar(rows) => {
            for calendar in calendars(rows)? {
                add(News::Calendar(calendar), None);
            }
        }
        wit::News::Removed(what) => add(News::Removed(entity_ref(what)), None),
        wit::News::LookAgain(hint) => {
            add(News::LookAgain(Hint { entity: entity(hint.entity), id: hint.id }), None);
        }
        wit::News::Connection(event) => add(News::Connection(connection_event(event)?), None),
        wit::News::RatePlan(record) => {
            let raw = raw(record.raw.as_deref())?;
            add(News::RatePlan(rate_plan(record)?), raw);
        }
        wit::News::Ask(what) => add(News::Ask(question(what)?), None),
        wit::News::Other((name, value)) => add(News::Other { name, value: json("other", &value)? }, None),
    }
    Ok(())
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

fn connection_event(event: wit::ConnectionEvent) -> Converted<ConnectionEvent> {
    Ok(match event {
        wit::ConnectionEvent::Revoked => ConnectionEvent::Revoked,
        wit::ConnectionEvent::Unlinked(ids) => ConnectionEvent::Unlinked { ids },
        wit::ConnectionEvent::Linked(ids) => ConnectionEvent::Linked { ids },
        wit::ConnectionEvent::Remapped((from, to)) => ConnectionEvent::Remapped { from, to },
        wit::ConnectionEvent::Other((kind, value)) => {
            ConnectionEvent::Other { kind, value: json("connection.other", &value)? }
        }
    })
}
