//! Leases of queues: one holder at a time, in all processes. A holder that dies loses its lease after [`LEASE`].

use std::{
    future::{Future, pending},
    sync::Arc,
    time::Duration,
};

use futures_util::future::select_all;
use gassync_domain::SourceKey;
use jiff::SignedDuration;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    app::App,
    store::{
        self,
        queue::{self, QueueKey, QueueLease},
    },
};

/// Lease of a queue, extended by heartbeats; the queue stands still this long after a process dies.
pub const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// Heartbeat interval.
const HEARTBEAT: Duration = Duration::from_secs(4);
/// How long a request waits for running jobs of a source.
const PATIENCE: Duration = Duration::from_secs(60);
/// Interval of that check.
const LOOK: Duration = Duration::from_millis(100);

/// Why work could not have a source's channel for itself.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// A job runs for longer than a request waits.
    #[error("a job of the source is running: try again in a moment")]
    Busy,
    /// The database stood still for longer than the lease, and another process has gone on.
    #[error("the source was taken by another process meanwhile: try again")]
    Lost,
    /// A database error.
    #[error("database error: {0}")]
    Store(#[from] sqlx::Error),
}

/// Extends a lease until the returned task is dropped: a task of its own, since the holder may hold a transaction. It ends when
/// another has taken the queue.
pub fn keep(app: &Arc<App>, lease: QueueLease) -> JoinSet<()> {
    let mut heart = JoinSet::new();
    heart.spawn(heartbeat(Arc::clone(app), lease));
    heart
}

async fn heartbeat(app: Arc<App>, lease: QueueLease) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        match extend(&app, &lease).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(source = %lease.source, "another has taken a queue that was worked on");
                return;
            }
            Err(error) => tracing::warn!(%error, "a queue that is worked on could not be kept from others"),
        }
    }
}

async fn extend(app: &App, lease: &QueueLease) -> store::Result<bool> {
    let mut tx = app.db.write(lease.source.account).await?;
    let is_held = queue::extend(&mut tx, lease, app.now() + LEASE).await?;
    tx.commit().await?;
    Ok(is_held)
}

/// Does work while no job calls the channels of these sources, in any process.
pub async fn alone<T>(app: &Arc<App>, sources: &[SourceKey], work: impl Future<Output = T>) -> Result<T, LeaseError> {
    let mut order = sources.to_vec();
    // In one order, so that no two requests wait for each other.
    order.sort_unstable();
    order.dedup();
    let mut held = Vec::with_capacity(order.len());
    let done = match acquire_all(app, &order, &mut held).await {
        // What is half done when the queue is lost is rolled back.
        Ok(()) => tokio::select! {
            done = work => Ok(done),
            () = any_lost(&mut held) => Err(LeaseError::Lost),
        },
        Err(error) => Err(error),
    };
    for (lease, heart) in held {
        drop(heart);
        if let Err(error) = release(app, &lease).await {
            tracing::warn!(%error, source = %lease.source, "a queue could not be released; its lease expires");
        }
    }
    app.wake.notify_one();
    done
}

/// Ends when one of the leases is lost.
async fn any_lost(held: &mut [(QueueLease, JoinSet<()>)]) {
    if held.is_empty() {
        return pending().await;
    }
    select_all(held.iter_mut().map(|(_, heart)| Box::pin(heart.join_next()))).await;
}

async fn release(app: &App, lease: &QueueLease) -> store::Result<()> {
    let mut tx = app.db.write(lease.source.account).await?;
    queue::release(&mut tx, lease).await?;
    tx.commit().await
}

async fn acquire_all(
    app: &Arc<App>,
    sources: &[SourceKey],
    held: &mut Vec<(QueueLease, JoinSet<()>)>,
) -> Result<(), LeaseError> {
    let began = Instant::now();
    for source in sources {
        let lease = loop {
            if let Some(lease) = acquire(app, *source).await? {
                break lease;
            }
            if began.elapsed() > PATIENCE {
                return Err(LeaseError::Busy);
            }
            tokio::time::sleep(LOOK).await;
        };
        held.push((lease, keep(app, lease)));
    }
    Ok(())
}

async fn acquire(app: &App, source: SourceKey) -> store::Result<Option<QueueLease>> {
    let mut tx = app.db.write(source.account).await?;
    // Waiting for the writer may have taken longer than a lease.
    let now = app.now();
    let lease = queue::acquire(&mut tx, (source, QueueKey::Channel), (now, now + LEASE)).await?;
    tx.commit().await?;
    Ok(lease)
}
