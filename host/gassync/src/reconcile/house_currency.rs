//! Keeps foreign-currency prices out of pushes: a channel with one currency would read 400 dollars as 400 euros.

use gassync_domain::Reservation;

/// True if a price is not in the house's currency, if both are known.
pub fn is_foreign(currency: Option<&str>, house: Option<&str>) -> bool {
    currency.zip(house).is_some_and(|(currency, house)| !currency.eq_ignore_ascii_case(house))
}

/// Removes all prices from a booking that is not in the house's currency at the channel, and describes what was
/// removed. A booking without a currency is in the house's.
pub fn remove_foreign_prices(reservation: &mut Reservation, house: Option<&str>) -> Option<String> {
    let house = house?;
    let currency = reservation.currency.clone().filter(|currency| is_foreign(Some(currency), Some(house)))?;
    let total = reservation.total_price.take();
    let of_rooms = reservation.rooms.iter_mut().filter_map(|room| room.total_price.take()).count();
    let others = [reservation.commission.take(), reservation.payout.take()].into_iter().flatten().count();
    let lines = std::mem::take(&mut reservation.price_lines).len();
    reservation.currency = None;
    let prices = match total {
        Some(total) => format!("{} {currency} was left out", total.written_in(&currency)),
        None if of_rooms + others + lines > 0 => format!("prices in {currency} were left out"),
        None => return None,
    };
    Some(format!("{prices}: the house has {house}"))
}

#[cfg(test)]
mod tests {
    use gassync_domain::{RoomStay, Status};

    use super::*;

    fn booking(total: Option<&str>, room: Option<&str>) -> Reservation {
        let amount = |text: Option<&str>| text.map(|text| text.parse().expect("an amount"));
        Reservation {
            total_price: amount(total),
            currency: Some("USD".to_owned()),
            rooms: vec![RoomStay { total_price: amount(room), ..RoomStay::default() }],
            ..Reservation::new("7".to_owned(), Status::Confirmed)
        }
    }

    fn left_out(total: Option<&str>, room: Option<&str>, house: Option<&str>) -> (Option<String>, Reservation) {
        let mut reservation = booking(total, room);
        let warning = remove_foreign_prices(&mut reservation, house);
        (warning, reservation)
    }

    #[test]
    fn foreign_prices_are_removed_and_reported() {
        let (warning, left) = left_out(Some("400.00"), Some("400.00"), Some("EUR"));
        assert_eq!(warning.as_deref(), Some("400.00 USD was left out: the house has EUR"));
        assert_eq!((left.total_price, left.rooms[0].total_price, left.currency), (None, None, None));
        let (warning, _) = left_out(None, Some("200"), Some("EUR"));
        assert_eq!(warning.as_deref(), Some("prices in USD were left out: the house has EUR"));
        assert_eq!(left_out(None, None, Some("EUR")).0, None, "nothing was left out");
    }

    #[test]
    fn prices_in_the_house_currency_or_an_unknown_one_stay() {
        for house in [Some("USD"), Some("usd"), None] {
            let (warning, left) = left_out(Some("400.00"), None, house);
            assert_eq!((warning, left), (None, booking(Some("400.00"), None)), "{house:?}");
        }
        let mut unsaid = Reservation { currency: None, ..booking(Some("400.00"), None) };
        assert_eq!(remove_foreign_prices(&mut unsaid, Some("EUR")), None);
        assert!(unsaid.total_price.is_some());
    }
}
