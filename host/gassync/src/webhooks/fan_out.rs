//! Matches feed entries to subscriptions.

use async_trait::async_trait;
use gassync_domain::{EventFilter, SourceId};

use crate::{
    app::App,
    facts::FactConsumer,
    schedule::Deliver,
    store::{
        Result, Tx,
        outbound::invalidations::SequenceRanges,
        outbox::FactAction,
        queue::NewJob,
        sources::SourceState,
        webhooks::{self, FilterableFact, Webhook},
    },
};

/// The subscribers that facts are delivered to.
pub struct WebhookFanOut;

#[async_trait]
impl FactConsumer for WebhookFanOut {
    async fn facts(&self, _: &App, tx: &mut Tx, given: &SequenceRanges) -> Result<Vec<NewJob>> {
        deliveries(tx, given).await
    }
}

/// The delivery jobs for these feed entries, in the transaction that assigned their sequence numbers.
pub async fn deliveries(tx: &mut Tx, given: &SequenceRanges) -> Result<Vec<NewJob>> {
    let active = webhooks::active(tx, given.iter().map(|(account, ..)| *account)).await?;
    if active.is_empty() {
        return Ok(Vec::new());
    }
    let facts = webhooks::facts_at(tx, given).await?;
    let mut work = Vec::new();
    for webhook in &active {
        let filter = SubscriptionFilter::of(webhook);
        let matching = facts.iter().filter(|fact| fact.account_id == webhook.account.0 && filter.matches(fact));
        work.extend(matching.map(|fact| Deliver::fact(webhook, fact.sequence)));
    }
    Ok(work)
}

/// Why an enabled subscription receives nothing; None if it does.
pub(super) fn suspended_reason(webhook: &Webhook) -> Option<String> {
    let status = webhook.source_status;
    match status {
        _ if !webhook.is_active => None,
        // Failing channel credentials do not affect subscribers.
        SourceState::Active | SourceState::Error | SourceState::Expired => None,
        _ if is_stopped(webhook) => {
            Some(format!("its source is {status}: events are not enqueued, and can be replayed"))
        }
        _ => Some(format!("its source is {status}: events wait until it is active")),
    }
}

/// True if the source is stopped, so that nothing is enqueued.
pub(super) fn is_stopped(webhook: &Webhook) -> bool {
    matches!(webhook.source_status, SourceState::Disconnected | SourceState::Disabled)
}

/// The event filter of a subscription.
pub(super) struct SubscriptionFilter<'a> {
    events: EventFilter,
    properties: &'a [i64],
    not_of: Option<SourceId>,
    itself: i64,
}

/// Entities without a property.
const OF_NO_PROPERTY: [&str; 3] = ["guest", "website", "webhook"];

impl<'a> SubscriptionFilter<'a> {
    pub(super) fn of(webhook: &'a Webhook) -> Self {
        Self {
            events: EventFilter::from_checked(&webhook.spec.events),
            properties: &webhook.spec.properties,
            not_of: Some(webhook.source).filter(|_| webhook.spec.exclude_origin),
            itself: webhook.id.0,
        }
    }

    pub(super) fn matches(&self, fact: &FilterableFact) -> bool {
        let FilterableFact { fact, property_id, .. } = fact;
        let is_own = self.not_of.is_some_and(|source| fact.origin_source_id == Some(source.0));
        let is_itself = fact.entity_type == "webhook" && fact.entity_id == self.itself;
        // The property of a deleted record is unknown: deliver rather than miss it.
        let is_gone = || fact.action == FactAction::Deleted && !OF_NO_PROPERTY.contains(&fact.entity_type.as_str());
        let is_there =
            self.properties.is_empty() || property_id.map_or_else(is_gone, |id| self.properties.contains(&id));
        !is_own && !is_itself && is_there && self.events.wants(&fact.name())
    }
}
