//! Applies properties to buffer, mappings and core.

use gassync_domain::{Digest, Mended, Missing, Parked, Property, RawJson};

use super::apply::{IngestContext, IngestOutcome};
use crate::{
    core, schedule,
    store::{
        Result, Tx,
        buffer::{Envelope, properties, rate_plans, room_types},
        mappings,
    },
};

/// Applies a property: updates the linked one, creates it if the source may, or parks it.
pub(super) async fn apply(
    tx: &mut Tx,
    context: &IngestContext,
    mut property: Property,
    (raw, mut mended): (&RawJson, Vec<Mended>),
) -> Result<IngestOutcome> {
    property.normalise();
    let errors = context.mend_or_check(&mut property, &mut mended);
    let (outcome, waits_already) = if errors.is_empty() {
        decide(tx, context, &property, (raw, &mended)).await?
    } else {
        (IngestOutcome::Rejected(errors), false)
    };
    if !waits_already {
        context.log(tx, ("property", &property.id), (&outcome, &mended)).await?;
    }
    Ok(outcome)
}

/// The outcome, and whether the same record is already parked, so that nothing is written.
async fn decide(
    tx: &mut Tx,
    context: &IngestContext,
    property: &Property,
    (raw, mended): (&RawJson, &[Mended]),
) -> Result<(IngestOutcome, bool)> {
    let IngestContext { account, now, .. } = *context;
    let version = context.version(None, None);
    let digest = Digest::of_json(property);
    let stored = properties::find(tx, context.key(), &property.id).await?;
    if let Some(stored) = &stored {
        if version.is_older_than(&stored.version) {
            return Ok((IngestOutcome::Stale(stored.core), false));
        }
        if stored.digest == digest && stored.parked.is_none() {
            properties::confirm(tx, context.key(), &property.id, &version, now).await?;
            return Ok((IngestOutcome::Unchanged(stored.core), false));
        }
    }
    let is_first = stored.is_none();
    let mapping = mappings::find(tx, context.key(), mappings::EntityKind::Property, &property.id).await?;
    let outcome = match mapping {
        Some(mapping) => {
            if context.writes_content(mapping) {
                core::put_property(tx, account, Some(mapping.core), property, now).await?;
            }
            IngestOutcome::Updated(mapping.core)
        }
        None if context.creates => {
            let core = core::put_property(tx, account, None, property, now).await?;
            mappings::link(tx, context.key(), mappings::EntityKind::Property, &property.id, core, now).await?;
            schedule::linked(tx, context.key(), now).await?;
            IngestOutcome::Created(core)
        }
        None => IngestOutcome::Parked(Parked(vec![Missing::Link])),
    };
    let waits_already = stored.is_some_and(|stored| stored.waits_as(&digest, outcome.parked()));
    if !waits_already {
        let envelope = Envelope { mended, ..context.envelope(raw, &digest, &version, &outcome) };
        properties::put(tx, &envelope, property).await?;
    }
    if is_first && mapping.is_some() {
        // Linked before it was received: its rooms may exist already and are pushed under this property from now on.
        room_types::hide_in_property(tx, context.key(), &property.id).await?;
        rate_plans::hide_in_property(tx, context.key(), &property.id).await?;
        schedule::linked(tx, context.key(), now).await?;
    }
    Ok((outcome, waits_already))
}
