//! Blocks: nights that a channel took off sale, stored as maintenance in the core, one per unit. Some channels keep blocks
//! and reservations under the same ids: then the newer record of an id counts, whichever kind it is.

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

/// True if the source has blocks.
pub(super) async fn any(tx: &mut Tx, context: &IngestContext) -> Result<bool> {
    blocks::any(tx, context.key()).await
}

/// Applies a block: creates or updates it, or parks it until its room types are linked.
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

/// The channel's id, or an id derived from rooms and dates.
pub(super) fn id_of(block: &Block) -> String {
    block.id.clone().unwrap_or_else(|| {
        let Block { property_id, unit_id, check_in, check_out, .. } = block;
        let rooms = block.room_types().map(String::as_str).collect::<Vec<_>>().join("+");
        let word = |text: &Option<String>| text.as_deref().unwrap_or("*").to_owned();
        format!("{}/{rooms}/{}/{check_in}/{check_out}", word(property_id), word(unit_id))
    })
}

/// The outcome, and whether the same record is already parked, so that nothing is written.
async fn decide(
    tx: &mut Tx,
    context: &IngestContext,
    (block, id): (&Block, &str),
    (raw, mended): (&RawJson, &[Mended]),
) -> Result<(IngestOutcome, bool)> {
    let IngestContext { account, now, .. } = *context;
    let version = context.version(block.revision.as_ref(), block.modified_at);
    let digest = Digest::of_json(&Block { revision: None, modified_at: None, ..block.clone() });
    let stored = blocks::find(tx, context.key(), id).await?;
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
    let row = blocks::put(tx, context.key(), &new, now).await?;
    let mut notes = Vec::with_capacity(spans.len());
    for (span, quantity) in spans {
        let kind = (MaintenanceKind::OutOfOrder, block.reason.as_deref());
        let note = core::block(tx, account, (span, quantity), kind, now).await?;
        blocks::add_note(tx, account, row, note).await?;
        notes.push(note);
    }
    let known = stored.is_some_and(|stored| !stored.lifted && stored.parked.is_none());
    let outcome = match (parked, notes.first()) {
        // The linked part is blocked nevertheless.
        (Some(parked), _) => IngestOutcome::Parked(parked),
        (None, Some(note)) if known => IngestOutcome::Updated(*note),
        (None, Some(note)) => IngestOutcome::Created(*note),
        (None, None) => IngestOutcome::BufferedOnly,
    };
    Ok((outcome, false))
}

/// The linked units with quantities and nights, and what is missing.
async fn spans(tx: &mut Tx, context: &IngestContext, block: &Block) -> Result<(Vec<(Span, u32)>, Vec<Missing>)> {
    let IngestContext { account, .. } = *context;
    if !context.authority.source_owns_bookings() {
        return Ok((Vec::new(), vec![Missing::Authority]));
    }
    let mut named: Vec<String> = block.room_types().cloned().collect();
    if let (true, Some(property)) = (named.is_empty(), &block.property_id) {
        named = blocks::room_types_of(tx, context.key(), property).await?;
        if named.is_empty() {
            return Ok((Vec::new(), vec![Missing::Property { id: property.clone() }]));
        }
    }
    let stays = stays(block);
    let (mut spans, mut missing) = (Vec::new(), Vec::new());
    for id in named {
        let Some(mapping) = mappings::find(tx, context.key(), mappings::EntityKind::RoomType, &id).await? else {
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

/// Its nights, split at the maximum stay length.
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

/// Applies the removal of a block.
pub(super) async fn removed(tx: &mut Tx, context: &IngestContext, id: &str) -> Result<IngestOutcome> {
    let IngestContext { account, now, observed_at, .. } = *context;
    let Some(stored) = blocks::find(tx, context.key(), id).await? else {
        return Ok(IngestOutcome::Unchanged(None));
    };
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

/// Releases a block's nights in the core.
async fn release(tx: &mut Tx, context: &IngestContext, stored: &StoredBlock) -> Result<()> {
    for note in blocks::notes(tx, context.account, stored.row).await? {
        // It may have been removed in the core already.
        core::unblock(tx, context.account, note, context.now).await?;
    }
    blocks::forget_notes(tx, context.account, stored.row).await
}

/// Cancels the reservation of the same id, which the block replaces, unless the reservation is newer.
async fn end_reservation(
    tx: &mut Tx,
    context: &IngestContext,
    (block, id): (&Block, &str),
    (version, raw): (&Version, &RawJson),
) -> Result<Option<IngestOutcome>> {
    let stored = reservations::find(tx, context.key(), id).await?;
    let Some(stored) = stored else { return Ok(None) };
    let mut waiting = parked_reservations::find_all(tx, context.key(), &[id]).await?;
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

/// How a block of the same id affects a reservation.
pub(super) enum BlockConflict {
    /// There is no active block.
    Free,
    /// The block decides the outcome.
    Decided(IngestOutcome),
    /// The block must be removed first, if the reservation can be booked then.
    Through(Box<StoredBlock>),
}

/// Resolves a shared id: an older block is removed unless the reservation cannot be booked in its place; a newer block makes
/// the reservation stale.
pub(super) async fn resolve_conflict(
    tx: &mut Tx,
    context: &IngestContext,
    reservation: &Reservation,
) -> Result<BlockConflict> {
    let IngestContext { account, now, .. } = *context;
    let Some(block) = blocks::find(tx, context.key(), &reservation.id).await? else {
        return Ok(BlockConflict::Free);
    };
    let version = context.version(reservation.revision.as_ref(), reservation.modified_at);
    let core = first_core_id(tx, context, &block).await?;
    if version.is_older_than(&block.version) {
        return Ok(BlockConflict::Decided(IngestOutcome::Stale(core)));
    }
    if block.lifted {
        return Ok(BlockConflict::Free);
    }
    // An unknown status may hold nights: it replaces nothing before an operator has decided.
    if reservation.status.holds_nights() || matches!(reservation.status, Status::Other(_)) {
        return Ok(BlockConflict::Through(Box::new(block)));
    }
    let known = reservations::find(tx, context.key(), &reservation.id).await?;
    let is_our_own = !block.version.is_older_than(&version)
        && known.as_ref().is_some_and(|known| !known.record.status.holds_nights());
    if is_our_own {
        // A repeated cancellation of the booking that this block replaced.
        return Ok(BlockConflict::Free);
    }
    release(tx, context, &block).await?;
    blocks::mark(tx, account, block.row, (&version, true), now).await?;
    if known.is_some() {
        return Ok(BlockConflict::Free);
    }
    // The id has never been a reservation.
    let outcome = core.map_or(IngestOutcome::Unchanged(None), IngestOutcome::Updated);
    context.log(tx, ("block", &reservation.id), (&outcome, &[])).await?;
    Ok(BlockConflict::Decided(outcome))
}

/// Replaces a block with a reservation; keeps the block if the reservation cannot be booked.
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
    // The block ended the booking, not the guest: it may be reinstated.
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
    // The block holds its nights already: do not hold them twice.
    let outcomes = reservation::apply_beside_block(tx, context, vec![received]).await?;
    Ok(outcomes.into_iter().next().unwrap_or(IngestOutcome::Unsupported))
}

async fn apply_one(tx: &mut Tx, context: &IngestContext, received: ReceivedReservation) -> Result<IngestOutcome> {
    let outcomes = reservation::apply(tx, context, vec![received]).await?;
    Ok(outcomes.into_iter().next().unwrap_or(IngestOutcome::Unsupported))
}
