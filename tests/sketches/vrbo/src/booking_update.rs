//! Renders our state of a booking: the only way for Vrbo to learn of our cancellations and date changes.

use gassync_plugin::{
    Address, ChannelError, GuestDetails, PriceKind, PriceLine, Reservation, ReservationStatus, core_data, settings,
    to_date_text,
    xml::{Element, element, leaf},
};

use crate::{Settings, booking::VERSION, order};

/// The booking with this reference; `None` if Vrbo would not call it a booking.
pub fn of(reference: &str) -> Result<Option<Element>, ChannelError> {
    let Some(booked) = core_data::find_reservation(reference) else { return Ok(None) };
    let Settings { advertiser_id, language, .. } = settings()?;
    let reservation = &booked.reservation;
    let (status, item_status) = match reservation.status {
        ReservationStatus::Confirmed | ReservationStatus::NoShow => ("CONFIRMED", "ACCEPTED"),
        ReservationStatus::Pending(_) => ("UNCONFIRMED", "PENDING"),
        // Travellers cancel at Vrbo, so a cancellation that Vrbo learns from us is the owner's.
        ReservationStatus::Cancelled => ("CANCELLED_BY_OWNER", "CANCELLED"),
        ReservationStatus::Declined => ("DECLINED_BY_OWNER", "CANCELLED"),
        ReservationStatus::Inquiry | ReservationStatus::Other(_) => return Ok(None),
    };
    let (Some(listing), [room], Some(stay)) = (&reservation.property_id, &*reservation.rooms, stay(reservation)) else {
        return Ok(None);
    };
    let details = element("bookingUpdateDetails")
        .with_children([
            leaf("advertiserAssignedId", advertiser_id),
            leaf("listingExternalId", listing),
            leaf("unitExternalId", room.room_type_id.as_deref().unwrap_or(listing)),
            leaf("externalId", &booked.our_reference),
        ])
        .with_children(reservation.guest.as_ref().map(inquirer))
        .with_children([leaf("locale", &language)])
        .with_children(order(reservation, &booked.our_reference, item_status))
        .with_children([leaf("reservationPaymentStatus", "UNPAID"), stay, leaf("reservationStatus", status)]);
    Ok(Some(element("bookingUpdate").with_children([leaf("documentVersion", VERSION), details])))
}

/// If a record has a total without lines, all of it is rent.
fn order(reservation: &Reservation, reference: &str, status: &str) -> Option<Element> {
    let total = reservation.total.as_ref()?;
    let rent = [PriceLine { kind: PriceKind::Stay, name: "Rent".to_owned(), amount: total.clone() }];
    let lines = if reservation.price_lines.is_empty() { &rent[..] } else { &reservation.price_lines };
    let items = element("orderItemList").with_children(order::items(lines, Some(status)));
    let order = element("order")
        .with_children(total.currency.as_ref().map(|currency| leaf("currency", currency)))
        .with_children([leaf("externalId", format!("{reference}-O1")), items]);
    Some(element("orderList").with_children([order]))
}

fn stay(reservation: &Reservation) -> Option<Element> {
    let stay = reservation.stay?;
    let count = |name: &str, count: Option<u32>| count.map(|count| leaf(name, count));
    let dates = [leaf("beginDate", to_date_text(stay.start)), leaf("endDate", to_date_text(stay.until))];
    let booked = reservation.booked_at.as_ref().map(|at| leaf("reservationOriginationDate", at));
    Some(
        element("reservation")
            .with_children(count("numberOfAdults", reservation.adults.or(reservation.guests)))
            .with_children(count("numberOfChildren", reservation.children))
            .with_children(count("numberOfPets", reservation.pets))
            .with_children([element("reservationDates").with_children(dates)])
            .with_children(booked),
    )
}

fn inquirer(guest: &GuestDetails) -> Element {
    let last = guest.last_name.as_ref().or(guest.name.as_ref());
    let said = [
        ("firstName", guest.first_name.as_ref()),
        ("lastName", last),
        ("emailAddress", guest.email.as_ref()),
        ("phoneNumber", guest.phone.as_ref()),
    ];
    let parts = said.into_iter().filter_map(|(name, text)| Some(leaf(name, text?)));
    let inquirer = element("inquirer").with_some("locale", guest.language.as_deref()).with_children(parts);
    inquirer.with_children(guest.address.as_ref().map(address))
}

/// City and state are in numbered address lines.
fn address(address: &Address) -> Element {
    let lines = [
        ("addressLine1", &address.street),
        ("addressLine3", &address.city),
        ("addressLine4", &address.state),
        ("country", &address.country),
        ("postalCode", &address.postcode),
    ];
    element("address").with_children(lines.into_iter().filter_map(|(name, text)| Some(leaf(name, text.as_ref()?))))
}
