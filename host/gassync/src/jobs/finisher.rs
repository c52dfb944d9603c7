//! Writes what came of work: whatever ends at the same time shares a commit, which is what costs.

use std::sync::{Arc, Mutex, PoisonError};

use gassync_domain::Timestamp;
use tokio::sync::oneshot;

use crate::{
    app::App,
    store::{
        self,
        queue::{self, Put, Release},
        sync_runs::{self, OutwardRun},
        webhooks::{self, Attempt, EndpointHealth},
    },
};

/// The most queues that share a transaction.
const MOST: usize = 200;

/// What waits to be written. Somebody writes as long as something waits.
#[derive(Debug, Default)]
pub struct Finisher(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    is_written: bool,
    queues: Vec<(Over, oneshot::Sender<()>)>,
}

/// A queue that is given back, and the work that comes after it.
#[derive(Debug)]
pub struct Over {
    /// What came of it.
    pub release: Release,
    /// What comes next.
    pub next: Vec<Put<'static>>,
    /// The times that a subscriber was told of something.
    pub attempts: Vec<Attempt>,
    /// How it takes that.
    pub health: Option<EndpointHealth>,
    /// What its channel was told.
    pub runs: Vec<OutwardRun>,
}

/// Writes what came of a queue, together with whatever else waits; returns when it is durable. False where it could not be
/// written: its lease ends, and it comes again.
pub async fn finish(app: &Arc<App>, over: Over) -> bool {
    let (done, written) = oneshot::channel();
    let is_first = {
        let mut waiting = app.finisher.lock();
        waiting.queues.push((over, done));
        !std::mem::replace(&mut waiting.is_written, true)
    };
    if is_first {
        tokio::spawn(write_all(Arc::clone(app)));
    }
    written.await.is_ok()
}

async fn write_all(app: Arc<App>) {
    let _at_the_end = Reset(&app);
    loop {
        let group = {
            let mut waiting = app.finisher.lock();
            if waiting.queues.is_empty() {
                waiting.is_written = false;
                return;
            }
            let most = waiting.queues.len().min(MOST);
            waiting.queues.drain(..most).collect::<Vec<_>>()
        };
        let (overs, mut done): (Vec<Over>, Vec<oneshot::Sender<()>>) = group.into_iter().unzip();
        let Err(error) = write(&app, &overs).await else {
            done.into_iter().for_each(tell);
            continue;
        };
        tracing::warn!(%error, queues = overs.len(), "what came of jobs could not be written at once");
        // One that the database does not take must not hold the others' queues.
        for over in &overs {
            let done = done.remove(0);
            match write(&app, std::slice::from_ref(over)).await {
                Ok(()) => tell(done),
                Err(error) => tracing::error!(%error, "what came of jobs could not be written: they come again"),
            }
        }
    }
}

/// Whoever waits no more needs no telling.
fn tell(done: oneshot::Sender<()>) {
    let _gone = done.send(());
}

async fn write(app: &App, overs: &[Over]) -> store::Result<()> {
    let now: Timestamp = app.now();
    let (mut releases, mut next, mut attempts, mut healths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut runs = Vec::new();
    for over in overs {
        releases.push(&over.release);
        next.extend(over.next.iter().cloned());
        attempts.extend(over.attempts.iter().cloned());
        healths.extend(over.health.iter().cloned());
        runs.extend(over.runs.iter().cloned());
    }
    let mut tx = app.db.platform_write().await?;
    // A job ends before it is put in the queue anew: the same work waits once.
    queue::finish(&mut tx, &releases, now).await?;
    queue::put(&mut tx, &next, now).await?;
    webhooks::note(&mut tx, &attempts, &healths, now).await?;
    sync_runs::outward(&mut tx, &runs).await?;
    tx.commit().await
}

impl Finisher {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// After a panic nobody may wait for a writer that is gone.
struct Reset<'a>(&'a App);

impl Drop for Reset<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.0.finisher.lock();
            waiting.is_written = false;
            waiting.queues.clear();
        }
    }
}
