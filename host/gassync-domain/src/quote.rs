use jiff::{Unit, civil::Date};

use crate::{Amount, CalendarNight, PriceKind, PriceLine, Quoted, Refusal, Refused};

/// What a stay costs by a calendar, or every reason against it. Of several prices of a night that of the smallest party
/// that has room for `people` counts, else one that names no party.
pub fn quote(
    nights: &[CalendarNight],
    (check_in, check_out): (Date, Date),
    people: u32,
    default_currency: Option<&str>,
) -> Result<Quoted, Vec<Refused>> {
    let mut reasons = Vec::new();
    let mut refuse = |why, text: String| reasons.push(Refused { why, path: None, text });
    let length = check_in.until((Unit::Day, check_out)).map_or(0, |span| span.get_days());
    let of = |date: Date| nights.iter().filter(move |night| night.date == date);
    let arrival = of(check_in).next();
    if length < 1 {
        refuse(Refusal::Invalid, "the stay has no nights".to_owned());
    }
    if let Some(least) = arrival.and_then(|night| night.min_stay).filter(|least| i64::from(length) < i64::from(*least))
    {
        refuse(Refusal::MinStay, format!("at least {least} nights"));
    }
    if let Some(most) = arrival.and_then(|night| night.max_stay).filter(|most| i64::from(length) > i64::from(*most)) {
        refuse(Refusal::MaxStay, format!("at most {most} nights"));
    }
    if arrival.and_then(|night| night.closed_to_arrival) == Some(true) {
        refuse(Refusal::ClosedToArrival, format!("no arrival on {check_in}"));
    }
    if of(check_out).next().and_then(|night| night.closed_to_departure) == Some(true) {
        refuse(Refusal::ClosedToDeparture, format!("no departure on {check_out}"));
    }
    let (mut total, mut currency) = (0_i64, None);
    let mut date = check_in;
    while date < check_out {
        if of(date).any(|night| night.available == Some(false) || night.units_available.is_some_and(|units| units < 1))
        {
            refuse(Refusal::SoldOut, format!("nothing is free on {date}"));
        }
        match price(of(date), people) {
            Some(night) => {
                total += night.price.map_or(0, Amount::ten_thousandths);
                currency = currency.or(night.currency.as_deref());
            }
            None => refuse(Refusal::NoRate, format!("there is no price for {date}")),
        }
        let Ok(next) = date.tomorrow() else { break };
        date = next;
    }
    let Some(currency) = currency.or(default_currency) else {
        refuse(Refusal::NoRate, "nobody says in which currency".to_owned());
        return Err(reasons);
    };
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let total = Amount::from_ten_thousandths(total).written_in(currency);
    let name = if length == 1 { "1 night".to_owned() } else { format!("{length} nights") };
    let lines = vec![PriceLine { kind: PriceKind::Stay, name, amount: total }];
    Ok(Quoted { lines, total, currency: currency.to_owned() })
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

    fn stay(from: i8, until: i8) -> (Date, Date) {
        (Date::constant(2027, 6, from), Date::constant(2027, 6, until))
    }

    #[test]
    fn nights_add_up_and_reasons_pile_up() {
        let mut nights = vec![night(1, "90.50"), night(2, "100"), night(3, "80")];
        let quoted = quote(&nights, stay(1, 3), 2, None).expect("a price");
        assert_eq!((quoted.total.to_string(), &*quoted.lines[0].name), ("190.50".to_owned(), "2 nights"));
        let why = |nights: &[CalendarNight], stay| {
            let reasons = quote(nights, stay, 2, None).expect_err("refused");
            reasons.into_iter().map(|reason| reason.why).collect::<Vec<_>>()
        };
        assert_eq!(why(&nights, stay(1, 2)), [Refusal::MinStay]);
        assert_eq!(why(&nights, stay(3, 5)), [Refusal::NoRate], "the fourth has no price");
        nights[1].units_available = Some(0);
        nights[2].closed_to_departure = Some(true);
        assert_eq!(why(&nights, stay(1, 3)), [Refusal::ClosedToDeparture, Refusal::SoldOut]);
    }

    #[test]
    fn the_smallest_party_with_room_pays() {
        let of = |people, price: &str| CalendarNight { occupancy: Some(people), ..night(1, price) };
        let nights = [of(4, "140"), of(2, "100"), night(2, "50")];
        let total = |people| quote(&nights, stay(1, 3), people, None).expect("a price").total.to_string();
        assert_eq!((total(1), total(2), total(3)), ("150.00".into(), "150.00".into(), "190.00".into()));
    }
}
