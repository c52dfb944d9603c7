//! Decodes Smoobu's webhooks. They are not signed; the route determines how far the host trusts them.

use gassync_plugin::{
    Change, ChangeKind, ChannelError, Decoded, Entity, EntityRef, HttpRequest, Lenient, Route, change, id_of,
    malformed, read_json, read_one, reply,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    account,
    booking::{self, Booking, Received},
    rates, related,
    vocabulary::CANCELLATION,
};

#[derive(Deserialize)]
struct Message {
    action: String,
    #[serde(default)]
    user: Lenient,
    data: Option<Box<RawValue>>,
}

/// Decodes a webhook. There is no event id; one booking may cause several webhooks, which are ordered by modification
/// time.
pub(crate) fn decode(request: &HttpRequest) -> Result<Decoded, ChannelError> {
    let message: Message = read_json(request.bytes(), "")?;
    let user = message.user.text();
    if !account::is_ours(user.as_deref())? {
        return Err(malformed("/user", "is another Smoobu user: this address was entered in the wrong account"));
    }
    let data = || message.data.as_deref().ok_or_else(|| malformed("/data", "is missing"));
    let of_action = |kind| Received { account: user.as_deref(), kind: Some(kind) };
    let changes = match message.action.as_str() {
        "newReservation" => reservation(data()?, of_action("reservation"))?,
        "updateReservation" => reservation(data()?, of_action("modification of booking"))?,
        "cancelReservation" => reservation(data()?, of_action(CANCELLATION))?,
        "deleteReservation" => removed(data()?, user.as_deref())?,
        "updateRates" => calendars(data()?, user.as_deref())?,
        // Messages and check-ins change nothing stored here.
        _ => Vec::new(),
    };
    Ok(Decoded { event_id: None, changes, reply: Some(reply(200, "ok")) })
}

fn reservation(data: &RawValue, received: Received<'_>) -> Result<Vec<Change>, ChannelError> {
    if !data.get().starts_with('{') {
        return Err(malformed("/data", "is no booking"));
    }
    let id = || id_of(data.get(), &["id"]);
    read_one(Entity::Reservation, data.get(), id, || booking::read(data, received, "/data"))
}

/// The removal of a booking: only its id is reliable; a block is recognised by its own fields.
fn removed(data: &RawValue, account: Option<&str>) -> Result<Vec<Change>, ChannelError> {
    let booking: Booking = read_json(data.get(), "/data")?;
    let id = booking.id.unless_zero().ok_or_else(|| malformed("/data/id", "is missing"))?;
    let entity = if booking.is_block() { Entity::Block } else { Entity::Reservation };
    let route = Route { property_id: booking.apartment.id.unless_zero(), account: account.map(str::to_owned) };
    let related = related::gone(&id)?;
    let data = ChangeKind::Removed(EntityRef { entity, id });
    let changes = std::iter::once(change(None, data)).chain(related);
    Ok(changes.map(|change| Change { route: route.clone(), ..change }).collect())
}

/// The nights of each apartment. One that cannot be read does not affect the others.
fn calendars(data: &RawValue, account: Option<&str>) -> Result<Vec<Change>, ChannelError> {
    let mut changes = Vec::new();
    for (apartment, dates) in rates::by_apartment(data, "/data")? {
        let place = format!("/data/{apartment}");
        let id = || Some(apartment.clone());
        let read = || rates::read(&apartment, &dates, (None, account), &place);
        changes.extend(read_one(Entity::Calendar, dates.get(), id, read)?);
    }
    Ok(changes)
}
