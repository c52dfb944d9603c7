//! The request to delete a source, and what it affects.

use serde::{Deserialize, Serialize};

/// A request to delete a source.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewRemoval {
    /// Only return what would be deleted.
    pub dry_run: bool,
    /// Repeat the source's name to confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

/// What a deletion affects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalResponse {
    /// The source.
    pub name: String,
    /// Whether the source was deleted; otherwise this is the plan.
    pub done: bool,
    /// Whether it was the source that creates core entities; the next source added takes over.
    pub creates: bool,
    /// Deleted: records of the channel, by kind.
    pub records: RemovedRecords,
    /// Deleted: links to the core.
    pub links: i64,
    /// Kept in the core: bookings, with their nights.
    pub bookings_kept: i64,
    /// Kept in the core: blocks of the channel, as maintenance entries.
    pub closures_kept: i64,
    /// Opened: nights that were closed by hand at the channel.
    pub closed_nights_opened: i64,
    /// Released: holds of parked records.
    pub holds_given_back: i64,
    /// Left at the channel: bookings that were pushed to it.
    pub pushed_bookings: i64,
    /// Deleted, and revoked where the channel supports it: credential fields.
    pub credentials: i64,
    /// Revoked: API keys.
    pub keys: i64,
    /// Deleted: webhook subscriptions.
    pub subscriptions: i64,
    /// Discarded: waiting jobs.
    pub jobs: i64,
    /// Deleted: messages and responses of the channel.
    pub messages: i64,
    /// Of these, unprocessed messages.
    pub waiting_messages: i64,
    /// Errors of the channel.
    #[serde(default)]
    pub problems: Vec<String>,
}

/// Records of a channel, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedRecords {
    /// Properties.
    pub properties: i64,
    /// Room types.
    pub room_types: i64,
    /// Rate plans.
    pub rate_plans: i64,
    /// Reservations.
    pub reservations: i64,
    /// Guests.
    pub guests: i64,
    /// Blocks.
    pub blocks: i64,
    /// Nights of calendars.
    pub calendar_nights: i64,
    /// Records set aside.
    pub set_aside: i64,
    /// Decisions on parked records.
    pub decisions: i64,
}
