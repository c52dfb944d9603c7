use crate::FieldError;

/// An error that a plugin returns. A trap is not one of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The credential no longer works.
    #[error("the channel refused the credential: {0}")]
    Unauthorized(String),
    /// Try again later, after this many seconds if the channel says so.
    #[error("rate limited by the channel")]
    RateLimited(Option<u32>),
    /// The channel is down or returned a server error.
    #[error("the channel is unavailable: {0}")]
    Unavailable(String),
    /// The channel rejected the data.
    #[error("the channel refused {} field(s)", .0.len())]
    Rejected(Vec<FieldError>),
    /// The payload is not what the channel documents.
    #[error("malformed: {0}")]
    Malformed(String),
    /// It conflicts with the channel's state.
    #[error("conflicts with the channel's data: {0}")]
    Conflict(String),
    /// The plugin does not support it.
    #[error("not supported by this plugin")]
    Unsupported,
    /// The plugin's own code failed: an exception of a script.
    #[error("the plugin failed: {0}")]
    Broken(String),
}

impl ChannelError {
    /// The stable name, as in problem documents.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unauthorized(_) => "unauthorized",
            Self::RateLimited(_) => "rate-limited",
            Self::Unavailable(_) => "unavailable",
            Self::Rejected(_) => "rejected",
            Self::Malformed(_) => "malformed",
            Self::Conflict(_) => "conflict",
            Self::Unsupported => "unsupported",
            Self::Broken(_) => "broken",
        }
    }

    /// Whether the same call can succeed later without a repair.
    pub fn passes_by_itself(&self) -> bool {
        matches!(self, Self::RateLimited(_) | Self::Unavailable(_))
    }
}
