//! Exact decimal amounts, shared by the XML channels.

use std::fmt;

/// A decimal with its number of decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// The value in units of the last place.
    pub units: i128,
    /// Number of decimal places.
    pub places: u32,
}

/// More places than any currency has.
const MAX_PLACES: u32 = 9;

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { units: 0, places: 0 };

    /// Parses `-540.50`.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= MAX_PLACES)?;
        let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
        digits.then_some(())?;
        Some(Self { units: format!("{whole}{fraction}").parse().ok()?, places })
    }

    /// The sum, with the larger number of places.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let places = self.places.max(other.places);
        let units = |decimal: Self| decimal.units.saturating_mul(10_i128.pow(places - decimal.places));
        Self { units: units(self).saturating_add(units(other)), places }
    }

    /// The difference, with the larger number of places.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.plus(Self { units: other.units.saturating_neg(), ..other })
    }

    /// The sum of several; `None` if one of them is not a decimal.
    pub fn sum<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        texts.into_iter().try_fold(Self::ZERO, |sum, text| Some(sum.plus(Self::parse(text)?)))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_i128.pow(self.places.min(MAX_PLACES));
        let sign = if self.units < 0 { "-" } else { "" };
        write!(f, "{sign}{}", self.units.abs() / one)?;
        if self.places > 0 {
            let width = self.places as usize;
            write!(f, ".{:0width$}", self.units.abs() % one)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stay() {
        let sum = |texts: &[&str]| Decimal::sum(texts.iter().copied()).map(|sum| sum.to_string());
        assert_eq!(sum(&["770.40", "60", "-0.05"]).as_deref(), Some("830.35"));
        assert_eq!(sum(&["-0.50"]).as_deref(), Some("-0.50"));
        assert_eq!(sum(&["36000"]).as_deref(), Some("36000"));
        assert_eq!((sum(&["1,5"]), sum(&["1.x"]), sum(&[""])), (None, None, None));
        let left = Decimal::parse("512.00").zip(Decimal::parse("48.5")).map(|(total, tax)| total.minus(tax));
        assert_eq!(left.map(|left| left.to_string()).as_deref(), Some("463.50"));
        let scaled = Decimal { units: 12_000, places: 3 };
        assert_eq!(scaled.to_string(), "12.000");
    }
}
