//! What is made of how a job ended: done, tried again, put off, or dead.

use std::sync::Arc;

use gassync_domain::{BreakerState, Timestamp, retry_delay};
use jiff::SignedDuration;

use super::{completer::Completion, extend_horizon, poll};
use crate::{
    app::App,
    schedule::{FailureClass, JobKind, JobOutcome},
    store::{
        queue::{Claim, Job, JobResult, NewJob, Pause, QueueResult},
        sources::Source,
    },
    webhooks::DispatchReport,
};

/// How long a job waits whose channel has no room for it and does not say for how long.
const DEFAULT_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// The longest that a job waits for its channel, whatever that says.
const MAX_BUDGET_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// A poll that fails is tried again after so long at most, or as often as if it worked.
const MIN_POLL_RETRY: SignedDuration = SignedDuration::from_mins(1);
/// Characters of a reason that are kept.
const MAX_REASON_CHARS: usize = 2_000;

/// How long, and why, nothing more is to be said to the channel, where that asks for it.
pub(super) fn pause(outcome: &JobOutcome) -> Option<(SignedDuration, String)> {
    match outcome {
        JobOutcome::RetryAfter(Some(wait), why) => Some((*wait, why.clone())),
        JobOutcome::Failed { why, class } => limited(*class).map(|wait| (wait, why.clone())),
        _ => None,
    }
}

/// What is to be written of a queue and its jobs.
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
        let kind = JobKind::named(&job.kind);
        let alone = taken.jobs.iter().filter(|other| other.kind == job.kind).count() == 1;
        let mut judged = with_storable_reason(judge(app, job, (&outcome, alone), breaker, now));
        if let (Some(JobKind::Poll), JobResult::Retry { at, .. }) = (kind, &mut judged) {
            // One that fails is not tried less often than one that works.
            let regular = source.and_then(|source| poll::next_time(app, source, &job.payload, now));
            *at = regular.map_or(*at, |regular| (*at).min(regular.max(now + MIN_POLL_RETRY)));
        }
        if judged != JobResult::Done {
            // Why stands with the job: channels repeat what they were sent, and that may be a guest's.
            tracing::warn!(job = job.id, kind = job.kind, source = %job.source, became = judged.as_str(), "a job did not work out");
        }
        let pauses =
            pauses(&outcome, &judged, (breaker, now)).map(|pause| Pause { why: storable_reason(pause.why), ..pause });
        if let Some(new) = pauses {
            pause = Some(pause.filter(|pause| pause.until >= new.until).unwrap_or(new));
        }
        let source_key = (job.account, job.source);
        match (kind, &judged) {
            (Some(kind), JobResult::Done) if matches!(outcome, JobOutcome::Continue) => {
                let again = kind.job(source_key, job.payload.clone(), (now, now));
                // Others have their turn.
                next.push(NewJob { priority: again.priority.max(JobKind::Poll.priority()), ..again });
            }
            (Some(JobKind::Poll), JobResult::Done) => {
                let at = source.and_then(|source| poll::next_time(app, source, &job.payload, now));
                next.extend(at.map(|at| JobKind::Poll.job(source_key, job.payload.clone(), (at, now))));
            }
            (Some(JobKind::ExtendHorizon), JobResult::Done) => {
                next.extend(
                    extend_horizon::next_time(now)
                        .map(|at| JobKind::ExtendHorizon.job(source_key, job.payload.clone(), (at, now))),
                );
            }
            _ => {}
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

/// What is to be written of a subscriber's queue.
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

/// Its reason as the database takes it: a channel's words may hold anything.
fn with_storable_reason(ended: JobResult) -> JobResult {
    match ended {
        JobResult::Done => JobResult::Done,
        JobResult::Retry { why, at } => JobResult::Retry { why: storable_reason(why), at },
        JobResult::Snoozed { why, at } => JobResult::Snoozed { why: storable_reason(why), at },
        JobResult::Dead { why } => JobResult::Dead { why: storable_reason(why) },
    }
}

/// PostgreSQL keeps no NUL in a text.
fn storable_reason(why: String) -> String {
    let end = why.char_indices().nth(MAX_REASON_CHARS).map_or(why.len(), |(at, _)| at);
    why[..end].replace('\0', "\u{fffd}")
}

/// Until when the source's channel is left alone because it is down.
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
    job: &Job,
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
                // The failure that opened it is one of those that did not count either: it is the channel that is down.
                (None, Some(until)) => snooze(until.duration_since(now), why),
                // Of several that were tried together nobody knows which is at fault: each is tried alone.
                _ if *class == FailureClass::Permanent && alone && !is_recurring(job) => JobResult::Dead { why },
                _ => later(None, why),
            }
        }
    }
}

/// What has no end is not given up.
fn unless_past_deadline(job: &Job, at: Timestamp, ended: JobResult) -> JobResult {
    match (job.deadline, ended) {
        (Some(deadline), JobResult::Retry { why, .. } | JobResult::Snoozed { why, .. }) if at > deadline => {
            JobResult::Dead { why: format!("its time is over: {why}") }
        }
        (_, ended) => ended,
    }
}

fn is_recurring(job: &Job) -> bool {
    JobKind::named(&job.kind).is_some_and(JobKind::is_recurring)
}

/// How long the channel, or what it allows, wants us to wait.
fn limited(class: FailureClass) -> Option<SignedDuration> {
    match class {
        FailureClass::Limited(wait) => Some(wait.unwrap_or(DEFAULT_WAIT)),
        FailureClass::Permanent | FailureClass::Transient => None,
    }
}

/// Whether nothing else of the queue is begun for a while either.
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
