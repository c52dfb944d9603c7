use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Maximum length of an id, in characters.
pub const MAX_ID_CHARS: usize = 255;
/// Maximum length of a name, in characters.
pub const MAX_NAME_CHARS: usize = 255;
/// Maximum length of a free text, in characters.
pub(crate) const MAX_TEXT_CHARS: usize = 20_000;
/// Maximum lines of a price.
pub const MAX_PRICE_LINES: usize = 100;
/// Maximum room types that a record refers to.
pub(crate) const MAX_ROOM_TYPES: usize = 10_000;
/// Maximum nights of a block.
pub const MAX_BLOCK_NIGHTS: i32 = 3_660;
/// Maximum rooms of a reservation.
pub const MAX_ROOMS: usize = 1_000;
/// Maximum length of a status, in characters.
pub(crate) const MAX_STATUS_CHARS: usize = 50;
/// Maximum amenities of a room type.
pub(crate) const MAX_AMENITIES: usize = 1_000;
/// Maximum value of a stay rule, in nights.
pub(crate) const MAX_STAY_RULE: u32 = 9_999;
/// Maximum units of a room type.
pub(crate) const MAX_UNITS: u32 = 100_000;
/// Maximum guests of one kind in a reservation.
pub(crate) const MAX_PEOPLE: u32 = 1_000;

/// Years in which a date is plausible.
pub(crate) const YEARS: std::ops::RangeInclusive<i16> = 1900..=2999;

/// Whether a date lies within the plausible years.
pub fn is_plausible(day: Date) -> bool {
    YEARS.contains(&day.year())
}

/// An error in one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// A JSON pointer into the record.
    pub path: String,
    /// The error, with the limit if there is one.
    pub problem: String,
}

impl FieldError {
    /// An error in the field at this path.
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }
}

/// Records that can be validated.
pub trait Validate {
    /// All errors; empty if the record is valid.
    fn validate(&self) -> Vec<FieldError>;
}
