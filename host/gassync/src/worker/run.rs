//! Claims due messages and jobs, runs them, and completes them.

use gassync_domain::WebhookId;
use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::{
    sync::Semaphore,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{
    completer::{Completer, Completion},
    job::{JobContext, each},
    jobs::job_named,
    retry_policy,
};
use crate::{
    app::App,
    inbound::process,
    lease::{self, LEASE},
    panics,
    schedule::JobOutcome,
    store::{
        self, Lease, inbox,
        queue::{self, BatchPolicy, Claim, ClaimedJob, QueueKey, WorkerPool},
        sources::{self, Source},
    },
    webhooks,
};

/// Lease of a message. A decode takes a second at most.
const MESSAGE_LEASE: SignedDuration = SignedDuration::from_secs(30);

/// Concurrency limits.
struct Slots {
    messages: Arc<Semaphore>,
    /// Jobs mostly wait for channels, so there are more of these.
    jobs: Arc<Semaphore>,
    deliveries: Arc<Semaphore>,
}

/// Runs until shutdown, then finishes what it has begun.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let idle = Duration::from_millis(app.config.workers.poll_millis);
    let slots = Slots {
        messages: Arc::new(Semaphore::new(app.config.workers.inbound as usize)),
        jobs: Arc::new(Semaphore::new(app.config.workers.jobs as usize)),
        deliveries: Arc::new(Semaphore::new(app.config.workers.deliveries as usize)),
    };
    let completer = Arc::new(Completer::new(Arc::clone(&app)));
    let mut running = JoinSet::new();
    while !shutdown.is_cancelled() {
        // Register for notifications before looking, so that none is missed.
        let woken = app.wake.notified();
        let began = begin(&app, &completer, &slots, &mut running).await.unwrap_or_else(|error| {
            tracing::error!(%error, "could not claim work");
            false
        });
        while let Some(ended) = running.try_join_next() {
            note(ended);
        }
        if began {
            continue;
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = woken => {}
            () = tokio::time::sleep(idle) => {}
        }
    }
    while let Some(ended) = running.join_next().await {
        note(ended);
    }
}

/// Jobs catch their own panics. A task that panics nevertheless is retried when its lease expires.
fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(panicked = error.is_panic(), "task failed before its result was stored; it will be retried");
    }
}

fn free(slots: &Semaphore) -> i64 {
    i64::try_from(slots.available_permits()).unwrap_or(0)
}

/// Starts what is due and has a free slot; `false` if there was nothing.
async fn begin(
    app: &Arc<App>,
    completer: &Arc<Completer>,
    slots: &Slots,
    running: &mut JoinSet<()>,
) -> store::Result<bool> {
    let (for_messages, now) = (free(&slots.messages), app.now());
    let queues = [(WorkerPool::Jobs, &slots.jobs), (WorkerPool::Deliveries, &slots.deliveries)];
    // Check with a read transaction first, which does not block writers.
    let mut tx = app.db.platform_read().await?;
    let messages_wait = for_messages > 0 && inbox::is_waiting(&mut tx, now).await?;
    let mut waiting = Vec::new();
    for (work, of_it) in queues {
        if free(of_it) > 0 && queue::is_waiting(&mut tx, work, now).await? {
            waiting.push((work, of_it));
        }
    }
    drop(tx);
    if !messages_wait && waiting.is_empty() {
        return Ok(false);
    }
    let mut tx = app.db.platform_write().await?;
    let messages = if messages_wait {
        inbox::claim(&mut tx, Lease { now, until: now + MESSAGE_LEASE }, for_messages).await?
    } else {
        Vec::new()
    };
    let mut taken = Vec::new();
    for (work, of_it) in waiting {
        let free = free(of_it);
        // One account must not occupy all slots, or all plugin calls.
        let most_of_one = match work {
            WorkerPool::Jobs => app.config.workers.jobs.min(app.config.plugins.concurrent_calls).div_ceil(2),
            WorkerPool::Deliveries => app.config.workers.deliveries.div_ceil(2),
        };
        let most_of_one = i64::from(most_of_one);
        let batch_policy = |kind: &str| job_named(kind).map_or(BatchPolicy::NONE, |job| job.batch);
        let lease = Lease { now, until: now + LEASE };
        let queues = queue::claim(&mut tx, work, lease, (free, most_of_one), batch_policy).await?;
        taken.extend(queues.into_iter().map(|queue| (queue, of_it)));
    }
    let of_channels = taken.iter().filter(|(queue, _)| !matches!(queue.queue, QueueKey::Webhook(_)));
    let whose: Vec<_> = of_channels.map(|(queue, _)| queue.key()).collect();
    let sources = sources::get_all(&mut tx, &whose).await?;
    tx.commit().await?;
    let began = !(messages.is_empty() && taken.is_empty());
    for message in messages {
        let (app, place) = (Arc::clone(app), Arc::clone(&slots.messages).acquire_owned().await);
        running.spawn(async move {
            process::process(Arc::clone(&app), message).await;
            drop(place);
            app.wake.notify_one();
        });
    }
    for (taken, of_it) in taken {
        let (app, place) = (Arc::clone(app), Arc::clone(of_it).acquire_owned().await);
        let source = sources.get(&taken.key()).cloned();
        let completer = Arc::clone(completer);
        running.spawn(async move {
            if let Err(error) = run_leased(&app, &completer, source, taken).await {
                // Its lease expires, and it is claimed again.
                tracing::error!(%error, "could not run jobs");
            }
            drop(place);
            app.wake.notify_one();
        });
    }
    Ok(began)
}

/// Runs the jobs of a queue and extends its lease meanwhile.
async fn run_leased(
    app: &Arc<App>,
    completer: &Arc<Completer>,
    source: Option<Source>,
    taken: Claim,
) -> store::Result<()> {
    let _heart = lease::keep(app, taken.lease());
    if let QueueKey::Webhook(number) = taken.queue {
        return deliver(app, completer, number, taken).await;
    }
    let pushes = Mutex::default();
    let outcomes = match &source {
        Some(source) => work_on(JobContext { app, source, pushes: &pushes }, &taken.jobs).await,
        None => each(&taken.jobs, || JobOutcome::Discard("the source was deleted".to_owned())),
    };
    let runs = pushes.into_inner();
    let over = Completion { runs, ..retry_policy::completion_of_jobs(app, source.as_ref(), (taken, outcomes)).await };
    completer.complete(over).await;
    Ok(())
}

async fn deliver(app: &Arc<App>, completer: &Arc<Completer>, number: WebhookId, taken: Claim) -> store::Result<()> {
    let source = taken.key();
    let mut report = webhooks::dispatch(app, number, &taken).await?;
    let disable = report.disable.take();
    completer.complete(retry_policy::completion_of_deliveries(app, taken, report)).await;
    match disable {
        Some(why) => webhooks::disable_endpoint(app, source, number, &why).await,
        None => Ok(()),
    }
}

/// Runs the jobs claimed for a source, those of a kind together; one outcome per job.
async fn work_on(context: JobContext<'_>, jobs: &[ClaimedJob]) -> Vec<JobOutcome> {
    let mut outcomes: Vec<JobOutcome> = Vec::with_capacity(jobs.len());
    for of_kind in jobs.chunk_by(|one, next| one.kind == next.kind) {
        // A channel that asked for a pause is not called for the other kinds either.
        match outcomes.iter().find_map(retry_policy::pause) {
            Some((wait, why)) => outcomes.extend(each(of_kind, || JobOutcome::Snooze(wait, why.clone()))),
            None => outcomes.extend(work_on_kind(context, of_kind).await),
        }
    }
    outcomes
}

/// A panic is a failure: jobs of the batch are retried, each alone.
async fn work_on_kind(context: JobContext<'_>, jobs: &[ClaimedJob]) -> Vec<JobOutcome> {
    let Some(first) = jobs.first() else { return Vec::new() };
    let Some(job) = job_named(&first.kind) else {
        return each(jobs, || JobOutcome::Discard(format!("unknown job kind {}", first.kind)));
    };
    let worked = panics::caught(job.name, job.run(context, jobs)).await;
    worked.unwrap_or_else(|reason| each(jobs, || JobOutcome::RetryAfter(None, reason.clone())))
}
