use std::fmt;

use serde::{Deserialize, Serialize};

use crate::MAX_STAY_NIGHTS;

/// Why a record waits outside the core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "missing")]
pub enum Missing {
    /// It names a property that is not linked to the core.
    Property {
        /// The channel's id.
        id: String,
    },
    /// It names a room type that is not linked to the core.
    RoomType {
        /// The channel's id.
        id: String,
    },
    /// It names a rate plan that is not linked to the core.
    RatePlan {
        /// The channel's id.
        id: String,
    },
    /// It does not say which rooms it is for.
    Rooms,
    /// It does not say when.
    Dates,
    /// Its stay is longer than any that is taken for real.
    TooLong {
        /// How long it is.
        nights: i32,
    },
    /// Its departure does not follow its arrival, in whole or in one of its rooms.
    Nights,
    /// Its status is a word the schema does not have.
    Status {
        /// The channel's word.
        word: String,
    },
    /// The core has it as cancelled, and the channel now says otherwise.
    Decision {
        /// The status the channel gives it now.
        status: String,
    },
    /// The source has no say over such records.
    Authority,
    /// It is for a room type whose news, or its property's, somebody keeps out of the core.
    SwitchedOff {
        /// The channel's id of the room type.
        id: String,
    },
    /// Another source of this account creates core entities; this one may only be linked by a person.
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

/// A record that cannot enter the core yet, and all it waits for.
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
