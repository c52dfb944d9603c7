//! Applies rate plans to buffer, mappings and core.

use gassync_domain::{CoreId, Digest, Mended, Missing, Parked, RatePlan, RawJson};

use super::apply::{IngestContext, IngestOutcome};
use crate::{
    core, schedule,
    store::{
        Result, Tx,
        buffer::{Envelope, rate_plans},
        mappings,
        outbound::invalidations,
    },
};

/// Applies a rate plan: updates the linked one, creates it if the source may, or parks it.
pub(super) async fn apply(
    tx: &mut Tx,
    context: &IngestContext,
    mut plan: RatePlan,
    (raw, mut mended): (&RawJson, Vec<Mended>),
) -> Result<IngestOutcome> {
    plan.normalise();
    let errors = context.mend_or_check(&mut plan, &mut mended);
    let (outcome, waits_already) = if errors.is_empty() {
        decide(tx, context, &plan, (raw, &mended)).await?
    } else {
        (IngestOutcome::Rejected(errors), false)
    };
    if !waits_already {
        context.log(tx, ("rate_plan", &plan.id), (&outcome, &mended)).await?;
    }
    Ok(outcome)
}

/// The outcome, and whether the same record is already parked, so that nothing is written.
async fn decide(
    tx: &mut Tx,
    context: &IngestContext,
    plan: &RatePlan,
    (raw, mended): (&RawJson, &[Mended]),
) -> Result<(IngestOutcome, bool)> {
    let IngestContext { now, .. } = *context;
    let version = context.version(None, None);
    let digest = Digest::of_json(plan);
    let stored = rate_plans::find(tx, context.key(), &plan.id).await?;
    if let Some(stored) = &stored {
        if version.is_older_than(&stored.version) {
            return Ok((IngestOutcome::Stale(stored.core), false));
        }
        if stored.digest == digest && stored.parked.is_none() {
            rate_plans::confirm(tx, context.key(), &plan.id, &version, now).await?;
            return Ok((IngestOutcome::Unchanged(stored.core), false));
        }
    }
    let outcome = match link(tx, context, plan).await? {
        Ok((core, true)) => IngestOutcome::Created(core),
        Ok((core, false)) => IngestOutcome::Updated(core),
        Err(parked) => IngestOutcome::Parked(parked),
    };
    let waits_already = stored.is_some_and(|stored| stored.waits_as(&digest, outcome.parked()));
    if !waits_already {
        let envelope = Envelope { mended, ..context.envelope(raw, &digest, &version, &outcome) };
        rate_plans::put(tx, &envelope, plan).await?;
    }
    Ok((outcome, waits_already))
}

/// The core rate plan, and whether it was created now.
async fn link(
    tx: &mut Tx,
    context: &IngestContext,
    plan: &RatePlan,
) -> Result<std::result::Result<(CoreId, bool), Parked>> {
    let IngestContext { account, now, .. } = *context;
    let property = mappings::find(tx, context.key(), mappings::EntityKind::Property, &plan.property_id).await?;
    let mapping = mappings::find(tx, context.key(), mappings::EntityKind::RatePlan, &plan.id).await?;
    Ok(match (mapping, property) {
        (Some(mapping), Some(property)) => {
            if context.writes_content(mapping) {
                core::put_rate_plan(tx, account, Some(mapping.core), property.core, plan, now).await?;
            }
            Ok((mapping.core, false))
        }
        (_, None) => Err(Parked(vec![Missing::Property { id: plan.property_id.clone() }])),
        (None, Some(_)) if !context.creates => Err(Parked(vec![Missing::Link])),
        (None, Some(property)) => {
            let core = core::put_rate_plan(tx, account, None, property.core, plan, now).await?;
            mappings::link(tx, context.key(), mappings::EntityKind::RatePlan, &plan.id, core, now).await?;
            // Its nights are pushed under this plan, too.
            schedule::invalidate_source(tx, context.key(), (invalidations::FIRST, false), now).await?;
            Ok((core, true))
        }
    })
}
