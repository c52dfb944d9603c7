//! Group commit: concurrent single records share one transaction, because the commit dominates the cost.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gassync_domain::{AccountId, Authority, Change, SourceId, Timestamp};
use tokio::sync::oneshot;

use super::ingest::{IdempotentRequest, single_response};
use crate::{
    app::App,
    core::WhenFull,
    inbound::apply::{self, IngestContext, IngestOutcome},
    store,
};

/// Maximum records per transaction.
const MAX_RECORDS: usize = 100;

/// Pending records by group. A group exists as long as a task writes for it.
pub(super) struct WriteCoalescer {
    app: Arc<App>,
    groups: Mutex<Groups>,
}

type Groups = HashMap<GroupKey, VecDeque<PendingRecord>>;

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
    done: oneshot::Sender<IngestOutcome>,
}

impl WriteCoalescer {
    /// Creates an empty coalescer.
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, groups: Mutex::default() }
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies a record together with other pending ones. None if the transaction failed and nothing was written.
    pub(super) async fn write(
        self: &Arc<Self>,
        context: IngestContext,
        change: Change,
        request: Option<Arc<IdempotentRequest>>,
    ) -> Option<IngestOutcome> {
        let key = GroupKey::of(&context);
        let (done, outcome) = oneshot::channel();
        let pending = PendingRecord { change, request, done };
        let is_first = {
            let mut groups = self.groups();
            let is_first = !groups.contains_key(&key);
            groups.entry(key).or_default().push_back(pending);
            is_first
        };
        if is_first {
            // A separate task, so that a disconnecting caller does not cancel the others.
            let writer = GroupWriter { coalescer: Arc::clone(self), context };
            tokio::spawn(writer.run());
        }
        outcome.await.ok()
    }
}

/// Writes the pending records of a group until none are left.
struct GroupWriter {
    coalescer: Arc<WriteCoalescer>,
    context: IngestContext,
}

impl GroupWriter {
    async fn run(self) {
        while let Some(group) = self.next() {
            let count = group.len();
            if let Err(error) = self.write(group).await {
                tracing::warn!(%error, records = count, "coalesced write failed; applying records separately");
            }
        }
    }

    /// The next records; removes the group if there are none.
    fn next(&self) -> Option<Vec<PendingRecord>> {
        let mut groups = self.coalescer.groups();
        let pending = groups.get_mut(&GroupKey::of(&self.context))?;
        if pending.is_empty() {
            groups.remove(&GroupKey::of(&self.context));
            return None;
        }
        Some(pending.drain(..pending.len().min(MAX_RECORDS)).collect())
    }

    async fn write(&self, group: Vec<PendingRecord>) -> store::Result<()> {
        let now: Timestamp = self.coalescer.app.now();
        let context = IngestContext { observed_at: now, now, ..self.context };
        let changes: Vec<Change> = group.iter().map(|pending| pending.change.clone()).collect();
        let mut tx = self.coalescer.app.db.write_for(context.key()).await?;
        let outcomes = apply::changes(&mut tx, &context, changes).await?;
        for (pending, outcome) in group.iter().zip(&outcomes) {
            if let Some(request) = &pending.request {
                let response = single_response(&pending.change, outcome.clone(), request);
                if !request.store_response(&mut tx, &response, now).await? {
                    return Ok(()); // Another process stored a response under this key: apply separately.
                }
            }
        }
        tx.commit().await?;
        self.coalescer.app.facts.notify_one();
        for (pending, outcome) in group.into_iter().zip(outcomes) {
            // The caller may have disconnected.
            let _ = pending.done.send(outcome);
        }
        Ok(())
    }
}

impl Drop for GroupWriter {
    /// After a panic, removes the group so that nobody waits for it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.coalescer.groups().remove(&GroupKey::of(&self.context));
        }
    }
}
