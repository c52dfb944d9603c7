use serde::{Serialize, Serializer};

/// Kinds of odd data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Odd {
    /// A price with five decimal places.
    FinePrice,
    /// A price with a float rounding error.
    FloatNoise,
    /// A price that is a text and not a number.
    PriceInWords,
    /// A NUL in a comment.
    NulInComment,
    /// An unpaired surrogate in a comment.
    HalfEmoji,
    /// An e-mail address of 270 characters.
    LongEmail,
    /// A count written as text.
    CountAsText,
    /// Counts written as booleans.
    CountAsFlag,
    /// A country in lower case.
    LowerCaseCountry,
    /// A cancellation with a note of 23,000 characters.
    CancelledWithLongNote,
    /// A cancellation whose departure equals its arrival.
    CancelledWithoutNights,
    /// Booked, cancelled, and confirmed again.
    Revived,
    /// An unknown status.
    UnknownStatus,
    /// A record without an id.
    WithoutId,
    /// A modification time two days ahead.
    ModifiedAhead,
    /// A booking deleted permanently between two pages of a list.
    DeletedBetweenPages,
    /// A much too short list in a success response.
    ShortList,
    /// A let of 900 nights.
    LongLet,
    /// A group whose first booking has the total price.
    GroupTotalOnMaster,
}

impl Odd {
    /// All kinds.
    pub const ALL: [Self; 19] = [
        Self::FinePrice,
        Self::FloatNoise,
        Self::PriceInWords,
        Self::NulInComment,
        Self::HalfEmoji,
        Self::LongEmail,
        Self::CountAsText,
        Self::CountAsFlag,
        Self::LowerCaseCountry,
        Self::CancelledWithLongNote,
        Self::CancelledWithoutNights,
        Self::Revived,
        Self::UnknownStatus,
        Self::WithoutId,
        Self::ModifiedAhead,
        Self::DeletedBetweenPages,
        Self::ShortList,
        Self::LongLet,
        Self::GroupTotalOnMaster,
    ];

    /// Name in the control API.
    pub fn name(self) -> &'static str {
        match self {
            Self::FinePrice => "finePrice",
            Self::FloatNoise => "floatNoise",
            Self::PriceInWords => "priceInWords",
            Self::NulInComment => "nulInComment",
            Self::HalfEmoji => "halfEmoji",
            Self::LongEmail => "longEmail",
            Self::CountAsText => "countAsText",
            Self::CountAsFlag => "countAsFlag",
            Self::LowerCaseCountry => "lowerCaseCountry",
            Self::CancelledWithLongNote => "cancelledWithLongNote",
            Self::CancelledWithoutNights => "cancelledWithoutNights",
            Self::Revived => "revived",
            Self::UnknownStatus => "unknownStatus",
            Self::WithoutId => "withoutId",
            Self::ModifiedAhead => "modifiedAhead",
            Self::DeletedBetweenPages => "deletedBetweenPages",
            Self::ShortList => "shortList",
            Self::LongLet => "longLet",
            Self::GroupTotalOnMaster => "groupTotalOnMaster",
        }
    }

    /// True if only a person can decide what to do with it.
    pub fn waits_for_a_person(self) -> bool {
        matches!(self, Self::Revived | Self::UnknownStatus | Self::WithoutId)
    }
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
