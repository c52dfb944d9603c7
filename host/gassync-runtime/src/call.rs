use std::{sync::Arc, time::Duration};

use gassync_domain::{ChannelError, Clock, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    CoreData, Credentials, Grant, Interface, Memory, MemoryChanges, NoCoreData, NoCredentials, ReplayTransport,
    Transport,
};

/// Resource limits of one call.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Wall-clock time.
    pub wall: Duration,
    /// Processor time.
    pub processor: Duration,
    /// Total linear memory, in bytes.
    pub memory_bytes: usize,
    /// Size of one request or response body, in bytes.
    pub body_bytes: usize,
    /// HTTP requests.
    pub requests: u32,
    /// Changes in one result.
    pub changes: usize,
    /// Bytes copied out of the sandbox.
    pub copied_bytes: usize,
    /// Log lines kept.
    pub log_lines: usize,
    /// Log bytes kept.
    pub log_bytes: usize,
}

const MIB: usize = 1024 * 1024;

/// One tick of the clock that counts processor time.
pub(crate) const TICK: Duration = Duration::from_millis(5);
/// Maximum memory that can be granted, in bytes: the slot size of the pool.
pub const MAX_SANDBOX_BYTES: usize = 256 * MIB;

impl Budget {
    /// Limits for calls on behalf of a waiting caller.
    pub fn decode() -> Self {
        Self {
            wall: Duration::from_secs(1),
            processor: Duration::from_millis(500),
            memory_bytes: 64 * MIB,
            body_bytes: 8 * MIB,
            requests: 20,
            changes: 1_000,
            copied_bytes: 16 * MIB,
            log_lines: 50,
            log_bytes: 64_000,
        }
    }

    /// The highest limits of any call.
    pub fn max() -> Self {
        Self { memory_bytes: MAX_SANDBOX_BYTES, ..Self::fetch() }
    }

    /// Limits for calls to a channel, and for rendering feeds.
    pub fn fetch() -> Self {
        Self { wall: Duration::from_secs(60), processor: Duration::from_secs(5), ..Self::decode() }
    }
}

/// Everything a call can access.
#[derive(Clone)]
pub struct Call {
    /// Call id, for logs.
    pub id: String,
    /// The source's settings, a JSON object.
    pub settings: serde_json::Value,
    /// Hosts the call may reach.
    pub grant: Grant,
    /// Source of the secrets that fill placeholders.
    pub credentials: Arc<dyn Credentials>,
    /// Transport of the call's HTTP requests.
    pub transport: Arc<dyn Transport>,
    /// Clock of the guest.
    pub clock: Clock,
    /// Random seed.
    pub seed: u64,
    /// Resource limits.
    pub budget: Budget,
    /// The source's plugin state, for plugins that import `state`.
    pub memory: Memory,
    /// Core data of the source.
    pub core_data: Arc<dyn CoreData>,
}

impl Call {
    /// Creates a call without network, secrets, plugin state or core data, and with a stopped clock.
    pub fn isolated(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            settings: serde_json::json!({}),
            grant: Grant::default(),
            credentials: Arc::new(NoCredentials),
            transport: Arc::new(ReplayTransport::new(Vec::new())),
            clock: Arc::new(|| Timestamp::UNIX_EPOCH),
            seed: 0,
            budget: Budget::decode(),
            memory: Memory::new(),
            core_data: Arc::new(NoCoreData),
        }
    }
}

/// The result of a call with its record.
#[derive(Debug)]
pub struct Finished<T> {
    /// The result.
    pub result: Result<T, CallError>,
    /// Resource usage, also of a failed call.
    pub record: CallRecord,
}

/// Resource usage and requests of a call.
#[derive(Debug, Clone, Default)]
pub struct CallRecord {
    /// The call's id.
    pub id: String,
    /// Called function, such as `inbound.decode`.
    pub entry: &'static str,
    /// `ok`, the name of the channel error, `trap`, or the exceeded limit.
    pub outcome: &'static str,
    /// Wall-clock time.
    pub wall: Duration,
    /// Processor time, in whole ticks.
    pub processor: Duration,
    /// Peak memory, in bytes.
    pub peak_memory_bytes: usize,
    /// Request body bytes sent.
    pub sent_bytes: u64,
    /// Response body bytes received.
    pub received_bytes: u64,
    /// Changes to the source's plugin state, to be stored with the result. Empty if the call trapped or exceeded a
    /// limit.
    pub memory: MemoryChanges,
    /// HTTP requests, with placeholders instead of secrets.
    pub requests: Vec<RecordedRequest>,
    /// Log lines.
    pub log: Vec<LogLine>,
    /// Log lines dropped over the limit.
    pub log_lines_dropped: usize,
}

/// A request as written by the guest.
#[derive(Debug, Clone, Serialize)]
pub struct RecordedRequest {
    /// Upper case.
    pub method: String,
    /// With placeholders.
    pub url: String,
    /// With placeholders.
    pub headers: Vec<(String, String)>,
    /// With placeholders.
    pub body: Option<Vec<u8>>,
    /// The credential slot the request used, if any.
    pub credential: Option<String>,
    /// Response status, if there was a response.
    pub status: Option<u16>,
    /// Why the gate refused the request, if it did.
    pub refused: Option<String>,
}

/// A log line of a guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// `debug`, `info`, `warn`, `error`, or the name of the standard stream.
    pub level: String,
    /// Message.
    pub message: String,
    /// Fields.
    pub fields: Vec<(String, String)>,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The plugin returned an error of the contract.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The plugin does not export this interface.
    #[error("the plugin does not export {0}")]
    NotExported(Interface),
    /// The plugin trapped.
    #[error("the plugin trapped: {0}")]
    Trap(String),
    /// The plugin exceeded a limit.
    #[error("the plugin exceeded its limit {limit} of {value}")]
    LimitExceeded {
        /// The limit's name.
        limit: &'static str,
        /// The limit's value and unit.
        value: String,
    },
    /// The plugin returned an invalid result.
    #[error("the plugin returned an invalid result: {path} {problem}")]
    InvalidResult {
        /// Path of the invalid value.
        path: String,
        /// Problem.
        problem: String,
    },
    /// The host could not run the plugin.
    #[error("the host could not run the plugin: {0}")]
    Host(String),
}

impl CallError {
    /// True if the plugin caused the failure, rather than the channel or the host.
    pub fn is_plugin_fault(&self) -> bool {
        matches!(
            self,
            Self::Trap(_)
                | Self::LimitExceeded { .. }
                | Self::InvalidResult { .. }
                | Self::Channel(ChannelError::Broken(_))
        )
    }

    /// True if only the plugin can have caused the failure: wall-clock time also depends on channel and host.
    pub fn is_unambiguous_plugin_fault(&self) -> bool {
        self.is_plugin_fault() && !matches!(self, Self::LimitExceeded { limit: "wall", .. })
    }

    /// Short name of the error.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Channel(error) => error.name(),
            Self::NotExported(_) => "unsupported",
            Self::Trap(_) => "trap",
            Self::LimitExceeded { limit, .. } => limit,
            Self::InvalidResult { .. } => "bad-answer",
            Self::Host(_) => "host",
        }
    }
}
