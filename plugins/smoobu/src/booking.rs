//! Converts a Smoobu booking, whose field names use three spellings, to a reservation or a block.

use gassync_plugin::{
    Block, Change, ChangeKind, ChannelError, Completeness, Entity, EntityRef, GuestDetails, Lenient, Nights,
    Reservation, ReservationStatus, RoomStay, Route, change, lenient, malformed, money, note, read_json, state,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    apartment::said,
    mark,
    price::{self, PriceElement, amount},
    related::{self, Related},
    remembered::Fact,
    vocabulary::{self, BLOCKED_CHANNEL, CANCELLATION},
};

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(crate) struct Booking {
    pub id: Lenient,
    #[serde(rename = "reference-id")]
    reference: Lenient,
    #[serde(rename = "type")]
    pub kind: Lenient,
    pub arrival: Lenient,
    pub departure: Lenient,
    #[serde(rename = "created-at")]
    created_at: Lenient,
    #[serde(rename = "modifiedAt")]
    modified_at: Lenient,
    #[serde(rename = "modified-at")]
    modified_at_too: Lenient,
    #[serde(deserialize_with = "lenient")]
    pub apartment: Named,
    #[serde(deserialize_with = "lenient")]
    channel: Named,
    #[serde(rename = "guest-name")]
    guest_name: Lenient,
    firstname: Lenient,
    lastname: Lenient,
    email: Lenient,
    phone: Lenient,
    adults: Lenient,
    children: Lenient,
    #[serde(rename = "check-in")]
    check_in: Lenient,
    #[serde(rename = "check-out")]
    check_out: Lenient,
    pub notice: Lenient,
    #[serde(rename = "assistant-notice")]
    assistant_notice: Lenient,
    price: Lenient,
    #[serde(rename = "price-details")]
    price_details: Lenient,
    #[serde(rename = "price-paid")]
    price_paid: Lenient,
    prepayment: Lenient,
    #[serde(rename = "prepayment-paid")]
    prepayment_paid: Lenient,
    deposit: Lenient,
    #[serde(rename = "deposit-paid")]
    deposit_paid: Lenient,
    #[serde(rename = "city-tax")]
    city_tax: Lenient,
    #[serde(rename = "commission-included")]
    commission: Lenient,
    language: Lenient,
    #[serde(rename = "is-blocked-booking")]
    blocked: Lenient,
    #[serde(rename = "guestId")]
    guest_id: Lenient,
    #[serde(deserialize_with = "lenient")]
    related: Option<Vec<Named>>,
    #[serde(rename = "priceElements", deserialize_with = "lenient")]
    price_elements: Vec<PriceElement>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(crate) struct Named {
    pub id: Lenient,
    name: Lenient,
}

/// How a booking reached us.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Received<'a> {
    /// The Smoobu user that a webhook names.
    pub account: Option<&'a str>,
    /// The type that a webhook's action implies, for a record that has none.
    pub kind: Option<&'a str>,
}

impl Booking {
    /// Manually closed nights are bookings, too.
    pub fn is_block(&self) -> bool {
        self.blocked.flag() == Some(true) || self.channel.name.lower() == BLOCKED_CHANNEL
    }

    /// True for a block that closes nights for us, whether or not its id is stored.
    pub fn closes_for_us(&self) -> bool {
        self.is_block() && self.notice.as_str() == Some(mark::OUR_BLOCK)
    }

    pub fn is_cancelled(&self) -> bool {
        self.kind.lower() == CANCELLATION
    }

    /// Our reference, if we made it.
    pub fn our_reference(&self) -> Option<&str> {
        mark::read(self.notice.as_str()?).0
    }

    /// From arrival to departure, whose night is free. Odd dates are left out with a note: no booking may be rejected
    /// because of them.
    pub fn nights(&self, path: &str) -> Option<Nights> {
        let start = self.arrival.date_or_note(format_args!("{path}/arrival"));
        let until = self.departure.date_or_note(format_args!("{path}/departure"));
        start.zip(until).map(|(start, until)| Nights { start, until })
    }

    fn modified_at(&self) -> Option<String> {
        instant(&self.modified_at).or_else(|| instant(&self.modified_at_too))
    }

    /// The other apartments that it closes; `None` if the record does not say.
    fn related(&self) -> Option<Vec<String>> {
        let own = self.apartment.id.unless_zero();
        let others = self.related.as_ref()?.iter().filter_map(|named| named.id.unless_zero());
        Some(others.filter(|id| Some(id) != own.as_ref()).collect())
    }
}

/// The state key of a block that closes nights for us.
pub(crate) fn ours(apartment: &str, id: &str) -> String {
    format!("ours/{apartment}/{id}")
}

/// The changes for a booking: itself, and the block of related apartments. None for a block that closes nights for us,
/// nor for the end of a booking that we have made anew elsewhere.
pub(crate) fn read(raw: &RawValue, received: Received<'_>, path: &str) -> Result<Vec<Change>, ChannelError> {
    let mut booking: Booking = read_json(raw.get(), path)?;
    if booking.kind.as_str().is_none() {
        booking.kind = received.kind.into();
    }
    // Only a missing id fails a booking: any other odd value must not leave its nights open for sale.
    let id = booking.id.unless_zero().ok_or_else(|| malformed(format_args!("{path}/id"), "is missing"))?;
    let apartment = booking.apartment.id.unless_zero();
    let route = Route { property_id: apartment.clone(), account: received.account.map(str::to_owned) };
    let stay = booking.nights(path);
    let mut changes = Vec::new();
    if booking.is_cancelled() && Fact::Replaced.is_known(&id)? {
        // The host knows it under its new id.
        changes.extend(related::gone(&id)?);
    } else if !booking.is_block() {
        let reservation = reservation(&booking, &id, stay, raw, path);
        changes.push(change(None, ChangeKind::Reservation(reservation)));
        let related = Related {
            booking: &id,
            apartment: apartment.as_deref(),
            apartments: booking.related(),
            is_live: !booking.is_cancelled(),
            stay: stay.filter(|stay| stay.start < stay.until),
            modified_at: booking.modified_at(),
        };
        changes.extend(related.change()?);
    } else if !is_ours(&booking, apartment.as_deref(), &id)? {
        changes.push(change(None, block(&booking, id, stay, raw, path)?));
    }
    for change in &mut changes {
        change.route = route.clone();
    }
    Ok(changes)
}

fn is_ours(booking: &Booking, apartment: Option<&str>, id: &str) -> Result<bool, ChannelError> {
    let key = ours(apartment.unwrap_or_default(), id);
    Ok(booking.closes_for_us() || state::get::<(String, String)>(&key)?.is_some())
}

/// A block of the apartment and of those related to it, or its end.
fn block(
    booking: &Booking,
    id: String,
    stay: Option<Nights>,
    raw: &RawValue,
    path: &str,
) -> Result<ChangeKind, ChannelError> {
    if booking.is_cancelled() {
        return Ok(ChangeKind::Removed(EntityRef { entity: Entity::Block, id }));
    }
    let missing = |field: &str| malformed(format_args!("{path}/{field}"), "is missing on a block");
    let stay = stay.ok_or_else(|| missing("arrival"))?;
    // The apartment is the property: without it the block belongs nowhere.
    let apartment = booking.apartment.id.unless_zero().ok_or_else(|| missing("apartment/id"))?;
    let rooms = std::iter::once(apartment.clone()).chain(booking.related().into_iter().flatten());
    let (reference, reason) = mark::read(booking.notice.as_str().unwrap_or_default());
    Ok(ChangeKind::Block(Block {
        id: Some(id),
        property_id: Some(apartment),
        reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        modified_at: booking.modified_at(),
        extra: reference.map(|reference| ("reference".to_owned(), quoted(reference))).into_iter().collect(),
        raw: Some(raw.get().to_owned()),
        ..Block::new(rooms.collect(), stay)
    }))
}

fn reservation(booking: &Booking, id: &str, stay: Option<Nights>, raw: &RawValue, path: &str) -> Reservation {
    let guest = GuestDetails {
        id: booking.guest_id.unless_zero(),
        name: booking.guest_name.text().filter(|_| booking.lastname.as_str().is_none()),
        first_name: booking.firstname.text(),
        last_name: booking.lastname.text(),
        email: booking.email.text(),
        phone: booking.phone.text(),
        language: booking.language.text(),
        ..GuestDetails::unknown()
    };
    let says_who = guest.name.is_some() || guest.first_name.is_some() || guest.last_name.is_some();
    let (reference, notes) = mark::read(booking.notice.as_str().unwrap_or_default());
    // A booking has a currency only with its price elements; without one the property's applies.
    let currency = price::currency(&booking.price_elements);
    let property_id = booking.apartment.id.unless_zero();
    let status = vocabulary::status(booking.kind.as_str());
    // Dates of a cancellation do not matter: impossible ones must not prevent it.
    let stay = stay.filter(|stay| status != ReservationStatus::Cancelled || stay.start < stay.until);
    Reservation {
        ota_reference: booking.reference.text(),
        rooms: property_id.iter().map(|id| RoomStay { stay, ..RoomStay::new(Some(id.clone())) }).collect(),
        property_id,
        stay,
        source: booking.channel.name.as_str().and_then(vocabulary::source),
        guest: Some(guest).filter(|guest| !guest.is_unknown()),
        adults: booking.adults.count_or_note(format_args!("{path}/adults")),
        children: booking.children.count_or_note(format_args!("{path}/children")),
        total: amount(&booking.price).map(|amount| money(amount, currency)),
        price_lines: price::lines(&booking.price_elements),
        commission: amount(&booking.commission).map(|amount| money(amount, currency)),
        booked_at: instant(&booking.created_at),
        modified_at: booking.modified_at(),
        notes: Some(notes.to_owned()).filter(|notes| !notes.is_empty()),
        // A short record has no guest; that does not mean that there is none.
        completeness: if says_who { Completeness::Full } else { Completeness::Partial },
        extra: beside(booking, reference, path),
        raw: Some(raw.get().to_owned()),
        ..Reservation::new(id, status)
    }
}

/// What the contract has no field for, under Smoobu's names. The link to the guest's page is a secret and left out.
fn beside(booking: &Booking, reference: Option<&str>, path: &str) -> Vec<(String, String)> {
    let mut extra: Vec<(String, String)> =
        reference.map(|reference| ("reference".to_owned(), quoted(reference))).into_iter().collect();
    extra.extend(said(&[
        ("channelId", &booking.channel.id),
        ("checkIn", &booking.check_in),
        ("checkOut", &booking.check_out),
        ("assistantNotice", &booking.assistant_notice),
        ("priceDetails", &booking.price_details),
        ("cityTax", &booking.city_tax),
        ("prepayment", &booking.prepayment),
        ("deposit", &booking.deposit),
    ]));
    for (name, said) in [
        ("pricePaid", &booking.price_paid),
        ("prepaymentPaid", &booking.prepayment_paid),
        ("depositPaid", &booking.deposit_paid),
    ] {
        // "Yes" and "No", not booleans.
        match said.flag() {
            Some(flag) => extra.push((name.to_owned(), flag.to_string())),
            None if said.as_str().is_some() => note(format_args!("{path}/{name}"), "is neither Yes nor No"),
            None => {}
        }
    }
    extra
}

/// Encodes a text as JSON.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// `2027-05-01 10:00`, with or without seconds. The time zone is not documented; read as UTC. Anything else is passed
/// on, and the host omits and notes what is no instant.
pub(crate) fn instant(said: &Lenient) -> Option<String> {
    let text = said.text()?;
    Some(match text.split_once(' ') {
        Some((date, time)) if time.len() == "10:00".len() => format!("{date}T{time}:00Z"),
        Some((date, time)) if time.len() == "10:00:31".len() => format!("{date}T{time}Z"),
        _ => text,
    })
}
