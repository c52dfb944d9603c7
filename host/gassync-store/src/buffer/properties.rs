//! Properties as received from channels.

use std::collections::HashMap;

use gassync_domain::{Parked, Property, RawJson, SourceKey, Timestamp, Version};
use sqlx::types::Json;

use super::{Envelope, Named, PageCursor, Row, Stored, WithRaw, reads};
use crate::{
    Result, Time, Tx, on,
    rows::{ColumnType, Rows},
};

reads!(Property, "int_properties", "gas_property_id");

/// Upserts a record.
pub async fn put(tx: &mut Tx, envelope: &Envelope<'_>, property: &Property) -> Result<()> {
    let address = property.address.clone().unwrap_or_default();
    let text = "insert into int_properties
            (account_id, source_id, external_id, name, description, address, city, country, thumbnail_url,
             gas_property_id, record, raw_data, digest, revision, modified_at, observed_at, parked, synced_at, mended)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
        on conflict (account_id, source_id, external_id) do update set
            name = excluded.name, description = excluded.description, address = excluded.address,
            city = excluded.city, country = excluded.country, thumbnail_url = excluded.thumbnail_url,
            gas_property_id = excluded.gas_property_id, record = excluded.record, raw_data = excluded.raw_data,
            digest = excluded.digest, revision = excluded.revision, modified_at = excluded.modified_at,
            observed_at = excluded.observed_at, parked = excluded.parked, mended = excluded.mended, synced_at = excluded.synced_at, deleted_at = null";
    on!(tx, c => sqlx::query(text).bind(envelope.account.0).bind(envelope.source.0).bind(&property.id)
        .bind(&property.name).bind(&property.description).bind(address.street).bind(address.city).bind(address.country)
        .bind(&property.thumbnail).bind(envelope.core.map(|id| id.0)).bind(Json(property)).bind(Json(envelope.raw))
        .bind(&envelope.digest.0).bind(&envelope.version.revision).bind(envelope.version.modified_at.map(Time::from))
        .bind(Time::from(envelope.version.observed_at)).bind(envelope.parked.map(Json)).bind(Time::from(envelope.at))
        .bind(envelope.mended())        .execute(c).await.map(drop))
}

/// The buffered properties of an account after a row, with their channel's name filter applied.
pub async fn list(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    updated_since: Option<Timestamp>,
    slice: PageCursor,
) -> Result<Vec<Stored<Property>>> {
    let text = "select id, record, digest, revision, modified_at, observed_at, gas_property_id as core_id, parked,
            mended, synced_at
        from int_properties
        where account_id = $1 and source_id = $2 and deleted_at is null and id > $3 and ($4 is null or synced_at >= $4)
        order by id limit $5";
    let rows: Vec<Row<Property>> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(slice.after)
        .bind(updated_since.map(Time::from)).bind(slice.limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Stored::from).collect())
}
