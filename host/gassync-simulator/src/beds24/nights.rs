//! Settings per night of a room type: prices, rules, closures. Counts are the room type's quantity, or the night's
//! stock if set, minus bookings.

use std::collections::{BTreeMap, VecDeque};

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use super::property::Beds24RoomType;

/// Number of nights with an initial price.
pub(super) const PRICED_NIGHTS: i64 = 500;
/// Maximum nights of a stay.
pub(super) const LONGEST_STAY: u32 = 365;

/// A night of a room type, for comparison in tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomNight {
    /// The night.
    pub night: Date,
    /// Rooms left; negative if overbooked.
    pub available: i64,
    /// `price1` in whole cents.
    pub price1_cents: Option<u64>,
    /// Minimum nights of a stay.
    pub min_stay: Option<u32>,
    /// Maximum nights of a stay.
    pub max_stay: Option<u32>,
    /// Value of `override`; `blackout` means closed.
    #[serde(rename = "override")]
    pub closing: Option<String>,
}

/// An API write of consecutive nights.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NightWrite {
    /// Time.
    pub at: Timestamp,
    /// Room type.
    pub room_id: u64,
    /// First night.
    pub from: Date,
    /// Last night.
    pub to: Date,
    /// The keys as written.
    pub values: serde_json::Map<String, serde_json::Value>,
}

/// Maximum logged writes.
const REMEMBERED: usize = 100_000;

/// Settings of one night.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct NightSettings {
    /// Rooms for sale, instead of the room type's quantity.
    pub stock: Option<i64>,
    /// Prices in whole cents, by number.
    pub prices: BTreeMap<u8, u64>,
    pub min_stay: Option<u32>,
    pub max_stay: Option<u32>,
    pub multiplier: Option<f64>,
    pub closing: Option<String>,
    /// Maximum bookings per channel, if set.
    pub channels: BTreeMap<String, Option<u32>>,
}

/// Settings by night.
#[derive(Clone, Default)]
pub(super) struct RateCalendar {
    set: BTreeMap<(u64, Date), NightSettings>,
    /// Room types that inherit the prices of another one.
    pub linked: BTreeMap<u64, u64>,
    /// Last API write of each night.
    pub written: BTreeMap<(u64, Date), Timestamp>,
    /// The last API writes, in order.
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

    /// Returns the rooms for sale, before bookings.
    pub fn stock(&self, room: &Beds24RoomType, night: Date) -> i64 {
        self.get(room.id, night).and_then(|set| set.stock).unwrap_or_else(|| room.qty.into())
    }

    pub fn is_blackout(&self, room: u64, night: Date) -> bool {
        self.get(room, night).is_some_and(|set| set.closing.as_deref() == Some("blackout"))
    }

    /// Returns the price, its own or inherited.
    pub fn price1(&self, room: u64, night: Date) -> Option<u64> {
        let own = |room| self.get(room, night).and_then(|set| set.prices.get(&1).copied());
        own(room).or_else(|| own(*self.linked.get(&room)?))
    }
}
