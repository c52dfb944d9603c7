use gassync_domain::{AccountId, SourceId, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::store::{
    queue::{BatchPolicy, NewJob, QueueKey},
    webhooks::Webhook,
};

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Tells a channel of a booking.
    PushBooking,
    /// Fetches one record that the channel said something about.
    Refetch,
    /// Tells a channel what it does not surely have of a calendar.
    PushCalendar,
    /// Reads what a channel has of what was told it.
    ReadBack,
    /// Fetches what changed of an entity, and comes again.
    Poll,
    /// Reckons the nights that have come within a source's horizon since yesterday, and comes again.
    ExtendHorizon,
    /// Fetches a window of a stretch of nights.
    Backfill,
    /// Tries parked records again.
    RetryParked,
    /// Tells a subscriber of a fact.
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

    /// The word in the tables.
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

    /// By its word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }

    const fn queue(self) -> QueueKey {
        match self {
            Self::RetryParked | Self::ExtendHorizon => QueueKey::Host,
            _ => QueueKey::Channel,
        }
    }

    /// Bookings first, then what can be sold, prices and what is new, what else is there, and at last what is long ago.
    pub const fn priority(self) -> i64 {
        match self {
            Self::PushBooking | Self::Refetch => 1,
            Self::PushCalendar | Self::Deliver => 2,
            Self::Poll | Self::RetryParked => 3,
            // What is not told yet, prices too, is more urgent than to look at what was.
            Self::ReadBack | Self::ExtendHorizon => 4,
            Self::Backfill => 5,
        }
    }

    /// What is taken with it: as many records as a plugin is asked for at once, or told of in as many calls as its manifest
    /// makes of them, and the calendar behind them, which otherwise would wait as long as bookings come; as many messages
    /// as a subscriber gets before others have their turn.
    pub const fn batch_policy(self) -> BatchPolicy {
        match self {
            Self::Refetch => BatchPolicy { kinds: const { &[Self::Refetch.name()] }, max: 20, independent: false },
            Self::PushBooking => {
                let kinds = const { &[Self::PushBooking.name(), Self::PushCalendar.name()] };
                BatchPolicy { kinds, max: 20, independent: false }
            }
            Self::Deliver => BatchPolicy { kinds: const { &[Self::Deliver.name()] }, max: 64, independent: true },
            // What is more urgent than they are has been done.
            _ => BatchPolicy::NONE,
        }
    }

    /// How long it is tried; none as long as it takes.
    const fn max_age(self) -> Option<SignedDuration> {
        match self {
            Self::PushCalendar | Self::ReadBack => Some(SignedDuration::from_hours(24)),
            Self::PushBooking | Self::Refetch | Self::Backfill | Self::RetryParked => {
                Some(SignedDuration::from_hours(72))
            }
            // A delivery has its own number of times, and a subscriber its own end.
            Self::Poll | Self::ExtendHorizon | Self::Deliver => None,
        }
    }

    /// Whether it comes again by itself, however it ends.
    pub const fn is_recurring(self) -> bool {
        matches!(self, Self::Poll | Self::ExtendHorizon)
    }

    /// This work for a source, at the first of two times; at the second it is now.
    pub fn job(
        self,
        (account, source): (AccountId, SourceId),
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

    /// A subscriber is to be told of the fact at this place in the feed.
    pub fn delivery(webhook: &Webhook, sequence: i64, now: Timestamp) -> NewJob<'static> {
        let payload = json!({ "webhook": webhook.id, "sequence": sequence });
        NewJob {
            queue: QueueKey::Webhook(webhook.id),
            sequence: Some(sequence),
            ..Self::Deliver.job((webhook.account, webhook.source), payload, (now, now))
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
