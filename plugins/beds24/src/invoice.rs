//! The total of a booking, from its price and its invoice.
//!
//! The price is that of the selling site, often without the property's extra charges. If the invoice's charges reach
//! the price, they are what the guest pays: they become the price lines, and their sum the total. Otherwise they are
//! for something else, and the price is the total. The exception is the master of a group: its price may be that of the
//! whole group although each member has its own. There the master's own charges are its share.

use gassync_plugin::{Decimal, Lenient, PriceKind, PriceLine, money};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Item {
    #[serde(rename = "type")]
    kind: Lenient,
    booking_id: Lenient,
    description: Lenient,
    qty: Lenient,
    amount: Lenient,
    line_total: Lenient,
}

/// Where to find a booking's invoice.
#[derive(Clone, Copy)]
pub(crate) enum Invoice<'a> {
    /// Invoices are not requested.
    Ignored,
    /// In the booking, or next to it as in webhooks.
    Read { beside: Option<&'a RawValue> },
}

/// A booking's role in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Member {
    Alone,
    /// The first booking, whose price may be that of the whole group.
    Master,
    OfGroup,
}

/// The total of a booking.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Total {
    /// The price with its original digits, or the exact sum of the lines.
    pub amount: Option<String>,
    pub lines: Vec<PriceLine>,
    /// Set if the price may be that of a whole group.
    pub covers_group: Option<&'static str>,
}

/// The charges of one booking.
struct Charges {
    lines: Vec<PriceLine>,
    sum: Decimal,
    /// Sum without discounts.
    charged: Decimal,
}

impl Invoice<'_> {
    /// Returns the total of the booking with this id. Payments are not subtracted, and an invalid invoice never fails a
    /// booking.
    pub fn total(self, inside: Option<&RawValue>, price: Option<String>, (id, member): (&str, Member)) -> Total {
        let charges = self.items(inside, member).and_then(|items| Charges::of(&items, id));
        let known = price.as_deref().and_then(Decimal::parse);
        // If invoices are not requested, use one only for the share of a group's master.
        let is_read = matches!(self, Self::Read { .. });
        match (charges, known) {
            (Some(charges), None) if is_read => charges.total(None),
            (Some(charges), Some(known)) if charges.charged >= known && is_read => {
                let amount = price.filter(|_| charges.sum == known);
                charges.total(amount)
            }
            (Some(charges), Some(known)) if member == Member::Master && charges.charged < known => charges.total(None),
            (charges, known) => {
                let is_doubtful =
                    member == Member::Master && charges.is_none() && known.is_some_and(|known| !known.is_zero());
                Total { amount: price, lines: Vec::new(), covers_group: is_doubtful.then_some("unknown") }
            }
        }
    }

    fn items(self, inside: Option<&RawValue>, member: Member) -> Option<Vec<Item>> {
        let beside = match self {
            Self::Read { beside } => beside,
            Self::Ignored if member == Member::Master => None,
            Self::Ignored => return None,
        };
        [beside, inside].into_iter().flatten().map(items).find(|items| !items.is_empty())
    }
}

impl Charges {
    /// Returns `None` if there are no charges, or one is unreadable, since the sum would be wrong.
    fn of(items: &[Item], id: &str) -> Option<Self> {
        let mut charges = Self { lines: Vec::new(), sum: Decimal::ZERO, charged: Decimal::ZERO };
        for item in items.iter().filter(|item| item.is_charge_of(id)) {
            let (amount, digits) = item.total()?;
            charges.sum = charges.sum.plus(amount)?;
            // Only the free-text description tells what a charge is for; a negative amount is a discount.
            let kind = if amount.is_negative() { PriceKind::Discount } else { PriceKind::Other };
            if kind == PriceKind::Other {
                charges.charged = charges.charged.plus(amount)?;
            }
            let name = item.description.text().unwrap_or_default();
            charges.lines.push(PriceLine { kind, name, amount: money(digits, None) });
        }
        (!charges.lines.is_empty()).then_some(charges)
    }

    fn total(self, amount: Option<String>) -> Total {
        let amount = amount.unwrap_or_else(|| self.sum.trimmed().to_string());
        Total { amount: Some(amount), lines: self.lines, covers_group: None }
    }
}

impl Item {
    /// True for a charge of this booking. The invoice of a group's master may contain charges of other members.
    fn is_charge_of(&self, id: &str) -> bool {
        self.kind.lower() == "charge" && self.booking_id.unless_zero().is_none_or(|of| of == id)
    }

    /// Returns the line total, or else quantity times amount; exact, and with its digits.
    fn total(&self) -> Option<(Decimal, String)> {
        if self.line_total.as_str().is_some() {
            let digits = self.line_total.decimal()?;
            return Some((Decimal::parse(&digits)?, digits));
        }
        let quantity = self.qty.decimal().unwrap_or_else(|| "1".to_owned());
        let total = Decimal::parse(&quantity)?.times(Decimal::parse(&self.amount.decimal()?)?)?.trimmed();
        Some((total, total.to_string()))
    }
}

fn items(raw: &RawValue) -> Vec<Item> {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(items: &str) -> Box<RawValue> {
        RawValue::from_string(items.to_owned()).expect("JSON")
    }

    fn read(items: &str, price: Option<&str>, member: Member) -> Total {
        Invoice::Read { beside: None }.total(Some(&raw(items)), price.map(str::to_owned), ("71", member))
    }

    /// Returns the total and the number of lines.
    fn sum(items: &str, price: Option<&str>) -> (Option<String>, usize) {
        let total = read(items, price, Member::Alone);
        assert_eq!(total.covers_group, None);
        (total.amount, total.lines.len())
    }

    fn charge(total: &str) -> String {
        format!(r#"{{"type":"charge","description":"x","lineTotal":{total}}}"#)
    }

    fn reported(amount: &str, lines: usize) -> (Option<String>, usize) {
        (Some(amount.to_owned()), lines)
    }

    const ITEMS: &str = r#"[
        {"type":"charge","subType":1,"description":"Three nights","qty":3,"amount":170,"lineTotal":510.00},
        {"type":"charge","description":"Cleaning","lineTotal":"40.5"},
        {"type":"Charge","description":"Regular guest","lineTotal":-10.50},
        {"type":"payment","description":"Deposit","qty":-1,"lineTotal":-108}]"#;

    #[test]
    fn charges_that_cover_the_price_are_what_the_guest_pays() {
        let Total { amount, lines, .. } = read(ITEMS, Some("540.00"), Member::Alone);
        assert_eq!(amount.as_deref(), Some("540.00"), "the digits of the price stay");
        let lines: Vec<_> = lines.iter().map(|line| (line.kind, line.name.as_str(), &*line.amount.amount)).collect();
        let expected = [
            (PriceKind::Other, "Three nights", "510.00"),
            (PriceKind::Other, "Cleaning", "40.5"),
            (PriceKind::Discount, "Regular guest", "-10.50"),
        ];
        assert_eq!(lines, expected);
        let extras = format!("[{},{}]", charge("540"), charge("60"));
        assert_eq!(sum(&extras, Some("540")), reported("600", 2), "a price without its extras");
        let off = format!("[{},{}]", charge("540"), charge("-54"));
        assert_eq!(
            sum(&off, Some("540")),
            reported("486", 2),
            "what is taken off counts, and does not uncover the price"
        );
        assert_eq!(sum(&off, None), reported("486", 2));
        assert_eq!(sum(&extras, Some("0")), reported("600", 2), "nothing but the invoice says what it costs");
        assert_eq!(sum(&extras, Some("a lot")), reported("600", 2));
        let fine = format!("[{},{}]", charge("0.1"), charge("0.20004"));
        assert_eq!(
            sum(&fine, Some("0.1")),
            reported("0.30004", 2),
            "no digit is lost before the host rounds the total"
        );
    }

    #[test]
    fn what_is_about_something_else_leaves_the_price() {
        for items in [
            "[]".to_owned(),
            r#""none""#.to_owned(),
            r#"[{"type":"payment","lineTotal":540}]"#.to_owned(),
            format!("[{}]", charge("45")),
            format!("[{},{}]", charge("540"), charge(r#""a lot""#)),
            format!("[{},{}]", charge("540"), charge("null")),
        ] {
            assert_eq!(sum(&items, Some("540.00")), reported("540.00", 0), "{items}");
        }
        assert_eq!(sum("[]", None), (None, 0));
    }

    #[test]
    fn a_line_without_its_total_is_quantity_times_amount() {
        let items = r#"[{"type":"charge","qty":1,"amount":540,"lineTotal":null},
            {"type":"charge","qty":"6","amount":"2.50"},{"type":"charge","amount":5}]"#;
        assert_eq!(sum(items, Some("540")), reported("560", 3));
    }

    #[test]
    fn a_groups_price_is_not_counted_on_its_first_room() {
        let own = format!(r#"[{},{},{{"type":"payment","lineTotal":72}}]"#, charge("60"), charge("12"));
        let total = read(&own, Some("192"), Member::Master);
        assert_eq!((total.amount.as_deref(), total.lines.len(), total.covers_group), (Some("72"), 2, None));
        assert_eq!(read(&own, Some("192"), Member::OfGroup).amount.as_deref(), Some("192"));
        let unasked = Invoice::Ignored.total(Some(&raw(&own)), Some("192".to_owned()), ("71", Member::Master));
        assert_eq!(unasked.amount.as_deref(), Some("72"));
        // Charges of other members on the master's invoice belong to those members.
        let of = |id: u32, total: u32| format!(r#"{{"type":"charge","bookingId":{id},"lineTotal":{total}}}"#);
        let all = format!("[{},{},{}]", of(71, 72), of(72, 60), of(73, 60));
        assert_eq!(read(&all, Some("192"), Member::Master).amount.as_deref(), Some("72"));
        let unknown = read("[]", Some("192"), Member::Master);
        assert_eq!((unknown.amount.as_deref(), unknown.covers_group), (Some("192"), Some("unknown")));
        assert_eq!(read("[]", Some("0.00"), Member::Master).covers_group, None);
    }

    #[test]
    fn what_stands_beside_a_booking_counts_first_and_nothing_counts_unasked() {
        let (items, empty) = (raw(ITEMS), raw("[]"));
        let price = || Some("500".to_owned());
        let booking = ("71", Member::Alone);
        for invoice in [Invoice::Read { beside: Some(&items) }, Invoice::Read { beside: Some(&empty) }] {
            assert_eq!(invoice.total(Some(&items), price(), booking).amount.as_deref(), Some("540"));
        }
        let unasked = Invoice::Ignored.total(Some(&items), price(), booking);
        assert_eq!((unasked.amount, unasked.lines.len()), (price(), 0));
    }
}
