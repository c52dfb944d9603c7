//! The worker: claims jobs and messages ([`run`](mod@run)), does them (one file per kind of job) and writes how they ended
//! ([`retry_policy`], [`completer`]); [`relay`](mod@relay) and [`retention`](mod@retention) run beside it. Every job is safe to
//! run twice; none holds a transaction while a plugin or the network works.

mod backfill;
mod completer;
mod extend_horizon;
mod poll;
mod push;
mod read_back;
mod refetch;
mod relay;
mod retention;
mod retry_parked;
mod retry_policy;
mod run;

pub use relay::run as relay;
pub use retention::run as retention;
pub use run::run;

use crate::{channel::ChannelCallError, schedule::JobOutcome};

/// A job whose call of a plugin, or whose transaction, failed.
fn failed(error: &ChannelCallError) -> JobOutcome {
    JobOutcome::Failed { why: error.to_string(), class: error.class() }
}
