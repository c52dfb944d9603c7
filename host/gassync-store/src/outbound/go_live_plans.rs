//! Saved plans: what going live would change at a channel.

use gassync_domain::{Date, SourceKey, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};

use crate::{Result, Time, Tx, on};

/// Consecutive nights of a room type with the same changes, both ends inclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedNights {
    /// The room type's row.
    pub room_type: i64,
    /// The channel's id of the rate plan; empty where it has none.
    pub rate_plan_id: String,
    /// The first night.
    pub from: Date,
    /// The last one.
    pub to: Date,
    /// Closed nights would be opened, or get more units.
    pub opens: bool,
    /// The price would change.
    pub price: bool,
    /// The rules of stay would change.
    pub rules: bool,
}

/// A saved plan.
#[derive(Debug, Clone)]
pub struct SavedGoLivePlan {
    /// Its id.
    pub id: i64,
    /// When the channel's calendar was requested.
    pub read_at: Timestamp,
    /// Nights that would be opened, or change price or rules.
    pub changes: Vec<PlannedNights>,
    /// Whether nights closed by hand are opened.
    pub opens_closed: bool,
}

/// Saves a plan, replacing the source's earlier ones; returns its id.
pub async fn save(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (read_at, changes, opens_closed): (Timestamp, &[PlannedNights], bool),
    now: Timestamp,
) -> Result<i64> {
    delete(tx, SourceKey { account, source }).await?;
    let text = "insert into int_go_live_plans (account_id, source_id, read_at, changes, opens_closed, created_at)
        values ($1, $2, $3, $4, $5, $6) returning id";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(Time::from(read_at)).bind(Json(changes))
        .bind(opens_closed).bind(Time::from(now)).fetch_one(c).await)
}

/// The latest plan of a source.
pub async fn latest(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Option<SavedGoLivePlan>> {
    #[derive(FromRow)]
    struct Row {
        id: i64,
        read_at: Time,
        changes: Json<Vec<PlannedNights>>,
        opens_closed: bool,
    }
    let text = "select id, read_at, changes, opens_closed from int_go_live_plans
        where account_id = $1 and source_id = $2 order by id desc limit 1";
    let row: Option<Row> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_optional(c).await)?;
    Ok(row.map(|row| SavedGoLivePlan {
        id: row.id,
        read_at: row.read_at.into(),
        changes: row.changes.0,
        opens_closed: row.opens_closed,
    }))
}

/// Deletes a source's plans.
pub async fn delete(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<()> {
    let text = "delete from int_go_live_plans where account_id = $1 and source_id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).execute(c).await.map(drop))
}
