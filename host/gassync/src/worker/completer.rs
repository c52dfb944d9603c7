//! Stores job results. Results that arrive at the same time share a commit, which is the expensive part.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gassync_domain::Timestamp;
use tokio::sync::oneshot;

use crate::{
    app::App,
    store::{
        self,
        queue::{self, NewJob, QueueResult},
        sync_runs::{self, PushRun},
        webhooks::{self, EndpointHealth, NewAttempt},
    },
};

/// Maximum number of queues completed in one transaction.
const MOST: usize = 200;

/// Completions that wait to be written. A task writes as long as one waits.
pub(super) struct Completer {
    app: Arc<App>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    is_written: bool,
    queues: Vec<(Completion, oneshot::Sender<()>)>,
}

/// A queue to be released, and its follow-up jobs.
#[derive(Debug)]
pub(super) struct Completion {
    /// The result.
    pub release: QueueResult,
    /// Follow-up jobs.
    pub next: Vec<NewJob<'static>>,
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
        Self { app, waiting: Mutex::default() }
    }

    /// Writes the results of a queue together with other waiting ones; returns once they are durable. Returns false if
    /// they could not be written: the lease expires, and the jobs run again.
    pub(super) async fn complete(self: &Arc<Self>, completion: Completion) -> bool {
        let (done, written) = oneshot::channel();
        let is_first = {
            let mut waiting = self.lock();
            waiting.queues.push((completion, done));
            !std::mem::replace(&mut waiting.is_written, true)
        };
        if is_first {
            tokio::spawn(write_all(Arc::clone(self)));
        }
        written.await.is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write_all(completer: Arc<Completer>) {
    let _at_the_end = Reset(&completer);
    loop {
        let group = {
            let mut waiting = completer.lock();
            if waiting.queues.is_empty() {
                waiting.is_written = false;
                return;
            }
            let most = waiting.queues.len().min(MOST);
            waiting.queues.drain(..most).collect::<Vec<_>>()
        };
        let (completions, mut done): (Vec<Completion>, Vec<oneshot::Sender<()>>) = group.into_iter().unzip();
        let Err(error) = write(&completer.app, &completions).await else {
            done.into_iter().for_each(notify);
            continue;
        };
        tracing::warn!(%error, queues = completions.len(), "could not store job results together");
        // One result that the database rejects must not block the others.
        for completion in &completions {
            let done = done.remove(0);
            match write(&completer.app, std::slice::from_ref(completion)).await {
                Ok(()) => notify(done),
                Err(error) => tracing::error!(%error, "could not store job results; the jobs will be retried"),
            }
        }
    }
}

/// Ignores a receiver that has been dropped.
fn notify(done: oneshot::Sender<()>) {
    let _gone = done.send(());
}

async fn write(app: &App, completions: &[Completion]) -> store::Result<()> {
    let now: Timestamp = app.now();
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

/// After a panic no task may wait for a writer that is gone.
struct Reset<'a>(&'a Completer);

impl Drop for Reset<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.0.lock();
            waiting.is_written = false;
            waiting.queues.clear();
        }
    }
}
