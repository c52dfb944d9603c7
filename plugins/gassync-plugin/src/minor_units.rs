//! Amounts in minor currency units.

use std::fmt;

use iso_currency::Currency;

use crate::{ChannelError, Decimal, Lenient, note};

/// Maximum decimal places; no currency or channel has more.
const MAX_PLACES: u32 = 9;
/// Decimal places of most currencies, and of those that ISO 4217 does not know.
const USUAL_PLACES: u32 = 2;

/// The decimal places of a currency by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD. Unknown codes have two; `None` for
/// a text that is no code of three capital letters.
pub fn currency_places(currency: &str) -> Option<u32> {
    let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    let exponent = Currency::from_code(currency).and_then(Currency::exponent).map_or(USUAL_PLACES, u32::from);
    is_code.then_some(exponent)
}

impl Lenient {
    /// An amount in minor units, as an exact decimal: 54050 is `540.50` in EUR, `54050` in JPY and `54.050` in KWD, by
    /// the exponents of ISO 4217. A value that is not an integer, or has no valid currency, is omitted and
    /// [noted](note) at `place`, since its decimal point is unknown.
    ///
    /// For channels with their own rules, such as two decimal places in every currency, use [`decimal_places`].
    ///
    /// [`decimal_places`]: Self::decimal_places
    pub fn minor_units(&self, currency: &str, place: impl fmt::Display) -> Result<Option<String>, ChannelError> {
        match currency_places(currency) {
            Some(places) => self.decimal_places(places, place),
            None if self.as_str().is_none() => Ok(None),
            None => {
                note(place, "has no currency such as EUR");
                Ok(None)
            }
        }
    }

    /// The same for a given number of decimal places: 54050 with 2 is `540.50`.
    pub fn decimal_places(&self, places: u32, place: impl fmt::Display) -> Result<Option<String>, ChannelError> {
        let Some(text) = self.as_str() else { return Ok(None) };
        // A value with a decimal point, even `120.00`, may already be in major units.
        let Ok(units) = text.parse::<i64>() else {
            note(place, "is not a whole number");
            return Ok(None);
        };
        if places > MAX_PLACES {
            note(place, format_args!("has {places} places: no amount has so many"));
            return Ok(None);
        }
        Ok(Decimal::from_minor_units(units, places).map(|amount| amount.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notes::take_notes;

    fn units(text: &str) -> Lenient {
        Lenient::from(Some(text))
    }

    #[test]
    fn the_currency_says_where_the_point_stands() {
        for (text, currency, amount) in [
            ("54050", "EUR", "540.50"),
            ("5", "EUR", "0.05"),
            ("0", "USD", "0.00"),
            ("-1999", "GBP", "-19.99"),
            ("-5", "GBP", "-0.05"),
            ("36000", "JPY", "36000"),
            ("36000", "ISK", "36000"),
            ("-12", "VND", "-12"),
            ("12345", "KWD", "12.345"),
            ("7", "TND", "0.007"),
            ("12345", "CLF", "1.2345"),
            ("9999999999999", "EUR", "99999999999.99"),
        ] {
            assert_eq!(units(text).minor_units(currency, "total"), Ok(Some(amount.to_owned())), "{text} {currency}");
        }
    }

    #[test]
    fn currencies_have_their_places() {
        let places = ["EUR", "JPY", "KWD", "CLF", "XAU", "ABC", "eur", "EURO", ""].map(currency_places);
        assert_eq!(places, [Some(2), Some(0), Some(3), Some(4), Some(2), Some(2), None, None, None]);
    }

    #[test]
    fn what_cannot_be_counted_is_noted_where_it_stands() {
        for (text, currency) in [
            ("540.50", "EUR"),
            ("540.00", "EUR"),
            ("a lot", "EUR"),
            ("99999999999999999999", "JPY"),
            ("54050", ""),
            ("54050", "eur"),
            ("54050", "euro"),
        ] {
            assert_eq!(units(text).minor_units(currency, "total"), Ok(None), "{text} {currency}");
            let noted = take_notes();
            assert!(matches!(noted.as_slice(), [note] if note.path == "total"), "{text} {currency}: {noted:?}");
        }
        assert_eq!(units("").minor_units("EUR", "total"), Ok(None));
        assert_eq!(units("").minor_units("", "total"), Ok(None), "what is not there has no currency");
    }

    #[test]
    fn the_number_of_places_may_be_the_channels_own() {
        assert_eq!(units("12000").decimal_places(3, "total"), Ok(Some("12.000".to_owned())));
        assert_eq!(units("12000").decimal_places(0, "total"), Ok(Some("12000".to_owned())));
        assert_eq!(units("1200000").decimal_places(6, "total"), Ok(Some("1.200000".to_owned())));
        assert_eq!(units("").decimal_places(99, "total"), Ok(None));
        assert_eq!(units("1200001").decimal_places(6, "total"), Ok(Some("1.200001".to_owned())), "the host rounds");
        for (text, places) in [("1", 10), ("1", u32::MAX), ("1.5", 2)] {
            assert_eq!(units(text).decimal_places(places, "total"), Ok(None), "{text}");
            assert_eq!(take_notes().len(), 1, "{text}");
        }
    }
}
