//! The table of field limits and rules for every kind of record, used for plugins, the API and the SDK. Facts are
//! mended by it and stored; requests are refused for anything that would need mending.

mod fields;
mod table;

use crate::{ChangeKind, FieldError, Mended, Validate};
use table::{Record, Table};

/// Maximum number of findings reported per record.
const MAX_FINDINGS: usize = 100;

/// The result of mending a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MendResult {
    /// Truncated, replaced or removed values.
    pub mended: Vec<Mended>,
    /// Errors that cannot be mended; the record cannot be stored.
    pub refused: Vec<FieldError>,
}

/// Records that are mended field by field.
pub trait Mend {
    /// Mends the record and reports the changes. Idempotent.
    fn mend(&mut self) -> MendResult;
}

impl<T: Record> Mend for T {
    fn mend(&mut self) -> MendResult {
        let mut table = Table::default();
        self.mend_fields(&mut table);
        table.mending()
    }
}

/// Requests are checked by the same table: anything that would be mended is an error.
impl<T: Record> Validate for T {
    fn validate(&self) -> Vec<FieldError> {
        let mut table = Table::default();
        self.clone().mend_fields(&mut table);
        table.strict()
    }
}

impl ChangeKind {
    /// Normalises and mends the record of a change; changes without a record are left alone.
    pub fn mend(&mut self) -> MendResult {
        match self {
            Self::Property(record) => {
                record.normalise();
                record.mend()
            }
            Self::RoomType(record) => {
                record.normalise();
                record.mend()
            }
            Self::RatePlan(record) => {
                record.normalise();
                record.mend()
            }
            Self::Reservation(record) => {
                record.normalise();
                record.mend()
            }
            Self::Guest(record) => {
                record.normalise();
                record.mend()
            }
            Self::Block(record) => {
                record.normalise();
                record.mend()
            }
            Self::Calendar(record) => record.mend(),
            Self::Removed(_)
            | Self::Refetch(_)
            | Self::Unreadable(_)
            | Self::Connection(_)
            | Self::Ask(_)
            | Self::Other { .. } => MendResult::default(),
        }
    }
}

/// Appends findings, without duplicates.
pub fn join_mended(mended: &mut Vec<Mended>, more: Vec<Mended>) {
    for note in more {
        if mended.len() < MAX_FINDINGS && !mended.contains(&note) {
            mended.push(note);
        }
    }
}

#[cfg(test)]
mod tests;
