//! Converts a V2 booking to a reservation or block.

use gassync_plugin::{
    Address, Block, Change, ChangeKind, ChannelError, Completeness, GuestDetails, Lenient, Money, Nights, Reservation,
    RoomStay, change, malformed, money, read_json,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    invoice::{Invoice, Member, Total},
    vocabulary::{self, BookingKind},
};

/// Maximum rooms of one booking.
pub(crate) const MAX_ROOM_QTY: u32 = 100;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Booking {
    id: Lenient,
    master_id: Lenient,
    booking_group: Option<Box<RawValue>>,
    property_id: Lenient,
    room_id: Lenient,
    unit_id: Lenient,
    room_qty: Lenient,
    offer_id: Lenient,
    status: Lenient,
    sub_status: Lenient,
    arrival: Lenient,
    departure: Lenient,
    arrival_time: Lenient,
    num_adult: Lenient,
    num_child: Lenient,
    first_name: Lenient,
    last_name: Lenient,
    email: Lenient,
    phone: Lenient,
    mobile: Lenient,
    address: Lenient,
    city: Lenient,
    state: Lenient,
    postcode: Lenient,
    country: Lenient,
    country2: Lenient,
    comments: Lenient,
    notes: Lenient,
    lang: Lenient,
    price: Lenient,
    commission: Lenient,
    channel: Lenient,
    api_source_id: Lenient,
    api_source: Lenient,
    api_reference: Lenient,
    referer: Lenient,
    referer_editable: Lenient,
    reference: Lenient,
    booking_time: Lenient,
    modified_time: Lenient,
    invoice_items: Option<Box<RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Group {
    master: Lenient,
    ids: Vec<Lenient>,
}

impl Group {
    /// A group of unknown shape is ignored, so that it never fails the booking.
    fn of(raw: Option<&RawValue>) -> Self {
        raw.and_then(|raw| serde_json::from_str::<Option<Self>>(raw.get()).ok().flatten()).unwrap_or_default()
    }
}

/// Reads a booking of API V2.
pub(crate) fn read(raw: &RawValue, invoice: Invoice<'_>, path: &str) -> Result<Change, ChannelError> {
    let booking: Booking = read_json(raw.get(), path)?;
    // Only a missing id fails a booking: any other invalid value must not leave its nights open for sale.
    let id = booking.id.unless_zero().ok_or_else(|| malformed(format_args!("{path}/id"), "is missing"))?;
    // Arrival is the first night, departure the day after the last.
    let nights = nights(&booking.arrival, &booking.departure);
    let booking_kind = vocabulary::booking_kind(booking.status.as_str(), &booking.sub_status.lower());
    let property_id = booking.property_id.unless_zero();
    let data = match booking_kind {
        BookingKind::Block => {
            let stay = nights.ok_or_else(|| malformed(format_args!("{path}/arrival"), "is missing on a block"))?;
            ChangeKind::Block(Block {
                id: Some(id),
                property_id: property_id.clone(),
                unit_id: booking.unit_id.unless_zero(),
                // A block takes one unit unless it gives a quantity, like any booking.
                units: Some(count(&booking.room_qty).unwrap_or(1).max(1)),
                modified_at: instant(&booking.modified_time),
                reason: booking.notes.text().or_else(|| booking.comments.text()),
                extra: ours(&booking.reference),
                raw: Some(raw.get().to_owned()),
                ..Block::new(booking.room_id.unless_zero().into_iter().collect(), stay)
            })
        }
        BookingKind::Reservation(word) => {
            ChangeKind::Reservation(reservation(&booking, id, word, (nights, invoice), raw))
        }
    };
    Ok(change(property_id.as_deref(), data))
}

fn reservation(
    booking: &Booking,
    id: String,
    word: vocabulary::Word,
    (nights, invoice): (Option<Nights>, Invoice<'_>),
    raw: &RawValue,
) -> Reservation {
    let seller = vocabulary::seller(
        &booking.channel.lower(),
        booking.api_source_id.count(),
        &[&booking.api_source, &booking.referer_editable, &booking.referer],
    );
    let group_id = group(booking, &id);
    let member = match &group_id {
        None => Member::Alone,
        Some(_) if booking.master_id.unless_zero().is_some_and(|master| master != id) => Member::OfGroup,
        Some(_) => Member::Master,
    };
    // Bookings have no currency; the property's applies. Zero is a valid price.
    let Total { amount: total, lines: price_lines, covers_group } =
        invoice.total(booking.invoice_items.as_deref(), amount(&booking.price), (&id, member));
    let total = total.map(|amount| money(amount, None));
    let mut extra = ours(&booking.reference);
    let sub_status = booking.sub_status.text().filter(|word| !word.eq_ignore_ascii_case("none"));
    let beside = [
        ("subStatus", sub_status),
        ("arrivalTime", booking.arrival_time.text()),
        ("offerId", booking.offer_id.unless_zero()),
        ("referer", seller.beside),
    ];
    extra.extend(beside.into_iter().filter_map(|(name, text)| Some((name.to_owned(), quoted(text?)))));
    // Report that the price may cover the whole group, instead of guessing.
    extra.extend(covers_group.map(|known| ("priceIsOfGroup".to_owned(), quoted(known.to_owned()))));
    // Dates of a cancellation do not matter: invalid ones must not prevent it.
    let nights = nights.filter(|nights| word != vocabulary::Word::Cancelled || in_order(*nights));
    Reservation {
        ota_reference: booking.api_reference.text(),
        group_id,
        property_id: booking.property_id.unless_zero(),
        rooms: rooms(booking, nights, total.as_ref()),
        stay: nights,
        guest: guest(booking, seller.source.as_deref()),
        source: seller.source,
        adults: count(&booking.num_adult),
        children: count(&booking.num_child),
        total,
        price_lines,
        commission: amount(&booking.commission).map(|amount| money(amount, None)),
        // The time of cancellation may be empty: the status alone decides.
        booked_at: instant(&booking.booking_time),
        modified_at: instant(&booking.modified_time),
        notes: notes(&booking.comments, &booking.notes),
        completeness: completeness(&[
            &booking.first_name,
            &booking.last_name,
            &booking.email,
            &booking.phone,
            &booking.mobile,
        ]),
        extra,
        raw: Some(raw.get().to_owned()),
        ..Reservation::new(id, word.into())
    }
}

/// Keeps the digits, valid or not: the host rounds excess decimals, and omits and notes what is not a number.
pub(crate) fn amount(said: &Lenient) -> Option<String> {
    said.decimal().or_else(|| said.text())
}

/// Omits an invalid instant: no booking may be rejected because of a time.
pub(crate) fn instant(said: &Lenient) -> Option<String> {
    said.instant("").ok().flatten()
}

/// Reads a number, a text, or a boolean, which some records use for 1 and 0.
pub(crate) fn count(said: &Lenient) -> Option<u32> {
    said.count().or_else(|| said.as_str().is_none().then(|| said.flag().map(u32::from)).flatten())
}

/// Returns `None` for invalid dates.
fn nights(arrival: &Lenient, departure: &Lenient) -> Option<Nights> {
    let date = |said: &Lenient| said.date("").ok().flatten();
    date(arrival).zip(date(departure)).map(|(start, until)| Nights { start, until })
}

pub(crate) fn in_order(nights: Nights) -> bool {
    nights.start < nights.until
}

/// Returns partial if all personal fields are empty: a webhook "without personal data" omits them, and a token without
/// the scope receives them empty. The known guest is then kept.
pub(crate) fn completeness(personal: &[&Lenient]) -> Completeness {
    let says_who = personal.iter().any(|said| said.as_str().is_some());
    if says_who { Completeness::Full } else { Completeness::Partial }
}

/// Returns the booking's reference, which is ours on bookings we created.
pub(crate) fn ours(reference: &Lenient) -> Vec<(String, String)> {
    reference.text().map(|text| ("reference".to_owned(), quoted(text))).into_iter().collect()
}

/// Encodes a text as JSON.
pub(crate) fn quoted(text: String) -> String {
    Value::from(text).to_string()
}

/// Returns one entry per room sold: a booking may cover several units of its type. The price is for all of them.
fn rooms(booking: &Booking, nights: Option<Nights>, price: Option<&Money>) -> Vec<RoomStay> {
    let Some(room_type_id) = booking.room_id.unless_zero() else {
        return Vec::new();
    };
    let quantity = count(&booking.room_qty).unwrap_or(1).clamp(1, MAX_ROOM_QTY);
    let one = quantity == 1;
    let room = RoomStay {
        unit_id: booking.unit_id.unless_zero().filter(|_| one),
        stay: nights,
        adults: count(&booking.num_adult).filter(|_| one),
        children: count(&booking.num_child).filter(|_| one),
        total: price.filter(|_| one).cloned(),
        ..RoomStay::new(Some(room_type_id))
    };
    vec![room; quantity as usize]
}

/// Members have the master's id. A master is recognised by the other members of its group.
fn group(booking: &Booking, id: &str) -> Option<String> {
    if let Some(master) = booking.master_id.unless_zero() {
        return Some(master);
    }
    let group = Group::of(booking.booking_group.as_deref());
    let others = group.ids.iter().filter_map(Lenient::unless_zero).any(|member| member != id);
    others.then(|| group.master.unless_zero().unwrap_or_else(|| id.to_owned()))
}

fn guest(booking: &Booking, source: Option<&str>) -> Option<GuestDetails> {
    let address = Address {
        street: booking.address.text(),
        city: booking.city.text(),
        state: booking.state.text(),
        postcode: booking.postcode.text(),
        country: vocabulary::country(booking.country.as_str(), booking.country2.as_str(), source),
    };
    let guest = GuestDetails {
        first_name: booking.first_name.text(),
        last_name: booking.last_name.text(),
        email: booking.email.text(),
        phone: booking.phone.text().or_else(|| booking.mobile.text()),
        language: booking.lang.text(),
        ..GuestDetails::unknown()
    }
    .living_at(address);
    (!guest.is_unknown()).then_some(guest)
}

/// Joins the guest's comments and the host's notes, in this order.
pub(crate) fn notes(comments: &Lenient, notes: &Lenient) -> Option<String> {
    let texts: Vec<&str> = [comments, notes].into_iter().filter_map(Lenient::as_str).collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}
