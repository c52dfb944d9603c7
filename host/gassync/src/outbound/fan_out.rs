//! Fans events of the core out: invalidates nights and marks bookings pending for the channels concerned.

use std::collections::BTreeMap;

use gassync_domain::{AccountId, CoreId, SourceId, SourceKey, Timestamp};
use gassync_runtime::Interface;

use crate::{
    app::App,
    schedule::{push_of_booking, push_of_calendar},
    store::{
        Result, Tx,
        outbound::{
            bookings,
            invalidations::{self, SequenceRanges},
        },
        queue::NewJob,
    },
};

/// Prices are less urgent than availability.
const URGENCY_OF_PRICES: i64 = 3;

/// Fans out the events in these sequence ranges, in the transaction that assigned them; returns the jobs to enqueue.
pub async fn facts(app: &App, tx: &mut Tx, given: &SequenceRanges, now: Timestamp) -> Result<Vec<NewJob<'static>>> {
    let mut work: BTreeMap<(i64, i64), NewJob<'static>> = BTreeMap::new();
    let mut invalidated = invalidations::nights_changed_by(tx, given).await?;
    invalidated.retain(|(channel, ..)| supports(app, channel, Interface::PushCalendar));
    for (_, only_prices, invalidation) in &invalidated {
        let source_key =
            SourceKey { account: AccountId(invalidation.account_id), source: SourceId(invalidation.source_id) };
        let put = push_of_calendar(source_key, (now, now));
        let urgency = if *only_prices { URGENCY_OF_PRICES } else { put.priority };
        let waiting = work
            .entry((invalidation.account_id, invalidation.source_id))
            .or_insert(NewJob { priority: urgency, ..put });
        waiting.priority = waiting.priority.min(urgency);
    }
    let invalidated: Vec<_> = invalidated.into_iter().map(|(.., invalidation)| invalidation).collect();
    invalidations::upsert(tx, &invalidated).await?;
    let mut reservations = invalidations::reservations_changed_by(tx, given).await?;
    reservations.retain(|invalidation| supports(app, &invalidation.source_type, Interface::PushReservations));
    bookings::invalidate(tx, &reservations).await?;
    let mut all: Vec<NewJob<'static>> = work.into_values().collect();
    all.extend(reservations.iter().map(|invalidation| {
        let source_key =
            SourceKey { account: AccountId(invalidation.account_id), source: SourceId(invalidation.source_id) };
        push_of_booking(source_key, CoreId(invalidation.booking_id), now)
    }));
    Ok(all)
}

/// True if a channel's plugin exports this, or is not loaded: then its jobs wait.
fn supports(app: &App, channel: &str, interface: Interface) -> bool {
    app.plugins.get(channel).is_none_or(|plugin| plugin.exports().contains(&interface))
}
