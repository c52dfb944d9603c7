use gassync_plugin::{
    Address, Attempt, CalendarNights, CalendarPart, ChangeResult, Entity, EntityRef, Feeds, Money, Nights, Outcome,
    Price, PriceKind, PriceLine, Property, PushCalendar, Quote, Refusal, RefusalReason, Reply, RoomType, money,
    parse_date,
    testing::{CoreData, FakeHost, get, post},
    xml::Element,
};

use crate::GoogleVr;

const TAKEN: &str = include_str!("../../../fixtures/google-vr/taken.xml");
const QUERY: &str = include_str!("../../../fixtures/google-vr/query.xml");

pub const SETTINGS: &str = r#"{"partner":"gas-vr","landingPage":"https://stay.example.org/{id}","language":"en",
    "package":"standard","pricesWithTax":false}"#;

fn ready() {
    FakeHost::reset();
    FakeHost::set_settings(SETTINGS);
}

fn row(property: &str, from: &str, until: &str) -> CalendarNights {
    let day = |text| parse_date(text).expect("a date");
    CalendarNights {
        property_id: Some(property.to_owned()),
        available: Some(true),
        changed: CalendarPart::AVAILABILITY,
        ..CalendarNights::new(property, Nights { start: day(from), until: day(until) })
    }
}

fn sent() -> Vec<Element> {
    let requests = FakeHost::take_requests();
    requests.iter().map(|r| Element::parse(r.body.as_deref().unwrap_or_default()).expect("XML")).collect()
}

#[test]
fn a_success_of_http_may_be_a_refusal_and_one_property_does_not_spoil_another() {
    ready();
    FakeHost::answer(200, include_str!("../../../fixtures/google-vr/inventory-refused.xml"));
    FakeHost::answer(200, TAKEN);
    FakeHost::answer(200, TAKEN);
    let rows = vec![row("a", "2027-07-02", "2027-07-04"), row("b", "2027-07-02", "2027-07-04")];
    let outcomes = GoogleVr::push_calendar(rows, Attempt::First).expect("outcomes");
    assert!(matches!(&outcomes[0], Outcome::Refused(errors) if errors[0].problem.starts_with("1006")));
    assert!(matches!(&outcomes[1], Outcome::Accepted(_)));
    assert_eq!(sent().len(), 3, "nothing more is sent of what was refused");
}

#[test]
fn a_web_page_is_no_success_and_spoils_no_other_property() {
    ready();
    FakeHost::answer(200, "<html><body>Back soon.</body></html>");
    FakeHost::answer(200, "half of <");
    FakeHost::answer(200, TAKEN);
    FakeHost::answer(200, TAKEN);
    let rows = ["a", "b", "c"].map(|property| row(property, "2027-07-02", "2027-07-04"));
    let outcomes = GoogleVr::push_calendar(rows.to_vec(), Attempt::First).expect("outcomes");
    assert!(matches!(&outcomes[..], [Outcome::Retry(None), Outcome::Retry(None), Outcome::Accepted(_)]));
    assert_eq!(FakeHost::take_log().len(), 2, "what was heard instead");
}

#[test]
fn unsaid_tax_is_what_the_settings_say() {
    ready();
    FakeHost::answer(200, TAKEN);
    let mut priced = row("a", "2027-07-02", "2027-07-03");
    priced.changed = CalendarPart::PRICE;
    let price = |occupancy, tax_included| Price {
        rate_plan_id: None,
        occupancy,
        amount: money("99.00", Some("NOK")),
        tax_included,
    };
    priced.prices = vec![price(None, None), price(Some(4), Some(true))];
    GoogleVr::push_calendar(vec![priced], Attempt::AfterUnknown).expect("outcomes");
    let messages = sent();
    let amounts = messages[0].all("RateAmountMessages/RateAmountMessage/Rates/Rate/BaseByGuestAmts/BaseByGuestAmt");
    assert_eq!(
        (amounts[0].attribute("AmountBeforeTax"), amounts[0].attribute("NumberOfGuests")),
        (Some("99.00"), Some("2"))
    );
    assert_eq!(
        (amounts[1].attribute("AmountAfterTax"), amounts[1].attribute("NumberOfGuests")),
        (Some("99.00"), Some("4"))
    );
    assert_eq!(messages[0].attribute("NotifType"), Some("Overlay"));
}

#[test]
fn a_stay_is_priced_in_parts_or_there_is_no_vacancy() {
    let kroner = |amount: &str| money(amount, Some("NOK"));
    let line = |kind, amount: Money| PriceLine { kind, name: String::new(), amount };
    let lines = vec![
        line(PriceKind::Stay, kroner("600.00")),
        line(PriceKind::Discount, kroner("-60.50")),
        line(PriceKind::Cleaning, kroner("80")),
        line(PriceKind::Tax, kroner("64.74")),
        line(PriceKind::Deposit, kroner("1000")),
    ];
    let quoted = Quote { lines, total: kroner("684.24"), extra: Vec::new() };
    let refused = Refusal { reason: RefusalReason::SoldOut, path: None, text: String::new() };
    let reply = GoogleVr::respond(
        post("/query", QUERY),
        Vec::new(),
        vec![ChangeResult::Quote(quoted), ChangeResult::Refused(vec![refused])],
    )
    .expect("a reply");
    let root = Element::parse(&reply.body).expect("XML");
    let results = root.all("Result");
    let said = |name: &str| results[0].text_at(name).expect(name).to_owned();
    assert_eq!((said("Baserate"), said("Tax"), said("OtherFees")), ("539.50".into(), "64.74".into(), "80".into()));
    assert!(results[1].find("Unavailable/NoVacancy").is_some() && results[1].find("Baserate").is_none());
}

#[test]
fn a_feed_of_many_parts_is_one_document() {
    ready();
    let of = |n: usize| Property {
        address: Some(Address { city: Some("Odda".to_owned()), country: Some("NO".to_owned()), ..Address::unknown() }),
        latitude: Some(60.0),
        longitude: Some(6.5),
        ..Property::new(format!("cabin-{n}"), "A & B")
    };
    let room = |n: usize| RoomType { max_occupancy: Some(2), ..RoomType::new("r", format!("cabin-{n}"), "Cabin") };
    let core_data = CoreData {
        properties: (0..230).map(of).collect(),
        room_types: (0..230).filter(|n| *n != 5).map(room).collect(),
        ..CoreData::default()
    };
    let of = |n: usize| EntityRef { entity: Entity::Property, id: format!("cabin-{n}") };
    let names = |n: usize| (of(n), format!(r#"{{"names":{{"en":"Cabin {n}","nb":"Hytte {n}"}}}}"#));
    FakeHost::set_core_data(CoreData { content: vec![names(0)], ..core_data });
    let (mut body, mut cursor, mut chunks) = (Vec::new(), None, 0);
    loop {
        let rendered = GoogleVr::render(get("/listings.xml"), cursor).expect("a chunk");
        body.extend(rendered.body);
        chunks += 1;
        cursor = rendered.next;
        if cursor.is_none() {
            break;
        }
    }
    let root = Element::parse(&body).expect("one document");
    assert_eq!((chunks, root.all("listing").len()), (3, 229));
    let names: Vec<_> = root.all("listing/name").into_iter().filter_map(Element::text).collect();
    assert_eq!((names[0], names[1]), ("Cabin 0", "A & B"), "in the feed's language, where there is one");
    assert_eq!(FakeHost::take_log().len(), 1, "the one without a capacity");
}
