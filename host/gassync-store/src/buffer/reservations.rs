//! Reservations as received from channels.

use std::collections::HashMap;

use gassync_domain::{CoreId, Date, Guest, Parked, RawJson, Reservation, SourceKey, Timestamp, Version};
use sqlx::types::Json;

use super::{Envelope, Named, PageCursor, Row, Stored, WithRaw, reads};
use crate::{
    Day, Result, Time, Tx, on,
    rows::{Cell, ColumnType, Rows},
};

reads!(Reservation, "int_reservations", "gas_booking_id");

/// Columns of a written record, besides the id of its room type; benchmarks use them.
pub const COLUMNS: [(&str, ColumnType); 27] = [
    ("room_type_id", ColumnType::Text),
    ("account_id", ColumnType::Int),
    ("source_id", ColumnType::Int),
    ("external_id", ColumnType::Text),
    ("property_external_id", ColumnType::Text),
    ("check_in", ColumnType::Day),
    ("check_out", ColumnType::Day),
    ("status", ColumnType::Text),
    ("source_channel", ColumnType::Text),
    ("guest_first_name", ColumnType::Text),
    ("guest_last_name", ColumnType::Text),
    ("guest_email", ColumnType::Text),
    ("guest_phone", ColumnType::Text),
    ("adults", ColumnType::Int),
    ("children", ColumnType::Int),
    ("total_price", ColumnType::Int),
    ("currency", ColumnType::Text),
    ("gas_booking_id", ColumnType::Int),
    ("record", ColumnType::Json),
    ("raw_data", ColumnType::Json),
    ("digest", ColumnType::Text),
    ("revision", ColumnType::Text),
    ("modified_at", ColumnType::Time),
    ("observed_at", ColumnType::Time),
    ("parked", ColumnType::Json),
    ("mended", ColumnType::Json),
    ("synced_at", ColumnType::Time),
];

/// The upsert statement, after the rows.
pub const UPSERT: &str = "insert into int_reservations (int_room_type_id, account_id, source_id, external_id,
            property_external_id, check_in, check_out, status, source_channel, guest_first_name, guest_last_name,
            guest_email, guest_phone, adults, children, total_price, currency, gas_booking_id, record, raw_data, digest,
            revision, modified_at, observed_at, parked, mended, synced_at)
        select (
            select t.id from int_room_types t
            where t.account_id = new.account_id and t.source_id = new.source_id and t.external_id = new.room_type_id
        ), account_id, source_id, external_id, property_external_id, check_in, check_out, status, source_channel,
            guest_first_name, guest_last_name, guest_email, guest_phone, adults, children, total_price, currency,
            gas_booking_id, record, raw_data, digest, revision, modified_at, observed_at, parked, mended, synced_at
        from new where 1 = 1
        on conflict (account_id, source_id, external_id) do update set
            int_room_type_id = excluded.int_room_type_id, property_external_id = excluded.property_external_id,
            check_in = excluded.check_in, check_out = excluded.check_out, status = excluded.status,
            source_channel = excluded.source_channel, guest_first_name = excluded.guest_first_name,
            guest_last_name = excluded.guest_last_name, guest_email = excluded.guest_email,
            guest_phone = excluded.guest_phone, adults = excluded.adults, children = excluded.children,
            total_price = excluded.total_price, currency = excluded.currency,
            gas_booking_id = excluded.gas_booking_id, record = excluded.record, raw_data = excluded.raw_data,
            digest = excluded.digest, revision = excluded.revision, modified_at = excluded.modified_at,
            observed_at = excluded.observed_at, parked = excluded.parked, mended = excluded.mended, synced_at = excluded.synced_at,
            deleted_at = null";

/// Upserts records with distinct ids, each with its room type if it has one that is known.
pub async fn put_all(tx: &mut Tx, records: &[(Envelope<'_>, &Reservation)]) -> Result<()> {
    let mut new = Rows::new(COLUMNS);
    for (envelope, reservation) in records {
        let guest = reservation.guest.as_ref();
        new.push([
            (&reservation.room_type_id).into(),
            envelope.account.0.into(),
            envelope.source.0.into(),
            reservation.id.as_str().into(),
            (&reservation.property_id).into(),
            reservation.check_in.map(Day).into(),
            reservation.check_out.map(Day).into(),
            reservation.status.as_str().into(),
            (&reservation.source).into(),
            guest.and_then(|guest| guest.first_name.as_deref()).into(),
            guest.and_then(Guest::filed_last_name).into(),
            guest.and_then(|guest| guest.email.as_deref()).into(),
            guest.and_then(|guest| guest.phone.as_deref()).into(),
            reservation.adults.map(i64::from).into(),
            reservation.children.map(i64::from).into(),
            reservation.total_price.map(|price| price.ten_thousandths()).into(),
            (&reservation.currency).into(),
            envelope.core.map(|id| id.0).into(),
            Cell::json(Some(reservation))?,
            Cell::json(Some(envelope.raw))?,
            envelope.digest.0.as_str().into(),
            (&envelope.version.revision).into(),
            envelope.version.modified_at.into(),
            envelope.version.observed_at.into(),
            Cell::json(envelope.parked)?,
            Cell::json(envelope.mended().as_ref())?,
            envelope.at.into(),
        ]);
    }
    new.write(tx, &[], UPSERT).await
}

/// Links these records, if they exist and are not parked, with other bookings. The digest is cleared, so that any later
/// record counts as changed for that booking. Returns the channel's ids of the linked records.
pub async fn relink(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    links: &[(&str, CoreId)],
) -> Result<Vec<String>> {
    let mut new = Rows::new([("external_id", ColumnType::Text), ("booking", ColumnType::Int)]);
    for (external_id, booking) in links {
        new.push([(*external_id).into(), booking.0.into()]);
    }
    let text = "update int_reservations set gas_booking_id = new.booking, digest = '' from new
        where int_reservations.account_id = $1 and int_reservations.source_id = $2
            and int_reservations.external_id = new.external_id and int_reservations.parked is null
            and int_reservations.deleted_at is null
        returning int_reservations.external_id";
    let found: Vec<(String,)> = new.read(tx, &[account.0.into(), source.0.into()], text).await?;
    Ok(found.into_iter().map(|(external_id,)| external_id).collect())
}

/// A query of reservations.
#[derive(Debug, Clone, Default)]
pub struct ReservationFilter {
    /// Confirmed or changed since.
    pub updated_since: Option<Timestamp>,
    /// Only in this status.
    pub status: Option<String>,
    /// Only of this property (the channel's id).
    pub property_id: Option<String>,
    /// Only of this room type (the channel's id).
    pub room_type_id: Option<String>,
    /// Arriving on this day or later.
    pub check_in_from: Option<Date>,
    /// Arriving on this day or earlier.
    pub check_in_to: Option<Date>,
}

/// The buffered reservations of a source after a row.
pub async fn list(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    filter: &ReservationFilter,
    slice: PageCursor,
) -> Result<Vec<Stored<Reservation>>> {
    let text = "select r.id, r.record, r.digest, r.revision, r.modified_at, r.observed_at,
            r.gas_booking_id as core_id, r.parked, r.mended, r.synced_at
        from int_reservations r
        where r.account_id = $1 and r.source_id = $2 and r.deleted_at is null and r.id > $3
          and ($4 is null or r.synced_at >= $4) and ($5 is null or r.status = $5)
          and ($6 is null or r.property_external_id = $6) and ($7 is null or exists (
              select 1 from int_room_types t
              where t.account_id = r.account_id and t.id = r.int_room_type_id and t.external_id = $7))
          and ($8 is null or r.check_in >= $8) and ($9 is null or r.check_in <= $9)
        order by r.id limit $10";
    let rows: Vec<Row<Reservation>> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0)
        .bind(slice.after).bind(filter.updated_since.map(Time::from)).bind(&filter.status).bind(&filter.property_id)
        .bind(&filter.room_type_id).bind(filter.check_in_from.map(Day)).bind(filter.check_in_to.map(Day))
        .bind(slice.limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Stored::from).collect())
}
