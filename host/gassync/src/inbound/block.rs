//! Nights that a channel has taken out of sale: notes of maintenance in the core, one for each unit. Some channels keep them
//! among their reservations, under ids of one row: then the newer word on an id counts, whichever kind it is of.

use gassync_domain::{
    Block, Completeness, CoreId, Digest, MAX_STAY_NIGHTS, Mended, Missing, Parked, RawJson, Reservation, Status, Stay,
    Version,
};

use super::{
    apply::{Incoming, Outcome, Told},
    reservation,
};
use crate::{
    core,
    store::{
        Result, Tx,
        buffer::{
            blocks::{self, NewBlock, StoredBlock},
            parked_reservations, reservations,
        },
        core::{maintenance::Kind, units},
        ledger::Span,
        mappings,
    },
};

/// Whether the source has told of blocks.
pub(super) async fn any(tx: &mut Tx, incoming: &Incoming) -> Result<bool> {
    blocks::any(tx, incoming.account, incoming.source).await
}

/// A block: told of for the first time, changed, or parked until its room types are linked.
pub(super) async fn apply(
    tx: &mut Tx,
    incoming: &Incoming,
    mut block: Block,
    (raw, mut mended): (&RawJson, Vec<Mended>),
) -> Result<Outcome> {
    block.normalise();
    let errors = incoming.mend_or_check(&mut block, &mut mended);
    let id = id_of(&block);
    let (outcome, waits_already) = if errors.is_empty() {
        decide(tx, incoming, (&block, &id), (raw, &mended)).await?
    } else {
        (Outcome::Rejected(errors), false)
    };
    if !waits_already {
        incoming.log(tx, ("block", &id), (&outcome, &mended)).await?;
    }
    Ok(outcome)
}

/// The channel's id; without one, a block is what it takes.
pub(super) fn id_of(block: &Block) -> String {
    block.id.clone().unwrap_or_else(|| {
        let Block { property_id, unit_id, check_in, check_out, .. } = block;
        let rooms = block.room_types().map(String::as_str).collect::<Vec<_>>().join("+");
        let word = |text: &Option<String>| text.as_deref().unwrap_or("*").to_owned();
        format!("{}/{rooms}/{}/{check_in}/{check_out}", word(property_id), word(unit_id))
    })
}

/// What becomes of it, and whether just this waits already: then nothing is written.
async fn decide(
    tx: &mut Tx,
    incoming: &Incoming,
    (block, id): (&Block, &str),
    (raw, mended): (&RawJson, &[Mended]),
) -> Result<(Outcome, bool)> {
    let Incoming { account, source, now, .. } = *incoming;
    let version = incoming.version(block.revision.as_ref(), block.modified_at);
    let digest = Digest::of_json(&Block { revision: None, modified_at: None, ..block.clone() });
    let stored = blocks::find(tx, account, source, id).await?;
    if let Some(stored) = &stored {
        if version.is_older_than(&stored.version) {
            return Ok((Outcome::Older(first(tx, incoming, stored).await?), false));
        }
        if stored.digest == digest && stored.parked.is_none() {
            blocks::mark(tx, account, stored.row, (&version, false), now).await?;
            return Ok((Outcome::Unchanged(first(tx, incoming, stored).await?), false));
        }
    }
    if let Some(outcome) = end_reservation(tx, incoming, (block, id), (&version, raw)).await? {
        return Ok((outcome, false));
    }
    let (spans, missing) = spans(tx, incoming, block).await?;
    let parked = (!missing.is_empty()).then_some(Parked(missing));
    if let (Some(stored), Some(parked)) = (&stored, &parked)
        && stored.digest == digest
        && stored.parked.as_ref() == Some(parked)
    {
        return Ok((Outcome::Parked(parked.clone()), true));
    }
    if let Some(stored) = &stored {
        lift(tx, incoming, stored).await?;
    }
    let (digest, version, parked_for) = (&digest, &version, parked.as_ref());
    let new = NewBlock { external_id: id, record: block, raw, digest, version, parked: parked_for, mended };
    let row = blocks::put(tx, account, source, &new, now).await?;
    let mut notes = Vec::with_capacity(spans.len());
    for (span, quantity) in spans {
        let kind = (Kind::OutOfOrder, block.reason.as_deref());
        let note = core::block(tx, account, (span, quantity), kind, now).await?;
        blocks::add_note(tx, account, row, note).await?;
        notes.push(note);
    }
    let known = stored.is_some_and(|stored| !stored.lifted && stored.parked.is_none());
    let outcome = match (parked, notes.first()) {
        // What is linked is taken all the same.
        (Some(parked), _) => Outcome::Parked(parked),
        (None, Some(note)) if known => Outcome::Updated(*note),
        (None, Some(note)) => Outcome::Created(*note),
        (None, None) => Outcome::Kept,
    };
    Ok((outcome, false))
}

/// Which units, how many of each and when, as far as they are linked; and what is missing.
async fn spans(tx: &mut Tx, incoming: &Incoming, block: &Block) -> Result<(Vec<(Span, u32)>, Vec<Missing>)> {
    let Incoming { account, source, .. } = *incoming;
    if !incoming.authority.bookings_are_theirs() {
        return Ok((Vec::new(), vec![Missing::Authority]));
    }
    let mut named: Vec<String> = block.room_types().cloned().collect();
    if let (true, Some(property)) = (named.is_empty(), &block.property_id) {
        named = blocks::room_types_of(tx, account, source, property).await?;
        if named.is_empty() {
            return Ok((Vec::new(), vec![Missing::Property { id: property.clone() }]));
        }
    }
    let stays = stays(block);
    let (mut spans, mut missing) = (Vec::new(), Vec::new());
    for id in named {
        let Some(mapping) = mappings::find(tx, account, source, mappings::Kind::RoomType, &id).await? else {
            missing.push(Missing::RoomType { id });
            continue;
        };
        if !mapping.auto_sync {
            missing.push(Missing::SwitchedOff { id });
            continue;
        }
        let all = units::quantity(tx, account, mapping.core).await?.unwrap_or(1);
        let all = u32::try_from(all).unwrap_or(u32::MAX);
        let one = block.unit_id.as_ref().map(|_| 1);
        let quantity = block.units.or(one).unwrap_or(all).min(all);
        if quantity > 0 {
            spans.extend(stays.iter().map(|stay| (Span { unit: mapping.core, stay: *stay }, quantity)));
        }
    }
    Ok((spans, missing))
}

/// Its nights, in pieces that are no longer than a stay may be.
fn stays(block: &Block) -> Vec<Stay> {
    let mut stays = Vec::new();
    let mut from = block.check_in;
    while from < block.check_out {
        let until = from.saturating_add(jiff::Span::new().days(MAX_STAY_NIGHTS)).min(block.check_out);
        stays.extend(Stay::new(from, until));
        from = until;
    }
    stays
}

/// The channel says no more than that it is gone.
pub(super) async fn removed(tx: &mut Tx, incoming: &Incoming, id: &str) -> Result<Outcome> {
    let Incoming { account, source, now, observed_at, .. } = *incoming;
    let Some(stored) = blocks::find(tx, account, source, id).await? else { return Ok(Outcome::Unchanged(None)) };
    let core = first(tx, incoming, &stored).await?;
    if stored.lifted || observed_at < stored.version.observed_at {
        return Ok(Outcome::Unchanged(core));
    }
    lift(tx, incoming, &stored).await?;
    let version = Version { observed_at, ..stored.version };
    blocks::mark(tx, account, stored.row, (&version, true), now).await?;
    let outcome = core.map_or(Outcome::Kept, Outcome::Updated);
    incoming.log(tx, ("block", id), (&outcome, &[])).await?;
    Ok(outcome)
}

async fn first(tx: &mut Tx, incoming: &Incoming, stored: &StoredBlock) -> Result<Option<CoreId>> {
    Ok(blocks::notes(tx, incoming.account, stored.row).await?.first().copied())
}

/// Gives back what a block takes in the core.
async fn lift(tx: &mut Tx, incoming: &Incoming, stored: &StoredBlock) -> Result<()> {
    for note in blocks::notes(tx, incoming.account, stored.row).await? {
        // A person may have taken the note away already.
        core::unblock(tx, incoming.account, note, incoming.now).await?;
    }
    blocks::forget_notes(tx, incoming.account, stored.row).await
}

/// A reservation of this id that still holds nights has become the block, or is the newer word.
async fn end_reservation(
    tx: &mut Tx,
    incoming: &Incoming,
    (block, id): (&Block, &str),
    (version, raw): (&Version, &RawJson),
) -> Result<Option<Outcome>> {
    let stored = reservations::find(tx, incoming.account, incoming.source, id).await?;
    let Some(stored) = stored else { return Ok(None) };
    let mut waiting = parked_reservations::find_all(tx, incoming.account, incoming.source, &[id]).await?;
    let newest = waiting.remove(id).map_or(stored.version, |waiting| waiting.version);
    if version.is_older_than(&newest) {
        return Ok(Some(Outcome::Older(stored.core)));
    }
    if stored.record.status.holds_nights() || stored.parked.is_some() {
        let ended = Reservation {
            completeness: Completeness::Partial,
            modified_at: block.modified_at,
            revision: block.revision.clone(),
            ..Reservation::new(id, Status::Cancelled)
        };
        reservation::apply(tx, incoming, vec![(ended, raw.clone(), Vec::new())]).await?;
    }
    Ok(None)
}

/// What a block of the same id means for a reservation.
pub(super) enum Way {
    /// Nothing: there is none, or none that stands in it.
    Free,
    /// It is decided by that alone.
    Decided(Outcome),
    /// The block has to go first, if the reservation can be booked then.
    Through(Box<StoredBlock>),
}

/// Whether a reservation's id is a block's that is older: then the block goes, unless the reservation cannot stand in its
/// place; or newer: then the reservation is old news.
pub(super) async fn way(tx: &mut Tx, incoming: &Incoming, reservation: &Reservation) -> Result<Way> {
    let Incoming { account, source, now, .. } = *incoming;
    let Some(block) = blocks::find(tx, account, source, &reservation.id).await? else { return Ok(Way::Free) };
    let version = incoming.version(reservation.revision.as_ref(), reservation.modified_at);
    let core = first(tx, incoming, &block).await?;
    if version.is_older_than(&block.version) {
        return Ok(Way::Decided(Outcome::Older(core)));
    }
    if block.lifted {
        return Ok(Way::Free);
    }
    // A word that nobody knows may hold nights: it takes nobody's place before a person has decided.
    if reservation.status.holds_nights() || matches!(reservation.status, Status::Other(_)) {
        return Ok(Way::Through(Box::new(block)));
    }
    let known = reservations::find(tx, account, source, &reservation.id).await?;
    let is_our_own = !block.version.is_older_than(&version)
        && known.as_ref().is_some_and(|known| !known.record.status.holds_nights());
    if is_our_own {
        // The end of the booking that this block took the place of, once more.
        return Ok(Way::Free);
    }
    lift(tx, incoming, &block).await?;
    blocks::mark(tx, account, block.row, (&version, true), now).await?;
    if known.is_some() {
        return Ok(Way::Free);
    }
    // It was never anything but a block.
    let outcome = core.map_or(Outcome::Unchanged(None), Outcome::Updated);
    incoming.log(tx, ("block", &reservation.id), (&outcome, &[])).await?;
    Ok(Way::Decided(outcome))
}

/// Books a reservation in the place of a block; where it cannot be booked the block stays.
pub(super) async fn give_way(tx: &mut Tx, incoming: &Incoming, block: &StoredBlock, told: Told) -> Result<Outcome> {
    let Incoming { account, now, .. } = *incoming;
    let version = incoming.version(told.0.revision.as_ref(), told.0.modified_at);
    tx.savepoint("block").await?;
    lift(tx, incoming, block).await?;
    blocks::mark(tx, account, block.row, (&version, true), now).await?;
    // The block ended the booking, and not its guest: it may stand again.
    let reviving = Incoming { may_revive: true, ..*incoming };
    let outcome = alone(tx, &reviving, told.clone()).await?;
    if matches!(outcome, Outcome::Created(_) | Outcome::Updated(_) | Outcome::Overbooked { .. } | Outcome::Unchanged(_))
    {
        return Ok(outcome);
    }
    tx.undo_to("block").await?;
    // The block has its nights already: it waits without keeping them twice.
    let outcomes = reservation::apply_beside_block(tx, incoming, vec![told]).await?;
    Ok(outcomes.into_iter().next().unwrap_or(Outcome::NotKept))
}

async fn alone(tx: &mut Tx, incoming: &Incoming, told: Told) -> Result<Outcome> {
    let outcomes = reservation::apply(tx, incoming, vec![told]).await?;
    Ok(outcomes.into_iter().next().unwrap_or(Outcome::NotKept))
}
