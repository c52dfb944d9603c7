//! Reservations of several rooms: a group of bookings, or one booking of several units of a room type.

use gassync_plugin::{FieldError, Operation, Reservation, RoomStay};

use super::{
    booking_form::{self, BookingPart, parts},
    form::Form,
    lookup::{self, Existing},
    session::{Abort, WriteSession},
};

/// Adds a new booking to an existing group.
pub(crate) fn join(form: Form, master_id: &str) -> Result<Form, FieldError> {
    form.id("masterId", Some(master_id))
}

/// Returns the writes that make the bookings match the reservation. Rooms are matched by id, then by type, then in
/// order. Missing rooms are created, and bookings without a room are cancelled.
pub(crate) fn changes(
    session: &mut WriteSession,
    (operation, id): (&Operation, &str),
    reservation: &Reservation,
    warnings: &mut Vec<String>,
) -> Result<Vec<Form>, Abort> {
    let master = lookup::by_ids(session, &[id.to_owned()])?.into_iter().next();
    let master = master.ok_or_else(|| FieldError::new("/id", "Beds24 has no such booking"))?;
    let ids = master.group();
    if ids.len() == 1 {
        return Ok(vec![over_units(id, reservation, warnings)?]);
    }
    let mut members = lookup::by_ids(session, &ids)?;
    members.retain(|member| !member.is_cancelled());
    let (pairs, new) = pair(&mut members, parts(reservation).collect());
    let mut forms = Vec::new();
    for (member, part) in pairs {
        let form = Form::of(&member.id.text().unwrap_or_default())?;
        forms.push(part.known(form, warnings)?);
    }
    for member in members {
        forms.push(cancellation(&member.id.text().unwrap_or_default())?);
    }
    for part in new {
        let creation = booking_form::creation(&part, &operation.reference, warnings)?;
        forms.push(join(creation.form.actions(&["checkAvailability"]), id)?);
    }
    Ok(forms)
}

pub(crate) fn cancellation(id: &str) -> Result<Form, FieldError> {
    Ok(Form::of(id)?.text("status", Some("cancelled")))
}

/// Changes a booking of several units, which has one room type.
fn over_units(id: &str, reservation: &Reservation, warnings: &mut Vec<String>) -> Result<Form, FieldError> {
    let first = reservation.rooms.first();
    let same = |room: &RoomStay| {
        first.is_some_and(|first| (&first.room_type_id, first.stay) == (&room.room_type_id, room.stay))
    };
    if !reservation.rooms.iter().all(same) {
        return Err(FieldError::new("/roomId", "one booking cannot hold rooms of several types or stays"));
    }
    // Values of a single room do not apply to the booking.
    let room = first.map(|room| RoomStay { stay: room.stay, ..RoomStay::new(room.room_type_id.clone()) });
    let part = BookingPart { reservation, room: room.as_ref(), is_alone: true, is_first: true };
    let units = u32::try_from(reservation.rooms.len()).unwrap_or(u32::MAX);
    Ok(part.known(Form::of(id)?, warnings)?.number("roomQty", Some(units)))
}

/// Matches rooms with bookings. Returns the rooms without a booking; the bookings without a room remain in `members`.
fn pair<'a>(
    members: &mut Vec<Existing>,
    rooms: Vec<BookingPart<'a>>,
) -> (Vec<(Existing, BookingPart<'a>)>, Vec<BookingPart<'a>>) {
    type Fits = fn(&Existing, &RoomStay) -> bool;
    let by_id: Fits = |member, room| room.id.is_some() && room.id == member.id.text();
    let by_type: Fits = |member, room| room.room_type_id == member.room_id.unless_zero();
    let in_order: Fits = |_, _| true;
    let ways: [Fits; 3] = [by_id, by_type, in_order];
    let mut pairs = Vec::new();
    let mut left = rooms;
    for fits in ways {
        let mut unpaired = Vec::new();
        for part in left {
            let at = part.room.and_then(|room| members.iter().position(|member| fits(member, room)));
            match at {
                Some(at) => pairs.push((members.remove(at), part)),
                None => unpaired.push(part),
            }
        }
        left = unpaired;
    }
    (pairs, left)
}
