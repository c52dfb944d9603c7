//! A guest into buffer, mapping and core.
//!
//! A record is about a person the core knows when, in this order: this source linked that very id with them before; or
//! both have the same mail address of their own and the same family name. Nothing less makes two people one: an address
//! that a selling site forwards is many guests' in turn, and names alone are shared.

use gassync_domain::{CoreId, Digest, Guest, RawJson, Reservation, Validate};

use super::apply::{Incoming, Outcome};
use crate::{
    core,
    store::{Result, Tx, buffer::guests, mappings},
};

/// A guest that is told of without a reservation.
pub(super) async fn apply(tx: &mut Tx, incoming: &Incoming, mut guest: Guest, raw: &RawJson) -> Result<Outcome> {
    guest.normalise();
    let errors = guest.validate();
    let outcome = if errors.is_empty() { keep(tx, incoming, &guest, raw).await? } else { Outcome::Rejected(errors) };
    incoming.log(tx, ("guest", guest.id.as_deref().unwrap_or_default()), &outcome).await?;
    Ok(outcome)
}

/// The guest who made a reservation. One without an id of its own is filed under the reservation's.
pub(super) async fn of_reservation(
    tx: &mut Tx,
    incoming: &Incoming,
    reservation: &Reservation,
) -> Result<Option<CoreId>> {
    let Some(mut guest) = reservation.guest.clone() else {
        return Ok(None);
    };
    guest.id.get_or_insert_with(|| format!("reservation/{}", reservation.id));
    let raw = RawJson::of(&guest);
    Ok(keep(tx, incoming, &guest, &raw).await?.core())
}

async fn keep(tx: &mut Tx, incoming: &Incoming, guest: &Guest, raw: &RawJson) -> Result<Outcome> {
    let Incoming { account, source, now, .. } = *incoming;
    let id = guest.id.as_deref().unwrap_or_default();
    let version = incoming.version(None, None);
    let digest = Digest::of_json(guest);
    if let Some(stored) = guests::find(tx, account, source, id).await? {
        if version.is_older_than(&stored.version) {
            return Ok(Outcome::Older(stored.core));
        }
        if stored.digest == digest {
            guests::confirm(tx, account, source, id, &version, now).await?;
            return Ok(Outcome::Unchanged(stored.core));
        }
    }
    let linked = mappings::find(tx, account, source, mappings::Kind::Guest, id).await?.map(|mapping| mapping.core);
    let known = match linked {
        Some(core) => Some(core),
        None => core::find_guest(tx, account, guest).await?,
    };
    let core = core::put_guest(tx, account, known, guest, now).await?;
    if linked.is_none() {
        mappings::link(tx, account, source, mappings::Kind::Guest, id, core, now).await?;
    }
    let outcome = if known.is_none() { Outcome::Created(core) } else { Outcome::Updated(core) };
    guests::put(tx, &incoming.envelope(raw, &digest, &version, &outcome), guest).await?;
    Ok(outcome)
}
