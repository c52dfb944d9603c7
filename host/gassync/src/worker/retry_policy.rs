//! What is made of how a job ended: done, tried again, put off, or dead.

use std::sync::Arc;

use gassync_domain::{BreakerState, Timestamp, retry_delay};
use jiff::SignedDuration;

use super::{completer::Completion, extend_horizon, poll};
use crate::{
    app::App,
    schedule::{FailureClass, Kind, Outcome},
    store::{
        queue::{Ended, Job, Pause, Put, Release, Taken},
        sources::Source,
    },
    webhooks::Told,
};

/// How long a job waits whose channel has no room for it and does not say for how long.
const DEFAULT_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// The longest that a job waits for its channel, whatever that says.
const MAX_BUDGET_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// A poll that fails is tried again after so long at most, or as often as if it worked.
const POLLED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// Characters of a reason that are kept.
const MAX_REASON_CHARS: usize = 2_000;

/// How long, and why, nothing more is to be said to the channel, where that asks for it.
pub(super) fn pause(outcome: &Outcome) -> Option<(SignedDuration, String)> {
    match outcome {
        Outcome::Again(Some(wait), why) => Some((*wait, why.clone())),
        Outcome::Failed { why, class } => limited(*class).map(|wait| (wait, why.clone())),
        _ => None,
    }
}

/// What is to be written of a queue and its jobs.
pub(super) async fn of_lane(
    app: &Arc<App>,
    source: Option<&Source>,
    (taken, outcomes): (Taken, Vec<Outcome>),
) -> Completion {
    let now = app.now();
    let breaker = breaker(app, source, now).await;
    let mut pause: Option<Pause> = None;
    let mut next = Vec::new();
    let mut ended = Vec::with_capacity(taken.jobs.len());
    for (job, outcome) in taken.jobs.iter().zip(outcomes) {
        let kind = Kind::named(&job.kind);
        let alone = taken.jobs.iter().filter(|other| other.kind == job.kind).count() == 1;
        let mut judged = fit_to_keep(judge(app, job, (&outcome, alone), breaker, now));
        if let (Some(Kind::Poll), Ended::Retry { at, .. }) = (kind, &mut judged) {
            // One that fails is not tried less often than one that works.
            let regular = source.and_then(|source| poll::next_time(app, source, &job.payload, now));
            *at = regular.map_or(*at, |regular| (*at).min(regular.max(now + POLLED_AGAIN_AFTER)));
        }
        if judged != Ended::Done {
            // Why stands with the job: channels repeat what they were sent, and that may be a guest's.
            tracing::warn!(job = job.id, kind = job.kind, source = %job.source, became = judged.as_str(), "a job did not work out");
        }
        let pauses =
            pauses(&outcome, &judged, (breaker, now)).map(|pause| Pause { why: kept_reason(pause.why), ..pause });
        if let Some(new) = pauses {
            pause = Some(pause.filter(|pause| pause.until >= new.until).unwrap_or(new));
        }
        let source_key = (job.account, job.source);
        match (kind, &judged) {
            (Some(kind), Ended::Done) if matches!(outcome, Outcome::More) => {
                let again = kind.put(source_key, job.payload.clone(), (now, now));
                // Others have their turn.
                next.push(Put { priority: again.priority.max(Kind::Poll.priority()), ..again });
            }
            (Some(Kind::Poll), Ended::Done) => {
                let at = source.and_then(|source| poll::next_time(app, source, &job.payload, now));
                next.extend(at.map(|at| Kind::Poll.put(source_key, job.payload.clone(), (at, now))));
            }
            (Some(Kind::Horizon), Ended::Done) => {
                next.extend(
                    extend_horizon::next_time(now)
                        .map(|at| Kind::Horizon.put(source_key, job.payload.clone(), (at, now))),
                );
            }
            _ => {}
        }
        ended.push(judged);
    }
    Completion {
        release: Release { taken, ended, pause },
        next,
        attempts: Vec::new(),
        endpoint_health: None,
        runs: Vec::new(),
    }
}

/// What is to be written of a subscriber's queue.
pub(super) fn of_deliveries(app: &App, taken: Taken, told: Told) -> Completion {
    let now = app.now();
    let Told { outcomes, attempts, health, pause, .. } = told;
    let judged = taken.jobs.iter().zip(&outcomes).map(|(job, outcome)| judge(app, job, (outcome, false), None, now));
    let ended = judged.map(fit_to_keep).collect();
    let pause = pause.map(|pause| Pause { why: kept_reason(pause.why), ..pause });
    Completion {
        release: Release { taken, ended, pause },
        next: Vec::new(),
        attempts,
        endpoint_health: health,
        runs: Vec::new(),
    }
}

/// Its reason as the database takes it: a channel's words may hold anything.
fn fit_to_keep(ended: Ended) -> Ended {
    match ended {
        Ended::Done => Ended::Done,
        Ended::Retry { why, at } => Ended::Retry { why: kept_reason(why), at },
        Ended::Postponed { why, at } => Ended::Postponed { why: kept_reason(why), at },
        Ended::Dead { why } => Ended::Dead { why: kept_reason(why) },
    }
}

/// PostgreSQL keeps no NUL in a text.
fn kept_reason(why: String) -> String {
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
    (outcome, alone): (&Outcome, bool),
    breaker: Option<Timestamp>,
    now: Timestamp,
) -> Ended {
    let later = |wait: Option<SignedDuration>, why: String| {
        let pause = SignedDuration::from_millis(retry_delay(job.attempts, app.jitter()).0);
        let at = now + pause.max(wait.unwrap_or(pause).min(MAX_BUDGET_WAIT));
        by_its_deadline(job, at, Ended::Retry { why, at })
    };
    let put_off = |wait: SignedDuration, why: String| {
        let at = now + wait.min(MAX_BUDGET_WAIT);
        by_its_deadline(job, at, Ended::Postponed { why, at })
    };
    match outcome {
        Outcome::Done | Outcome::More => Ended::Done,
        Outcome::NotYet(wait, why) => put_off(*wait, why.clone()),
        Outcome::Again(wait, why) => later(*wait, why.clone()),
        Outcome::At(wait, why) => by_its_deadline(job, now + *wait, Ended::Retry { why: why.clone(), at: now + *wait }),
        Outcome::Hopeless(why) => Ended::Dead { why: why.clone() },
        Outcome::Failed { why, class } => {
            let why = why.clone();
            match (limited(*class), breaker) {
                (Some(wait), _) => put_off(wait, why),
                // The failure that opened it is one of those that did not count either: it is the channel that is down.
                (None, Some(until)) => put_off(until.duration_since(now), why),
                // Of several that were tried together nobody knows which is at fault: each is tried alone.
                _ if *class == FailureClass::Permanent && alone && !comes_again(job) => Ended::Dead { why },
                _ => later(None, why),
            }
        }
    }
}

/// What has no end is not given up.
fn by_its_deadline(job: &Job, at: Timestamp, ended: Ended) -> Ended {
    match (job.deadline, ended) {
        (Some(deadline), Ended::Retry { why, .. } | Ended::Postponed { why, .. }) if at > deadline => {
            Ended::Dead { why: format!("its time is over: {why}") }
        }
        (_, ended) => ended,
    }
}

fn comes_again(job: &Job) -> bool {
    Kind::named(&job.kind).is_some_and(Kind::comes_again)
}

/// How long the channel, or what it allows, wants us to wait.
fn limited(class: FailureClass) -> Option<SignedDuration> {
    match class {
        FailureClass::Limited(wait) => Some(wait.unwrap_or(DEFAULT_WAIT)),
        FailureClass::Permanent | FailureClass::Transient => None,
    }
}

/// Whether nothing else of the queue is begun for a while either.
fn pauses(outcome: &Outcome, judged: &Ended, (breaker, now): (Option<Timestamp>, Timestamp)) -> Option<Pause> {
    if let Outcome::Again(Some(wait), why) = outcome {
        return Some(Pause { until: now + (*wait).min(MAX_BUDGET_WAIT), why: why.clone() });
    }
    match (outcome, judged) {
        (Outcome::Failed { class, .. }, Ended::Postponed { why, at })
            if limited(*class).is_some() || breaker.is_some() =>
        {
            Some(Pause { until: *at, why: why.clone() })
        }
        _ => None,
    }
}
