//! Applies room types to buffer, mappings and core.

use gassync_domain::{CoreId, Digest, Mended, Missing, Parked, RawJson, RoomType};

use super::apply::{IngestContext, IngestOutcome};
use crate::{
    core, schedule,
    store::{
        Result, Tx,
        buffer::{Envelope, room_types},
        mappings,
    },
};

/// Applies a room type: updates the linked unit, creates one if the source may, or parks it.
pub(super) async fn apply(
    tx: &mut Tx,
    context: &IngestContext,
    mut room_type: RoomType,
    (raw, mut mended): (&RawJson, Vec<Mended>),
) -> Result<IngestOutcome> {
    room_type.normalise();
    let errors = context.mend_or_check(&mut room_type, &mut mended);
    let (outcome, waits_already) = if errors.is_empty() {
        decide(tx, context, &room_type, (raw, &mended)).await?
    } else {
        (IngestOutcome::Rejected(errors), false)
    };
    if !waits_already {
        context.log(tx, ("room_type", &room_type.id), (&outcome, &mended)).await?;
    }
    Ok(outcome)
}

/// The outcome, and whether the same record is already parked, so that nothing is written.
async fn decide(
    tx: &mut Tx,
    context: &IngestContext,
    room_type: &RoomType,
    (raw, mended): (&RawJson, &[Mended]),
) -> Result<(IngestOutcome, bool)> {
    let IngestContext { now, .. } = *context;
    let version = context.version(None, None);
    let digest = Digest::of_json(room_type);
    let stored = room_types::find(tx, context.key(), &room_type.id).await?;
    if let Some(stored) = &stored {
        if version.is_older_than(&stored.version) {
            return Ok((IngestOutcome::Stale(stored.core), false));
        }
        if stored.digest == digest && stored.parked.is_none() {
            room_types::confirm(tx, context.key(), &room_type.id, &version, now).await?;
            return Ok((IngestOutcome::Unchanged(stored.core), false));
        }
    }
    let outcome = match link(tx, context, room_type).await? {
        Ok((core, true)) => IngestOutcome::Created(core),
        Ok((core, false)) => IngestOutcome::Updated(core),
        Err(parked) => IngestOutcome::Parked(parked),
    };
    let was_linked = stored.as_ref().is_some_and(|stored| stored.core.is_some());
    let waits_already = stored.is_some_and(|stored| stored.waits_as(&digest, outcome.parked()));
    if !waits_already {
        let envelope = Envelope { mended, ..context.envelope(raw, &digest, &version, &outcome) };
        room_types::put(tx, &envelope, room_type).await?;
    }
    if matches!(outcome, IngestOutcome::Updated(_)) && !was_linked {
        // Linked before it or its property was received: its nights are pushed from now on.
        schedule::linked(tx, context.key(), now).await?;
    }
    Ok((outcome, waits_already))
}

/// The unit, and whether it was created now.
async fn link(
    tx: &mut Tx,
    context: &IngestContext,
    room_type: &RoomType,
) -> Result<std::result::Result<(CoreId, bool), Parked>> {
    let IngestContext { account, now, .. } = *context;
    let property = mappings::find(tx, context.key(), mappings::EntityKind::Property, &room_type.property_id).await?;
    let mapping = mappings::find(tx, context.key(), mappings::EntityKind::RoomType, &room_type.id).await?;
    Ok(match (mapping, property) {
        (Some(mapping), Some(property)) => {
            if context.writes_content(mapping) {
                core::put_unit(tx, account, Some(mapping.core), property.core, room_type, now).await?;
            }
            Ok((mapping.core, false))
        }
        (_, None) => Err(Parked(vec![Missing::Property { id: room_type.property_id.clone() }])),
        (None, Some(_)) if !context.creates => Err(Parked(vec![Missing::Link])),
        (None, Some(property)) => {
            let core = core::put_unit(tx, account, None, property.core, room_type, now).await?;
            mappings::link(tx, context.key(), mappings::EntityKind::RoomType, &room_type.id, core, now).await?;
            schedule::linked(tx, context.key(), now).await?;
            Ok((core, true))
        }
    })
}
