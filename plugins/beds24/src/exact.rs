//! Exact sums and products of the decimals of an invoice, without floats or rounding.

use std::fmt;

/// Maximum digits of an amount or quantity, so that sums and products of a whole invoice fit.
const MAX_DIGITS: usize = 18;

/// A decimal as an integer and a number of decimal places.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Exact {
    parts: i128,
    places: u32,
}

impl Exact {
    /// Parses a decimal without exponent. Returns `None` if invalid, or if it has more than `MAX_DIGITS` digits.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        let places = places.trim_end_matches('0');
        let digits = format!("{whole}{places}");
        let parts = match digits.strip_prefix('-').unwrap_or(&digits) {
            "" => 0,
            unsigned if unsigned.trim_start_matches('0').len() > MAX_DIGITS => return None,
            unsigned if unsigned.bytes().all(|byte| byte.is_ascii_digit()) => unsigned.parse::<i128>().ok()?,
            _ => return None,
        };
        let parts = if whole.starts_with('-') { -parts } else { parts };
        Some(Self { parts, places: u32::try_from(places.len()).ok()? })
    }

    pub fn plus(self, other: Self) -> Option<Self> {
        let places = self.places.max(other.places);
        Some(Self { parts: self.scaled(places)?.checked_add(other.scaled(places)?)?, places })
    }

    pub fn times(self, other: Self) -> Option<Self> {
        Some(Self { parts: self.parts.checked_mul(other.parts)?, places: self.places + other.places })
    }

    pub fn is_negative(self) -> bool {
        self.parts < 0
    }

    /// True if this is greater than or equal to the other.
    pub fn reaches(self, other: Self) -> bool {
        let places = self.places.max(other.places);
        self.scaled(places).zip(other.scaled(places)).is_some_and(|(mine, theirs)| mine >= theirs)
    }

    /// Returns the integer for this number of decimal places.
    fn scaled(self, places: u32) -> Option<i128> {
        10_i128.checked_pow(places.checked_sub(self.places)?)?.checked_mul(self.parts)
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.reaches(*other) && other.reaches(*self)
    }
}

/// Formats without superfluous zeros: `600`, `-0.5`.
impl fmt::Display for Exact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = usize::try_from(self.places).map_err(|_| fmt::Error)?;
        let digits = format!("{:0>width$}", self.parts.unsigned_abs(), width = places + 1);
        let (whole, places) = digits.split_at(digits.len() - places);
        let sign = if self.is_negative() { "-" } else { "" };
        match places.trim_end_matches('0') {
            "" => write!(out, "{sign}{whole}"),
            places => write!(out, "{sign}{whole}.{places}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::parse(text).expect(text)
    }

    #[test]
    fn sums_and_products_are_exact() {
        for (left, right, sum) in
            [("0.1", "0.2", "0.3"), ("540", "-54.5", "485.5"), (".5", "-.50", "0"), ("1714.28571", "0", "1714.28571")]
        {
            assert_eq!(exact(left).plus(exact(right)).expect("a sum").to_string(), sum);
        }
        assert_eq!(exact("6").times(exact("2.50")).expect("a product").to_string(), "15");
        assert_eq!(exact("-2").times(exact("0.05")).expect("a product").to_string(), "-0.1");
        assert!(exact("540.00") == exact("540") && exact("540") != exact("540.00001"));
        assert!(exact("-3").is_negative() && exact("2").reaches(exact("-3")) && !exact("-3").reaches(exact("2")));
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in ["a lot", "1e3", "1.2.3", "12345678901234567890", "0.1234567890123456789", "--5"] {
            assert!(Exact::parse(text).is_none(), "{text}");
        }
    }
}
