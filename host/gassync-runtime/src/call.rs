use std::{sync::Arc, time::Duration};

use gassync_domain::{ChannelError, Clock, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    CoreData, Credentials, Grant, Interface, Memory, MemoryChanges, NoCoreData, NoCredentials, ReplayTransport,
    Transport,
};

/// What one call may use up.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Time on the wall.
    pub wall: Duration,
    /// Time of the processor.
    pub processor: Duration,
    /// All memories together, in bytes.
    pub memory_bytes: usize,
    /// One body, either way, in bytes.
    pub body_bytes: usize,
    /// Requests to the network.
    pub requests: u32,
    /// Changes in one answer.
    pub changes: usize,
    /// Copied out of the sandbox, in bytes.
    pub copied_bytes: usize,
    /// Lines of log kept.
    pub log_lines: usize,
    /// Log kept, in bytes.
    pub log_bytes: usize,
}

const MIB: usize = 1024 * 1024;

/// One tick of the clock that counts processor time.
pub(crate) const TICK: Duration = Duration::from_millis(5);
/// The most memory that an admin may grant: the size of a slot of the pool, in bytes.
pub const MAX_SANDBOX_BYTES: usize = 256 * MIB;

impl Budget {
    /// For answering a caller who waits.
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

    /// The most that any call may have.
    pub fn max() -> Self {
        Self { memory_bytes: MAX_SANDBOX_BYTES, ..Self::fetch() }
    }

    /// For talking to a channel, and for rendering what it fetches.
    pub fn fetch() -> Self {
        Self { wall: Duration::from_secs(60), processor: Duration::from_secs(5), ..Self::decode() }
    }
}

/// Everything a call is given. Nothing else is in its reach.
#[derive(Clone)]
pub struct Call {
    /// For logs.
    pub id: String,
    /// The source's settings, a JSON object.
    pub settings: serde_json::Value,
    /// Where it may go.
    pub grant: Grant,
    /// What fills its placeholders.
    pub credentials: Arc<dyn Credentials>,
    /// How its requests travel.
    pub transport: Arc<dyn Transport>,
    /// What time it is.
    pub clock: Clock,
    /// What its randomness grows from.
    pub seed: u64,
    /// What it may use up.
    pub budget: Budget,
    /// The source's memory, for plugins that keep one.
    pub memory: Memory,
    /// The core's data of the source.
    pub core_data: Arc<dyn CoreData>,
}

impl Call {
    /// A call that reaches nothing: no network, no secrets, no memory, no core data; its time stands still.
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

/// A result and what it took.
#[derive(Debug)]
pub struct Finished<T> {
    /// What came of it.
    pub result: Result<T, CallError>,
    /// What it took; kept whatever came of it.
    pub record: CallRecord,
}

/// What a call took.
#[derive(Debug, Clone, Default)]
pub struct CallRecord {
    /// The call's id.
    pub id: String,
    /// What was called, such as `inbound.decode`.
    pub entry: &'static str,
    /// `ok`, the name of the channel's error, `trap`, or the limit that ended it.
    pub outcome: &'static str,
    /// Time on the wall.
    pub wall: Duration,
    /// Time of the processor, in whole ticks.
    pub processor: Duration,
    /// The most memory it had, in bytes.
    pub peak_memory_bytes: usize,
    /// Sent to the network in bodies, in bytes.
    pub sent_bytes: u64,
    /// Received from the network in bodies, in bytes.
    pub received_bytes: u64,
    /// What it made of the source's memory, to be kept with what came of the call: empty when it trapped or went over a
    /// limit.
    pub memory: MemoryChanges,
    /// What it asked of the network, secrets still placeholders.
    pub requests: Vec<RecordedRequest>,
    /// What it said.
    pub log: Vec<LogLine>,
    /// Lines over the limit, which were not kept.
    pub log_lines_dropped: usize,
}

/// A request as the guest wrote it.
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
    /// The credential slot it used, if any.
    pub credential: Option<String>,
    /// The answer's status, or none when there was no answer.
    pub status: Option<u16>,
    /// Why the gate did not let it out, if it did not.
    pub refused: Option<String>,
}

/// A line a guest wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// `debug`, `info`, `warn`, `error`, or the stream it was written to.
    pub level: String,
    /// What it says.
    pub message: String,
    /// Names and values.
    pub fields: Vec<(String, String)>,
}

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The plugin answered that it cannot.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// The plugin does not have this interface.
    #[error("the plugin does not export {0}")]
    NotExported(Interface),
    /// The plugin broke.
    #[error("the plugin trapped: {0}")]
    Trap(String),
    /// The plugin used up what it was given.
    #[error("the plugin exceeded its limit {limit} of {value}")]
    LimitExceeded {
        /// The limit's name.
        limit: &'static str,
        /// Its value and unit.
        value: String,
    },
    /// The plugin's answer is not what the contract says.
    #[error("the plugin answered what the contract does not allow: {path} {problem}")]
    InvalidResult {
        /// Where.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// The host could not run it.
    #[error("the host could not run the plugin: {0}")]
    Host(String),
}

impl CallError {
    /// Whether the plugin is to blame, and not the channel or this host.
    pub fn is_plugin_fault(&self) -> bool {
        matches!(
            self,
            Self::Trap(_)
                | Self::LimitExceeded { .. }
                | Self::InvalidResult { .. }
                | Self::Channel(ChannelError::Broken(_))
        )
    }

    /// Whether the plugin is to blame and nobody else can be: time on the wall is also the channel's and this host's.
    pub fn is_unambiguous_plugin_fault(&self) -> bool {
        self.is_plugin_fault() && !matches!(self, Self::LimitExceeded { limit: "wall", .. })
    }

    /// One word for it.
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
