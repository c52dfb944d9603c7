//! The guest of a reservation into buffer, mapping and core.

use gassync_domain::{CoreId, Reservation};

use super::apply::Incoming;
use crate::{
    core,
    store::{Result, Tx, buffer::guests, mappings},
};

/// The guest who made a reservation, in buffer, mapping and core.
///
/// A channel without guest ids gives each reservation a guest of its own: two people are never made one by a guess.
pub(super) async fn apply(tx: &mut Tx, incoming: &Incoming, reservation: &Reservation) -> Result<Option<CoreId>> {
    let Some(guest) = &reservation.guest else {
        return Ok(None);
    };
    let Incoming { account, source, now, .. } = *incoming;
    let external_id = guest.id.clone().unwrap_or_else(|| format!("reservation/{}", reservation.id));
    let known = mappings::find(tx, account, source, mappings::Kind::Guest, &external_id).await?;
    let core = core::put_guest(tx, account, known.map(|m| m.core), guest, now).await?;
    if known.is_none() {
        mappings::link(tx, account, source, mappings::Kind::Guest, &external_id, core, now).await?;
    }
    guests::put(tx, account, source, (&external_id, guest), core, now).await?;
    Ok(Some(core))
}
