//! Channels of the account. Their ids are the account's own; only their names are the same everywhere.

use serde_json::{Value, json};

/// A channel through which a booking came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Direct,
    Homepage,
    Airbnb,
    BookingCom,
    Blocked,
}

/// What is known of a channel.
struct Entry {
    channel: Channel,
    name: &'static str,
    /// Id that a new booking may name in any account.
    generic: Option<u64>,
}

const CHANNELS: [Entry; 5] = [
    Entry { channel: Channel::Direct, name: "Direct booking", generic: Some(13) },
    Entry { channel: Channel::Homepage, name: "Homepage", generic: Some(70) },
    Entry { channel: Channel::Airbnb, name: "Airbnb", generic: None },
    Entry { channel: Channel::BookingCom, name: "Booking.com", generic: None },
    Entry { channel: Channel::Blocked, name: "Blocked channel", generic: Some(11) },
];

impl Channel {
    /// Finds the channel by the account's own id or a generic one.
    pub fn of_id(id: u64, first: u64) -> Option<Self> {
        let own = |place: u64| first + place + 1;
        let mut entries = (0..).zip(&CHANNELS);
        entries.find(|(place, entry)| own(*place) == id || entry.generic == Some(id)).map(|(_, entry)| entry.channel)
    }

    /// Returns the channel as bookings show it, with the account's own id.
    pub fn wire(self, first: u64) -> Value {
        let entry = (1..).zip(&CHANNELS).find(|(_, entry)| entry.channel == self);
        entry.map_or(Value::Null, |(place, entry)| json!({ "id": first + place, "name": entry.name }))
    }

    /// True if another site sold the booking.
    pub fn is_of_ota(self) -> bool {
        matches!(self, Self::Airbnb | Self::BookingCom)
    }
}
