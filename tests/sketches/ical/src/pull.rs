//! Fetches a whole calendar.

use gassync_plugin::{
    Block, Change, ChangeKind, ChannelError, Completeness, Entity, GuestDetails, Page, Property, Query, Reservation,
    ReservationStatus, ResumePoint, RoomStay, RoomType, Scope, Selection, change, http, settings,
};

use crate::{
    Settings,
    event::{self, Event},
};

pub(crate) fn fetch(query: &Query) -> Result<Page, ChannelError> {
    let settings: Settings = settings()?;
    match (query.entity, &query.selection) {
        (Entity::Property, Selection::Everything) => Ok(Page::of(unit(settings))),
        // The calendar cannot be filtered; it can only be unchanged since this ETag.
        (Entity::Reservation, Selection::After(etag)) => calendar(&settings, Some(etag)),
        (Entity::Reservation, Selection::Everything | Selection::ChangedSince(_)) => calendar(&settings, None),
        _ => Err(ChannelError::Unsupported),
    }
}

fn unit(settings: Settings) -> Vec<Change> {
    let Settings { unit_id: id, unit_name: name, .. } = settings;
    let room = RoomType { quantity: Some(1), ..RoomType::new(&id, &id, &name) };
    let house = Property { room_types: vec![id.clone()], ..Property::new(&id, name) };
    vec![change(Some(&id), ChangeKind::Property(house)), change(Some(&id), ChangeKind::RoomType(room))]
}

fn calendar(settings: &Settings, etag: Option<&String>) -> Result<Page, ChannelError> {
    // Anyone with the URL can read the calendar, so the whole URL is the secret.
    let mut request = http::Request::get("{{ical.url}}").secret("ical.url").header("accept", "text/calendar");
    if let Some(etag) = etag {
        request = request.header("if-none-match", etag);
    }
    let answer = request.send()?;
    match answer.status() {
        200 => {}
        304 if etag.is_some() => return Ok(Page::of(Vec::new())),
        401 | 403 | 404 | 410 => {
            return Err(ChannelError::Unauthorized("the calendar's address leads nowhere any more".to_owned()));
        }
        _ => return Err(answer.refusal(None)),
    }
    let changes = event::read(answer.body())?.into_iter().filter_map(|event| reported(event, settings)).collect();
    let resume = answer.header("etag").map(|etag| ResumePoint::Token(etag.to_owned()));
    Ok(Page { scope: Scope::WholeEntity, resume, ..Page::of(changes) })
}

/// The change for an event; `None` for a cancelled block: it is gone, like any event that is missing.
fn reported(event: Event, settings: &Settings) -> Option<Change> {
    let unit = Some(settings.unit_id.clone());
    let summary = event.summary.to_lowercase();
    let is_block = settings.block_words.iter().any(|word| summary.contains(&word.to_lowercase()));
    let data = match (is_block, event.status.as_str()) {
        (true, "CANCELLED") => return None,
        (true, _) => ChangeKind::Block(Block {
            id: Some(event.uid),
            property_id: unit.clone(),
            reason: Some(event.summary).filter(|summary| !summary.is_empty()),
            ..Block::new(vec![settings.unit_id.clone()], event.stay)
        }),
        (false, word) => {
            let status = match word {
                "" | "CONFIRMED" => ReservationStatus::Confirmed,
                "TENTATIVE" => ReservationStatus::Pending(None),
                "CANCELLED" => ReservationStatus::Cancelled,
                other => ReservationStatus::Other(other.to_owned()),
            };
            ChangeKind::Reservation(Reservation {
                property_id: unit.clone(),
                rooms: vec![RoomStay { stay: Some(event.stay), ..RoomStay::new(unit.clone()) }],
                stay: Some(event.stay),
                source: Some(settings.source.clone()).filter(|source| !source.is_empty()),
                guest: name(&event.summary).map(|name| GuestDetails { name: Some(name), ..GuestDetails::unknown() }),
                modified_at: event.modified,
                notes: event.description,
                // A calendar contains no price, guest numbers or address: values added elsewhere stay.
                completeness: Completeness::Partial,
                ..Reservation::new(event.uid, status)
            })
        }
    };
    Some(change(unit.as_deref(), data))
}

/// The name in `Reserved - Ines`: one text, not split further.
fn name(summary: &str) -> Option<String> {
    let (word, name) = summary.split_once(" - ")?;
    let known = ["reserved", "booked", "reservation"].contains(&word.trim().to_lowercase().as_str());
    known.then(|| name.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use gassync_plugin::{Header, HttpResponse, testing::FakeHost};

    use super::*;

    #[test]
    fn a_calendar_that_did_not_change_is_not_read_again() {
        FakeHost::reset();
        FakeHost::set_settings(r#"{"unitId":"loft","unitName":"Loft","source":"","blockWords":["blocked"]}"#);
        let etag = Header { name: "ETag".to_owned(), value: "\"v1\"".to_owned() };
        let body = include_bytes!("../../../fixtures/ical/calendar.ics").to_vec();
        FakeHost::answer_with(Ok(HttpResponse { status: 200, headers: vec![etag], body }));
        let since = Selection::ChangedSince("2027-05-01T00:00:00Z".to_owned());
        let first = fetch(&Query::new(Entity::Reservation, since)).expect("a page");
        assert!(matches!(first.scope, Scope::WholeEntity), "what it does not name is gone");
        let Some(ResumePoint::Token(mark)) = first.resume else { panic!("{:?}", first.resume) };
        FakeHost::answer(304, "");
        let second = fetch(&Query::new(Entity::Reservation, Selection::After(mark))).expect("a page");
        assert!(second.changes.is_empty() && matches!(second.scope, Scope::Delta), "nothing is gone");
        assert_eq!(second.resume, None, "it goes on from where it was");
        let everything = || fetch(&Query::new(Entity::Reservation, Selection::Everything));
        FakeHost::answer(304, "");
        assert!(everything().is_err(), "who asks for everything is not told that nothing changed");
        let marks =
            FakeHost::take_requests().into_iter().map(|request| request.headers.get(1).map(|h| h.value.clone()));
        assert_eq!(marks.collect::<Vec<_>>(), [None, Some("\"v1\"".to_owned()), None]);
        FakeHost::answer(200, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n");
        assert_eq!(everything().expect("a page").resume, None, "a calendar without a mark");
    }
}
