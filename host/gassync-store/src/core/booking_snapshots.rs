//! Snapshots of bookings for pushing.

use std::collections::HashMap;

use gassync_domain::{AccountId, Address, Amount, CoreId, Guest, Reservation, RoomStay, Status, Timestamp};
use sqlx::FromRow;

use crate::{Day, MoneyTenThousandths, Result, Time, Tx, rows};

/// A booking with its guest and the unit of each room, in order.
#[derive(Debug, Clone)]
pub struct BookingSnapshot {
    /// The record; its rooms have no channel ids.
    pub reservation: Reservation,
    /// The unit of each room.
    pub units: Vec<CoreId>,
    /// ISO 4217 currency of its property.
    pub house_currency: Option<String>,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    status: String,
    check_in: Day,
    check_out: Day,
    guests: Option<i64>,
    adults: Option<i64>,
    children: Option<i64>,
    infants: Option<i64>,
    total_price: Option<MoneyTenThousandths>,
    currency: Option<String>,
    notes: Option<String>,
    hold_until: Option<Time>,
    created_at: Time,
    guest_id: Option<i64>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    country: Option<String>,
    language: Option<String>,
    street: Option<String>,
    city: Option<String>,
    state: Option<String>,
    postcode: Option<String>,
    house_currency: Option<String>,
}

#[derive(FromRow)]
struct RoomRow {
    booking_id: i64,
    unit_id: i64,
    check_in: Day,
    check_out: Day,
    guests: Option<i64>,
    adults: Option<i64>,
    children: Option<i64>,
    infants: Option<i64>,
    total_price: Option<MoneyTenThousandths>,
}

fn count(n: Option<i64>) -> Option<u32> {
    n.and_then(|n| u32::try_from(n).ok())
}

/// Snapshots of these bookings, by key.
pub async fn booking_snapshots(
    tx: &mut Tx,
    account: AccountId,
    ids: &[CoreId],
) -> Result<HashMap<CoreId, BookingSnapshot>> {
    let text =
        "select b.id, b.status, b.check_in, b.check_out, b.guests, b.adults, b.children, b.infants, b.total_price,
            b.currency, b.notes, b.hold_until, b.created_at, b.guest_id, g.first_name, g.last_name, g.email, g.phone,
            g.country, g.language, g.street, g.city, g.state, g.postcode, p.currency as house_currency
        from new cross join gas_bookings b
        join gas_properties p on p.account_id = b.account_id and p.id = b.property_id
        left join gas_guests g on g.account_id = b.account_id and g.id = b.guest_id
        where b.account_id = $1 and b.id = new.id";
    let bookings: Vec<Row> = rows::of_ids(ids).read(tx, &[account.0.into()], text).await?;
    let text = "select r.booking_id, r.unit_id, r.check_in, r.check_out, r.guests, r.adults, r.children, r.infants,
            r.total_price
        from new cross join gas_booking_rooms r where r.account_id = $1 and r.booking_id = new.id
        order by r.booking_id, r.position";
    let rooms: Vec<RoomRow> = rows::of_ids(ids).read(tx, &[account.0.into()], text).await?;
    let mut found: HashMap<CoreId, BookingSnapshot> = bookings.into_iter().map(Row::into_pair).collect();
    for room in rooms {
        let Some(booking) = found.get_mut(&CoreId(room.booking_id)) else { continue };
        booking.units.push(CoreId(room.unit_id));
        booking.reservation.rooms.push(RoomStay {
            check_in: Some(room.check_in.0),
            check_out: Some(room.check_out.0),
            guests: count(room.guests),
            adults: count(room.adults),
            children: count(room.children),
            infants: count(room.infants),
            total_price: room.total_price.map(Amount::from),
            ..RoomStay::default()
        });
    }
    Ok(found)
}

impl Row {
    fn into_pair(self) -> (CoreId, BookingSnapshot) {
        let status = Status::from(self.status);
        let Self { street, city, state, postcode, .. } = self;
        let lives_somewhere = [&street, &city, &state, &postcode].into_iter().any(Option::is_some);
        let address = Address { street, city, state, postcode, country: self.country.clone() };
        let guest = Guest {
            address: lives_somewhere.then_some(address),
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
            phone: self.phone,
            country: self.country,
            language: self.language,
            ..Guest::default()
        };
        let reservation = Reservation {
            check_in: Some(self.check_in.0),
            check_out: Some(self.check_out.0),
            guests: count(self.guests),
            adults: count(self.adults),
            children: count(self.children),
            infants: count(self.infants),
            total_price: self.total_price.map(Amount::from),
            currency: self.currency,
            notes: self.notes,
            hold_until: self.hold_until.map(Timestamp::from),
            booked_at: Some(self.created_at.into()),
            source: Some("direct".to_owned()),
            guest: self.guest_id.map(|_| guest),
            ..Reservation::new(String::new(), status)
        };
        (CoreId(self.id), BookingSnapshot { reservation, units: Vec::new(), house_currency: self.house_currency })
    }
}
