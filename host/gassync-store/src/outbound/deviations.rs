//! Nights whose state at a channel differs from the desired one, and why.

use gassync_domain::{Date, SourceKey};
use sqlx::FromRow;

use crate::{Day, Result, Time, Tx, on};

/// Nights rejected by a channel, with its error, as spans, newest first.
pub async fn rejected(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    limit: i64,
) -> Result<Vec<DeviatingNights>> {
    let text = "select r.external_id as room_type_id, n.rate_plan_external_id as rate_plan_id, n.error,
            min(n.night) as first_night, max(n.night) as last_night, count(*) as nights, max(n.sent_at) as at
        from int_channel_nights n join int_room_types r on r.account_id = n.account_id and r.id = n.int_room_type_id
        where n.account_id = $1 and n.source_id = $2 and n.state = 'rejected'
        group by r.external_id, n.rate_plan_external_id, n.error order by max(n.sent_at) desc, r.external_id limit $3";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(limit).fetch_all(c).await)
}

/// Nights changed at the channel by hand, to be overwritten, as spans by room type.
pub async fn changed_at_channel(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    limit: i64,
) -> Result<Vec<DeviatingNights>> {
    let text = "select r.external_id as room_type_id, n.rate_plan_external_id as rate_plan_id, n.error,
            min(n.night) as first_night, max(n.night) as last_night, count(*) as nights, max(n.changed_at) as at
        from int_channel_nights n join int_room_types r on r.account_id = n.account_id and r.id = n.int_room_type_id
        where n.account_id = $1 and n.source_id = $2 and n.state = 'pending' and n.error is not null
        group by r.external_id, n.rate_plan_external_id, n.error order by max(n.changed_at) desc, r.external_id limit $3";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(limit).fetch_all(c).await)
}

/// Nights of a room type that deviate for the same reason.
#[derive(Debug, Clone, FromRow)]
pub struct DeviatingNights {
    /// The channel's id of the room type.
    pub room_type_id: String,
    /// The channel's id of the rate plan; empty where it has none.
    pub rate_plan_id: String,
    /// The channel's error, or the difference.
    pub error: Option<String>,
    /// The first night.
    pub first_night: Day,
    /// The last night.
    pub last_night: Day,
    /// Number of nights.
    pub nights: i64,
    /// When it was recorded last.
    pub at: Option<Time>,
}

/// Nights closed at the channel by hand, from a date on, as spans by room type and kind of closing.
pub async fn closed_by_hand(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (from, limit): (Date, i64),
) -> Result<Vec<DeviatingNights>> {
    let text = "select r.external_id as room_type_id, '' as rate_plan_id,
            case when k.by_word then 'closed by a word'
                else cast(k.units as text) || ' fewer for sale than there are' end as error,
            min(k.night) as first_night, max(k.night) as last_night, count(*) as nights, min(k.since) as at
        from int_closures k join int_room_types r on r.account_id = k.account_id and r.id = k.int_room_type_id
        where k.account_id = $1 and k.source_id = $2 and not k.waived and k.night >= $3
        group by 1, 2, 3 order by min(k.night), 1 limit $4";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(Day(from)).bind(limit).fetch_all(c).await)
}
