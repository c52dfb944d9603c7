//! What leaves the core for channels: facts become invalidations ([`fan_out`]), invalidations become nights as channels are to have them
//! ([`reckon`]), and what a channel does not surely have is sent ([`calendar`], [`booking`]) and read back ([`read_back`],
//! [`booking_shown`]); [`visit`] counts what came of it.
//!
//! A job that ran is no proof: a night or a booking is there when the channel has said so, or has shown it.

pub mod booking;
pub mod booking_shown;
pub mod calendar;
pub mod fan_out;
pub mod going_live;
mod house_currency;
pub mod read_back;
pub mod reckon;
pub mod visit;

use gassync_domain::{FieldError, Outcome, Pushing};
use gassync_runtime::{CallRecord, Interface};

use crate::talk::Talk;

/// Whether what the channel says it took counts without having been read: some say yes and do nothing.
fn trusts(talk: &Talk<'_>, pushing: &Pushing) -> bool {
    !pushing.read_back || !talk.plugin.exports().contains(&Interface::Pull)
}

/// Where and what, as people read it.
fn in_words(errors: &[FieldError]) -> String {
    if errors.is_empty() {
        return "refused, and the channel does not say why".to_owned();
    }
    errors.iter().map(|error| format!("{} {}", error.path, error.problem)).collect::<Vec<_>>().join("; ")
}

/// Where alone, for what is kept in plain words: what a channel says may repeat what a guest wrote.
fn places(errors: &[FieldError]) -> String {
    let places: Vec<&str> = errors.iter().map(|error| error.path.as_str()).filter(|path| !path.is_empty()).collect();
    if places.is_empty() { "refused".to_owned() } else { format!("refused at {}", places.join(", ")) }
}

/// Whether nothing of a call can have reached the channel.
fn sent_nothing(record: &CallRecord) -> bool {
    record.requests.iter().all(|request| request.refused.is_some())
}

/// What is said of an outcome that leaves open whether the channel has it.
fn unclear(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Other { kind, .. } => format!("the plugin says {kind}, which this host does not know"),
        _ => "the channel may have it or not".to_owned(),
    }
}
