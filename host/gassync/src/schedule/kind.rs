use gassync_domain::{AccountId, SourceId, Timestamp};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::store::{
    queue::{Company, Put, QueueKey},
    webhooks::Webhook,
};

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
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
    Horizon,
    /// Fetches a window of a stretch of nights.
    Backfill,
    /// Tries parked records again.
    DriveParked,
    /// Tells a subscriber of a fact.
    Deliver,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::PushBooking,
        Self::Refetch,
        Self::PushCalendar,
        Self::ReadBack,
        Self::Poll,
        Self::Horizon,
        Self::Backfill,
        Self::DriveParked,
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
            Self::Horizon => "horizon",
            Self::Backfill => "backfill",
            Self::DriveParked => "drive-parked",
            Self::Deliver => "deliver",
        }
    }

    /// By its word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }

    const fn queue(self) -> QueueKey {
        match self {
            Self::DriveParked | Self::Horizon => QueueKey::Host,
            _ => QueueKey::Channel,
        }
    }

    /// Bookings first, then what can be sold, prices and what is new, what else is there, and at last what is long ago.
    pub const fn priority(self) -> i64 {
        match self {
            Self::PushBooking | Self::Refetch => 1,
            Self::PushCalendar | Self::Deliver => 2,
            Self::Poll | Self::DriveParked => 3,
            // What is not told yet, prices too, is more urgent than to look at what was.
            Self::ReadBack | Self::Horizon => 4,
            Self::Backfill => 5,
        }
    }

    /// What is taken with it: as many records as a plugin is asked for at once, or told of in as many calls as its manifest
    /// makes of them, and the calendar behind them, which otherwise would wait as long as bookings come; as many messages
    /// as a subscriber gets before others have their turn.
    pub const fn company(self) -> Company {
        match self {
            Self::Refetch => Company { kinds: const { &[Self::Refetch.name()] }, most: 20, apart: false },
            Self::PushBooking => {
                let kinds = const { &[Self::PushBooking.name(), Self::PushCalendar.name()] };
                Company { kinds, most: 20, apart: false }
            }
            Self::Deliver => Company { kinds: const { &[Self::Deliver.name()] }, most: 64, apart: true },
            // What is more urgent than they are has been done.
            _ => Company::NONE,
        }
    }

    /// How long it is tried; none as long as it takes.
    const fn patience(self) -> Option<SignedDuration> {
        match self {
            Self::PushCalendar | Self::ReadBack => Some(SignedDuration::from_hours(24)),
            Self::PushBooking | Self::Refetch | Self::Backfill | Self::DriveParked => {
                Some(SignedDuration::from_hours(72))
            }
            // A delivery has its own number of times, and a subscriber its own end.
            Self::Poll | Self::Horizon | Self::Deliver => None,
        }
    }

    /// Whether it comes again by itself, however it ends.
    pub const fn comes_again(self) -> bool {
        matches!(self, Self::Poll | Self::Horizon)
    }

    /// This work for a source, at the first of two times; at the second it is now.
    pub fn put(
        self,
        (account, source): (AccountId, SourceId),
        payload: Value,
        (run_at, now): (Timestamp, Timestamp),
    ) -> Put<'static> {
        Put {
            account,
            source,
            queue: self.queue(),
            kind: self.name(),
            payload,
            priority: self.priority(),
            run_at,
            deadline: self.patience().and_then(|patience| now.checked_add(patience).ok()),
            sequence: None,
            run: None,
        }
    }

    /// A subscriber is to be told of the fact at this place in the feed.
    pub fn delivery(webhook: &Webhook, sequence: i64, now: Timestamp) -> Put<'static> {
        let payload = json!({ "webhook": webhook.id, "sequence": sequence });
        Put {
            queue: QueueKey::Webhook(webhook.id),
            sequence: Some(sequence),
            ..Self::Deliver.put((webhook.account, webhook.source), payload, (now, now))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
        }
        assert_eq!(Kind::named("nothing"), None);
    }
}
