//! Rate plans as received from channels.

use std::collections::HashMap;

use gassync_domain::{Parked, RatePlan, RawJson, SourceKey, Timestamp, Version};
use sqlx::types::Json;

use super::{Envelope, Named, PageCursor, Row, Stored, WithRaw, reads};
use crate::{
    Result, Time, Tx, on,
    rows::{ColumnType, Rows},
};

reads!(RatePlan, "int_rate_plans", "gas_rate_plan_id");

/// Upserts a record, with its property if that is known.
pub async fn put(tx: &mut Tx, envelope: &Envelope<'_>, plan: &RatePlan) -> Result<()> {
    let text = "insert into int_rate_plans
            (account_id, source_id, int_property_id, external_id, name, gas_rate_plan_id,
             record, raw_data, digest, revision, modified_at, observed_at, parked, synced_at, mended)
        values ($1, $2, (select id from int_properties where account_id = $1 and source_id = $2 and external_id = $3),
            $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        on conflict (account_id, source_id, external_id) do update set
            int_property_id = excluded.int_property_id, name = excluded.name, gas_rate_plan_id = excluded.gas_rate_plan_id, record = excluded.record,
            raw_data = excluded.raw_data, digest = excluded.digest, revision = excluded.revision,
            modified_at = excluded.modified_at, observed_at = excluded.observed_at, parked = excluded.parked, mended = excluded.mended,
            synced_at = excluded.synced_at, deleted_at = null";
    on!(tx, c => sqlx::query(text).bind(envelope.account.0).bind(envelope.source.0).bind(&plan.property_id)
        .bind(&plan.id).bind(&plan.name)
        .bind(envelope.core.map(|id| id.0)).bind(Json(plan)).bind(Json(envelope.raw)).bind(&envelope.digest.0)
        .bind(&envelope.version.revision).bind(envelope.version.modified_at.map(Time::from))
        .bind(Time::from(envelope.version.observed_at)).bind(envelope.parked.map(Json)).bind(Time::from(envelope.at))
        .bind(envelope.mended())        .execute(c).await.map(drop))
}

/// Assigns the property to rate plans that arrived before it, because they were already linked.
pub async fn hide_in_property(tx: &mut Tx, SourceKey { account, source }: SourceKey, property: &str) -> Result<()> {
    let text = "update int_rate_plans set int_property_id =
            (select p.id from int_properties p where p.account_id = $1 and p.source_id = $2 and p.external_id = $3)
        where account_id = $1 and source_id = $2 and int_property_id is null and record ->> 'propertyId' = $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(property).execute(c).await.map(drop))
}

/// The buffered rate plans of a source after a row.
pub async fn list(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (property_id, updated_since): (Option<&str>, Option<Timestamp>),
    slice: PageCursor,
) -> Result<Vec<Stored<RatePlan>>> {
    let text = "select r.id, r.record, r.digest, r.revision, r.modified_at, r.observed_at,
            r.gas_rate_plan_id as core_id, r.parked, r.mended, r.synced_at
        from int_rate_plans r
        where r.account_id = $1 and r.source_id = $2 and r.deleted_at is null and r.id > $3 and ($4 is null or r.synced_at >= $4)
          and ($5 is null or exists (
              select 1 from int_properties p
              where p.account_id = r.account_id and p.id = r.int_property_id and p.external_id = $5))
        order by r.id limit $6";
    let rows: Vec<Row<RatePlan>> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(slice.after)
        .bind(updated_since.map(Time::from)).bind(property_id).bind(slice.limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Stored::from).collect())
}
