use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Block, Calendar, Guest, HttpResponse, Property, Question, RatePlan, RawJson, Reservation, RoomType};

crate::words! {
    /// The kinds of records that can be fetched from a channel.
    pub enum Entity {
        /// A house or hotel.
        Property = "property",
        /// A kind of room that a property sells.
        RoomType = "room-type",
        /// A set of conditions of sale.
        RatePlan = "rate-plan",
        /// A booking.
        Reservation = "reservation",
        /// A guest.
        Guest = "guest",
        /// Nights and prices.
        Calendar = "calendar",
        /// Nights taken out of sale.
        Block = "block",
    }
}

/// One record of a channel, by its id there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EntityRef {
    /// The kind of record.
    pub entity: Entity,
    /// The channel's id.
    pub id: String,
}

/// Something changed: this record, or without an id any of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hint {
    /// The kind of record.
    pub entity: Entity,
    /// The channel's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Selects the source of a connection that a change is for.
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
    /// The channel revoked our access.
    Revoked,
    /// We no longer have access to these.
    Unlinked {
        /// Channel ids.
        ids: Vec<String>,
    },
    /// We now have access to these.
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
    /// An event the contract has no case for.
    Other {
        /// The plugin's name for it.
        kind: String,
        /// Its value.
        value: Value,
    },
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unreadable {
    /// The kind of record.
    pub entity: Entity,
    /// The channel's id, if it could be read.
    pub id: Option<String>,
    /// The path in the record and what was expected there: no personal data.
    pub problem: String,
    /// The record as it arrived: JSON, XML or any other text.
    #[serde(skip)]
    pub raw: Option<String>,
}

/// A value that was rounded, cut, replaced or left out so that the record could be stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Mended {
    /// A JSON pointer into the record of the standard schema.
    pub path: String,
    /// The problem and what was done about it, with the limit if there is one; never the value.
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
    /// The calendar that the channel shows.
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
    /// A kind of the plugin's own.
    Other {
        /// The kind's name.
        name: String,
        /// Its value.
        value: Value,
    },
}

/// One change from a channel, with its route and its raw record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The source it is for.
    #[serde(skip)]
    pub route: Route,
    /// Its content.
    #[serde(flatten)]
    pub data: ChangeKind,
    /// The channel's raw record.
    #[serde(skip)]
    pub raw: Option<RawJson>,
    /// The values mended so far.
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
    /// Its changes.
    pub changes: Vec<Change>,
    /// The response, if it does not depend on the outcome.
    pub reply: Option<HttpResponse>,
}
