//! Nights that a channel has taken out of sale: notes of maintenance in the core, one for each unit. Some channels keep them
//! among their reservations, under ids of one row: then the newer word on an id counts, whichever kind it is of.

use gassync_domain::{
    Block, Completeness, CoreId, Digest, MAX_STAY_NIGHTS, Mended, Missing, Parked, RawJson, Reservation, Status, Stay,
    Version,
};

use super::{
    apply::{IngestContext, IngestOutcome, ReceivedReservation},
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
        core::{maintenance::MaintenanceKind, units},
        ledger::Span,
        mappings,
    },
};

/// Whether the source has told of blocks.
pub(super) async fn any(tx: &mut Tx, context: &IngestContext) -> Result<bool> {
    blocks::any(tx, context.account, context.source).await
}

/// A block: told of for the first time, changed, or parked until its room types are linked.
pub(super) async fn apply(
    tx: &mut Tx,
    context: &IngestContext,
    mut block: Block,
    (raw, mut mended): (&RawJson, Vec<Mended>),
) -> Result<IngestOutcome> {
    block.normalise();
    let errors = context.mend_or_check(&mut block, &mut mended);
    let id = id_of(&block);
    let (outcome, waits_already) = if errors.is_empty() {
        decide(tx, context, (&block, &id), (raw, &mended)).await?
    } else {
        (IngestOutcome::Rejected(errors), false)
    };
    if !waits_already {
        context.log(tx, ("block", &id), (&outcome, &mended)).await?;
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
    context: &IngestContext,
    (block, id): (&Block, &str),
    (raw, mended): (&RawJson, &[Mended]),
) -> Result<(IngestOutcome, bool)> {
    let IngestContext { account, source, now, .. } = *context;
    let version = context.version(block.revision.as_ref(), block.modified_at);
    let digest = Digest::of_json(&Block { revision: None, modified_at: None, ..block.clone() });
    let stored = blocks::find(tx, account, source, id).await?;
    if let Some(stored) = &stored {
        if version.is_older_than(&stored.version) {
            return Ok((IngestOutcome::Stale(first_core_id(tx, context, stored).await?), false));
        }
        if stored.digest == digest && stored.parked.is_none() {
            blocks::mark(tx, account, stored.row, (&version, false), now).await?;
            return Ok((IngestOutcome::Unchanged(first_core_id(tx, context, stored).await?), false));
        }
    }
    if let Some(outcome) = end_reservation(tx, context, (block, id), (&version, raw)).await? {
        return Ok((outcome, false));
    }
    let (spans, missing) = spans(tx, context, block).await?;
    let parked = (!missing.is_empty()).then_some(Parked(missing));
    if let (Some(stored), Some(parked)) = (&stored, &parked)
        && stored.digest == digest
        && stored.parked.as_ref() == Some(parked)
    {
        return Ok((IngestOutcome::Parked(parked.clone()), true));
    }
    if let Some(stored) = &stored {
        release(tx, context, stored).await?;
    }
    let (digest, version, parked_for) = (&digest, &version, parked.as_ref());
    let new = NewBlock { external_id: id, record: block, raw, digest, version, parked: parked_for, mended };
    let row = blocks::put(tx, account, source, &new, now).await?;
    let mut notes = Vec::with_capacity(spans.len());
    for (span, quantity) in spans {
        let kind = (MaintenanceKind::OutOfOrder, block.reason.as_deref());
        let note = core::block(tx, account, (span, quantity), kind, now).await?;
        blocks::add_note(tx, account, row, note).await?;
        notes.push(note);
    }
    let known = stored.is_some_and(|stored| !stored.lifted && stored.parked.is_none());
    let outcome = match (parked, notes.first()) {
        // What is linked is taken all the same.
        (Some(parked), _) => IngestOutcome::Parked(parked),
        (None, Some(note)) if known => IngestOutcome::Updated(*note),
        (None, Some(note)) => IngestOutcome::Created(*note),
        (None, None) => IngestOutcome::BufferedOnly,
    };
    Ok((outcome, false))
}

/// Which units, how many of each and when, as far as they are linked; and what is missing.
async fn spans(tx: &mut Tx, context: &IngestContext, block: &Block) -> Result<(Vec<(Span, u32)>, Vec<Missing>)> {
    let IngestContext { account, source, .. } = *context;
    if !context.authority.source_owns_bookings() {
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
        let Some(mapping) = mappings::find(tx, account, source, mappings::EntityKind::RoomType, &id).await? else {
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
pub(super) async fn removed(tx: &mut Tx, context: &IngestContext, id: &str) -> Result<IngestOutcome> {
    let IngestContext { account, source, now, observed_at, .. } = *context;
    let Some(stored) = blocks::find(tx, account, source, id).await? else { return Ok(IngestOutcome::Unchanged(None)) };
    let core = first_core_id(tx, context, &stored).await?;
    if stored.lifted || observed_at < stored.version.observed_at {
        return Ok(IngestOutcome::Unchanged(core));
    }
    release(tx, context, &stored).await?;
    let version = Version { observed_at, ..stored.version };
    blocks::mark(tx, account, stored.row, (&version, true), now).await?;
    let outcome = core.map_or(IngestOutcome::BufferedOnly, IngestOutcome::Updated);
    context.log(tx, ("block", id), (&outcome, &[])).await?;
    Ok(outcome)
}

async fn first_core_id(tx: &mut Tx, context: &IngestContext, stored: &StoredBlock) -> Result<Option<CoreId>> {
    Ok(blocks::notes(tx, context.account, stored.row).await?.first().copied())
}

/// Gives back what a block takes in the core.
async fn release(tx: &mut Tx, context: &IngestContext, stored: &StoredBlock) -> Result<()> {
    for note in blocks::notes(tx, context.account, stored.row).await? {
        // A person may have taken the note away already.
        core::unblock(tx, context.account, note, context.now).await?;
    }
    blocks::forget_notes(tx, context.account, stored.row).await
}

/// A reservation of this id that still holds nights has become the block, or is the newer word.
async fn end_reservation(
    tx: &mut Tx,
    context: &IngestContext,
    (block, id): (&Block, &str),
    (version, raw): (&Version, &RawJson),
) -> Result<Option<IngestOutcome>> {
    let stored = reservations::find(tx, context.account, context.source, id).await?;
    let Some(stored) = stored else { return Ok(None) };
    let mut waiting = parked_reservations::find_all(tx, context.account, context.source, &[id]).await?;
    let newest = waiting.remove(id).map_or(stored.version, |waiting| waiting.version);
    if version.is_older_than(&newest) {
        return Ok(Some(IngestOutcome::Stale(stored.core)));
    }
    if stored.record.status.holds_nights() || stored.parked.is_some() {
        let ended = Reservation {
            completeness: Completeness::Partial,
            modified_at: block.modified_at,
            revision: block.revision.clone(),
            ..Reservation::new(id, Status::Cancelled)
        };
        reservation::apply(tx, context, vec![(ended, raw.clone(), Vec::new())]).await?;
    }
    Ok(None)
}

/// What a block of the same id means for a reservation.
pub(super) enum BlockConflict {
    /// Nothing: there is none, or none that stands in it.
    Free,
    /// It is decided by that alone.
    Decided(IngestOutcome),
    /// The block has to go first, if the reservation can be booked then.
    Through(Box<StoredBlock>),
}

/// Whether a reservation's id is a block's that is older: then the block goes, unless the reservation cannot stand in its
/// place; or newer: then the reservation is old news.
pub(super) async fn resolve_conflict(
    tx: &mut Tx,
    context: &IngestContext,
    reservation: &Reservation,
) -> Result<BlockConflict> {
    let IngestContext { account, source, now, .. } = *context;
    let Some(block) = blocks::find(tx, account, source, &reservation.id).await? else { return Ok(BlockConflict::Free) };
    let version = context.version(reservation.revision.as_ref(), reservation.modified_at);
    let core = first_core_id(tx, context, &block).await?;
    if version.is_older_than(&block.version) {
        return Ok(BlockConflict::Decided(IngestOutcome::Stale(core)));
    }
    if block.lifted {
        return Ok(BlockConflict::Free);
    }
    // A word that nobody knows may hold nights: it takes nobody's place before a person has decided.
    if reservation.status.holds_nights() || matches!(reservation.status, Status::Other(_)) {
        return Ok(BlockConflict::Through(Box::new(block)));
    }
    let known = reservations::find(tx, account, source, &reservation.id).await?;
    let is_our_own = !block.version.is_older_than(&version)
        && known.as_ref().is_some_and(|known| !known.record.status.holds_nights());
    if is_our_own {
        // The end of the booking that this block took the place of, once more.
        return Ok(BlockConflict::Free);
    }
    release(tx, context, &block).await?;
    blocks::mark(tx, account, block.row, (&version, true), now).await?;
    if known.is_some() {
        return Ok(BlockConflict::Free);
    }
    // It was never anything but a block.
    let outcome = core.map_or(IngestOutcome::Unchanged(None), IngestOutcome::Updated);
    context.log(tx, ("block", &reservation.id), (&outcome, &[])).await?;
    Ok(BlockConflict::Decided(outcome))
}

/// Books a reservation in the place of a block; where it cannot be booked the block stays.
pub(super) async fn replace_block(
    tx: &mut Tx,
    context: &IngestContext,
    block: &StoredBlock,
    received: ReceivedReservation,
) -> Result<IngestOutcome> {
    let IngestContext { account, now, .. } = *context;
    let version = context.version(received.0.revision.as_ref(), received.0.modified_at);
    tx.savepoint("block").await?;
    release(tx, context, block).await?;
    blocks::mark(tx, account, block.row, (&version, true), now).await?;
    // The block ended the booking, and not its guest: it may stand again.
    let reviving = IngestContext { may_revive: true, ..*context };
    let outcome = apply_one(tx, &reviving, received.clone()).await?;
    if matches!(
        outcome,
        IngestOutcome::Created(_)
            | IngestOutcome::Updated(_)
            | IngestOutcome::Overbooked { .. }
            | IngestOutcome::Unchanged(_)
    ) {
        return Ok(outcome);
    }
    tx.rollback_to("block").await?;
    // The block has its nights already: it waits without keeping them twice.
    let outcomes = reservation::apply_beside_block(tx, context, vec![received]).await?;
    Ok(outcomes.into_iter().next().unwrap_or(IngestOutcome::Unsupported))
}

async fn apply_one(tx: &mut Tx, context: &IngestContext, received: ReceivedReservation) -> Result<IngestOutcome> {
    let outcomes = reservation::apply(tx, context, vec![received]).await?;
    Ok(outcomes.into_iter().next().unwrap_or(IngestOutcome::Unsupported))
}
