//! Parses prices: integers whose number of decimal places is in the same element.

use gassync_plugin::{ChannelError, Decimal, Money, PriceKind, PriceLine, money, xml::Element};

const TOTAL: &str = "PriceDetails/GuestView/Total";

/// The guest's price, with its lines if known.
#[derive(Debug, Clone, Default)]
pub struct Price {
    pub total: Option<Money>,
    pub lines: Vec<PriceLine>,
}

impl Price {
    /// The price of one room: the guest view if the property has enabled it, since the hotel's total may differ.
    pub fn of_room(stay: &Element) -> Result<Self, ChannelError> {
        let without_view = total(stay.find("Total"))?;
        let Some(mut seen) = scaled(stay.find(TOTAL), "Amount")? else {
            return Ok(Self { total: without_view, lines: Vec::new() });
        };
        // The guest view may lack a currency.
        seen.currency = seen.currency.or_else(|| without_view.and_then(|total| total.currency));
        let lines = lines(stay, &seen)?;
        Ok(Self { total: Some(seen), lines })
    }

    /// The price of all rooms: the sum if each has a guest view, otherwise the total of the reservation.
    pub fn of_all(entry: &Element, rooms: &[Self]) -> Result<Self, ChannelError> {
        let stays = entry.all("RoomStays/RoomStay");
        let seen = !stays.is_empty() && stays.iter().all(|stay| stay.find(TOTAL).is_some());
        let totals: Option<Vec<&Money>> = rooms.iter().map(|room| room.total.as_ref()).collect();
        match totals.filter(|_| seen).and_then(|totals| sum(&totals)) {
            Some(total) => Ok(Self { total: Some(total), lines: rooms.iter().flat_map(|r| r.lines.clone()).collect() }),
            None => Ok(Self { total: total(entry.find("ResGlobalInfo/Total"))?, lines: Vec::new() }),
        }
    }
}

/// The stay, and the taxes included in the guest's total; other taxes are paid separately.
fn lines(stay: &Element, seen: &Money) -> Result<Vec<PriceLine>, ChannelError> {
    let mut taxes = Vec::new();
    for tax in stay.all("PriceDetails/GuestView/Taxes/Tax") {
        if tax.attribute("Type") != Some("Inclusive") {
            continue;
        }
        let Some(amount) = scaled(Some(tax), "Amount")? else { continue };
        let name = tax.text_at("TaxDescription/Text").unwrap_or("Tax").to_owned();
        taxes.push(PriceLine { kind: PriceKind::Tax, name, amount });
    }
    let less = |rest: Decimal, tax: &PriceLine| rest.minus(Decimal::parse(&tax.amount.amount)?);
    let in_one_currency = taxes.iter().all(|tax| tax.amount.currency.is_none() || tax.amount.currency == seen.currency);
    let rest = Decimal::parse(&seen.amount).and_then(|total| taxes.iter().try_fold(total, less));
    let Some(rest) = rest.filter(|_| in_one_currency) else { return Ok(Vec::new()) };
    let name = stay.find("RoomTypes/RoomType/RoomDescription").and_then(|room| room.attribute("Name"));
    let amount = money(rest.to_string(), seen.currency.as_deref());
    let stay = PriceLine { kind: PriceKind::Stay, name: name.unwrap_or("Room").to_owned(), amount };
    Ok([stay].into_iter().chain(taxes).collect())
}

/// Booking.com's commission, given for the reservation or per room.
pub fn commission(entry: &Element) -> Result<Option<Money>, ChannelError> {
    let of_all = entry.find("ResGlobalInfo/TotalCommissions/CommissionPayableAmount");
    if let Some(commission) = scaled(of_all, "Amount")? {
        return Ok(Some(commission));
    }
    let mut of_rooms = Vec::new();
    for stay in entry.all("RoomStays/RoomStay") {
        let of_room = scaled(stay.find("RatePlans/RatePlan/Commission/CommissionPayableAmount"), "Amount")?;
        // If one room lacks it, the sum would be too low.
        let Some(of_room) = of_room else { return Ok(None) };
        of_rooms.push(of_room);
    }
    Ok(sum(&of_rooms.iter().collect::<Vec<_>>()))
}

/// The sum; `None` for no amounts and for different currencies.
fn sum(amounts: &[&Money]) -> Option<Money> {
    let currency = &amounts.first()?.currency;
    let in_one_currency = amounts.iter().all(|amount| amount.currency == *currency);
    let sum = Decimal::sum(amounts.iter().map(|amount| amount.amount.as_str()))?;
    in_one_currency.then(|| money(sum.to_string(), currency.as_deref()))
}

/// The total after tax, else before tax.
fn total(total: Option<&Element>) -> Result<Option<Money>, ChannelError> {
    match scaled(total, "AmountAfterTax")? {
        Some(total) => Ok(Some(total)),
        None => scaled(total, "AmountBeforeTax"),
    }
}

/// An amount; one without its number of decimal places is an error.
fn scaled(amount: Option<&Element>, attribute: &str) -> Result<Option<Money>, ChannelError> {
    let path = format!("@{attribute}");
    let Some((element, field)) = amount.map(|element| (element, element.field(&path))) else { return Ok(None) };
    if field.text().is_none() {
        return Ok(None);
    }
    let places = element.field("@DecimalPlaces").required_count()?;
    let amount = field.lenient().decimal_places(places, field)?;
    Ok(amount.map(|amount| money(amount, element.attribute("CurrencyCode"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(rooms: &str, global: &str) -> Element {
        let text = format!("<E><RoomStays>{rooms}</RoomStays><ResGlobalInfo>{global}</ResGlobalInfo></E>");
        Element::parse(text.as_bytes()).expect("XML")
    }

    fn price(rooms: &str, global: &str) -> Result<Price, ChannelError> {
        let entry = entry(rooms, global);
        let rooms = entry.all("RoomStays/RoomStay").into_iter().map(Price::of_room).collect::<Result<Vec<_>, _>>()?;
        Price::of_all(&entry, &rooms)
    }

    fn said(lines: &[PriceLine]) -> Vec<(PriceKind, &str, &str)> {
        lines.iter().map(|line| (line.kind, line.name.as_str(), line.amount.amount.as_str())).collect()
    }

    const TAXED: &str = r#"<RoomStay>
        <RoomTypes><RoomType><RoomDescription Name="Attic"/></RoomType></RoomTypes>
        <Total AmountBeforeTax="64000" DecimalPlaces="2" CurrencyCode="USD"/>
        <PriceDetails>
            <GuestView>
                <Taxes>
                    <Tax Amount="3200" DecimalPlaces="2" CurrencyCode="USD" Type="Inclusive">
                        <TaxDescription><Text>Sales tax</Text></TaxDescription>
                    </Tax>
                    <Tax Amount="500" DecimalPlaces="2" CurrencyCode="USD" Type="Exclusive"/>
                </Taxes>
                <Total Amount="67200" DecimalPlaces="2"/>
            </GuestView>
            <HotelView><Total Amount="64000" DecimalPlaces="2"/></HotelView>
        </PriceDetails>
    </RoomStay>"#;
    const GLOBAL: &str = r#"<Total AmountBeforeTax="64000" DecimalPlaces="2" CurrencyCode="USD"/>"#;

    #[test]
    fn the_guest_pays_what_the_guest_sees() {
        let reported = price(TAXED, GLOBAL).expect("a price");
        assert_eq!(reported.total, Some(money("672.00", Some("USD"))));
        let lines = [(PriceKind::Stay, "Attic", "640.00"), (PriceKind::Tax, "Sales tax", "32.00")];
        assert_eq!(said(&reported.lines), lines, "what comes on top is no part of it");
        let two = price(&format!("{TAXED}{TAXED}"), GLOBAL).expect("a price");
        assert_eq!((two.total, two.lines.len()), (Some(money("1344.00", Some("USD"))), 4));
    }

    #[test]
    fn half_a_view_is_none() {
        let plain = r#"<RoomStay><Total AmountAfterTax="9000" DecimalPlaces="2" CurrencyCode="USD"/></RoomStay>"#;
        let reported = price(&format!("{TAXED}{plain}"), GLOBAL).expect("a price");
        assert_eq!((reported.total, reported.lines.len()), (Some(money("640.00", Some("USD"))), 0));
        let euro = TAXED.replace("USD", "EUR");
        let reported = price(&format!("{TAXED}{euro}"), GLOBAL).expect("a price");
        assert_eq!(reported.total, Some(money("640.00", Some("USD"))), "no sum of two currencies");
    }

    #[test]
    fn commissions_are_read_per_booking_or_per_room() {
        let room = |inside: &str| {
            format!(
                "<RoomStay><RatePlans><RatePlan><Commission>{inside}</Commission></RatePlan></RatePlans></RoomStay>"
            )
        };
        let amount = |units: &str| {
            format!(r#"<CommissionPayableAmount Amount="{units}" DecimalPlaces="2" CurrencyCode="EUR"/>"#)
        };
        let reported =
            |rooms: &[String], global: &str| commission(&entry(&rooms.concat(), global)).expect("a commission");
        let rooms = [room(&amount("1500")), room(&amount("0"))];
        assert_eq!(reported(&rooms, ""), Some(money("15.00", Some("EUR"))));
        let global = format!("<TotalCommissions>{}</TotalCommissions>", amount("2736"));
        assert_eq!(reported(&rooms, &global), Some(money("27.36", Some("EUR"))));
        assert_eq!(reported(&[room(&amount("1500")), room("")], ""), None, "it would be too little");
        assert_eq!(reported(&[], ""), None);
    }

    #[test]
    fn money_without_its_scale_is_not_guessed() {
        let amount = |text: &str| price("", text).map(|price| price.total.map(|total| total.amount));
        assert_eq!(amount(r#"<Total AmountAfterTax="12000" DecimalPlaces="3"/>"#), Ok(Some("12.000".to_owned())));
        assert_eq!(amount(r#"<Total AmountBeforeTax="5" DecimalPlaces="2"/>"#), Ok(Some("0.05".to_owned())));
        assert_eq!(amount("<Total/>"), Ok(None));
        for wrong in [r#"<Total AmountAfterTax="12000"/>"#, r#"<Total AmountAfterTax="12000" DecimalPlaces="two"/>"#] {
            assert!(matches!(amount(wrong), Err(ChannelError::Malformed(_))), "{wrong}");
        }
        for odd in [
            r#"<Total AmountAfterTax="12000" DecimalPlaces="12000"/>"#,
            r#"<Total AmountAfterTax="120.00" DecimalPlaces="2"/>"#,
        ] {
            assert_eq!(amount(odd), Ok(None), "{odd}");
        }
    }
}
