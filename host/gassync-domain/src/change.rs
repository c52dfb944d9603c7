use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Block, Calendar, Guest, HttpResponse, Property, Question, RatePlan, RawJson, Reservation, RoomType};

/// The kinds of record a channel can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entity {
    /// A house or hotel.
    Property,
    /// What it sells by.
    RoomType,
    /// A set of conditions.
    RatePlan,
    /// A booking.
    Reservation,
    /// A person.
    Guest,
    /// Nights and prices.
    Calendar,
    /// Nights taken out of sale.
    Block,
}

impl Entity {
    /// The word used in the databases and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Property => "property",
            Self::RoomType => "room-type",
            Self::RatePlan => "rate-plan",
            Self::Reservation => "reservation",
            Self::Guest => "guest",
            Self::Calendar => "calendar",
            Self::Block => "block",
        }
    }
}

/// One record of a channel, by its id there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EntityRef {
    /// What it is.
    pub entity: Entity,
    /// The channel's id.
    pub id: String,
}

/// Something changed: this record, or without an id any of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hint {
    /// What it is.
    pub entity: Entity,
    /// The channel's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Which of a connection's sources a change is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// The channel's id of the property.
    pub property_id: Option<String>,
    /// The channel's id of the account.
    pub account: Option<String>,
}

/// An event of the connection itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum ConnectionEvent {
    /// The channel took our access away.
    Revoked,
    /// These are no longer ours to see.
    Unlinked {
        /// Channel ids.
        ids: Vec<String>,
    },
    /// These are now.
    Linked {
        /// Channel ids.
        ids: Vec<String>,
    },
    /// One id became another.
    Remapped {
        /// The former id.
        from: String,
        /// The present id.
        to: String,
    },
    /// Something this contract has no word for.
    Other {
        /// The plugin's word.
        kind: String,
        /// What it says.
        value: Value,
    },
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unreadable {
    /// Which kind of record it is.
    pub entity: Entity,
    /// The channel's id, where it could be read.
    pub id: Option<String>,
    /// Where in the record, and what was expected there: no personal data.
    pub problem: String,
    /// The record as it came: JSON, XML or any other text.
    #[serde(skip)]
    pub raw: Option<String>,
}

/// Something of a record that was rounded, cut, replaced or left out so that the record could be kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Mended {
    /// A JSON pointer into the record of the standard schema.
    pub path: String,
    /// What was wrong with it and what was done, with the limit where there is one; never the value.
    pub problem: String,
}

/// The content of a change, by its kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum ChangeKind {
    /// A property as it is now.
    Property(Property),
    /// A room type as it is now.
    RoomType(RoomType),
    /// A reservation as it is now.
    Reservation(Box<Reservation>),
    /// A rate plan as it is now.
    RatePlan(RatePlan),
    /// A guest as it is now.
    Guest(Guest),
    /// Nights taken out of sale.
    Block(Block),
    /// What the channel shows.
    Calendar(Calendar),
    /// A deletion that carries only an id.
    Removed(EntityRef),
    /// Something changed: fetch the record, or without an id everything of its kind that has changed.
    Refetch(Hint),
    /// A record that the plugin could not read: it is set aside, and the others are processed.
    Unreadable(Unreadable),
    /// An event of the connection.
    Connection(ConnectionEvent),
    /// A question: the channel waits for the reply.
    Ask(Question),
    /// The plugin's own kinds.
    Other {
        /// The kind's name.
        name: String,
        /// What it says.
        value: Value,
    },
}

/// One change from a channel, with its route and its raw record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Which source it is for.
    #[serde(skip)]
    pub route: Route,
    /// Its content.
    #[serde(flatten)]
    pub data: ChangeKind,
    /// The channel's own record, kept beside ours.
    #[serde(skip)]
    pub raw: Option<RawJson>,
    /// What was mended of it so far.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mended: Vec<Mended>,
}

impl Change {
    /// A change without a route.
    pub fn new(data: ChangeKind, raw: Option<RawJson>) -> Self {
        Self { route: Route::default(), data, raw, mended: Vec::new() }
    }
}

/// A decoded inbound call.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The channel's id of the message; the same on a retry.
    pub event_id: Option<String>,
    /// What it says.
    pub changes: Vec<Change>,
    /// The response, if it does not depend on the outcome.
    pub reply: Option<HttpResponse>,
}
