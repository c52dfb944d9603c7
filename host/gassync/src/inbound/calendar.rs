//! Applies a channel's calendar to the buffer, and prices and rules to the core if the source owns them. Closed nights are
//! handled by [`super::manual_closure`].

use std::collections::BTreeMap;

use gassync_domain::{Calendar, CalendarNight, Date, Mended, Missing, Parked, RawJson, Timestamp};

use super::apply::{IngestContext, IngestOutcome};
use crate::{
    core,
    store::{
        Result, Tx,
        buffer::availability,
        closures,
        mappings::{self, EntityKind},
        outbound::observed_nights,
    },
};

/// Stores nights as received. Prices and rules go to the core if the source owns the calendar. Unit counts never do: the
/// ledger computes availability.
pub(super) async fn apply(
    tx: &mut Tx,
    context: &IngestContext,
    mut calendar: Calendar,
    (raw, mut mended): (&RawJson, Vec<Mended>),
) -> Result<IngestOutcome> {
    let errors = context.mend_or_check(&mut calendar, &mut mended);
    let outcome =
        if errors.is_empty() { decide(tx, context, &calendar, raw).await? } else { IngestOutcome::Rejected(errors) };
    context.log(tx, ("availability", &calendar.room_type_id), (&outcome, &mended)).await?;
    Ok(outcome)
}

async fn decide(tx: &mut Tx, context: &IngestContext, calendar: &Calendar, raw: &RawJson) -> Result<IngestOutcome> {
    let IngestContext { account, now, .. } = *context;
    let named = (calendar.room_type_id.as_str(), calendar.rate_plan_id.as_deref());
    let Some(place) = availability::place(tx, context.key(), named).await? else {
        // The room type is unknown yet: the channel will send the nights again.
        return Ok(IngestOutcome::Parked(Parked(vec![Missing::RoomType { id: calendar.room_type_id.clone() }])));
    };
    let core = place.unit();
    let mut rates = None;
    if let (Some(unit), true) = (core, context.authority.source_owns_calendar()) {
        // Syncing is switched off: do not store the nights, so that they count as a change when they come again.
        let plan = calendar.rate_plan_id.as_deref().map(|plan| (EntityKind::RatePlan, plan));
        let links: Vec<(EntityKind, &str)> = [(EntityKind::RoomType, named.0)].into_iter().chain(plan).collect();
        let known = mappings::find_all(tx, context.key(), &links).await?;
        if links.iter().any(|(kind, id)| known.get(*kind, id).is_some_and(|link| !link.auto_sync)) {
            return Ok(IngestOutcome::Parked(Parked(vec![Missing::SwitchedOff { id: named.0.to_owned() }])));
        }
        match (place.plan(), &calendar.rate_plan_id) {
            (Some(plan), _) => rates = Some((plan, unit)),
            (None, Some(plan)) => {
                return Ok(IngestOutcome::Parked(Parked(vec![Missing::RatePlan { id: plan.clone() }])));
            }
            // A channel without rate plans uses the property's first one.
            (None, None) => rates = core::first_rate_plan(tx, account, unit, now).await?.map(|plan| (plan, unit)),
        }
    }
    let place = (place.room_type, calendar.rate_plan_id.as_deref());
    let said = (raw, context.observed_at, now);
    if !availability::put(tx, context.key(), place, &calendar.nights, said).await? {
        return Ok(IngestOutcome::Unchanged(core));
    }
    if let Some(place) = rates {
        core::put_rates(tx, account, place, &calendar.nights, now).await?;
    }
    Ok(core.map_or(IngestOutcome::BufferedOnly, IngestOutcome::Updated))
}

/// Writes buffered prices and rules from `today` on to the core, after the source became their owner or was linked.
pub(crate) async fn apply_buffered(tx: &mut Tx, context: &IngestContext, today: Date) -> Result<()> {
    let IngestContext { account, now, .. } = *context;
    if !context.authority.source_owns_calendar() {
        return Ok(());
    }
    for room_type in closures::linked_room_types(tx, context.key()).await? {
        let Some(stay) = room_type.shown_from(today) else { continue };
        let mut by_plan: BTreeMap<String, Vec<CalendarNight>> = BTreeMap::new();
        for seen in observed_nights::find(tx, account, room_type.id, &[stay], Timestamp::UNIX_EPOCH).await? {
            by_plan.entry(seen.rate_plan_id).or_default().push(seen.night);
        }
        for (plan, nights) in by_plan {
            let named = Some(plan.as_str()).filter(|plan| !plan.is_empty());
            let place = availability::place(tx, context.key(), (&room_type.external_id, named)).await?;
            let plan = match (place.and_then(|place| place.plan()), named) {
                (Some(plan), _) => plan,
                (None, Some(_)) => continue, // Parked until the rate plan is linked.
                (None, None) => match core::first_rate_plan(tx, account, room_type.unit(), now).await? {
                    Some(plan) => plan,
                    None => continue,
                },
            };
            core::put_rates(tx, account, (plan, room_type.unit()), &nights, now).await?;
        }
    }
    Ok(())
}
