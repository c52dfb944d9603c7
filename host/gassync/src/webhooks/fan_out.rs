//! Which facts come to which subscribers.

use gassync_domain::{EventFilter, SourceId, Timestamp};

use crate::{
    schedule::JobKind,
    store::{
        Result, Tx,
        outbound::invalidations::SequenceRanges,
        queue::NewJob,
        webhooks::{self, FilterableFact, Webhook},
    },
};

/// What subscribers are to be told of the facts at these places, in the transaction that has given them.
pub async fn facts(tx: &mut Tx, given: &SequenceRanges, now: Timestamp) -> Result<Vec<NewJob<'static>>> {
    let active = webhooks::active(tx, given.iter().map(|(account, ..)| *account)).await?;
    if active.is_empty() {
        return Ok(Vec::new());
    }
    let facts = webhooks::facts_at(tx, given).await?;
    let mut work = Vec::new();
    for webhook in &active {
        let filter = SubscriptionFilter::of(webhook);
        let matching = facts.iter().filter(|fact| fact.account_id == webhook.account.0 && filter.matches(fact));
        work.extend(matching.map(|fact| JobKind::delivery(webhook, fact.sequence, now)));
    }
    Ok(work)
}

/// Why a subscriber is told nothing although it is not disabled; none where that is not so.
pub(super) fn suspended_reason(webhook: &Webhook) -> Option<String> {
    let status = webhook.source_status.as_str();
    match status {
        _ if !webhook.is_active => None,
        // Whether its channel takes our credentials is nothing to its subscribers.
        "active" | "error" | "expired" => None,
        _ if is_stopped(webhook) => {
            Some(format!("its source is {status}: what happens is missed, and can be replayed"))
        }
        _ => Some(format!("its source is {status}: what happens waits until it is active")),
    }
}

/// Whether its source is stopped for good, so that nothing is put in the queue for it.
pub(super) fn is_stopped(webhook: &Webhook) -> bool {
    matches!(webhook.source_status.as_str(), "disconnected" | "disabled")
}

/// What a subscriber wants to hear of.
pub(super) struct SubscriptionFilter<'a> {
    events: EventFilter,
    properties: &'a [i64],
    not_of: Option<SourceId>,
    itself: i64,
}

/// Facts about these are about no property.
const OF_NO_PROPERTY: [&str; 3] = ["guest", "website", "webhook"];

impl<'a> SubscriptionFilter<'a> {
    pub(super) fn of(webhook: &'a Webhook) -> Self {
        Self {
            events: EventFilter::from_checked(&webhook.spec.events),
            properties: &webhook.spec.properties,
            not_of: Some(webhook.source).filter(|_| webhook.spec.exclude_origin),
            itself: webhook.id,
        }
    }

    pub(super) fn matches(&self, fact: &FilterableFact) -> bool {
        let FilterableFact { fact, property_id, .. } = fact;
        let is_own = self.not_of.is_some_and(|source| fact.origin_source_id == Some(source.0));
        let is_itself = fact.entity_type == "webhook" && fact.entity_id == self.itself;
        // Where what is gone was, nobody knows any more: better to hear of another house's than to miss one's own.
        let is_gone = || fact.action == "deleted" && !OF_NO_PROPERTY.contains(&fact.entity_type.as_str());
        let is_there =
            self.properties.is_empty() || property_id.map_or_else(is_gone, |id| self.properties.contains(&id));
        !is_own && !is_itself && is_there && self.events.wants(&fact.name())
    }
}
