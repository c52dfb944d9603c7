//! A channel's calendar into the buffer, and into the core where the source has the say over it.

use gassync_domain::{Calendar, Mended, Missing, Parked, RawJson};

use super::apply::{Incoming, Outcome};
use crate::{
    core,
    store::{Result, Tx, buffer::availability},
};

/// Nights: kept as the channel told them. Prices and rules go on into the core where the source has the say over the
/// calendar and says under which rate plan; how many can be sold never does, since the ledger knows what is sold.
pub(super) async fn apply(
    tx: &mut Tx,
    incoming: &Incoming,
    mut calendar: Calendar,
    (raw, mut mended): (&RawJson, Vec<Mended>),
) -> Result<Outcome> {
    let errors = incoming.mend_or_check(&mut calendar, &mut mended);
    let outcome =
        if errors.is_empty() { decide(tx, incoming, &calendar, raw).await? } else { Outcome::Rejected(errors) };
    incoming.log(tx, ("availability", &calendar.room_type_id), (&outcome, &mended)).await?;
    Ok(outcome)
}

async fn decide(tx: &mut Tx, incoming: &Incoming, calendar: &Calendar, raw: &RawJson) -> Result<Outcome> {
    let Incoming { account, source, now, .. } = *incoming;
    let named = (calendar.room_type_id.as_str(), calendar.rate_plan_id.as_deref());
    let Some(place) = availability::place(tx, account, source, named).await? else {
        // There is nothing yet to keep nights beside: whoever sent them sends them again.
        return Ok(Outcome::Parked(Parked(vec![Missing::RoomType { id: calendar.room_type_id.clone() }])));
    };
    let core = place.unit();
    let mut rates = None;
    if let (Some(unit), Some(plan), true) = (core, &calendar.rate_plan_id, incoming.authority.calendar_is_theirs()) {
        match place.plan() {
            Some(plan) => rates = Some((plan, unit)),
            None => return Ok(Outcome::Parked(Parked(vec![Missing::RatePlan { id: plan.clone() }]))),
        }
    }
    let place = (place.room_type, calendar.rate_plan_id.as_deref());
    let said = (raw, incoming.observed_at, now);
    if !availability::put(tx, account, source, place, &calendar.nights, said).await? {
        return Ok(Outcome::Unchanged(core));
    }
    if let Some(place) = rates {
        core::put_rates(tx, account, place, &calendar.nights, now).await?;
    }
    Ok(core.map_or(Outcome::Kept, Outcome::Updated))
}
