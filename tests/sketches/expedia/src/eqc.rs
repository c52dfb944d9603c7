//! Fetches and confirms bookings. Every message contains our user name and password, as placeholders that the host
//! fills in.

use std::collections::BTreeMap;

use gassync_plugin::{
    Acknowledgement, AcknowledgementKind, AcknowledgementOutcome, Change, ChangeKind, ChannelError, Completeness,
    FieldError, GuestDetails, Lenient, Nights, Page, PaymentCollectedBy, PriceKind, Query, Reservation,
    ReservationStatus, RoomStay, Selection, change, clock, http, log, malformed, parse_date,
};

use crate::{
    decimal::Decimal,
    price, send,
    xml::{Element, element},
};

const BASE: &str = "https://services.expediapartnercentral.com/eqc/";
const RETRIEVAL: &str = "http://www.expediaconnect.com/EQC/BR/2014/01";
const CONFIRMATION: &str = "http://www.expediaconnect.com/EQC/BC/2007/09";
/// How far back bookings can be fetched.
const MAX_DAYS: i64 = 30;

/// Bookings with their acknowledgement tokens.
pub fn fetch(query: &Query) -> Result<Page, ChannelError> {
    let (parameters, another) = parameters(query)?;
    let request = message("BookingRetrievalRQ", RETRIEVAL)
        .around(query.property_id.as_ref().map(|hotel| element("Hotel").with("id", hotel)))
        .around([element("ParamSet").around(parameters)]);
    let root = post("br", &request, "BookingRetrievalRS")?;
    let changes = root.all("Bookings/Booking").into_iter().map(booking).collect::<Result<_, _>>()?;
    Page::numbered(query, changes, another)
}

/// The query parameters, and whether there is another page.
fn parameters(query: &Query) -> Result<(Vec<Element>, bool), ChannelError> {
    let days = |days: i64| vec![element("NbDaysInPast").saying(days.clamp(1, MAX_DAYS))];
    match &query.selection {
        Selection::Queue(_) => {
            let status = |word| element("Status").with("value", word);
            Ok((vec![status("pending"), status("retrieved")], false))
        }
        Selection::Everything => Ok((days(MAX_DAYS), false)),
        Selection::ChangedSince(since) => {
            let since = parse_date(since).ok_or_else(|| ChannelError::Broken(format!("{since} is no instant")))?;
            Ok((days(since.days_until(clock::today()) + 1), false))
        }
        // One booking per request.
        Selection::Some(ids) => {
            let number = query.page_number()?;
            let id = ids.get(number - 1).ok_or(ChannelError::Unsupported)?;
            Ok((vec![element("Booking").with("id", id)], number < ids.len()))
        }
        Selection::Within(_) | Selection::After(_) => Err(ChannelError::Unsupported),
    }
}

fn booking(booking: &Element) -> Result<Change, ChannelError> {
    let missing = |what: &str| malformed("Booking", format_args!("{what} is not said"));
    let id = booking.attribute("id").ok_or_else(|| missing("@id"))?;
    let kind = booking.attribute("type").ok_or_else(|| missing("@type"))?;
    let hotel = booking.find("Hotel").and_then(|hotel| hotel.attribute("id")).ok_or_else(|| missing("Hotel@id"))?;
    let at = Lenient::from(booking.attribute("createDateTime")).instant("Booking@createDateTime")?;
    let seller = booking.attribute("source");
    let payment_collected_by =
        seller.map(|s| if s.starts_with("A-") { PaymentCollectedBy::Property } else { PaymentCollectedBy::Channel });
    let mut reservation = match kind {
        "Book" | "Modify" => booked(id, booking, payment_collected_by.as_ref())?,
        // Room, plan and amounts are zero; the stored ones stay.
        "Cancel" => {
            Reservation { completeness: Completeness::Partial, ..Reservation::new(id, ReservationStatus::Cancelled) }
        }
        other => Reservation::new(id, ReservationStatus::Other(other.to_owned())),
    };
    reservation.property_id = Some(hotel.to_owned());
    reservation.source = Some("expedia".to_owned());
    reservation.booked_at = at.clone().filter(|_| kind == "Book");
    reservation.modified_at = at;
    reservation.acknowledgement_token = Some(format!("{hotel}/{kind}"));
    reservation.payment_collected_by = payment_collected_by;
    reservation.raw = Some(booking.json().to_string());
    Ok(change(Some(hotel), ChangeKind::Reservation(reservation)))
}

fn booked(
    id: &str,
    booking: &Element,
    payment_collected_by: Option<&PaymentCollectedBy>,
) -> Result<Reservation, ChannelError> {
    let stay = booking.find("RoomStay").ok_or_else(|| malformed("Booking/RoomStay", "is not there"))?;
    let day = |name: &str| {
        let text = stay.find("StayDate").and_then(|date| date.attribute(name)).unwrap_or_default();
        let place = format_args!("Booking/RoomStay/StayDate@{name}");
        parse_date(text).ok_or_else(|| malformed(place, format_args!("is {text:?}, and no date")))
    };
    let nights = Nights { start: day("arrival")?, until: day("departure")? };
    let count = |name: &str| stay.find("GuestCount")?.attribute(name)?.parse().ok();
    let sum = price::amount(stay.find("Total"), "amountAfterTaxes", "currency")?;
    // Totals collected by Expedia are what it pays out, unless marked otherwise; no other total is given.
    let is_net =
        payment_collected_by == Some(&PaymentCollectedBy::Channel) && stay.said("BaseRateType") != Some("Sell");
    let (total, payout) = (sum.clone(), sum.filter(|_| is_net));
    let taxes = price::amount(stay.find("Total"), "amountOfTaxes", "currency")?.map(|taxes| taxes.amount);
    let fees = stay.all("PerDayRates/PerDayRate").into_iter().filter_map(|night| night.attribute("hotelServiceFees"));
    let fees = Decimal::sum(fees).ok_or_else(|| malformed("PerDayRate@hotelServiceFees", "is no decimal"))?;
    let reported = [(PriceKind::Fee, "Service fees", Some(fees.to_string())), (PriceKind::Tax, "Taxes", taxes)];
    let room = RoomStay {
        rate_plan_id: stay.attribute("ratePlanID").map(str::to_owned),
        stay: Some(nights),
        adults: count("adult"),
        children: count("child"),
        total: total.clone(),
        ..RoomStay::new(stay.attribute("roomTypeID").map(str::to_owned))
    };
    let notes: Vec<&str> = booking.all("SpecialRequest").into_iter().filter_map(Element::own_text).collect();
    Ok(Reservation {
        adults: room.adults,
        children: room.children,
        rooms: vec![room],
        stay: Some(nights),
        price_lines: total.as_ref().filter(|_| !is_net).map(|total| price::lines(total, reported)).unwrap_or_default(),
        total,
        payout,
        guest: booking.find("PrimaryGuest").map(guest),
        notes: Some(notes.join("\n")).filter(|notes| !notes.is_empty()),
        ..Reservation::new(id, ReservationStatus::Confirmed)
    })
}

fn guest(guest: &Element) -> GuestDetails {
    let name = |name: &str| guest.find("Name")?.attribute(name);
    let first: Vec<&str> = ["givenName", "middleName"].into_iter().filter_map(name).collect();
    let phone = guest.find("Phone").map(|phone| {
        let country = phone.attribute("countryCode").map(|code| format!("+{code}"));
        let parts = ["cityAreaCode", "number", "extension"].into_iter().filter_map(|part| phone.attribute(part));
        country.as_deref().into_iter().chain(parts).collect::<Vec<_>>().join(" ")
    });
    GuestDetails {
        first_name: Some(first.join(" ")).filter(|name| !name.is_empty()),
        last_name: name("surname").map(str::to_owned),
        phone,
        email: guest.said("Email").map(str::to_owned),
        ..GuestDetails::unknown()
    }
}

/// Confirms each booking with our reference; a message concerns one hotel.
pub fn confirm(acknowledgements: &[Acknowledgement]) -> Result<Vec<AcknowledgementOutcome>, ChannelError> {
    let mut outcomes = vec![AcknowledgementOutcome::Accepted; acknowledgements.len()];
    let mut of_hotel: BTreeMap<&str, Vec<(usize, Element)>> = BTreeMap::new();
    for (index, acknowledgement) in acknowledgements.iter().enumerate() {
        match confirmation(acknowledgement) {
            Ok((hotel, number)) => of_hotel.entry(hotel).or_default().push((index, number)),
            Err(why) => outcomes[index] = AcknowledgementOutcome::Refused(why),
        }
    }
    for (hotel, numbers) in of_hotel {
        let (which, numbers): (Vec<usize>, Vec<Element>) = numbers.into_iter().unzip();
        let request = message("BookingConfirmRQ", CONFIRMATION)
            .around([element("Hotel").with("id", hotel), element("BookingConfirmNumbers").around(numbers)]);
        let root = match post("bc", &request, "BookingConfirmRS") {
            Ok(root) => root,
            Err(error) => {
                let outcome = untold(error)?;
                which.iter().for_each(|index| outcomes[*index] = outcome.clone());
                continue;
            }
        };
        // A success may contain refusals, each with the booking it concerns.
        for warning in root.all("Success/Warning") {
            let about = |index: &&usize| {
                let acknowledgement = &acknowledgements[**index];
                warning.attribute("bookingID") == Some(&acknowledgement.external_id)
                    && warning.attribute("bookingType") == acknowledgement.token.split_once('/').map(|(_, kind)| kind)
            };
            if let Some(index) = which.iter().find(about) {
                let code = warning.attribute("code").unwrap_or_default();
                let why = format!("{code} {}", warning.own_text().unwrap_or_default());
                outcomes[*index] = AcknowledgementOutcome::Refused(why);
            }
        }
    }
    Ok(outcomes)
}

/// The outcome of one hotel's acknowledgements if their message fails; an error must not discard the results of others.
fn untold(error: ChannelError) -> Result<AcknowledgementOutcome, ChannelError> {
    match error {
        ChannelError::RateLimited(seconds) => Ok(AcknowledgementOutcome::Retry(seconds)),
        ChannelError::Unavailable(_) => Ok(AcknowledgementOutcome::Retry(None)),
        ChannelError::Rejected(errors) => {
            let why: Vec<String> = errors.into_iter().map(|error| error.problem).collect();
            Ok(AcknowledgementOutcome::Refused(why.join("; ")))
        }
        // An HTML page, such as during maintenance.
        ChannelError::Malformed(why) => {
            log::warn(&format!("an acknowledgement was not answered: {why}"));
            Ok(AcknowledgementOutcome::Retry(None))
        }
        other => Err(other),
    }
}

fn confirmation(acknowledgement: &Acknowledgement) -> Result<(&str, Element), String> {
    let (hotel, kind) =
        acknowledgement.token.split_once('/').ok_or_else(|| format!("{} names no hotel", acknowledgement.token))?;
    if let AcknowledgementKind::Refused(why) = &acknowledgement.kind {
        // Expedia e-mails unconfirmed bookings to the hotel.
        return Err(format!("not confirmed: {why}"));
    }
    let number = acknowledgement.our_reference.as_deref().ok_or("it has no number of ours")?;
    let number = element("BookingConfirmNumber")
        .with("bookingID", &acknowledgement.external_id)
        .with("bookingType", kind)
        .with("confirmNumber", number)
        .with("confirmTime", &acknowledgement.at);
    Ok((hotel, number))
}

fn message(name: &str, namespace: &str) -> Element {
    let login = element("Authentication")
        .with_secret("username", "expedia.username")
        .with_secret("password", "expedia.password");
    element(name).with("xmlns", namespace).around([login])
}

/// Posts a message. An HTML page may be well-formed, too, and must not count as an empty queue.
fn post(path: &str, message: &Element, answered: &str) -> Result<Element, ChannelError> {
    let url = format!("{BASE}{path}");
    let answer = send(
        http::Request::with_body("POST", url, "text/xml; charset=utf-8", message.document())
            .body_secret("expedia.username")
            .body_secret("expedia.password"),
    )?;
    let root = Element::parse(answer.body())?;
    match root.find("Error") {
        _ if root.name != answered => Err(malformed(&root.name, format_args!("is not {answered}"))),
        Some(error) => Err(refusal(error)),
        None => Ok(root),
    }
}

fn refusal(error: &Element) -> ChannelError {
    let code = error.attribute("code").unwrap_or_default();
    let text = format!("{code} {}", error.own_text().unwrap_or_default());
    match code.parse::<u32>() {
        Ok(1000 | 1001 | 1003) => ChannelError::Unauthorized(text),
        Ok(3210 | 4000..=4099 | 4206 | 5000) => ChannelError::Unavailable(text),
        _ => ChannelError::Rejected(vec![FieldError::new("xml:Error", text)]),
    }
}
