use std::convert::Infallible;

use gassync_domain::{
    Address, Block, Collector, Completeness, Guest, Intent, MAX_PRICE_LINES, PriceKind, PriceLine, Property, RatePlan,
    Reservation, RoomStay, RoomType, Status,
};

use super::{
    Converted,
    values::{amount, extra, instant, money, span, stay},
    wit,
};

fn address(address: wit::Address) -> Address {
    let wit::Address { street, city, state, postcode, country } = address;
    Address { street, city, state, postcode, country }
}

pub(in crate::v1_0) fn property(record: wit::Property) -> Converted<Property> {
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
        extra: extra(record.extra)?,
    };
    property.normalise();
    Ok(property)
}

pub(in crate::v1_0) fn room_type(record: wit::RoomType) -> Converted<RoomType> {
    let mut room_type = RoomType {
        id: record.id,
        property_id: record.property_id,
        name: record.name,
        description: record.description,
        max_occupancy: record.max_occupancy,
        quantity: record.quantity,
        amenities: record.amenities,
        extra: extra(record.extra)?,
    };
    room_type.normalise();
    Ok(room_type)
}

pub(in crate::v1_0) fn rate_plan(record: wit::RatePlan) -> Converted<RatePlan> {
    let mut plan = RatePlan {
        id: record.id,
        property_id: record.property_id,
        name: record.name,
        description: None,
        room_type_ids: record.room_type_ids,
        meals: record.meals,
        refundable: record.refundable,
        currency: record.currency,
        extra: extra(record.extra)?,
    };
    plan.normalise();
    Ok(plan)
}

pub(in crate::v1_0) fn guest(record: wit::GuestDetails) -> Converted<Guest> {
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
        extra: extra(record.extra)?,
    };
    guest.normalise();
    Ok(guest)
}

pub(in crate::v1_0) fn reservation(record: wit::Reservation) -> Converted<Reservation> {
    let (status, hold_until) = match record.status {
        wit::ReservationStatus::Confirmed => (Status::Confirmed, None),
        wit::ReservationStatus::Pending(until) => (Status::Pending, instant("status", until)?),
        wit::ReservationStatus::Inquiry => (Status::Inquiry, None),
        wit::ReservationStatus::Cancelled => (Status::Cancelled, None),
        wit::ReservationStatus::Declined => (Status::Declined, None),
        wit::ReservationStatus::NoShow => (Status::NoShow, None),
        // What the plugin has no case for may be another spelling of one.
        wit::ReservationStatus::Other(word) => (word.parse().unwrap_or_else(|never: Infallible| match never {}), None),
    };
    let (check_in, check_out) = stay("stay", record.stay)?;
    let total = record.total;
    // What the total is in decides, said or not: else a sum in another currency would give it its own.
    let currency = match &total {
        Some(total) => total.currency.clone(),
        None => {
            let rooms = record.rooms.iter().filter_map(|room| room.total.as_ref());
            let others = [&record.commission, &record.payout].into_iter().flatten();
            let lines = record.price_lines.iter().map(|line| &line.amount);
            rooms.chain(others).chain(lines).find_map(|money| money.currency.clone())
        }
    };
    // In another currency than the total it has no place here, and to misread it would be worse than to leave it out.
    let fits = |money: &wit::Money| money.currency.is_none() || money.currency == currency;
    let commission = amount("commission", record.commission.filter(fits))?;
    let payout = amount("payout", record.payout.filter(fits))?;
    // Nothing is decided by them: more than can be kept are no reason to refuse a booking.
    let lines = record.price_lines.into_iter().filter(|line| fits(&line.amount)).take(MAX_PRICE_LINES);
    let price_lines = lines.map(price_line).collect::<Converted<_>>()?;
    let mut reservation = Reservation {
        ota_reference: record.ota_reference,
        group_id: record.group_id,
        property_id: record.property_id,
        rooms: record
            .rooms
            .into_iter()
            .map(|room| room_stay(wit::RoomStay { total: room.total.filter(fits), ..room }))
            .collect::<Converted<_>>()?,
        check_in,
        check_out,
        hold_until,
        source: record.source,
        guest: record.guest.map(guest).transpose()?,
        guests: record.guests,
        adults: record.adults,
        children: record.children,
        infants: record.infants,
        pets: record.pets,
        total_price: amount("total", total)?,
        price_lines,
        currency,
        commission,
        payout,
        collector: record.collector.map(|collector| match collector {
            wit::Collector::Channel => Collector::Channel,
            wit::Collector::Property => Collector::Property,
            wit::Collector::Other(word) => Collector::Other(word),
        }),
        booked_at: instant("booked-at", record.booked_at)?,
        modified_at: instant("modified-at", record.modified_at)?,
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
        receipt: record.receipt,
        extra: extra(record.extra)?,
        ..Reservation::new(record.id, status)
    };
    reservation.normalise();
    Ok(reservation)
}

fn price_line(line: wit::PriceLine) -> Converted<PriceLine> {
    Ok(PriceLine {
        kind: match line.kind {
            wit::PriceKind::Stay => PriceKind::Stay,
            wit::PriceKind::Cleaning => PriceKind::Cleaning,
            wit::PriceKind::Fee => PriceKind::Fee,
            wit::PriceKind::Tax => PriceKind::Tax,
            wit::PriceKind::Deposit => PriceKind::Deposit,
            wit::PriceKind::Discount => PriceKind::Discount,
            wit::PriceKind::Other => PriceKind::Other,
        },
        name: line.name,
        amount: money("price-lines.amount", &line.amount)?,
    })
}

fn room_stay(room: wit::RoomStay) -> Converted<RoomStay> {
    let (check_in, check_out) = stay("rooms.stay", room.stay)?;
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
        total_price: amount("rooms.total", room.total)?,
        guest: room.guest.map(guest).transpose()?,
        extra: extra(room.extra)?,
    })
}

pub(in crate::v1_0) fn block(record: wit::Block) -> Converted<Block> {
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
        modified_at: instant("modified-at", record.modified_at)?,
        revision: record.revision,
        extra: extra(record.extra)?,
    };
    block.normalise();
    Ok(block)
}
