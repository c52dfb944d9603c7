//! An alarm as operators see it.

use gassync_domain::{Date, Timestamp};
use serde::{Deserialize, Serialize};

gassync_domain::words! {
    /// What an alarm is about.
    pub enum AlarmKind {
        /// Incoming: a source does not work.
        Source = "source",
        /// A source listens for long.
        Listening = "listening",
        /// A plugin is quarantined.
        Plugin = "plugin",
        /// Messages that failed.
        FailedMessages = "failed-messages",
        /// A record set aside.
        SetAside = "set-aside",
        /// A parked record.
        Parked = "parked",
        /// A reservation that its channel no longer has.
        Gone = "gone",
        /// A channel whose webhooks are missing.
        ChannelSilent = "channel-silent",
        /// A channel that does not respond.
        ChannelDown = "channel-down",
        /// A property without a time zone.
        NoTimeZone = "no-time-zone",
        /// Overbooked nights.
        Overbooked = "overbooked",
        /// Work that was given up.
        DeadJobs = "dead-jobs",
        /// Outgoing: nights that a channel rejects.
        RefusedNights = "refused-nights",
        /// Bookings that a channel rejects.
        RefusedBookings = "refused-bookings",
        /// Changes that are not confirmed for long.
        Behind = "behind",
        /// A subscription that was disabled.
        WebhookDisabled = "webhook-disabled",
        /// A subscriber that fails.
        WebhookFailing = "webhook-failing",
        /// A subscription whose source is stopped.
        WebhookSilent = "webhook-silent",
        /// Deliveries that were given up.
        WebhookDead = "webhook-dead",
    }
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// What it is about.
    pub kind: AlarmKind,
    /// The source, if the alarm concerns one.
    pub source: Option<String>,
    /// The property, if the alarm concerns one.
    pub house: Option<String>,
    /// The room, if the alarm concerns one.
    pub room: Option<String>,
    /// The first affected night.
    pub first_night: Option<Date>,
    /// The last affected night.
    pub last_night: Option<Date>,
    /// The channel's id of the record, or its id in this database.
    pub reference: Option<String>,
    /// Number of occurrences.
    pub count: i64,
    /// Detail: a reason, a kind or a name.
    pub detail: Option<String>,
    /// Start of the problem, if known.
    pub since: Option<Timestamp>,
    /// Last occurrence of a recurring problem.
    pub last: Option<Timestamp>,
    /// Command or action that remedies it.
    pub remedy: String,
}
