use std::fmt;

use serde::{Deserialize, Serialize};

use crate::MAX_STAY_NIGHTS;

/// Why a record is parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "missing")]
pub enum Missing {
    /// Its property is not linked.
    Property {
        /// The channel's id.
        id: String,
    },
    /// Its room type is not linked.
    RoomType {
        /// The channel's id.
        id: String,
    },
    /// Its rate plan is not linked.
    RatePlan {
        /// The channel's id.
        id: String,
    },
    /// It names no rooms.
    Rooms,
    /// It has no dates.
    Dates,
    /// Its stay exceeds the maximum length.
    TooLong {
        /// Its length in nights.
        nights: i32,
    },
    /// The departure of the reservation or of one room does not follow the arrival.
    Nights,
    /// Its status is unknown.
    Status {
        /// The channel's status.
        word: String,
    },
    /// It is cancelled in the core, and the channel sends another status.
    Decision {
        /// The channel's current status.
        status: String,
    },
    /// The source does not own such records.
    Authority,
    /// Its room type or property is switched off.
    SwitchedOff {
        /// The channel's id of the room type.
        id: String,
    },
    /// Another source of the account creates core entities; records of this one must be linked manually.
    Link,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property { id } => write!(f, "property {id} is not mapped"),
            Self::RoomType { id } => write!(f, "room type {id} is not mapped"),
            Self::RatePlan { id } => write!(f, "rate plan {id} is not mapped"),
            Self::Rooms => f.write_str("it does not say which rooms it is for"),
            Self::Dates => f.write_str("it does not say when"),
            Self::TooLong { nights } => {
                write!(f, "its stay of {nights} nights is longer than {MAX_STAY_NIGHTS}: a person decides")
            }
            Self::Nights => f.write_str("it has no night any more: a person decides whether it is cancelled"),
            Self::Status { word } => write!(f, "nobody has decided what the status \"{word}\" means"),
            Self::Decision { status } => {
                write!(f, "it was cancelled, and the channel now calls it {status}: a person decides")
            }
            Self::Authority => {
                f.write_str("this source has no say over such records: its authority and its direction decide")
            }
            Self::SwitchedOff { id } => {
                write!(
                    f,
                    "news of room type {id}, or of its property, is kept out of the core: `map resume` lets it in"
                )
            }
            Self::Link => f.write_str("another source creates core entities for this account: link it by hand"),
        }
    }
}

/// All reasons why a record is parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parked(pub Vec<Missing>);

impl fmt::Display for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, missing) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            missing.fmt(f)?;
        }
        Ok(())
    }
}
