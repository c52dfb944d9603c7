//! What the parts of a running host share.

use std::{
    collections::{HashMap, HashSet},
    fs,
    sync::{Arc, Mutex as StdMutex, PoisonError},
};

use anyhow::Context;
use gassync_domain::{AccountId, Clock, ConnectionId, Timestamp};
use gassync_runtime::{Engine, EngineSettings, HttpTransport, Manifest, Network, SendError};
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{KnownKeys, Together, Traffic},
    channel_limits::{Breakers, ChannelLimits, LimitedTransport, LocalBreakers, LocalLimits},
    config::Config,
    jobs::Finisher,
    plugins::Plugins,
    rate_limit::RateLimits,
    store::{self, Db},
    vault::{self, Random, Vault},
    webhooks::Way,
};

/// The name of the operator token's file in the data folder.
pub const OPERATOR_TOKEN_FILE: &str = "operator.token";
/// The name of the sealing key's file in the data folder.
const SECRET_KEY_FILE: &str = "secret.key";

/// One host.
pub struct App {
    /// Its settings.
    pub config: Config,
    /// All durable state.
    pub db: Db,
    /// The plugins that are loaded.
    pub plugins: Plugins,
    /// Seals credentials.
    pub vault: Vault,
    /// Where keys and ids come from.
    pub random: Random,
    /// Where "now" comes from.
    pub clock: Clock,
    /// The way to the network.
    pub network: Network,
    /// The way to subscribers.
    pub subscribers: Way,
    /// What operators show to be let in.
    pub operator_token: String,
    /// Told when there is something in a queue.
    pub wake: Notify,
    /// Told when facts may have left the core.
    pub facts: Notify,
    /// Told when the feed of changes has grown.
    pub feed: Notify,
    /// Cancelled when the host is to stop.
    pub stopping: CancellationToken,
    /// What channels allow, and how much of it is taken.
    pub channel_limits: Box<dyn ChannelLimits>,
    /// Which channels are left alone because they are down.
    pub breakers: Box<dyn Breakers>,
    /// Calls into plugins that jobs may make at once.
    pub calls: Arc<Semaphore>,
    /// What came of work and is to be written.
    pub finisher: Finisher,
    /// How often keys have called.
    pub rate_limits: RateLimits,
    /// Whose keys were seen just now.
    pub known_keys: KnownKeys,
    /// Which sources called just now.
    pub traffic: Traffic,
    /// Records that wait for the database.
    pub together: Together,
    running: StdMutex<HashSet<String>>,
    lanes: Mutex<HashMap<ConnectionId, Arc<Mutex<()>>>>,
}

impl App {
    /// Opens the database, the keys and the engine. Nothing listens and nothing runs yet.
    pub async fn open(config: Config, clock: Clock, random: Random) -> anyhow::Result<Arc<Self>> {
        let data = &config.data.dir;
        fs::create_dir_all(data).with_context(|| format!("setting data.dir: cannot make {}", data.display()))?;
        fs::create_dir_all(&config.plugins.dir)
            .with_context(|| format!("setting plugins.dir: cannot make {}", config.plugins.dir.display()))?;
        let db = Db::open(&config.database.url).await.context("setting database.url")?;
        if config.database.migrate {
            db.migrate().await?;
        }
        db.check_version().await?;
        let mut tx = db.platform_write().await.context("setting database.url")?;
        store::installation::settle(&mut tx, &vault::token(&random, "")).await?;
        tx.commit().await?;
        let vault = Vault::new(&secret_key(&config, &random)?, random.clone());
        let engine = Engine::new(EngineSettings {
            cache_dir: Some(data.join("compiled")),
            cache_key: vault.cache_key(),
            concurrent_calls: config.plugins.concurrent_calls,
        })?;
        let operator_token = match config.secrets.operator_token.0.as_str() {
            "" => vault::private_file(&data.join(OPERATOR_TOKEN_FILE), || vault::token(&random, "gso_"))?,
            given => given.to_owned(),
        };
        let plugins = Plugins::new(engine, config.plugins.dir.clone());
        Ok(Arc::new(Self {
            db,
            plugins,
            vault,
            random,
            clock,
            network: Network::new()?,
            subscribers: Way::new(&config.webhooks.allow)?,
            operator_token,
            wake: Notify::new(),
            facts: Notify::new(),
            feed: Notify::new(),
            stopping: CancellationToken::new(),
            channel_limits: Box::new(LocalLimits::default()),
            breakers: Box::new(LocalBreakers::default()),
            calls: Arc::new(Semaphore::new(config.plugins.concurrent_calls as usize)),
            finisher: Finisher::default(),
            rate_limits: RateLimits::new(config.limits.key_requests, config.limits.key_window_seconds),
            known_keys: KnownKeys::default(),
            traffic: Traffic::default(),
            together: Together::default(),
            running: StdMutex::default(),
            lanes: Mutex::default(),
            config,
        }))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A number between 0 and 1 to spread retries with.
    pub fn jitter(&self) -> f64 {
        let mut bytes = [0; 4];
        (self.random)(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
    }

    /// What a call's randomness grows from.
    pub fn seed(&self) -> u64 {
        let mut bytes = [0; 8];
        (self.random)(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// The way to the network for a connection, within what its channel allows.
    pub fn transport(
        self: &Arc<Self>,
        manifest: &Manifest,
        (account, connection): (AccountId, ConnectionId),
    ) -> Result<LimitedTransport<HttpTransport>, SendError> {
        let network = self.network.of(&format!("{account}/{connection}"))?;
        Ok(LimitedTransport::new(Arc::clone(self), network, manifest, (account, connection)))
    }

    /// How the outside reaches this host.
    pub fn public_url(&self) -> String {
        match self.config.server.public_url.trim_end_matches('/') {
            "" => format!("http://{}", self.config.server.listen),
            url => url.to_owned(),
        }
    }

    /// Takes a name that only one may have at a time; none while another has it.
    pub fn only_one(self: &Arc<Self>, name: String) -> Option<OnlyOne> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(name.clone()).then(|| OnlyOne { app: Arc::clone(self), name })
    }

    /// One talk at a time with a connection: channels ask for it.
    pub async fn lane(&self, connection: ConnectionId) -> Arc<Mutex<()>> {
        Arc::clone(self.lanes.lock().await.entry(connection).or_default())
    }
}

/// A name that nobody else has until this is dropped.
pub struct OnlyOne {
    app: Arc<App>,
    name: String,
}

impl Drop for OnlyOne {
    fn drop(&mut self) {
        self.app.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

fn secret_key(config: &Config, random: &Random) -> anyhow::Result<[u8; 32]> {
    let text = match config.secrets.key.0.as_str() {
        "" => vault::private_file(&config.data.dir.join(SECRET_KEY_FILE), || vault::token(random, ""))?,
        given => given.to_owned(),
    };
    let bytes = hex::decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.context("setting secrets.key: the key is not 32 bytes in hex")
}
