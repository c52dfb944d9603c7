//! Turns the outcome of a job into its result: done, retried, snoozed, or dead.

use std::sync::Arc;

use gassync_domain::{BreakerState, Timestamp, retry_delay};
use jiff::SignedDuration;

use super::{completer::Completion, jobs::job_named};
use crate::{
    app::App,
    schedule::{FailureClass, JobOutcome, priority},
    store::{
        queue::{Claim, ClaimedJob, JobResult, Pause, QueueResult},
        sources::Source,
    },
    webhooks::DispatchReport,
};

/// Wait after a rate limit without a delay.
const DEFAULT_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// Upper limit of any wait, whatever the channel says.
const MAX_BUDGET_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// A failed recurring job is retried at its regular interval, but not sooner than this.
const MIN_RECURRING_RETRY: SignedDuration = SignedDuration::from_mins(1);
/// Maximum length of a stored reason, in characters.
const MAX_REASON_CHARS: usize = 2_000;

/// The pause the channel asks for, with the reason.
pub(super) fn pause(outcome: &JobOutcome) -> Option<(SignedDuration, String)> {
    match outcome {
        JobOutcome::RetryAfter(Some(wait), why) => Some((*wait, why.clone())),
        JobOutcome::Failed { why, class } => limited(*class).map(|wait| (wait, why.clone())),
        _ => None,
    }
}

/// The completion of a queue and its jobs.
pub(super) async fn completion_of_jobs(
    app: &Arc<App>,
    source: Option<&Source>,
    (taken, outcomes): (Claim, Vec<JobOutcome>),
) -> Completion {
    let now = app.now();
    let breaker = breaker(app, source, now).await;
    let mut pause: Option<Pause> = None;
    let mut next = Vec::new();
    let mut ended = Vec::with_capacity(taken.jobs.len());
    for (job, outcome) in taken.jobs.iter().zip(outcomes) {
        let registered = job_named(&job.kind);
        let alone = taken.jobs.iter().filter(|other| other.kind == job.kind).count() == 1;
        let mut judged = with_storable_reason(judge(app, job, (&outcome, alone), breaker, now));
        let recurs_at =
            || registered.zip(source).and_then(|(registered, source)| registered.next_time(app, source, job, now));
        if let JobResult::Retry { at, .. } = &mut judged {
            // A failing recurring job must not run less often than a working one.
            *at = recurs_at().map_or(*at, |regular| (*at).min(regular.max(now + MIN_RECURRING_RETRY)));
        }
        if judged != JobResult::Done {
            // The reason stays with the job: a channel may repeat guest data in it.
            tracing::warn!(job = job.id.0, kind = job.kind, source = %job.source, result = judged.as_str(), "job failed");
        }
        let pauses =
            pauses(&outcome, &judged, (breaker, now)).map(|pause| Pause { why: storable_reason(pause.why), ..pause });
        if let Some(new) = pauses {
            pause = Some(pause.filter(|pause| pause.until >= new.until).unwrap_or(new));
        }
        if judged == JobResult::Done {
            let again = registered.and_then(|registered| registered.again(job));
            next.extend(match outcome {
                // Let others run first.
                JobOutcome::Continue => again.map(|again| {
                    let priority = again.priority.max(priority::PRICES);
                    again.with_priority(priority)
                }),
                _ => again.zip(recurs_at()).map(|(again, at)| again.at(at)),
            });
        }
        ended.push(judged);
    }
    Completion {
        release: QueueResult { claim: taken, results: ended, pause },
        next,
        attempts: Vec::new(),
        endpoint_health: None,
        runs: Vec::new(),
    }
}

/// The completion of a subscription's queue.
pub(super) fn completion_of_deliveries(app: &App, taken: Claim, report: DispatchReport) -> Completion {
    let now = app.now();
    let DispatchReport { outcomes, attempts, health, pause, .. } = report;
    let judged = taken.jobs.iter().zip(&outcomes).map(|(job, outcome)| judge(app, job, (outcome, false), None, now));
    let ended = judged.map(with_storable_reason).collect();
    let pause = pause.map(|pause| Pause { why: storable_reason(pause.why), ..pause });
    Completion {
        release: QueueResult { claim: taken, results: ended, pause },
        next: Vec::new(),
        attempts,
        endpoint_health: health,
        runs: Vec::new(),
    }
}

/// With a reason the database accepts: a channel's text may contain anything.
fn with_storable_reason(ended: JobResult) -> JobResult {
    match ended {
        JobResult::Done => JobResult::Done,
        JobResult::Retry { why, at } => JobResult::Retry { why: storable_reason(why), at },
        JobResult::Snoozed { why, at } => JobResult::Snoozed { why: storable_reason(why), at },
        JobResult::Dead { why } => JobResult::Dead { why: storable_reason(why) },
    }
}

/// Cuts the text and replaces NUL, which PostgreSQL cannot store.
fn storable_reason(why: String) -> String {
    let end = why.char_indices().nth(MAX_REASON_CHARS).map_or(why.len(), |(at, _)| at);
    why[..end].replace('\0', "\u{fffd}")
}

/// End of the open circuit breaker's pause.
async fn breaker(app: &App, source: Option<&Source>, now: Timestamp) -> Option<Timestamp> {
    let source = source?;
    let connection = format!("{}/{}", source.account, source.connection?);
    match app.breakers.status(&connection, now).await {
        (BreakerState::Open, until) => until,
        _ => None,
    }
}

fn judge(
    app: &App,
    job: &ClaimedJob,
    (outcome, alone): (&JobOutcome, bool),
    breaker: Option<Timestamp>,
    now: Timestamp,
) -> JobResult {
    let later = |wait: Option<SignedDuration>, why: String| {
        let pause = SignedDuration::from_millis(retry_delay(job.attempts, app.jitter()).0);
        let at = now + pause.max(wait.unwrap_or(pause).min(MAX_BUDGET_WAIT));
        unless_past_deadline(job, at, JobResult::Retry { why, at })
    };
    let snooze = |wait: SignedDuration, why: String| {
        let at = now + wait.min(MAX_BUDGET_WAIT);
        unless_past_deadline(job, at, JobResult::Snoozed { why, at })
    };
    match outcome {
        JobOutcome::Done | JobOutcome::Continue => JobResult::Done,
        JobOutcome::Snooze(wait, why) => snooze(*wait, why.clone()),
        JobOutcome::RetryAfter(wait, why) => later(*wait, why.clone()),
        JobOutcome::RetryAt(wait, why) => {
            unless_past_deadline(job, now + *wait, JobResult::Retry { why: why.clone(), at: now + *wait })
        }
        JobOutcome::Discard(why) => JobResult::Dead { why: why.clone() },
        JobOutcome::Failed { why, class } => {
            let why = why.clone();
            match (limited(*class), breaker) {
                (Some(wait), _) => snooze(wait, why),
                // The failure that opened the breaker does not count either: the channel is down.
                (None, Some(until)) => snooze(until.duration_since(now), why),
                // In a batch it is unknown which job is at fault: each is retried alone.
                _ if *class == FailureClass::Permanent && alone && !is_recurring(job) => JobResult::Dead { why },
                _ => later(None, why),
            }
        }
    }
}

/// Gives a job up whose next attempt is past its deadline.
fn unless_past_deadline(job: &ClaimedJob, at: Timestamp, ended: JobResult) -> JobResult {
    match (job.deadline, ended) {
        (Some(deadline), JobResult::Retry { why, .. } | JobResult::Snoozed { why, .. }) if at > deadline => {
            JobResult::Dead { why: format!("deadline exceeded: {why}") }
        }
        (_, ended) => ended,
    }
}

fn is_recurring(job: &ClaimedJob) -> bool {
    job_named(&job.kind).is_some_and(|registered| registered.is_recurring)
}

/// The wait demanded by a rate limit.
fn limited(class: FailureClass) -> Option<SignedDuration> {
    match class {
        FailureClass::Limited(wait) => Some(wait.unwrap_or(DEFAULT_WAIT)),
        FailureClass::Permanent | FailureClass::Transient => None,
    }
}

/// The pause of the queue, if there is one.
fn pauses(outcome: &JobOutcome, judged: &JobResult, (breaker, now): (Option<Timestamp>, Timestamp)) -> Option<Pause> {
    if let JobOutcome::RetryAfter(Some(wait), why) = outcome {
        return Some(Pause { until: now + (*wait).min(MAX_BUDGET_WAIT), why: why.clone() });
    }
    match (outcome, judged) {
        (JobOutcome::Failed { class, .. }, JobResult::Snoozed { why, at })
            if limited(*class).is_some() || breaker.is_some() =>
        {
            Some(Pause { until: *at, why: why.clone() })
        }
        _ => None,
    }
}
