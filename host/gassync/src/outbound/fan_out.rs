//! Fans events of the core out: invalidates nights and marks bookings pending for the channels concerned.

use std::collections::BTreeMap;

use async_trait::async_trait;
use gassync_domain::{AccountId, CoreId, SourceId, SourceKey};
use gassync_runtime::Interface;

use crate::{
    app::App,
    facts::FactConsumer,
    schedule::{JobSpec, PushBooking, PushCalendar, priority},
    store::{
        Result, Tx,
        outbound::{
            bookings,
            invalidations::{self, SequenceRanges},
        },
        queue::NewJob,
    },
};

/// The channels that are pushed to.
pub struct ChannelFanOut;

#[async_trait]
impl FactConsumer for ChannelFanOut {
    async fn facts(&self, app: &App, tx: &mut Tx, given: &SequenceRanges) -> Result<Vec<NewJob>> {
        // The priority of each source's push.
        let mut calendars: BTreeMap<SourceKey, i64> = BTreeMap::new();
        let mut invalidated = invalidations::nights_changed_by(tx, given).await?;
        invalidated.retain(|(channel, ..)| supports(app, channel, Interface::PushCalendar));
        for (_, only_prices, invalidation) in &invalidated {
            let priority = if *only_prices { priority::PRICES } else { PushCalendar::PRIORITY };
            let source = source_key(invalidation.account_id, invalidation.source_id);
            let known = calendars.entry(source).or_insert(priority);
            *known = priority.min(*known);
        }
        let invalidated: Vec<_> = invalidated.into_iter().map(|(.., invalidation)| invalidation).collect();
        invalidations::upsert(tx, &invalidated).await?;
        let mut reservations = invalidations::reservations_changed_by(tx, given).await?;
        reservations.retain(|invalidation| supports(app, &invalidation.source_type, Interface::PushReservations));
        bookings::invalidate(tx, &reservations).await?;
        let calendars =
            calendars.into_iter().map(|(source, priority)| PushCalendar {}.of(source).with_priority(priority));
        let bookings = reservations.iter().map(|invalidation| {
            let source = source_key(invalidation.account_id, invalidation.source_id);
            PushBooking { booking: CoreId(invalidation.booking_id) }.of(source)
        });
        Ok(calendars.chain(bookings).collect())
    }
}

fn source_key(account: i64, source: i64) -> SourceKey {
    SourceKey { account: AccountId(account), source: SourceId(source) }
}

/// True if a channel's plugin exports this, or is not loaded: then its jobs wait.
fn supports(app: &App, channel: &str, interface: Interface) -> bool {
    app.plugins.get(channel).is_none_or(|plugin| plugin.exports().contains(&interface))
}
