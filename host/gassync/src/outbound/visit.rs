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
        sync_runs::{Outward, OutwardRun, SyncRunKind},
    },
};

/// Said of a call that came to nothing: its error stands with the job, since channels repeat what they were sent, and that may
/// be a guest's.
const BROKE_OFF: &str = "the call broke off: why stands with its job";

/// What was told so far.
#[derive(Debug, Clone)]
pub struct Visit {
    account: AccountId,
    source: SourceId,
    kind: SyncRunKind,
    began: Timestamp,
    outward: Outward,
}

/// What came of something that a channel was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// The channel surely has it.
    There,
    /// It says that it took it: it is to be read back.
    Taken,
    /// It will not have it.
    Refused,
    /// Nobody knows, or it was not its turn.
    Unknown,
}

impl Visit {
    /// Begins now.
    pub fn begin(source: &Source, kind: SyncRunKind, now: Timestamp) -> Self {
        Self { account: source.account, source: source.id, kind, began: now, outward: Outward::default() }
    }

    /// Counts what came of so many.
    pub fn count(&mut self, came: Came, records: usize) {
        let records = i64::try_from(records).unwrap_or(i64::MAX);
        let Outward { sent, taken, confirmed, refused, unknown, .. } = &mut self.outward;
        *sent += records;
        match came {
            Came::There => {
                *taken += records;
                *confirmed += records;
            }
            Came::Taken => *taken += records,
            Came::Refused => *refused += records,
            Came::Unknown => *unknown += records,
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
        self.count(Came::Unknown, records);
        self.outward.error = Some(BROKE_OFF.to_owned());
        let fared = links.iter().map(|(kind, id)| LinkOutcome { kind: *kind, id, error: Some(BROKE_OFF.to_owned()) });
        let mut tx = app.db.write(self.account).await?;
        link_health::record(&mut tx, self.account, self.source, &Vec::from_iter(fared), app.now()).await?;
        tx.commit().await
    }

    /// As a run; none where nothing was told.
    pub fn over(self, now: Timestamp) -> Option<OutwardRun> {
        let Self { account, source, kind, began, outward } = self;
        (outward.sent > 0).then_some(OutwardRun { account, source, kind, outward, began, ended: now })
    }
}

/// Notes on links how what went by them fared, and on the source that it talked. Last in the transaction of a call's outcome.
pub async fn note(tx: &mut Tx, source: &Source, fared: &[LinkOutcome<'_>], now: Timestamp) -> store::Result<()> {
    let well = fared.is_empty() || fared.iter().any(|fared| fared.error.is_none());
    link_health::record(tx, source.account, source.id, fared, now).await?;
    source_switches::record_channel_call(tx, source.account, source.id, well, now).await
}
