//! A booking in Airbnb's words.

use gassync_plugin::{
    ChannelError, GuestDetails, Intent, Loose, Money, Nights, Reservation, ReservationStatus, RoomStay, malformed,
    money,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{TEST_LISTING, check::Heads};

#[derive(Deserialize, Default)]
#[serde(default)]
struct Booking {
    confirmation_code: Loose,
    status_type: String,
    listing_id: Loose,
    listing_id_str: Loose,
    start_date: Loose,
    end_date: Loose,
    number_of_guests: Loose,
    guest_details: Heads,
    guest_id: Loose,
    guest_first_name: Loose,
    guest_last_name: Loose,
    guest_email: Loose,
    guest_phone_numbers: Vec<Loose>,
    guest_preferred_locale: Loose,
    host_currency: Loose,
    booked_at: Loose,
    updated_at: Loose,
    expected_payout_amount_accurate: Loose,
    listing_host_fee_accurate: Loose,
    listing_base_price_accurate: Option<Box<RawValue>>,
    listing_cleaning_fee_accurate: Option<Box<RawValue>>,
    thread_id: Option<Box<RawValue>>,
}

pub(crate) fn read(raw: &RawValue, path: &str) -> Result<Reservation, ChannelError> {
    let booking: Booking = serde_json::from_str(raw.get()).map_err(|error| malformed(path, error))?;
    let missing = |field: &str| malformed(format_args!("{path}/{field}"), "is missing");
    let code = booking.confirmation_code.text().ok_or_else(|| missing("confirmation_code"))?;
    let listing = booking.listing_id_str.text().or_else(|| booking.listing_id.text());
    let listing = listing.ok_or_else(|| missing("listing_id"))?;
    // The end is the day of departure, unlike the end of a calendar operation.
    let start = booking.start_date.date(format_args!("{path}/start_date"))?;
    let end = booking.end_date.date(format_args!("{path}/end_date"))?;
    let stay = start.zip(end).map(|(start, until)| Nights { start, until });
    let status = status(&booking.status_type);
    let asked = matches!(status, ReservationStatus::Pending(_));
    let heads = &booking.guest_details;
    let adults = heads.number_of_adults.count();
    // The plain amounts are rounded; these are not.
    let amount = |said: &Loose, field: &str| -> Result<Option<Money>, ChannelError> {
        let amount = said.amount(format_args!("{path}/{field}"))?;
        Ok(amount.map(|amount| money(amount, booking.host_currency.as_str())))
    };
    let extra = [
        ("listingBasePrice", &booking.listing_base_price_accurate),
        ("listingCleaningFee", &booking.listing_cleaning_fee_accurate),
        ("threadId", &booking.thread_id),
    ];
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
        // What the guest paid is not told; this is what reaches the host, Airbnb's fee already taken off.
        total: amount(&booking.expected_payout_amount_accurate, "expected_payout_amount_accurate")?,
        commission: amount(&booking.listing_host_fee_accurate, "listing_host_fee_accurate")?,
        booked_at: booking.booked_at.instant(format_args!("{path}/booked_at"))?,
        modified_at: booking.updated_at.instant(format_args!("{path}/updated_at"))?,
        intent: if asked { Intent::Request } else { Intent::Fact },
        extra: extra
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.as_ref()?.get().to_owned())))
            .collect(),
        raw: Some(raw.get().to_owned()),
        ..Reservation::new(code, status)
    })
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
        phone: booking.guest_phone_numbers.first().and_then(Loose::text),
        language: booking.guest_preferred_locale.text(),
        ..GuestDetails::unknown()
    }
}
