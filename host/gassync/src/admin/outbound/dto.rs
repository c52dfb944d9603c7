//! Requests and responses about what goes out to channels.

use gassync_domain::{BreakerState, Date, SyncStatus, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::outbound::{bookings, deviations};

/// How up to date the channel of a source is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboundAgeResponse {
    /// Time of the oldest core change not confirmed at the channel; None if all are confirmed.
    pub oldest_missing: Option<Timestamp>,
    /// Age of that change in seconds.
    pub missing_for_seconds: Option<i64>,
    /// Time of the latest confirmation.
    pub newest_confirmed: Option<Timestamp>,
    /// Nights to be sent.
    pub nights_pending: i64,
    /// Nights sent and not yet verified.
    pub nights_unconfirmed: i64,
    /// Nights confirmed at the channel.
    pub nights_confirmed: i64,
    /// Nights rejected by the channel.
    pub nights_rejected: i64,
    /// Bookings to be sent or verified.
    pub bookings_pending: i64,
    /// Bookings confirmed at the channel.
    pub bookings_confirmed: i64,
    /// Bookings rejected by the channel.
    pub bookings_rejected: i64,
    /// Rejected nights with their reason.
    pub rejected: Vec<RejectedNightsResponse>,
    /// Nights whose prices or rules were changed at the channel and will be overwritten.
    #[serde(default)]
    pub differing: Vec<RejectedNightsResponse>,
    /// Nights from today on that were closed by hand at the channel.
    #[serde(default)]
    pub closed_by_hand: Vec<RejectedNightsResponse>,
    /// State of the circuit breaker: `closed`, `open` or `half-open`.
    pub breaker: BreakerState,
    /// End of the pause.
    pub paused_until: Option<Timestamp>,
}

/// Nights of a room type that a channel rejected for one reason.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedNightsResponse {
    /// The channel's id of the room type.
    pub room_type_id: String,
    /// The channel's id of the rate plan, if any.
    pub rate_plan_id: Option<String>,
    /// First night.
    pub from: Date,
    /// Last night.
    pub to: Date,
    /// Number of nights.
    pub nights: i64,
    /// The channel's error.
    pub why: Option<String>,
}

impl From<deviations::DeviatingNights> for RejectedNightsResponse {
    fn from(refused: deviations::DeviatingNights) -> Self {
        Self {
            room_type_id: refused.room_type_id,
            rate_plan_id: Some(refused.rate_plan_id).filter(|id| !id.is_empty()),
            from: refused.first_night.0,
            to: refused.last_night.0,
            nights: refused.nights,
            why: refused.error,
        }
    }
}

/// Sync state of a core booking at a channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BookingSyncResponse {
    /// The booking.
    pub gas_id: i64,
    /// The source.
    pub source: String,
    /// `pending`: to be sent; `unconfirmed`: to be read back; `confirmed`; `rejected`: a person must act.
    pub state: SyncStatus,
    /// Whether the channel may or may not have it: it is looked up before it is sent again.
    pub in_doubt: bool,
    /// The channel's id.
    pub external_id: Option<String>,
    /// Reason, if it is not confirmed.
    pub why: Option<String>,
    /// Time of the last state change.
    pub since: Timestamp,
    /// Time of the last confirmation.
    pub confirmed_at: Option<Timestamp>,
}

impl From<bookings::ReservationSyncState> for BookingSyncResponse {
    fn from(sync_state: bookings::ReservationSyncState) -> Self {
        Self {
            gas_id: sync_state.booking_id,
            source: sync_state.source_name,
            state: sync_state.state.status,
            in_doubt: sync_state.state.in_doubt,
            external_id: sync_state.external_id,
            why: sync_state.error,
            since: sync_state.changed_at.into(),
            confirmed_at: sync_state.confirmed_at.map(Timestamp::from),
        }
    }
}

/// Which nights to push.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewPush {
    /// All nights within the horizon, including confirmed ones.
    pub all: bool,
}

/// Response to a push request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushResponse {
    /// Outbound status before the push.
    pub before: OutboundAgeResponse,
}
