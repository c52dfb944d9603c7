//! Delivers the waiting messages of one subscription.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use gassync_domain::{Timestamp, WebhookId, delivery_delay};
use gassync_runtime::{HttpTransport, OutgoingRequest, Transport as _};
use jiff::SignedDuration;
use tracing::Instrument as _;
use url::Url;

use super::{
    circuit_trip::CircuitTrip,
    headers,
    message::{self, MessageContext, OutgoingMessage},
    response::{self, DeliveryOutcome, GONE},
    signing::SigningSecret,
    subscription::{self, DisableReason},
};
use crate::{
    app::App,
    panics,
    schedule::{Deliver, JobOutcome},
    store::{
        self,
        outbox::{self, FeedEntry},
        queue::{Claim, ClaimedJob, Pause},
        webhooks::{self, EndpointHealth, NewAttempt, Webhook, WebhookPayload},
    },
    telemetry::span,
};

/// Concurrent requests to one subscriber.
const CONCURRENCY: usize = 16;
/// First pause of a failing endpoint; doubles with each failure.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// Longest pause without `Retry-After`.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// Longest `Retry-After` that is honoured.
const LONGEST_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// How long deferrals (429, 502, 504) are not counted as attempts.
const MAX_DEFERRAL: SignedDuration = SignedDuration::from_hours(24);
/// A subscription without a successful delivery for this long is disabled.
const DISABLE_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);

/// The result of one dispatch to a subscriber.
pub(crate) struct DispatchReport {
    /// One outcome per job, in order.
    pub outcomes: Vec<JobOutcome>,
    /// Attempts to store.
    pub attempts: Vec<NewAttempt>,
    /// Endpoint health; None if nothing was attempted.
    pub health: Option<EndpointHealth>,
    /// Pause of the endpoint's queue.
    pub pause: Option<Pause>,
    /// Disable the subscription.
    pub disable: Option<DisableReason>,
}

/// A subscriber with everything that a dispatch needs.
struct Subscriber {
    webhook: Webhook,
    url: Url,
    secrets: Vec<SigningSecret>,
    headers: Vec<(String, String)>,
    /// Header values to redact from response excerpts.
    hidden: Vec<String>,
    transport: HttpTransport,
}

/// A prepared job.
enum Prepared {
    /// Send this message.
    Message(OutgoingMessage),
    /// Nothing to send.
    Ended(JobOutcome),
}

/// Index of a job and the result of its attempt; None if it was not attempted.
type IndexedAttempt = (usize, Option<AttemptResult>);

/// The result of one attempt.
struct AttemptResult {
    attempt: NewAttempt,
    outcome: DeliveryOutcome,
}

/// Dispatches the claimed queue of a subscription. A panic fails only the message that caused it: after a panic,
/// messages are sent one by one. Messages delivered before the panic are sent twice, with the same id.
pub(crate) async fn dispatch(app: &Arc<App>, number: WebhookId, taken: &Claim) -> store::Result<DispatchReport> {
    if let Ok(report) = panics::caught("delivery", dispatch_batch(app, number, taken)).await {
        return report;
    }
    let mut all = DispatchReport::skipped(Vec::new());
    for job in &taken.jobs {
        let one = match &all.pause {
            Some(pause) => DispatchReport::skipped(vec![JobOutcome::Snooze(
                pause.until.duration_since(app.now()),
                pause.why.clone(),
            )]),
            None => dispatch_single(app, number, taken.clone(), job).await,
        };
        all.merge(one);
    }
    Ok(all)
}

/// Delivers one message.
async fn dispatch_single(app: &Arc<App>, number: WebhookId, mut taken: Claim, job: &ClaimedJob) -> DispatchReport {
    taken.jobs = vec![job.clone()];
    match panics::caught("delivery", dispatch_batch(app, number, &taken)).await {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => DispatchReport::skipped(vec![JobOutcome::RetryAfter(None, format!("the database: {error}"))]),
        Err(reason) => {
            let most = max_attempts(app, &taken, number).await.unwrap_or(i64::MAX);
            DispatchReport::skipped(vec![retry(app, job, most, &reason)])
        }
    }
}

async fn max_attempts(app: &App, taken: &Claim, number: WebhookId) -> store::Result<i64> {
    let mut tx = app.db.read(taken.account).await?;
    let webhook = webhooks::get(&mut tx, taken.account, number).await?;
    Ok(webhook.map_or(i64::MAX, |webhook| webhook.spec.max_attempts))
}

/// Dispatches the claimed queue as a batch.
async fn dispatch_batch(app: &Arc<App>, number: WebhookId, taken: &Claim) -> store::Result<DispatchReport> {
    let jobs = &taken.jobs;
    let ended = |why: &str| DispatchReport::skipped(jobs.iter().map(|_| JobOutcome::Discard(why.to_owned())).collect());
    let mut tx = app.db.read(taken.account).await?;
    let Some(webhook) = webhooks::get(&mut tx, taken.account, number).await? else {
        return Ok(ended("the subscription was deleted"));
    };
    if !webhook.is_active {
        return Ok(ended("the subscription is disabled"));
    }
    let subscriber = match Subscriber::open(app, &mut tx, webhook).await? {
        Ok(subscriber) => subscriber,
        Err(why) => {
            tracing::error!(webhook = number.0, why, "webhook subscription cannot be loaded");
            return Ok(DispatchReport::deferred(app, jobs, why));
        }
    };
    let (facts, work) = subscriber.messages(app, &mut tx, jobs).await?;
    drop(tx);
    let (outcomes, sent, trip) = subscriber.send_all(app, jobs, (&facts, work)).await;
    // Failures only count if the subscription has not changed meanwhile. Attempts are stored even if this check fails.
    let all_delivered = sent.iter().all(|(_, sent)| sent.as_ref().is_some_and(AttemptResult::is_delivered));
    let is_same = all_delivered || is_unchanged(app, &subscriber.webhook).await.unwrap_or(true);
    Ok(subscriber.report(app, jobs, (outcomes, sent), (trip, is_same)))
}

/// True if the subscription is unchanged since it was read.
async fn is_unchanged(app: &App, webhook: &Webhook) -> store::Result<bool> {
    let mut tx = app.db.read(webhook.account).await?;
    let now_is = webhooks::get(&mut tx, webhook.account, webhook.id).await?;
    Ok(now_is.is_some_and(|now_is| now_is.revision == webhook.revision))
}

impl DispatchReport {
    fn skipped(outcomes: Vec<JobOutcome>) -> Self {
        Self { outcomes, attempts: Vec::new(), health: None, pause: None, disable: None }
    }

    /// Adds the result of another message.
    fn merge(&mut self, other: Self) {
        self.outcomes.extend(other.outcomes);
        self.attempts.extend(other.attempts);
        let had_arrived = self.health.as_ref().is_some_and(|health| health.any_delivered);
        let health = other.health.map(|new| EndpointHealth { any_delivered: new.any_delivered || had_arrived, ..new });
        self.health = health.or(self.health.take());
        self.pause = other.pause.or(self.pause.take());
        self.disable = other.disable.or(self.disable.take());
    }

    /// Defers all jobs: another host may have the key.
    fn deferred(app: &App, jobs: &[ClaimedJob], why: &str) -> Self {
        let outcomes = jobs.iter().map(|_| JobOutcome::Snooze(LONGEST_PAUSE, why.to_owned())).collect();
        let pause = Pause { until: app.now() + LONGEST_PAUSE, why: why.to_owned() };
        Self { pause: Some(pause), ..Self::skipped(outcomes) }
    }
}

impl AttemptResult {
    fn is_delivered(&self) -> bool {
        self.outcome == DeliveryOutcome::Delivered
    }
}

impl Subscriber {
    async fn open(app: &App, tx: &mut store::Tx, webhook: Webhook) -> store::Result<Result<Self, &'static str>> {
        let Ok(url) = Url::parse(&webhook.spec.url) else { return Ok(Err("its URL is malformed")) };
        let mut secrets = Vec::new();
        for sealed in webhooks::secrets(tx, webhook.account, webhook.id, app.now()).await? {
            match subscription::decrypt_secret(app, &webhook, &sealed) {
                Some(secret) => secrets.push(secret),
                None => return Ok(Err("its secret cannot be decrypted with this host's key")),
            }
        }
        let Some(headers) = headers::decrypt(app, &webhook) else {
            return Ok(Err("its headers cannot be decrypted with this host's key"));
        };
        let Ok(transport) = app.subscribers.of(webhook.account, &url) else {
            return Ok(Err("this host cannot connect to it"));
        };
        let within = Duration::from_secs(webhook.spec.timeout_seconds.unsigned_abs());
        let (hidden, transport) = (headers::secret_values(&headers), transport.with_response_timeout(within));
        Ok(Ok(Self { webhook, url, secrets, headers, hidden, transport }))
    }

    /// The feed entries of the jobs, and their messages.
    async fn messages(
        &self,
        app: &App,
        tx: &mut store::Tx,
        jobs: &[ClaimedJob],
    ) -> store::Result<(HashMap<i64, FeedEntry>, Vec<Prepared>)> {
        let webhook = &self.webhook;
        let places: Vec<i64> = jobs.iter().filter_map(|job| job.sequence).collect();
        let mut batch = MessageContext::load(tx, webhook.account, app.public_url()).await?;
        let facts = outbox::entries_at(tx, webhook.key(), &places).await?;
        let facts: HashMap<i64, FeedEntry> = facts.into_iter().map(|fact| (fact.sequence, fact)).collect();
        let blocked = if webhook.spec.ordered { self.earlier_pending(tx, jobs).await? } else { HashMap::new() };
        let now = app.now();
        let mut work = Vec::with_capacity(jobs.len());
        for job in jobs {
            let Some(sequence) = job.sequence else {
                work.push(match Deliver::test_id_in(&job.payload) {
                    Some(id) => Prepared::Message(message::test(webhook, &id, job.created_at, &app.public_url())),
                    None => Prepared::Ended(JobOutcome::Discard("its payload names no message".to_owned())),
                });
                continue;
            };
            let Some(fact) = facts.get(&sequence) else {
                work.push(Prepared::Ended(JobOutcome::Discard("its event has expired".to_owned())));
                continue;
            };
            if let Some((first, at)) = blocked.get(&entity(fact)).filter(|(first, _)| *first < sequence) {
                let why = format!("event {first} of the same entity has not been delivered");
                let wait = at.duration_since(now).max(SignedDuration::from_secs(1));
                work.push(Prepared::Ended(JobOutcome::Snooze(wait, why)));
                continue;
            }
            work.push(Prepared::Message(message::for_entry(tx, webhook, fact, &mut batch).await?));
        }
        Ok((facts, work))
    }

    /// For each entity the first waiting message outside this batch.
    async fn earlier_pending(
        &self,
        tx: &mut store::Tx,
        jobs: &[ClaimedJob],
    ) -> store::Result<HashMap<(String, i64), (i64, Timestamp)>> {
        let last = jobs.iter().filter_map(|job| job.sequence).max().unwrap_or_default();
        let claim = jobs.first().map_or(0, |job| job.claim);
        let waiting = webhooks::earlier_pending(tx, self.webhook.account, self.webhook.id, (last, claim)).await?;
        Ok(waiting.into_iter().map(|(kind, id, first, at)| ((kind, id), (first, at.into()))).collect())
    }

    /// Sends the messages; returns the outcomes of skipped jobs, the attempts, and whether the circuit tripped.
    async fn send_all(
        &self,
        app: &App,
        jobs: &[ClaimedJob],
        (facts, work): (&HashMap<i64, FeedEntry>, Vec<Prepared>),
    ) -> (Vec<Option<JobOutcome>>, Vec<IndexedAttempt>, CircuitTrip) {
        let mut outcomes: Vec<Option<JobOutcome>> = Vec::with_capacity(jobs.len());
        // Ordered subscriptions send sequentially per entity; everything else is concurrent.
        let mut queues: BTreeMap<(String, i64), Vec<(usize, OutgoingMessage)>> = BTreeMap::new();
        for (index, (job, work)) in jobs.iter().zip(work).enumerate() {
            match work {
                Prepared::Ended(outcome) => outcomes.push(Some(outcome)),
                Prepared::Message(message) => {
                    outcomes.push(None);
                    let fact = job.sequence.and_then(|sequence| facts.get(&sequence));
                    let place = match fact.filter(|_| self.webhook.spec.ordered) {
                        Some(fact) => entity(fact),
                        None => (String::new(), job.id.0),
                    };
                    queues.entry(place).or_default().push((index, message));
                }
            }
        }
        let mut queues: Vec<Vec<(usize, OutgoingMessage)>> = queues.into_values().collect();
        for queue in &mut queues {
            queue.sort_by_key(|(index, _)| jobs[*index].sequence);
        }
        let trip = CircuitTrip::default();
        let mut sent: Vec<IndexedAttempt> = Vec::new();
        // A failing endpoint is probed with one random message, since a fixed one may be rejected for ever.
        if self.webhook.failures > 0 && !queues.is_empty() {
            let any = (app.jitter() * queues.len() as f64) as usize;
            let first = queues.swap_remove(any.min(queues.len() - 1));
            sent.extend(self.dispatch_in_order(app, jobs, first, &trip).await);
        }
        let queues = queues.into_iter();
        let side_by_side = stream::iter(queues.map(|queue| self.dispatch_in_order(app, jobs, queue, &trip)));
        sent.extend(side_by_side.buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await.into_iter().flatten());
        (outcomes, sent, trip)
    }

    /// Sends messages in order until one fails.
    async fn dispatch_in_order(
        &self,
        app: &App,
        jobs: &[ClaimedJob],
        queue: Vec<(usize, OutgoingMessage)>,
        trip: &CircuitTrip,
    ) -> Vec<IndexedAttempt> {
        let mut sent = Vec::with_capacity(queue.len());
        let mut goes_on = true;
        for (index, message) in queue {
            // On shutdown, remaining messages are left to the next host.
            if !goes_on || trip.is_tripped() || app.stopping.is_cancelled() {
                sent.push((index, None));
                continue;
            }
            let one = self.send(app, &jobs[index], message).await;
            goes_on = one.is_delivered();
            trip.record(&one.outcome);
            sent.push((index, Some(one)));
        }
        sent
    }

    async fn send(&self, app: &App, job: &ClaimedJob, message: OutgoingMessage) -> AttemptResult {
        let span = span::delivery((job.account, self.webhook.id), job.id, i64::from(job.attempts));
        let result = self.attempt(app, job, message).instrument(span.clone()).await;
        span.in_scope(|| {
            span::delivery_ended(result.outcome.word(), result.attempt.status, result.attempt.duration_ms)
        });
        result
    }

    async fn attempt(
        &self,
        app: &App,
        job: &ClaimedJob,
        OutgoingMessage { id, body }: OutgoingMessage,
    ) -> AttemptResult {
        let began = app.now();
        let second = began.as_second();
        let signatures: Vec<String> = self.secrets.iter().map(|secret| secret.sign(&id, second, &body)).collect();
        let mut headers = self.headers.clone();
        headers.extend([
            ("content-type".to_owned(), message::media_type(&self.webhook).to_owned()),
            ("user-agent".to_owned(), concat!("GasSync/", env!("CARGO_PKG_VERSION")).to_owned()),
            ("webhook-id".to_owned(), id),
            ("webhook-timestamp".to_owned(), second.to_string()),
            ("webhook-signature".to_owned(), signatures.join(" ")),
        ]);
        let request = OutgoingRequest {
            method: "POST".to_owned(),
            url: self.url.clone(),
            shown: String::new(),
            headers,
            body: Some(body),
            may_be_private: false,
        };
        let answer = self.transport.send(request).await;
        let now = app.now();
        let mut attempt = NewAttempt {
            account: job.account,
            job: job.id,
            attempt: i64::from(job.attempts),
            at: began,
            duration_ms: i64::try_from(now.duration_since(began).as_millis()).unwrap_or(i64::MAX),
            status: None,
            error_kind: None,
            answer: None,
        };
        let outcome = match answer {
            Ok(answer) => {
                attempt.status = Some(i64::from(answer.status));
                // Responses to `full` messages are not stored: they may repeat records.
                if self.webhook.spec.payload != WebhookPayload::Full {
                    let words = response::excerpt(&answer.body, &self.hidden);
                    attempt.answer = Some(words).filter(|text| !text.is_empty());
                }
                let retry_after = answer.headers.iter().find(|(name, _)| name == "retry-after");
                response::classify(answer.status, retry_after.map(|(_, value)| value.as_str()), now)
            }
            Err(error) => {
                attempt.error_kind = Some(response::error_kind(&error));
                DeliveryOutcome::Unreachable(error.to_string())
            }
        };
        AttemptResult { attempt, outcome }
    }

    fn report(
        &self,
        app: &App,
        jobs: &[ClaimedJob],
        (outcomes, sent): (Vec<Option<JobOutcome>>, Vec<IndexedAttempt>),
        (trip, is_same): (CircuitTrip, bool),
    ) -> DispatchReport {
        let (now, webhook) = (app.now(), &self.webhook);
        let mut tried = sent.iter().filter_map(|(_, sent)| sent.as_ref()).peekable();
        let any_attempted = tried.peek().is_some();
        let any_delivered = tried.any(AttemptResult::is_delivered);
        let tripped = trip.into_inner();
        let pause = tripped.as_ref().map(|trip| match trip.wait {
            Some(asked) => asked.clamp(SignedDuration::from_secs(1), LONGEST_RETRY_AFTER),
            None => pause(webhook.failures),
        });
        let pause = pause.filter(|_| is_same);
        let why = match &tripped {
            Some(trip) => &trip.why,
            None if app.stopping.is_cancelled() => "the host is shutting down",
            None => "an earlier event of the same entity has not been delivered",
        };
        let mut report =
            DispatchReport::skipped(outcomes.into_iter().map(|outcome| outcome.unwrap_or(JobOutcome::Done)).collect());
        for (index, sent) in sent {
            let (job, soon) = (&jobs[index], pause.unwrap_or(SignedDuration::from_secs(1)));
            let outcome = match sent.as_ref().map(|sent| &sent.outcome) {
                Some(DeliveryOutcome::Delivered) => JobOutcome::Done,
                Some(DeliveryOutcome::Failed(why) | DeliveryOutcome::Unreachable(why)) => self.retry(app, job, why),
                Some(DeliveryOutcome::Deferred(asked, why)) => self.defer(app, job, (*asked, soon), why),
                // The previous URL answered 410, not the current one.
                Some(DeliveryOutcome::Gone) if !is_same => JobOutcome::Snooze(soon, GONE.to_owned()),
                Some(DeliveryOutcome::Gone) => JobOutcome::Discard(GONE.to_owned()),
                // Not attempted.
                None => JobOutcome::Snooze(soon, why.to_owned()),
            };
            if let Some(place) = report.outcomes.get_mut(index) {
                *place = outcome;
            }
            report.attempts.extend(sent.map(|sent| sent.attempt));
        }
        if !any_attempted {
            return report;
        }
        let Webhook { account, id, revision, .. } = *webhook;
        report.health = Some(EndpointHealth { account, webhook: id, revision, any_delivered });
        report.pause = pause.map(|pause| Pause { until: now + pause, why: why.to_owned() });
        let since = webhook.failing_since.filter(|_| !any_delivered);
        let why = if tripped.is_some_and(|trip| trip.is_gone) {
            Some(GONE.to_owned())
        } else if since.is_some_and(|since| now.duration_since(since) > DISABLE_AFTER) {
            Some(format!("no delivery has succeeded for {} days", DISABLE_AFTER.as_hours() / 24))
        } else {
            None
        };
        report.disable = why.map(|why| DisableReason { revision, why });
        report
    }

    /// Retries when the pause ends, not counted as an attempt: for a day, since the endpoint may always defer this
    /// message. Without `Retry-After`, older messages wait longer and let others go first.
    fn defer(
        &self,
        app: &App,
        job: &ClaimedJob,
        (asked, pause): (Option<SignedDuration>, SignedDuration),
        why: &str,
    ) -> JobOutcome {
        let age = app.now().duration_since(job.created_at);
        if age > MAX_DEFERRAL {
            return self.retry(app, job, why);
        }
        let wait = if asked.is_some() { pause } else { pause.max(age.min(LONGEST_PAUSE)) };
        JobOutcome::Snooze(wait, why.to_owned())
    }

    /// Retries by the schedule, up to the subscription's maximum.
    fn retry(&self, app: &App, job: &ClaimedJob, why: &str) -> JobOutcome {
        retry(app, job, self.webhook.spec.max_attempts, why)
    }
}

/// Retries by the schedule, up to `most` attempts.
fn retry(app: &App, job: &ClaimedJob, most: i64, why: &str) -> JobOutcome {
    let is_last = i64::from(job.attempts) >= most;
    match delivery_delay(job.attempts, app.jitter()).filter(|_| !is_last) {
        Some(delay) => JobOutcome::RetryAt(SignedDuration::from_millis(delay.0), why.to_owned()),
        None => JobOutcome::Discard(format!("tried {} times: {why}", job.attempts)),
    }
}

fn entity(fact: &FeedEntry) -> (String, i64) {
    (fact.fact.entity_type.clone(), fact.fact.entity_id)
}

/// The pause after this many consecutive failures.
fn pause(failures: i64) -> SignedDuration {
    let doubled = u32::try_from(failures.clamp(0, 6)).unwrap_or_default();
    (FIRST_PAUSE * 2_i32.pow(doubled)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let seconds: Vec<i64> = [0, 1, 2, 5, 6, 99].map(|failures| pause(failures).as_secs()).to_vec();
        assert_eq!(seconds, [5, 10, 20, 160, 300, 300]);
    }
}
