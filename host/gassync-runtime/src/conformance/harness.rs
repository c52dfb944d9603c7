//! The test harness: makes every call of the suite as a running host would, counts it, and checks its behaviour.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use gassync_domain::{
    Acknowledgement, Attempt, CalendarUpdate, Change, ChangeResult, ChannelError, Chunk, ContentItem, Entity,
    HttpRequest, HttpResponse, Operation, Outcome, Page, Query, Report, ResumePoint, Selection, Subscribed, Timestamp,
    utc_day,
};
use jiff::{SignedDuration, Span};
use parking_lot::{Mutex, MutexGuard};

use super::{
    MAX_TIME,
    behaviour::{BehaviourChecks, CallPurpose},
    channel_stub::ChannelStub,
    samples::{FetchSpec, Sample, SampleKind},
    secrets::ObservedCredentials,
};
use crate::{
    Adapter, Budget, Call, CallError, CallRecord, Finished, InboundRoute, Interface, Memory, Permissions, Poll,
    try_call::{self, FileCoreData, TryContext},
};

/// Days to fetch of a calendar if the manifest does not say.
const DAYS_AHEAD: u32 = 365;

/// A plugin under test with its call context.
pub(super) struct Harness {
    pub plugin: Arc<dyn Adapter>,
    context: TryContext,
    started: Instant,
    calls: AtomicU32,
    behaviour: Mutex<BehaviourChecks>,
}

/// How a call differs from the first one: seed, time, state.
#[derive(Clone, Default)]
pub(super) struct CallVariation {
    pub seed: u64,
    pub later: SignedDuration,
    pub memory: Memory,
}

/// Result of a sample, whether an inbound call or a fetch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SampleResult {
    pub event_id: Option<String>,
    pub changes: Vec<Change>,
    /// The reply of a call, or the cursor of a fetch.
    pub extra: ResultExtra,
}

impl SampleResult {
    /// True if the caller already has a reply.
    pub fn has_reply(&self) -> bool {
        matches!(self.extra, ResultExtra::Reply(Some(_)))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ResultExtra {
    Reply(Option<HttpResponse>),
    Continuation { next: Option<String>, resume: Option<ResumePoint>, scope: String, wait_seconds: Option<u32> },
}

/// Items to push to the channel.
#[derive(Clone)]
pub(super) enum PushItems {
    Calendar(Vec<CalendarUpdate>),
    Reservations(Vec<Operation>),
    Content(Vec<ContentItem>),
    Acknowledgements(Vec<Acknowledgement>),
}

/// Input of a reply: results or an error.
#[derive(Clone)]
pub(super) enum ReplyCase {
    /// The changes and their results.
    Results(Vec<Change>, Vec<ChangeResult>),
    /// Why the call failed.
    Error(ChannelError),
}

/// An operation on a connection.
#[derive(Clone)]
pub(super) enum ConnectionOp {
    Check,
    Subscribe { endpoint: String },
    Unsubscribe { ids: Vec<String> },
}

/// Result of a connection operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ConnectionResult {
    Checked(Report),
    Subscribed(Subscribed),
    /// Removed subscriptions.
    Unsubscribed(Vec<String>),
}

/// Core data while a feed is rendered.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum CoreFixture {
    FromSamples,
    Empty,
}

impl Harness {
    pub fn new(plugin: Arc<dyn Adapter>, context: TryContext) -> Self {
        let (calls, behaviour) = (AtomicU32::new(0), Mutex::default());
        Self { plugin, context, started: Instant::now(), calls, behaviour }
    }

    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// True if no further case may start.
    pub fn is_out_of_time(&self) -> bool {
        self.elapsed() > MAX_TIME
    }

    pub fn now(&self) -> Timestamp {
        self.context.now
    }

    pub fn behaviour(&self) -> MutexGuard<'_, BehaviourChecks> {
        self.behaviour.lock()
    }

    /// True if the plugin exports the interface a sample is for.
    pub fn takes(&self, sample: &Sample) -> bool {
        self.exports(if sample.is_call() { Interface::Inbound } else { Interface::Pull })
    }

    pub fn exports(&self, interface: Interface) -> bool {
        self.plugin.exports().contains(&interface)
    }

    /// Returns the manifest's routes that match a call.
    pub fn routes<'a>(&'a self, request: &'a HttpRequest) -> impl Iterator<Item = &'a InboundRoute> {
        let path = request.url.split('?').next().unwrap_or_default();
        let routes = self.plugin.manifest().routes.iter();
        routes.filter(move |route| route.serves(path) && route.methods.contains(&request.method))
    }

    /// Runs an unaltered sample.
    pub async fn run_sample(&self, sample: &Sample, variation: CallVariation) -> Finished<SampleResult> {
        self.run_bytes(sample, Some(&sample.payload.bytes), variation, CallPurpose::Ordinary).await
    }

    /// Runs a sample with another body; `None` means no body.
    pub async fn run_altered(&self, sample: &Sample, bytes: Option<&[u8]>) -> Finished<SampleResult> {
        self.run_bytes(sample, bytes, CallVariation::default(), CallPurpose::Hostile).await
    }

    async fn run_bytes(
        &self,
        sample: &Sample,
        bytes: Option<&[u8]>,
        variation: CallVariation,
        purpose: CallPurpose,
    ) -> Finished<SampleResult> {
        match &sample.kind {
            SampleKind::Call { request, has_body } => {
                let body = bytes.filter(|bytes| *has_body || !bytes.is_empty()).map(<[u8]>::to_vec);
                self.decode(&sample.name, HttpRequest { body, ..request.clone() }, variation).await
            }
            SampleKind::Answer { asked, status, headers, further } => {
                let body = bytes.unwrap_or_default().to_vec();
                let mut answers = vec![HttpResponse { status: *status, headers: headers.clone(), body }];
                answers.extend(further.iter().cloned());
                self.fetch(&sample.name, self.query(asked), ChannelStub::replaying(answers), (variation, purpose)).await
            }
        }
    }

    /// Decodes an inbound call, without network or secrets as in a running host.
    async fn decode(&self, name: &str, request: HttpRequest, variation: CallVariation) -> Finished<SampleResult> {
        let manifest = self.plugin.manifest();
        let now = self.at(&variation);
        let call = Call {
            settings: manifest.with_defaults(&self.context.settings),
            clock: Arc::new(move || now),
            seed: variation.seed,
            budget: self.budget(Budget::decode()),
            memory: variation.memory,
            ..Call::isolated("check")
        };
        let Finished { result, record } = self.plugin.decode(call, request).await;
        self.count();
        self.behaviour().check_decode(name, &record);
        let decoded = |decoded: gassync_domain::Decoded| SampleResult {
            event_id: decoded.event_id,
            changes: decoded.changes,
            extra: ResultExtra::Reply(decoded.reply),
        };
        Finished { result: result.map(decoded), record }
    }

    /// Fetches a page.
    pub async fn fetch(
        &self,
        name: &str,
        query: Query,
        channel: ChannelStub,
        (variation, purpose): (CallVariation, CallPurpose),
    ) -> Finished<SampleResult> {
        let channel = Arc::new(channel);
        let (call, secrets) = self.call_to(&channel, variation, Budget::fetch());
        let Finished { result, record } = self.plugin.fetch(call, query).await;
        self.count();
        self.behaviour().check_call(self.plugin.manifest(), (name, purpose), (&record, &channel.received(), &secrets));
        let decoded = |Page { changes, next, resume, scope, wait_seconds }| SampleResult {
            event_id: None,
            changes,
            extra: ResultExtra::Continuation { next, resume, scope: format!("{scope:?}"), wait_seconds },
        };
        Finished { result: result.map(decoded), record }
    }

    /// Pushes items, or sends acknowledgements.
    pub async fn write(&self, name: &str, items: PushItems, channel: ChannelStub) -> Finished<Vec<Outcome>> {
        let channel = Arc::new(channel);
        let (call, secrets) = self.call_to(&channel, CallVariation::default(), Budget::fetch());
        let finished = match items {
            PushItems::Calendar(updates) => self.plugin.push_calendar(call, updates, Attempt::First).await,
            PushItems::Reservations(operations) => self.plugin.push_reservations(call, operations).await,
            PushItems::Content(items) => self.plugin.push_content(call, items, Attempt::First).await,
            PushItems::Acknowledgements(acknowledgements) => {
                try_call::as_outcomes(self.plugin.acknowledge(call, acknowledgements).await)
            }
        };
        self.count();
        let seen = (&finished.record, &**channel.received(), &*secrets);
        self.behaviour().check_call(self.plugin.manifest(), (name, CallPurpose::Ordinary), seen);
        finished
    }

    /// Builds the reply for a waiting caller.
    pub async fn reply(
        &self,
        name: &str,
        request: HttpRequest,
        reply_case: ReplyCase,
        variation: CallVariation,
    ) -> Finished<HttpResponse> {
        let channel = Arc::new(ChannelStub::replaying(Vec::new()));
        let (call, secrets) = self.call_to(&channel, variation, Budget::decode());
        let finished = match reply_case {
            ReplyCase::Results(changes, results) => self.plugin.respond(call, request, changes, results).await,
            ReplyCase::Error(why) => self.plugin.on_error(call, request, why).await,
        };
        self.count();
        let seen = (&finished.record, &**channel.received(), &*secrets);
        self.behaviour().check_call(self.plugin.manifest(), (name, CallPurpose::Ordinary), seen);
        finished
    }

    /// Renders one chunk of a feed; a cursor of `None` means the first.
    pub async fn render(
        &self,
        name: &str,
        request: HttpRequest,
        cursor: Option<String>,
        (core, variation): (CoreFixture, CallVariation),
    ) -> Finished<Chunk> {
        let channel = Arc::new(ChannelStub::replaying(Vec::new()));
        let (mut call, secrets) = self.call_to(&channel, variation, Budget::fetch());
        if core == CoreFixture::Empty {
            call.core_data = Arc::new(FileCoreData::default());
        }
        let finished = self.plugin.render(call, request, cursor).await;
        self.count();
        let seen = (&finished.record, &**channel.received(), &*secrets);
        self.behaviour().check_call(self.plugin.manifest(), (name, CallPurpose::Ordinary), seen);
        finished
    }

    /// Runs an operation on the connection.
    pub async fn connect(
        &self,
        name: &str,
        op: ConnectionOp,
        channel: ChannelStub,
        variation: CallVariation,
    ) -> Finished<ConnectionResult> {
        let channel = Arc::new(channel);
        let (call, secrets) = self.call_to(&channel, variation, Budget::fetch());
        let purpose =
            if matches!(op, ConnectionOp::Subscribe { .. }) { CallPurpose::Subscribing } else { CallPurpose::Ordinary };
        let finished = match op {
            ConnectionOp::Check => as_connection_result(self.plugin.check(call).await, ConnectionResult::Checked),
            ConnectionOp::Subscribe { endpoint } => {
                as_connection_result(self.plugin.subscribe(call, endpoint).await, ConnectionResult::Subscribed)
            }
            ConnectionOp::Unsubscribe { ids } => {
                as_connection_result(self.plugin.unsubscribe(call, ids).await, ConnectionResult::Unsubscribed)
            }
        };
        self.count();
        let seen = (&finished.record, &**channel.received(), &*secrets);
        self.behaviour().check_call(self.plugin.manifest(), (name, purpose), seen);
        finished
    }

    fn call_to(
        &self,
        channel: &Arc<ChannelStub>,
        variation: CallVariation,
        budget: Budget,
    ) -> (Call, Arc<ObservedCredentials>) {
        let transport = Arc::clone(channel);
        let call = try_call::call_over(&*self.plugin, &self.context, transport, budget);
        let secrets = Arc::new(ObservedCredentials::new(Arc::clone(&call.credentials)));
        let now = self.at(&variation);
        let credentials = Arc::clone(&secrets);
        let call =
            Call { credentials, clock: Arc::new(move || now), seed: variation.seed, memory: variation.memory, ..call };
        (call, secrets)
    }

    fn count(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn at(&self, variation: &CallVariation) -> Timestamp {
        self.context.now.saturating_add(variation.later).unwrap_or(self.context.now)
    }

    /// Returns the limits of a call, adjusted to the manifest.
    pub fn budget(&self, ordinary: Budget) -> Budget {
        let manifest = self.plugin.manifest();
        let memory_bytes = Permissions::as_requested(manifest).memory_bytes(manifest);
        Budget { memory_bytes, ..ordinary }
    }

    /// Returns the query of a sample, with defaults for missing parts.
    pub fn query(&self, asked: &FetchSpec) -> Query {
        if let Some(query) = &asked.query {
            return query.clone();
        }
        let polls = &self.plugin.manifest().polls;
        let poll = polls.iter().find(|poll| poll.entity == asked.entity);
        Query::new(asked.entity, self.selection(asked.entity, poll))
    }

    /// Returns the selection of a poll.
    pub fn selection(&self, entity: Entity, poll: Option<&Poll>) -> Selection {
        let days = |back: u32, ahead: u32| {
            let today = utc_day(self.context.now);
            let day = |span: Span| today.saturating_add(span);
            Selection::Within { start: day(Span::new().days(-i64::from(back))), until: day(Span::new().days(ahead)) }
        };
        match poll {
            Some(Poll { queue: Some(queue), .. }) => Selection::Queue(queue.clone()),
            Some(Poll { window: Some(window), .. }) => days(window.back, window.ahead),
            // A calendar cannot be fetched without dates.
            _ if entity == Entity::Calendar => days(0, DAYS_AHEAD),
            _ => Selection::Everything,
        }
    }
}

/// True if a call ended with a result or a regular error of the contract.
pub(super) fn ended_cleanly<T>(finished: &Finished<T>) -> bool {
    finished
        .result
        .as_ref()
        .err()
        .is_none_or(|error| matches!(error, CallError::Channel(_)) && !error.is_plugin_fault())
}

/// The plugin state after a call.
pub(super) fn state_after(record: &CallRecord) -> Memory {
    state_after_call(Memory::new(), record)
}

/// The plugin state after a call, given the state before.
pub(super) fn state_after_call(mut memory: Memory, record: &CallRecord) -> Memory {
    for (key, value) in &record.memory {
        match value {
            Some(value) => memory.insert(key.clone(), value.clone()),
            None => memory.remove(key),
        };
    }
    memory
}

fn as_connection_result<T>(
    finished: Finished<T>,
    name: impl FnOnce(T) -> ConnectionResult,
) -> Finished<ConnectionResult> {
    Finished { result: finished.result.map(name), record: finished.record }
}
