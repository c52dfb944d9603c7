//! Stores job results. Results that arrive at the same time share a commit.

use std::sync::Arc;

use crate::{
    app::App,
    coalescer::Coalescer,
    store::{
        self,
        queue::{self, NewJob, QueueResult},
        sync_runs::{self, PushRun},
        webhooks::{self, EndpointHealth, NewAttempt},
    },
};

/// Maximum number of queues completed in one transaction.
const MAX_QUEUES: usize = 200;

/// Stores completions in groups.
pub(super) struct Completer {
    app: Arc<App>,
    queues: Arc<Coalescer<(), Completion, ()>>,
}

/// A queue to be released, and its follow-up jobs.
#[derive(Debug)]
pub(super) struct Completion {
    /// The result.
    pub release: QueueResult,
    /// Follow-up jobs.
    pub next: Vec<NewJob>,
    /// Delivery attempts.
    pub attempts: Vec<NewAttempt>,
    /// The new health of the endpoint.
    pub endpoint_health: Option<EndpointHealth>,
    /// Push runs.
    pub runs: Vec<PushRun>,
}

impl Completer {
    /// Creates a completer with an empty queue.
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, queues: Arc::new(Coalescer::new(MAX_QUEUES)) }
    }

    /// Writes the results of a queue together with other waiting ones; returns once they are durable. Returns false if
    /// they could not be written: the lease expires, and the jobs run again.
    pub(super) async fn complete(&self, completion: Completion) -> bool {
        let app = Arc::clone(&self.app);
        let write = move |completions| write_all(Arc::clone(&app), completions);
        self.queues.push((), completion, write).await.is_some()
    }
}

async fn write_all(app: Arc<App>, completions: Vec<Completion>) -> Vec<Option<()>> {
    let Err(error) = write(&app, &completions).await else {
        return completions.iter().map(|_| Some(())).collect();
    };
    tracing::warn!(%error, queues = completions.len(), "could not store job results together");
    // One result that the database rejects must not block the others.
    let mut written = Vec::with_capacity(completions.len());
    for completion in &completions {
        let result = write(&app, std::slice::from_ref(completion)).await;
        if let Err(error) = &result {
            tracing::error!(%error, "could not store job results; the jobs will be retried");
        }
        written.push(result.ok());
    }
    written
}

async fn write(app: &App, completions: &[Completion]) -> store::Result<()> {
    let now = app.now();
    let (mut releases, mut next, mut attempts, mut healths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut runs = Vec::new();
    for completion in completions {
        releases.push(&completion.release);
        next.extend(completion.next.iter().cloned());
        attempts.extend(completion.attempts.iter().cloned());
        healths.extend(completion.endpoint_health.iter().cloned());
        runs.extend(completion.runs.iter().cloned());
    }
    let mut tx = app.db.platform_write().await?;
    // Complete jobs before enqueueing: an identical job is enqueued only once.
    queue::complete(&mut tx, &releases, now).await?;
    queue::enqueue(&mut tx, &next, now).await?;
    webhooks::record_attempts(&mut tx, &attempts, &healths, now).await?;
    sync_runs::insert_push_runs(&mut tx, &runs).await?;
    tx.commit().await
}
