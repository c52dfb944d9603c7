//! Price elements: what a price is made of, and the only place that names a booking's currency.

use gassync_plugin::{Lenient, PriceKind, PriceLine, money};
use serde::Deserialize;

use crate::vocabulary;

#[derive(Debug, Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PriceElement {
    #[serde(rename = "type")]
    kind: Lenient,
    name: Lenient,
    amount: Lenient,
    currency_code: Lenient,
    price_included_in_id: Lenient,
}

/// Keeps the digits, valid or not: the host rounds excess decimals, and omits and notes what is not a number.
pub(crate) fn amount(said: &Lenient) -> Option<String> {
    said.decimal().or_else(|| said.text())
}

pub(crate) fn currency(elements: &[PriceElement]) -> Option<&str> {
    elements.iter().find_map(|element| element.currency_code.as_str())
}

/// The lines of a price. An element included in another one is left out: it would be counted twice.
pub(crate) fn lines(elements: &[PriceElement]) -> Vec<PriceLine> {
    let line = |element: &PriceElement| {
        let kind = vocabulary::price_kind(element.kind.as_str().unwrap_or_default())?;
        if element.price_included_in_id.unless_zero().is_some() {
            return None;
        }
        let amount = amount(&element.amount)?;
        // The sign of a discount is not documented; it always reduces the price.
        let is_above = kind == PriceKind::Discount && !amount.starts_with('-');
        let amount = if is_above { format!("-{amount}") } else { amount };
        let name = element.name.text().unwrap_or_default();
        Some(PriceLine { kind, name, amount: money(amount, element.currency_code.as_str()) })
    };
    elements.iter().filter_map(line).collect()
}
