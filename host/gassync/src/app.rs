//! The shared state of a running host.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context;
use axum::extract::FromRef;
use gassync_domain::{AccountId, Clock, ConnectionId, Timestamp};
use gassync_runtime::{Engine, EngineSettings, HttpTransport, Manifest, Network, SendError};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    egress::SubscriberNetwork,
    http::OperatorToken,
    limits::{Breakers, ChannelLimits, LimitedTransport, LocalBreakers, LocalLimits, SharedLimits},
    plugins::{self, PluginRegistry},
    store::{self, Db},
    vault::{self, Random, Vault},
    waiting::{self, Sleep},
};

/// The name of the operator token's file in the data folder.
pub const OPERATOR_TOKEN_FILE: &str = "operator.token";
/// The name of the encryption key's file in the data folder.
const SECRET_KEY_FILE: &str = "secret.key";

/// A running host.
pub struct App {
    /// Its settings.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// Loaded plugins.
    pub plugins: Arc<PluginRegistry>,
    /// Encrypts secrets.
    pub vault: Vault,
    /// The source of randomness.
    pub random: Random,
    /// The clock.
    pub clock: Clock,
    /// Waits by the clock.
    pub sleep: Sleep,
    /// The network for calls to channels.
    pub network: Network,
    /// The network for deliveries to subscribers.
    pub subscribers: SubscriberNetwork,
    /// The operator token.
    pub operator_token: String,
    /// Signals new work in a queue.
    pub wake: Arc<Notify>,
    /// Signals new facts in the outbox.
    pub facts: Notify,
    /// Signals new entries in the change feed.
    pub feed: Notify,
    /// Cancelled at shutdown.
    pub stopping: CancellationToken,
    /// Rate limits of channels.
    pub channel_limits: Arc<dyn ChannelLimits>,
    /// Circuit breakers of channels.
    pub breakers: Arc<dyn Breakers>,
    /// Limits concurrent plugin calls.
    pub calls: Arc<Semaphore>,
    /// Counts changes of keys and their sources: cached keys from before a change are invalid.
    pub key_changes: AtomicU64,
}

impl App {
    /// Opens the database, the keys and the plugin engine. Does not listen and starts no tasks.
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
        let wake = Arc::new(Notify::new());
        let plugins = PluginRegistry::new(plugins::RegistryParts {
            engine,
            db: db.clone(),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            dir: config.plugins.dir.clone(),
            data_dir: data.clone(),
            wake: Arc::clone(&wake),
        });
        Ok(Arc::new(Self {
            db,
            plugins: Arc::new(plugins),
            vault,
            random,
            clock,
            sleep: waiting::system_sleep(),
            network: Network::new()?,
            subscribers: SubscriberNetwork::new(&config.webhooks.allow_private)?,
            operator_token,
            wake,
            facts: Notify::new(),
            feed: Notify::new(),
            stopping: CancellationToken::new(),
            channel_limits: Arc::new(LocalLimits::default()),
            breakers: Arc::new(LocalBreakers::default()),
            calls: Arc::new(Semaphore::new(config.plugins.concurrent_calls as usize)),
            key_changes: AtomicU64::default(),
            config,
        }))
    }

    /// Replaces the clock, before anything runs.
    ///
    /// # Panics
    ///
    /// If the registry of plugins is shared already: it would keep the former clock.
    pub fn set_clock(&mut self, clock: Clock) {
        Arc::get_mut(&mut self.plugins).expect("nothing runs yet").set_clock(Arc::clone(&clock));
        self.clock = clock;
    }

    /// Records that keys or their sources may have changed.
    pub fn keys_changed(&self) {
        self.key_changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A random number between 0 and 1, to spread retries.
    pub fn jitter(&self) -> f64 {
        let mut bytes = [0; 4];
        (self.random)(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
    }

    /// A random seed for a plugin call.
    pub fn seed(&self) -> u64 {
        let mut bytes = [0; 8];
        (self.random)(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// The transport of a connection, with the channel's rate limits and circuit breaker.
    pub fn transport(
        &self,
        manifest: &Manifest,
        (account, connection): (AccountId, ConnectionId),
    ) -> Result<LimitedTransport<HttpTransport>, SendError> {
        let shared = SharedLimits {
            limits: Arc::clone(&self.channel_limits),
            breakers: Arc::clone(&self.breakers),
            clock: Arc::clone(&self.clock),
            sleep: Arc::clone(&self.sleep),
        };
        let network = self.network.of(&format!("{account}/{connection}"))?;
        Ok(LimitedTransport::new(shared, network, manifest, (account, connection)))
    }

    /// The public URL of this host.
    pub fn public_url(&self) -> String {
        match self.config.server.public_url.trim_end_matches('/') {
            "" => format!("http://{}", self.config.server.listen),
            url => url.to_owned(),
        }
    }
}

impl FromRef<Arc<App>> for OperatorToken {
    fn from_ref(app: &Arc<App>) -> Self {
        Self(app.operator_token.clone())
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
