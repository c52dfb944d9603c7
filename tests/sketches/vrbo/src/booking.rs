//! Vrbo's booking and quote requests, and their responses.

use gassync_plugin::{
    Address, Change, ChangeKind, ChangeResult, ChannelError, GuestDetails, Intent, Money, Nights, Occupancy,
    PaymentCollectedBy, Question, Reservation, ReservationStatus, RoomStay, StayQuery, Verdict, change, clock,
    settings, to_date_text,
    xml::{Element, element, leaf},
};

use crate::{Settings, order, refusal};

/// The document version that we send.
pub const VERSION: &str = "1.3";

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
        let field = |name: &'static str| details.field(name);
        Ok(Self {
            listing: field("listingExternalId").required()?.to_owned(),
            unit: field("unitExternalId").required()?.to_owned(),
            nights: Nights {
                start: field("reservation/reservationDates/beginDate").required_date()?,
                until: field("reservation/reservationDates/endDate").required_date()?,
            },
            adults: field("reservation/numberOfAdults").required_count()?,
            children: field("reservation/numberOfChildren").count()?,
            pets: field("reservation/numberOfPets").count()?,
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
    let said = |path: &str| details.text_at(path).map(str::to_owned);
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
        booked_at: details.field("reservation/reservationOriginationDate").exact_instant()?,
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
    let said = |path: &str| inquirer.text_at(path).map(str::to_owned);
    let phone = said("phoneNumber").map(|number| match inquirer.text_at("phoneCountryCode") {
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
        .with_children(currency.map(|currency| leaf("currency", currency)))
        .with_children([leaf("externalId", format!("{}-O1", booked.our_reference))])
        .with_children([element("orderItemList").with_children(items)]);
    let names = ["advertiserAssignedId", "listingExternalId", "unitExternalId"];
    let ids = names.into_iter().filter_map(|name| details.find(name).cloned());
    let answer = element("bookingResponseDetails")
        .with_children(ids)
        .with_children([
            leaf("externalId", &booked.our_reference),
            locale(details),
            element("orderList").with_children([order]),
        ])
        .with_children(agreement()?)
        .with_children([leaf("reservationPaymentStatus", "UNPAID")])
        .with_children(details.find("reservation").cloned())
        .with_children([leaf("reservationStatus", "CONFIRMED")]);
    Ok(element("bookingResponse").with_children([leaf("documentVersion", VERSION), answer]))
}

/// The response to a quote request: the price, or the reasons for none.
pub fn quote_answer(details: &Element, result: Option<&ChangeResult>) -> Result<Element, ChannelError> {
    let Some(ChangeResult::Quote(quoted)) = result else { return Ok(refusal::response("quoteResponse", result)) };
    let currency = quoted.total.currency.as_deref().unwrap_or_default();
    let amount = |name: &str, money: &Money| leaf(name, &money.amount).with("currency", currency);
    // A quote has no payment schedule: full payment on booking is allowed for every listing.
    let schedule = element("paymentScheduleItem")
        .with_children([amount("amount", &quoted.total), leaf("dueDate", to_date_text(clock::today()))]);
    let order = element("order").with_children([
        leaf("currency", currency),
        element("orderItemList").with_children(order::items(&quoted.lines, None)),
        element("paymentSchedule").with_children([element("paymentScheduleItemList").with_children([schedule])]),
    ]);
    let answer = element("quoteResponseDetails")
        .with_children([locale(details), element("orderList").with_children([order])])
        .with_children(agreement()?);
    Ok(element("quoteResponse").with_children([leaf("documentVersion", VERSION), answer]))
}

fn locale(details: &Element) -> Element {
    let locale = details.find("inquirer").and_then(|inquirer| inquirer.attribute("locale"));
    leaf("locale", locale.unwrap_or("en_US"))
}

fn agreement() -> Result<Option<Element>, ChannelError> {
    let Settings { rental_agreement, .. } = settings()?;
    Ok(rental_agreement.map(|address| leaf("rentalAgreement", address)))
}
