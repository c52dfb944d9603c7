//! Records that wait for the database at the same time share one transaction: the commit is what costs.

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

/// The most records that share a transaction.
const MAX_RECORDS: usize = 100;

/// The records that wait, by who sent them. A lane is there as long as somebody writes for it.
pub(super) struct WriteCoalescer {
    app: Arc<App>,
    groups: Mutex<Groups>,
}

type Groups = HashMap<GroupKey, VecDeque<PendingRecord>>;

/// Who sends, and what is made of it: records share a transaction where all of this is the same.
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
    /// Nothing waits yet.
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, groups: Mutex::default() }
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a record with whatever else waits. None where they failed as a group, and nothing was written.
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
            // On a task of its own: a caller who hangs up does not take the others along.
            let writer = GroupWriter { coalescer: Arc::clone(self), context };
            tokio::spawn(writer.run());
        }
        outcome.await.ok()
    }
}

/// Writes for a lane as long as something waits there.
struct GroupWriter {
    coalescer: Arc<WriteCoalescer>,
    context: IngestContext,
}

impl GroupWriter {
    async fn run(self) {
        while let Some(group) = self.next() {
            let count = group.len();
            if let Err(error) = self.write(group).await {
                tracing::warn!(%error, records = count, "records failed together; each is tried alone");
            }
        }
    }

    /// What waits now; where nothing does, the lane is closed.
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
        let mut tx = self.coalescer.app.db.write_for(context.account, context.source).await?;
        let outcomes = apply::changes(&mut tx, &context, changes).await?;
        for (pending, outcome) in group.iter().zip(&outcomes) {
            if let Some(request) = &pending.request {
                let response = single_response(&pending.change, outcome.clone(), request);
                if !request.store_response(&mut tx, &response, now).await? {
                    return Ok(()); // Another process gave an answer under this key: each is tried alone.
                }
            }
        }
        tx.commit().await?;
        self.coalescer.app.facts.notify_one();
        for (pending, outcome) in group.into_iter().zip(outcomes) {
            // Whoever hung up asks again.
            let _ = pending.done.send(outcome);
        }
        Ok(())
    }
}

impl Drop for GroupWriter {
    /// After a panic nobody may wait for a writer that is gone.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.coalescer.groups().remove(&GroupKey::of(&self.context));
        }
    }
}
