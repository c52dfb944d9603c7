//! Bookings and their rooms.

use std::collections::HashMap;

use gassync_domain::{AccountId, Amount, CoreId, Date, SourceKey, Status, Stay, Timestamp};
use sqlx::FromRow;

use crate::{
    Day, MoneyTenThousandths, Result, Time, Tx,
    ledger::Span,
    on,
    rows::{self, ColumnType, Rows},
};

/// A booking of the core.
#[derive(Debug, Clone)]
pub struct Booking {
    /// The property of its rooms.
    pub property: CoreId,
    /// The guest who booked.
    pub guest: Option<CoreId>,
    /// Never [`Status::Other`].
    pub status: Status,
    /// First night.
    pub check_in: Date,
    /// Day of departure.
    pub check_out: Date,
    /// Number of guests: total, adults, children, infants.
    pub people: [Option<u32>; 4],
    /// Total price for the guest.
    pub total_price: Option<Amount>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// When a pending booking releases its nights; `None`: when it is decided.
    pub hold_until: Option<Timestamp>,
    /// One entry per room.
    pub rooms: Vec<BookingRoom>,
}

/// One room of a booking.
#[derive(Debug, Clone)]
pub struct BookingRoom {
    /// The occupied unit.
    pub unit: CoreId,
    /// First night.
    pub check_in: Date,
    /// Day of departure.
    pub check_out: Date,
    /// Number of guests: total, adults, children, infants.
    pub people: [Option<u32>; 4],
    /// Its share of the total price.
    pub total_price: Option<Amount>,
}

impl BookingRoom {
    /// The occupied unit and nights; `None` if the dates are not a valid stay.
    pub fn span(&self) -> Option<Span> {
        let stay = Stay::spanning(self.check_in, self.check_out)?;
        Some(Span { unit: self.unit, stay })
    }
}

/// The main fields of a booking, for comparing.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct BookingFacts {
    /// The booking's id.
    pub id: i64,
    /// Its status.
    #[sqlx(try_from = "String")]
    pub status: Status,
    /// First night.
    pub check_in: Day,
    /// Day of departure.
    pub check_out: Day,
    /// Adults.
    pub adults: Option<i64>,
    /// Children.
    pub children: Option<i64>,
    /// Total price for the guest.
    pub total_price: Option<MoneyTenThousandths>,
    /// Number of rooms.
    pub rooms: i64,
}

/// A stored room of a booking with the fields that the ledger needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct RoomRow {
    booking_id: i64,
    /// The room's id.
    pub id: i64,
    unit_id: i64,
    check_in: Day,
    check_out: Day,
}

impl RoomRow {
    /// The occupied unit and nights; `None` if the dates are not a valid stay, which is never written.
    pub fn span(&self) -> Option<Span> {
        let stay = Stay::spanning(self.check_in.0, self.check_out.0)?;
        Some(Span { unit: CoreId(self.unit_id), stay })
    }
}

/// Inserts bookings without their rooms.
pub async fn insert_bookings(
    tx: &mut Tx,
    account: AccountId,
    bookings: &[&Booking],
    now: Timestamp,
) -> Result<Vec<CoreId>> {
    let mut new = Rows::new([
        ("property_id", ColumnType::Int),
        ("guest_id", ColumnType::Int),
        ("status", ColumnType::Text),
        ("check_in", ColumnType::Day),
        ("check_out", ColumnType::Day),
        ("guests", ColumnType::Int),
        ("adults", ColumnType::Int),
        ("children", ColumnType::Int),
        ("infants", ColumnType::Int),
        ("total_price", ColumnType::Int),
        ("currency", ColumnType::Text),
        ("notes", ColumnType::Text),
        ("hold_until", ColumnType::Time),
    ]);
    for booking in bookings {
        let [guests, adults, children, infants] = booking.people.map(|n| n.map(i64::from).into());
        new.push([
            booking.property.0.into(),
            booking.guest.map(|id| id.0).into(),
            booking.status.as_str().into(),
            Day(booking.check_in).into(),
            Day(booking.check_out).into(),
            guests,
            adults,
            children,
            infants,
            booking.total_price.map(Amount::ten_thousandths).into(),
            (&booking.currency).into(),
            (&booking.notes).into(),
            booking.hold_until.into(),
        ]);
    }
    let text = format!(
        "insert into gas_bookings (account_id, created_at, updated_at, {columns})
        select $1, $2, $2, {columns} from new returning id",
        columns = new.names()
    );
    let keys = new.keys(tx, &[account.0.into(), now.into()], &text).await?;
    Ok(keys.into_iter().map(CoreId).collect())
}

/// Updates a booking, but not its rooms.
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
            notes = $14, hold_until = $15, updated_at = $16
        where account_id = $1 and id = $2";
    let [guests, adults, children, infants] = booking.people.map(|n| n.map(i64::from));
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(booking.property.0)
        .bind(booking.guest.map(|id| id.0)).bind(booking.status.as_str()).bind(Day(booking.check_in))
        .bind(Day(booking.check_out)).bind(guests).bind(adults).bind(children).bind(infants)
        .bind(booking.total_price.map(MoneyTenThousandths::from)).bind(&booking.currency).bind(&booking.notes)
        .bind(booking.hold_until.map(Time::from)).bind(Time::from(now)).execute(c).await.map(drop))
}

/// The rooms of bookings, in order.
pub async fn rooms(tx: &mut Tx, account: AccountId, bookings: &[CoreId]) -> Result<HashMap<CoreId, Vec<RoomRow>>> {
    let text = "select r.booking_id, r.id, r.unit_id, r.check_in, r.check_out
        from new cross join gas_booking_rooms r where r.account_id = $1 and r.booking_id = new.id
        order by r.booking_id, r.position";
    let rows: Vec<RoomRow> = rows::of_ids(bookings).read(tx, &[account.0.into()], text).await?;
    let mut found: HashMap<CoreId, Vec<RoomRow>> = HashMap::new();
    for row in rows {
        found.entry(CoreId(row.booking_id)).or_default().push(row);
    }
    Ok(found)
}

/// Deletes a booking's rooms, whose nights must have been released.
pub async fn delete_rooms(tx: &mut Tx, account: AccountId, booking: CoreId) -> Result<()> {
    let text = "delete from gas_booking_rooms where account_id = $1 and booking_id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(booking.0).execute(c).await.map(drop))
}

/// Inserts rooms of bookings that have none.
pub async fn insert_rooms(
    tx: &mut Tx,
    account: AccountId,
    bookings: &[(CoreId, &Booking)],
    now: Timestamp,
) -> Result<Vec<i64>> {
    let mut new = Rows::new([
        ("booking_id", ColumnType::Int),
        ("position", ColumnType::Int),
        ("unit_id", ColumnType::Int),
        ("check_in", ColumnType::Day),
        ("check_out", ColumnType::Day),
        ("guests", ColumnType::Int),
        ("adults", ColumnType::Int),
        ("children", ColumnType::Int),
        ("infants", ColumnType::Int),
        ("total_price", ColumnType::Int),
    ]);
    for (id, booking) in bookings {
        for (position, room) in (0_i64..).zip(&booking.rooms) {
            let [guests, adults, children, infants] = room.people.map(|n| n.map(i64::from).into());
            new.push([
                id.0.into(),
                position.into(),
                room.unit.0.into(),
                Day(room.check_in).into(),
                Day(room.check_out).into(),
                guests,
                adults,
                children,
                infants,
                room.total_price.map(Amount::ten_thousandths).into(),
            ]);
        }
    }
    let text = format!(
        "insert into gas_booking_rooms (account_id, updated_at, {columns})
        select $1, $2, {columns} from new returning id",
        columns = new.names()
    );
    new.keys(tx, &[account.0.into(), now.into()], &text).await
}

/// Updates the fields of a booking's rooms that do not affect the ledger: guests and prices.
pub async fn update_rooms(
    tx: &mut Tx,
    account: AccountId,
    booking: CoreId,
    rooms: &[BookingRoom],
    now: Timestamp,
) -> Result<()> {
    let text = "update gas_booking_rooms set guests = $4, adults = $5, children = $6, infants = $7, total_price = $8,
            updated_at = $9
        where account_id = $1 and booking_id = $2 and position = $3";
    for (position, room) in (0_i64..).zip(rooms) {
        let [guests, adults, children, infants] = room.people.map(|n| n.map(i64::from));
        on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(booking.0).bind(position).bind(guests).bind(adults)
            .bind(children).bind(infants).bind(room.total_price.map(MoneyTenThousandths::from)).bind(Time::from(now))
            .execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Status of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookingState {
    /// Its status.
    pub status: Status,
    /// End of the hold, if it is pending.
    pub hold_until: Option<Timestamp>,
}

impl BookingState {
    /// Whether it occupies nights in the ledger.
    pub fn takes_nights(&self, now: Timestamp) -> bool {
        match self.status {
            Status::Confirmed | Status::NoShow => true,
            Status::Pending => self.hold_until.is_none_or(|until| until > now),
            Status::Inquiry | Status::Cancelled | Status::Declined | Status::Other(_) => false,
        }
    }
}

/// Statuses of bookings.
pub async fn booking_states(
    tx: &mut Tx,
    account: AccountId,
    bookings: &[CoreId],
) -> Result<HashMap<CoreId, BookingState>> {
    let text = "select b.id, b.status, b.hold_until
        from new cross join gas_bookings b where b.account_id = $1 and b.id = new.id";
    let rows: Vec<(i64, String, Option<Time>)> = rows::of_ids(bookings).read(tx, &[account.0.into()], text).await?;
    let state = |(id, status, hold_until): (i64, String, Option<Time>)| {
        (CoreId(id), BookingState { status: Status::from(status), hold_until: hold_until.map(Timestamp::from) })
    };
    Ok(rows.into_iter().map(state).collect())
}

/// The overbooked nights of a booking.
pub async fn overbooked_nights(tx: &mut Tx, account: AccountId, id: CoreId) -> Result<Vec<Date>> {
    let text = "select distinct c.night from gas_booking_nights c
        join gas_booking_rooms r on r.account_id = c.account_id and r.id = c.booking_room_id
        where r.account_id = $1 and r.booking_id = $2 and c.bucket = 'overbooked' order by c.night";
    let nights: Vec<Day> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(id.0).fetch_all(c).await)?;
    Ok(nights.into_iter().map(|day| day.0).collect())
}

/// All bookings linked with a source's reservations, by channel id.
pub async fn bookings_of_source(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
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
