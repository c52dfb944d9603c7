use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The longest id, in characters.
pub const MAX_ID_CHARS: usize = 255;
/// The longest name, in characters.
pub const MAX_NAME_CHARS: usize = 255;
/// The longest free text, in characters.
pub(crate) const MAX_TEXT_CHARS: usize = 20_000;
/// Most lines of a price.
pub const MAX_PRICE_LINES: usize = 100;
/// Most room types that a record names.
pub(crate) const MAX_ROOM_TYPES: usize = 10_000;
/// Most nights of a block.
pub const MAX_BLOCK_NIGHTS: i32 = 3_660;
/// Most rooms in one reservation.
pub const MAX_ROOMS: usize = 1_000;
/// The longest word of a status, in characters.
pub(crate) const MAX_STATUS_CHARS: usize = 50;
/// Most amenities of a room type.
pub(crate) const MAX_AMENITIES: usize = 1_000;
/// Most nights that a rule of stay may ask for or allow.
pub(crate) const MAX_STAY_RULE: u32 = 9_999;
/// Most units of one room type.
pub(crate) const MAX_UNITS: u32 = 100_000;
/// Most people of one kind in one reservation.
pub(crate) const MAX_PEOPLE: u32 = 1_000;

/// The years that dates are taken for real in.
pub(crate) const YEARS: std::ops::RangeInclusive<i16> = 1900..=2999;

/// Whether a day is one that anybody means.
pub fn is_plausible(day: Date) -> bool {
    YEARS.contains(&day.year())
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// A JSON pointer into the record.
    pub path: String,
    /// What is wrong, and the limit where there is one.
    pub problem: String,
}

/// Records that can be wrong.
pub trait Validate {
    /// All that is wrong with it; empty when it may be stored.
    fn validate(&self) -> Vec<FieldError>;
}
