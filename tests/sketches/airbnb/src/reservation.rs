//! Parses Airbnb reservations.

use gassync_plugin::{
    ChannelError, GuestDetails, Intent, Lenient, Money, Nights, PriceKind, PriceLine, Reservation, ReservationStatus,
    RoomStay, malformed, money, read_json,
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use crate::{TEST_LISTING, check::Heads};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Booking {
    confirmation_code: Lenient,
    status_type: String,
    listing_id: Lenient,
    listing_id_str: Lenient,
    start_date: Lenient,
    end_date: Lenient,
    number_of_guests: Lenient,
    guest_details: Heads,
    guest_id: Lenient,
    guest_first_name: Lenient,
    guest_last_name: Lenient,
    guest_email: Lenient,
    guest_phone_numbers: Vec<Lenient>,
    guest_preferred_locale: Lenient,
    host_currency: Lenient,
    booked_at: Lenient,
    updated_at: Lenient,
    expected_payout_amount_accurate: Lenient,
    listing_host_fee_accurate: Lenient,
    listing_base_price_accurate: Lenient,
    listing_cleaning_fee_accurate: Lenient,
    listing_security_price_accurate: Lenient,
    standard_fees_details: Vec<Fee>,
    thread_id: Lenient,
}

/// A fee set by the host.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Fee {
    fee_type: Lenient,
    amount_native: Lenient,
}

pub(crate) fn read(raw: &RawValue, path: &str) -> Result<Reservation, ChannelError> {
    let booking: Booking = read_json(raw.get(), path)?;
    let missing = |field: &str| malformed(format_args!("{path}/{field}"), "is missing");
    let code = booking.confirmation_code.text().ok_or_else(|| missing("confirmation_code"))?;
    let listing = booking.listing_id_str.text().or_else(|| booking.listing_id.text());
    let listing = listing.ok_or_else(|| missing("listing_id"))?;
    // The end is the departure date, unlike the end of a calendar operation.
    let start = booking.start_date.date(format_args!("{path}/start_date"))?;
    let end = booking.end_date.date(format_args!("{path}/end_date"))?;
    let stay = start.zip(end).map(|(start, until)| Nights { start, until });
    let status = status(&booking.status_type);
    let asked = matches!(status, ReservationStatus::Pending(_));
    let heads = &booking.guest_details;
    let adults = heads.number_of_adults.count();
    // The plain amounts are rounded; the accurate ones are not.
    let amount = |said: &Lenient, field: &str| -> Result<Option<Money>, ChannelError> {
        let amount = said.amount(format_args!("{path}/{field}"))?;
        Ok(amount.map(|amount| money(amount, booking.host_currency.as_str())))
    };
    // The guest's total is not reliable, so the total is the host's payout, without Airbnb's fee.
    let payout = amount(&booking.expected_payout_amount_accurate, "expected_payout_amount_accurate")?;
    Ok(Reservation {
        property_id: Some(listing.clone()),
        rooms: vec![RoomStay { stay, ..RoomStay::new(Some(listing)) }],
        stay,
        source: Some("airbnb".to_owned()),
        guest: Some(guest(&booking)).filter(|guest| !guest.is_unknown()),
        guests: booking.number_of_guests.count().filter(|_| adults.is_none()),
        adults,
        children: heads.number_of_children.count(),
        infants: heads.number_of_infants.count(),
        total: payout.clone(),
        payout,
        // Without taxes: which amounts include them is not documented.
        price_lines: price_lines(&booking, path)?,
        commission: amount(&booking.listing_host_fee_accurate, "listing_host_fee_accurate")?,
        booked_at: booking.booked_at.instant(format_args!("{path}/booked_at"))?,
        modified_at: booking.updated_at.instant(format_args!("{path}/updated_at"))?,
        intent: if asked { Intent::Request } else { Intent::Fact },
        extra: booking
            .thread_id
            .as_str()
            .map(|id| ("threadId".to_owned(), json!(id).to_string()))
            .into_iter()
            .collect(),
        raw: Some(raw.get().to_owned()),
        ..Reservation::new(code, status)
    })
}

/// Base price, cleaning, deposit (which is refunded) and the host's own fees; zero amounts are left out.
fn price_lines(booking: &Booking, path: &str) -> Result<Vec<PriceLine>, ChannelError> {
    let fees = booking.standard_fees_details.iter().enumerate().map(|(index, fee)| {
        let place = format!("standard_fees_details/{index}/amount_native");
        (PriceKind::Fee, fee.fee_type.as_str().unwrap_or("Fee"), &fee.amount_native, place)
    });
    let own = [
        (PriceKind::Stay, "Base price", &booking.listing_base_price_accurate, "listing_base_price_accurate"),
        (PriceKind::Cleaning, "Cleaning", &booking.listing_cleaning_fee_accurate, "listing_cleaning_fee_accurate"),
        (PriceKind::Deposit, "Deposit", &booking.listing_security_price_accurate, "listing_security_price_accurate"),
    ];
    let own = own.into_iter().map(|(kind, name, said, field)| (kind, name, said, field.to_owned()));
    let mut lines = Vec::new();
    for (kind, name, said, field) in own.chain(fees) {
        let amount = said.amount(format_args!("{path}/{field}"))?;
        let amount = amount.filter(|amount| amount.bytes().any(|byte| !b"+-0.".contains(&byte)));
        lines.extend(amount.map(|amount| PriceLine {
            kind,
            name: name.to_owned(),
            amount: money(amount, booking.host_currency.as_str()),
        }));
    }
    Ok(lines)
}

pub(crate) fn is_test(reservation: &Reservation) -> bool {
    reservation.property_id.as_deref() == Some(TEST_LISTING)
}

fn status(word: &str) -> ReservationStatus {
    match word {
        "accept" => ReservationStatus::Confirmed,
        "new" | "pending" | "pending_payment" | "at_checkpoint" => ReservationStatus::Pending(None),
        "cancelled_by_guest" | "cancelled_by_host" | "cancelled_by_admin" => ReservationStatus::Cancelled,
        "deny" | "timeout" | "pending_voided" | "checkpoint_voided" => ReservationStatus::Declined,
        other => ReservationStatus::Other(other.to_owned()),
    }
}

fn guest(booking: &Booking) -> GuestDetails {
    GuestDetails {
        id: booking.guest_id.text(),
        first_name: booking.guest_first_name.text(),
        last_name: booking.guest_last_name.text(),
        email: booking.guest_email.text(),
        phone: booking.guest_phone_numbers.first().and_then(Lenient::text),
        language: booking.guest_preferred_locale.text(),
        ..GuestDetails::unknown()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn booking(money: &str) -> Result<Reservation, ChannelError> {
        let text = format!(
            r#"{{"confirmation_code":"HM1","status_type":"accept","listing_id":51,"host_currency":"EUR",{money}}}"#
        );
        read(&RawValue::from_string(text).expect("JSON"), "/reservation")
    }

    #[test]
    fn what_the_house_gets_is_not_what_the_guest_pays() {
        let reported = booking(
            r#""expected_payout_amount_accurate":"712.35","listing_base_price_accurate":"690.00",
                "listing_host_fee_accurate":"21.65","listing_cleaning_fee_accurate":"44.00",
                "listing_security_price_accurate":"0.00",
                "standard_fees_details":[{"fee_type":"PASS_THROUGH_LINEN_FEE","amount_native":10.50}]"#,
        )
        .expect("a booking");
        let euro = |amount: &str| money(amount, Some("EUR"));
        assert_eq!(
            (reported.total, reported.payout, reported.commission),
            (Some(euro("712.35")), Some(euro("712.35")), Some(euro("21.65")))
        );
        let lines: Vec<_> = reported.price_lines.iter().map(|line| (line.kind, line.name.as_str())).collect();
        let expected = [
            (PriceKind::Stay, "Base price"),
            (PriceKind::Cleaning, "Cleaning"),
            (PriceKind::Fee, "PASS_THROUGH_LINEN_FEE"),
        ];
        assert_eq!(lines, expected, "a deposit of nothing is none");
        assert_eq!(reported.price_lines[2].amount, euro("10.50"));
    }

    #[test]
    fn a_thread_is_an_id_whatever_it_is_written_as() {
        for (written, kept) in [("31000041", r#""31000041""#), (r#""t-4""#, r#""t-4""#), ("1e999", r#""1e999""#)] {
            let reported = booking(&format!(r#""thread_id":{written}"#)).expect("a booking");
            assert_eq!(reported.extra, [("threadId".to_owned(), kept.to_owned())]);
        }
        assert!(booking(r#""thread_id":null"#).expect("a booking").extra.is_empty());
    }

    #[test]
    fn an_amount_that_is_none_goes_to_the_host_as_it_is() {
        let wrong = booking(r#""standard_fees_details":[{"amount_native":"a lot"}]"#);
        assert_eq!(wrong.expect("it is kept").price_lines[0].amount.amount, "a lot");
    }
}
