//! What going live would change at a channel, as somebody was shown it.

use gassync_domain::{AccountId, Date, SourceId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};

use crate::store::{Result, Time, Tx, on};

/// Nights of a room type that follow each other, of which the same would change; both ends are meant.
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
    /// What is closed would be opened, or more of it sold.
    pub opens: bool,
    /// The price would change.
    pub price: bool,
    /// The rules of stay would.
    pub rules: bool,
}

/// A plan.
#[derive(Debug, Clone)]
pub struct SavedGoLivePlan {
    /// Its number.
    pub id: i64,
    /// When the channel's calendar was asked for.
    pub read_at: Timestamp,
    /// What would be opened, or change its price or rules.
    pub changes: Vec<PlannedNights>,
    /// Whether what is closed by hand is to be opened.
    pub opens_closed: bool,
}

/// Keeps a plan in the place of all that were made before for its source; its number.
pub async fn save(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    (read_at, changes, opens_closed): (Timestamp, &[PlannedNights], bool),
    now: Timestamp,
) -> Result<i64> {
    delete(tx, account, source).await?;
    let text = "insert into int_go_live_plans (account_id, source_id, read_at, changes, opens_closed, created_at)
        values ($1, $2, $3, $4, $5, $6) returning id";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(Time::from(read_at)).bind(Json(changes))
        .bind(opens_closed).bind(Time::from(now)).fetch_one(c).await)
}

/// The last plan of a source.
pub async fn latest(tx: &mut Tx, account: AccountId, source: SourceId) -> Result<Option<SavedGoLivePlan>> {
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

/// No plan of a source is to be followed any more.
pub async fn delete(tx: &mut Tx, account: AccountId, source: SourceId) -> Result<()> {
    let text = "delete from int_go_live_plans where account_id = $1 and source_id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).execute(c).await.map(drop))
}
