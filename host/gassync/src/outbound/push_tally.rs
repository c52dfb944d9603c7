//! What came of telling a channel, in one visit of a worker: a line among the runs, and how the links fared that it went by.

use gassync_domain::{AccountId, ChannelError, SourceId, Timestamp};
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

/// Said of a call that came to nothing: its error stands with the job, since channels repeat what they were sent, and that may
/// be a guest's.
const CALL_FAILED: &str = "the call broke off: why stands with its job";

/// What was told so far.
#[derive(Debug, Clone)]
pub struct PushTally {
    account: AccountId,
    source: SourceId,
    kind: SyncRunKind,
    began: Timestamp,
    counters: PushCounters,
}

/// What came of something that a channel was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordResult {
    /// The channel surely has it.
    Confirmed,
    /// It says that it took it: it is to be read back.
    Accepted,
    /// It will not have it.
    Rejected,
    /// Nobody knows, or it was not its turn.
    InDoubt,
}

impl PushTally {
    /// Begins now.
    pub fn begin(source: &Source, kind: SyncRunKind, now: Timestamp) -> Self {
        Self { account: source.account, source: source.id, kind, began: now, counters: PushCounters::default() }
    }

    /// Counts what came of so many.
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

    /// So many were to be told by these links when the call failed: nobody knows what became of them. What the channel had no
    /// room for was not told.
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
        link_health::record(&mut tx, self.account, self.source, &Vec::from_iter(links), app.now()).await?;
        tx.commit().await
    }

    /// As a run; none where nothing was told.
    pub fn into_run(self, now: Timestamp) -> Option<PushRun> {
        let Self { account, source, kind, began, counters } = self;
        (counters.sent > 0).then_some(PushRun { account, source, kind, counters, began, ended: now })
    }
}

/// Notes on links how what went by them fared, and on the source that it talked. Last in the transaction of a call's outcome.
pub async fn record(tx: &mut Tx, source: &Source, links: &[LinkOutcome<'_>], now: Timestamp) -> store::Result<()> {
    let well = links.is_empty() || links.iter().any(|links| links.error.is_none());
    link_health::record(tx, source.account, source.id, links, now).await?;
    source_switches::record_channel_call(tx, source.account, source.id, well, now).await
}
