//! Requests and responses about the control of sources.

use std::collections::BTreeMap;

use gassync_domain::{Direction, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::{
    sources::SourceState,
    sync_runs::{SyncRun, SyncRunKind, SyncRunStatus},
};

/// Maximum poll interval in minutes: one day.
pub const MAX_POLL_MINUTES: i64 = 24 * 60;

/// Status change of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    /// Previous value.
    pub was: SourceState,
    /// Current value.
    pub status: SourceState,
}

/// Synchronisation switches of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Switches {
    /// Whether synchronisation is enabled.
    pub sync_enabled: bool,
    /// `bidirectional`, `inbound_only` or `outbound_only`.
    pub sync_direction: Direction,
    /// Poll interval of bookings in minutes; None: as in the plugin's manifest.
    pub poll_minutes: Option<i64>,
}

/// Changes of the switches; omitted fields keep their value.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewSwitches {
    /// Whether synchronisation is enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_enabled: Option<bool>,
    /// `bidirectional`, `inbound_only` or `outbound_only`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_direction: Option<Direction>,
}

/// Poll interval of a source.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPoll {
    /// Poll interval of bookings in minutes, 1 to 1,440; null: as in the plugin's manifest.
    pub minutes: Option<i64>,
}

/// Changes of the settings; others keep their value.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewSettings {
    /// Values by name.
    pub set: BTreeMap<String, Value>,
    /// Names to reset to the default.
    pub unset: Vec<String>,
}

/// Settings before and after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsChange {
    /// Previous value.
    pub before: Value,
    /// Current value.
    pub after: Value,
}

/// A synchronisation run of a source.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceRun {
    /// What was synchronised.
    pub sync_type: SyncRunKind,
    /// How it ended.
    pub status: SyncRunStatus,
    /// Records received, or nights or bookings sent.
    pub processed: i64,
    /// Created.
    pub created: i64,
    /// Updated, or accepted by the channel.
    pub updated: i64,
    /// Parked, set aside or rejected.
    pub failed: i64,
    /// Unchanged.
    pub skipped: i64,
    /// Confirmed at the channel.
    pub confirmed: i64,
    /// In doubt whether the channel received them.
    pub in_doubt: i64,
    /// Error, if the run aborted.
    pub error: Option<String>,
    /// Start time.
    pub started_at: Timestamp,
    /// Duration in milliseconds; None while running or if interrupted.
    pub duration_ms: Option<i64>,
}

impl From<SyncRun> for SourceRun {
    fn from(run: SyncRun) -> Self {
        Self {
            sync_type: run.kind,
            status: run.status,
            processed: run.records_processed,
            created: run.records_created,
            updated: run.records_updated,
            failed: run.records_failed,
            skipped: run.records_skipped,
            confirmed: run.records_confirmed,
            in_doubt: run.records_in_doubt,
            error: run.error_message,
            started_at: run.started_at.into(),
            duration_ms: run.duration_ms,
        }
    }
}
