//! Parses Smoobu bookings, whose field names use three spellings.

use std::fmt;

use gassync_plugin::{
    Block, Change, ChangeKind, ChannelError, Completeness, Entity, EntityRef, GuestDetails, Lenient, Nights, PriceKind,
    PriceLine, Reservation, ReservationStatus, RoomStay, Route, change, malformed, money, read_json, state,
};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Booking {
    pub id: Lenient,
    #[serde(rename = "reference-id")]
    reference: Lenient,
    #[serde(rename = "type")]
    kind: Lenient,
    pub arrival: Lenient,
    pub departure: Lenient,
    #[serde(rename = "created-at")]
    created_at: Lenient,
    #[serde(rename = "modifiedAt", alias = "modified-at")]
    modified_at: Lenient,
    apartment: Named,
    channel: Option<Named>,
    #[serde(rename = "guest-name")]
    guest_name: Lenient,
    firstname: Lenient,
    lastname: Lenient,
    email: Lenient,
    phone: Lenient,
    adults: Lenient,
    children: Lenient,
    notice: Lenient,
    price: Lenient,
    #[serde(rename = "commission-included")]
    commission: Lenient,
    language: Lenient,
    #[serde(rename = "is-blocked-booking")]
    blocked: Lenient,
    #[serde(rename = "priceElements")]
    price_elements: Vec<PriceElement>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    id: Lenient,
    name: Lenient,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct PriceElement {
    #[serde(rename = "type")]
    kind: Lenient,
    name: Lenient,
    amount: Lenient,
    currency_code: Lenient,
    price_included_in_id: Lenient,
}

impl Booking {
    /// Manually closed nights are bookings, too.
    pub fn is_block(&self) -> bool {
        let channel = self.channel.as_ref().and_then(|channel| channel.name.as_str()).unwrap_or_default();
        self.blocked.flag() == Some(true) || channel.eq_ignore_ascii_case("Blocked channel")
    }

    /// True for a block that we made, whether or not its id is stored.
    pub fn has_our_mark(&self) -> bool {
        self.notice.as_str() == Some(OUR_MARK)
    }

    pub fn is_cancelled(&self) -> bool {
        self.kind.as_str() == Some("cancellation")
    }
}

/// The notice of our blocks. Smoobu's webhook about a block may arrive before the call that creates it has ended, so
/// before its id is stored; a block taken for the host's own would never be opened again.
pub(crate) const OUR_MARK: &str = "Closed by GasSync";

/// The state key of a block that we made.
pub(crate) fn ours(apartment: &str, id: &str) -> String {
    format!("ours/{apartment}/{id}")
}

/// The change for a booking; `None` for our own blocks.
pub(crate) fn read(raw: &RawValue, account: Option<&str>, path: &str) -> Result<Option<Change>, ChannelError> {
    let booking: Booking = read_json(raw.get(), path)?;
    let missing = |field: &str| malformed(format_args!("{path}/{field}"), "is missing");
    let id = booking.id.text().ok_or_else(|| missing("id"))?;
    let apartment = booking.apartment.id.text();
    let route = Route { property_id: apartment.clone(), account: account.map(str::to_owned) };
    let arrival = booking.arrival.date(format_args!("{path}/arrival"))?;
    let departure = booking.departure.date(format_args!("{path}/departure"))?;
    let stay = arrival.zip(departure).map(|(start, until)| Nights { start, until });
    let data = if !booking.is_block() {
        let price = booking.price.amount(format_args!("{path}/price"))?;
        let commission = booking.commission.amount(format_args!("{path}/commission-included"))?;
        // A booking has a currency only with its price elements.
        let currency = booking.price_elements.iter().find_map(|element| element.currency_code.as_str());
        ChangeKind::Reservation(Reservation {
            total: price.map(|amount| money(amount, currency)),
            price_lines: price_lines(&booking, path)?,
            commission: commission.map(|amount| money(amount, currency)),
            booked_at: instant(&booking.created_at, format_args!("{path}/created-at"))?,
            modified_at: instant(&booking.modified_at, format_args!("{path}/modifiedAt"))?,
            ..reservation(&booking, id, stay, raw)
        })
    } else if is_ours(&booking, apartment.as_deref(), &id)? {
        return Ok(None);
    } else if booking.is_cancelled() {
        ChangeKind::Removed(EntityRef { entity: Entity::Block, id })
    } else {
        let stay = stay.ok_or_else(|| missing("arrival"))?;
        // The apartment is the property: without it the block belongs nowhere.
        let apartment = apartment.ok_or_else(|| missing("apartment/id"))?;
        ChangeKind::Block(Block {
            id: Some(id),
            property_id: Some(apartment.clone()),
            reason: booking.notice.text(),
            raw: Some(raw.get().to_owned()),
            ..Block::new(vec![apartment], stay)
        })
    };
    Ok(Some(Change { route, ..change(None, data) }))
}

fn is_ours(booking: &Booking, apartment: Option<&str>, id: &str) -> Result<bool, ChannelError> {
    let key = ours(apartment.unwrap_or_default(), id);
    Ok(booking.has_our_mark() || state::get::<(String, String)>(&key)?.is_some())
}

/// The lines of a price. An element included in another one is left out, and so are commissions, which the guest does
/// not pay separately.
fn price_lines(booking: &Booking, path: &str) -> Result<Vec<PriceLine>, ChannelError> {
    let mut lines = Vec::new();
    for (index, element) in booking.price_elements.iter().enumerate() {
        let kind = match element.kind.as_str().unwrap_or_default() {
            "commission" => continue,
            "basePrice" => PriceKind::Stay,
            "cleaningFee" => PriceKind::Cleaning,
            "addon" | "paymentCharge" => PriceKind::Fee,
            "tax" => PriceKind::Tax,
            "longStayDiscount" => PriceKind::Discount,
            _ => PriceKind::Other,
        };
        if element.price_included_in_id.as_str().is_some() {
            continue;
        }
        let amount = element.amount.amount(format_args!("{path}/priceElements/{index}/amount"))?;
        let Some(amount) = amount else { continue };
        // The sign of a discount is not documented; it always reduces the price.
        let is_above = kind == PriceKind::Discount && !amount.starts_with('-');
        let amount = if is_above { format!("-{amount}") } else { amount };
        lines.push(PriceLine {
            kind,
            name: element.name.text().unwrap_or_default(),
            amount: money(amount, element.currency_code.as_str()),
        });
    }
    Ok(lines)
}

/// All fields except money and timestamps, whose parsing can fail.
fn reservation(booking: &Booking, id: String, stay: Option<Nights>, raw: &RawValue) -> Reservation {
    let status = match booking.kind.as_str().unwrap_or_default() {
        "cancellation" => ReservationStatus::Cancelled,
        // The latter is not a change request, but an active booking that was changed.
        "reservation" | "modification of booking" => ReservationStatus::Confirmed,
        other => ReservationStatus::Other(other.to_owned()),
    };
    let apartment = booking.apartment.id.text();
    let guest = GuestDetails {
        name: booking.guest_name.text().filter(|_| booking.lastname.as_str().is_none()),
        first_name: booking.firstname.text(),
        last_name: booking.lastname.text(),
        email: booking.email.text(),
        phone: booking.phone.text(),
        language: booking.language.text(),
        ..GuestDetails::unknown()
    };
    let reported = guest.name.is_some() || guest.first_name.is_some() || guest.last_name.is_some();
    Reservation {
        ota_reference: booking.reference.text(),
        property_id: apartment.clone(),
        rooms: apartment.into_iter().map(|id| RoomStay { stay, ..RoomStay::new(Some(id)) }).collect(),
        stay,
        source: booking.channel.as_ref().and_then(|channel| source(channel.name.as_str()?)),
        guest: Some(guest).filter(|guest| !guest.is_unknown()),
        adults: booking.adults.count(),
        children: booking.children.count(),
        notes: booking.notice.text(),
        // A short record has no guest; that does not mean that there is none.
        completeness: if reported { Completeness::Full } else { Completeness::Partial },
        raw: Some(raw.get().to_owned()),
        ..Reservation::new(id, status)
    }
}

/// The sales channel by name: channel ids differ between accounts.
fn source(channel: &str) -> Option<String> {
    let word = channel.trim().to_lowercase();
    let known = match word.as_str() {
        "" => return None,
        "direct booking" | "direct" | "homepage" | "api" | "homepage/api" => "direct",
        "homeaway" | "vrbo" | "fewo-direkt" => "vrbo",
        other => other,
    };
    Some(known.to_owned())
}

/// `2027-05-01 10:00`, with or without seconds. The time zone is not documented; read as UTC.
fn instant(said: &Lenient, place: impl fmt::Display) -> Result<Option<String>, ChannelError> {
    let as_utc = |text: String| match text.split_once(' ') {
        Some((date, time)) if time.len() == "10:00".len() => format!("{date}T{time}:00Z"),
        Some((date, time)) if time.len() == "10:00:31".len() => format!("{date}T{time}Z"),
        _ => text,
    };
    Ok(said.instant(place)?.map(as_utc))
}

#[cfg(test)]
mod tests {
    use gassync_plugin::testing::FakeHost;

    use super::*;

    fn reported(inside: &str) -> Result<Option<ChangeKind>, ChannelError> {
        FakeHost::reset();
        let text = format!(r#"{{"id":48101,"type":"reservation","apartment":{{"id":7301}},{inside}}}"#);
        let raw = RawValue::from_string(text).expect("JSON");
        Ok(read(&raw, None, "/data")?.map(|change| change.data))
    }

    #[test]
    fn a_price_is_taken_apart_once() {
        let elements = r#""price":377.0,"priceElements":[
            {"id":1,"type":"basePrice","name":"Base price","amount":380.0,"currencyCode":"EUR"},
            {"id":2,"type":"cleaningFee","name":"Cleaning fee","amount":25.0,"currencyCode":"EUR"},
            {"id":3,"type":"tax","name":"City tax","amount":12.0,"currencyCode":"EUR","priceIncludedInId":null},
            {"id":4,"type":"longStayDiscount","name":"Long stay","amount":40,"currencyCode":"EUR"},
            {"id":5,"type":"paymentCharge","name":"Payment charge","amount":7.0,"priceIncludedInId":1},
            {"id":6,"type":"commission","name":"Commission","amount":44.0,"currencyCode":"EUR"}]"#;
        let Ok(Some(ChangeKind::Reservation(booking))) = reported(elements) else { panic!("a booking") };
        let lines: Vec<_> = booking.price_lines.iter().map(|line| (line.kind, line.amount.amount.as_str())).collect();
        let expected = [
            (PriceKind::Stay, "380.0"),
            (PriceKind::Cleaning, "25.0"),
            (PriceKind::Tax, "12.0"),
            (PriceKind::Discount, "-40"),
        ];
        assert_eq!((lines.as_slice(), booking.total), (&expected[..], Some(money("377.0", Some("EUR")))));
        let wrong = reported(r#""priceElements":[{"type":"tax","amount":"a lot"}]"#);
        let Ok(Some(ChangeKind::Reservation(booking))) = wrong else { panic!("it is kept: {wrong:?}") };
        assert_eq!(booking.price_lines[0].amount.amount, "a lot", "the host leaves it out");
    }

    #[test]
    fn a_block_that_is_called_off_is_a_block_that_is_gone() {
        let nights = r#""arrival":"2027-11-15","departure":"2027-11-20","is-blocked-booking":true"#;
        let Ok(Some(ChangeKind::Block(block))) = reported(nights) else { panic!("a block") };
        assert_eq!((block.property_id.as_deref(), block.room_type_ids), (Some("7301"), vec!["7301".to_owned()]));
        let text = format!(r#"{{"id":48103,"type":"cancellation","apartment":{{"id":7301}},{nights}}}"#);
        let gone = read(&RawValue::from_string(text).expect("JSON"), None, "").expect("read").expect("news").data;
        assert_eq!(gone, ChangeKind::Removed(EntityRef { entity: Entity::Block, id: "48103".to_owned() }));
        let nowhere = format!(r#"{{"id":48103,{nights}}}"#);
        let nowhere = read(&RawValue::from_string(nowhere).expect("JSON"), None, "");
        assert!(matches!(nowhere, Err(ChannelError::Malformed(why)) if why.starts_with("/apartment/id: ")));
    }

    #[test]
    fn times_come_with_seconds_and_without() {
        let instant = |text: &str| super::instant(&Lenient::from(Some(text)), "created-at");
        for (text, read) in [
            ("2027-05-01 10:00", "2027-05-01T10:00:00Z"),
            ("2027-05-01 10:00:31", "2027-05-01T10:00:31Z"),
            ("2027-05-01T10:00:31+02:00", "2027-05-01T10:00:31+02:00"),
        ] {
            assert_eq!(instant(text), Ok(Some(read.to_owned())));
        }
        assert_eq!(instant(""), Ok(None));
        for none in ["yesterday at noon", "2027-05-01 25:00", "2027-02-30 10:00"] {
            assert!(matches!(instant(none), Ok(Some(_))), "the host leaves it out: {none}");
        }
        assert_eq!(source("Booking.com").as_deref(), Some("booking.com"));
        assert_eq!(source("Homepage").as_deref(), Some("direct"));
    }
}
