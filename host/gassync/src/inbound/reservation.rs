//! A reservation into buffer, mapping and core.

use gassync_domain::{
    CoreId, Decision, Digest, Intent, Missing, Parked, RawJson, Reservation, Status, Validate, decide, fill,
};

use super::{
    apply::{Incoming, Outcome},
    guest,
};
use crate::{
    core::{self, Bookable, Placed, WhenFull},
    store::{Result, Tx, buffer::reservations, core::bookings, mappings},
};

/// A reservation: older news is told and left out, newer goes into buffer and core, what cannot be placed is parked.
pub(super) async fn apply(
    tx: &mut Tx,
    incoming: &Incoming,
    mut reservation: Reservation,
    raw: &RawJson,
) -> Result<Outcome> {
    reservation.normalise();
    let outcome = place(tx, incoming, &mut reservation, raw).await?;
    incoming.log(tx, ("reservation", &reservation.id), &outcome).await?;
    Ok(outcome)
}

async fn place(tx: &mut Tx, incoming: &Incoming, reservation: &mut Reservation, raw: &RawJson) -> Result<Outcome> {
    let Incoming { account, source, now, .. } = *incoming;
    let stored = reservations::find(tx, account, source, &reservation.id).await?;
    let version = incoming.version(reservation.revision.as_ref(), reservation.modified_at);
    if let Some(stored) = &stored {
        fill(reservation, &stored.record);
    }
    let errors = reservation.validate();
    if !errors.is_empty() {
        return Ok(Outcome::Rejected(errors));
    }
    let digest = Digest::of(reservation);
    let known = stored.as_ref().map(|s| (&s.version, &s.digest, &s.record.status));
    match (decide(known, (&version, &digest, &reservation.status)), &stored) {
        (Decision::Older, Some(stored)) => return Ok(Outcome::Older(stored.core)),
        (Decision::Unchanged, Some(stored)) if stored.parked.is_none() => {
            reservations::confirm(tx, account, source, &reservation.id, &version, now).await?;
            return Ok(Outcome::Unchanged(stored.core));
        }
        _ => {}
    }
    let mapping = mappings::find(tx, account, source, mappings::Kind::Reservation, &reservation.id).await?;
    let outcome = match ready(tx, incoming, mapping, reservation).await? {
        Err(parked) => Outcome::Parked(parked),
        Ok(units) => book(tx, incoming, mapping, reservation, &units).await?,
    };
    if matches!(outcome, Outcome::Refused(_)) {
        return Ok(outcome);
    }
    let mut envelope = incoming.envelope(raw, &digest, &version, &outcome);
    // What is parked after it was booked stays linked to its booking.
    envelope.core = envelope.core.or(mapping.map(|m| m.core));
    reservations::put(tx, &envelope, reservation).await?;
    Ok(outcome)
}

/// The unit of each room, or all that is missing.
async fn ready(
    tx: &mut Tx,
    incoming: &Incoming,
    mapping: Option<mappings::Mapping>,
    reservation: &Reservation,
) -> Result<std::result::Result<Vec<CoreId>, Parked>> {
    let mut missing = Vec::new();
    if !incoming.authority.bookings_are_theirs() {
        missing.push(Missing::Authority);
    }
    if let Status::Other(word) = &reservation.status {
        missing.push(Missing::Status { word: word.clone() });
    }
    if reservation.check_in.is_none() || reservation.check_out.is_none() {
        missing.push(Missing::Dates);
    }
    if reservation.rooms.is_empty() {
        missing.push(Missing::Rooms);
    }
    if let Some(mapping) = mapping
        && reservation.status != Status::Cancelled
        && bookings::standing(tx, incoming.account, mapping.core).await?.is_some_and(|s| s.status == Status::Cancelled)
    {
        missing.push(Missing::Decision { status: reservation.status.as_str().to_owned() });
    }
    let mut units = Vec::with_capacity(reservation.rooms.len());
    for room in &reservation.rooms {
        let Some(id) = &room.room_type_id else {
            missing.push(Missing::Rooms);
            continue;
        };
        match mappings::find(tx, incoming.account, incoming.source, mappings::Kind::RoomType, id).await? {
            Some(unit) => units.push(unit.core),
            None => missing.push(Missing::RoomType { id: id.clone() }),
        }
    }
    missing.dedup();
    Ok(if missing.is_empty() { Ok(units) } else { Err(Parked(missing)) })
}

async fn book(
    tx: &mut Tx,
    incoming: &Incoming,
    mapping: Option<mappings::Mapping>,
    reservation: &Reservation,
    units: &[CoreId],
) -> Result<Outcome> {
    let Incoming { account, source, now, .. } = *incoming;
    if let Some(mapping) = mapping.filter(|m| !m.auto_sync) {
        return Ok(Outcome::Unchanged(Some(mapping.core)));
    }
    let when_full = match reservation.intent {
        Intent::Request => WhenFull::Refuse,
        Intent::Fact => incoming.when_full,
    };
    if when_full == WhenFull::Refuse {
        tx.savepoint("guest").await?;
    }
    let guest = guest::of_reservation(tx, incoming, reservation).await?;
    let bookable = Bookable { reservation, units, guest };
    let (id, nights) = match core::put_booking(tx, account, mapping.map(|m| m.core), &bookable, when_full, now).await? {
        Placed::Booked { id, overbooked } => (id, overbooked),
        Placed::Refused(full) => {
            tx.undo_to("guest").await?;
            return Ok(Outcome::Refused(full));
        }
        Placed::Unplaceable => return Ok(Outcome::Parked(Parked(vec![Missing::Rooms]))),
    };
    let created = mapping.is_none();
    if created {
        mappings::link(tx, account, source, mappings::Kind::Reservation, &reservation.id, id, now).await?;
    }
    Ok(match (nights.is_empty(), created) {
        (false, created) => Outcome::Overbooked { core: id, created, nights },
        (true, true) => Outcome::Created(id),
        (true, false) => Outcome::Updated(id),
    })
}
