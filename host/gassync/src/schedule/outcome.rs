use jiff::SignedDuration;

/// Outcome of a job.
#[derive(Debug)]
pub enum JobOutcome {
    /// Done.
    Done,
    /// Partly done: continue at once.
    Continue,
    /// Not attempted: try later without counting an attempt.
    Snooze(SignedDuration, String),
    /// Retry, after the channel's delay if it gave one; pauses the queue then.
    RetryAfter(Option<SignedDuration>, String),
    /// Retry after exactly this delay; other jobs do not wait.
    RetryAt(SignedDuration, String),
    /// It can never succeed.
    Discard(String),
    /// It failed.
    Failed {
        /// The reason, for people.
        why: String,
        /// Whether and when another attempt makes sense.
        class: FailureClass,
    },
}

impl JobOutcome {
    /// Its word in the log.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Continue => "continued",
            Self::Snooze(..) => "snoozed",
            Self::RetryAfter(..) | Self::RetryAt(..) => "retried",
            Self::Discard(_) => "discarded",
            Self::Failed { .. } => "failed",
        }
    }
}

/// Whether and when another attempt makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The channel or its limits require a wait; `None` if the duration is unknown.
    Limited(Option<SignedDuration>),
    /// Another attempt would end the same way.
    Permanent,
    /// Another attempt may succeed.
    Transient,
}
