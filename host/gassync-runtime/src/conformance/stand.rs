//! The stand a plugin is tried on: every call of the kit is made here, as a running host would make it, counted, and
//! looked at for its manners.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use gassync_domain::{
    Acknowledgement, Attempt, CalendarUpdate, Change, ChangeResult, ChannelError, Chunk, ContentItem, Entity,
    HttpRequest, HttpResponse, Operation, Outcome, Page, Query, Report, ResumePoint, Selection, Subscribed, Timestamp,
};
use jiff::{SignedDuration, Span, tz::TimeZone};

use super::{
    MAX_TIME,
    manners::{Deed, Manners},
    samples::{Asked, Sample, Way},
    secrets::Watched,
    wire::Wire,
};
use crate::{
    Adapter, Allowance, Budget, Call, CallError, CallRecord, Finished, Interface, Memory, Poll, Route,
    trial::{self, Conditions, FileCoreData},
};

/// Days ahead that are asked for where a calendar is fetched and the manifest says none.
const DAYS_AHEAD: u32 = 365;

/// The plugin, and what its calls are made with.
pub(super) struct Stand {
    pub plugin: Arc<dyn Adapter>,
    conditions: Conditions,
    began: Instant,
    calls: AtomicU32,
    manners: Mutex<Manners>,
}

/// How a call differs from the first one.
#[derive(Clone, Default)]
pub(super) struct Turn {
    pub seed: u64,
    pub later: SignedDuration,
    pub memory: Memory,
}

/// What a plugin makes of a sample, whichever way the sample came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub event_id: Option<String>,
    pub changes: Vec<Change>,
    /// What else there is: the reply, or where the fetch goes on.
    pub aside: Aside,
}

impl Told {
    /// Whether it told the caller something already.
    pub fn has_reply(&self) -> bool {
        matches!(self.aside, Aside::Reply(Some(_)))
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Aside {
    Reply(Option<HttpResponse>),
    GoesOn { next: Option<String>, resume: Option<ResumePoint>, scope: String, wait_seconds: Option<u32> },
}

/// What is to be written to the channel.
#[derive(Clone)]
pub(super) enum Items {
    Calendar(Vec<CalendarUpdate>),
    Reservations(Vec<Operation>),
    Content(Vec<ContentItem>),
    Acknowledgements(Vec<Acknowledgement>),
}

/// What a reply is worded for.
#[derive(Clone)]
pub(super) enum Ending {
    /// What became of each change.
    Known(Vec<Change>, Vec<ChangeResult>),
    /// Why nothing did.
    Unknown(ChannelError),
}

/// What is done to a connection.
#[derive(Clone)]
pub(super) enum Doing {
    Check,
    Subscribe { endpoint: String },
    Unsubscribe { ids: Vec<String> },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Done {
    Checked(Report),
    Subscribed(Subscribed),
    /// The subscriptions that are gone.
    Unsubscribed(Vec<String>),
}

/// What the core holds while a feed is rendered.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stock {
    OfSamples,
    Nothing,
}

impl Stand {
    pub fn new(plugin: Arc<dyn Adapter>, conditions: Conditions) -> Self {
        let (calls, manners) = (AtomicU32::new(0), Mutex::default());
        Self { plugin, conditions, began: Instant::now(), calls, manners }
    }

    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    pub fn taken(&self) -> Duration {
        self.began.elapsed()
    }

    /// Whether no further case may be begun.
    pub fn is_time_up(&self) -> bool {
        self.taken() > MAX_TIME
    }

    pub fn now(&self) -> Timestamp {
        self.conditions.now
    }

    pub fn manners(&self) -> MutexGuard<'_, Manners> {
        self.manners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the plugin has the interface that a sample is for.
    pub fn takes(&self, sample: &Sample) -> bool {
        self.exports(if sample.is_call() { Interface::Inbound } else { Interface::Pull })
    }

    pub fn exports(&self, interface: Interface) -> bool {
        self.plugin.exports().contains(&interface)
    }

    /// The manifest's routes that take a call.
    pub fn routes<'a>(&'a self, request: &'a HttpRequest) -> impl Iterator<Item = &'a Route> {
        let path = request.url.split('?').next().unwrap_or_default();
        let routes = self.plugin.manifest().routes.iter();
        routes.filter(move |route| route.serves(path) && route.methods.contains(&request.method))
    }

    /// A sample as it is.
    pub async fn show(&self, sample: &Sample, turn: Turn) -> Finished<Told> {
        self.present(sample, Some(&sample.payload.bytes), turn, Deed::Ordinary).await
    }

    /// A sample with other bytes in its place; none is no body at all.
    pub async fn show_altered(&self, sample: &Sample, bytes: Option<&[u8]>) -> Finished<Told> {
        self.present(sample, bytes, Turn::default(), Deed::Hostile).await
    }

    async fn present(&self, sample: &Sample, bytes: Option<&[u8]>, turn: Turn, deed: Deed) -> Finished<Told> {
        match &sample.way {
            Way::Call { request, has_body } => {
                let body = bytes.filter(|bytes| *has_body || !bytes.is_empty()).map(<[u8]>::to_vec);
                self.hear(&sample.name, HttpRequest { body, ..request.clone() }, turn).await
            }
            Way::Answer { asked, status, headers, further } => {
                let body = bytes.unwrap_or_default().to_vec();
                let mut answers = vec![HttpResponse { status: *status, headers: headers.clone(), body }];
                answers.extend(further.iter().cloned());
                self.ask(&sample.name, self.query(asked), Wire::playing(answers), (turn, deed)).await
            }
        }
    }

    /// A channel's call to us. As in a running host it reaches nothing: no network, no secrets.
    async fn hear(&self, name: &str, request: HttpRequest, turn: Turn) -> Finished<Told> {
        let manifest = self.plugin.manifest();
        let now = self.at(&turn);
        let call = Call {
            settings: manifest.with_defaults(&self.conditions.settings),
            clock: Arc::new(move || now),
            seed: turn.seed,
            budget: self.budget(Budget::decode()),
            memory: turn.memory,
            ..Call::alone("check")
        };
        let Finished { result, record } = self.plugin.decode(call, request).await;
        self.count();
        self.manners().look_at_decode(name, &record);
        let told = |decoded: gassync_domain::Decoded| Told {
            event_id: decoded.event_id,
            changes: decoded.changes,
            aside: Aside::Reply(decoded.reply),
        };
        Finished { result: result.map(told), record }
    }

    /// A fetch.
    pub async fn ask(&self, name: &str, query: Query, wire: Wire, (turn, deed): (Turn, Deed)) -> Finished<Told> {
        let wire = Arc::new(wire);
        let (call, secrets) = self.outward(&wire, turn, Budget::fetch());
        let Finished { result, record } = self.plugin.fetch(call, query).await;
        self.count();
        self.manners().look(self.plugin.manifest(), (name, deed), (&record, &wire.arrived(), &secrets));
        let told = |Page { changes, next, resume, scope, wait_seconds }| Told {
            event_id: None,
            changes,
            aside: Aside::GoesOn { next, resume, scope: format!("{scope:?}"), wait_seconds },
        };
        Finished { result: result.map(told), record }
    }

    /// A push, or acknowledgements.
    pub async fn write(&self, name: &str, items: Items, wire: Wire) -> Finished<Vec<Outcome>> {
        let wire = Arc::new(wire);
        let (call, secrets) = self.outward(&wire, Turn::default(), Budget::fetch());
        let finished = match items {
            Items::Calendar(updates) => self.plugin.push_calendar(call, updates, Attempt::First).await,
            Items::Reservations(operations) => self.plugin.push_reservations(call, operations).await,
            Items::Content(items) => self.plugin.push_content(call, items, Attempt::First).await,
            Items::Acknowledgements(acknowledgements) => {
                trial::as_outcomes(self.plugin.acknowledge(call, acknowledgements).await)
            }
        };
        self.count();
        let seen = (&finished.record, &**wire.arrived(), &*secrets);
        self.manners().look(self.plugin.manifest(), (name, Deed::Ordinary), seen);
        finished
    }

    /// The words for a caller who waits.
    pub async fn reply(&self, name: &str, request: HttpRequest, ending: Ending, turn: Turn) -> Finished<HttpResponse> {
        let wire = Arc::new(Wire::playing(Vec::new()));
        let (call, secrets) = self.outward(&wire, turn, Budget::decode());
        let finished = match ending {
            Ending::Known(changes, results) => self.plugin.respond(call, request, changes, results).await,
            Ending::Unknown(why) => self.plugin.on_error(call, request, why).await,
        };
        self.count();
        let seen = (&finished.record, &**wire.arrived(), &*secrets);
        self.manners().look(self.plugin.manifest(), (name, Deed::Ordinary), seen);
        finished
    }

    /// One chunk of what the channel fetches; none is the first.
    pub async fn render(
        &self,
        name: &str,
        request: HttpRequest,
        cursor: Option<String>,
        (stock, turn): (Stock, Turn),
    ) -> Finished<Chunk> {
        let wire = Arc::new(Wire::playing(Vec::new()));
        let (mut call, secrets) = self.outward(&wire, turn, Budget::fetch());
        if stock == Stock::Nothing {
            call.core_data = Arc::new(FileCoreData::default());
        }
        let finished = self.plugin.render(call, request, cursor).await;
        self.count();
        let seen = (&finished.record, &**wire.arrived(), &*secrets);
        self.manners().look(self.plugin.manifest(), (name, Deed::Ordinary), seen);
        finished
    }

    /// A test of the connection, or its subscriptions.
    pub async fn connect(&self, name: &str, doing: Doing, wire: Wire, turn: Turn) -> Finished<Done> {
        let wire = Arc::new(wire);
        let (call, secrets) = self.outward(&wire, turn, Budget::fetch());
        let deed = if matches!(doing, Doing::Subscribe { .. }) { Deed::Subscribing } else { Deed::Ordinary };
        let finished = match doing {
            Doing::Check => done(self.plugin.check(call).await, Done::Checked),
            Doing::Subscribe { endpoint } => done(self.plugin.subscribe(call, endpoint).await, Done::Subscribed),
            Doing::Unsubscribe { ids } => done(self.plugin.unsubscribe(call, ids).await, Done::Unsubscribed),
        };
        self.count();
        let seen = (&finished.record, &**wire.arrived(), &*secrets);
        self.manners().look(self.plugin.manifest(), (name, deed), seen);
        finished
    }

    fn outward(&self, wire: &Arc<Wire>, turn: Turn, budget: Budget) -> (Call, Arc<Watched>) {
        let transport = Arc::clone(wire);
        let call = trial::call_over(&*self.plugin, &self.conditions, transport, budget);
        let secrets = Arc::new(Watched::new(Arc::clone(&call.credentials)));
        let now = self.at(&turn);
        let credentials = Arc::clone(&secrets);
        let call = Call { credentials, clock: Arc::new(move || now), seed: turn.seed, memory: turn.memory, ..call };
        (call, secrets)
    }

    fn count(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn at(&self, turn: &Turn) -> Timestamp {
        self.conditions.now.saturating_add(turn.later).unwrap_or(self.conditions.now)
    }

    /// What a call of this kind may use up.
    pub fn budget(&self, ordinary: Budget) -> Budget {
        let manifest = self.plugin.manifest();
        let memory_bytes = Allowance::as_asked(manifest).memory_bytes(manifest);
        Budget { memory_bytes, ..ordinary }
    }

    /// What is asked for where a sample does not say.
    pub fn query(&self, asked: &Asked) -> Query {
        if let Some(query) = &asked.query {
            return query.clone();
        }
        let polls = &self.plugin.manifest().polls;
        let poll = polls.iter().find(|poll| poll.entity == asked.entity);
        Query::new(asked.entity, self.selection(asked.entity, poll))
    }

    /// What a poll asks for.
    pub fn selection(&self, entity: Entity, poll: Option<&Poll>) -> Selection {
        let days = |back: u32, ahead: u32| {
            let today = self.conditions.now.to_zoned(TimeZone::UTC).date();
            let day = |span: Span| today.saturating_add(span);
            Selection::Within { start: day(Span::new().days(-i64::from(back))), until: day(Span::new().days(ahead)) }
        };
        match poll {
            Some(Poll { queue: Some(queue), .. }) => Selection::Queue(queue.clone()),
            Some(Poll { window: Some(window), .. }) => days(window.back, window.ahead),
            // A calendar has no everything.
            _ if entity == Entity::Calendar => days(0, DAYS_AHEAD),
            _ => Selection::Everything,
        }
    }
}

/// Whether a call came to an end of its own: with an answer, or with an error that the contract has for it.
pub(super) fn ended_well<T>(finished: &Finished<T>) -> bool {
    finished
        .result
        .as_ref()
        .err()
        .is_none_or(|error| matches!(error, CallError::Channel(_)) && !error.is_plugin_fault())
}

/// What a call left in the plugin's memory.
pub(super) fn remembered(record: &CallRecord) -> Memory {
    remembered_after(Memory::new(), record)
}

/// The same where there was something before it.
pub(super) fn remembered_after(mut memory: Memory, record: &CallRecord) -> Memory {
    for (key, value) in &record.memory {
        match value {
            Some(value) => memory.insert(key.clone(), value.clone()),
            None => memory.remove(key),
        };
    }
    memory
}

fn done<T>(finished: Finished<T>, name: impl FnOnce(T) -> Done) -> Finished<Done> {
    Finished { result: finished.result.map(name), record: finished.record }
}
