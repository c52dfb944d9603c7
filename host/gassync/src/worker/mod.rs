//! The worker claims jobs and messages ([`run`](mod@run)), runs them (the trait of jobs is [`job`], a file holds what each
//! does, [`jobs`] lists them) and stores their results ([`retry_policy`], [`completer`]); [`relay`](mod@relay) and
//! [`retention`](mod@retention) run beside it. Every job is safe to run twice; none holds a transaction during a plugin or
//! network call.

mod backfill;
mod completer;
mod deliver;
mod extend_horizon;
mod job;
mod jobs;
mod push_booking;
mod push_calendar;
mod read_back;
mod refetch;
mod relay;
mod retention;
mod retry_parked;
mod retry_policy;
mod run;
mod run_poll;

pub use backfill::ContinueBackfill;
pub use job::RegisteredJob;
pub use jobs::job_named;
pub use relay::run as relay;
pub use retention::run as retention;
pub use run::run;
