//! The source's settings, entered by an admin.

use std::collections::BTreeMap;

use gassync_plugin::{ChannelError, settings};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Settings {
    pub base_url: String,
    /// Time zone of the properties, which Beds24 does not report.
    pub time_zone: Option<String>,
    /// Number of guests of each daily price, by name: `price1` to `price16`.
    pub guests_of_prices: BTreeMap<String, u32>,
    /// True to read invoices for price lines.
    pub invoice_lines: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: "https://beds24.com/api/v2".to_owned(),
            time_zone: None,
            guests_of_prices: BTreeMap::new(),
            invoice_lines: false,
        }
    }
}

impl Settings {
    pub fn read() -> Result<Self, ChannelError> {
        settings()
    }

    /// Returns the API URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.trim_end_matches('/'))
    }

    pub fn guests_of(&self, price: &str) -> Option<u32> {
        self.guests_of_prices.get(price).copied()
    }

    /// Returns the name of the price for this number of guests. Without configuration it is the price with that number.
    pub fn price_for(&self, guests: u32) -> Option<String> {
        if self.guests_of_prices.is_empty() {
            return (1..=MAX_PRICES).contains(&guests).then(|| format!("price{guests}"));
        }
        // Sort by number, so that price2 precedes price10.
        let mut prices = (1..=MAX_PRICES).map(|number| format!("price{number}"));
        prices.find(|price| self.guests_of(price) == Some(guests))
    }
}

/// Number of daily prices of a room.
pub(crate) const MAX_PRICES: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_for_the_guests_that_the_admin_chose() {
        let said = |text: &str| serde_json::from_str::<Settings>(text).expect("settings");
        let silent = said("{}");
        assert_eq!(
            (silent.price_for(2), silent.price_for(17), silent.guests_of("price2")),
            (Some("price2".to_owned()), None, None)
        );
        let reported = said(r#"{"guestsOfPrices":{"price1":2,"price10":3,"price2":3}}"#);
        assert_eq!(
            (reported.price_for(2), reported.price_for(3)),
            (Some("price1".to_owned()), Some("price2".to_owned()))
        );
        assert_eq!((reported.price_for(4), reported.guests_of("price10")), (None, Some(3)));
        assert_eq!(
            said(r#"{"baseUrl":"https://beds.example/v2/"}"#).url("/bookings"),
            "https://beds.example/v2/bookings"
        );
    }
}
