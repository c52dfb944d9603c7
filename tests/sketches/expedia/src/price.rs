//! Parses the prices of the XML interfaces: a total and some of its parts.

use gassync_plugin::{ChannelError, Decimal, Money, PriceKind, PriceLine, money, xml::Element};

/// The amount of an attribute, with the currency of another attribute.
pub fn amount(element: Option<&Element>, name: &str, currency: &str) -> Result<Option<Money>, ChannelError> {
    let Some(element) = element else { return Ok(None) };
    let amount = element.field(&format!("@{name}")).amount()?;
    Ok(amount.map(|amount| money(amount, element.attribute(currency))))
}

/// The lines of a total: the known parts, and the rest as the stay. Empty if no part is known, or if they exceed the
/// total.
pub fn lines(total: &Money, reported: [(PriceKind, &str, Option<String>); 2]) -> Vec<PriceLine> {
    let currency = total.currency.as_deref();
    let line = |kind, name: &str, amount: Decimal| PriceLine {
        kind,
        name: name.to_owned(),
        amount: money(amount.to_string(), currency),
    };
    let Some(mut rest) = Decimal::parse(&total.amount) else { return Vec::new() };
    let mut lines = Vec::new();
    for (kind, name, amount) in reported {
        let amount = amount.as_deref().and_then(Decimal::parse).filter(|amount| !amount.is_zero());
        let Some(amount) = amount else { continue };
        let Some(less) = rest.minus(amount) else { return Vec::new() };
        rest = less;
        lines.push(line(kind, name, amount));
    }
    if lines.is_empty() || rest.is_negative() {
        return Vec::new();
    }
    lines.insert(0, line(PriceKind::Stay, "Stay", rest));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_split_as_far_as_given() {
        let of = |total: &str, fees: Option<&str>, taxes: Option<&str>| -> Vec<String> {
            let reported = [(PriceKind::Fee, "Fees", fees), (PriceKind::Tax, "Taxes", taxes)];
            let reported = reported.map(|(kind, name, amount)| (kind, name, amount.map(str::to_owned)));
            let lines = lines(&money(total, Some("EUR")), reported);
            lines.into_iter().map(|line| format!("{} {}", line.name, line.amount.amount)).collect()
        };
        assert_eq!(of("512.00", Some("24.00"), Some("48.00")), ["Stay 440.00", "Fees 24.00", "Taxes 48.00"]);
        assert_eq!(of("512.00", None, Some("48.00")), ["Stay 464.00", "Taxes 48.00"]);
        assert!(of("512.00", Some("0.00"), None).is_empty(), "the total alone says it all");
        assert!(of("10.00", None, Some("48.00")).is_empty(), "they do not add up");
    }
}
