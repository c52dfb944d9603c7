//! The items of an order: the price of a stay, line by line.

use gassync_plugin::{
    ChannelError, Decimal, Lenient, Money, PriceKind, PriceLine, malformed, money,
    xml::{Element, element, leaf},
};

const ITEMS: &str = "orderItemList/orderItem";
const TOTALS: &str = "orderItemList/orderItem/totalAmount";

/// The sum of the items, since there is no total. Deposits, which are refunded, and cancelled items do not count.
pub fn total(details: &Element) -> Result<Option<Money>, ChannelError> {
    let items = live(details).filter(|item| kind(item) != PriceKind::Deposit);
    let amounts: Vec<&Element> = items.filter_map(|item| item.find("totalAmount")).collect();
    let currency = amounts.first().and_then(|amount| amount.attribute("currency"));
    let wrong = |problem: &str| malformed(details.place_of(TOTALS), problem);
    if amounts.iter().any(|amount| amount.attribute("currency") != currency) {
        return Err(wrong("is in several currencies"));
    }
    if amounts.is_empty() {
        return Ok(None);
    }
    let sum = Decimal::sum(amounts.iter().map(|amount| amount.text().unwrap_or_default()));
    let sum = Lenient::from(sum.ok_or_else(|| wrong("is no decimal"))?.to_string());
    Ok(sum.exact_amount(details.place_of(TOTALS))?.map(|amount| money(amount, currency)))
}

/// A line per item without tax, and one for all taxes.
pub fn price_lines(details: &Element) -> Result<Vec<PriceLine>, ChannelError> {
    let mut lines = Vec::new();
    let (mut taxes, mut currency) = (Decimal::ZERO, None);
    for item in live(details) {
        let kind = kind(item);
        let decimal = |name: &str| {
            let said = item.field(name).exact_amount()?;
            Ok::<_, ChannelError>(said.as_deref().and_then(Decimal::parse))
        };
        let Some(with_tax) = decimal("totalAmount")? else { continue };
        // Deposits are not taxed.
        let without = decimal("preTaxAmount")?.filter(|_| kind != PriceKind::Deposit).unwrap_or(with_tax);
        let tax = with_tax.minus(without).and_then(|tax| taxes.plus(tax));
        taxes = tax.ok_or_else(|| item.field("totalAmount").malformed("is too large to add up"))?;
        currency = currency.or_else(|| item.find("totalAmount")?.attribute("currency"));
        let amount = money(without.to_string(), currency);
        lines.push(PriceLine { kind, name: item.text_at("name").unwrap_or_default().to_owned(), amount });
    }
    if !taxes.is_zero() {
        let amount = money(taxes.to_string(), currency);
        lines.push(PriceLine { kind: PriceKind::Tax, name: "Taxes".to_owned(), amount });
    }
    Ok(lines)
}

fn live(details: &Element) -> impl Iterator<Item = &Element> {
    details.all(ITEMS).into_iter().filter(|item| item.text_at("status") != Some("CANCELLED"))
}

fn kind(item: &Element) -> PriceKind {
    match (item.text_at("feeType"), item.text_at("productId")) {
        (Some("RENTAL"), _) => PriceKind::Stay,
        (Some("DEPOSIT"), _) => PriceKind::Deposit,
        (Some("TAX"), _) => PriceKind::Tax,
        (_, Some("CLEANING")) => PriceKind::Cleaning,
        (Some("MISC"), _) => PriceKind::Fee,
        _ => PriceKind::Other,
    }
}

/// A requested item, marked as accepted.
pub fn accepted(item: &Element) -> Element {
    let mut item = item.clone();
    let children = item.children_mut();
    children.retain(|child| child.name() != "status");
    let place = children.iter().position(|child| child.name() == "totalAmount").unwrap_or(children.len());
    children.insert(place, leaf("status", "ACCEPTED"));
    item
}

/// Our lines as items, with a status if they belong to an order.
pub fn items(lines: &[PriceLine], status: Option<&str>) -> impl Iterator<Item = Element> {
    lines.iter().enumerate().map(move |(index, line)| {
        let (fee_type, product) = match line.kind {
            PriceKind::Stay => ("RENTAL", "RENT"),
            PriceKind::Cleaning => ("MISC", "CLEANING"),
            PriceKind::Deposit => ("DEPOSIT", "DEPOSIT_DAMAGE"),
            PriceKind::Tax => ("TAX", "TAX"),
            PriceKind::Fee | PriceKind::Discount | PriceKind::Other => ("MISC", "MISC"),
        };
        let amount =
            |name: &str| leaf(name, &line.amount.amount).with_some("currency", line.amount.currency.as_deref());
        element("orderItem")
            .with_children([
                leaf("externalId", format!("line-{}", index + 1)),
                leaf("feeType", fee_type),
                leaf("name", &line.name),
                // Taxes are separate lines, so no line includes tax.
                amount("preTaxAmount"),
                leaf("productId", product),
            ])
            .with_children(status.map(|status| leaf("status", status)))
            .with_children([amount("totalAmount")])
    })
}
