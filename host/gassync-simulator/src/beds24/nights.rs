//! What is set for each night of a room type: prices, rules, closings. Counts are what bookings leave, unless a night was
//! given a stock of its own.

use std::collections::{BTreeMap, VecDeque};

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::property::SimulatedRoomType;

/// How far ahead prices are set from the start, in nights.
pub(super) const PRICED_NIGHTS: i64 = 500;
/// The longest stay that a room takes.
pub(super) const LONGEST_STAY: u32 = 365;

/// A night of a room type, for comparing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomNight {
    /// Which.
    pub night: Date,
    /// Rooms left: less than none when more were sold than there are.
    pub available: i64,
    /// `price1` in whole cents.
    pub price1_cents: Option<u64>,
    /// Fewest nights of a stay.
    pub min_stay: Option<u32>,
    /// Most nights of a stay.
    pub max_stay: Option<u32>,
    /// The word of `override`; `blackout` is closed.
    #[serde(rename = "override")]
    pub closing: Option<String>,
}

/// What a write by API asked for, of nights that follow each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NightWrite {
    /// When.
    pub at: Timestamp,
    /// The room type.
    pub room_id: u64,
    /// The first night.
    pub from: Date,
    /// The last one.
    pub to: Date,
    /// Its keys, as they were written.
    pub values: serde_json::Map<String, serde_json::Value>,
}

/// Writes that are remembered.
const REMEMBERED: usize = 100_000;

/// What is set for one night.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct NightSettings {
    /// Rooms on sale instead of those there are.
    pub stock: Option<i64>,
    /// In whole cents, by number.
    pub prices: BTreeMap<u8, u64>,
    pub min_stay: Option<u32>,
    pub max_stay: Option<u32>,
    pub multiplier: Option<f64>,
    pub closing: Option<String>,
    /// Most bookings that a channel may make, where it was said.
    pub channels: BTreeMap<String, Option<u32>>,
}

/// What is set, night by night.
#[derive(Clone, Default)]
pub(super) struct RateCalendar {
    set: BTreeMap<(u64, Date), NightSettings>,
    /// Room types that take the prices of another.
    pub linked: BTreeMap<u64, u64>,
    /// When a night was last written by API.
    pub written: BTreeMap<(u64, Date), Timestamp>,
    /// The last writes by API, in their order.
    pub writes: VecDeque<NightWrite>,
}

impl RateCalendar {
    pub fn note(&mut self, write: NightWrite) {
        if self.writes.len() == REMEMBERED {
            self.writes.pop_front();
        }
        self.writes.push_back(write);
    }

    pub fn get(&self, room: u64, night: Date) -> Option<&NightSettings> {
        self.set.get(&(room, night))
    }

    pub fn at(&mut self, room: u64, night: Date) -> &mut NightSettings {
        self.set.entry((room, night)).or_default()
    }

    /// Rooms on sale, before bookings.
    pub fn stock(&self, room: &SimulatedRoomType, night: Date) -> i64 {
        self.get(room.id, night).and_then(|set| set.stock).unwrap_or_else(|| room.qty.into())
    }

    pub fn is_blackout(&self, room: u64, night: Date) -> bool {
        self.get(room, night).is_some_and(|set| set.closing.as_deref() == Some("blackout"))
    }

    /// The price, be it its own or another room's.
    pub fn price1(&self, room: u64, night: Date) -> Option<u64> {
        let own = |room| self.get(room, night).and_then(|set| set.prices.get(&1).copied());
        own(room).or_else(|| own(*self.linked.get(&room)?))
    }
}
