//! States of the domain's machine in the columns of a row.

use gassync_domain::{MismatchStep, SyncEvent, SyncState, SyncStatus};
use sqlx::FromRow;

/// The columns of a state: `#[sqlx(flatten, try_from = "SyncStateRow")]`.
#[derive(Debug, FromRow)]
pub struct SyncStateRow {
    #[sqlx(try_from = "String")]
    state: SyncStatus,
    in_doubt: bool,
    mismatch_count: i64,
}

impl From<SyncStateRow> for SyncState {
    fn from(row: SyncStateRow) -> Self {
        Self { status: row.state, in_doubt: row.in_doubt, mismatch_count: row.mismatch_count }
    }
}

/// What an event does to a stored count of mismatches, as a factor and a summand: another transaction may have changed the
/// count since it was read.
pub(super) fn mismatch_step(event: SyncEvent) -> (i64, i64) {
    match event.mismatches() {
        MismatchStep::Keep => (1, 0),
        MismatchStep::Clear => (0, 0),
        MismatchStep::Add => (1, 1),
    }
}
