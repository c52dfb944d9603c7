//! Tells a subscriber what waits for it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use gassync_domain::{Timestamp, delivery_delay};
use gassync_runtime::{HttpTransport, OutgoingRequest, Transport as _};
use jiff::SignedDuration;
use serde_json::Value;
use url::Url;

use super::{
    answer::{self, GONE, Verdict},
    headers,
    message::{self, Batch, FULL, Message},
    signing::Secret,
    subscription::{self, GivenUp},
};
use crate::{
    app::App,
    panics,
    schedule::JobOutcome,
    store::{
        self,
        outbox::{self, FeedEntry as Fact},
        queue::{Claim, Job, Pause},
        webhooks::{self, Attempt, EndpointHealth, Webhook},
    },
};

/// Messages to one subscriber that are on their way at once.
const AT_ONCE: usize = 16;
/// The first wait of a subscriber that is in trouble; it doubles with each further failure.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest wait that we choose.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// The longest wait that a subscriber can ask for.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(1);
/// So long a message may be asked to come later without that counting as a time that it was tried.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// So long nothing has arrived when a subscriber is told no more.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);

/// What came of telling a subscriber.
pub(crate) struct Told {
    /// Of each job, in their order.
    pub outcomes: Vec<JobOutcome>,
    /// To be written with them.
    pub attempts: Vec<Attempt>,
    /// How the subscriber takes it; none where it was told nothing.
    pub health: Option<EndpointHealth>,
    /// It wants to be left alone.
    pub pause: Option<Pause>,
    /// It is to be told nothing more.
    pub disable: Option<GivenUp>,
}

/// What is known of a subscriber while it is told.
struct Subscriber {
    webhook: Webhook,
    url: Url,
    secrets: Vec<Secret>,
    headers: Vec<(String, String)>,
    /// What of its headers no answer that is kept may repeat.
    hidden: Vec<String>,
    transport: HttpTransport,
}

/// What is to be told for a job.
enum Work {
    /// This.
    Message(Message),
    /// Nothing, and why.
    Ended(JobOutcome),
}

/// Which of the jobs, and how sending its message ended; none where that was not tried.
type Tried = (usize, Option<Sent>);

/// How sending ended.
struct Sent {
    attempt: Attempt,
    verdict: Verdict,
}

/// Tells the subscriber whose queue was taken. A panic is a failed delivery, of that message alone: after one, messages are
/// sent one by one. What had arrived before is sent twice then, with the same id.
pub(crate) async fn tell_safely(app: &Arc<App>, number: i64, taken: &Claim) -> store::Result<Told> {
    if let Ok(told) = panics::caught("delivery", tell(app, number, taken)).await {
        return told;
    }
    let mut all = Told::nothing(Vec::new());
    for job in &taken.jobs {
        let one = match &all.pause {
            Some(pause) => {
                Told::nothing(vec![JobOutcome::Snooze(pause.until.duration_since(app.now()), pause.why.clone())])
            }
            None => tell_one(app, number, taken.clone(), job).await,
        };
        all.add(one);
    }
    Ok(all)
}

/// Tells a subscriber one thing.
async fn tell_one(app: &Arc<App>, number: i64, mut taken: Claim, job: &Job) -> Told {
    taken.jobs = vec![job.clone()];
    match panics::caught("delivery", tell(app, number, &taken)).await {
        Ok(Ok(told)) => told,
        Ok(Err(error)) => Told::nothing(vec![JobOutcome::RetryAfter(None, format!("the database: {error}"))]),
        Err(reason) => {
            let most = most_attempts(app, &taken, number).await.unwrap_or(i64::MAX);
            Told::nothing(vec![again(app, job, most, &reason)])
        }
    }
}

async fn most_attempts(app: &App, taken: &Claim, number: i64) -> store::Result<i64> {
    let mut tx = app.db.read(taken.account).await?;
    let webhook = webhooks::get(&mut tx, taken.account, number).await?;
    Ok(webhook.map_or(i64::MAX, |webhook| webhook.wanted.max_attempts))
}

/// Tells the subscriber whose queue was taken.
async fn tell(app: &Arc<App>, number: i64, taken: &Claim) -> store::Result<Told> {
    let jobs = &taken.jobs;
    let ended = |why: &str| Told::nothing(jobs.iter().map(|_| JobOutcome::Discard(why.to_owned())).collect());
    let mut tx = app.db.read(taken.account).await?;
    let Some(webhook) = webhooks::get(&mut tx, taken.account, number).await? else {
        return Ok(ended("the subscription is gone"));
    };
    if !webhook.is_active {
        return Ok(ended("the subscription is disabled"));
    }
    let subscriber = match Subscriber::open(app, &mut tx, webhook).await? {
        Ok(subscriber) => subscriber,
        Err(why) => {
            tracing::error!(webhook = number, why, "a subscriber cannot be told from here");
            return Ok(Told::put_off(app, jobs, why));
        }
    };
    let (facts, work) = subscriber.messages(app, &mut tx, jobs).await?;
    drop(tx);
    let (outcomes, sent, halt) = subscriber.tell(app, jobs, (&facts, work)).await;
    // Whether it is still the one that was told matters where not all went well. What was sent is written whatever comes of asking.
    let all_arrived = sent.iter().all(|(_, sent)| sent.as_ref().is_some_and(Sent::arrived));
    let is_same = all_arrived || is_still(app, &subscriber.webhook).await.unwrap_or(true);
    Ok(subscriber.sum_up(app, jobs, (outcomes, sent), (halt, is_same)))
}

/// Whether nobody has changed it since it was read.
async fn is_still(app: &App, webhook: &Webhook) -> store::Result<bool> {
    let mut tx = app.db.read(webhook.account).await?;
    let now_is = webhooks::get(&mut tx, webhook.account, webhook.id).await?;
    Ok(now_is.is_some_and(|now_is| now_is.revision == webhook.revision))
}

impl Told {
    fn nothing(outcomes: Vec<JobOutcome>) -> Self {
        Self { outcomes, attempts: Vec::new(), health: None, pause: None, disable: None }
    }

    /// With what came of telling another thing.
    fn add(&mut self, other: Self) {
        self.outcomes.extend(other.outcomes);
        self.attempts.extend(other.attempts);
        let had_arrived = self.health.as_ref().is_some_and(|health| health.any_arrived);
        let health = other.health.map(|new| EndpointHealth { any_arrived: new.any_arrived || had_arrived, ..new });
        self.health = health.or(self.health.take());
        self.pause = other.pause.or(self.pause.take());
        self.disable = other.disable.or(self.disable.take());
    }

    /// Nothing can be told from here: another host may have the key, or this one after it was mended.
    fn put_off(app: &App, jobs: &[Job], why: &str) -> Self {
        let outcomes = jobs.iter().map(|_| JobOutcome::Snooze(LONGEST_PAUSE, why.to_owned())).collect();
        let pause = Pause { until: app.now() + LONGEST_PAUSE, why: why.to_owned() };
        Self { pause: Some(pause), ..Self::nothing(outcomes) }
    }
}

impl Sent {
    fn arrived(&self) -> bool {
        self.verdict == Verdict::Arrived
    }
}

impl Subscriber {
    async fn open(app: &App, tx: &mut store::Tx, webhook: Webhook) -> store::Result<Result<Self, &'static str>> {
        let Ok(url) = Url::parse(&webhook.wanted.url) else { return Ok(Err("its address cannot be read")) };
        let mut secrets = Vec::new();
        for sealed in webhooks::secrets(tx, webhook.account, webhook.id, app.now()).await? {
            match subscription::open_secret(app, &webhook, &sealed) {
                Some(secret) => secrets.push(secret),
                None => return Ok(Err("its secret cannot be opened with this host's key")),
            }
        }
        let Some(headers) = headers::open(app, &webhook) else {
            return Ok(Err("its headers cannot be opened with this host's key"));
        };
        let Ok(transport) = app.subscribers.of(webhook.account, &url) else {
            return Ok(Err("this host has no way to it"));
        };
        let within = Duration::from_secs(webhook.wanted.timeout_seconds.unsigned_abs());
        let (hidden, transport) = (headers::secrets(&headers), transport.with_response_timeout(within));
        Ok(Ok(Self { webhook, url, secrets, headers, hidden, transport }))
    }

    /// What each job is about, and what is to be told for it.
    async fn messages(
        &self,
        app: &App,
        tx: &mut store::Tx,
        jobs: &[Job],
    ) -> store::Result<(HashMap<i64, Fact>, Vec<Work>)> {
        let webhook = &self.webhook;
        let places: Vec<i64> = jobs.iter().filter_map(|job| job.sequence).collect();
        let mut batch = Batch::begin(tx, webhook.account, app.public_url()).await?;
        let facts = outbox::entries_at(tx, webhook.account, webhook.source, &places).await?;
        let facts: HashMap<i64, Fact> = facts.into_iter().map(|fact| (fact.sequence, fact)).collect();
        let waits = if webhook.wanted.ordered { self.behind(tx, jobs).await? } else { HashMap::new() };
        let now = app.now();
        let mut work = Vec::with_capacity(jobs.len());
        for job in jobs {
            let Some(sequence) = job.sequence else {
                let id = job.payload.get("test").and_then(Value::as_str).unwrap_or_default();
                work.push(Work::Message(message::of_test(webhook, id, job.created_at, &app.public_url())));
                continue;
            };
            let Some(fact) = facts.get(&sequence) else {
                work.push(Work::Ended(JobOutcome::Discard("what it tells of is kept no more".to_owned())));
                continue;
            };
            if let Some((first, at)) = waits.get(&entity(fact)).filter(|(first, _)| *first < sequence) {
                let why = format!("what happened before it, at {first}, has not arrived");
                let wait = at.duration_since(now).max(SignedDuration::from_secs(1));
                work.push(Work::Ended(JobOutcome::Snooze(wait, why)));
                continue;
            }
            work.push(Work::Message(message::of_fact(tx, webhook, fact, &mut batch).await?));
        }
        Ok((facts, work))
    }

    /// Of each entity the first message that waits and is not told now.
    async fn behind(
        &self,
        tx: &mut store::Tx,
        jobs: &[Job],
    ) -> store::Result<HashMap<(String, i64), (i64, Timestamp)>> {
        let last = jobs.iter().filter_map(|job| job.sequence).max().unwrap_or_default();
        let claim = jobs.first().map_or(0, |job| job.claim);
        let waiting = webhooks::behind(tx, self.webhook.account, self.webhook.id, (last, claim)).await?;
        Ok(waiting.into_iter().map(|(kind, id, first, at)| ((kind, id), (first, at.into()))).collect())
    }

    /// Of each job how it ended where nothing was to be sent, what became of the others, and whether they were stopped.
    async fn tell(
        &self,
        app: &App,
        jobs: &[Job],
        (facts, work): (&HashMap<i64, Fact>, Vec<Work>),
    ) -> (Vec<Option<JobOutcome>>, Vec<Tried>, Halt) {
        let mut outcomes: Vec<Option<JobOutcome>> = Vec::with_capacity(jobs.len());
        // What is about one entity goes one after the other where order is asked for; all else side by side.
        let mut queues: BTreeMap<(String, i64), Vec<(usize, Message)>> = BTreeMap::new();
        for (index, (job, work)) in jobs.iter().zip(work).enumerate() {
            match work {
                Work::Ended(outcome) => outcomes.push(Some(outcome)),
                Work::Message(message) => {
                    outcomes.push(None);
                    let fact = job.sequence.and_then(|sequence| facts.get(&sequence));
                    let place = match fact.filter(|_| self.webhook.wanted.ordered) {
                        Some(fact) => entity(fact),
                        None => (String::new(), job.id),
                    };
                    queues.entry(place).or_default().push((index, message));
                }
            }
        }
        let mut queues: Vec<Vec<(usize, Message)>> = queues.into_values().collect();
        for queue in &mut queues {
            queue.sort_by_key(|(index, _)| jobs[*index].sequence);
        }
        let halt = Halt::default();
        let mut sent: Vec<Tried> = Vec::new();
        // One that is in trouble is asked with one message whether that goes on: with any, since it may be one that it never takes.
        if self.webhook.failures > 0 && !queues.is_empty() {
            let any = (app.jitter() * queues.len() as f64) as usize;
            let first = queues.swap_remove(any.min(queues.len() - 1));
            sent.extend(self.tell_queue(app, jobs, first, &halt).await);
        }
        let queues = queues.into_iter();
        let side_by_side = stream::iter(queues.map(|queue| self.tell_queue(app, jobs, queue, &halt)));
        sent.extend(side_by_side.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await.into_iter().flatten());
        (outcomes, sent, halt)
    }

    /// Messages one after the other, as far as they arrive.
    async fn tell_queue(&self, app: &App, jobs: &[Job], queue: Vec<(usize, Message)>, halt: &Halt) -> Vec<Tried> {
        let mut sent = Vec::with_capacity(queue.len());
        let mut goes_on = true;
        for (index, message) in queue {
            // What has not begun when the host stops is told by the next one.
            if !goes_on || halt.is_called() || app.stopping.is_cancelled() {
                sent.push((index, None));
                continue;
            }
            let one = self.send(app, &jobs[index], message).await;
            goes_on = one.arrived();
            halt.call(&one.verdict);
            sent.push((index, Some(one)));
        }
        sent
    }

    async fn send(&self, app: &App, job: &Job, Message { id, body }: Message) -> Sent {
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
        let mut attempt = Attempt {
            account: job.account,
            job: job.id,
            attempt: i64::from(job.attempts),
            at: began,
            duration_ms: i64::try_from(now.duration_since(began).as_millis()).unwrap_or(i64::MAX),
            status: None,
            error_kind: None,
            answer: None,
        };
        let verdict = match answer {
            Ok(answer) => {
                attempt.status = Some(i64::from(answer.status));
                // Of one that is sent records nothing is kept: it may repeat them.
                if self.webhook.wanted.payload != FULL {
                    let words = answer::first_words(&answer.body, &self.hidden);
                    attempt.answer = Some(words).filter(|text| !text.is_empty());
                }
                let retry_after = answer.headers.iter().find(|(name, _)| name == "retry-after");
                answer::judge(answer.status, retry_after.map(|(_, value)| value.as_str()), now)
            }
            Err(error) => {
                attempt.error_kind = Some(answer::word(&error));
                Verdict::Trouble(error.to_string())
            }
        };
        Sent { attempt, verdict }
    }

    fn sum_up(
        &self,
        app: &App,
        jobs: &[Job],
        (outcomes, sent): (Vec<Option<JobOutcome>>, Vec<Tried>),
        (halt, is_same): (Halt, bool),
    ) -> Told {
        let (now, webhook) = (app.now(), &self.webhook);
        let mut tried = sent.iter().filter_map(|(_, sent)| sent.as_ref()).peekable();
        let is_tried = tried.peek().is_some();
        let any_arrived = tried.any(Sent::arrived);
        let called = halt.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let pause = called.as_ref().map(|halt| match halt.wait {
            Some(asked) => asked.clamp(SignedDuration::from_secs(1), LONGEST_ASKED),
            None => pause(webhook.failures),
        });
        let pause = pause.filter(|_| is_same);
        let why = match &called {
            Some(halt) => &halt.why,
            None if app.stopping.is_cancelled() => "the host stopped",
            None => "what happened before it has not arrived",
        };
        let mut told = Told::nothing(outcomes.into_iter().map(|outcome| outcome.unwrap_or(JobOutcome::Done)).collect());
        for (index, sent) in sent {
            let (job, soon) = (&jobs[index], pause.unwrap_or(SignedDuration::from_secs(1)));
            let outcome = match sent.as_ref().map(|sent| &sent.verdict) {
                Some(Verdict::Arrived) => JobOutcome::Done,
                Some(Verdict::Failed(why) | Verdict::Trouble(why)) => self.again(app, job, why),
                Some(Verdict::Later(asked, why)) => self.later(app, job, (*asked, soon), why),
                // It was the former address that wanted no more.
                Some(Verdict::Gone) if !is_same => JobOutcome::Snooze(soon, GONE.to_owned()),
                Some(Verdict::Gone) => JobOutcome::Discard(GONE.to_owned()),
                // It was not tried.
                None => JobOutcome::Snooze(soon, why.to_owned()),
            };
            if let Some(place) = told.outcomes.get_mut(index) {
                *place = outcome;
            }
            told.attempts.extend(sent.map(|sent| sent.attempt));
        }
        if !is_tried {
            return told;
        }
        let Webhook { account, id, revision, .. } = *webhook;
        told.health = Some(EndpointHealth { account, webhook: id, revision, any_arrived });
        told.pause = pause.map(|pause| Pause { until: now + pause, why: why.to_owned() });
        let since = webhook.failing_since.filter(|_| !any_arrived);
        let why = if called.is_some_and(|halt| halt.is_gone) {
            Some(GONE.to_owned())
        } else if since.is_some_and(|since| now.duration_since(since) > GIVEN_UP_AFTER) {
            Some(format!("nothing has arrived for {} days", GIVEN_UP_AFTER.as_hours() / 24))
        } else {
            None
        };
        told.disable = why.map(|why| GivenUp { revision, why });
        told
    }

    /// As soon as the subscriber is told anything again, without having tried: for a day, since it may be this one message that
    /// it always sends away. Where it says no time, those that waited long already let others go first.
    fn later(
        &self,
        app: &App,
        job: &Job,
        (asked, pause): (Option<SignedDuration>, SignedDuration),
        why: &str,
    ) -> JobOutcome {
        let age = app.now().duration_since(job.created_at);
        if age > PATIENCE {
            return self.again(app, job, why);
        }
        let wait = if asked.is_some() { pause } else { pause.max(age.min(LONGEST_PAUSE)) };
        JobOutcome::Snooze(wait, why.to_owned())
    }

    /// By the schedule, as often as the subscriber wants it.
    fn again(&self, app: &App, job: &Job, why: &str) -> JobOutcome {
        again(app, job, self.webhook.wanted.max_attempts, why)
    }
}

/// By the schedule, so many times at most.
fn again(app: &App, job: &Job, most: i64, why: &str) -> JobOutcome {
    let is_last = i64::from(job.attempts) >= most;
    match delivery_delay(job.attempts, app.jitter()).filter(|_| !is_last) {
        Some(delay) => JobOutcome::RetryAt(SignedDuration::from_millis(delay.0), why.to_owned()),
        None => JobOutcome::Discard(format!("tried {} times: {why}", job.attempts)),
    }
}

fn entity(fact: &Fact) -> (String, i64) {
    (fact.fact.entity_type.clone(), fact.fact.entity_id)
}

/// How long a subscriber is left alone that failed so often in a row before.
fn pause(failures: i64) -> SignedDuration {
    let doubled = u32::try_from(failures.clamp(0, 6)).unwrap_or_default();
    (FIRST_PAUSE * 2_i32.pow(doubled)).min(LONGEST_PAUSE)
}

/// Whether what has not begun is left for later.
#[derive(Default)]
struct Halt(Mutex<Option<Called>>);

struct Called {
    wait: Option<SignedDuration>,
    why: String,
    is_gone: bool,
}

impl Halt {
    fn is_called(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn call(&self, verdict: &Verdict) {
        let (wait, why, is_gone) = match verdict {
            Verdict::Trouble(why) => (None, why.clone(), false),
            Verdict::Later(wait, why) => (*wait, why.clone(), false),
            Verdict::Gone => (None, GONE.to_owned(), true),
            Verdict::Arrived | Verdict::Failed(_) => return,
        };
        let mut called = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = called.as_ref().and_then(|called| called.wait).max(wait);
        let was_gone = called.as_ref().is_some_and(|called| called.is_gone);
        *called = Some(Called { wait: longest, why, is_gone: is_gone || was_gone });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_have_an_end() {
        let seconds: Vec<i64> = [0, 1, 2, 5, 6, 99].map(|failures| pause(failures).as_secs()).to_vec();
        assert_eq!(seconds, [5, 10, 20, 160, 300, 300]);
    }
}
