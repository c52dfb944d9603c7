//! Queries behind alarms: what a person should look at. Platform queries.

use gassync_domain::{Date, Timestamp};
use sqlx::FromRow;

use super::{Day, Result, Time, Tx, on, webhooks::DISABLED_ON_REQUEST};

/// One row of an alarm query.
#[derive(Debug, Clone, Default, FromRow)]
pub struct Found {
    /// The source, if the alarm concerns one.
    pub source_name: Option<String>,
    /// The property, if the alarm concerns one.
    #[sqlx(default)]
    pub house: Option<String>,
    /// The room type or unit, if the alarm concerns one.
    #[sqlx(default)]
    pub room: Option<String>,
    /// The first affected night.
    #[sqlx(default)]
    pub first_night: Option<Day>,
    /// The last affected night.
    #[sqlx(default)]
    pub last_night: Option<Day>,
    /// The channel's id of the record, or its id in this database.
    #[sqlx(default)]
    pub reference: Option<String>,
    /// Number of occurrences.
    pub count: i64,
    /// Detail: a reason, a kind or a name.
    pub detail: Option<String>,
    /// Start of the problem, if known.
    pub since: Option<Time>,
    /// Last occurrence of a recurring problem.
    #[sqlx(default)]
    pub last: Option<Time>,
    /// The id of the subscription, message or other row, as an argument of the command that mends it.
    #[sqlx(default)]
    pub number: Option<i64>,
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
    /// Sources whose credentials no longer work, with the reason.
    expired_sources = "select source_name, cast(1 as bigint) as count,
            status || coalesce(': ' || error_message, '') as detail, last_error_at as since
        from int_sources where status = 'expired' order by id";
    /// Listening sources: their credentials showed other rooms, or nobody has confirmed a go-live plan.
    listening_sources = "select source_name, cast(1 as bigint) as count,
            'nothing is pushed to its channel' as detail, listening_since as since
        from int_sources where listening_since is not null and status in ('active', 'error') order by id";
    /// Plugins quarantined after too many faults.
    quarantined_plugins = "select cast(null as text) as source_name, cast(1 as bigint) as count, id as detail,
            changed_at as since
        from int_plugins where status = 'quarantined' order by id";
    /// Undecodable messages of channels, by source and reason, with the id of the newest.
    failed_messages = "select s.source_name, count(*) as count, i.error as detail, min(i.received_at) as since,
            max(i.received_at) as last, max(i.id) as number
        from int_inbox i
        join int_sources s on s.account_id = i.account_id and s.id = (
            select min(o.id) from int_sources o where o.account_id = i.account_id and o.connection_id = i.connection_id)
        where i.state = 'failed' group by s.id, s.source_name, i.error order by s.id, i.error";
    /// Dead jobs by source and kind, without webhook deliveries.
    dead_jobs = "select s.source_name, count(*) as count, j.kind as detail, min(j.finished_at) as since
        from int_jobs j join int_sources s on s.account_id = j.account_id and s.id = j.source_id
        where j.state = 'dead' and j.queue_kind <> 'webhook' group by s.id, s.source_name, j.kind order by s.id, j.kind";
    /// Nights rejected by channels.
    refused_nights = "select s.source_name, count(*) as count, max(n.error) as detail, min(n.changed_at) as since
        from int_channel_nights n join int_sources s on s.account_id = n.account_id and s.id = n.source_id
        where n.state = 'rejected' group by s.id, s.source_name order by s.id";
    /// Bookings rejected by channels.
    refused_bookings = "select s.source_name, count(*) as count, max(b.error) as detail, min(b.changed_at) as since
        from int_channel_bookings b join int_sources s on s.account_id = b.account_id and s.id = b.source_id
        where b.state = 'rejected' group by s.id, s.source_name order by s.id";
}

/// Sources whose channel has lacked the desired state since before `before`.
pub async fn behind(tx: &mut Tx, before: Timestamp) -> Result<Vec<Found>> {
    let text = "select s.source_name, cast(sum(o.count) as bigint) as count, cast(null as text) as detail, min(o.since) as since
        from (
            select account_id, source_id, count(*) as count, min(changed_at) as since from int_channel_nights
            where state in ('pending', 'unconfirmed') and changed_at < $1 group by account_id, source_id
            union all
            select account_id, source_id, count(*), min(changed_at) from int_channel_bookings
            where state in ('pending', 'unconfirmed') and changed_at < $1 group by account_id, source_id
        ) o join int_sources s on s.account_id = o.account_id and s.id = o.source_id
        group by s.id, s.source_name order by s.id";
    on!(tx, c => sqlx::query_as(text).bind(Time::from(before)).fetch_all(c).await)
}

/// Units with overbooked nights from a day on, each with one of the overbooked bookings: its channel id if it came from
/// a channel.
pub async fn overbooked(tx: &mut Tx, from: Date) -> Result<Vec<Found>> {
    let text =
        "select min(s.source_name) as source_name, p.name as house, u.name as room, count(distinct n.night) as count,
            min(n.night) as first_night, max(n.night) as last_night, min(n.updated_at) as since,
            coalesce(min(m.external_entity_id), 'booking ' || cast(max(r.booking_id) as text)) as reference,
            cast(null as text) as detail
        from gas_unit_nights n
        join gas_bookable_units u on u.account_id = n.account_id and u.id = n.unit_id
        join gas_properties p on p.account_id = u.account_id and p.id = u.property_id
        left join gas_booking_nights c on c.account_id = n.account_id and c.unit_id = n.unit_id and c.night = n.night
            and c.bucket = 'overbooked'
        left join gas_booking_rooms r on r.account_id = c.account_id and r.id = c.booking_room_id
        left join int_mappings m on m.account_id = r.account_id and m.gas_entity_type = 'booking'
            and m.gas_entity_id = r.booking_id and m.origin = 'external'
        left join int_sources s on s.account_id = m.account_id and s.id = m.source_id
        where n.overbooked > 0 and n.night >= $1
        group by n.account_id, n.unit_id, p.name, u.name order by n.account_id, n.unit_id";
    on!(tx, c => sqlx::query_as(text).bind(Day(from)).fetch_all(c).await)
}

/// Subscriptions disabled because deliveries failed.
pub async fn disabled_webhooks(tx: &mut Tx) -> Result<Vec<Found>> {
    let text = "select s.source_name, cast(1 as bigint) as count, w.status_reason as detail, w.updated_at as since,
            w.id as number
        from int_webhooks w join int_sources s on s.account_id = w.account_id and s.id = w.source_id
        where w.status = 'disabled' and w.deleted_at is null and w.status_reason <> $1 order by w.id";
    on!(tx, c => sqlx::query_as(text).bind(DISABLED_ON_REQUEST).fetch_all(c).await)
}

/// Subscriptions without deliveries because of the status of their source.
pub async fn silent_webhooks(tx: &mut Tx) -> Result<Vec<Found>> {
    let text = "select s.source_name, cast(1 as bigint) as count, 'its source is ' || s.status as detail,
            cast(null as timestamptz) as since, w.id as number
        from int_webhooks w join int_sources s on s.account_id = w.account_id and s.id = w.source_id
        where w.status = 'active' and w.deleted_at is null and s.status not in ('active', 'error', 'expired') order by w.id";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}

/// Active subscriptions with dead deliveries.
pub async fn dead_deliveries(tx: &mut Tx) -> Result<Vec<Found>> {
    let text = "select s.source_name, d.count, d.detail, d.since, w.id as number
        from (
            select account_id, source_id, subscription_id, count(*) as count, max(error) as detail, min(finished_at) as since
            from int_jobs where state = 'dead' and queue_kind = 'webhook' group by account_id, source_id, subscription_id
        ) d
        join int_webhooks w on w.account_id = d.account_id and w.source_id = d.source_id and w.id = d.subscription_id
        join int_sources s on s.account_id = w.account_id and s.id = w.source_id
        where w.status = 'active' and w.deleted_at is null order by w.id";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}

/// Subscriptions without a successful delivery since before `before`, although deliveries were attempted.
pub async fn failing_webhooks(tx: &mut Tx, before: Timestamp) -> Result<Vec<Found>> {
    let text = "select s.source_name, w.failures as count, 'nothing arrives there' as detail, w.failing_since as since,
            w.id as number
        from int_webhooks w join int_sources s on s.account_id = w.account_id and s.id = w.source_id
        where w.status = 'active' and w.deleted_at is null and w.failing_since < $1 order by w.id";
    on!(tx, c => sqlx::query_as(text).bind(Time::from(before)).fetch_all(c).await)
}
