//! One plugin call for a source: its inputs, and how a failure is handled.

use std::sync::Arc;

use gassync_domain::{ChannelError, ConnectionId};
use gassync_runtime::{Budget, Call, CallError, CallRecord, HttpTransport, Transport};
use jiff::SignedDuration;
use tokio::sync::OwnedSemaphorePermit;

use super::plugin_state::{self, PluginStateError};
use crate::{
    app::App,
    credentials::ConnectionSecrets,
    limits::LimitedTransport,
    plugins::{self, NotLoaded, Plugin},
    schedule::FailureClass,
    store::{
        connections, source_switches,
        sources::{self, Source, SourceState},
    },
};

/// Why a channel call failed.
#[derive(Debug, thiserror::Error)]
pub enum ChannelCallError {
    /// An error of the plugin, or of the channel behind it.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A database error.
    #[error("database error: {0}")]
    Store(#[from] sqlx::Error),
    /// The plugin state is not available.
    #[error(transparent)]
    PluginState(#[from] PluginStateError),
    /// The channel's plugin is not loaded.
    #[error(transparent)]
    NotLoaded(#[from] NotLoaded),
    /// The pages of a fetch do not end.
    #[error("the fetch does not end: {0}")]
    Endless(String),
    /// The source has no connection: a partner's API source.
    #[error("the source has no connection")]
    NoConnection,
}

impl ChannelCallError {
    /// Whether and when another attempt makes sense.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Call(CallError::Channel(ChannelError::RateLimited(seconds))) => {
                FailureClass::Limited(seconds.map(|seconds| SignedDuration::from_secs(i64::from(seconds))))
            }
            Self::NoConnection
            | Self::Call(CallError::NotExported(_) | CallError::Channel(ChannelError::Unsupported)) => {
                FailureClass::Permanent
            }
            _ => FailureClass::Transient,
        }
    }
}

/// A source with its connection and plugin.
pub struct ChannelSession<'a> {
    /// The host.
    pub app: &'a Arc<App>,
    /// The source.
    pub source: &'a Source,
    /// The connection.
    pub connection: ConnectionId,
    /// The active plugin version.
    pub plugin: Arc<Plugin>,
}

impl<'a> ChannelSession<'a> {
    /// Opens a session with the active plugin version.
    pub fn open(app: &'a Arc<App>, source: &'a Source) -> Result<Self, ChannelCallError> {
        let connection = source.connection.ok_or(ChannelCallError::NoConnection)?;
        let plugin = app.plugins.require(&source.source_type)?;
        Ok(Self { app, source, connection, plugin })
    }

    /// The transport to the channel, with its rate limits.
    pub fn network(&self) -> Result<LimitedTransport<HttpTransport>, ChannelCallError> {
        let network = self.app.transport(self.plugin.manifest(), (self.source.account, self.connection));
        Ok(network.map_err(|error| CallError::Host(error.to_string()))?)
    }

    /// Prepares a call with the budget of a channel call. Keep the returned permit until the call ends.
    pub async fn call(
        &self,
        id: String,
        transport: Arc<dyn Transport>,
    ) -> Result<(Call, ConnectionSecrets, OwnedSemaphorePermit), ChannelCallError> {
        let Self { app, source, connection, plugin } = self;
        // Wait before reading anything that may change meanwhile.
        let place = Arc::clone(&app.calls).acquire_owned().await;
        let place = place.map_err(|error| CallError::Host(error.to_string()))?;
        let settings = source.config.clone();
        let secrets =
            ConnectionSecrets::new(Arc::clone(app), source.account, *connection, Arc::clone(plugin), settings);
        let call = Call {
            id,
            settings: plugin.manifest().with_defaults(&source.config),
            grant: secrets.grant().await.map_err(|error| CallError::Host(format!("{error:#}")))?,
            credentials: Arc::new(secrets.clone()),
            transport,
            clock: app.clock.clone(),
            seed: app.seed(),
            budget: plugin.budget(Budget::fetch()),
            memory: plugin_state::load(app, plugin, source).await?,
            ..Call::isolated("")
        };
        Ok((call, secrets, place))
    }

    /// Stores a failed call and handles the failure: renews a refused credential or expires its source, and records a fault of the
    /// plugin.
    pub async fn failed(
        &self,
        error: CallError,
        record: CallRecord,
        secrets: ConnectionSecrets,
    ) -> Result<ChannelCallError, ChannelCallError> {
        let Self { app, source, connection, plugin } = self;
        let mut tx = app.db.write(source.account).await?;
        let now = app.now();
        let (place, why) = ((source.account, *connection), error.to_string());
        plugins::keep_call(&app.vault, &mut tx, place, (plugin, &record, Some(&why)), now).await?;
        // Keep state changes of a failed call too: the plugin may have written at the channel.
        plugin_state::save(&app.vault, &mut tx, source, record.memory, now).await?;
        let refused = matches!(error, CallError::Channel(ChannelError::Unauthorized(_)));
        // A token may be revoked early: the job continues with a new one.
        if refused && !secrets.invalidate(&mut tx).await? {
            connections::reset_refusals(&mut tx, source.account, *connection).await?;
            let working = (&[SourceState::Active, SourceState::Error][..], SourceState::Expired);
            sources::set_status_of_connection(&mut tx, source.account, *connection, working).await?;
            tracing::error!(source = %source.id, "credential refused by the channel; source must be reconnected");
        }
        source_switches::record_channel_call(&mut tx, source.key(), false, now).await?;
        tx.commit().await?;
        if error.is_unambiguous_plugin_fault() {
            plugins::record_fault(&app.plugins, plugin, source.account, *connection, &why).await?;
        }
        Ok(error.into())
    }
}
