//! Received records, one module per table.

pub mod availability;
pub mod blocks;
pub mod guests;
pub mod parked_reservations;
pub mod properties;
pub mod rate_plans;
pub mod reservations;
pub mod room_types;

use gassync_domain::{AccountId, CoreId, Digest, Mended, Parked, RawJson, SourceId, Timestamp, Version};
use sqlx::{FromRow, types::Json};

use super::Time;

/// Fields common to all buffered records.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// The tenant.
    pub account: AccountId,
    /// The source.
    pub source: SourceId,
    /// The original record, masked.
    pub raw: &'a RawJson,
    /// Digest of its content.
    pub digest: &'a Digest,
    /// Its version.
    pub version: &'a Version,
    /// The core entity it is linked to.
    pub core: Option<CoreId>,
    /// What it waits for, if parked.
    pub parked: Option<&'a Parked>,
    /// Corrections made to store it.
    pub mended: &'a [Mended],
    /// Current time.
    pub at: Timestamp,
}

impl Envelope<'_> {
    /// The corrections as stored: null if there are none.
    fn mended(&self) -> Option<Json<&[Mended]>> {
        mended(self.mended)
    }
}

/// The corrections as stored: null if there are none.
fn mended(notes: &[Mended]) -> Option<Json<&[Mended]>> {
    (!notes.is_empty()).then_some(Json(notes))
}

/// A stored record with what merging needs.
#[derive(Debug, Clone)]
pub struct Stored<T> {
    /// The record in the standard schema.
    pub record: T,
    /// Digest of its content.
    pub digest: Digest,
    /// Its version.
    pub version: Version,
    /// The core entity it is linked to.
    pub core: Option<CoreId>,
    /// What it waits for, if parked.
    pub parked: Option<Parked>,
    /// Corrections made to store it.
    pub mended: Vec<Mended>,
    /// When it was last confirmed.
    pub synced_at: Timestamp,
    /// The key of the row, used for paging.
    pub row: i64,
}

impl<T> Stored<T> {
    /// Whether it is already parked with this content and for the same reasons.
    pub fn waits_as(&self, digest: &Digest, parked: Option<&Parked>) -> bool {
        parked.is_some() && self.parked.as_ref() == parked && self.digest == *digest
    }
}

/// The columns of [`Stored`].
#[derive(FromRow)]
struct Row<T> {
    id: i64,
    record: Json<T>,
    digest: String,
    revision: Option<String>,
    modified_at: Option<Time>,
    observed_at: Time,
    core_id: Option<i64>,
    parked: Option<Json<Parked>>,
    mended: Option<Json<Vec<Mended>>>,
    synced_at: Time,
}

impl<T> From<Row<T>> for Stored<T> {
    fn from(row: Row<T>) -> Self {
        Self {
            record: row.record.0,
            digest: Digest(row.digest),
            version: Version {
                revision: row.revision,
                modified_at: row.modified_at.map(Timestamp::from),
                observed_at: row.observed_at.into(),
            },
            core: row.core_id.map(CoreId),
            parked: row.parked.map(|p| p.0),
            mended: row.mended.map(|mended| mended.0).unwrap_or_default(),
            synced_at: row.synced_at.into(),
            row: row.id,
        }
    }
}

/// A page of a listing.
#[derive(Debug, Clone, Copy)]
pub struct PageCursor {
    /// Only rows after this one.
    pub after: i64,
    /// Maximum number of rows.
    pub limit: i64,
}

/// The functions common to all tables, with the table's names filled in.
macro_rules! reads {
    ($record:ty, $table:literal, $core:literal) => {
        /// The stored record with this channel id.
        pub async fn find(
            tx: &mut Tx,
            source: SourceKey,
            external_id: &str,
        ) -> Result<Option<Stored<$record>>> {
            Ok(find_all(tx, source, &[external_id]).await?.remove(external_id))
        }

        /// The stored records with these channel ids, by id.
        pub async fn find_all(
            tx: &mut Tx,
            SourceKey { account, source }: SourceKey,
            external_ids: &[&str],
        ) -> Result<HashMap<String, Stored<$record>>> {
            let mut new = Rows::new([("id", ColumnType::Text)]);
            for id in external_ids {
                new.push([(*id).into()]);
            }
            let text = concat!(
                "select r.external_id, r.id, r.record, r.digest, r.revision, r.modified_at, r.observed_at,
                    r.", $core, " as core_id, r.parked, r.mended, r.synced_at
                from new cross join ", $table, " r
                where r.account_id = $1 and r.source_id = $2 and r.external_id = new.id"
            );
            let rows: Vec<Named<$record>> = new.read(tx, &[account.0.into(), source.0.into()], text).await?;
            Ok(rows.into_iter().map(|named| (named.external_id, named.row.into())).collect())
        }

        /// The record with this id, unless withdrawn by its source.
        pub async fn shown(
            tx: &mut Tx,
            SourceKey { account, source }: SourceKey,
            external_id: &str,
        ) -> Result<Option<Stored<$record>>> {
            let text = concat!(
                "select id, record, digest, revision, modified_at, observed_at, ", $core, " as core_id, parked, mended, synced_at
                from ", $table, "
                where account_id = $1 and source_id = $2 and external_id = $3 and deleted_at is null"
            );
            let row: Option<Row<$record>> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0)
                .bind(external_id).fetch_optional(c).await)?;
            Ok(row.map(Stored::from))
        }

        /// Marks it as withdrawn by its source. The digest is cleared, so that any later record counts as changed.
        pub async fn withdraw(
            tx: &mut Tx,
            SourceKey { account, source }: SourceKey,
            external_id: &str,
            now: Timestamp,
        ) -> Result<()> {
            let text = concat!(
                "update ", $table, " set deleted_at = $4, digest = '', parked = null
                where account_id = $1 and source_id = $2 and external_id = $3"
            );
            on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_id).bind(Time::from(now))
                .execute(c).await.map(drop))
        }

        /// The record with this id, and its raw record.
        pub async fn with_raw(
            tx: &mut Tx,
            SourceKey { account, source }: SourceKey,
            external_id: &str,
        ) -> Result<Option<(Stored<$record>, RawJson)>> {
            let text = concat!(
                "select id, record, digest, revision, modified_at, observed_at, ", $core, " as core_id, parked, mended, synced_at,
                    raw_data
                from ", $table, " where account_id = $1 and source_id = $2 and external_id = $3"
            );
            let row: Option<WithRaw<$record>> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0)
                .bind(external_id).fetch_optional(c).await)?;
            Ok(row.map(|row| (row.row.into(), row.raw_data.0.into())))
        }

        /// Unlinks it from the core and parks it for what is missing.
        pub async fn part(
            tx: &mut Tx,
            SourceKey { account, source }: SourceKey,
            external_id: &str,
            parked: &Parked,
        ) -> Result<()> {
            let text = concat!(
                "update ", $table, " set ", $core, " = null, parked = $4
                where account_id = $1 and source_id = $2 and external_id = $3"
            );
            on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_id).bind(Json(parked))
                .execute(c).await.map(drop))
        }

        /// Like `part`, for those of these records that exist and are not linked with the given core entity.
        pub async fn part_others(
            tx: &mut Tx,
            SourceKey { account, source }: SourceKey,
            links: &[(&str, gassync_domain::CoreId)],
            parked: &Parked,
        ) -> Result<()> {
            let mut new = Rows::new([("external_id", ColumnType::Text), ("core_id", ColumnType::Int)]);
            for (external_id, core) in links {
                new.push([(*external_id).into(), core.0.into()]);
            }
            let text = concat!(
                "update ", $table, " set ", $core, " = null, parked = $3 from new
                where ", $table, ".account_id = $1 and ", $table, ".source_id = $2
                    and ", $table, ".external_id = new.external_id and ", $table, ".deleted_at is null
                    and (", $table, ".", $core, " is null or ", $table, ".", $core, " <> new.core_id)"
            );
            new.write(tx, &[account.0.into(), source.0.into(), $crate::rows::Cell::json(Some(parked))?], text).await
        }

        /// Marks it as no longer parked, whatever it lacks.
        pub async fn release(tx: &mut Tx, SourceKey { account, source }: SourceKey, external_id: &str) -> Result<()> {
            let text = concat!(
                "update ", $table, " set parked = null where account_id = $1 and source_id = $2 and external_id = $3"
            );
            on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_id).execute(c).await.map(drop))
        }

        /// Records that the channel sent the same content again, possibly in a newer version.
        pub async fn confirm(
            tx: &mut Tx,
            SourceKey { account, source }: SourceKey,
            external_id: &str,
            version: &Version,
            now: Timestamp,
        ) -> Result<()> {
            let text = concat!(
                "update ", $table, " set revision = $4, modified_at = $5, observed_at = $6, synced_at = $7
                where account_id = $1 and source_id = $2 and external_id = $3"
            );
            on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_id).bind(&version.revision)
                .bind(version.modified_at.map(Time::from)).bind(Time::from(version.observed_at)).bind(Time::from(now))
                .execute(c).await.map(drop))
        }

        /// Parked records, oldest first.
        pub async fn parked(
            tx: &mut Tx,
            SourceKey { account, source }: SourceKey,
            slice: PageCursor,
        ) -> Result<Vec<(Stored<$record>, RawJson)>> {
            let text = concat!(
                "select id, record, digest, revision, modified_at, observed_at, ", $core, " as core_id, parked, mended, synced_at,
                    raw_data
                from ", $table, " where account_id = $1 and source_id = $2 and parked is not null and id > $3
                order by id limit $4"
            );
            let rows: Vec<WithRaw<$record>> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0)
                .bind(slice.after).bind(slice.limit).fetch_all(c).await)?;
            Ok(rows.into_iter().map(|row| (row.row.into(), row.raw_data.0.into())).collect())
        }
    };
}
pub(crate) use reads;

#[derive(FromRow)]
struct Named<T> {
    external_id: String,
    #[sqlx(flatten)]
    row: Row<T>,
}

#[derive(FromRow)]
struct WithRaw<T> {
    #[sqlx(flatten)]
    row: Row<T>,
    raw_data: Json<Box<serde_json::value::RawValue>>,
}
