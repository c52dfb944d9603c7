use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{Change, Entity};

/// Which records of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// All there are.
    Everything,
    /// Those the channel changed since.
    #[serde(alias = "changedSince")]
    ChangedSince(Timestamp),
    /// Those that came after this token, which an earlier run ended with.
    After(String),
    /// Those with these channel ids.
    Some(Vec<String>),
    /// Those that touch nights from `start` up to, and without, `until`.
    Within {
        /// The first night.
        start: Date,
        /// The day after the last night.
        until: Date,
    },
    /// The messages in the channel's queue of this name.
    Queue(String),
}

/// What the host asks a plugin to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Query {
    /// What kind of record.
    pub entity: Entity,
    /// Which of them.
    pub selection: Selection,
    /// Only of this property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_id: Option<String>,
    /// Only of this room type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_type_id: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Query {
    /// The first page of these records.
    pub fn new(entity: Entity, selection: Selection) -> Self {
        Self { entity, selection, property_id: None, room_type_id: None, cursor: None }
    }
}

/// Where a run left off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResumePoint {
    /// By the channel's clock.
    Instant(Timestamp),
    /// By a word of its own.
    Token(String),
}

/// What the absence of a record in a page means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Nothing.
    Delta,
    /// Gone, if it lies within these nights.
    Whole {
        /// The first night.
        start: Date,
        /// The day after the last night.
        until: Date,
    },
    /// Gone.
    WholeEntity,
}

/// One page of a fetch.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// What it says.
    pub changes: Vec<Change>,
    /// Where the next call goes on.
    pub next: Option<String>,
    /// Where the next run starts, once this one is committed.
    pub resume: Option<ResumePoint>,
    /// What absence means.
    pub scope: Scope,
    /// How long to wait before the next call.
    pub wait_seconds: Option<u32>,
}
