//! Records that wait for the database at the same time share one transaction: the commit is what costs.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gassync_domain::{AccountId, Authority, Change, SourceId, Timestamp};
use tokio::sync::oneshot;

use super::taking::{Promise, answer_to_one};
use crate::{
    app::App,
    core::WhenFull,
    inbound::apply::{self, IngestContext, IngestOutcome},
    store,
};

/// The most records that share a transaction.
const MOST: usize = 100;

/// The records that wait, by who sent them. A lane is there as long as somebody writes for it.
pub(super) struct WriteCoalescer {
    app: Arc<App>,
    lanes: Mutex<Lanes>,
}

type Lanes = HashMap<Sender, VecDeque<Waiting>>;

/// Who sends, and what is made of it: records share a transaction where all of this is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Sender {
    account: AccountId,
    source: SourceId,
    creates: bool,
    authority: Authority,
    when_full: WhenFull,
    strict: bool,
}

impl Sender {
    fn of(context: &IngestContext) -> Self {
        let IngestContext { account, source, creates, authority, when_full, strict, .. } = *context;
        Self { account, source, creates, authority, when_full, strict }
    }
}

#[derive(Debug)]
struct Waiting {
    change: Change,
    promise: Option<Arc<Promise>>,
    done: oneshot::Sender<IngestOutcome>,
}

impl WriteCoalescer {
    /// Nothing waits yet.
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, lanes: Mutex::default() }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a record with whatever else waits. None where they failed as a group, and nothing was written.
    pub(super) async fn write(
        self: &Arc<Self>,
        context: IngestContext,
        change: Change,
        promise: Option<Arc<Promise>>,
    ) -> Option<IngestOutcome> {
        let sender = Sender::of(&context);
        let (done, outcome) = oneshot::channel();
        let waiting = Waiting { change, promise, done };
        let is_first = {
            let mut lanes = self.lanes();
            let is_first = !lanes.contains_key(&sender);
            lanes.entry(sender).or_default().push_back(waiting);
            is_first
        };
        if is_first {
            // On a task of its own: a caller who hangs up does not take the others along.
            let writer = Writer { coalescer: Arc::clone(self), context };
            tokio::spawn(writer.run());
        }
        outcome.await.ok()
    }
}

/// Writes for a lane as long as something waits there.
struct Writer {
    coalescer: Arc<WriteCoalescer>,
    context: IngestContext,
}

impl Writer {
    async fn run(self) {
        while let Some(group) = self.next() {
            let count = group.len();
            if let Err(error) = self.write(group).await {
                tracing::warn!(%error, records = count, "records failed together; each is tried alone");
            }
        }
    }

    /// What waits now; where nothing does, the lane is closed.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut lanes = self.coalescer.lanes();
        let waiting = lanes.get_mut(&Sender::of(&self.context))?;
        if waiting.is_empty() {
            lanes.remove(&Sender::of(&self.context));
            return None;
        }
        Some(waiting.drain(..waiting.len().min(MOST)).collect())
    }

    async fn write(&self, group: Vec<Waiting>) -> store::Result<()> {
        let now: Timestamp = self.coalescer.app.now();
        let context = IngestContext { observed_at: now, now, ..self.context };
        let changes: Vec<Change> = group.iter().map(|waiting| waiting.change.clone()).collect();
        let mut tx = self.coalescer.app.db.write_for(context.account, context.source).await?;
        let outcomes = apply::changes(&mut tx, &context, changes).await?;
        for (waiting, outcome) in group.iter().zip(&outcomes) {
            if let Some(promise) = &waiting.promise {
                let answer = answer_to_one(&waiting.change, outcome.clone(), promise);
                if !promise.keep(&mut tx, &answer, now).await? {
                    return Ok(()); // Another process gave an answer under this key: each is tried alone.
                }
            }
        }
        tx.commit().await?;
        self.coalescer.app.facts.notify_one();
        for (waiting, outcome) in group.into_iter().zip(outcomes) {
            // Whoever hung up asks again.
            let _ = waiting.done.send(outcome);
        }
        Ok(())
    }
}

impl Drop for Writer {
    /// After a panic nobody may wait for a writer that is gone.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.coalescer.lanes().remove(&Sender::of(&self.context));
        }
    }
}
