use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{Change, Entity};

/// Selects records of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// All records.
    Everything,
    /// Records that the channel changed since.
    #[serde(alias = "changedSince")]
    ChangedSince(Timestamp),
    /// Records after this token, with which an earlier run ended.
    After(String),
    /// Records with these channel ids.
    Some(Vec<String>),
    /// Records that overlap the nights from `start` up to, and without, `until`.
    Within {
        /// The first night.
        start: Date,
        /// The day after the last night.
        until: Date,
    },
    /// The messages in the channel's queue of this name.
    Queue(String),
}

/// A fetch by a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Query {
    /// The kind of record.
    pub entity: Entity,
    /// The selected records.
    pub selection: Selection,
    /// Only of this property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_id: Option<String>,
    /// Only of this room type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_type_id: Option<String>,
    /// `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl Query {
    /// The first page of these records.
    pub fn new(entity: Entity, selection: Selection) -> Self {
        Self { entity, selection, property_id: None, room_type_id: None, cursor: None }
    }
}

/// Where a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResumePoint {
    /// An instant of the channel's clock.
    Instant(Timestamp),
    /// The channel's own token.
    Token(String),
}

/// The meaning of a record's absence from the pages of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// None: it may be unchanged.
    Delta,
    /// It is deleted, if it lies within these nights.
    Whole {
        /// The first night.
        start: Date,
        /// The day after the last night.
        until: Date,
    },
    /// It is deleted.
    WholeEntity,
}

/// One page of a fetch.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Its changes.
    pub changes: Vec<Change>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// Where the next run starts, once this one is committed.
    pub resume: Option<ResumePoint>,
    /// The meaning of absence.
    pub scope: Scope,
    /// How long to wait before the next call.
    pub wait_seconds: Option<u32>,
}
