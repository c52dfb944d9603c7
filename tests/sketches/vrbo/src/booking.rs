//! Vrbo's booking and quote requests, and their responses.

use gassync_plugin::{
    Address, Change, ChangeKind, ChangeResult, ChannelError, GuestDetails, Intent, Lenient, Money, Nights, Occupancy,
    PaymentCollectedBy, Question, Reservation, ReservationStatus, RoomStay, StayQuery, Verdict, change, clock,
    malformed, parse_date, settings, to_date_text,
};

use crate::{
    Settings, leaf, order, refusal,
    xml::{Element, element},
};

/// The document version that we send.
pub const VERSION: &str = "1.3";

const ORIGINATION: &str = "reservation/reservationOriginationDate";

/// Place and dates, which bookings and quotes share.
struct Stay {
    listing: String,
    unit: String,
    nights: Nights,
    adults: u32,
    children: Option<u32>,
    pets: Option<u32>,
}

impl Stay {
    fn read(details: &Element) -> Result<Self, ChannelError> {
        let day = |name: &str| {
            let path = format!("reservation/reservationDates/{name}");
            let text = details.must_say(&path)?;
            parse_date(text).ok_or_else(|| malformed(&path, format_args!("is {text}, and no date")))
        };
        let count = |name: &str| {
            let count = details.said(&format!("reservation/{name}")).map(str::parse).transpose();
            count.map_err(|_| malformed(format_args!("reservation/{name}"), "is no number"))
        };
        Ok(Self {
            listing: details.must_say("listingExternalId")?.to_owned(),
            unit: details.must_say("unitExternalId")?.to_owned(),
            nights: Nights { start: day("beginDate")?, until: day("endDate")? },
            adults: count("numberOfAdults")?.ok_or_else(|| malformed("reservation/numberOfAdults", "is not said"))?,
            children: count("numberOfChildren")?,
            pets: count("numberOfPets")?,
        })
    }
}

/// A booking request, which may be refused.
pub fn request(details: &Element, id: String) -> Result<Change, ChannelError> {
    let Stay { listing, unit, nights, adults, children, pets } = Stay::read(details)?;
    let total = order::total(details)?;
    let room = RoomStay {
        stay: Some(nights),
        adults: Some(adults),
        children,
        total: total.clone(),
        ..RoomStay::new(Some(unit))
    };
    let said = |path: &str| details.said(path).map(str::to_owned);
    let reservation = Reservation {
        property_id: Some(listing.clone()),
        rooms: vec![room],
        stay: Some(nights),
        source: Some("vrbo".to_owned()),
        guest: details.find("inquirer").map(guest).filter(|guest| !guest.is_unknown()),
        adults: Some(adults),
        children,
        pets,
        total,
        price_lines: order::price_lines(details)?,
        payment_collected_by: payment_collected_by(details),
        booked_at: Lenient::from(details.said(ORIGINATION)).exact_instant(ORIGINATION)?,
        notes: said("message"),
        intent: Intent::Request,
        raw: Some(details.json().to_string()),
        ..Reservation::new(id, ReservationStatus::Confirmed)
    };
    Ok(change(Some(&listing), ChangeKind::Reservation(reservation)))
}

/// A price request for a stay.
pub fn ask(details: &Element) -> Result<Change, ChannelError> {
    let Stay { listing, unit, nights, adults, children, pets } = Stay::read(details)?;
    // Missing numbers beside others count as zero.
    let occupancy = Occupancy { adults, children: children.unwrap_or(0), infants: 0, pets: pets.unwrap_or(0) };
    let query = StayQuery {
        room_type_id: Some(unit),
        occupancy: Some(occupancy),
        ..StayQuery::new(Some(listing.clone()), nights)
    };
    Ok(change(Some(&listing), ChangeKind::Ask(Question::Quote(query))))
}

fn guest(inquirer: &Element) -> GuestDetails {
    let said = |path: &str| inquirer.said(path).map(str::to_owned);
    let phone = said("phoneNumber").map(|number| match inquirer.said("phoneCountryCode") {
        Some(code) => format!("+{code} {number}"),
        None => number,
    });
    // City and state are in numbered address lines.
    let address = Address {
        street: said("address/addressLine1"),
        city: said("address/addressLine3"),
        state: said("address/addressLine4"),
        postcode: said("address/postalCode"),
        country: said("address/country"),
    };
    let guest = GuestDetails {
        first_name: said("firstName"),
        last_name: said("lastName"),
        email: said("emailAddress"),
        phone,
        language: inquirer.attribute("locale").and_then(|locale| locale.split('_').next()).map(str::to_owned),
        ..GuestDetails::unknown()
    };
    guest.living_at(address)
}

/// Who collects the payment: Vrbo, or the property with the traveller's card.
fn payment_collected_by(details: &Element) -> Option<PaymentCollectedBy> {
    let form = details.find("paymentForm")?;
    let channel = form.find("paymentChannelMoR").map(|_| PaymentCollectedBy::Channel);
    channel.or_else(|| form.find("paymentCard").map(|_| PaymentCollectedBy::Property))
}

/// The response to a booking request: booked with our reference, or refused with reasons.
pub fn answer(details: &Element, result: Option<&ChangeResult>) -> Result<Element, ChannelError> {
    let booked = match result {
        Some(ChangeResult::Applied(applied))
            if !matches!(applied.verdict, Verdict::Parked | Verdict::AwaitingReview) =>
        {
            applied
        }
        other => return Ok(refusal::response("bookingResponse", other)),
    };
    let items = details.all("orderItemList/orderItem").into_iter().map(order::accepted);
    let currency = details.find("orderItemList/orderItem/totalAmount").and_then(|amount| amount.attribute("currency"));
    let order = element("order")
        .around(currency.map(|currency| leaf("currency", currency)))
        .around([leaf("externalId", format!("{}-O1", booked.our_reference))])
        .around([element("orderItemList").around(items)]);
    let names = ["advertiserAssignedId", "listingExternalId", "unitExternalId"];
    let ids = names.into_iter().filter_map(|name| details.find(name).cloned());
    let answer = element("bookingResponseDetails")
        .around(ids)
        .around([leaf("externalId", &booked.our_reference), locale(details), element("orderList").around([order])])
        .around(agreement()?)
        .around([leaf("reservationPaymentStatus", "UNPAID")])
        .around(details.find("reservation").cloned())
        .around([leaf("reservationStatus", "CONFIRMED")]);
    Ok(element("bookingResponse").around([leaf("documentVersion", VERSION), answer]))
}

/// The response to a quote request: the price, or the reasons for none.
pub fn quote_answer(details: &Element, result: Option<&ChangeResult>) -> Result<Element, ChannelError> {
    let Some(ChangeResult::Quote(quoted)) = result else { return Ok(refusal::response("quoteResponse", result)) };
    let currency = quoted.total.currency.as_deref().unwrap_or_default();
    let amount = |name: &str, money: &Money| leaf(name, &money.amount).with("currency", currency);
    // A quote has no payment schedule: full payment on booking is allowed for every listing.
    let schedule = element("paymentScheduleItem")
        .around([amount("amount", &quoted.total), leaf("dueDate", to_date_text(clock::today()))]);
    let order = element("order").around([
        leaf("currency", currency),
        element("orderItemList").around(order::items(&quoted.lines, None)),
        element("paymentSchedule").around([element("paymentScheduleItemList").around([schedule])]),
    ]);
    let answer = element("quoteResponseDetails")
        .around([locale(details), element("orderList").around([order])])
        .around(agreement()?);
    Ok(element("quoteResponse").around([leaf("documentVersion", VERSION), answer]))
}

fn locale(details: &Element) -> Element {
    let locale = details.find("inquirer").and_then(|inquirer| inquirer.attribute("locale"));
    leaf("locale", locale.unwrap_or("en_US"))
}

fn agreement() -> Result<Option<Element>, ChannelError> {
    let Settings { rental_agreement, .. } = settings()?;
    Ok(rental_agreement.map(|address| leaf("rentalAgreement", address)))
}
