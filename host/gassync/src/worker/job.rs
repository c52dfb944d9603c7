//! What a job does: the trait of jobs, and the entry of the registry that each becomes.

use std::{future::Future, sync::Arc};

use futures_util::future::BoxFuture;
use gassync_domain::{SourceKey, Timestamp};
use parking_lot::Mutex;
use serde_json::Value;

use crate::{
    app::App,
    channel::ChannelCallError,
    schedule::{JobOutcome, JobSpec},
    store::{
        queue::{BatchPolicy, ClaimedJob, NewJob},
        sources::Source,
        sync_runs::PushRun,
    },
};

/// A job as it runs.
pub(super) trait Job: JobSpec {
    /// The jobs that are claimed together with one of these.
    const BATCH: BatchPolicy = BatchPolicy::NONE;
    /// True if it is scheduled again after every run, failed or not.
    const RECURS: bool = false;

    /// Runs jobs that were claimed together; returns one outcome per job, in order. An error is the outcome of all.
    fn run(
        context: JobContext<'_>,
        jobs: &[RunningJob<'_, Self>],
    ) -> impl Future<Output = Result<Vec<JobOutcome>, ChannelCallError>> + Send;

    /// When a recurring job runs next; `None` if it never does.
    fn next_time(&self, _app: &App, _source: &Source, _now: Timestamp) -> Option<Timestamp> {
        None
    }
}

/// What jobs run with.
#[derive(Clone, Copy)]
pub(super) struct JobContext<'a> {
    /// The host.
    pub app: &'a Arc<App>,
    /// The source.
    pub source: &'a Source,
    /// The pushes that the jobs made, stored with their results.
    pub pushes: &'a Mutex<Vec<PushRun>>,
}

/// A claimed job with its arguments.
pub(super) struct RunningJob<'a, J> {
    /// The arguments.
    pub args: J,
    /// The job.
    pub claimed: &'a ClaimedJob,
}

/// The same outcome for each job.
pub(super) fn each<T>(jobs: &[T], outcome: impl Fn() -> JobOutcome) -> Vec<JobOutcome> {
    jobs.iter().map(|_| outcome()).collect()
}

/// All jobs are done.
pub(super) fn done<T>(jobs: &[T]) -> Result<Vec<JobOutcome>, ChannelCallError> {
    Ok(each(jobs, || JobOutcome::Done))
}

/// The outcome of a job whose plugin call or transaction failed.
pub(super) fn failed(error: &ChannelCallError) -> JobOutcome {
    JobOutcome::Failed { why: error.to_string(), class: error.class() }
}

/// An entry of the registry.
pub struct RegisteredJob {
    /// The job's name in the database.
    pub name: &'static str,
    /// The jobs that are claimed together with it.
    pub batch: BatchPolicy,
    /// True if it is scheduled again after every run.
    pub is_recurring: bool,
    run: for<'a> fn(JobContext<'a>, &'a [ClaimedJob]) -> BoxFuture<'a, Vec<JobOutcome>>,
    again: fn(SourceKey, &Value) -> Option<NewJob>,
    next_time: fn(&App, &Source, &Value, Timestamp) -> Option<Timestamp>,
}

impl RegisteredJob {
    /// The entry of a job.
    pub(super) const fn of<J: Job>() -> Self {
        Self {
            name: J::NAME,
            batch: J::BATCH,
            is_recurring: J::RECURS,
            run: boxed::<J>,
            again: again::<J>,
            next_time: next_time::<J>,
        }
    }

    /// Runs claimed jobs of this name; returns one outcome per job. A job whose payload cannot be read is given up.
    pub(super) async fn run(&self, context: JobContext<'_>, claimed: &[ClaimedJob]) -> Vec<JobOutcome> {
        (self.run)(context, claimed).await
    }

    /// The same job, to be enqueued again.
    pub(super) fn again(&self, claimed: &ClaimedJob) -> Option<NewJob> {
        (self.again)(claimed.key(), &claimed.payload)
    }

    /// When a recurring job runs next.
    pub(super) fn next_time(
        &self,
        app: &App,
        source: &Source,
        claimed: &ClaimedJob,
        now: Timestamp,
    ) -> Option<Timestamp> {
        (self.next_time)(app, source, &claimed.payload, now)
    }
}

fn read<J: Job>(payload: &Value) -> serde_json::Result<J> {
    serde::Deserialize::deserialize(payload)
}

fn boxed<'a, J: Job>(context: JobContext<'a>, claimed: &'a [ClaimedJob]) -> BoxFuture<'a, Vec<JobOutcome>> {
    Box::pin(run_readable::<J>(context, claimed))
}

/// Payloads are written by this program: one that cannot be read is of another version.
async fn run_readable<J: Job>(context: JobContext<'_>, claimed: &[ClaimedJob]) -> Vec<JobOutcome> {
    let (mut jobs, mut unreadable) = (Vec::with_capacity(claimed.len()), Vec::with_capacity(claimed.len()));
    for claimed in claimed {
        match read::<J>(&claimed.payload) {
            Ok(args) => {
                jobs.push(RunningJob { args, claimed });
                unreadable.push(None);
            }
            Err(error) => unreadable.push(Some(format!("its payload cannot be read: {error}"))),
        }
    }
    let outcomes = match jobs.as_slice() {
        [] => Vec::new(),
        jobs => J::run(context, jobs).await.unwrap_or_else(|error| each(jobs, || failed(&error))),
    };
    let mut outcomes = outcomes.into_iter();
    let outcome = |unreadable: Option<String>| match unreadable {
        Some(why) => JobOutcome::Discard(why),
        None => outcomes.next().unwrap_or_else(|| JobOutcome::RetryAfter(None, "it returned no outcome".to_owned())),
    };
    unreadable.into_iter().map(outcome).collect()
}

fn again<J: Job>(source: SourceKey, payload: &Value) -> Option<NewJob> {
    read::<J>(payload).ok().map(|job| job.of(source))
}

fn next_time<J: Job>(app: &App, source: &Source, payload: &Value, now: Timestamp) -> Option<Timestamp> {
    read::<J>(payload).ok()?.next_time(app, source, now)
}
