//! Pushes the core to channels: events invalidate nights ([`fan_out`]), invalidated nights are computed
//! ([`desired`](crate::reconcile::desired)), and unconfirmed state is pushed ([`calendar`] in [`night_runs`], [`booking`]);
//! [`push_tally`] counts the results. [`reconcile`](crate::reconcile) compares what the channel shows later.
//! [`going_live`] makes and executes the plan of a new source.
//!
//! A finished job proves nothing: a night or reservation is confirmed once a read-back shows it, or once the channel
//! acknowledged it and the source trusts acknowledgements.

pub mod booking;
pub mod calendar;
pub mod fan_out;
pub mod going_live;
pub mod night_runs;
pub mod push_tally;

use gassync_domain::{FieldError, Outcome, PushSettings};
use gassync_runtime::{CallRecord, Interface};
use jiff::SignedDuration;

use crate::channel::ChannelSession;

/// Delay between a push and its read-back, so that several records share one read-back.
const READ_BACK_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// True if an acknowledgement counts as confirmation without a read-back: some channels acknowledge and do nothing.
fn trusts_acknowledgements(session: &ChannelSession<'_>, pushing: &PushSettings) -> bool {
    !pushing.read_back || !session.plugin.exports().contains(&Interface::Pull)
}

/// Describes errors for people: path and problem.
fn describe_errors(errors: &[FieldError]) -> String {
    if errors.is_empty() {
        return "refused without a reason".to_owned();
    }
    errors.iter().map(|error| format!("{} {}", error.path, error.problem)).collect::<Vec<_>>().join("; ")
}

/// Lists only the paths, for texts stored in the clear: a channel's message may repeat what a guest wrote.
fn error_paths(errors: &[FieldError]) -> String {
    let places: Vec<&str> = errors.iter().map(|error| error.path.as_str()).filter(|path| !path.is_empty()).collect();
    if places.is_empty() { "refused".to_owned() } else { format!("refused at {}", places.join(", ")) }
}

/// True if no request of the call can have reached the channel.
fn sent_nothing(record: &CallRecord) -> bool {
    record.requests.iter().all(|request| request.refused.is_some())
}

/// Describes an outcome that leaves the channel's state in doubt.
fn describe_unclear(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Other { kind, .. } => format!("the plugin returned {kind}, which this host does not know"),
        _ => "the channel may have it or not".to_owned(),
    }
}
