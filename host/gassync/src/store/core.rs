//! The `gas_*` tables. Only the module `core` of this crate calls what writes here.

use gassync_domain::{AccountId, Address, CoreId, Guest, Property, RoomType, Status, Timestamp};
use gassync_domain::{Amount, Date};
use sqlx::FromRow;

use super::{Cents, Day, Result, Time, Tx, on};

/// A booking as the core keeps it.
#[derive(Debug, Clone)]
pub struct Booking {
    /// The property its rooms are in.
    pub property: CoreId,
    /// Who booked.
    pub guest: Option<CoreId>,
    /// Never [`Status::Other`].
    pub status: Status,
    /// First night.
    pub check_in: Date,
    /// Day of departure.
    pub check_out: Date,
    /// People: all, adults, children, infants.
    pub people: [Option<u32>; 4],
    /// What the guest pays.
    pub total_price: Option<Amount>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// One entry per room.
    pub rooms: Vec<BookingRoom>,
}

/// One room of a booking.
#[derive(Debug, Clone)]
pub struct BookingRoom {
    /// What is occupied.
    pub unit: CoreId,
    /// First night.
    pub check_in: Date,
    /// Day of departure.
    pub check_out: Date,
    /// People: all, adults, children, infants.
    pub people: [Option<u32>; 4],
    /// Its share of the price.
    pub total_price: Option<Amount>,
}

/// A booking's bare facts, for comparing.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct BookingFacts {
    /// Its key.
    pub id: i64,
    /// In the words of the schema.
    pub status: String,
    /// First night.
    pub check_in: Day,
    /// Day of departure.
    pub check_out: Day,
    /// Adults.
    pub adults: Option<i64>,
    /// Children.
    pub children: Option<i64>,
    /// What the guest pays.
    pub total_price: Option<Cents>,
    /// How many rooms.
    pub rooms: i64,
}

/// Makes a property.
pub async fn insert_property(tx: &mut Tx, account: AccountId, property: &Property, now: Timestamp) -> Result<CoreId> {
    let Address { street, city, state, postcode, country } = property.address.clone().unwrap_or_default();
    let text = "insert into gas_properties (account_id, name, description, street, city, state, postcode, country,
            latitude, longitude, currency, time_zone, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) returning id";
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(&property.name).bind(&property.description)
        .bind(street).bind(city).bind(state).bind(postcode).bind(country).bind(property.latitude)
        .bind(property.longitude).bind(&property.currency).bind(&property.time_zone).bind(Time::from(now))
        .fetch_one(c).await)?;
    Ok(CoreId(id))
}

/// Changes a property; what the record does not say stays.
pub async fn update_property(
    tx: &mut Tx,
    account: AccountId,
    id: CoreId,
    property: &Property,
    now: Timestamp,
) -> Result<()> {
    let Address { street, city, state, postcode, country } = property.address.clone().unwrap_or_default();
    let text = "update gas_properties set name = $3, description = coalesce($4, description),
            street = coalesce($5, street), city = coalesce($6, city), state = coalesce($7, state),
            postcode = coalesce($8, postcode), country = coalesce($9, country),
            latitude = coalesce($10, latitude), longitude = coalesce($11, longitude),
            currency = coalesce($12, currency), time_zone = coalesce($13, time_zone), updated_at = $14
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(&property.name).bind(&property.description)
        .bind(street).bind(city).bind(state).bind(postcode).bind(country).bind(property.latitude)
        .bind(property.longitude).bind(&property.currency).bind(&property.time_zone).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// Makes a bookable unit; a room type that does not say how many there are is one.
pub async fn insert_unit(
    tx: &mut Tx,
    account: AccountId,
    property: CoreId,
    room_type: &RoomType,
    now: Timestamp,
) -> Result<CoreId> {
    let text = "insert into gas_bookable_units
            (account_id, property_id, name, description, max_occupancy, quantity, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $7) returning id";
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(property.0).bind(&room_type.name)
        .bind(&room_type.description).bind(room_type.max_occupancy.map(i64::from))
        .bind(i64::from(room_type.quantity.unwrap_or(1))).bind(Time::from(now)).fetch_one(c).await)?;
    Ok(CoreId(id))
}

/// Changes a bookable unit; what the record does not say stays.
pub async fn update_unit(
    tx: &mut Tx,
    account: AccountId,
    id: CoreId,
    room_type: &RoomType,
    now: Timestamp,
) -> Result<()> {
    let text = "update gas_bookable_units set name = $3, description = coalesce($4, description),
            max_occupancy = coalesce($5, max_occupancy), quantity = coalesce($6, quantity), updated_at = $7
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(&room_type.name).bind(&room_type.description)
        .bind(room_type.max_occupancy.map(i64::from)).bind(room_type.quantity.map(i64::from)).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// Makes a guest.
pub async fn insert_guest(tx: &mut Tx, account: AccountId, guest: &Guest, now: Timestamp) -> Result<CoreId> {
    let text = "insert into gas_guests
            (account_id, first_name, last_name, email, phone, country, language, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8) returning id";
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(&guest.first_name)
        .bind(guest.filed_last_name()).bind(&guest.email).bind(&guest.phone).bind(&guest.country)
        .bind(&guest.language).bind(Time::from(now)).fetch_one(c).await)?;
    Ok(CoreId(id))
}

/// Changes a guest where the record says something new; what it does not say stays.
pub async fn update_guest(tx: &mut Tx, account: AccountId, id: CoreId, guest: &Guest, now: Timestamp) -> Result<()> {
    let text = "update gas_guests set first_name = coalesce($3, first_name), last_name = coalesce($4, last_name),
            email = coalesce($5, email), phone = coalesce($6, phone), country = coalesce($7, country),
            language = coalesce($8, language), updated_at = $9
        where account_id = $1 and id = $2 and not (
            coalesce($3, first_name, '') = coalesce(first_name, '') and coalesce($4, last_name, '') = coalesce(last_name, '')
            and coalesce($5, email, '') = coalesce(email, '') and coalesce($6, phone, '') = coalesce(phone, '')
            and coalesce($7, country, '') = coalesce(country, '') and coalesce($8, language, '') = coalesce(language, ''))";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(&guest.first_name).bind(guest.filed_last_name())
        .bind(&guest.email).bind(&guest.phone).bind(&guest.country).bind(&guest.language).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// Makes a booking with its rooms.
pub async fn insert_booking(tx: &mut Tx, account: AccountId, booking: &Booking, now: Timestamp) -> Result<CoreId> {
    let text =
        "insert into gas_bookings (account_id, property_id, guest_id, status, check_in, check_out, guests, adults,
            children, infants, total_price, currency, notes, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) returning id";
    let [guests, adults, children, infants] = booking.people.map(|n| n.map(i64::from));
    let id: i64 = on!(&mut *tx, c => sqlx::query_scalar(text).bind(account.0).bind(booking.property.0)
        .bind(booking.guest.map(|id| id.0)).bind(booking.status.as_str()).bind(Day(booking.check_in))
        .bind(Day(booking.check_out)).bind(guests).bind(adults).bind(children).bind(infants)
        .bind(booking.total_price.map(Cents::from)).bind(&booking.currency).bind(&booking.notes).bind(Time::from(now))
        .fetch_one(c).await)?;
    insert_rooms(tx, account, CoreId(id), &booking.rooms, now).await?;
    Ok(CoreId(id))
}

/// Writes a booking and its rooms over what was there.
pub async fn update_booking(
    tx: &mut Tx,
    account: AccountId,
    id: CoreId,
    booking: &Booking,
    now: Timestamp,
) -> Result<()> {
    let text =
        "update gas_bookings set property_id = $3, guest_id = coalesce($4, guest_id), status = $5, check_in = $6,
            check_out = $7, guests = $8, adults = $9, children = $10, infants = $11, total_price = $12, currency = $13,
            notes = $14, updated_at = $15
        where account_id = $1 and id = $2";
    let [guests, adults, children, infants] = booking.people.map(|n| n.map(i64::from));
    on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(booking.property.0)
        .bind(booking.guest.map(|id| id.0)).bind(booking.status.as_str()).bind(Day(booking.check_in))
        .bind(Day(booking.check_out)).bind(guests).bind(adults).bind(children).bind(infants)
        .bind(booking.total_price.map(Cents::from)).bind(&booking.currency).bind(&booking.notes).bind(Time::from(now))
        .execute(c).await.map(drop))?;
    let text = "delete from gas_booking_rooms where account_id = $1 and booking_id = $2";
    on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(id.0).execute(c).await.map(drop))?;
    insert_rooms(tx, account, id, &booking.rooms, now).await
}

async fn insert_rooms(
    tx: &mut Tx,
    account: AccountId,
    booking: CoreId,
    rooms: &[BookingRoom],
    now: Timestamp,
) -> Result<()> {
    let text = "insert into gas_booking_rooms (account_id, booking_id, position, unit_id, check_in, check_out, guests,
            adults, children, infants, total_price, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    for (position, room) in (0_i64..).zip(rooms) {
        let [guests, adults, children, infants] = room.people.map(|n| n.map(i64::from));
        on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(booking.0).bind(position).bind(room.unit.0)
            .bind(Day(room.check_in)).bind(Day(room.check_out)).bind(guests).bind(adults).bind(children).bind(infants)
            .bind(room.total_price.map(Cents::from)).bind(Time::from(now)).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// The property a unit is in, and that property's currency.
pub async fn unit_home(tx: &mut Tx, account: AccountId, unit: CoreId) -> Result<Option<(CoreId, Option<String>)>> {
    let text = "select p.id, p.currency from gas_bookable_units u
        join gas_properties p on p.account_id = u.account_id and p.id = u.property_id
        where u.account_id = $1 and u.id = $2";
    let row: Option<(i64, Option<String>)> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(unit.0).fetch_optional(c).await)?;
    Ok(row.map(|(id, currency)| (CoreId(id), currency)))
}

/// The status of a booking.
pub async fn booking_status(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<Option<String>> {
    let text = "select status from gas_bookings where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(id.0).fetch_optional(c).await)
}

/// Every booking that a source's reservations are linked to, by the channel's id.
pub async fn bookings_of_source(
    tx: &mut Tx,
    account: AccountId,
    source: gassync_domain::SourceId,
) -> Result<Vec<(String, BookingFacts)>> {
    #[derive(FromRow)]
    struct Row {
        external_entity_id: String,
        #[sqlx(flatten)]
        facts: BookingFacts,
    }
    let text = "select m.external_entity_id, b.id, b.status, b.check_in, b.check_out, b.adults, b.children, b.total_price,
            (select count(*) from gas_booking_rooms r where r.account_id = b.account_id and r.booking_id = b.id) as rooms
        from int_mappings m
        join gas_bookings b on b.account_id = m.account_id and b.id = m.gas_entity_id
        where m.account_id = $1 and m.source_id = $2 and m.external_entity_type = 'reservation'
        order by m.external_entity_id";
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| (row.external_entity_id, row.facts)).collect())
}
