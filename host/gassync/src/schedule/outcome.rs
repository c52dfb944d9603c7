use jiff::SignedDuration;

/// How a job ended.
#[derive(Debug)]
pub enum JobOutcome {
    /// It did what it is for.
    Done,
    /// There is more of it to do, at once.
    Continue,
    /// It is not its turn yet: no attempt is burnt.
    Snooze(SignedDuration, String),
    /// It is to be tried again, after so long where the channel says, and why.
    RetryAfter(Option<SignedDuration>, String),
    /// It is to be tried again after exactly so long, and why; nothing else waits for it.
    RetryAt(SignedDuration, String),
    /// It will never be done as it is, and why.
    Discard(String),
    /// It failed.
    Failed {
        /// As people read it.
        why: String,
        /// Whether and when another attempt makes sense.
        class: FailureClass,
    },
}

/// Whether and when another attempt makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The channel, or its limits, ask to wait; none where they do not say for how long.
    Limited(Option<SignedDuration>),
    /// Another attempt would end the same way.
    Permanent,
    /// Another attempt may succeed.
    Transient,
}
