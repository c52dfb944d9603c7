//! Nights that a channel has taken out of sale: notes of maintenance in the core, one for each unit. Some channels keep them
//! among their reservations, under ids of one row: then the newer word on an id counts, whichever kind it is of.

use std::collections::HashMap;

use gassync_domain::{
    Block, Completeness, CoreId, Digest, Missing, Parked, RawJson, Reservation, Status, Stay, Validate, Version,
};

use super::{
    apply::{Incoming, Outcome},
    reservation,
};
use crate::{
    core,
    store::{
        Result, Tx,
        buffer::{
            blocks::{self, NewBlock, StoredBlock},
            reservations,
        },
        core::{maintenance::Kind, units},
        ledger::Span,
        mappings,
    },
};

/// A block: told of for the first time, changed, or parked until its room types are linked.
pub(super) async fn apply(tx: &mut Tx, incoming: &Incoming, mut block: Block, raw: &RawJson) -> Result<Outcome> {
    block.normalise();
    let id = id_of(&block);
    let outcome = decide(tx, incoming, (&block, &id), raw).await?;
    incoming.log(tx, ("block", &id), &outcome).await?;
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

async fn decide(tx: &mut Tx, incoming: &Incoming, (block, id): (&Block, &str), raw: &RawJson) -> Result<Outcome> {
    let errors = block.validate();
    if !errors.is_empty() {
        return Ok(Outcome::Rejected(errors));
    }
    let Incoming { account, source, now, .. } = *incoming;
    let version = incoming.version(block.revision.as_ref(), block.modified_at);
    let digest = Digest::of_json(&Block { revision: None, modified_at: None, ..block.clone() });
    let stored = blocks::find(tx, account, source, id).await?;
    if let Some(stored) = &stored {
        if version.is_older_than(&stored.version) {
            return Ok(Outcome::Older(first(tx, incoming, stored).await?));
        }
        if stored.digest == digest && stored.parked.is_none() {
            blocks::mark(tx, account, stored.row, (&version, false), now).await?;
            return Ok(Outcome::Unchanged(first(tx, incoming, stored).await?));
        }
    }
    if let Some(outcome) = end_reservation(tx, incoming, (block, id), (&version, raw)).await? {
        return Ok(outcome);
    }
    if let Some(stored) = &stored {
        lift(tx, incoming, stored).await?;
    }
    let taken = spans(tx, incoming, block).await?;
    let new = NewBlock {
        external_id: id,
        record: block,
        raw,
        digest: &digest,
        version: &version,
        parked: taken.as_ref().err(),
    };
    let row = blocks::put(tx, account, source, &new, now).await?;
    let spans = match taken {
        Ok(spans) => spans,
        Err(parked) => return Ok(Outcome::Parked(parked)),
    };
    let mut notes = Vec::with_capacity(spans.len());
    for (span, quantity) in spans {
        let kind = (Kind::OutOfOrder, block.reason.as_deref());
        let note = core::block(tx, account, (span, quantity), kind, now).await?;
        blocks::add_note(tx, account, row, note).await?;
        notes.push(note);
    }
    let known = stored.is_some_and(|stored| !stored.lifted && stored.parked.is_none());
    Ok(match notes.first() {
        Some(note) if known => Outcome::Updated(*note),
        Some(note) => Outcome::Created(*note),
        None => Outcome::Kept,
    })
}

/// Which units, how many of each, and when; or what is missing.
async fn spans(
    tx: &mut Tx,
    incoming: &Incoming,
    block: &Block,
) -> Result<std::result::Result<Vec<(Span, u32)>, Parked>> {
    let Incoming { account, source, .. } = *incoming;
    if !incoming.authority.bookings_are_theirs() {
        return Ok(Err(Parked(vec![Missing::Authority])));
    }
    // Its stay was judged before.
    let Ok(stay) = Stay::new(block.check_in, block.check_out) else {
        return Ok(Err(Parked(vec![Missing::Dates])));
    };
    let mut named: Vec<String> = block.room_types().cloned().collect();
    if let (true, Some(property)) = (named.is_empty(), &block.property_id) {
        named = blocks::room_types_of(tx, account, source, property).await?;
        if named.is_empty() {
            return Ok(Err(Parked(vec![Missing::Property { id: property.clone() }])));
        }
    }
    let (mut spans, mut missing) = (Vec::new(), Vec::new());
    for id in named {
        let Some(mapping) = mappings::find(tx, account, source, mappings::Kind::RoomType, &id).await? else {
            missing.push(Missing::RoomType { id });
            continue;
        };
        let all = units::quantity(tx, account, mapping.core).await?.unwrap_or(1);
        let all = u32::try_from(all).unwrap_or(u32::MAX);
        let one = block.unit_id.as_ref().map(|_| 1);
        let quantity = block.units.or(one).unwrap_or(all).min(all);
        if quantity > 0 {
            spans.push((Span { unit: mapping.core, stay }, quantity));
        }
    }
    Ok(if missing.is_empty() { Ok(spans) } else { Err(Parked(missing)) })
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
    if version.is_older_than(&stored.version) {
        return Ok(Some(Outcome::Older(stored.core)));
    }
    if stored.record.status.holds_nights() {
        let ended = Reservation {
            completeness: Completeness::Partial,
            modified_at: block.modified_at,
            revision: block.revision.clone(),
            ..Reservation::new(id, Status::Cancelled)
        };
        reservation::apply(tx, incoming, vec![(ended, raw.clone())]).await?;
    }
    Ok(None)
}

/// Reservations whose ids were blocks': a newer one lifts its block, an older one is old news. What is decided by that alone
/// is told by its id.
pub(super) async fn make_way(
    tx: &mut Tx,
    incoming: &Incoming,
    told: &[&Reservation],
) -> Result<HashMap<String, Outcome>> {
    let Incoming { account, source, now, .. } = *incoming;
    let mut decided = HashMap::new();
    if told.is_empty() || !blocks::any(tx, account, source).await? {
        return Ok(decided);
    }
    for reservation in told {
        let Some(stored) = blocks::find(tx, account, source, &reservation.id).await? else { continue };
        let version = incoming.version(reservation.revision.as_ref(), reservation.modified_at);
        if version.is_older_than(&stored.version) {
            let core = first(tx, incoming, &stored).await?;
            decided.insert(reservation.id.clone(), Outcome::Older(core));
            continue;
        }
        let core = first(tx, incoming, &stored).await?;
        if !stored.lifted {
            lift(tx, incoming, &stored).await?;
        }
        blocks::mark(tx, account, stored.row, (&version, true), now).await?;
        let holds = reservation.status.holds_nights();
        if !holds && reservations::find(tx, account, source, &reservation.id).await?.is_none() {
            // It was never anything but a block.
            let outcome = match core {
                Some(core) if !stored.lifted => Outcome::Updated(core),
                core => Outcome::Unchanged(core),
            };
            incoming.log(tx, ("block", &reservation.id), &outcome).await?;
            decided.insert(reservation.id.clone(), outcome);
        }
    }
    Ok(decided)
}
