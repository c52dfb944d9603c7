//! Bookings fetched and confirmed, with our name and password in every message: placeholders, which the host fills in.

use std::collections::BTreeMap;

use gassync_plugin::{
    Acknowledgement, AcknowledgementKind, AcknowledgementOutcome, Change, ChangeKind, ChannelError, Completeness,
    Decimal, FieldError, GuestDetails, Nights, Page, PaymentCollectedBy, PriceKind, Query, Reservation,
    ReservationStatus, RoomStay, Selection, change, clock, http, log, malformed, parse_date,
    xml::{Element, element, leaf},
};

use crate::{price, send};

const BASE: &str = "https://services.expediapartnercentral.com/eqc/";
const RETRIEVAL: &str = "http://www.expediaconnect.com/EQC/BR/2014/01";
const CONFIRMATION: &str = "http://www.expediaconnect.com/EQC/BC/2007/09";
/// How far back it remembers.
const MAX_DAYS: i64 = 30;

/// Bookings, with what confirms each of them.
pub fn fetch(query: &Query) -> Result<Page, ChannelError> {
    let (parameters, another) = parameters(query)?;
    let request = message("BookingRetrievalRQ", RETRIEVAL)
        .with_children(query.property_id.as_ref().map(|hotel| element("Hotel").with("id", hotel)))
        .with_children([element("ParamSet").with_children(parameters)]);
    let root = post("br", &request, "BookingRetrievalRS")?;
    let changes = root.all("Bookings/Booking").into_iter().map(booking).collect::<Result<_, _>>()?;
    Page::numbered(query, changes, another)
}

/// What is asked for, and whether there is more to ask.
fn parameters(query: &Query) -> Result<(Vec<Element>, bool), ChannelError> {
    let days = |days: i64| vec![leaf("NbDaysInPast", days.clamp(1, MAX_DAYS))];
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
        // One booking a request.
        Selection::Some(ids) => {
            let number = query.page_number()?;
            let id = ids.get(number - 1).ok_or(ChannelError::Unsupported)?;
            Ok((vec![element("Booking").with("id", id)], number < ids.len()))
        }
        Selection::Within(_) | Selection::After(_) => Err(ChannelError::Unsupported),
    }
}

fn booking(booking: &Element) -> Result<Change, ChannelError> {
    let id = booking.field("@id").required()?;
    let kind = booking.field("@type").required()?;
    let hotel = booking.field("Hotel/@id").required()?;
    let at = booking.field("@createDateTime").instant()?;
    let seller = booking.attribute("source");
    let payment_collected_by =
        seller.map(|s| if s.starts_with("A-") { PaymentCollectedBy::Property } else { PaymentCollectedBy::Channel });
    let mut reservation = match kind {
        "Book" | "Modify" => booked(id, booking, payment_collected_by.as_ref())?,
        // Its room, plan and amounts are zeros: ours are still right.
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
    let stay = booking.required("RoomStay")?;
    let nights = Nights {
        start: stay.field("StayDate/@arrival").required_date()?,
        until: stay.field("StayDate/@departure").required_date()?,
    };
    let count = |name: &str| stay.find("GuestCount")?.attribute(name)?.parse().ok();
    let sum = price::amount(stay.find("Total"), "amountAfterTaxes", "currency")?;
    // What Expedia collects is told as what it hands on, unless it says otherwise; no other sum is told.
    let is_net =
        payment_collected_by == Some(&PaymentCollectedBy::Channel) && stay.text_at("BaseRateType") != Some("Sell");
    let (total, payout) = (sum.clone(), sum.filter(|_| is_net));
    let taxes = price::amount(stay.find("Total"), "amountOfTaxes", "currency")?.map(|taxes| taxes.amount);
    let fees = stay.all("PerDayRates/PerDayRate").into_iter().filter_map(|night| night.attribute("hotelServiceFees"));
    let fees = Decimal::sum(fees)
        .ok_or_else(|| malformed(stay.place_of("PerDayRates/PerDayRate/@hotelServiceFees"), "is no decimal"))?;
    let reported = [(PriceKind::Fee, "Service fees", Some(fees.to_string())), (PriceKind::Tax, "Taxes", taxes)];
    let room = RoomStay {
        rate_plan_id: stay.attribute("ratePlanID").map(str::to_owned),
        stay: Some(nights),
        adults: count("adult"),
        children: count("child"),
        total: total.clone(),
        ..RoomStay::new(stay.attribute("roomTypeID").map(str::to_owned))
    };
    let notes: Vec<&str> = booking.all("SpecialRequest").into_iter().filter_map(Element::text).collect();
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
        email: guest.text_at("Email").map(str::to_owned),
        ..GuestDetails::unknown()
    }
}

/// Confirms each booking with our number; a message is about one hotel.
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
        let request = message("BookingConfirmRQ", CONFIRMATION).with_children([
            element("Hotel").with("id", hotel),
            element("BookingConfirmNumbers").with_children(numbers),
        ]);
        let root = match post("bc", &request, "BookingConfirmRS") {
            Ok(root) => root,
            Err(error) => {
                let outcome = unsent(error)?;
                which.iter().for_each(|index| outcomes[*index] = outcome.clone());
                continue;
            }
        };
        // A success may have refusals in it, each with the number that it is about.
        for warning in root.all("Success/Warning") {
            let about = |index: &&usize| {
                let acknowledgement = &acknowledgements[**index];
                warning.attribute("bookingID") == Some(&acknowledgement.external_id)
                    && warning.attribute("bookingType") == acknowledgement.token.split_once('/').map(|(_, kind)| kind)
            };
            if let Some(index) = which.iter().find(about) {
                let code = warning.attribute("code").unwrap_or_default();
                let why = format!("{code} {}", warning.text().unwrap_or_default());
                outcomes[*index] = AcknowledgementOutcome::Refused(why);
            }
        }
    }
    Ok(outcomes)
}

/// The outcome of one hotel's acknowledgements when their message fails: those of another must not be forgotten for it.
fn unsent(error: ChannelError) -> Result<AcknowledgementOutcome, ChannelError> {
    match error {
        ChannelError::RateLimited(seconds) => Ok(AcknowledgementOutcome::Retry(seconds)),
        ChannelError::Unavailable(_) => Ok(AcknowledgementOutcome::Retry(None)),
        ChannelError::Rejected(errors) => {
            let why: Vec<String> = errors.into_iter().map(|error| error.problem).collect();
            Ok(AcknowledgementOutcome::Refused(why.join("; ")))
        }
        // A web page, such as there is while Expedia is being mended.
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
        // Unconfirmed it reaches the hotel by e-mail.
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
    element(name).with("xmlns", namespace).with_children([login])
}

/// What is answered to a message. A web page is as well-formed, and must not pass for an empty queue.
fn post(path: &str, message: &Element, answered: &str) -> Result<Element, ChannelError> {
    let url = format!("{BASE}{path}");
    let answer = send(http::Request::with_document("POST", url, "text/xml; charset=utf-8", message))?;
    let root = Element::parse(answer.body())?;
    match root.find("Error") {
        _ if root.name() != answered => Err(malformed(root.name(), format_args!("is not {answered}"))),
        Some(error) => Err(refusal(error)),
        None => Ok(root),
    }
}

fn refusal(error: &Element) -> ChannelError {
    let code = error.attribute("code").unwrap_or_default();
    let text = format!("{code} {}", error.text().unwrap_or_default());
    match code.parse::<u32>() {
        Ok(1000 | 1001 | 1003) => ChannelError::Unauthorized(text),
        Ok(3210 | 4000..=4099 | 4206 | 5000) => ChannelError::Unavailable(text),
        _ => ChannelError::Rejected(vec![FieldError::new("xml:Error", text)]),
    }
}
