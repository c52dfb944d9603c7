//! Tells a subscriber what waits for it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use gassync_domain::{Timestamp, delivery_delay};
use gassync_runtime::{HttpTransport, OutgoingRequest, SendError, Transport as _};
use jiff::SignedDuration;
use serde_json::Value;
use url::Url;

use super::{
    message::{self, Message},
    signing::Secret,
    subscription,
};
use crate::{
    app::App,
    jobs::Outcome,
    store::{
        self,
        outbox::{self, Told as Fact},
        queue::{Job, Shut, Taken},
        webhooks::{self, Attempt, Standing, Webhook},
    },
};

/// Messages to one subscriber that are on their way at once.
const AT_ONCE: usize = 16;
/// Characters of an answer that are kept.
const ANSWER_CHARS: usize = 256;
/// The first wait of a subscriber that is in trouble; it doubles with each further failure.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest wait that we choose.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// The longest wait that a subscriber can ask for.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(1);
/// So long nothing has arrived when a subscriber is told no more.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);

/// What came of telling a subscriber.
pub(crate) struct Told {
    /// Of each job, in their order.
    pub outcomes: Vec<Outcome>,
    /// To be written with them.
    pub attempts: Vec<Attempt>,
    /// How the subscriber takes it; none where it was told nothing.
    pub standing: Option<Standing>,
    /// It wants to be left alone.
    pub shut: Option<Shut>,
    /// It is to be told nothing more, and why.
    pub disable: Option<String>,
}

/// What is known of a subscriber while it is told.
struct Subscriber {
    webhook: Webhook,
    url: Url,
    secrets: Vec<Secret>,
    headers: Vec<(String, String)>,
    transport: HttpTransport,
}

/// What is to be told for a job.
enum Work {
    /// This.
    Message(Message),
    /// Nothing, and why.
    Ended(Outcome),
}

/// Which of the jobs, and how sending its message ended; none where that was not tried.
type Tried = (usize, Option<Sent>);

/// How sending ended.
struct Sent {
    attempt: Attempt,
    kind: SentKind,
}

enum SentKind {
    Arrived,
    /// It did not; the others may.
    Failed(String),
    /// Nothing else would arrive either just now; after so long where it says.
    Trouble(Option<SignedDuration>, String),
    /// It wants no more, ever.
    Gone,
}

/// Tells the subscriber whose lane was taken.
pub(crate) async fn tell(app: &Arc<App>, number: i64, taken: &Taken) -> store::Result<Told> {
    let jobs = &taken.jobs;
    let ended = |why: &str| Told::nothing(jobs.iter().map(|_| Outcome::Hopeless(why.to_owned())).collect());
    let mut tx = app.db.read(taken.account).await?;
    let Some(webhook) = webhooks::get(&mut tx, taken.account, number).await? else {
        return Ok(ended("the subscription is gone"));
    };
    if !webhook.is_active {
        return Ok(ended("the subscription is disabled"));
    }
    let subscriber = match Subscriber::open(app, &mut tx, webhook).await? {
        Ok(subscriber) => subscriber,
        Err(why) => return Ok(ended(why)),
    };
    let (facts, work) = subscriber.messages(app, &mut tx, jobs).await?;
    drop(tx);
    Ok(subscriber.tell(app, jobs, (&facts, work)).await)
}

impl Told {
    fn nothing(outcomes: Vec<Outcome>) -> Self {
        Self { outcomes, attempts: Vec::new(), standing: None, shut: None, disable: None }
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
        let Some(headers) = subscription::open_headers(app, &webhook) else {
            return Ok(Err("its headers cannot be opened with this host's key"));
        };
        let Ok(transport) = app.subscribers.of(webhook.account, &url) else {
            return Ok(Err("this host has no way to it"));
        };
        Ok(Ok(Self { webhook, url, secrets, headers, transport }))
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
        // What is read after it has at least what the feed had told until then.
        let reached = outbox::last_sequence(tx, webhook.account).await?;
        let facts = outbox::told_at(tx, webhook.account, webhook.source, &places).await?;
        let facts: HashMap<i64, Fact> = facts.into_iter().map(|fact| (fact.sequence, fact)).collect();
        let waits = if webhook.wanted.ordered { self.behind(tx, jobs).await? } else { HashMap::new() };
        let (now, host) = (app.now(), app.public_url());
        let mut work = Vec::with_capacity(jobs.len());
        for job in jobs {
            let Some(sequence) = job.sequence else {
                let id = job.payload.get("test").and_then(Value::as_str).unwrap_or_default();
                work.push(Work::Message(message::of_test(webhook, id, job.created_at, &host)));
                continue;
            };
            let Some(fact) = facts.get(&sequence) else {
                work.push(Work::Ended(Outcome::Hopeless("what it tells of is kept no more".to_owned())));
                continue;
            };
            if let Some((first, at)) = waits.get(&entity(fact)).filter(|(first, _)| *first < sequence) {
                let why = format!("what happened before it, at {first}, has not arrived");
                let wait = at.duration_since(now).max(SignedDuration::from_secs(1));
                work.push(Work::Ended(Outcome::NotYet(wait, why)));
                continue;
            }
            work.push(Work::Message(message::of_fact(tx, webhook, fact, (reached, &host)).await?));
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
        let whose = (self.webhook.source, self.webhook.id);
        let waiting = webhooks::behind(tx, self.webhook.account, whose, (last, claim)).await?;
        Ok(waiting.into_iter().map(|(kind, id, first, at)| ((kind, id), (first, at.into()))).collect())
    }

    async fn tell(&self, app: &App, jobs: &[Job], (facts, work): (&HashMap<i64, Fact>, Vec<Work>)) -> Told {
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(jobs.len());
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
        for queue in queues.values_mut() {
            queue.sort_by_key(|(index, _)| jobs[*index].sequence);
        }
        let halt = Halt::default();
        let mut sent: Vec<Tried> = Vec::new();
        let mut queues = queues.into_values();
        // One that is in trouble is asked with one message whether that goes on.
        if self.webhook.failures > 0
            && let Some(first) = queues.next()
        {
            sent.extend(self.tell_queue(app, jobs, first, &halt).await);
        }
        let side_by_side = stream::iter(queues.map(|queue| self.tell_queue(app, jobs, queue, &halt)));
        sent.extend(side_by_side.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await.into_iter().flatten());
        self.sum_up(app, jobs, (outcomes, sent), halt)
    }

    /// Messages one after the other, as far as they arrive.
    async fn tell_queue(&self, app: &App, jobs: &[Job], queue: Vec<(usize, Message)>, halt: &Halt) -> Vec<Tried> {
        let mut sent = Vec::with_capacity(queue.len());
        let mut goes_on = true;
        for (index, message) in queue {
            if !goes_on || halt.is_called() {
                sent.push((index, None));
                continue;
            }
            let one = self.send(app, &jobs[index], message).await;
            goes_on = matches!(one.kind, SentKind::Arrived);
            if let SentKind::Trouble(..) | SentKind::Gone = &one.kind {
                halt.call(&one.kind);
            }
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
        let within = Duration::from_secs(self.webhook.wanted.timeout_seconds.unsigned_abs());
        let answer =
            tokio::time::timeout(within, self.transport.send(request)).await.unwrap_or(Err(SendError::TimedOut));
        let mut attempt = Attempt {
            account: job.account,
            job: job.id,
            attempt: i64::from(job.attempts),
            at: began,
            duration_ms: i64::try_from(app.now().duration_since(began).as_millis()).unwrap_or(i64::MAX),
            status: None,
            error_kind: None,
            answer: None,
        };
        let kind = match answer {
            Ok(answer) => {
                attempt.status = Some(i64::from(answer.status));
                attempt.answer = Some(first_words(&answer.body)).filter(|text| !text.is_empty());
                let retry_after = answer.headers.iter().find(|(name, _)| name == "retry-after");
                judge(answer.status, retry_after.map(|(_, value)| value.as_str()))
            }
            Err(error) => {
                let (word, is_trouble) = kind_of(&error);
                attempt.error_kind = Some(word);
                let why = error.to_string();
                if is_trouble { SentKind::Trouble(None, why) } else { SentKind::Failed(why) }
            }
        };
        Sent { attempt, kind }
    }

    fn sum_up(
        &self,
        app: &App,
        jobs: &[Job],
        (outcomes, sent): (Vec<Option<Outcome>>, Vec<Tried>),
        halt: Halt,
    ) -> Told {
        let (now, webhook) = (app.now(), &self.webhook);
        let count = |fits: fn(&SentKind) -> bool| {
            let kinds = sent.iter().filter_map(|(_, sent)| sent.as_ref()).filter(|sent| fits(&sent.kind));
            i64::try_from(kinds.count()).unwrap_or(i64::MAX)
        };
        let arrived = count(|kind| matches!(kind, SentKind::Arrived));
        let failed = count(|kind| !matches!(kind, SentKind::Arrived));
        let called = halt.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let pause = called.as_ref().map(|halt| match halt.wait {
            Some(asked) => asked.clamp(SignedDuration::from_secs(1), LONGEST_ASKED),
            None => pause(webhook.failures),
        });
        let behind = || "what happened before it has not arrived".to_owned();
        let why = called.as_ref().map_or_else(behind, |halt| halt.why.clone());
        let mut told = Told::nothing(outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Done)).collect());
        for (index, sent) in sent {
            let outcome = match &sent {
                Some(Sent { kind: SentKind::Arrived, .. }) => Outcome::Done,
                Some(Sent { kind: SentKind::Failed(why) | SentKind::Trouble(_, why), .. }) => {
                    self.again(app, &jobs[index], why)
                }
                Some(Sent { kind: SentKind::Gone, .. }) => Outcome::Hopeless(GONE.to_owned()),
                // It was not tried.
                None => Outcome::NotYet(pause.unwrap_or(SignedDuration::from_secs(1)), why.clone()),
            };
            if let Some(place) = told.outcomes.get_mut(index) {
                *place = outcome;
            }
            told.attempts.extend(sent.map(|sent| sent.attempt));
        }
        if arrived + failed == 0 {
            return told;
        }
        let any_arrived = arrived > 0;
        told.standing = Some(Standing { account: webhook.account, webhook: webhook.id, any_arrived, failed });
        told.shut = pause.map(|pause| Shut { until: now + pause, why });
        let since = webhook.failing_since.filter(|_| !any_arrived);
        told.disable = if called.is_some_and(|halt| halt.is_gone) {
            Some(GONE.to_owned())
        } else if since.is_some_and(|since| now.duration_since(since) > GIVEN_UP_AFTER) {
            Some(format!("nothing has arrived for {} days", GIVEN_UP_AFTER.as_hours() / 24))
        } else {
            None
        };
        told
    }

    /// By the schedule, as often as the subscriber wants it.
    fn again(&self, app: &App, job: &Job, why: &str) -> Outcome {
        let is_last = i64::from(job.attempts) >= self.webhook.wanted.max_attempts;
        match delivery_delay(job.attempts, app.jitter()).filter(|_| !is_last) {
            Some(delay) => Outcome::At(SignedDuration::from_millis(delay.0), why.to_owned()),
            None => Outcome::Hopeless(format!("tried {} times: {why}", job.attempts)),
        }
    }
}

/// Why a subscriber is told no more that answers so.
const GONE: &str = "it answered 410: it wants no more";

fn entity(fact: &Fact) -> (String, i64) {
    (fact.fact.entity_type.clone(), fact.fact.entity_id)
}

/// How long a subscriber is left alone that failed so often in a row before.
fn pause(failures: i64) -> SignedDuration {
    let doubled = u32::try_from(failures.clamp(0, 6)).unwrap_or_default();
    (FIRST_PAUSE * 2_i32.pow(doubled)).min(LONGEST_PAUSE)
}

/// What an answer means.
fn judge(status: u16, retry_after: Option<&str>) -> SentKind {
    match status {
        200..300 => SentKind::Arrived,
        410 => SentKind::Gone,
        429 | 502 | 504 => {
            let seconds = retry_after.and_then(|value| value.trim().parse::<u32>().ok());
            let wait = seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
            SentKind::Trouble(wait, format!("it answered {status}"))
        }
        300..400 => SentKind::Failed(format!("it answered {status}: redirects are not followed")),
        _ => SentKind::Failed(format!("it answered {status}")),
    }
}

/// A word for a failure, and whether another message would fail alike.
fn kind_of(error: &SendError) -> (&'static str, bool) {
    match error {
        SendError::TimedOut => ("timeout", true),
        SendError::Connect(_) => ("connect", true),
        SendError::Tls(_) => ("tls", true),
        SendError::AddressRefused(_) => ("address", true),
        SendError::TooLarge(_) | SendError::RateLimited(_) | SendError::CircuitOpen(_) => ("broken", false),
    }
}

/// The first characters of an answer, in one line.
fn first_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(ANSWER_CHARS).collect::<String>().trim().to_owned()
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

    fn call(&self, kind: &SentKind) {
        let (wait, why, is_gone) = match kind {
            SentKind::Trouble(wait, why) => (*wait, why.clone(), false),
            SentKind::Gone => (None, GONE.to_owned(), true),
            SentKind::Arrived | SentKind::Failed(_) => return,
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
    fn answers_are_told_apart() {
        assert!(matches!(judge(200, None), SentKind::Arrived));
        assert!(matches!(judge(204, None), SentKind::Arrived));
        assert!(matches!(judge(302, None), SentKind::Failed(_)));
        assert!(matches!(judge(500, Some("9")), SentKind::Failed(_)));
        assert!(matches!(judge(410, None), SentKind::Gone));
        let nine = Some(SignedDuration::from_secs(9));
        assert!(matches!(judge(429, Some(" 9")), SentKind::Trouble(wait, _) if wait == nine));
        assert!(matches!(judge(502, Some("soon")), SentKind::Trouble(None, _)));
    }

    #[test]
    fn pauses_double_and_have_an_end() {
        let seconds: Vec<i64> = [0, 1, 2, 5, 6, 99].map(|failures| pause(failures).as_secs()).to_vec();
        assert_eq!(seconds, [5, 10, 20, 160, 300, 300]);
    }

    #[test]
    fn of_an_answer_little_is_kept() {
        assert_eq!(first_words(b" {\n\t\"ok\": true }\0"), "{  \"ok\": true }");
        assert_eq!(first_words("é".repeat(300).as_bytes()).chars().count(), ANSWER_CHARS);
    }
}
