//! Nights that channels took out of sale, and their maintenance entries in the core.

use gassync_domain::{AccountId, Block, CoreId, Digest, Mended, Parked, RawJson, SourceKey, Timestamp, Version};
use sqlx::{FromRow, types::Json};

use super::{PageCursor, mended};
use crate::{Result, Time, Tx, on};

/// A stored block.
#[derive(Debug, Clone)]
pub struct StoredBlock {
    /// The key of the row.
    pub row: i64,
    /// The record in the standard schema.
    pub record: Block,
    /// Digest of its content; empty once it is lifted.
    pub digest: Digest,
    /// Its version.
    pub version: Version,
    /// What it waits for.
    pub parked: Option<Parked>,
    /// Corrections made to store it.
    pub mended: Vec<Mended>,
    /// Whether it no longer blocks its nights.
    pub lifted: bool,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    record: Json<Block>,
    digest: String,
    revision: Option<String>,
    modified_at: Option<Time>,
    observed_at: Time,
    parked: Option<Json<Parked>>,
    mended: Option<Json<Vec<Mended>>>,
    deleted_at: Option<Time>,
}

impl From<Row> for StoredBlock {
    fn from(row: Row) -> Self {
        Self {
            row: row.id,
            record: row.record.0,
            digest: Digest(row.digest),
            version: Version {
                revision: row.revision,
                modified_at: row.modified_at.map(Timestamp::from),
                observed_at: row.observed_at.into(),
            },
            parked: row.parked.map(|parked| parked.0),
            mended: row.mended.map(|mended| mended.0).unwrap_or_default(),
            lifted: row.deleted_at.is_some(),
        }
    }
}

/// A block to store.
#[derive(Debug)]
pub struct NewBlock<'a> {
    /// The channel's id, or a substitute for it.
    pub external_id: &'a str,
    /// The record in the standard schema.
    pub record: &'a Block,
    /// The original record, masked.
    pub raw: &'a RawJson,
    /// Digest of its content.
    pub digest: &'a Digest,
    /// Its version.
    pub version: &'a Version,
    /// What it waits for, if parked.
    pub parked: Option<&'a Parked>,
    /// Corrections made to store it.
    pub mended: &'a [Mended],
}

/// The stored block with this id, whether lifted or not.
pub async fn find(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    external_id: &str,
) -> Result<Option<StoredBlock>> {
    let text =
        "select id, record, digest, revision, modified_at, observed_at, parked, mended, deleted_at from int_blocks
        where account_id = $1 and source_id = $2 and external_id = $3";
    let row: Option<Row> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(external_id).fetch_optional(c).await)?;
    Ok(row.map(StoredBlock::from))
}

/// Whether the source has sent any block.
pub async fn any(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<bool> {
    let text = "select exists (select 1 from int_blocks where account_id = $1 and source_id = $2)";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_one(c).await)
}

/// Upserts a block; returns the key of its row.
pub async fn put(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    new: &NewBlock<'_>,
    now: Timestamp,
) -> Result<i64> {
    let text = "insert into int_blocks (account_id, source_id, external_id, record, raw_data, digest, revision,
            modified_at, observed_at, parked, synced_at, mended)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        on conflict (account_id, source_id, external_id) do update set
            record = excluded.record, raw_data = excluded.raw_data, digest = excluded.digest,
            revision = excluded.revision, modified_at = excluded.modified_at, observed_at = excluded.observed_at,
            parked = excluded.parked, mended = excluded.mended, synced_at = excluded.synced_at, deleted_at = null
        returning id";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(new.external_id).bind(Json(new.record))
        .bind(Json(new.raw)).bind(&new.digest.0).bind(&new.version.revision)
        .bind(new.version.modified_at.map(Time::from)).bind(Time::from(new.version.observed_at))
        .bind(new.parked.map(Json)).bind(Time::from(now)).bind(mended(new.mended)).fetch_one(c).await)
}

/// Records a newer version with the same content, or with `lifted` that the block no longer applies.
pub async fn mark(
    tx: &mut Tx,
    account: AccountId,
    row: i64,
    (version, lifted): (&Version, bool),
    now: Timestamp,
) -> Result<()> {
    let text = "update int_blocks set revision = $3, modified_at = $4, observed_at = $5, synced_at = $6,
            deleted_at = case when $7 then $6 else deleted_at end, digest = case when $7 then '' else digest end,
            parked = case when $7 then null else parked end
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(row).bind(&version.revision)
        .bind(version.modified_at.map(Time::from)).bind(Time::from(version.observed_at)).bind(Time::from(now))
        .bind(lifted).execute(c).await.map(drop))
}

/// The maintenance entries made for a block.
pub async fn notes(tx: &mut Tx, account: AccountId, row: i64) -> Result<Vec<CoreId>> {
    let text = "select gas_maintenance_id from int_block_maintenance where account_id = $1 and int_block_id = $2
        order by gas_maintenance_id";
    let ids: Vec<i64> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(row).fetch_all(c).await)?;
    Ok(ids.into_iter().map(CoreId).collect())
}

/// Records that a maintenance entry was made for the block.
pub async fn add_note(tx: &mut Tx, account: AccountId, row: i64, note: CoreId) -> Result<()> {
    let text = "insert into int_block_maintenance (account_id, int_block_id, gas_maintenance_id) values ($1, $2, $3)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(row).bind(note.0).execute(c).await.map(drop))
}

/// Deletes the references to a block's maintenance entries.
pub async fn forget_notes(tx: &mut Tx, account: AccountId, row: i64) -> Result<()> {
    let text = "delete from int_block_maintenance where account_id = $1 and int_block_id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(row).execute(c).await.map(drop))
}

#[derive(FromRow)]
struct WithRaw {
    #[sqlx(flatten)]
    row: Row,
    raw_data: Json<Box<serde_json::value::RawValue>>,
}

/// Parked blocks, oldest first.
pub async fn parked(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    slice: PageCursor,
) -> Result<Vec<(StoredBlock, RawJson)>> {
    let text = "select id, record, digest, revision, modified_at, observed_at, parked, mended, deleted_at, raw_data
        from int_blocks where account_id = $1 and source_id = $2 and parked is not null and id > $3
        order by id limit $4";
    let rows: Vec<WithRaw> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(slice.after)
        .bind(slice.limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| (row.row.into(), row.raw_data.0.into())).collect())
}

/// The stored block with this id, and its raw record.
pub async fn with_raw(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    external_id: &str,
) -> Result<Option<(StoredBlock, RawJson)>> {
    let text = "select id, record, digest, revision, modified_at, observed_at, parked, mended, deleted_at, raw_data
        from int_blocks where account_id = $1 and source_id = $2 and external_id = $3";
    let row: Option<WithRaw> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(external_id).fetch_optional(c).await)?;
    Ok(row.map(|row| (row.row.into(), row.raw_data.0.into())))
}

/// Marks a block as no longer parked, whatever it lacks.
pub async fn release(tx: &mut Tx, account: AccountId, row: i64) -> Result<()> {
    let text = "update int_blocks set parked = null where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(row).execute(c).await.map(drop))
}

/// The ids of a property's room types that the source has sent.
pub async fn room_types_of(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    property_id: &str,
) -> Result<Vec<String>> {
    let text = "select r.external_id from int_room_types r
        join int_properties p on p.account_id = r.account_id and p.id = r.int_property_id
        where r.account_id = $1 and r.source_id = $2 and p.external_id = $3 and r.deleted_at is null
        order by r.external_id";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(property_id).fetch_all(c).await)
}
