//! The worker claims jobs and messages ([`run`](mod@run)), runs them (one file per kind of job) and stores their
//! results ([`retry_policy`], [`completer`]); [`relay`](mod@relay) and [`retention`](mod@retention) run beside it.
//! Every job is safe to run twice; none holds a transaction during a plugin or network call.

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

/// The outcome of a job whose plugin call or transaction failed.
fn failed(error: &ChannelCallError) -> JobOutcome {
    JobOutcome::Failed { why: error.to_string(), class: error.class() }
}
