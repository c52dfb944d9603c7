use serde::{Deserialize, Serialize};

use crate::{Amount, Authority, FieldError, PriceAdjustment, TEN_THOUSANDTHS, Validate};

/// Maximum horizon, in days.
pub const MAX_HORIZON_DAYS: u32 = 1_100;
/// Default horizon, in days.
const HORIZON_DAYS: u32 = 365;
/// Maximum safety stock.
const MAX_SAFETY_STOCK: u32 = 1_000;

crate::words! {
    /// Which bookings of the core are pushed to a channel, besides its own.
    #[derive(Default)]
    pub enum BookingsPushed {
        /// None.
        None = "none",
        /// Bookings that came from no other channel.
        #[default]
        Direct = "direct",
        /// Bookings of other channels, too.
        All = "all",
    }
}

/// Push settings of a source: `{"prices":false,"safetyStock":1}`. Omitted fields have their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PushSettings {
    /// Whether anything is pushed (the outbound half of the direction); true by default.
    pub enabled: bool,
    /// Which bookings are pushed; `direct` by default.
    pub bookings: BookingsPushed,
    /// Whether availability is pushed; true by default.
    pub availability: bool,
    /// Whether prices and rules of stay are pushed; true by default.
    pub prices: bool,
    /// Price adjustment.
    pub price_adjustment: PriceAdjustment,
    /// ISO 4217 currency of the channel's prices, if not the core's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Exchange rate: units of `currency` per unit of the core's currency, applied before the adjustment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Amount>,
    /// Units of each room type held back, from 0 to 1,000; 0 by default.
    pub safety_stock: u32,
    /// Whether a read-back must confirm what the channel acknowledged, if the channel can be read; true by default.
    pub read_back: bool,
    /// Nights pushed from today on, from 1 to 1,100; 365 by default.
    pub horizon_days: u32,
}

impl Default for PushSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            bookings: BookingsPushed::default(),
            availability: true,
            prices: true,
            price_adjustment: PriceAdjustment::default(),
            currency: None,
            rate: None,
            safety_stock: 0,
            read_back: true,
            horizon_days: HORIZON_DAYS,
        }
    }
}

impl PushSettings {
    /// Restricted by the source's authority: prices and rules that the source owns are not pushed, and nothing of the
    /// calendar if neither side takes the other's.
    #[must_use]
    pub fn under(self, authority: Authority) -> Self {
        let hears = !authority.nobody_owns_calendar();
        Self {
            availability: self.availability && hears,
            prices: self.prices && hears && !authority.source_owns_calendar(),
            ..self
        }
    }

    /// The price at the channel, and its currency.
    pub fn price(&self, price: Amount, currency: Option<String>) -> (Amount, Option<String>) {
        let (price, currency) = match (&self.currency, self.rate) {
            (Some(theirs), Some(rate)) if currency.as_ref() != Some(theirs) => {
                let parts = i128::from(price.ten_thousandths()) * i128::from(rate.ten_thousandths());
                let exchanged = (parts + i128::from(TEN_THOUSANDTHS) / 2) / i128::from(TEN_THOUSANDTHS);
                let exchanged = i64::try_from(exchanged).map_or(price, Amount::from_ten_thousandths);
                (exchanged, Some(theirs.clone()))
            }
            _ => (price, currency),
        };
        (self.price_adjustment.apply(price, currency.as_deref()), currency)
    }
}

impl Validate for PushSettings {
    fn validate(&self) -> Vec<FieldError> {
        let within = |error: FieldError| FieldError { path: format!("/priceAdjustment{}", error.path), ..error };
        let mut found: Vec<FieldError> = self.price_adjustment.validate().into_iter().map(within).collect();
        let mut add = |path: &str, problem: String| found.push(FieldError::new(path.to_owned(), problem));
        match (&self.currency, self.rate) {
            (Some(currency), _) if currency.len() != 3 || !currency.chars().all(|c| c.is_ascii_uppercase()) => {
                add("/currency", "is not three capital letters (ISO 4217)".to_owned());
            }
            (Some(_), None) => add("/rate", "is missing beside currency".to_owned()),
            (None, Some(_)) => add("/currency", "is missing beside rate".to_owned()),
            (_, Some(rate)) if rate.ten_thousandths() <= 0 => add("/rate", format!("is {rate}; it must be above 0")),
            _ => {}
        }
        if self.safety_stock > MAX_SAFETY_STOCK {
            add("/safetyStock", format!("is {}; the limit is {MAX_SAFETY_STOCK}", self.safety_stock));
        }
        if !(1..=MAX_HORIZON_DAYS).contains(&self.horizon_days) {
            add("/horizonDays", format!("is {}; allowed are 1 to {MAX_HORIZON_DAYS}", self.horizon_days));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().expect("an amount")
    }

    #[test]
    fn missing_fields_have_defaults() {
        let pushing: PushSettings = serde_json::from_str("{}").expect("rules");
        assert_eq!(pushing, PushSettings::default());
        assert_eq!(pushing.price(amount("90.50"), Some("EUR".into())), (amount("90.50"), Some("EUR".into())));
        assert!(serde_json::from_str::<PushSettings>(r#"{"horizon":3}"#).is_err());
    }

    #[test]
    fn a_price_is_converted_then_adjusted() {
        let text = r#"{"currency":"SEK","rate":11.25,"priceAdjustment":{"percent":10,"rounding":"up","step":5}}"#;
        let pushing: PushSettings = serde_json::from_str(text).expect("rules");
        assert!(pushing.validate().is_empty());
        assert_eq!(pushing.price(amount("100"), Some("EUR".into())), (amount("1240.00"), Some("SEK".into())));
        assert_eq!(pushing.price(amount("100"), Some("SEK".into())), (amount("110.00"), Some("SEK".into())));
    }

    #[test]
    fn a_source_that_owns_prices_still_gets_availability() {
        let under = |text: &str| {
            let authority = serde_json::from_str(text).expect("an authority");
            let pushing = PushSettings::default().under(authority);
            (pushing.availability, pushing.prices)
        };
        assert_eq!(under("{}"), (true, true));
        assert_eq!(under(r#"{"calendar":"ours"}"#), (true, true));
        assert_eq!(under(r#"{"calendar":"theirs"}"#), (true, false));
        assert_eq!(under(r#"{"calendar":"none"}"#), (false, false));
    }

    #[test]
    fn invalid_settings_are_reported_by_path() {
        for (text, path) in [
            (r#"{"horizonDays":0}"#, "/horizonDays"),
            (r#"{"safetyStock":1001}"#, "/safetyStock"),
            (r#"{"currency":"eur","rate":1}"#, "/currency"),
            (r#"{"currency":"EUR"}"#, "/rate"),
            (r#"{"rate":1}"#, "/currency"),
            (r#"{"currency":"EUR","rate":0}"#, "/rate"),
            (r#"{"priceAdjustment":{"percent":501}}"#, "/priceAdjustment/percent"),
        ] {
            let pushing: PushSettings = serde_json::from_str(text).expect("rules");
            let paths: Vec<String> = pushing.validate().into_iter().map(|error| error.path).collect();
            assert_eq!(paths, [path], "{text}");
        }
    }
}
