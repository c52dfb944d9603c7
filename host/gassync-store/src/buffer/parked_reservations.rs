//! Parked updates of reservations, beside the last applied ones.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId, Digest, Mended, Parked, RawJson, Reservation, SourceKey, Timestamp, Version};
use sqlx::{FromRow, types::Json};

use super::PageCursor;
use crate::{
    Result, Time, Tx, on,
    rows::{Cell, ColumnType, Rows},
};

/// A parked update.
#[derive(Debug, Clone)]
pub struct ParkedReservation {
    /// The record in the standard schema.
    pub record: Reservation,
    /// Digest of its content.
    pub digest: Digest,
    /// Its version.
    pub version: Version,
    /// Corrections made to store it.
    pub mended: Vec<Mended>,
    /// Everything it waits for.
    pub missing: Parked,
    /// The hold that keeps its nights.
    pub hold: Option<CoreId>,
    /// Parked since.
    pub parked_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    external_id: String,
    record: Json<Reservation>,
    digest: String,
    revision: Option<String>,
    modified_at: Option<Time>,
    observed_at: Time,
    mended: Option<Json<Vec<Mended>>>,
    missing: Json<Parked>,
    hold_id: Option<i64>,
    parked_at: Time,
}

impl From<Row> for ParkedReservation {
    fn from(row: Row) -> Self {
        Self {
            record: row.record.0,
            digest: Digest(row.digest),
            version: Version {
                revision: row.revision,
                modified_at: row.modified_at.map(Timestamp::from),
                observed_at: row.observed_at.into(),
            },
            mended: row.mended.map(|mended| mended.0).unwrap_or_default(),
            missing: row.missing.0,
            hold: row.hold_id.map(CoreId),
            parked_at: row.parked_at.into(),
        }
    }
}

fn of_ids<'a>(external_ids: &[&'a str]) -> Rows<'a, 1> {
    let mut rows = Rows::new([("id", ColumnType::Text)]);
    for id in external_ids {
        rows.push([(*id).into()]);
    }
    rows
}

/// The parked updates of these reservations, by channel id.
pub async fn find_all(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    external_ids: &[&str],
) -> Result<HashMap<String, ParkedReservation>> {
    let text =
        "select p.external_id, p.record, p.digest, p.revision, p.modified_at, p.observed_at, p.mended, p.missing,
            p.hold_id, p.parked_at
        from new cross join int_parked_reservations p
        where p.account_id = $1 and p.source_id = $2 and p.external_id = new.id";
    let rows: Vec<Row> = of_ids(external_ids).read(tx, &[account.0.into(), source.0.into()], text).await?;
    Ok(rows.into_iter().map(|row| (row.external_id.clone(), row.into())).collect())
}

#[derive(FromRow)]
struct WithRaw {
    row_id: i64,
    raw_data: Json<Box<serde_json::value::RawValue>>,
    #[sqlx(flatten)]
    row: Row,
}

/// The parked update of a reservation, and its raw record.
pub async fn with_raw(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    external_id: &str,
) -> Result<Option<(ParkedReservation, RawJson)>> {
    let text = "select cast(0 as bigint) as row_id, raw_data, external_id, record, digest, revision, modified_at,
            observed_at, mended, missing, hold_id, parked_at
        from int_parked_reservations where account_id = $1 and source_id = $2 and external_id = $3";
    let row: Option<WithRaw> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(external_id).fetch_optional(c).await)?;
    Ok(row.map(|row| (row.row.into(), row.raw_data.0.into())))
}

/// A page of parked updates, each after the row of its reservation.
pub async fn page(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    slice: PageCursor,
) -> Result<Vec<(i64, ParkedReservation, RawJson)>> {
    let text = "select r.id as row_id, p.raw_data, p.external_id, p.record, p.digest, p.revision, p.modified_at,
            p.observed_at, p.mended, p.missing, p.hold_id, p.parked_at
        from int_reservations r
        join int_parked_reservations p
            on p.account_id = r.account_id and p.source_id = r.source_id and p.external_id = r.external_id
        where r.account_id = $1 and r.source_id = $2 and r.parked is not null and r.id > $3 order by r.id limit $4";
    let rows: Vec<WithRaw> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(slice.after)
        .bind(slice.limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| (row.row_id, row.row.into(), row.raw_data.0.into())).collect())
}

/// A parked update to store.
#[derive(Debug)]
pub struct NewParked<'a> {
    /// The record in the standard schema.
    pub record: &'a Reservation,
    /// The original record, masked.
    pub raw: &'a RawJson,
    /// Digest of its content.
    pub digest: &'a Digest,
    /// Its version.
    pub version: &'a Version,
    /// Corrections made to store it.
    pub mended: &'a [Mended],
    /// Everything it waits for.
    pub missing: &'a Parked,
    /// The hold that keeps its nights.
    pub hold: Option<CoreId>,
}

/// Upserts parked updates of distinct reservations; the time of an existing one is kept.
pub async fn put_all(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    words: &[NewParked<'_>],
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([
        ("id", ColumnType::Text),
        ("said", ColumnType::Json),
        ("raw", ColumnType::Json),
        ("fingerprint", ColumnType::Text),
        ("said_revision", ColumnType::Text),
        ("said_modified", ColumnType::Time),
        ("observed", ColumnType::Time),
        ("notes", ColumnType::Json),
        ("lacks", ColumnType::Json),
        ("hold", ColumnType::Int),
    ]);
    for word in words {
        new.push([
            word.record.id.as_str().into(),
            Cell::json(Some(word.record))?,
            Cell::json(Some(word.raw))?,
            word.digest.as_str().into(),
            (&word.version.revision).into(),
            word.version.modified_at.into(),
            word.version.observed_at.into(),
            Cell::json((!word.mended.is_empty()).then_some(&word.mended))?,
            Cell::json(Some(word.missing))?,
            word.hold.map(|hold| hold.0).into(),
        ]);
    }
    let text =
        "insert into int_parked_reservations (account_id, source_id, external_id, record, raw_data, digest, revision,
            modified_at, observed_at, mended, missing, hold_id, parked_at, synced_at)
        select $1, $2, id, said, raw, fingerprint, said_revision, said_modified, observed, notes, lacks, hold, $3, $3
        from new where 1 = 1
        on conflict (account_id, source_id, external_id) do update set
            record = excluded.record, raw_data = excluded.raw_data, mended = excluded.mended, digest = excluded.digest,
            revision = excluded.revision, modified_at = excluded.modified_at, observed_at = excluded.observed_at,
            missing = excluded.missing, hold_id = excluded.hold_id, synced_at = excluded.synced_at";
    new.write(tx, &[account.0.into(), source.0.into(), now.into()], text).await
}

/// Records on reservations that an update is parked, and what it waits for; the applied record stays.
pub async fn flag(tx: &mut Tx, SourceKey { account, source }: SourceKey, waiting: &[(&str, &Parked)]) -> Result<()> {
    let mut new = Rows::new([("id", ColumnType::Text), ("lacks", ColumnType::Json)]);
    for (id, parked) in waiting {
        new.push([(*id).into(), Cell::json(Some(*parked))?]);
    }
    let text = "update int_reservations set parked = new.lacks from new
        where int_reservations.account_id = $1 and int_reservations.source_id = $2
            and int_reservations.external_id = new.id";
    new.write(tx, &[account.0.into(), source.0.into()], text).await
}

/// Deletes the parked updates of these reservations. Their flags are written with their records.
pub async fn remove_all(tx: &mut Tx, SourceKey { account, source }: SourceKey, external_ids: &[&str]) -> Result<()> {
    let text = "delete from int_parked_reservations
        where account_id = $1 and source_id = $2 and external_id in (select id from new)";
    of_ids(external_ids).write(tx, &[account.0.into(), source.0.into()], text).await
}

/// Clears these holds, whose nights are no longer kept.
pub async fn forget_holds(tx: &mut Tx, account: AccountId, holds: &[CoreId]) -> Result<()> {
    let text = "update int_parked_reservations set hold_id = null
        where account_id = $1 and hold_id in (select id from new)";
    crate::rows::of_ids(holds).write(tx, &[account.0.into()], text).await
}
