//! The one table of what a record may say: field, limit and rule of every kind of record, for all plugins, the API and the
//! kit. A fact is mended by it and kept; the strict check of what is asked is what would have to be mended.

mod fields;
mod table;

use crate::{ChangeKind, FieldError, Mended, Validate};
use table::{Record, Table};

/// Most findings that are told of one record.
const MAX_FINDINGS: usize = 100;

/// What going through the table did to a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MendResult {
    /// What was cut, replaced or left out.
    pub mended: Vec<Mended>,
    /// What cannot be mended: without it there is nothing to keep.
    pub refused: Vec<FieldError>,
}

/// Records that are mended field by field.
pub trait Mend {
    /// Mends what can be, and says what it did. Doing it again does nothing.
    fn mend(&mut self) -> MendResult;
}

impl<T: Record> Mend for T {
    fn mend(&mut self) -> MendResult {
        let mut table = Table::default();
        self.mend_fields(&mut table);
        table.mending()
    }
}

/// Asking is held to the same table: whatever would have to be mended is refused, by field and limit.
impl<T: Record> Validate for T {
    fn validate(&self) -> Vec<FieldError> {
        let mut table = Table::default();
        self.clone().mend_fields(&mut table);
        table.strict()
    }
}

impl ChangeKind {
    /// Brings a record into its one form and mends it; news of any other kind has nothing to mend.
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

/// Adds what was noted later to what was noted before; the same thing is noted once.
pub fn join_mended(mended: &mut Vec<Mended>, more: Vec<Mended>) {
    for note in more {
        if mended.len() < MAX_FINDINGS && !mended.contains(&note) {
            mended.push(note);
        }
    }
}

#[cfg(test)]
mod tests;
