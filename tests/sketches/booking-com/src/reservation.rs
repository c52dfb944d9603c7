//! Parses a reservation, which has the same form in both queues.

use gassync_plugin::{
    Address, Change, ChangeKind, ChannelError, Completeness, Date, GuestDetails, Lenient, Money, Nights, Reservation,
    ReservationStatus, RoomStay, change, malformed, parse_date, xml::Element,
};

use crate::{
    Queue,
    price::{self, Price},
};

/// The age codes of guests.
const ADULT: &str = "10";
const CHILD: &str = "8";

/// The change for a queue entry, with the token that acknowledges it.
pub fn change_of(queue: Queue, entry: &Element) -> Result<Change, ChannelError> {
    let ids = entry.find("ResGlobalInfo/HotelReservationIDs/HotelReservationID");
    let id = ids.and_then(|ids| ids.attribute("ResID_Value"));
    let id = id.ok_or_else(|| malformed(entry.place_of(""), "no ResID_Value"))?;
    let stays = entry.all("RoomStays/RoomStay");
    let prices = stays.iter().map(|stay| Price::of_room(stay)).collect::<Result<Vec<_>, _>>()?;
    let Price { total, lines } = Price::of_all(entry, &prices)?;
    let rooms = stays.iter().zip(prices).map(|(stay, price)| room(entry, stay, price.total));
    let rooms = rooms.collect::<Result<Vec<_>, _>>()?;
    let property = stays.iter().find_map(|stay| stay.find("BasicPropertyInfo")?.attribute("HotelCode"));
    // How cancellations are marked is not documented: by the status, or by missing rooms.
    let word = entry.attribute("ResStatus").unwrap_or_default().to_lowercase();
    let cancelled = word.contains("cancel") || (queue == Queue::Modified && stays.is_empty());
    let notes: Vec<&str> =
        entry.all("ResGlobalInfo/Comments/Comment").iter().filter_map(|comment| comment.text_at("Text")).collect();
    let reservation = Reservation {
        property_id: property.map(str::to_owned),
        stay: span(&rooms),
        source: Some("booking.com".to_owned()),
        guest: entry.find("ResGlobalInfo/Profiles/ProfileInfo/Profile/Customer").map(booker),
        total,
        price_lines: lines,
        commission: price::commission(entry)?,
        booked_at: Lenient::from(ids.and_then(|ids| ids.attribute("ResID_Date")))
            .instant("HotelReservationID@ResID_Date")?,
        notes: Some(notes.join("\n")).filter(|notes| !notes.is_empty()),
        // A cancellation may lack rooms and prices: known ones stay.
        completeness: if cancelled { Completeness::Partial } else { Completeness::Full },
        acknowledgement_token: Some(format!("{}/{id}", queue.name())),
        raw: Some(entry.json().to_string()),
        rooms,
        ..Reservation::new(id, if cancelled { ReservationStatus::Cancelled } else { ReservationStatus::Confirmed })
    };
    Ok(change(property, ChangeKind::Reservation(reservation)))
}

fn room(entry: &Element, stay: &Element, total: Option<Money>) -> Result<RoomStay, ChannelError> {
    let rates = stay.all("RoomRates/RoomRate");
    let first_rate = rates.first().and_then(|rate| rate.attribute("RatePlanCode"));
    let one_plan = rates.iter().all(|rate| rate.attribute("RatePlanCode") == first_rate);
    let room_type = stay.find("RoomTypes/RoomType").and_then(|room| room.attribute("RoomTypeCode"));
    let count = |code: Option<&str>| -> Option<u32> {
        let counts = stay.all("GuestCounts/GuestCount").into_iter();
        let counts = counts.filter(|count| count.attribute("AgeQualifyingCode") == code);
        let numbers: Vec<u32> = counts.filter_map(|count| count.attribute("Count")?.parse().ok()).collect();
        (!numbers.is_empty()).then(|| numbers.iter().sum())
    };
    Ok(RoomStay {
        id: stay.attribute("IndexNumber").map(str::to_owned),
        // The plan may differ between nights; then there is no single one.
        rate_plan_id: first_rate.filter(|_| one_plan).map(str::to_owned),
        stay: nights(stay, &rates)?,
        guests: count(None),
        adults: count(Some(ADULT)),
        children: count(Some(CHILD)),
        total,
        guest: sleeper(entry, stay),
        ..RoomStay::new(room_type.map(str::to_owned))
    })
}

/// The nights: each has a rate. The departure date is the day after the last one.
fn nights(stay: &Element, rates: &[&Element]) -> Result<Option<Nights>, ChannelError> {
    let day = |text: &str| parse_date(text).ok_or_else(|| malformed("RoomStay", format_args!("{text} is no date")));
    let nights = rates.iter().filter_map(|rate| rate.attribute("EffectiveDate")).map(day);
    let nights: Vec<Date> = nights.collect::<Result<_, _>>()?;
    if let (Some(first), Some(last)) = (nights.iter().min(), nights.iter().max()) {
        return Ok(Some(Nights::through(*first, *last)));
    }
    // Undocumented but observed: the end of the span is the departure date.
    let Some(span) = stay.find("TimeSpan") else { return Ok(None) };
    match (span.attribute("Start"), span.attribute("End")) {
        (Some(start), Some(end)) => Ok(Some(Nights { start: day(start)?, until: day(end)? })),
        _ => Ok(None),
    }
}

fn span(rooms: &[RoomStay]) -> Option<Nights> {
    let stays = rooms.iter().filter_map(|room| room.stay);
    let start = stays.clone().map(|stay| stay.start).min()?;
    Some(Nights { start, until: stays.map(|stay| stay.until).max()? })
}

/// The person who booked, who need not be a guest.
fn booker(customer: &Element) -> GuestDetails {
    let said = |path: &str| customer.text_at(path).map(str::to_owned);
    let attribute = |path: &str, name: &str| customer.find(path)?.attribute(name).map(str::to_owned);
    let address = Address {
        street: said("Address/AddressLine"),
        city: said("Address/CityName"),
        postcode: said("Address/PostalCode"),
        country: attribute("Address/CountryName", "Code").map(|code| code.to_uppercase()),
        ..Address::unknown()
    };
    let booker = GuestDetails {
        first_name: said("PersonName/GivenName"),
        last_name: said("PersonName/Surname"),
        email: said("Email"),
        phone: attribute("Telephone", "PhoneNumber"),
        ..GuestDetails::unknown()
    };
    booker.living_at(address)
}

/// The guest of the room, if its reference resolves. The surname field contains the full name.
fn sleeper(entry: &Element, stay: &Element) -> Option<GuestDetails> {
    let pointer = stay.find("ResGuestRPHs/ResGuestRPH")?.attribute("RPH")?;
    let guests = entry.all("ResGuests/ResGuest");
    let guest = guests.into_iter().find(|guest| guest.attribute("ResGuestRPH") == Some(pointer))?;
    let name = guest.text_at("Profiles/ProfileInfo/Profile/Customer/PersonName/Surname")?;
    Some(GuestDetails { name: Some(name.to_owned()), ..GuestDetails::unknown() })
}
