//! What a person should look at. Platform queries.

use gassync_domain::{Date, Timestamp};
use sqlx::FromRow;

use super::{Day, Result, Time, Tx, on, webhooks::BY_HAND};

/// Something a person should look at.
#[derive(Debug, Clone, FromRow)]
pub struct Found {
    /// The source it is about, where it is one's.
    pub source_name: Option<String>,
    /// How many of it there are.
    pub count: i64,
    /// What of it.
    pub detail: Option<String>,
    /// Since when, where that is known.
    pub since: Option<Time>,
    /// The subscription it is about, where it is one.
    #[sqlx(default)]
    pub webhook: Option<i64>,
}

macro_rules! finds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {$(
        $(#[$doc])*
        pub async fn $name(tx: &mut Tx) -> Result<Vec<Found>> {
            on!(tx, c => sqlx::query_as($text).fetch_all(c).await)
        }
    )*};
}

finds! {
    /// Sources that do not work: their status, and why.
    broken_sources = "select source_name, cast(1 as bigint) as count,
            status || coalesce(': ' || error_message, '') as detail, last_error_at as since
        from int_sources where status in ('expired', 'error') order by id";
    /// Plugins that broke too often.
    quarantined_plugins = "select cast(null as text) as source_name, cast(1 as bigint) as count, id as detail,
            changed_at as since
        from int_plugins where status = 'quarantined' order by id";
    /// Work that is not tried again by itself, by source and kind; not what subscribers did not take.
    dead_jobs = "select s.source_name, count(*) as count, j.kind as detail, min(j.finished_at) as since
        from int_jobs j join int_sources s on s.account_id = j.account_id and s.id = j.source_id
        where j.state = 'dead' and j.kind <> 'deliver' group by s.id, s.source_name, j.kind order by s.id, j.kind";
    /// Nights that channels will not have.
    refused_nights = "select s.source_name, count(*) as count, max(n.error) as detail, min(n.changed_at) as since
        from int_channel_nights n join int_sources s on s.account_id = n.account_id and s.id = n.source_id
        where n.state = 'refused' group by s.id, s.source_name order by s.id";
    /// Bookings that channels will not have.
    refused_bookings = "select s.source_name, count(*) as count, max(b.error) as detail, min(b.changed_at) as since
        from int_channel_bookings b join int_sources s on s.account_id = b.account_id and s.id = b.source_id
        where b.state = 'refused' group by s.id, s.source_name order by s.id";
}

/// Channels that have not had for long what the core wants them to have.
pub async fn behind(tx: &mut Tx, before: Timestamp) -> Result<Vec<Found>> {
    let text = "select s.source_name, sum(cast(o.count as bigint)) as count, cast(null as text) as detail,
            min(o.since) as since
        from (
            select account_id, source_id, count(*) as count, min(changed_at) as since from int_channel_nights
            where state in ('due', 'sent') and changed_at < $1 group by account_id, source_id
            union all
            select account_id, source_id, count(*), min(changed_at) from int_channel_bookings
            where state in ('due', 'sent') and changed_at < $1 group by account_id, source_id
        ) o join int_sources s on s.account_id = o.account_id and s.id = o.source_id
        group by s.id, s.source_name order by s.id";
    let text = tx.dialect(
        text,
        "select s.source_name, cast(sum(o.count) as bigint) as count, cast(null as text) as detail, min(o.since) as since
        from (
            select account_id, source_id, count(*) as count, min(changed_at) as since from int_channel_nights
            where state in ('due', 'sent') and changed_at < $1 group by account_id, source_id
            union all
            select account_id, source_id, count(*), min(changed_at) from int_channel_bookings
            where state in ('due', 'sent') and changed_at < $1 group by account_id, source_id
        ) o join int_sources s on s.account_id = o.account_id and s.id = o.source_id
        group by s.id, s.source_name order by s.id",
    );
    on!(tx, c => sqlx::query_as(text).bind(Time::from(before)).fetch_all(c).await)
}

/// Nights from a day on that are sold more often than they can be.
pub async fn overbooked(tx: &mut Tx, from: Date) -> Result<Vec<Found>> {
    let text = "select cast(null as text) as source_name, count(*) as count, a.name as detail,
            min(n.updated_at) as since
        from gas_unit_nights n join gas_accounts a on a.id = n.account_id
        where n.excess > 0 and n.night >= $1 group by a.id, a.name order by a.id";
    on!(tx, c => sqlx::query_as(text).bind(Day(from)).fetch_all(c).await)
}

/// Subscriptions that are told nothing more because of how they took it.
pub async fn disabled_webhooks(tx: &mut Tx) -> Result<Vec<Found>> {
    let text = "select s.source_name, cast(1 as bigint) as count, w.status_why as detail, w.updated_at as since,
            w.id as webhook
        from int_webhooks w join int_sources s on s.account_id = w.account_id and s.id = w.source_id
        where w.status = 'disabled' and w.deleted_at is null and w.status_why <> $1 order by w.id";
    on!(tx, c => sqlx::query_as(text).bind(BY_HAND).fetch_all(c).await)
}

/// Subscriptions that are told nothing because of where their source stands.
pub async fn silent_webhooks(tx: &mut Tx) -> Result<Vec<Found>> {
    let text = "select s.source_name, cast(1 as bigint) as count, 'its source is ' || s.status as detail,
            cast(null as timestamptz) as since, w.id as webhook
        from int_webhooks w join int_sources s on s.account_id = w.account_id and s.id = w.source_id
        where w.status = 'active' and w.deleted_at is null and s.status not in ('active', 'error', 'expired') order by w.id";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}

/// Subscriptions that are told of things, and gave up some of them.
pub async fn dead_deliveries(tx: &mut Tx) -> Result<Vec<Found>> {
    let text = "select s.source_name, d.count, d.detail, d.since, w.id as webhook
        from (
            select account_id, source_id, lane, count(*) as count, max(error) as detail, min(finished_at) as since
            from int_jobs where state = 'dead' and kind = 'deliver' group by account_id, source_id, lane
        ) d
        join int_webhooks w on w.account_id = d.account_id and w.source_id = d.source_id
            and 'webhook/' || cast(w.id as text) = d.lane
        join int_sources s on s.account_id = w.account_id and s.id = w.source_id
        where w.status = 'active' and w.deleted_at is null order by w.id";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}

/// Subscriptions at which nothing has arrived since before this time, although they were told of something.
pub async fn failing_webhooks(tx: &mut Tx, before: Timestamp) -> Result<Vec<Found>> {
    let text = "select s.source_name, w.failures as count, 'nothing arrives there' as detail, w.failing_since as since,
            w.id as webhook
        from int_webhooks w join int_sources s on s.account_id = w.account_id and s.id = w.source_id
        where w.status = 'active' and w.deleted_at is null and w.failing_since < $1 order by w.id";
    on!(tx, c => sqlx::query_as(text).bind(Time::from(before)).fetch_all(c).await)
}
