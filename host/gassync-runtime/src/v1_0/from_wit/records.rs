use gassync_domain::{
    Address, Block, Completeness, Guest, Intent, MAX_PRICE_LINES, PaymentCollectedBy, PriceKind, PriceLine, Property,
    RatePlan, Reservation, RoomStay, RoomType, Status,
};

use super::{Converted, reading::Reading, values::span, wit};

fn address(address: wit::Address) -> Address {
    let wit::Address { street, city, state, postcode, country } = address;
    Address { street, city, state, postcode, country }
}

pub(in crate::v1_0) fn property(reading: &mut Reading, record: wit::Property) -> Converted<Property> {
    let mut property = Property {
        id: record.id,
        name: record.name,
        description: record.description,
        address: record.address.map(address),
        latitude: record.latitude,
        longitude: record.longitude,
        currency: record.currency,
        time_zone: record.time_zone,
        thumbnail: record.thumbnail,
        room_types: record.room_types,
        extra: reading.extra("", record.extra)?,
    };
    property.normalise();
    Ok(property)
}

pub(in crate::v1_0) fn room_type(reading: &mut Reading, record: wit::RoomType) -> Converted<RoomType> {
    let mut room_type = RoomType {
        id: record.id,
        property_id: record.property_id,
        name: record.name,
        description: record.description,
        max_occupancy: record.max_occupancy,
        quantity: record.quantity,
        amenities: record.amenities,
        extra: reading.extra("", record.extra)?,
    };
    room_type.normalise();
    Ok(room_type)
}

pub(in crate::v1_0) fn rate_plan(reading: &mut Reading, record: wit::RatePlan) -> Converted<RatePlan> {
    let mut plan = RatePlan {
        id: record.id,
        property_id: record.property_id,
        name: record.name,
        description: None,
        room_type_ids: record.room_type_ids,
        meals: record.meals,
        refundable: record.refundable,
        currency: record.currency,
        extra: reading.extra("", record.extra)?,
    };
    plan.normalise();
    Ok(plan)
}

pub(in crate::v1_0) fn guest(reading: &mut Reading, below: &str, record: wit::GuestDetails) -> Converted<Guest> {
    let mut guest = Guest {
        id: record.id,
        name: record.name,
        first_name: record.first_name,
        last_name: record.last_name,
        email: record.email,
        phone: record.phone,
        country: record.country,
        language: record.language,
        address: record.address.map(address),
        extra: reading.extra(below, record.extra)?,
    };
    guest.normalise();
    Ok(guest)
}

pub(in crate::v1_0) fn reservation(reading: &mut Reading, record: wit::Reservation) -> Converted<Reservation> {
    let (status, hold_until) = match record.status {
        wit::ReservationStatus::Confirmed => (Status::Confirmed, None),
        wit::ReservationStatus::Pending(until) => (Status::Pending, reading.instant("/holdUntil", until)?),
        wit::ReservationStatus::Inquiry => (Status::Inquiry, None),
        wit::ReservationStatus::Cancelled => (Status::Cancelled, None),
        wit::ReservationStatus::Declined => (Status::Declined, None),
        wit::ReservationStatus::NoShow => (Status::NoShow, None),
        // A status the plugin does not know may be another spelling of a known one.
        wit::ReservationStatus::Other(word) => (Status::from(word), None),
    };
    let (check_in, check_out) = reading.stay("", record.stay)?;
    let total = record.total;
    // The currency of the total applies, even if absent: otherwise an amount in another currency would assign its own
    // to the total.
    let currency = match &total {
        Some(total) => total.currency.clone(),
        None => {
            let rooms = record.rooms.iter().filter_map(|room| room.total.as_ref());
            let others = [&record.commission, &record.payout].into_iter().flatten();
            let lines = record.price_lines.iter().map(|line| &line.amount);
            rooms.chain(others).chain(lines).find_map(|money| money.currency.clone())
        }
    };
    // Omit amounts in another currency than the total: the record has one currency, and a wrong amount is worse than
    // none.
    let fits = |money: &wit::Money| money.currency.is_none() || money.currency == currency;
    let commission = reading.amount("/commission", record.commission.filter(fits))?;
    let payout = reading.amount("/payout", record.payout.filter(fits))?;
    // Price lines are informative: drop lines over the limit instead of rejecting the booking.
    let lines = record.price_lines.into_iter().filter(|line| fits(&line.amount)).take(MAX_PRICE_LINES);
    let mut price_lines = Vec::new();
    for (index, line) in lines.enumerate() {
        price_lines.extend(price_line(reading, index, line)?);
    }
    let mut rooms = Vec::with_capacity(record.rooms.len());
    for (index, room) in record.rooms.into_iter().enumerate() {
        let total = room.total.clone().filter(fits);
        rooms.push(room_stay(reading, &format!("/rooms/{index}"), wit::RoomStay { total, ..room })?);
    }
    let mut reservation = Reservation {
        ota_reference: record.ota_reference,
        group_id: record.group_id,
        property_id: record.property_id,
        rooms,
        check_in,
        check_out,
        hold_until,
        source: record.source,
        guest: record.guest.map(|record| guest(reading, "/guest", record)).transpose()?,
        guests: record.guests,
        adults: record.adults,
        children: record.children,
        infants: record.infants,
        pets: record.pets,
        total_price: reading.amount("/totalPrice", total)?,
        price_lines,
        currency,
        commission,
        payout,
        payment_collected_by: record.payment_collected_by.map(|payment_collected_by| match payment_collected_by {
            wit::PaymentCollectedBy::Channel => PaymentCollectedBy::Channel,
            wit::PaymentCollectedBy::Property => PaymentCollectedBy::Property,
            wit::PaymentCollectedBy::Other(word) => PaymentCollectedBy::Other(word),
        }),
        booked_at: reading.instant("/bookedAt", record.booked_at)?,
        modified_at: reading.instant("/modifiedAt", record.modified_at)?,
        revision: record.revision,
        notes: record.notes,
        intent: match record.intent {
            wit::Intent::Fact => Intent::Fact,
            wit::Intent::Request => Intent::Request,
        },
        completeness: match record.completeness {
            wit::Completeness::Full => Completeness::Full,
            wit::Completeness::Partial => Completeness::Partial,
        },
        acknowledgement_token: record.acknowledgement_token,
        extra: reading.extra("", record.extra)?,
        ..Reservation::new(record.id, status)
    };
    reservation.normalise();
    Ok(reservation)
}

/// Converts a price line; `None` if it has no amount.
fn price_line(reading: &mut Reading, index: usize, line: wit::PriceLine) -> Converted<Option<PriceLine>> {
    let amount = reading.money(&format!("/priceLines/{index}/amount"), &line.amount)?;
    let kind = match line.kind {
        wit::PriceKind::Stay => PriceKind::Stay,
        wit::PriceKind::Cleaning => PriceKind::Cleaning,
        wit::PriceKind::Fee => PriceKind::Fee,
        wit::PriceKind::Tax => PriceKind::Tax,
        wit::PriceKind::Deposit => PriceKind::Deposit,
        wit::PriceKind::Discount => PriceKind::Discount,
        wit::PriceKind::Other => PriceKind::Other,
    };
    Ok(amount.map(|amount| PriceLine { kind, name: line.name, amount }))
}

fn room_stay(reading: &mut Reading, below: &str, room: wit::RoomStay) -> Converted<RoomStay> {
    let (check_in, check_out) = reading.stay(below, room.stay)?;
    let guest = match room.guest {
        Some(record) => Some(guest(reading, &format!("{below}/guest"), record)?),
        None => None,
    };
    Ok(RoomStay {
        id: room.id,
        room_type_id: room.room_type_id,
        unit_id: room.unit_id,
        rate_plan_id: room.rate_plan_id,
        check_in,
        check_out,
        guests: room.guests,
        adults: room.adults,
        children: room.children,
        infants: room.infants,
        total_price: reading.amount(&format!("{below}/totalPrice"), room.total)?,
        guest,
        extra: reading.extra(below, room.extra)?,
    })
}

/// Converts a block; an error without valid dates, since it would close no night.
pub(in crate::v1_0) fn block(reading: &mut Reading, record: wit::Block) -> Converted<Block> {
    let (check_in, check_out) = span("stay", record.stay)?;
    let mut block = Block {
        id: record.id,
        property_id: record.property_id,
        room_type_id: None,
        room_type_ids: record.room_type_ids,
        unit_id: record.unit_id,
        units: record.units,
        check_in,
        check_out,
        reason: record.reason,
        modified_at: reading.instant("/modifiedAt", record.modified_at)?,
        revision: record.revision,
        extra: reading.extra("", record.extra)?,
    };
    block.normalise();
    Ok(block)
}
