//! Exact decimals: sums, differences and products of amounts, without floats and without rounding.

use std::{cmp::Ordering, fmt};

/// Maximum significant digits of a parsed decimal, so that sums and products of a whole invoice fit.
const MAX_DIGITS: usize = 18;
/// Maximum decimal places of a parsed decimal.
const MAX_PARSED_PLACES: usize = 18;
/// Maximum decimal places of a result; a power of ten with so many zeros fits.
const MAX_PLACES: u32 = 36;

/// An exact decimal: an integer and its number of decimal places. What does not fit is `None`, never rounded.
///
/// ```
/// use gassync_plugin::Decimal;
///
/// let total = Decimal::sum(["770.40", "60", "-0.05"]).expect("three decimals");
/// assert_eq!(total.to_string(), "830.35");
/// let night = Decimal::parse("95.50").expect("a decimal");
/// assert_eq!(night.times(Decimal::from(3)).map(|stay| stay.to_string()).as_deref(), Some("286.50"));
/// assert_eq!(Decimal::parse("512.00"), Decimal::parse("512"), "the value counts");
/// assert_eq!(night.in_minor_units(2), Some(9_550));
/// assert_eq!(Decimal::parse("1,50"), None);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Decimal {
    units: i128,
    places: u32,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { units: 0, places: 0 };

    /// Parses a decimal without exponent, such as `-540.50`; `None` if it is none, or has more than 18 significant
    /// digits. [`Lenient::decimal`](crate::Lenient::decimal) writes out an exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, unsigned) = text.strip_prefix('-').map_or((1, text), |unsigned| (-1, unsigned));
        let (whole, places) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let significant = places.trim_end_matches('0');
        // Zeros at the end are kept, as written, unless there are too many of them.
        let places = if places.len() > MAX_PARSED_PLACES { significant } else { places };
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let is_empty = unsigned.is_empty() || unsigned == ".";
        let digits = if whole.trim_start_matches('0').is_empty() {
            significant.trim_start_matches('0').len()
        } else {
            whole.trim_start_matches('0').len() + significant.len()
        };
        if is_empty || !is_number(whole) || !is_number(places) || digits > MAX_DIGITS {
            return None;
        }
        if places.len() > MAX_PARSED_PLACES {
            return None;
        }
        let units = format!("0{whole}{places}").parse::<i128>().ok()?;
        Some(Self { units: sign * units, places: u32::try_from(places.len()).ok()? })
    }

    /// A number of minor units: 54050 with 2 places is `540.50`.
    pub fn from_minor_units(units: impl Into<i128>, places: u32) -> Option<Self> {
        (places <= MAX_PLACES).then(|| Self { units: units.into(), places })
    }

    /// The number of minor units with these places: 54050 of `540.5` with 2. `None` if the value is finer.
    pub fn in_minor_units(self, places: u32) -> Option<i128> {
        let trimmed = self.trimmed();
        10_i128.checked_pow(places.checked_sub(trimmed.places)?)?.checked_mul(trimmed.units)
    }

    /// The value in units of its last place: 54050 of `540.50`.
    pub fn units(self) -> i128 {
        self.units
    }

    /// The number of decimal places, as written.
    pub fn places(self) -> u32 {
        self.places
    }

    /// The sum of several; `None` if one of them is not a decimal.
    pub fn sum<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        texts.into_iter().try_fold(Self::ZERO, |sum, text| sum.plus(Self::parse(text)?))
    }

    /// The sum, with the larger number of places.
    pub fn plus(self, other: Self) -> Option<Self> {
        let places = self.places.max(other.places);
        Some(Self { units: self.scaled(places)?.checked_add(other.scaled(places)?)?, places })
    }

    /// The difference, with the larger number of places.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self { units: other.units.checked_neg()?, ..other })
    }

    /// The product, with the places of both.
    pub fn times(self, other: Self) -> Option<Self> {
        Self::from_minor_units(self.units.checked_mul(other.units)?, self.places + other.places)
    }

    /// The same value without superfluous zeros: `540.5` for `540.50`, `600` for `600.00`.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        while self.places > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.places -= 1;
        }
        self
    }

    /// True for zero.
    pub fn is_zero(self) -> bool {
        self.units == 0
    }

    /// True if less than zero.
    pub fn is_negative(self) -> bool {
        self.units < 0
    }

    /// The integer for this number of decimal places.
    fn scaled(self, places: u32) -> Option<i128> {
        10_i128.checked_pow(places.checked_sub(self.places)?)?.checked_mul(self.units)
    }

    /// The integer below, and what remains, in units of the smallest place.
    fn parts(self) -> (i128, i128) {
        let one = 10_i128.pow(self.places);
        let rest = self.units.rem_euclid(one);
        (self.units.div_euclid(one), rest * 10_i128.pow(MAX_PLACES - self.places))
    }
}

impl From<i64> for Decimal {
    fn from(whole: i64) -> Self {
        Self { units: whole.into(), places: 0 }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By value: `540.00` equals `540`.
impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

/// With all its places, as written: `-0.50`.
impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = usize::try_from(self.places).map_err(|_| fmt::Error)?;
        let digits = format!("{:0>width$}", self.units.unsigned_abs(), width = places + 1);
        let (whole, places) = digits.split_at(digits.len() - places);
        let (sign, point) = (if self.is_negative() { "-" } else { "" }, if places.is_empty() { "" } else { "." });
        write!(out, "{sign}{whole}{point}{places}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect(text)
    }

    fn said(decimal: Option<Decimal>) -> Option<String> {
        decimal.map(|decimal| decimal.to_string())
    }

    #[test]
    fn digits_stay_as_they_were_written() {
        for text in ["540.50", "-0.50", "36000", "0", "0.00", "123456789012345678", "0.000000000000000001"] {
            assert_eq!(decimal(text).to_string(), text);
        }
        for (text, written) in [("-0", "0"), (".5", "0.5"), ("5.", "5"), ("007.10", "7.10")] {
            assert_eq!(decimal(text).to_string(), written, "{text}");
        }
        let zeros = "410.0000000000000000000000000000000000000000";
        assert_eq!(decimal(zeros).to_string(), "410");
    }

    #[test]
    fn sums_and_products_are_exact() {
        for (left, right, sum) in [
            ("0.1", "0.2", "0.3"),
            ("540", "-54.5", "485.5"),
            (".5", "-.50", "0.00"),
            ("1714.28571", "0", "1714.28571"),
        ] {
            assert_eq!(said(decimal(left).plus(decimal(right))).as_deref(), Some(sum), "{left} and {right}");
        }
        assert_eq!(said(decimal("512.00").minus(decimal("48.5"))).as_deref(), Some("463.50"));
        assert_eq!(said(decimal("6").times(decimal("2.50"))).as_deref(), Some("15.00"));
        assert_eq!(said(decimal("-2").times(decimal("0.05"))).as_deref(), Some("-0.10"));
        assert_eq!(said(Decimal::sum(["770.40", "60", "-0.05"])).as_deref(), Some("830.35"));
        assert_eq!((Decimal::sum(["1,5"]), Decimal::sum(["60", ""])), (None, None));
        assert_eq!(said(Decimal::sum([])).as_deref(), Some("0"));
    }

    #[test]
    fn what_does_not_fit_is_none() {
        let large = decimal("999999999999999999");
        let square = large.times(large).expect("36 digits");
        assert_eq!(square.to_string(), "999999999999999998000000000000000001");
        assert_eq!((square.times(large), square.plus(decimal("0.001"))), (None, None));
        let fine = decimal("0.000000000000000001");
        let finest = fine.times(fine).expect("36 places");
        assert_eq!((finest.places(), finest.times(decimal("0.1"))), (36, None));
        assert!(square > finest && finest > Decimal::ZERO, "what cannot be added can be compared");
    }

    #[test]
    fn the_value_counts_and_not_its_zeros() {
        assert!(decimal("540.00") == decimal("540") && decimal("540") != decimal("540.00001"));
        assert!(decimal("-3") < decimal("2") && decimal("-0.5") > decimal("-0.75") && decimal("-1") < decimal("-0.5"));
        assert!(decimal("-3").is_negative() && !decimal("-0.00").is_negative() && decimal("0.00").is_zero());
        for (text, trimmed) in [("540.00", "540"), ("-0.50", "-0.5"), ("600", "600"), ("0.000", "0")] {
            assert_eq!(decimal(text).trimmed().to_string(), trimmed);
        }
    }

    #[test]
    fn minor_units_are_whole() {
        assert_eq!(said(Decimal::from_minor_units(12_000, 3)).as_deref(), Some("12.000"));
        assert_eq!(said(Decimal::from_minor_units(-5, 2)).as_deref(), Some("-0.05"));
        assert_eq!(Decimal::from_minor_units(1, 37), None);
        assert_eq!(
            (decimal("540.5").in_minor_units(2), decimal("36000").in_minor_units(0)),
            (Some(54_050), Some(36_000))
        );
        assert_eq!((decimal("12.00").in_minor_units(0), decimal("12.01").in_minor_units(0)), (Some(12), None));
    }

    #[test]
    fn what_is_no_decimal_is_none() {
        for text in [
            "",
            ".",
            "-",
            "a lot",
            "1e3",
            "1.2.3",
            "1,50",
            "1_000",
            "+5",
            "--5",
            "5-",
            " 5",
            "NaN",
            "12345678901234567890",
            "1234567890123456789",
            "0.1234567890123456789",
            "1.00000000000000000000000001",
            "٣",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
