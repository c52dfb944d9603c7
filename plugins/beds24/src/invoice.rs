//! What a price is made of, as far as an invoice tells it.

use gassync_plugin::{Loose, Money, PriceKind, PriceLine, money};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Ten-thousandths in one: what an amount may be as fine as.
const ONE: i64 = 10_000;
/// Digits behind the point of a ten-thousandth.
const PLACES: usize = 4;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Item {
    #[serde(rename = "type")]
    kind: Loose,
    description: Loose,
    line_total: Loose,
}

/// Where the invoice of a booking stands.
#[derive(Clone, Copy)]
pub(crate) enum Invoice<'a> {
    /// Nobody asked for it.
    Ignored,
    /// In the booking, or beside it as in a webhook.
    Read { beside: Option<&'a RawValue> },
}

impl Invoice<'_> {
    /// The charges, where they add up to the price: otherwise they are an invoice, and not what the price is made of.
    /// What was paid is no part of a price. An odd invoice never spoils a booking.
    pub fn lines(self, inside: Option<&RawValue>, price: Option<&Money>) -> Vec<PriceLine> {
        let Self::Read { beside } = self else { return Vec::new() };
        let items = [beside, inside].into_iter().flatten().map(items).find(|items| !items.is_empty());
        let lines: Option<Vec<PriceLine>> =
            items.unwrap_or_default().iter().filter(|i| i.is_charge()).map(line).collect();
        let lines = lines.unwrap_or_default();
        let sum = lines
            .iter()
            .map(|line| ten_thousandths(&line.amount.amount))
            .try_fold(0_i64, |sum, part| sum.checked_add(part?));
        let adds_up = sum.is_some() && sum == price.and_then(|price| ten_thousandths(&price.amount));
        if adds_up { lines } else { Vec::new() }
    }
}

impl Item {
    fn is_charge(&self) -> bool {
        self.kind.lower() == "charge"
    }
}

fn items(raw: &RawValue) -> Vec<Item> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

/// What a charge is for stands in its description alone; only that it takes something off is plain.
fn line(item: &Item) -> Option<PriceLine> {
    let amount = item.line_total.amount("").ok()??;
    let kind = if amount.starts_with('-') { PriceKind::Discount } else { PriceKind::Other };
    Some(PriceLine { kind, name: item.description.text().unwrap_or_default(), amount: money(amount, None) })
}

/// Exactly, so that a cent more or less shows.
fn ten_thousandths(amount: &str) -> Option<i64> {
    let unsigned = amount.trim_start_matches('-');
    let (whole, places) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let places = format!("{:0<PLACES$}", places.trim_end_matches('0'));
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let sum = whole.checked_mul(ONE)?.checked_add(places.parse().ok()?)?;
    Some(if amount.starts_with('-') { -sum } else { sum })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(items: &str, price: &str) -> Vec<(PriceKind, String, String)> {
        let raw = RawValue::from_string(items.to_owned()).expect("JSON");
        let lines = Invoice::Read { beside: None }.lines(Some(&raw), Some(&money(price, None)));
        lines.into_iter().map(|line| (line.kind, line.name, line.amount.amount)).collect()
    }

    const ITEMS: &str = r#"[
        {"type":"charge","subType":1,"description":"Three nights","qty":3,"amount":170,"lineTotal":510.00},
        {"type":"charge","description":"Cleaning","lineTotal":"40.5"},
        {"type":"Charge","description":"Regular guest","lineTotal":-10.50},
        {"type":"payment","description":"Deposit","qty":-1,"lineTotal":-108}]"#;

    #[test]
    fn charges_that_add_up_are_what_a_price_is_made_of() {
        let expected = [
            (PriceKind::Other, "Three nights".to_owned(), "510.00".to_owned()),
            (PriceKind::Other, "Cleaning".to_owned(), "40.5".to_owned()),
            (PriceKind::Discount, "Regular guest".to_owned(), "-10.50".to_owned()),
        ];
        assert_eq!(lines(ITEMS, "540"), expected);
        assert!(lines(ITEMS, "540.0001").is_empty(), "an invoice may be about something else");
        assert!(lines("[]", "0").is_empty() && lines(r#""none""#, "0").is_empty());
        assert!(lines(r#"[{"type":"charge","lineTotal":"a lot"}]"#, "0").is_empty(), "and never spoils a booking");
    }

    #[test]
    fn what_stands_beside_a_booking_counts_first_and_nothing_counts_unasked() {
        let raw = RawValue::from_string(ITEMS.to_owned()).expect("JSON");
        let empty = RawValue::from_string("[]".to_owned()).expect("JSON");
        let price = money("540.00", None);
        for invoice in [Invoice::Read { beside: Some(&raw) }, Invoice::Read { beside: Some(&empty) }] {
            assert_eq!(invoice.lines(Some(&raw), Some(&price)).len(), 3);
        }
        assert!(Invoice::Ignored.lines(Some(&raw), Some(&price)).is_empty());
        assert!(Invoice::Read { beside: None }.lines(Some(&raw), None).is_empty());
    }

    #[test]
    fn amounts_are_summed_exactly() {
        for (amount, sum) in [("0", 0), ("540.50", 5_405_000), ("-.5", -5_000), ("0.0001", 1), ("007", 70_000)] {
            assert_eq!(ten_thousandths(amount), Some(sum), "{amount}");
        }
        assert_eq!(ten_thousandths("99999999999999999"), None);
    }
}
