//! Plans the writes of an operation, after a lookup if necessary.

use gassync_plugin::{
    Accepted, Attempt, Block, Date, FieldError, Operation, OperationKind, Outcome, Reservation, RoomStay, Subject,
};

use super::{
    block_form,
    booking_form::{self, BookingPart, Creation},
    form::Form,
    group::{self, cancellation},
    lookup::{self, Existing},
    session::{Abort, WriteSession},
};
use crate::vocabulary::Word;

/// Plan of one operation.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Nothing to write.
    Settled(Outcome),
    Write(Write),
}

/// The writes of one operation, usually one booking.
#[derive(Debug, Default)]
pub(crate) struct Write {
    pub forms: Vec<Form>,
    /// True for new bookings. If one of several is refused, all are cancelled.
    pub makes: bool,
    /// Its known id.
    pub known_id: Option<String>,
    /// Bookings created by an earlier attempt.
    pub adopted: Vec<String>,
    pub warnings: Vec<String>,
}

pub(crate) fn plan(session: &mut WriteSession, operation: &Operation) -> Result<Plan, Abort> {
    let mut warnings = Vec::new();
    match (operation.kind, &operation.subject) {
        (OperationKind::Create, Subject::Reservation(reservation)) => {
            let creations = booking_form::creations(reservation, &operation.reference, &mut warnings)?;
            create(session, operation, (creations, &["checkAvailability"]), warnings)
        }
        (OperationKind::Block, Subject::Block(block)) => {
            create(session, operation, (block_form::creations(block, &operation.reference)?, &[]), warnings)
        }
        (OperationKind::Change, Subject::Reservation(reservation)) => change(session, operation, reservation),
        (OperationKind::Cancel, Subject::Reservation(reservation)) => cancel(session, operation, reservation),
        (OperationKind::Accept | OperationKind::Decline, Subject::Reservation(reservation)) => {
            answer(session, operation, reservation)
        }
        (OperationKind::Unblock, Subject::Block(block)) => unblock(session, operation, block),
        _ => Err(FieldError::new("", "the record does not match the kind of the operation").into()),
    }
}

/// Creates missing bookings. After an attempt without known result, existing bookings with our reference are adopted
/// unchanged.
fn create(
    session: &mut WriteSession,
    operation: &Operation,
    (creations, actions): (Vec<Creation>, &[&'static str]),
    mut warnings: Vec<String>,
) -> Result<Plan, Abort> {
    if operation.attempt == Attempt::First {
        return Ok(Plan::Write(Write { forms: anew(creations, actions), makes: true, warnings, ..Write::default() }));
    }
    let places: Vec<_> = creations.iter().map(|creation| (creation.room_id.clone(), creation.arrival)).collect();
    let mut there = lookup::by_reference(session, &operation.reference, &places)?;
    if there.is_empty() {
        return Ok(Plan::Write(Write { forms: anew(creations, actions), makes: true, warnings, ..Write::default() }));
    }
    // Prefer active bookings to cancelled ones.
    there.sort_by_key(Existing::is_cancelled);
    let master = there.first().and_then(|there| there.id.unless_zero());
    if there.iter().any(Existing::is_cancelled) {
        warnings.push("a booking of this reference is there, and is cancelled".to_owned());
    }
    let (mut missing, mut adopted) = (Vec::new(), Vec::new());
    for creation in creations {
        let at = there.iter().position(|there| there.is_for(&creation));
        // A single booking matches even if a person has moved it to another room or date.
        match at.or_else(|| (places.len() == 1).then_some(0)) {
            Some(at) => adopted.extend(there.remove(at).id.unless_zero()),
            None => missing.push(creation),
        }
    }
    if missing.is_empty() {
        let accepted = Accepted { channel_id: master, replaces: None, confirmed: true, warnings };
        return Ok(Plan::Settled(Outcome::Accepted(accepted)));
    }
    let forms = missing.into_iter().map(|creation| match &master {
        Some(master) if !actions.is_empty() => group::join(creation.form.actions(actions), master),
        _ => Ok(creation.form.actions(actions)),
    });
    let forms = forms.collect::<Result<_, _>>()?;
    Ok(Plan::Write(Write { forms, makes: true, known_id: master, adopted, warnings }))
}

/// Combines several rooms into a group. Blocks need no group, because they are found by our reference.
fn anew(creations: Vec<Creation>, actions: &[&'static str]) -> Vec<Form> {
    let makes_group = creations.len() > 1 && !actions.is_empty();
    let actions: Vec<&str> = actions.iter().copied().chain(makes_group.then_some("makeGroup")).collect();
    creations.into_iter().map(|creation| creation.form.actions(&actions)).collect()
}

fn change(session: &mut WriteSession, operation: &Operation, reservation: &Reservation) -> Result<Plan, Abort> {
    let mut warnings = Vec::new();
    let id = known_id(session, operation, &places_of(reservation))?;
    let forms = if reservation.rooms.len() > 1 {
        group::changes(session, (operation, &id), reservation, &mut warnings)?
    } else {
        let part = BookingPart { reservation, room: reservation.rooms.first(), is_alone: true, is_first: true };
        vec![part.known(Form::of(&id)?, &mut warnings)?]
    };
    if forms.iter().any(Form::is_bare) {
        return Err(FieldError::new("", "says nothing that could be changed").into());
    }
    Ok(Plan::Write(Write { forms, known_id: Some(id), warnings, ..Write::default() }))
}

/// Cancels by status, since deletion would be permanent.
fn cancel(session: &mut WriteSession, operation: &Operation, reservation: &Reservation) -> Result<Plan, Abort> {
    let ids = bookings_of(session, operation, reservation)?;
    let forms = ids.iter().map(|id| cancellation(id)).collect::<Result<_, _>>()?;
    Ok(Plan::Write(Write { forms, known_id: ids.into_iter().next(), ..Write::default() }))
}

/// Accepts or declines a booking that is still a request.
fn answer(session: &mut WriteSession, operation: &Operation, reservation: &Reservation) -> Result<Plan, Abort> {
    let ids = bookings_of(session, operation, reservation)?;
    let there = lookup::by_ids(session, &ids)?;
    let known_id = ids.into_iter().next();
    let accepts = operation.kind == OperationKind::Accept;
    let (mut forms, mut warnings) = (Vec::new(), Vec::new());
    for booking in &there {
        let id = booking.id.text().unwrap_or_default();
        match booking.as_str() {
            Some(Word::Pending | Word::Inquiry) => {
                let word = if accepts { "confirmed" } else { "cancelled" };
                forms.push(Form::of(&id)?.text("status", Some(word)));
                warnings.extend(unheard(booking));
            }
            Some(Word::Confirmed | Word::NoShow) if accepts => {}
            Some(Word::Cancelled) if !accepts => {}
            Some(Word::Cancelled) => {
                return Err(FieldError::new("/status", "the guest or the house has cancelled").into());
            }
            _ => return Err(FieldError::new("/status", "is no request any more").into()),
        }
    }
    if there.is_empty() {
        return Err(nothing_there());
    }
    if forms.is_empty() {
        let accepted = Accepted { channel_id: known_id, replaces: None, confirmed: true, warnings };
        return Ok(Plan::Settled(Outcome::Accepted(accepted)));
    }
    Ok(Plan::Write(Write { forms, known_id, warnings, ..Write::default() }))
}

/// Returns a warning for a request from a selling site: Beds24 does not report if the site receives the answer.
fn unheard(booking: &Existing) -> Option<String> {
    let site = booking.channel.as_str().filter(|channel| !["direct", "bookingpage"].contains(channel))?;
    Some(format!("whether {site} hears of the answer Beds24 does not say: look there too"))
}

fn unblock(session: &mut WriteSession, operation: &Operation, block: &Block) -> Result<Plan, Abort> {
    let room_types = block_form::room_types(block).unwrap_or_default();
    let mut ids: Vec<String> = operation.channel_id.iter().cloned().collect();
    // Only one id is stored per block. For several room types, find the others by reference.
    if room_types.len() != 1 || ids.is_empty() {
        let places: Vec<_> = room_types.into_iter().map(|room_id| (room_id, block.stay.start)).collect();
        let there = lookup::by_reference(session, &operation.reference, &places)?;
        let more = there.iter().filter(|there| !there.is_cancelled()).filter_map(|there| there.id.unless_zero());
        ids.extend(more.filter(|id| operation.channel_id.as_ref() != Some(id)));
        if ids.is_empty() && there.is_empty() {
            return Err(nothing_there());
        }
        if ids.is_empty() {
            // A person has already opened the nights.
            let accepted = Accepted { channel_id: None, replaces: None, confirmed: true, warnings: Vec::new() };
            return Ok(Plan::Settled(Outcome::Accepted(accepted)));
        }
    }
    let forms = ids.iter().map(|id| cancellation(id)).collect::<Result<_, _>>()?;
    Ok(Plan::Write(Write { forms, known_id: ids.into_iter().next(), ..Write::default() }))
}

/// Returns all bookings of a reservation: those of its group if it has several rooms.
fn bookings_of(
    session: &mut WriteSession,
    operation: &Operation,
    reservation: &Reservation,
) -> Result<Vec<String>, Abort> {
    let id = known_id(session, operation, &places_of(reservation))?;
    if reservation.rooms.len() < 2 {
        return Ok(vec![id]);
    }
    let there = lookup::by_ids(session, std::slice::from_ref(&id))?;
    Ok(there.first().map_or_else(|| vec![id], Existing::group))
}

/// Returns the stored id, or else that of the booking with our reference.
fn known_id(session: &mut WriteSession, operation: &Operation, places: &[(String, Date)]) -> Result<String, Abort> {
    if let Some(id) = &operation.channel_id {
        return Ok(id.clone());
    }
    let mut there = lookup::by_reference(session, &operation.reference, places)?;
    there.sort_by_key(Existing::is_cancelled);
    there.iter().find_map(|there| there.id.unless_zero()).ok_or_else(nothing_there)
}

fn nothing_there() -> Abort {
    FieldError::new("/id", "Beds24 has no such booking, and none of our reference").into()
}

fn places_of(reservation: &Reservation) -> Vec<(String, Date)> {
    let place = |room: &RoomStay| Some((room.room_type_id.clone()?, room.stay.or(reservation.stay)?.start));
    reservation.rooms.iter().filter_map(place).collect()
}

impl Existing {
    fn is_for(&self, creation: &Creation) -> bool {
        let is_day = self.arrival.date("").is_ok_and(|day| day == Some(creation.arrival));
        is_day && self.room_id.as_str() == Some(creation.room_id.as_str())
    }
}
