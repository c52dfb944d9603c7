use serde::{Deserialize, Serialize};

use crate::{
    Amount, FieldError, TEN_THOUSANDTHS, Validate,
    money::{MAX_TEN_THOUSANDTHS, smallest_part},
};

/// Allowed percentages.
const PERCENT: (i64, i64) = (-90, 500);
/// Maximum amount added or subtracted, and maximum rounding step, in units of currency.
const MAX_ADDED: i64 = 100_000;
/// A hundred percent, in ten-thousandths of a percent.
const WHOLE: i128 = 100 * TEN_THOUSANDTHS as i128;

/// Adjustment of a source's prices for its channel.
///
/// In JSON `{"percent":12.5,"rounding":"nearest","step":0.50}` or `{"amount":-5.00}`: percent is of the price, amount
/// and step are money in the price's currency. `{}` leaves prices as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceAdjustment {
    /// Percentage added to the price, from -90 to 500, with up to four decimal places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Amount>,
    /// Amount added instead; negative to subtract; up to 100,000.00.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// How the result is rounded to a multiple of `step`.
    #[serde(default, skip_serializing_if = "Rounding::is_none")]
    pub rounding: Rounding,
    /// Rounding step, such as 1.00, 0.50 or 5.00.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Amount>,
}

crate::words! {
    /// Rounding of an adjusted price.
    #[derive(Default)]
    pub enum Rounding {
        /// To the smallest unit of the currency only, half away from zero.
        #[default]
        None = "none",
        /// Up to a multiple.
        Up = "up",
        /// Down to a multiple.
        Down = "down",
        /// To the nearest multiple, half away from zero.
        Nearest = "nearest",
    }
}

impl Rounding {
    fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Rounds a non-negative fraction to a multiple of `step`, which is positive.
    fn multiple(self, numerator: i128, denominator: i128, step: i128) -> i128 {
        let whole = denominator * step;
        let steps = match self {
            Self::Up => (numerator + whole - 1) / whole,
            Self::Down => numerator / whole,
            Self::None | Self::Nearest => (2 * numerator + whole) / (2 * whole),
        };
        steps * step
    }
}

impl PriceAdjustment {
    /// Applies the adjustment. The result is never negative, and no finer than the smallest unit of its currency (ISO
    /// 4217), or a ten-thousandth if the currency is unknown.
    #[must_use]
    pub fn apply(&self, price: Amount, currency: Option<&str>) -> Amount {
        if *self == Self::default() {
            return price;
        }
        let parts = |amount: Option<Amount>| i128::from(amount.map_or(0, Amount::ten_thousandths));
        let price = i128::from(price.ten_thousandths());
        // As a fraction of `WHOLE`: rounding twice would be wrong if the first result lay on a half.
        let changed = (price * (WHOLE + parts(self.percent)) + parts(self.amount) * WHOLE).max(0);
        let smallest = currency.map_or(1, |currency| i128::from(smallest_part(currency)));
        let step = if self.rounding.is_none() { smallest } else { parts(self.step).max(smallest) };
        let rounded = self.rounding.multiple(changed, WHOLE, step);
        // A multiple of the step may be finer than the currency: half a unit of one without cents.
        let payable = self.rounding.multiple(rounded, 1, smallest);
        // Larger amounts could not be parsed again.
        let payable = i64::try_from(payable).unwrap_or(MAX_TEN_THOUSANDTHS).min(MAX_TEN_THOUSANDTHS);
        let payable = Amount::from_ten_thousandths(payable);
        currency.map_or(payable, |currency| payable.written_in(currency))
    }
}

impl Validate for PriceAdjustment {
    fn validate(&self) -> Vec<FieldError> {
        let mut found = Vec::new();
        let mut add = |path: &str, problem: String| found.push(FieldError::new(path.to_owned(), problem));
        let within = |amount: Amount, (least, most): (i64, i64)| {
            (least * TEN_THOUSANDTHS..=most * TEN_THOUSANDTHS).contains(&amount.ten_thousandths())
        };
        if let Some(percent) = self.percent.filter(|percent| !within(*percent, PERCENT)) {
            add("/percent", format!("is {percent}; allowed are {} to {}", PERCENT.0, PERCENT.1));
        }
        if let Some(amount) = self.amount.filter(|amount| !within(*amount, (-MAX_ADDED, MAX_ADDED))) {
            add("/amount", format!("is {amount}; allowed are -{MAX_ADDED} to {MAX_ADDED}"));
        }
        if self.percent.is_some() && self.amount.is_some() {
            add("/amount", "stands beside percent: name one or the other".to_owned());
        }
        match self.step {
            Some(step) if step.ten_thousandths() <= 0 || !within(step, (0, MAX_ADDED)) => {
                add("/step", format!("is {step}; it must be above 0, and {MAX_ADDED} at most"));
            }
            Some(_) if self.rounding.is_none() => {
                add("/step", "says nothing without rounding up, down or nearest".to_owned());
            }
            None if !self.rounding.is_none() => add("/step", "is missing beside rounding".to_owned()),
            _ => {}
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use rust_decimal::{Decimal, RoundingStrategy};

    use super::*;

    fn read(json: &str) -> PriceAdjustment {
        serde_json::from_str(json).expect(json)
    }

    fn amount(text: &str) -> Amount {
        text.parse().expect(text)
    }

    #[test]
    fn prices_are_changed_to_the_digit() {
        for (adjustment, price, currency, changed) in [
            ("{}", "100.1", Some("EUR"), "100.1"),
            ("{}", "100.1234", None, "100.1234"),
            (r#"{"percent":12.5}"#, "100.01", Some("EUR"), "112.51"),
            (r#"{"percent":5}"#, "33.30", Some("EUR"), "34.97"),
            (r#"{"percent":-5}"#, "33.30", Some("EUR"), "31.64"),
            (r#"{"percent":-90}"#, "0.04", Some("EUR"), "0.00"),
            (r#"{"percent":0}"#, "100.005", Some("EUR"), "100.01"),
            (r#"{"amount":5}"#, "100.5", Some("EUR"), "105.50"),
            (r#"{"amount":-5.25}"#, "100", Some("EUR"), "94.75"),
            (r#"{"amount":-50}"#, "30", Some("EUR"), "0.00"),
            (r#"{"amount":-50,"rounding":"up","step":5}"#, "30", Some("EUR"), "0.00"),
            (r#"{"percent":12.5}"#, "10050", Some("JPY"), "11306"),
            (r#"{"percent":5}"#, "10010", Some("JPY"), "10511"),
            (r#"{"percent":12.5}"#, "10.001", Some("KWD"), "11.251"),
            (r#"{"percent":12.5}"#, "100.01", None, "112.5113"),
            (r#"{"percent":500}"#, "100000000000", None, "100000000000"),
        ] {
            let text = read(adjustment).apply(amount(price), currency).to_string();
            assert_eq!(text, changed, "{adjustment} of {price} {currency:?}");
        }
    }

    #[test]
    fn rounding_goes_to_multiples_of_the_step() {
        for (rounding, step, price, currency, rounded) in [
            ("up", "1.00", "100.01", "EUR", "101.00"),
            ("up", "1.00", "100.00", "EUR", "100.00"),
            ("down", "0.50", "100.99", "EUR", "100.50"),
            ("nearest", "5.00", "102.49", "EUR", "100.00"),
            ("nearest", "5.00", "102.50", "EUR", "105.00"),
            ("nearest", "0.30", "100.00", "EUR", "99.90"),
            ("up", "0.001", "100.0011", "EUR", "100.01"),
            ("down", "0.001", "100.0099", "EUR", "100.00"),
            ("up", "1.5", "100", "JPY", "101"),
            ("nearest", "0.5", "100.3", "JPY", "100"),
            ("nearest", "100", "12350", "JPY", "12400"),
        ] {
            let adjustment = read(&format!(r#"{{"rounding":"{rounding}","step":{step}}}"#));
            let text = adjustment.apply(amount(price), Some(currency)).to_string();
            assert_eq!(text, rounded, "{rounding} to {step} of {price} {currency}");
        }
        // 102.4996 percent of 100 lies below the half; rounded to cents first, it would lie on it.
        let once = read(r#"{"percent":2.4996,"rounding":"nearest","step":5}"#);
        assert_eq!(once.apply(amount("100"), Some("EUR")).to_string(), "100.00");
    }

    #[test]
    fn it_agrees_with_decimal_arithmetic() {
        let mut changed = 0;
        for number in 0..20_000_i64 {
            // Prices and percentages without a pattern; primes, so that no pair repeats.
            let price = Decimal::new(number * 7_919 % 9_999_991, 4);
            let percent = Decimal::new(number * 104_729 % 5_900_000 - 900_000, 4);
            let exact = price * (Decimal::ONE_HUNDRED + percent) / Decimal::ONE_HUNDRED;
            let of = |rounding, step: Option<&str>| {
                let step = step.map(amount);
                let percent = Some(amount(&percent.to_string()));
                let adjustment = PriceAdjustment { percent, amount: None, rounding, step };
                assert_eq!(adjustment.validate(), []);
                let text = adjustment.apply(amount(&price.to_string()), Some("EUR")).to_string();
                text.parse::<Decimal>().expect("a decimal")
            };
            let cents = exact.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
            assert_eq!(of(Rounding::None, None), cents, "{percent} percent of {price}");
            for (text, step) in [("0.05", Decimal::new(5, 2)), ("0.5", Decimal::new(5, 1)), ("5", Decimal::from(5))] {
                let steps = exact / step;
                assert_eq!(of(Rounding::Up, Some(text)), steps.ceil() * step);
                assert_eq!(of(Rounding::Down, Some(text)), steps.floor() * step);
                let nearest = steps.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero) * step;
                assert_eq!(of(Rounding::Nearest, Some(text)), nearest);
            }
            changed += i32::from(cents != price);
        }
        assert!(changed > 15_000, "{changed}");
    }

    #[test]
    fn what_is_out_of_bounds_names_field_and_limit() {
        for (json, path, limit) in [
            (r#"{"percent":-90.0001}"#, "/percent", "-90 to 500"),
            (r#"{"percent":500.01}"#, "/percent", "-90 to 500"),
            (r#"{"amount":100000.01}"#, "/amount", "-100000 to 100000"),
            (r#"{"amount":-100000.01}"#, "/amount", "-100000 to 100000"),
            (r#"{"percent":1,"amount":1}"#, "/amount", "one or the other"),
            (r#"{"rounding":"up","step":0}"#, "/step", "above 0"),
            (r#"{"rounding":"up","step":-1}"#, "/step", "above 0"),
            (r#"{"rounding":"up","step":100000.01}"#, "/step", "100000 at most"),
            (r#"{"rounding":"up"}"#, "/step", "missing"),
            (r#"{"step":1}"#, "/step", "without rounding"),
        ] {
            let found = read(json).validate();
            let [FieldError { path: at, problem }] = &found[..] else { panic!("{json}: {found:?}") };
            assert!(at == path && problem.contains(limit), "{json}: {at} {problem}");
        }
        for json in
            [r#"{"percent":-90}"#, r#"{"percent":"500"}"#, r#"{"amount":-100000.00}"#, r#"{"rounding":"none"}"#, "{}"]
        {
            assert_eq!(read(json).validate(), [], "{json}");
        }
        // A setting that was never validated gives odd prices but does not panic.
        let odd = read(r#"{"percent":-200,"rounding":"down","step":0}"#);
        assert_eq!(odd.apply(amount("10"), Some("EUR")).to_string(), "0.00");
    }

    #[test]
    fn json_round_trip() {
        for json in
            ["{}", r#"{"percent":12.5}"#, r#"{"amount":-5.25}"#, r#"{"percent":-5,"rounding":"nearest","step":0.5}"#]
        {
            assert_eq!(serde_json::to_string(&read(json)).expect("JSON"), json);
        }
        for json in [r#"{"percentage":5}"#, r#"{"rounding":"away"}"#, r#"{"percent":1.23456}"#] {
            assert!(serde_json::from_str::<PriceAdjustment>(json).is_err(), "{json}");
        }
    }
}
