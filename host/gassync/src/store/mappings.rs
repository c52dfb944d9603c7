//! Links between channel records and core entities.

use gassync_domain::{AccountId, CoreId, SourceId, Timestamp};
use sqlx::FromRow;

use super::{Result, Time, Tx, on};

/// What a channel's record is linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// The core entity.
    pub core: CoreId,
    /// Whether news of the channel goes into the core.
    pub auto_sync: bool,
}

/// The two kinds of record a mapping links, in the words of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// property ↔ property
    Property,
    /// room_type ↔ bookable_unit
    RoomType,
    /// rate_plan ↔ rate_plan
    RatePlan,
    /// reservation ↔ booking
    Reservation,
    /// guest ↔ guest
    Guest,
}

impl Kind {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Property => ("property", "property"),
            Self::RoomType => ("room_type", "bookable_unit"),
            Self::RatePlan => ("rate_plan", "rate_plan"),
            Self::Reservation => ("reservation", "booking"),
            Self::Guest => ("guest", "guest"),
        }
    }
}

#[derive(FromRow)]
struct Row {
    gas_entity_id: i64,
    auto_sync: bool,
}

/// What this record of the source is linked to.
pub async fn find(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    kind: Kind,
    external_id: &str,
) -> Result<Option<Mapping>> {
    let text = "select gas_entity_id, auto_sync from int_mappings
        where account_id = $1 and source_id = $2 and external_entity_type = $3 and external_entity_id = $4";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(kind.words().0)
        .bind(external_id).fetch_optional(c).await)?;
    Ok(row.map(|r| Mapping { core: CoreId(r.gas_entity_id), auto_sync: r.auto_sync }))
}

/// Links a record that came from outside with the core entity made for it.
pub async fn link(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    kind: Kind,
    external_id: &str,
    core: CoreId,
    now: Timestamp,
) -> Result<()> {
    let (external_type, gas_type) = kind.words();
    let text = "insert into int_mappings (account_id, source_id, external_entity_type, external_entity_id,
            gas_entity_type, gas_entity_id, auto_sync, origin, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, 'external', $8)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_type).bind(external_id).bind(gas_type)
        .bind(core.0).bind(true).bind(Time::from(now)).execute(c).await.map(drop))
}
