//! Manual calendar changes of the owner, as in the control panel.

use jiff::{Span, civil::Date};
use serde::Deserialize;

use super::Beds24;

/// Values to set on nights; `None` keeps the value.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NightsSet {
    /// Value of `override`: `blackout` closes, `none` opens.
    #[serde(rename = "override")]
    pub closing: Option<String>,
    /// Rooms for sale before bookings, instead of the room type's quantity.
    pub stock: Option<i64>,
    /// `price1` in whole cents.
    pub price1_cents: Option<u64>,
    /// Minimum nights of a stay.
    pub min_stay: Option<u32>,
}

impl Beds24 {
    /// Sets nights of a room type; both ends are inclusive. Returns false for an unknown room type. Sends the inventory
    /// webhook, if configured.
    pub fn set_nights(&self, room_id: u64, (from, to): (Date, Date), set: &NightsSet) -> bool {
        let now = self.now();
        let account = &mut *self.account();
        if account.book.room(room_id).is_none() {
            return false;
        }
        for night in from.series(Span::new().days(1)).take_while(|night| *night <= to) {
            let has = account.book.calendar.at(room_id, night);
            if let Some(word) = &set.closing {
                has.closing = Some(word.clone());
            }
            has.stock = set.stock.or(has.stock);
            has.min_stay = set.min_stay.or(has.min_stay);
            if let Some(cents) = set.price1_cents {
                has.prices.insert(1, cents);
            }
        }
        account.notify_room(&self.inner.settings, room_id, now);
        self.inner.delivery_ready.notify_one();
        true
    }
}
