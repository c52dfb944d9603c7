use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use gassync_domain::{
    Acknowledgement, AcknowledgementOutcome, Attempt, CalendarUpdate, Change, ChangeResult, ChannelError, Chunk,
    ContentItem, Decoded, HttpRequest, HttpResponse, Operation, Outcome, Page, Query, Report, Subscribed,
};
use wasmtime::{
    Engine, Store,
    component::{Component, Instance, InstancePre},
};

use super::{CONTRACT, bindings::exports::gassync::channel as exports, from_wit, host, to_wit};
use crate::{
    Adapter, Budget, Call, CallError, CoreDataError, Finished, Interface, LoadError, Manifest,
    sandbox::{self, Entry, GuestState},
};

/// Function indices of each exported interface.
struct Indices {
    metadata: exports::metadata::GuestIndices,
    inbound: Option<exports::inbound::GuestIndices>,
    reply: Option<exports::reply::GuestIndices>,
    pull: Option<exports::pull::GuestIndices>,
    acknowledgements: Option<exports::acknowledgements::GuestIndices>,
    push_calendar: Option<exports::push_calendar::GuestIndices>,
    push_reservations: Option<exports::push_reservations::GuestIndices>,
    push_content: Option<exports::push_content::GuestIndices>,
    feeds: Option<exports::feeds::GuestIndices>,
    connection: Option<exports::connection::GuestIndices>,
}

/// A linked component, ready for calls.
struct Linked {
    engine: Engine,
    ready: InstancePre<GuestState>,
    indices: Indices,
}

struct Plugin {
    linked: Linked,
    manifest: Manifest,
    hash: String,
    exports: Vec<Interface>,
    imports: Vec<String>,
}

/// Links a component, instantiates it once with every exported interface, and reads its manifest.
pub(crate) async fn load(engine: &Engine, component: &Component, hash: String) -> Result<Arc<dyn Adapter>, LoadError> {
    let unfit = |e: wasmtime::Error| LoadError::Contract(format!("{e:#}"));
    let ready = sandbox::prelink(engine, component, host::link).map_err(unfit)?;
    let ty = component.component_type();
    let exported: BTreeSet<&str> = ty
        .exports(engine)
        .filter_map(|(name, _)| name.strip_prefix("gassync:channel/")?.strip_suffix(CONTRACT)?.strip_suffix('@'))
        .collect();
    macro_rules! indices {
        ($($interface:ident = $name:literal),*) => {
            Indices {
                metadata: exports::metadata::GuestIndices::new(&ready).map_err(unfit)?,
                $($interface: if exported.contains($name) {
                    Some(exports::$interface::GuestIndices::new(&ready).map_err(unfit)?)
                } else {
                    None
                },)*
            }
        };
    }
    let indices = indices!(
        inbound = "inbound",
        reply = "reply",
        pull = "pull",
        acknowledgements = "acknowledgements",
        push_calendar = "push-calendar",
        push_reservations = "push-reservations",
        push_content = "push-content",
        feeds = "feeds",
        connection = "connection"
    );
    let linked = Linked { engine: engine.clone(), ready, indices };
    let text = linked.describe().await.map_err(|error| match error {
        CallError::Host(why) => LoadError::Busy(why),
        error => LoadError::Contract(error.to_string()),
    })?;
    let manifest = Manifest::parse(&text)?;
    if manifest.contract != CONTRACT {
        let said = &manifest.contract;
        return Err(LoadError::Contract(format!("its manifest says contract {said}, its code {CONTRACT}")));
    }
    let exports = exported.iter().filter_map(|name| name.parse().ok()).collect();
    let imports = ty.imports(engine).map(|(name, _)| name.to_owned()).collect();
    Ok(Arc::new(Plugin { linked, manifest, hash, exports, imports }))
}

impl Linked {
    /// Returns the manifest's text. Loads every exported interface, so that a mismatch fails here and not at the first
    /// call.
    async fn describe(&self) -> Result<String, CallError> {
        // The manifest's limits are still unknown, so use the maximum budget.
        let call = Call { budget: Budget::max(), ..Call::isolated("describe") };
        let store = sandbox::open(&self.engine, &call);
        let entry = Entry { plugin: "", name: "metadata.describe" };
        let finished = sandbox::run(self, store, &call, entry, move |linked, store| {
            Box::pin(async move {
                let instance = linked.instantiate(store).await?;
                macro_rules! load {
                    ($($interface:ident),*) => {
                        $(if let Some(indices) = &linked.indices.$interface {
                            indices.load(&mut *store, &instance).map_err(trap)?;
                        })*
                    };
                }
                load!(
                    inbound,
                    reply,
                    pull,
                    acknowledgements,
                    push_calendar,
                    push_reservations,
                    push_content,
                    feeds,
                    connection
                );
                let metadata = linked.indices.metadata.load(&mut *store, &instance).map_err(trap)?;
                metadata.call_describe(&mut *store).await.map_err(trap)
            })
        });
        finished.await.result
    }

    async fn instantiate(&self, store: &mut Store<GuestState>) -> Result<Instance, CallError> {
        match self.ready.instantiate_async(&mut *store).await {
            Ok(instance) => Ok(instance),
            // An exhausted pool is the host's fault; a trap or excessive memory at start-up is the plugin's.
            Err(error)
                if error.is::<wasmtime::Trap>()
                    || error.is::<wasmtime::WasmBacktrace>()
                    || store.data().wanted_too_much_memory() =>
            {
                Err(trap(error))
            }
            Err(error) => Err(CallError::Host(format!("{error:#}"))),
        }
    }
}

fn trap(error: wasmtime::Error) -> CallError {
    match error.downcast_ref::<CoreDataError>() {
        Some(error) => CallError::Host(error.to_string()),
        None => CallError::Trap(format!("{:#}", error.root_cause())),
    }
}

/// Calls one function of one interface in a new sandbox; converts the arguments and the result.
macro_rules! call {
    ($self:ident, $call:ident, $interface:ident, $kind:ident, $entry:literal,
     |$guest:ident, $store:ident| $work:expr) => {{
        let store = sandbox::open(&$self.linked.engine, &$call);
        let entry = Entry { plugin: &$self.manifest.id, name: $entry };
        sandbox::run(&$self.linked, store, &$call, entry, move |linked, $store| {
            Box::pin(async move {
                let indices = linked.indices.$interface.as_ref().ok_or(CallError::NotExported(Interface::$kind))?;
                let instance = linked.instantiate($store).await?;
                let $guest = indices.load(&mut *$store, &instance).map_err(trap)?;
                $work
            })
        })
        .await
    }};
}

#[async_trait]
impl Adapter for Plugin {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn hash(&self) -> &str {
        &self.hash
    }

    fn exports(&self) -> &[Interface] {
        &self.exports
    }

    fn imports(&self) -> &[String] {
        &self.imports
    }

    fn keeps_state(&self) -> bool {
        let state = format!("gassync:channel/state@{CONTRACT}");
        self.imports.contains(&state)
    }

    async fn decode(&self, call: Call, request: HttpRequest) -> Finished<Decoded> {
        let limit = call.budget.changes;
        call!(self, call, inbound, Inbound, "inbound.decode", |guest, store| {
            let request = to_wit::request(request);
            let reply = guest.call_decode(&mut *store, &request).await.map_err(trap)?;
            from_wit::decoded(reply.map_err(from_wit::channel_error)?, limit)
        })
    }

    async fn respond(
        &self,
        call: Call,
        request: HttpRequest,
        changes: Vec<Change>,
        results: Vec<ChangeResult>,
    ) -> Finished<HttpResponse> {
        call!(self, call, reply, Reply, "reply.respond", |guest, store| {
            let request = to_wit::request(request);
            let changes: Vec<_> = changes.into_iter().map(to_wit::change).collect();
            let results: Vec<_> = results.into_iter().map(to_wit::change_result).collect();
            let reply = guest.call_respond(&mut *store, &request, &changes, &results).await.map_err(trap)?;
            from_wit::response(reply.map_err(from_wit::channel_error)?)
        })
    }

    async fn on_error(&self, call: Call, request: HttpRequest, error: ChannelError) -> Finished<HttpResponse> {
        call!(self, call, reply, Reply, "reply.on-error", |guest, store| {
            let request = to_wit::request(request);
            let reply =
                guest.call_on_error(&mut *store, &request, &to_wit::channel_error(error)).await.map_err(trap)?;
            from_wit::response(reply.map_err(from_wit::channel_error)?)
        })
    }

    async fn fetch(&self, call: Call, query: Query) -> Finished<Page> {
        let limit = call.budget.changes;
        call!(self, call, pull, Pull, "pull.fetch", |guest, store| {
            let query = to_wit::query(query);
            let reply = guest.call_fetch(&mut *store, &query).await.map_err(trap)?;
            from_wit::page(reply.map_err(from_wit::channel_error)?, limit)
        })
    }

    async fn acknowledge(
        &self,
        call: Call,
        acknowledgements: Vec<Acknowledgement>,
    ) -> Finished<Vec<AcknowledgementOutcome>> {
        let given = acknowledgements.len();
        call!(self, call, acknowledgements, Acknowledgements, "acknowledgements.acknowledge", |guest, store| {
            let acknowledgements: Vec<_> = acknowledgements.into_iter().map(to_wit::acknowledgement).collect();
            let reply = guest.call_acknowledge(&mut *store, &acknowledgements).await.map_err(trap)?;
            from_wit::acknowledgement_outcomes(reply.map_err(from_wit::channel_error)?, given)
        })
    }

    async fn push_calendar(
        &self,
        call: Call,
        updates: Vec<CalendarUpdate>,
        attempt: Attempt,
    ) -> Finished<Vec<Outcome>> {
        call!(self, call, push_calendar, PushCalendar, "push-calendar.push", |guest, store| {
            let rows: Vec<Vec<_>> = updates.into_iter().map(to_wit::calendar).collect();
            let counts: Vec<usize> = rows.iter().map(Vec::len).collect();
            let rows = rows.concat();
            let reply = guest.call_push(&mut *store, &rows, to_wit::attempt(attempt)).await.map_err(trap)?;
            let outcomes = from_wit::outcomes(reply.map_err(from_wit::channel_error)?, rows.len())?;
            let mut outcomes = outcomes.into_iter();
            // An update without nights succeeds without a call.
            let nothing = || Outcome::Accepted { id: None, replaces: None, confirmed: true, warnings: Vec::new() };
            let whole = |count| outcomes.by_ref().take(count).reduce(Outcome::and).unwrap_or_else(nothing);
            Ok(counts.into_iter().map(whole).collect())
        })
    }

    async fn push_reservations(&self, call: Call, operations: Vec<Operation>) -> Finished<Vec<Outcome>> {
        let given = operations.len();
        call!(self, call, push_reservations, PushReservations, "push-reservations.push", |guest, store| {
            let operations: Vec<_> = operations.into_iter().map(to_wit::operation).collect();
            let reply = guest.call_push(&mut *store, &operations).await.map_err(trap)?;
            from_wit::outcomes(reply.map_err(from_wit::channel_error)?, given)
        })
    }

    async fn push_content(&self, call: Call, items: Vec<ContentItem>, attempt: Attempt) -> Finished<Vec<Outcome>> {
        let given = items.len();
        call!(self, call, push_content, PushContent, "push-content.push", |guest, store| {
            let items: Vec<_> = items.into_iter().map(to_wit::content).collect();
            let reply = guest.call_push(&mut *store, &items, to_wit::attempt(attempt)).await.map_err(trap)?;
            from_wit::outcomes(reply.map_err(from_wit::channel_error)?, given)
        })
    }

    async fn render(&self, call: Call, request: HttpRequest, cursor: Option<String>) -> Finished<Chunk> {
        call!(self, call, feeds, Feeds, "feeds.render", |guest, store| {
            let request = to_wit::request(request);
            let reply = guest.call_render(&mut *store, &request, cursor.as_deref()).await.map_err(trap)?;
            from_wit::chunk(reply.map_err(from_wit::channel_error)?)
        })
    }

    async fn check(&self, call: Call) -> Finished<Report> {
        call!(self, call, connection, Connection, "connection.check", |guest, store| {
            let reply = guest.call_check(&mut *store).await.map_err(trap)?;
            from_wit::report(reply.map_err(from_wit::channel_error)?)
        })
    }

    async fn subscribe(&self, call: Call, endpoint: String) -> Finished<Subscribed> {
        call!(self, call, connection, Connection, "connection.subscribe", |guest, store| {
            let reply = guest.call_subscribe(&mut *store, &endpoint).await.map_err(trap)?;
            reply.map(from_wit::subscribed).map_err(from_wit::channel_error)
        })
    }

    async fn unsubscribe(&self, call: Call, subscriptions: Vec<String>) -> Finished<Vec<String>> {
        call!(self, call, connection, Connection, "connection.unsubscribe", |guest, store| {
            let reply = guest.call_unsubscribe(&mut *store, &subscriptions).await.map_err(trap)?;
            reply.map_err(from_wit::channel_error)
        })
    }
}
