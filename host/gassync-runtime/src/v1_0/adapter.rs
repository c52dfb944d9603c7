use std::sync::Arc;

use async_trait::async_trait;
use gassync_domain::{Clock, Decoded, HttpRequest, Page, Query, Timestamp};
use wasmtime::{
    Engine, Store,
    component::{Component, Instance, InstancePre},
};

use super::{bindings::exports::gassync::channel as exports, convert, host};
use crate::{
    Adapter, Budget, Call, CallError, Finished, Grant, Interface, LoadError, Manifest, NoCredentials, ReplayTransport,
    sandbox::{self, Guest},
};

struct Plugin {
    engine: Engine,
    ready: InstancePre<Guest>,
    manifest: Manifest,
    hash: String,
    about: exports::about::GuestIndices,
    inbound: Option<exports::inbound::GuestIndices>,
    pull: Option<exports::pull::GuestIndices>,
    exports: Vec<Interface>,
}

/// Links a component, instantiates it once with every interface it exports, and asks for its manifest.
pub(crate) async fn load(engine: &Engine, component: &Component, hash: String) -> Result<Arc<dyn Adapter>, LoadError> {
    let unfit = |e: wasmtime::Error| LoadError::Contract(format!("{e:#}"));
    let ready = sandbox::prelink(engine, component, host::link).map_err(unfit)?;
    let has = |interface: &str| {
        let name = format!("gassync:channel/{interface}@{}", super::CONTRACT);
        component.component_type().exports(engine).any(|(export, _)| export == name)
    };
    let about = exports::about::GuestIndices::new(&ready).map_err(unfit)?;
    let inbound = has("inbound").then(|| exports::inbound::GuestIndices::new(&ready)).transpose().map_err(unfit)?;
    let pull = has("pull").then(|| exports::pull::GuestIndices::new(&ready)).transpose().map_err(unfit)?;
    let exports = [(inbound.is_some(), Interface::Inbound), (pull.is_some(), Interface::Pull)];
    let mut plugin = Plugin {
        engine: engine.clone(),
        ready,
        manifest: nothing(),
        hash,
        about,
        inbound,
        pull,
        exports: exports.into_iter().filter_map(|(there, interface)| there.then_some(interface)).collect(),
    };
    let text = plugin.describe().await.map_err(|e| LoadError::Contract(e.to_string()))?;
    plugin.manifest = Manifest::parse(&text)?;
    if plugin.manifest.contract != super::CONTRACT {
        let said = &plugin.manifest.contract;
        return Err(LoadError::Contract(format!("its manifest says contract {said}, its code {}", super::CONTRACT)));
    }
    Ok(Arc::new(plugin))
}

/// Stands in until the plugin has been asked.
fn nothing() -> Manifest {
    Manifest {
        schema_version: 0,
        id: String::new(),
        display_name: String::new(),
        version: String::new(),
        contract: String::new(),
        vendor: String::new(),
        hosts: Vec::new(),
        credentials: Vec::new(),
        routes: Vec::new(),
        polls: Vec::new(),
        rate_limits: Vec::new(),
        sensitive: Vec::new(),
        settings: serde_json::Value::Null,
        counts_own_bookings: false,
        needs_content_first: false,
    }
}

impl Plugin {
    async fn describe(&self) -> Result<String, CallError> {
        let clock: Clock = Arc::new(|| Timestamp::UNIX_EPOCH);
        let call = Call {
            id: "describe".to_owned(),
            settings: serde_json::json!({}),
            grant: Grant::default(),
            credentials: Arc::new(NoCredentials),
            transport: Arc::new(ReplayTransport::new(Vec::new())),
            clock,
            seed: 0,
            budget: Budget::decode(),
        };
        let finished = sandbox::run(self, sandbox::open(&self.engine, &call), &call, move |plugin, store| {
            Box::pin(async move {
                let instance = plugin.instantiate(store).await?;
                let about = plugin.about.load(&mut *store, &instance).map_err(trap)?;
                // An interface that does not load fails here, and not at the first call.
                if let Some(inbound) = &plugin.inbound {
                    inbound.load(&mut *store, &instance).map_err(trap)?;
                }
                if let Some(pull) = &plugin.pull {
                    pull.load(&mut *store, &instance).map_err(trap)?;
                }
                about.call_describe(&mut *store).await.map_err(trap)
            })
        });
        finished.await.result
    }

    async fn instantiate(&self, store: &mut Store<Guest>) -> Result<Instance, CallError> {
        self.ready.instantiate_async(store).await.map_err(|e| CallError::Host(format!("{e:#}")))
    }
}

fn trap(error: wasmtime::Error) -> CallError {
    CallError::Trap(format!("{:#}", error.root_cause()))
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

    async fn decode(&self, call: Call, request: HttpRequest) -> Finished<Decoded> {
        let limit = call.budget.changes;
        sandbox::run(self, sandbox::open(&self.engine, &call), &call, move |plugin, store| {
            Box::pin(async move {
                let indices = plugin.inbound.as_ref().ok_or(CallError::NotExported(Interface::Inbound))?;
                let instance = plugin.instantiate(store).await?;
                let inbound = indices.load(&mut *store, &instance).map_err(trap)?;
                let request = convert::request(request);
                let answer = inbound.call_decode(&mut *store, &request).await.map_err(trap)?;
                convert::decoded(answer.map_err(convert::channel_error)?, limit)
            })
        })
        .await
    }

    async fn fetch(&self, call: Call, query: Query) -> Finished<Page> {
        let limit = call.budget.changes;
        sandbox::run(self, sandbox::open(&self.engine, &call), &call, move |plugin, store| {
            Box::pin(async move {
                let indices = plugin.pull.as_ref().ok_or(CallError::NotExported(Interface::Pull))?;
                let instance = plugin.instantiate(store).await?;
                let pull = indices.load(&mut *store, &instance).map_err(trap)?;
                let query = convert::query(query);
                let answer = pull.call_fetch(&mut *store, &query).await.map_err(trap)?;
                convert::page(answer.map_err(convert::channel_error)?, limit)
            })
        })
        .await
    }
}
