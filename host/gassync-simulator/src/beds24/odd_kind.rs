use serde::{Deserialize, Serialize};

/// A way of being odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Odd {
    /// A price with five places behind the point.
    FinePrice,
    /// A price with the noise of a float.
    FloatNoise,
    /// A price that is a text and no number.
    PriceInWords,
    /// A NUL in a comment.
    NulInComment,
    /// Half of a surrogate pair in a comment.
    HalfEmoji,
    /// A mail address of 270 characters.
    LongEmail,
    /// A count that is a text.
    CountAsText,
    /// Counts that are yes and no.
    CountAsFlag,
    /// A country in lower case.
    LowerCaseCountry,
    /// A cancellation with a note of 23,000 characters.
    CancelledWithLongNote,
    /// A cancellation whose departure is its arrival.
    CancelledWithoutNights,
    /// Booked, cancelled, and confirmed again.
    Revived,
    /// A status that nobody knows.
    UnknownStatus,
    /// A record without an id.
    WithoutId,
    /// A modification time two days ahead.
    ModifiedAhead,
    /// A booking deleted for good between two pages of a list.
    DeletedBetweenPages,
    /// A list that is much shorter than it should be, and calls itself a success.
    ShortList,
    /// A let of 900 nights.
    LongLet,
    /// A group whose first booking has the price of all.
    GroupTotalOnMaster,
}

impl Odd {
    /// All there are.
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

    /// Whether only a person can say what becomes of it.
    pub fn waits_for_a_person(self) -> bool {
        matches!(self, Self::Revived | Self::UnknownStatus | Self::WithoutId)
    }
}
