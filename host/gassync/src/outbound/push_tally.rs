//! Counts the results of one push for the sync runs, and records the health of the links used.

use gassync_domain::{AccountId, ChannelError, SourceId, SourceKey, SyncStatus, Timestamp};
use gassync_runtime::CallError;

use crate::{
    app::App,
    store::{
        self, Tx,
        link_health::{self, LinkOutcome},
        mappings, source_switches,
        sources::Source,
        sync_runs::{PushCounters, PushRun, SyncRunKind},
    },
};

/// Recorded for a failed call. The error itself stays with the job, since a channel may repeat guest data in it.
const CALL_FAILED: &str = "the call failed: see the job's error";

/// Results so far.
#[derive(Debug, Clone)]
pub struct PushTally {
    account: AccountId,
    source: SourceId,
    kind: SyncRunKind,
    began: Timestamp,
    counters: PushCounters,
}

/// Result of one pushed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordResult {
    /// The channel confirmed it.
    Confirmed,
    /// The channel acknowledged it; a read-back must confirm it.
    Accepted,
    /// The channel rejected it.
    Rejected,
    /// Unknown, or not attempted.
    InDoubt,
}

impl From<SyncStatus> for RecordResult {
    fn from(status: SyncStatus) -> Self {
        match status {
            SyncStatus::Confirmed => Self::Confirmed,
            SyncStatus::Unconfirmed => Self::Accepted,
            SyncStatus::Rejected => Self::Rejected,
            SyncStatus::Pending => Self::InDoubt,
        }
    }
}

impl PushTally {
    /// Starts counting.
    pub fn begin(source: &Source, kind: SyncRunKind, now: Timestamp) -> Self {
        Self { account: source.account, source: source.id, kind, began: now, counters: PushCounters::default() }
    }

    /// Counts `records` with this result.
    pub fn count(&mut self, result: RecordResult, records: usize) {
        let records = i64::try_from(records).unwrap_or(i64::MAX);
        let PushCounters { sent, taken, confirmed, refused, unknown, .. } = &mut self.counters;
        *sent += records;
        match result {
            RecordResult::Confirmed => {
                *taken += records;
                *confirmed += records;
            }
            RecordResult::Accepted => *taken += records,
            RecordResult::Rejected => *refused += records,
            RecordResult::InDoubt => *unknown += records,
        }
    }

    /// The call failed: counts its records as in doubt. A rate-limited call sent nothing and is not counted.
    pub async fn failed(
        &mut self,
        app: &App,
        (records, links): (usize, &[(mappings::EntityKind, &str)]),
        error: &CallError,
    ) -> store::Result<()> {
        if matches!(error, CallError::Channel(ChannelError::RateLimited(_))) {
            return Ok(());
        }
        self.count(RecordResult::InDoubt, records);
        self.counters.error = Some(CALL_FAILED.to_owned());
        let links = links.iter().map(|(kind, id)| LinkOutcome { kind: *kind, id, error: Some(CALL_FAILED.to_owned()) });
        let mut tx = app.db.write(self.account).await?;
        link_health::record(
            &mut tx,
            SourceKey { account: self.account, source: self.source },
            &Vec::from_iter(links),
            app.now(),
        )
        .await?;
        tx.commit().await
    }

    /// The sync run; `None` if nothing was sent.
    pub fn into_run(self, now: Timestamp) -> Option<PushRun> {
        let Self { account, source, kind, began, counters } = self;
        (counters.sent > 0).then_some(PushRun { account, source, kind, counters, began, ended: now })
    }
}

/// Records the health of links and the contact with the source. Must come last in the transaction that stores a call's
/// results.
pub async fn record(tx: &mut Tx, source: &Source, links: &[LinkOutcome<'_>], now: Timestamp) -> store::Result<()> {
    let well = links.is_empty() || links.iter().any(|links| links.error.is_none());
    link_health::record(tx, source.key(), links, now).await?;
    source_switches::record_channel_call(tx, source.key(), well, now).await
}
