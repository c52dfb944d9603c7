use gassync_domain::{SourceKey, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::store::{
    queue::{BatchPolicy, NewJob, QueueKey},
    webhooks::Webhook,
};

/// Kinds of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Pushes a booking to a channel.
    PushBooking,
    /// Fetches a record that the channel announced.
    Refetch,
    /// Pushes unconfirmed calendar nights to a channel.
    PushCalendar,
    /// Reads back what was pushed.
    ReadBack,
    /// Polls an entity for changes; recurring.
    Poll,
    /// Computes the nights that have entered a source's horizon; recurring.
    ExtendHorizon,
    /// Fetches one window of a backfill.
    Backfill,
    /// Retries parked records.
    RetryParked,
    /// Delivers an event to a webhook subscription.
    Deliver,
}

impl JobKind {
    const ALL: [Self; 9] = [
        Self::PushBooking,
        Self::Refetch,
        Self::PushCalendar,
        Self::ReadBack,
        Self::Poll,
        Self::ExtendHorizon,
        Self::Backfill,
        Self::RetryParked,
        Self::Deliver,
    ];

    /// Its name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PushBooking => "push-booking",
            Self::Refetch => "refetch",
            Self::PushCalendar => "push-calendar",
            Self::ReadBack => "read-back",
            Self::Poll => "poll",
            Self::ExtendHorizon => "extend-horizon",
            Self::Backfill => "backfill",
            Self::RetryParked => "retry-parked",
            Self::Deliver => "deliver",
        }
    }

    /// Parses its name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }

    const fn queue(self) -> QueueKey {
        match self {
            Self::RetryParked | Self::ExtendHorizon => QueueKey::Host,
            _ => QueueKey::Channel,
        }
    }

    /// Order: bookings, availability, prices and new records, verification, backfills.
    pub const fn priority(self) -> i64 {
        match self {
            Self::PushBooking | Self::Refetch => 1,
            Self::PushCalendar | Self::Deliver => 2,
            Self::Poll | Self::RetryParked => 3,
            // Pushing pending changes is more urgent than verifying earlier ones.
            Self::ReadBack | Self::ExtendHorizon => 4,
            Self::Backfill => 5,
        }
    }

    /// Jobs claimed together with one of this kind: refetches up to the size of a query, bookings up to the size of the
    /// manifest's batches and the calendar behind them (which would otherwise starve), deliveries up to a
    /// subscription's share.
    pub const fn batch_policy(self) -> BatchPolicy {
        match self {
            Self::Refetch => BatchPolicy { kinds: const { &[Self::Refetch.name()] }, max: 20, independent: false },
            Self::PushBooking => {
                let kinds = const { &[Self::PushBooking.name(), Self::PushCalendar.name()] };
                BatchPolicy { kinds, max: 20, independent: false }
            }
            Self::Deliver => BatchPolicy { kinds: const { &[Self::Deliver.name()] }, max: 64, independent: true },
            // Other kinds run alone.
            _ => BatchPolicy::NONE,
        }
    }

    /// Maximum age before it is given up; `None` for no limit.
    const fn max_age(self) -> Option<SignedDuration> {
        match self {
            Self::PushCalendar | Self::ReadBack => Some(SignedDuration::from_hours(24)),
            Self::PushBooking | Self::Refetch | Self::Backfill | Self::RetryParked => {
                Some(SignedDuration::from_hours(72))
            }
            // Deliveries are limited by attempts, not by age.
            Self::Poll | Self::ExtendHorizon | Self::Deliver => None,
        }
    }

    /// True if it is scheduled again after every run, failed or not.
    pub const fn is_recurring(self) -> bool {
        matches!(self, Self::Poll | Self::ExtendHorizon)
    }

    /// A job of this kind for a source, due at the first of two times; the second is now.
    pub fn job(
        self,
        SourceKey { account, source }: SourceKey,
        payload: Value,
        (run_at, now): (Timestamp, Timestamp),
    ) -> NewJob<'static> {
        NewJob {
            account,
            source,
            queue: self.queue(),
            kind: self.name(),
            payload,
            priority: self.priority(),
            run_at,
            deadline: self.max_age().and_then(|max_age| now.checked_add(max_age).ok()),
            sequence: None,
            run: None,
        }
    }

    /// The delivery of the event with this sequence number to a subscription.
    pub fn delivery(webhook: &Webhook, sequence: i64, now: Timestamp) -> NewJob<'static> {
        let payload = json!({ "webhook": webhook.id, "sequence": sequence });
        NewJob {
            queue: QueueKey::Webhook(webhook.id),
            sequence: Some(sequence),
            ..Self::Deliver.job(webhook.key(), payload, (now, now))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        for kind in JobKind::ALL {
            assert_eq!(JobKind::named(kind.name()), Some(kind));
        }
        assert_eq!(JobKind::named("nothing"), None);
    }
}
