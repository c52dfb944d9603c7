//! Takes what is due from the two queues, works on it, and puts down what came of it.

use std::{sync::Arc, time::Duration};

use jiff::SignedDuration;
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    Kind, backfill, drive_parked,
    ending::{self, Outcome},
    finisher, horizon, look_again, poll, push,
};
use crate::{
    app::App,
    inbound::work,
    outbound::read_back,
    store::{
        self, inbox,
        queue::{self, Job, Taken},
        sources::{self, Source},
    },
    talk::TalkError,
};

/// How long a message is one worker's. A decode takes a second at most.
const MESSAGE_LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long a lane is one worker's, unless the worker says that it is still at it: so long it stands still when a process dies.
const LANE_LEASE: SignedDuration = SignedDuration::from_secs(15);
/// How often it says so.
const HEARTBEAT: Duration = Duration::from_secs(4);

/// Where work is done.
struct Places {
    messages: Arc<Semaphore>,
    /// Most of their time jobs wait for channels, so there are more of these.
    jobs: Arc<Semaphore>,
}

/// Works until it is told to stop, then ends what it has begun.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let idle = Duration::from_millis(app.config.work.poll_millis);
    let places = Places {
        messages: Arc::new(Semaphore::new(app.config.work.workers as usize)),
        jobs: Arc::new(Semaphore::new(app.config.work.jobs as usize)),
    };
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

fn free(places: &Semaphore) -> i64 {
    i64::try_from(places.available_permits()).unwrap_or(0)
}

/// Begins all that is due and has a place; false when there was nothing to begin.
async fn begin(app: &Arc<App>, places: &Places, running: &mut JoinSet<()>) -> store::Result<bool> {
    let (for_messages, for_jobs) = (free(&places.messages), free(&places.jobs));
    let now = app.now();
    // Looking first costs those who write nothing.
    let mut tx = app.db.platform_read().await?;
    let messages_wait = for_messages > 0 && inbox::is_waiting(&mut tx, now).await?;
    let jobs_wait = for_jobs > 0 && queue::is_waiting(&mut tx, now).await?;
    drop(tx);
    if !messages_wait && !jobs_wait {
        return Ok(false);
    }
    let mut tx = app.db.platform_write().await?;
    let messages =
        if messages_wait { inbox::claim(&mut tx, now, now + MESSAGE_LEASE, for_messages).await? } else { Vec::new() };
    let lanes = if jobs_wait {
        // Whatever one account has to do, others find a place.
        let most_of_one = i64::from(app.config.work.jobs.div_ceil(2));
        let alike = |kind: &str| Kind::named(kind).map_or(1, Kind::alike);
        queue::claim(&mut tx, (now, now + LANE_LEASE), (for_jobs, most_of_one), alike).await?
    } else {
        Vec::new()
    };
    tx.commit().await?;
    let began = !(messages.is_empty() && lanes.is_empty());
    for message in messages {
        let (app, place) = (Arc::clone(app), Arc::clone(&places.messages).acquire_owned().await);
        running.spawn(async move {
            work::process(Arc::clone(&app), message).await;
            drop(place);
            app.wake.notify_one();
        });
    }
    for taken in lanes {
        let (app, place) = (Arc::clone(app), Arc::clone(&places.jobs).acquire_owned().await);
        running.spawn(async move {
            if let Err(error) = alive(&app, taken).await {
                // Its lease ends, and it comes again.
                tracing::error!(%error, "jobs could not be begun");
            }
            drop(place);
            app.wake.notify_one();
        });
    }
    Ok(began)
}

/// Keeps others off a lane as long as it is worked on, however long that is.
async fn alive(app: &Arc<App>, taken: Taken) -> store::Result<()> {
    // Apart from the work, which may be in a transaction of its own when this one wants the database; and no longer than it,
    // however it ends.
    let mut heart = JoinSet::new();
    heart.spawn(beat(Arc::clone(app), taken.clone()));
    let mut tx = app.db.read(taken.account).await?;
    let source = sources::get(&mut tx, taken.account, taken.source).await?;
    drop(tx);
    let outcomes = match &source {
        Some(source) => work_on(app, source, &taken.jobs).await,
        None => each(&taken.jobs, || Outcome::Hopeless("its source is gone".to_owned())),
    };
    let over = ending::of_lane(app, source.as_ref(), (taken, outcomes)).await;
    finisher::finish(app, over).await;
    Ok(())
}

async fn beat(app: Arc<App>, taken: Taken) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        if let Err(error) = extend(&app, &taken).await {
            tracing::warn!(%error, "a lane that is worked on could not be kept from others");
        }
    }
}

async fn extend(app: &App, taken: &Taken) -> store::Result<()> {
    let mut tx = app.db.write(taken.account).await?;
    queue::extend(&mut tx, taken, app.now() + LANE_LEASE).await?;
    tx.commit().await
}

fn each(jobs: &[Job], outcome: impl Fn() -> Outcome) -> Vec<Outcome> {
    jobs.iter().map(|_| outcome()).collect()
}

/// Works on jobs of one kind and source; of each how it ended.
async fn work_on(app: &Arc<App>, source: &Source, jobs: &[Job]) -> Vec<Outcome> {
    let Some(first) = jobs.first() else { return Vec::new() };
    let Some(kind) = Kind::named(&first.kind) else {
        return each(jobs, || Outcome::Hopeless(format!("nobody knows jobs of the kind {}", first.kind)));
    };
    let result: Result<Vec<Outcome>, TalkError> = match kind {
        Kind::PushBooking => push::bookings(app, source, jobs).await,
        Kind::PushCalendar => push::calendar(app, source).await.map(|outcome| vec![outcome]),
        other => alike(app, source, (other, jobs)).await.map(|()| each(jobs, || Outcome::Done)),
    };
    result.unwrap_or_else(|error| {
        let error = Arc::new(error);
        each(jobs, || Outcome::Failed(Arc::clone(&error)))
    })
}

/// Jobs that all end alike.
async fn alike(app: &Arc<App>, source: &Source, (kind, jobs): (Kind, &[Job])) -> Result<(), TalkError> {
    let Some(first) = jobs.first() else { return Ok(()) };
    match kind {
        Kind::LookAgain => look_again::run(app, source, jobs.iter().map(|job| &job.payload)).await,
        Kind::Poll => poll::run(app, source, &first.payload).await,
        Kind::Backfill => backfill::run(app, source, first).await,
        Kind::ReadBack => read_back::run(app, source).await,
        Kind::DriveParked => Ok(drive_parked::run(app, source).await?),
        Kind::Horizon => Ok(horizon::run(app, source).await?),
        Kind::PushBooking | Kind::PushCalendar => Ok(()),
    }
}
