//! Google requests prices of a stay in several properties, and gets them in one transaction.

use gassync_plugin::{
    Change, ChangeKind, ChangeResult, ChannelError, Date, Decimal, HttpResponse, Nights, Occupancy, PriceKind,
    Question, Quote, StayQuery, change, clock, reply_with, to_date_text,
    xml::{Element, element, leaf},
};

/// Queries contain no occupancy, and Google shows prices for two: prices are requested and returned for two.
const OCCUPANCY: Occupancy = Occupancy { adults: 2, children: 0, infants: 0, pets: 0 };

struct Query {
    check_in: Date,
    nights: u32,
    properties: Vec<String>,
}

impl Query {
    fn read(body: &[u8]) -> Result<Self, ChannelError> {
        let root = Element::parse(body)?;
        let nights = root.field("Nights");
        let length = nights.required_count()?;
        if !(1..=365).contains(&length) {
            return Err(nights.malformed("is no length of stay"));
        }
        let properties = root.all("PropertyList/Property").into_iter().filter_map(Element::text);
        Ok(Self {
            check_in: root.field("Checkin").required_date()?,
            nights: length,
            properties: properties.map(str::to_owned).collect(),
        })
    }
}

/// One question per property, in order.
pub fn questions(body: &[u8]) -> Result<Vec<Change>, ChannelError> {
    let Query { check_in, nights, properties } = Query::read(body)?;
    let stay = Nights { start: check_in, until: check_in.add_days(i64::from(nights)) };
    let question = |property: String| {
        let query = StayQuery {
            room_type_id: Some(property.clone()),
            occupancy: Some(OCCUPANCY),
            ..StayQuery::new(Some(property.clone()), stay)
        };
        change(Some(&property), ChangeKind::Ask(Question::Quote(query)))
    };
    Ok(properties.into_iter().map(question).collect())
}

/// A result per property: the price of the whole stay, or none.
pub fn answer(body: &[u8], results: &[ChangeResult]) -> Result<HttpResponse, ChannelError> {
    let Query { check_in, nights, properties } = Query::read(body)?;
    let entries = properties.iter().zip(results).map(|(property, result)| {
        let entry = element("Result").with_children([
            leaf("Property", property),
            leaf("Checkin", to_date_text(check_in)),
            leaf("Nights", nights),
        ]);
        let prices = match result {
            ChangeResult::Quote(quoted) => prices(quoted),
            _ => None,
        };
        // Without a price the property is unavailable, whatever the reason.
        entry
            .with_children(prices.unwrap_or_else(|| vec![element("Unavailable").with_children([element("NoVacancy")])]))
    });
    let transaction = element("Transaction")
        .with("timestamp", clock::now())
        .with("id", format!("query_{}", clock::since_1970().as_nanos()))
        .with_children(entries);
    Ok(reply_with(200, "application/xml; charset=utf-8", transaction.document()))
}

/// Rent, tax and fees separately; deposits are not part of the price.
fn prices(quoted: &Quote) -> Option<Vec<Element>> {
    let currency = quoted.total.currency.as_deref()?;
    let sum = |of: fn(PriceKind) -> bool| {
        Decimal::sum(quoted.lines.iter().filter(|line| of(line.kind)).map(|line| line.amount.amount.as_str()))
    };
    let part = |name: &str, sum: Option<Decimal>| Some(element(name).with("currency", currency).with_text(sum?));
    Some(vec![
        part("Baserate", sum(|kind| matches!(kind, PriceKind::Stay | PriceKind::Discount)))?,
        part("Tax", sum(|kind| kind == PriceKind::Tax))?,
        part("OtherFees", sum(|kind| matches!(kind, PriceKind::Cleaning | PriceKind::Fee | PriceKind::Other)))?,
        leaf("Occupancy", OCCUPANCY.adults),
    ])
}
