//! Guests as channels tell them.

use gassync_domain::{AccountId, Guest, Parked, RawJson, SourceId, Timestamp, Version};
use sqlx::types::Json;

use super::{Envelope, Row, Slice, Stored, WithRaw, reads};
use crate::store::{Result, Time, Tx, on};

reads!(Guest, "int_guests", "gas_guest_id");

/// Writes a guest over what was there.
pub async fn put(tx: &mut Tx, envelope: &Envelope<'_>, guest: &Guest) -> Result<()> {
    let text = "insert into int_guests
            (account_id, source_id, external_id, first_name, last_name, email, phone, country, language, gas_guest_id,
             record, raw_data, digest, observed_at, parked, synced_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        on conflict (account_id, source_id, external_id) do update set
            first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email,
            phone = excluded.phone, country = excluded.country, language = excluded.language,
            gas_guest_id = excluded.gas_guest_id, record = excluded.record, raw_data = excluded.raw_data,
            digest = excluded.digest, observed_at = excluded.observed_at, parked = excluded.parked,
            synced_at = excluded.synced_at, deleted_at = null";
    on!(tx, c => sqlx::query(text).bind(envelope.account.0).bind(envelope.source.0)
        .bind(guest.id.as_deref().unwrap_or_default()).bind(&guest.first_name).bind(guest.filed_last_name())
        .bind(&guest.email).bind(&guest.phone).bind(&guest.country).bind(&guest.language)
        .bind(envelope.core.map(|id| id.0)).bind(Json(guest)).bind(Json(envelope.raw)).bind(&envelope.digest.0)
        .bind(Time::from(envelope.version.observed_at)).bind(envelope.parked.map(Json)).bind(Time::from(envelope.at))
        .execute(c).await.map(drop))
}

/// The buffered guests of a source after a row.
pub async fn list(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    (email, updated_since): (Option<&str>, Option<Timestamp>),
    slice: Slice,
) -> Result<Vec<Stored<Guest>>> {
    let text =
        "select id, record, digest, revision, modified_at, observed_at, gas_guest_id as core_id, parked, synced_at
        from int_guests
        where account_id = $1 and source_id = $2 and deleted_at is null and id > $3 and ($4 is null or synced_at >= $4)
          and ($5 is null or email = $5)
        order by id limit $6";
    let rows: Vec<Row<Guest>> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(slice.after)
        .bind(updated_since.map(Time::from)).bind(email).bind(slice.limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Stored::from).collect())
}
