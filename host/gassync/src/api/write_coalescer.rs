//! Concurrent single records share one transaction.

use std::sync::Arc;

use gassync_domain::{AccountId, Authority, Change, SourceId, Timestamp};

use super::ingest::{IdempotentRequest, single_response};
use crate::{
    app::App,
    coalescer::Coalescer,
    core::WhenFull,
    inbound::apply::{self, IngestContext, IngestOutcome},
    store,
};

/// Maximum records per transaction.
const MAX_RECORDS: usize = 100;

/// Writes single records in groups.
pub(super) struct WriteCoalescer {
    app: Arc<App>,
    records: Arc<Coalescer<GroupKey, PendingRecord, IngestOutcome>>,
}

/// Records with the same key share a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct GroupKey {
    account: AccountId,
    source: SourceId,
    creates: bool,
    authority: Authority,
    when_full: WhenFull,
    strict: bool,
}

impl GroupKey {
    fn of(context: &IngestContext) -> Self {
        let IngestContext { account, source, creates, authority, when_full, strict, .. } = *context;
        Self { account, source, creates, authority, when_full, strict }
    }
}

#[derive(Debug)]
struct PendingRecord {
    change: Change,
    request: Option<Arc<IdempotentRequest>>,
}

impl WriteCoalescer {
    /// Creates an empty coalescer.
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, records: Arc::new(Coalescer::new(MAX_RECORDS)) }
    }

    /// Applies a record together with other pending ones. None if the transaction failed and nothing was written.
    pub(super) async fn write(
        &self,
        context: IngestContext,
        change: Change,
        request: Option<Arc<IdempotentRequest>>,
    ) -> Option<IngestOutcome> {
        let app = Arc::clone(&self.app);
        let write = move |group| write_or_none(Arc::clone(&app), context, group);
        self.records.push(GroupKey::of(&context), PendingRecord { change, request }, write).await
    }
}

async fn write_or_none(app: Arc<App>, context: IngestContext, group: Vec<PendingRecord>) -> Vec<Option<IngestOutcome>> {
    match write(&app, context, &group).await {
        Ok(outcomes) => outcomes.into_iter().map(Some).collect(),
        Err(error) => {
            tracing::warn!(%error, records = group.len(), "coalesced write failed; applying records separately");
            Vec::new()
        }
    }
}

/// Applies the records in one transaction. No outcomes if another request stored a response under the key of one:
/// nothing is written then, and each is applied separately.
async fn write(app: &App, context: IngestContext, group: &[PendingRecord]) -> store::Result<Vec<IngestOutcome>> {
    let now: Timestamp = app.now();
    let context = IngestContext { observed_at: now, now, ..context };
    let changes: Vec<Change> = group.iter().map(|pending| pending.change.clone()).collect();
    let mut tx = app.db.write_for(context.key()).await?;
    let outcomes = apply::changes(&mut tx, &context, changes).await?;
    for (pending, outcome) in group.iter().zip(&outcomes) {
        if let Some(request) = &pending.request {
            let response = single_response(&pending.change, outcome.clone(), request);
            if !request.store_response(&mut tx, &response, now).await? {
                return Ok(Vec::new());
            }
        }
    }
    tx.commit().await?;
    app.facts.notify_one();
    Ok(outcomes)
}
