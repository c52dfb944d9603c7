//! What leaves the core for channels: facts become nights and bookings that are to be pushed ([`fan_out`]), and what a channel
//! does not surely have is sent ([`calendar`], [`booking`]); [`push_tally`] counts what came of it. [`going_live`] is what a source
//! that listens would change. What a channel is to have, and whether it shows it, is [`crate::reconcile`]'s.
//!
//! A job that ran is no proof: a night or a booking is there when the channel has said so, or has shown it.

pub mod booking;
pub mod calendar;
pub mod fan_out;
pub mod going_live;
pub mod push_tally;

use gassync_domain::{FieldError, Outcome, PushSettings};
use gassync_runtime::{CallRecord, Interface};

use crate::channel::ChannelSession;

/// Whether what the channel says it took counts without having been read: some say yes and do nothing.
fn trusts_acknowledgements(session: &ChannelSession<'_>, pushing: &PushSettings) -> bool {
    !pushing.read_back || !session.plugin.exports().contains(&Interface::Pull)
}

/// Where and what, as people read it.
fn describe_errors(errors: &[FieldError]) -> String {
    if errors.is_empty() {
        return "refused, and the channel does not say why".to_owned();
    }
    errors.iter().map(|error| format!("{} {}", error.path, error.problem)).collect::<Vec<_>>().join("; ")
}

/// Where alone, for what is kept in plain words: what a channel says may repeat what a guest wrote.
fn error_paths(errors: &[FieldError]) -> String {
    let places: Vec<&str> = errors.iter().map(|error| error.path.as_str()).filter(|path| !path.is_empty()).collect();
    if places.is_empty() { "refused".to_owned() } else { format!("refused at {}", places.join(", ")) }
}

/// Whether nothing of a call can have reached the channel.
fn sent_nothing(record: &CallRecord) -> bool {
    record.requests.iter().all(|request| request.refused.is_some())
}

/// What is said of an outcome that leaves open whether the channel has it.
fn describe_unclear(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Other { kind, .. } => format!("the plugin says {kind}, which this host does not know"),
        _ => "the channel may have it or not".to_owned(),
    }
}
