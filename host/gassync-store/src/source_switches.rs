//! Switches of sources: status, direction, poll interval; and the time of the last contact.

use gassync_domain::{Direction, Missing, Parked, SourceKey, Timestamp};
use jiff::SignedDuration;
use serde_json::Value;
use sqlx::types::Json;

use super::{Result, Time, Tx, mappings::EntityKind, on, sources::SourceState, word};

/// Resolution of the last contact: at most one write in this time.
const RECORD_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// Stops a source as `paused` or `disabled`, and keeps the status to resume with.
pub async fn stop(tx: &mut Tx, SourceKey { account, source: id }: SourceKey, status: SourceState) -> Result<()> {
    let text = "update int_sources set status = $3,
            status_before = case when status in ('paused', 'disabled') then status_before else status end
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(status.as_str()).execute(c).await.map(drop))
}

/// Resumes a stopped source; returns its status.
pub async fn resume(tx: &mut Tx, SourceKey { account, source: id }: SourceKey) -> Result<Option<SourceState>> {
    let text = "update int_sources set status = coalesce(status_before, 'active'), status_before = null
        where account_id = $1 and id = $2 and status in ('paused', 'disabled') returning status";
    let status: Option<String> =
        on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(id.0).fetch_optional(c).await)?;
    status.map(word).transpose()
}

/// Enables or disables synchronisation, and sets its direction.
pub async fn set_sync(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    (enabled, direction): (bool, Direction),
) -> Result<()> {
    let text = "update int_sources set sync_enabled = $3, sync_direction = $4 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(enabled).bind(direction.as_str()).execute(c).await
        .map(drop))
}

/// Sets the minutes between two polls; `None` uses the manifest's interval.
pub async fn set_poll_minutes(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    minutes: Option<i64>,
) -> Result<()> {
    let text = "update int_sources set sync_frequency_minutes = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(minutes).execute(c).await.map(drop))
}

/// Stores a source's settings.
pub async fn set_settings(tx: &mut Tx, SourceKey { account, source: id }: SourceKey, settings: &Value) -> Result<()> {
    let text = "update int_sources set config = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Json(settings)).execute(c).await.map(drop))
}

/// Extends the deadlines of a source's waiting jobs, which could not run meanwhile.
pub async fn extend_deadline(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    until: Timestamp,
) -> Result<()> {
    let text = "update int_jobs set deadline = $3
        where account_id = $1 and source_id = $2 and state = 'waiting' and deadline < $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(until)).execute(c).await.map(drop))
}

/// Makes messages available again that were deferred while their source was disabled.
pub async fn release_deferred_messages(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    now: Timestamp,
) -> Result<()> {
    let text = "update int_inbox set available_at = $3
        where account_id = $1 and state = 'received' and error is not null and available_at > $3
            and connection_id = (select connection_id from int_sources where account_id = $1 and id = $2)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).execute(c).await.map(drop))
}

/// Records a contact with a source, in either direction, and whether it succeeded; every ten seconds at most, to avoid
/// lock contention.
pub async fn record_channel_call(
    tx: &mut Tx,
    SourceKey { account, source: id }: SourceKey,
    succeeded: bool,
    now: Timestamp,
) -> Result<()> {
    let text = "update int_sources set last_sync_at = $3,
            last_successful_sync_at = case when $5 then $3 else last_successful_sync_at end
        where account_id = $1 and id = $2 and (last_sync_at is null or last_sync_at < $4
            or ($5 and (last_successful_sync_at is null or last_successful_sync_at < $4)))";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(Time::from(now)).bind(Time::from(now - RECORD_INTERVAL)).bind(succeeded)
        .execute(c).await.map(drop))
}

/// Locks a source's row until the transaction ends.
pub async fn lock(tx: &mut Tx, SourceKey { account, source: id }: SourceKey) -> Result<()> {
    // SQLite has a single writer.
    let text = tx.dialect(
        "select id from int_sources where account_id = $1 and id = $2",
        "select id from int_sources where account_id = $1 and id = $2 for no key update",
    );
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).fetch_optional(c).await.map(drop))
}

/// Parks the buffered record of a link, so that the next retry applies its content; for a property, also its room
/// types.
pub async fn reapply(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (kind, external_id): (EntityKind, &str),
) -> Result<()> {
    let texts: &[&str] = match kind {
        EntityKind::Property => &[
            "update int_properties set parked = $4 where account_id = $1 and source_id = $2 and external_id = $3
                and gas_property_id is not null and deleted_at is null",
            "update int_room_types set parked = $4 where account_id = $1 and source_id = $2
                and int_property_id = (select id from int_properties
                    where account_id = $1 and source_id = $2 and external_id = $3)
                and gas_unit_id is not null and deleted_at is null",
        ],
        EntityKind::RoomType => &["update int_room_types set parked = $4
            where account_id = $1 and source_id = $2 and external_id = $3 and gas_unit_id is not null and deleted_at is null"],
        EntityKind::RatePlan => &["update int_rate_plans set parked = $4 where account_id = $1 and source_id = $2
            and external_id = $3 and gas_rate_plan_id is not null and deleted_at is null"],
        EntityKind::Reservation | EntityKind::Guest => &[],
    };
    let parked = Parked(vec![Missing::SwitchedOff { id: external_id.to_owned() }]);
    for text in texts {
        on!(&mut *tx, c => sqlx::query(*text).bind(account.0).bind(source.0).bind(external_id).bind(Json(&parked))
            .execute(c).await.map(drop))?;
    }
    Ok(())
}
