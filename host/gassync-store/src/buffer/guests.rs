//! Guests as received from channels.

use std::collections::HashMap;

use gassync_domain::{Guest, Parked, RawJson, SourceKey, Timestamp, Version};
use sqlx::types::Json;

use super::{Envelope, Named, PageCursor, Row, Stored, WithRaw, reads};
use crate::{
    Result, Time, Tx, on,
    rows::{Cell, ColumnType, Rows},
};

reads!(Guest, "int_guests", "gas_guest_id");

/// Upserts guests with distinct ids.
pub async fn put_all(tx: &mut Tx, guests: &[(Envelope<'_>, &Guest)]) -> Result<()> {
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("source_id", ColumnType::Int),
        ("external_id", ColumnType::Text),
        ("email", ColumnType::Text),
        ("gas_guest_id", ColumnType::Int),
        ("record", ColumnType::Json),
        ("raw_data", ColumnType::Json),
        ("digest", ColumnType::Text),
        ("observed_at", ColumnType::Time),
        ("parked", ColumnType::Json),
        ("mended", ColumnType::Json),
        ("synced_at", ColumnType::Time),
    ]);
    for (envelope, guest) in guests {
        new.push([
            envelope.account.0.into(),
            envelope.source.0.into(),
            guest.id.as_deref().unwrap_or_default().into(),
            (&guest.email).into(),
            envelope.core.map(|id| id.0).into(),
            Cell::json(Some(guest))?,
            Cell::json(Some(envelope.raw))?,
            envelope.digest.0.as_str().into(),
            envelope.version.observed_at.into(),
            Cell::json(envelope.parked)?,
            Cell::json(envelope.mended().as_ref())?,
            envelope.at.into(),
        ]);
    }
    let text = format!(
        "insert into int_guests ({columns}) select {columns} from new where 1 = 1
        on conflict (account_id, source_id, external_id) do update set
            email = excluded.email,
            gas_guest_id = excluded.gas_guest_id, record = excluded.record, raw_data = excluded.raw_data,
            digest = excluded.digest, observed_at = excluded.observed_at, parked = excluded.parked, mended = excluded.mended,
            synced_at = excluded.synced_at, deleted_at = null",
        columns = new.names()
    );
    new.write(tx, &[], &text).await
}

/// The buffered guests of a source after a row.
pub async fn list(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (email, updated_since): (Option<&str>, Option<Timestamp>),
    slice: PageCursor,
) -> Result<Vec<Stored<Guest>>> {
    let text =
        "select id, record, digest, revision, modified_at, observed_at, gas_guest_id as core_id, parked, mended, synced_at
        from int_guests
        where account_id = $1 and source_id = $2 and deleted_at is null and id > $3 and ($4 is null or synced_at >= $4)
          and ($5 is null or email = $5)
        order by id limit $6";
    let rows: Vec<Row<Guest>> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(slice.after)
        .bind(updated_since.map(Time::from)).bind(email).bind(slice.limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Stored::from).collect())
}
