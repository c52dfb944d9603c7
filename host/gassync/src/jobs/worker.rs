//! Takes what is due from the two queues, works on it, and puts down what came of it.

use std::{sync::Arc, time::Duration};

use gassync_domain::{ChannelError, retry_delay};
use gassync_runtime::CallError;
use jiff::SignedDuration;
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{BACKFILL, DRIVE_PARKED, LOOK_AGAIN, POLL, backfill, drive_parked, look_again, poll};
use crate::{
    app::App,
    inbound::{pull::PullError, work},
    store::{
        self, inbox,
        jobs::{self, Job},
        sources,
    },
};

/// How long a message is one worker's. A decode takes a second at most.
const MESSAGE_LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long a job is one worker's, unless the worker says that it is still at it.
const JOB_LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often it says so.
const HEARTBEAT: Duration = Duration::from_secs(20);
/// How long a job waits whose channel has no room for it and does not say for how long.
const UNSAID_WAIT: SignedDuration = SignedDuration::from_secs(60);
/// The longest that a job waits for its channel, whatever that says.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// Hints that join another: with it as many ids as the contract has a plugin asked for at once.
const MOST_ALIKE: i64 = 19;
/// After so many attempts a job that does not come again by itself is dead.
const MAX_ATTEMPTS: u32 = 12;

/// Works until it is told to stop, then ends what it has begun.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let idle = Duration::from_millis(app.config.work.poll_millis);
    let places = Arc::new(Semaphore::new(app.config.work.workers as usize));
    let mut running = JoinSet::new();
    while !shutdown.is_cancelled() {
        // Armed before looking, so that what comes in meanwhile is not missed.
        let woken = app.wake.notified();
        let began = begin(&app, &places, &mut running).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the queues cannot be read");
            false
        });
        while running.try_join_next().is_some() {}
        if began {
            continue;
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = woken => {}
            () = tokio::time::sleep(idle) => {}
        }
    }
    while running.join_next().await.is_some() {}
}

/// Begins all that is due and has a place; false when there was nothing to begin.
async fn begin(app: &Arc<App>, places: &Arc<Semaphore>, running: &mut JoinSet<()>) -> store::Result<bool> {
    let free = i64::try_from(places.available_permits()).unwrap_or(0);
    if free == 0 {
        return Ok(false);
    }
    let now = app.now();
    // Looking first costs those who write nothing.
    let mut tx = app.db.platform_read().await?;
    if !inbox::is_waiting(&mut tx, now).await? && !jobs::is_waiting(&mut tx, now).await? {
        return Ok(false);
    }
    drop(tx);
    let mut tx = app.db.platform_write().await?;
    let messages = inbox::claim(&mut tx, now, now + MESSAGE_LEASE, free).await?;
    let left = free - i64::try_from(messages.len()).unwrap_or(free);
    let jobs = if left > 0 { jobs::claim(&mut tx, now, now + JOB_LEASE, left).await? } else { Vec::new() };
    tx.commit().await?;
    let began = !(messages.is_empty() && jobs.is_empty());
    for message in messages {
        let (app, place) = (Arc::clone(app), Arc::clone(places).acquire_owned().await);
        running.spawn(async move {
            work::process(Arc::clone(&app), message).await;
            drop(place);
            app.wake.notify_one();
        });
    }
    for job in jobs {
        let (app, place) = (Arc::clone(app), Arc::clone(places).acquire_owned().await);
        running.spawn(async move {
            let id = job.id;
            if let Err(error) = alive(&app, job).await {
                // Its lease ends, and it comes again.
                tracing::error!(job = id, %error, "a job could not be begun or marked");
            }
            drop(place);
            app.wake.notify_one();
        });
    }
    Ok(began)
}

/// Keeps others off a job as long as it is worked on, however long that is.
async fn alive(app: &Arc<App>, job: Job) -> store::Result<()> {
    let jobs = with_alike(app, job).await?;
    // Apart from the work, which may be in a transaction of its own when this one wants the database; and no longer than it,
    // however it ends.
    let mut heart = JoinSet::new();
    heart.spawn(beat(Arc::clone(app), jobs.clone()));
    work_on(app, jobs).await
}

async fn beat(app: Arc<App>, jobs: Vec<Job>) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        if let Err(error) = extend(&app, &jobs).await {
            tracing::warn!(%error, "jobs that are worked on could not be kept from others");
        }
    }
}

async fn extend(app: &App, held: &[Job]) -> store::Result<()> {
    let Some(first) = held.first() else { return Ok(()) };
    let mut tx = app.db.write(first.account).await?;
    for job in held {
        jobs::extend(&mut tx, job, app.now() + JOB_LEASE).await?;
    }
    tx.commit().await
}

/// What a channel has said something about is fetched together; what failed before is tried alone, so that it takes no
/// other with it.
async fn with_alike(app: &App, job: Job) -> store::Result<Vec<Job>> {
    if job.kind != LOOK_AGAIN || job.attempts > 1 {
        return Ok(vec![job]);
    }
    let now = app.now();
    let mut tx = app.db.write(job.account).await?;
    let until = now + JOB_LEASE;
    let alike = jobs::claim_alike(&mut tx, job.account, job.source, &job.kind, (now, until), MOST_ALIKE).await?;
    tx.commit().await?;
    Ok(std::iter::once(job).chain(alike).collect())
}

/// Works on jobs of one kind and source, which all end alike.
async fn work_on(app: &Arc<App>, jobs: Vec<Job>) -> store::Result<()> {
    let Some(first) = jobs.first() else { return Ok(()) };
    let mut tx = app.db.read(first.account).await?;
    let source = sources::get(&mut tx, first.account, first.source).await?;
    drop(tx);
    let result = match (source, first.kind.as_str()) {
        (None, _) => Err(JobError::Hopeless("its source is gone".to_owned())),
        (Some(source), POLL) => poll::run(app, &source, &first.payload).await.map_err(JobError::Pull),
        (Some(source), LOOK_AGAIN) => {
            let payloads = jobs.iter().map(|job| &job.payload);
            look_again::run(app, &source, payloads).await.map_err(JobError::Pull)
        }
        (Some(source), BACKFILL) => backfill::run(app, &source, &first.payload).await.map_err(JobError::Pull),
        (Some(source), DRIVE_PARKED) => {
            drive_parked::run(app, &source).await.map_err(|error| JobError::Pull(PullError::Store(error)))
        }
        (Some(_), other) => Err(JobError::Hopeless(format!("nobody knows jobs of the kind {other}"))),
    };
    let alone = jobs.len() == 1;
    for job in &jobs {
        ended(app, job, (&result, alone)).await?;
    }
    Ok(())
}

/// Why a job came to nothing.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error(transparent)]
    Pull(PullError),
    #[error("{0}")]
    Hopeless(String),
}

impl JobError {
    fn is_hopeless(&self) -> bool {
        matches!(
            self,
            Self::Hopeless(_)
                | Self::Pull(PullError::NoConnection | PullError::Call(CallError::Channel(ChannelError::Unsupported)))
        )
    }
}

async fn ended(app: &App, job: &Job, (result, alone): (&Result<(), JobError>, bool)) -> store::Result<()> {
    match result {
        Ok(()) => {
            let now = app.now();
            let mut tx = app.db.write(job.account).await?;
            let next = match sources::get(&mut tx, job.account, job.source).await? {
                Some(source) if job.kind == POLL => poll::next_time(app, &source, &job.payload, now),
                _ => None,
            };
            jobs::done(&mut tx, job, now).await?;
            if let Some(at) = next {
                jobs::enqueue(&mut tx, job.account, job.source, POLL, &job.payload, at, now).await?;
            }
            tx.commit().await
        }
        Err(error) => {
            tracing::warn!(job = job.id, kind = job.kind, source = %job.source, %error, "a job did not work out");
            let why = error.to_string();
            // Of several that were tried together nobody knows which is at fault: each is tried alone.
            let hopeless = error.is_hopeless() && alone;
            let for_good = hopeless || (job.kind != POLL && job.attempts >= MAX_ATTEMPTS);
            if job.kind == BACKFILL {
                backfill::stumbled(app, job.account, &job.payload, (&why, for_good)).await?;
            }
            match error {
                JobError::Pull(PullError::Call(CallError::Channel(ChannelError::RateLimited(seconds)))) => {
                    let wait = seconds.map_or(UNSAID_WAIT, |seconds| SignedDuration::from_secs(i64::from(seconds)));
                    postpone(app, job, &why, wait).await
                }
                _ => end(app, job, &why, for_good).await,
            }
        }
    }
}

/// It did not work out: another time, or never.
async fn end(app: &App, job: &Job, why: &str, for_good: bool) -> store::Result<()> {
    let mut tx = app.db.write(job.account).await?;
    if for_good {
        jobs::dead(&mut tx, job, why, app.now()).await?;
    } else {
        let wait = SignedDuration::from_millis(retry_delay(job.attempts, app.jitter()).0);
        jobs::retry(&mut tx, job, why, app.now() + wait).await?;
    }
    tx.commit().await
}

/// It was not its turn: no attempt is burnt.
async fn postpone(app: &App, job: &Job, why: &str, wait: SignedDuration) -> store::Result<()> {
    let mut tx = app.db.write(job.account).await?;
    jobs::postpone(&mut tx, job, why, app.now() + wait.min(LONGEST_WAIT)).await?;
    tx.commit().await
}
