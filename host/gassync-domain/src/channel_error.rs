use crate::FieldError;

/// What a plugin says when it cannot. A trap is not one of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The credential does not work any more.
    #[error("the channel refused our credential: {0}")]
    Unauthorized(String),
    /// Come back later, after so many seconds where the channel says.
    #[error("the channel asks us to slow down")]
    RateLimited(Option<u32>),
    /// The channel is down or answered nonsense of the server kind.
    #[error("the channel is not available: {0}")]
    Unavailable(String),
    /// The channel refused what we sent.
    #[error("the channel refused {} field(s)", .0.len())]
    Rejected(Vec<FieldError>),
    /// The payload is not what the channel's documentation says.
    #[error("not understood: {0}")]
    Malformed(String),
    /// It collides with what the channel has.
    #[error("conflicts with what the channel has: {0}")]
    Conflict(String),
    /// This plugin does not do that.
    #[error("this plugin does not do that")]
    Unsupported,
    /// The plugin's own code failed where it should not: an exception of a script.
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

    /// Whether the same call can succeed later without anybody mending anything.
    pub fn passes_by_itself(&self) -> bool {
        matches!(self, Self::RateLimited(_) | Self::Unavailable(_))
    }
}
