use jiff::{Unit, civil::Date};

use crate::{Amount, CalendarNight, Extra, PriceKind, PriceLine, Quote, Refusal, RefusalReason};

/// A stay to be quoted.
#[derive(Debug, Clone, Copy)]
pub struct QuoteRequest {
    /// First night.
    pub check_in: Date,
    /// Day of departure.
    pub check_out: Date,
    /// Number of guests, if known: prices for fewer guests are ignored.
    pub people: Option<u32>,
    /// The day of the request.
    pub today: Date,
}

/// The price of a stay by a calendar, or every reason for a refusal. Of several prices of a night the one of the
/// smallest occupancy that has room for `people` counts, else one without an occupancy.
pub fn quote(
    nights: &[CalendarNight],
    request: QuoteRequest,
    default_currency: Option<&str>,
) -> Result<Quote, Vec<Refusal>> {
    let QuoteRequest { check_in, check_out, people, .. } = request;
    let mut reasons = rules(nights, request);
    let mut refuse = |why, text: String| reasons.push(Refusal { reason: why, path: None, text });
    let (mut total, mut currency) = (0_i64, None);
    let mut date = check_in;
    while date < check_out {
        let of = || nights.iter().filter(|night| night.date == date);
        if of().any(|night| night.available == Some(false) || night.units_available.is_some_and(|units| units < 1)) {
            refuse(RefusalReason::SoldOut, format!("nothing is free on {date}"));
        }
        match price(of(), people.unwrap_or_default()) {
            Some(night) => {
                total += night.price.map_or(0, Amount::ten_thousandths);
                currency = currency.or(night.currency.as_deref());
            }
            None => refuse(RefusalReason::NoRate, format!("there is no price for {date}")),
        }
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    let Some(currency) = currency.or(default_currency) else {
        refuse(RefusalReason::NoRate, "nobody says in which currency".to_owned());
        return Err(reasons);
    };
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let total = Amount::from_ten_thousandths(total).written_in(currency);
    let length = days(check_in, check_out);
    let name = if length == 1 { "1 night".to_owned() } else { format!("{length} nights") };
    let lines = vec![PriceLine { kind: PriceKind::Stay, name, amount: total }];
    Ok(Quote { lines, total, currency: currency.to_owned(), extra: Extra::default() })
}

/// The violated stay rules.
fn rules(nights: &[CalendarNight], QuoteRequest { check_in, check_out, today, .. }: QuoteRequest) -> Vec<Refusal> {
    let mut reasons = Vec::new();
    let mut refuse = |why, text: String| reasons.push(Refusal { reason: why, path: None, text });
    let length = days(check_in, check_out);
    let notice = days(today, check_in);
    let on = |date: Date| nights.iter().find(move |night| night.date == date);
    if length < 1 {
        refuse(RefusalReason::Invalid, "the stay has no nights".to_owned());
    }
    if let Some(night) = on(check_in) {
        if let Some(least) = night.rules.min_stay.filter(|least| length < i64::from(*least)) {
            refuse(RefusalReason::MinStay, format!("at least {least} nights"));
        }
        if let Some(most) = night.rules.max_stay.filter(|most| length > i64::from(*most)) {
            refuse(RefusalReason::MaxStay, format!("at most {most} nights"));
        }
        if let Some(exact) = night.rules.exact_stay.filter(|exact| length != i64::from(*exact)) {
            refuse(RefusalReason::ExactStay, format!("just {exact} nights"));
        }
        if let Some(least) = night.rules.min_advance_days.filter(|least| notice < i64::from(*least)) {
            refuse(RefusalReason::AdvanceNotice, format!("at least {least} days ahead"));
        }
        if let Some(most) = night.rules.max_advance_days.filter(|most| notice > i64::from(*most)) {
            refuse(RefusalReason::AdvanceNotice, format!("at most {most} days ahead"));
        }
        if night.rules.closed_to_arrival == Some(true) {
            refuse(RefusalReason::ClosedToArrival, format!("no arrival on {check_in}"));
        }
    }
    let inside = nights.iter().filter(|night| night.date >= check_in && night.date < check_out);
    let through = inside.filter_map(|night| night.rules.min_stay_through).max();
    // The rule of the arrival day already reports a minimum stay at least as long.
    let of_arrival = on(check_in).and_then(|night| night.rules.min_stay);
    if let Some(least) = through.filter(|least| length < i64::from(*least) && Some(*least) != of_arrival) {
        refuse(RefusalReason::MinStay, format!("at least {least} nights"));
    }
    if on(check_out).and_then(|night| night.rules.closed_to_departure) == Some(true) {
        refuse(RefusalReason::ClosedToDeparture, format!("no departure on {check_out}"));
    }
    reasons
}

fn days(from: Date, until: Date) -> i64 {
    from.until((Unit::Day, until)).map_or(0, |span| i64::from(span.get_days()))
}

fn price<'a>(nights: impl Iterator<Item = &'a CalendarNight>, people: u32) -> Option<&'a CalendarNight> {
    let room = |night: &&CalendarNight| night.occupancy.is_none_or(|occupancy| occupancy >= people);
    let priced = nights.filter(|night| night.price.is_some()).filter(room);
    priced.min_by_key(|night| night.occupancy.unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(day: i8, price: &str) -> CalendarNight {
        serde_json::from_value(serde_json::json!({
            "date": format!("2027-06-{day:02}"), "available": true, "price": price, "currency": "EUR", "minStay": 2
        }))
        .expect("a night")
    }

    fn stay(from: i8, until: i8) -> QuoteRequest {
        let day = |day| Date::constant(2027, 6, day);
        QuoteRequest { check_in: day(from), check_out: day(until), people: Some(2), today: Date::constant(2027, 5, 1) }
    }

    #[test]
    fn nights_add_up_and_reasons_pile_up() {
        let mut nights = vec![night(1, "90.50"), night(2, "100"), night(3, "80")];
        let quoted = quote(&nights, stay(1, 3), None).expect("a price");
        assert_eq!((quoted.total.to_string(), &*quoted.lines[0].name), ("190.50".to_owned(), "2 nights"));
        let why = |nights: &[CalendarNight], stay| {
            let reasons = quote(nights, stay, None).expect_err("refused");
            reasons.into_iter().map(|reason| reason.reason).collect::<Vec<_>>()
        };
        assert_eq!(why(&nights, stay(1, 2)), [RefusalReason::MinStay]);
        assert_eq!(why(&nights, stay(3, 5)), [RefusalReason::NoRate], "the fourth has no price");
        nights[1].units_available = Some(0);
        nights[2].rules.closed_to_departure = Some(true);
        assert_eq!(why(&nights, stay(1, 3)), [RefusalReason::ClosedToDeparture, RefusalReason::SoldOut]);
    }

    #[test]
    fn the_smallest_party_with_room_pays() {
        let of = |people, price: &str| CalendarNight { occupancy: Some(people), ..night(1, price) };
        let nights = [of(4, "140"), of(2, "100"), night(2, "50")];
        let of = |people| QuoteRequest { people, ..stay(1, 3) };
        let total = |people| quote(&nights, of(people), None).expect("a price").total.to_string();
        assert_eq!(
            (total(Some(1)), total(Some(2)), total(Some(3))),
            ("150.00".into(), "150.00".into(), "190.00".into())
        );
        assert_eq!(total(None), "150.00", "where nobody says how many come, the least is asked");
    }

    #[test]
    fn every_rule_of_stay_can_refuse() {
        type Rule = fn(&mut CalendarNight);
        let cases: [(Rule, RefusalReason); 5] = [
            (|night| night.rules.max_stay = Some(2), RefusalReason::MaxStay),
            (|night| night.rules.exact_stay = Some(2), RefusalReason::ExactStay),
            (|night| night.rules.min_stay_through = Some(4), RefusalReason::MinStay),
            (|night| night.rules.min_advance_days = Some(32), RefusalReason::AdvanceNotice),
            (|night| night.rules.max_advance_days = Some(30), RefusalReason::AdvanceNotice),
        ];
        for (rule, why) in cases {
            let mut nights = vec![night(1, "90"), night(2, "90"), night(3, "90")];
            assert!(quote(&nights, stay(1, 4), None).is_ok());
            rule(&mut nights[0]);
            let reasons = quote(&nights, stay(1, 4), None).expect_err("refused");
            assert_eq!(reasons.iter().map(|reason| reason.reason).collect::<Vec<_>>(), [why]);
        }
        let mut nights = vec![night(1, "90"), night(2, "90"), night(3, "90")];
        nights[1].rules.min_stay_through = Some(4);
        nights[1].rules.exact_stay = Some(9);
        let reasons = quote(&nights, stay(1, 4), None).expect_err("refused");
        assert_eq!(reasons.len(), 1, "of a night in between only what is for stays through it counts");
    }
}
