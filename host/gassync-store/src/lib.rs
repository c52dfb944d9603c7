//! All SQL of the program, and nothing else.
//!
//! Each operation has one text that runs on both engines, through the two-armed [`Tx`] and the macro `on!`. The common
//! subset: lower case, `$n`, `returning`, `on conflict`, CTEs, `exists`, `coalesce`, `cast(… as …)`. Not in it: `::`,
//! arrays, `now()` (times are arguments), intervals, JSON operators in `where`, `ilike`. Where texts must differ,
//! [`Tx::dialect`] takes both side by side. Statements over many rows take them through [`rows`], the only place that
//! uses arrays.
//!
//! Every function takes `&mut Tx`, so that operations compose in one transaction; the account, alone or in the
//! [`SourceKey`](gassync_domain::SourceKey), is the next argument.

pub mod accounts;
pub mod alarms;
pub mod backfills;
pub mod buffer;
pub mod calendar;
pub mod closures;
pub mod connections;
pub mod core;
mod db;
pub mod decisions;
mod fault;
pub mod idempotency;
pub mod inbox;
pub mod installation;
pub mod keys;
mod lease;
pub mod ledger;
pub mod link_health;
pub mod mappings;
pub mod missing;
pub mod outbound;
pub mod outbox;
pub mod parked;
pub mod plugin_state;
pub mod plugins;
pub mod poll_failures;
pub mod queue;
pub mod retention;
pub mod rows;
pub mod set_aside;
pub mod source_removal;
pub mod source_switches;
pub mod sources;
pub mod status;
mod stay_rules;
pub mod sync_log;
pub mod sync_runs;
pub mod time_zones;
mod types;
pub mod webhooks;
mod writer;

pub use db::{Db, DbError, Tx};
pub use fault::{Fault, fault};
pub use lease::Lease;
pub use types::{Day, MoneyTenThousandths, Time};

pub(crate) use db::on;
pub(crate) use types::word;

/// Store functions fail only with database errors, never because of a business rule.
pub type Result<T> = std::result::Result<T, sqlx::Error>;
