//! Links between channel records and core entities.

use std::collections::HashMap;

use gassync_domain::{CoreId, SourceKey, Timestamp};
use sqlx::FromRow;

use super::{
    Result, Time, Tx,
    buffer::PageCursor,
    on,
    rows::{self, Rows},
};

/// The link of a channel's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// The core entity.
    pub core: CoreId,
    /// Whether changes of the channel are applied to the core; for a room type, both its own link and its property's
    /// allow it.
    pub auto_sync: bool,
    /// True if the entity originated in the core.
    pub ours: bool,
}

gassync_domain::words! {
    /// Kinds of linked entities: table name of the channel's record ↔ of the core entity. Requests may write a hyphen.
    pub enum EntityKind {
        /// property ↔ property
        Property = "property",
        /// room_type ↔ bookable_unit
        #[serde(alias = "room-type")]
        RoomType = "room_type",
        /// rate_plan ↔ rate_plan
        #[serde(alias = "rate-plan")]
        RatePlan = "rate_plan",
        /// reservation ↔ booking
        Reservation = "reservation",
        /// guest ↔ guest
        Guest = "guest",
    }
}

gassync_domain::words! {
    /// Where a linked entity originated.
    pub enum LinkOrigin {
        /// At the channel or partner.
        External = "external",
        /// In the core.
        Core = "core",
    }
}

impl EntityKind {
    /// Its word in `gassync map`.
    pub fn in_commands(self) -> String {
        self.as_str().replace('_', "-")
    }

    /// The table's name of the core entity.
    const fn core(self) -> &'static str {
        match self {
            Self::Property => "property",
            Self::RoomType => "bookable_unit",
            Self::RatePlan => "rate_plan",
            Self::Reservation => "booking",
            Self::Guest => "guest",
        }
    }
}

#[derive(FromRow)]
struct Row {
    external_entity_type: String,
    external_entity_id: String,
    gas_entity_id: i64,
    auto_sync: bool,
    ours: bool,
}

impl Row {
    fn into_pair(self) -> ((String, String), Mapping) {
        let mapping = Mapping { core: CoreId(self.gas_entity_id), auto_sync: self.auto_sync, ours: self.ours };
        ((self.external_entity_type, self.external_entity_id), mapping)
    }
}

/// Links of a source's records.
#[derive(Debug, Default)]
pub struct Mappings(HashMap<(String, String), Mapping>);

impl Mappings {
    /// The link of a record; `None` if unlinked.
    pub fn get(&self, kind: EntityKind, external_id: &str) -> Option<Mapping> {
        self.0.get(&(kind.as_str().to_owned(), external_id.to_owned())).copied()
    }
}

/// The link of a record of the source.
pub async fn find(tx: &mut Tx, source: SourceKey, kind: EntityKind, external_id: &str) -> Result<Option<Mapping>> {
    Ok(find_all(tx, source, &[(kind, external_id)]).await?.get(kind, external_id))
}

/// The links of these records of the source.
pub async fn find_all(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    records: &[(EntityKind, &str)],
) -> Result<Mappings> {
    let mut new = Rows::new([("kind", rows::ColumnType::Text), ("id", rows::ColumnType::Text)]);
    for (kind, id) in records {
        new.push([kind.as_str().into(), (*id).into()]);
    }
    let text = "select m.external_entity_type, m.external_entity_id, m.gas_entity_id, m.origin = 'core' as ours,
            m.auto_sync and not (m.external_entity_type = 'room_type' and exists (
                select 1 from int_room_types r
                join int_properties p on p.account_id = r.account_id and p.id = r.int_property_id
                join int_mappings h on h.account_id = r.account_id and h.source_id = r.source_id
                    and h.external_entity_type = 'property' and h.external_entity_id = p.external_id
                where r.account_id = m.account_id and r.source_id = m.source_id
                    and r.external_id = m.external_entity_id and not h.auto_sync)) as auto_sync
        from new cross join int_mappings m
        where m.account_id = $1 and m.source_id = $2
            and m.external_entity_type = new.kind and m.external_entity_id = new.id";
    let rows: Vec<Row> = new.read(tx, &[account.0.into(), source.0.into()], text).await?;
    Ok(Mappings(rows.into_iter().map(Row::into_pair).collect()))
}

/// Like [`find_all`], but for many records: `offset 0` makes PostgreSQL look up each one. Without table statistics, as
/// after a bulk load, it would otherwise compare every record with all links.
pub async fn find_many(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: EntityKind,
    external_ids: &[&str],
) -> Result<Mappings> {
    if let Tx::Sqlite(..) = tx {
        let records: Vec<(EntityKind, &str)> = external_ids.iter().map(|id| (kind, *id)).collect();
        return find_all(tx, SourceKey { account, source }, &records).await;
    }
    let mut new = Rows::new([("id", rows::ColumnType::Text)]);
    external_ids.iter().for_each(|id| new.push([(*id).into()]));
    let text =
        "select m.external_entity_type, m.external_entity_id, m.gas_entity_id, m.auto_sync, m.origin = 'core' as ours
        from new cross join lateral (
            select l.* from int_mappings l
            where l.account_id = $1 and l.source_id = $2 and l.external_entity_type = $3
                and l.external_entity_id = new.id offset 0) m";
    let rows: Vec<Row> = new.read(tx, &[account.0.into(), source.0.into(), kind.as_str().into()], text).await?;
    Ok(Mappings(rows.into_iter().map(Row::into_pair).collect()))
}

/// Whether a source has linked the guest of a booking.
pub async fn has_guest_of(tx: &mut Tx, SourceKey { account, source }: SourceKey, booking: CoreId) -> Result<bool> {
    let text = "select exists (select 1 from gas_bookings b
            join int_mappings m on m.account_id = b.account_id and m.gas_entity_type = 'guest' and m.gas_entity_id = b.guest_id
        where b.account_id = $1 and b.id = $3 and m.source_id = $2)";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(booking.0).fetch_one(c).await)
}

/// Links a record from outside with the core entity created for it.
pub async fn link(
    tx: &mut Tx,
    source: SourceKey,
    kind: EntityKind,
    external_id: &str,
    core: CoreId,
    now: Timestamp,
) -> Result<()> {
    link_all(tx, source, kind, &[(external_id, core)], now).await
}

/// Like [`link`], for several records.
pub async fn link_all(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: EntityKind,
    links: &[(&str, CoreId)],
    now: Timestamp,
) -> Result<()> {
    let (external_type, gas_type) = (kind.as_str(), kind.core());
    let mut new = Rows::new([("external_id", rows::ColumnType::Text), ("gas_id", rows::ColumnType::Int)]);
    for (id, core) in links {
        new.push([(*id).into(), core.0.into()]);
    }
    let text = "insert into int_mappings (account_id, source_id, external_entity_type, gas_entity_type, created_at,
            last_synced_at, auto_sync, origin, external_entity_id, gas_entity_id)
        select $1, $2, $3, $4, $5, $5, 1 = 1, 'external', external_id, gas_id from new";
    let shared = [account.0.into(), source.0.into(), external_type.into(), gas_type.into(), now.into()];
    new.write(tx, &shared, text).await
}

/// A link as listed.
#[derive(Debug, Clone, FromRow)]
pub struct StoredLink {
    /// The id of its row.
    pub id: i64,
    /// Its kind.
    #[sqlx(rename = "external_entity_type", try_from = "String")]
    pub kind: EntityKind,
    /// The channel's id.
    pub external_entity_id: String,
    /// The core entity.
    pub gas_entity_id: i64,
    /// Whether changes of the channel are applied to the core.
    pub auto_sync: bool,
    /// Whether changes of the core are pushed to the channel.
    pub push: bool,
    /// Last successful sync in either direction, to the minute.
    pub last_synced_at: Option<Time>,
    /// The last error since then.
    pub last_error: Option<String>,
    /// Number of failures since then.
    pub retries: i64,
    /// Where the entity originated.
    #[sqlx(try_from = "String")]
    pub origin: LinkOrigin,
    /// Creation time.
    pub created_at: Time,
}

/// The links of a source after a row, optionally of one kind.
pub async fn of_source(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: Option<EntityKind>,
    slice: PageCursor,
) -> Result<Vec<StoredLink>> {
    let text = "select id, external_entity_type, external_entity_id, gas_entity_id, auto_sync, push, last_synced_at, last_error, retries,
            origin, created_at
        from int_mappings
        where account_id = $1 and source_id = $2 and id > $3 and ($4 is null or external_entity_type = $4)
        order by id limit $5";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(slice.after).bind(kind.map(EntityKind::as_str))
        .bind(slice.limit).fetch_all(c).await)
}

/// A source's id of a core entity, if linked.
pub async fn external_of(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: EntityKind,
    core: CoreId,
) -> Result<Option<String>> {
    let (external_type, gas_type) = (kind.as_str(), kind.core());
    let text = "select min(external_entity_id) from int_mappings
        where account_id = $1 and gas_entity_type = $2 and gas_entity_id = $3 and source_id = $4
            and external_entity_type = $5";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(gas_type).bind(core.0).bind(source.0)
        .bind(external_type).fetch_one(c).await)
}

/// A source's ids of core entities of a kind, if linked.
pub async fn of_cores(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: EntityKind,
    cores: &[CoreId],
) -> Result<Vec<(CoreId, String)>> {
    let (external_type, gas_type) = (kind.as_str(), kind.core());
    // `offset 0` as in `find_many`.
    let text = tx.dialect(
        "select m.gas_entity_id, m.external_entity_id from new cross join int_mappings m
        where m.account_id = $1 and m.gas_entity_type = $3 and m.gas_entity_id = new.id and m.source_id = $2
            and m.external_entity_type = $4",
        "select new.id as gas_entity_id, m.external_entity_id from new cross join lateral (
            select l.external_entity_id from int_mappings l
            where l.account_id = $1 and l.gas_entity_type = $3 and l.gas_entity_id = new.id and l.source_id = $2
                and l.external_entity_type = $4 offset 0) m",
    );
    let shared = [account.0.into(), source.0.into(), gas_type.into(), external_type.into()];
    let found: Vec<(i64, String)> = rows::of_ids(cores).read(tx, &shared, text).await?;
    Ok(found.into_iter().map(|(core, external_id)| (CoreId(core), external_id)).collect())
}

/// A link to import from another system.
#[derive(Debug, Clone, Copy)]
pub struct NewMapping<'a> {
    /// The channel's id.
    pub external_id: &'a str,
    /// The core entity.
    pub core: CoreId,
    /// True if the entity originated in the core, which then owns it.
    pub ours: bool,
}

/// Links records with existing core entities; returns how many. Existing links are kept.
pub async fn import(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: EntityKind,
    links: &[NewMapping<'_>],
    now: Timestamp,
) -> Result<usize> {
    let (external_type, gas_type) = (kind.as_str(), kind.core());
    let mut new = Rows::new([
        ("external_id", rows::ColumnType::Text),
        ("gas_id", rows::ColumnType::Int),
        ("ours", rows::ColumnType::Int),
    ]);
    for NewMapping { external_id, core, ours } in links {
        new.push([(*external_id).into(), core.0.into(), i64::from(*ours).into()]);
    }
    let text = "insert into int_mappings (account_id, source_id, external_entity_type, gas_entity_type, created_at,
            auto_sync, origin, external_entity_id, gas_entity_id)
        select $1, $2, $3, $4, $5, ours = 0, case when ours = 1 then 'core' else 'external' end, external_id, gas_id
        from new where true
        on conflict (account_id, source_id, external_entity_type, external_entity_id) do nothing
        returning id";
    let shared = [account.0.into(), source.0.into(), external_type.into(), gas_type.into(), now.into()];
    Ok(new.keys(tx, &shared, text).await?.len())
}

/// Deletes the links of these records; the records and core entities stay.
pub async fn unlink_all(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: EntityKind,
    external_ids: &[&str],
) -> Result<()> {
    let mut gone = Rows::new([("id", rows::ColumnType::Text)]);
    external_ids.iter().for_each(|id| gone.push([(*id).into()]));
    let text = "delete from int_mappings where account_id = $1 and source_id = $2 and external_entity_type = $3
        and external_entity_id in (select id from new)";
    gone.write(tx, &[account.0.into(), source.0.into(), kind.as_str().into()], text).await
}

/// Deletes a link; the record and the core entity stay.
pub async fn unlink(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    kind: EntityKind,
    external_id: &str,
) -> Result<()> {
    let text = "delete from int_mappings
        where account_id = $1 and source_id = $2 and external_entity_type = $3 and external_entity_id = $4";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(kind.as_str()).bind(external_id)
        .execute(c).await.map(drop))
}

/// Sets whether changes of the channel are applied to the core; false if there is no such link.
pub async fn set_auto_sync(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (kind, external_id): (EntityKind, &str),
    auto_sync: bool,
) -> Result<bool> {
    let text = "update int_mappings set auto_sync = $5, state = $6
        where account_id = $1 and source_id = $2 and external_entity_type = $3 and external_entity_id = $4";
    let state = if auto_sync { "linked" } else { "paused" };
    let rows = on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(kind.as_str()).bind(external_id)
        .bind(auto_sync).bind(state).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}

/// Sets whether changes of the core are pushed to the channel; false if there is no such link.
pub async fn set_push(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (kind, external_id): (EntityKind, &str),
    push: bool,
) -> Result<bool> {
    let text = "update int_mappings set push = $5
        where account_id = $1 and source_id = $2 and external_entity_type = $3 and external_entity_id = $4";
    let rows = on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(kind.as_str()).bind(external_id)
        .bind(push).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(rows > 0)
}
