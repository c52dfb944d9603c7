//! Reservations as channels tell them.

use gassync_domain::{AccountId, Date, Parked, RawJson, Reservation, SourceId, Timestamp, Version};
use sqlx::types::Json;

use super::{Envelope, Row, Slice, Stored, WithRaw, reads};
use crate::store::{Cents, Day, Result, Time, Tx, on};

reads!(Reservation, "int_reservations", "gas_booking_id");

/// How a record is written; benchmarks measure against it.
pub const UPSERT: &str = "insert into int_reservations
            (account_id, source_id, int_room_type_id, external_id, property_external_id, check_in, check_out, status,
             source_channel, guest_first_name, guest_last_name, guest_email, guest_phone, adults, children,
             total_price, currency, gas_booking_id, record, raw_data, digest, revision, modified_at, observed_at,
             parked, synced_at)
        values ($1, $2, (select id from int_room_types where account_id = $1 and source_id = $2 and external_id = $3),
            $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
        on conflict (account_id, source_id, external_id) do update set
            int_room_type_id = excluded.int_room_type_id, property_external_id = excluded.property_external_id,
            check_in = excluded.check_in, check_out = excluded.check_out, status = excluded.status,
            source_channel = excluded.source_channel, guest_first_name = excluded.guest_first_name,
            guest_last_name = excluded.guest_last_name, guest_email = excluded.guest_email,
            guest_phone = excluded.guest_phone, adults = excluded.adults, children = excluded.children,
            total_price = excluded.total_price, currency = excluded.currency,
            gas_booking_id = excluded.gas_booking_id, record = excluded.record, raw_data = excluded.raw_data,
            digest = excluded.digest, revision = excluded.revision, modified_at = excluded.modified_at,
            observed_at = excluded.observed_at, parked = excluded.parked, synced_at = excluded.synced_at, deleted_at = null";

/// Writes the record over what was there, beside its room type where there is one and it is known.
pub async fn put(tx: &mut Tx, envelope: &Envelope<'_>, reservation: &Reservation) -> Result<()> {
    let guest = reservation.guest.clone().unwrap_or_default();
    on!(tx, c => sqlx::query(UPSERT).bind(envelope.account.0).bind(envelope.source.0).bind(&reservation.room_type_id)
        .bind(&reservation.id).bind(&reservation.property_id).bind(reservation.check_in.map(Day))
        .bind(reservation.check_out.map(Day)).bind(reservation.status.as_str()).bind(&reservation.source)
        .bind(&guest.first_name).bind(guest.filed_last_name()).bind(&guest.email).bind(&guest.phone)
        .bind(reservation.adults.map(i64::from)).bind(reservation.children.map(i64::from))
        .bind(reservation.total_price.map(Cents::from)).bind(&reservation.currency)
        .bind(envelope.core.map(|id| id.0)).bind(Json(reservation)).bind(Json(envelope.raw)).bind(&envelope.digest.0)
        .bind(&envelope.version.revision).bind(envelope.version.modified_at.map(Time::from))
        .bind(Time::from(envelope.version.observed_at)).bind(envelope.parked.map(Json)).bind(Time::from(envelope.at))
        .execute(c).await.map(drop))
}

/// Which reservations a listing asks for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
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
    account: AccountId,
    source: SourceId,
    filter: &Filter,
    slice: Slice,
) -> Result<Vec<Stored<Reservation>>> {
    let text = "select r.id, r.record, r.digest, r.revision, r.modified_at, r.observed_at,
            r.gas_booking_id as core_id, r.parked, r.synced_at
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
