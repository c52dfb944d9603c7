//! Sync state of the core's bookings at channels.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId, SourceKey, SyncEvent, SyncState, Timestamp};
use sqlx::FromRow;

use super::{
    invalidations::ReservationInvalidation,
    sync_state::{SyncStateRow, mismatch_step},
};
use crate::{
    Result, Time, Tx, on,
    rows::{self, ColumnType, Rows},
};

/// Sync state of a booking at a source's channel.
#[derive(Debug, Clone, FromRow)]
pub struct ReservationSyncState {
    /// The booking.
    pub booking_id: i64,
    /// The source.
    pub source_id: i64,
    /// The source's name.
    pub source_name: String,
    /// Where it stands at the channel.
    #[sqlx(flatten, try_from = "SyncStateRow")]
    pub state: SyncState,
    /// Incremented with every change.
    pub version: i64,
    /// Digest of what was sent last.
    pub sent: Option<String>,
    /// Digest of what was confirmed last.
    pub confirmed: Option<String>,
    /// The channel's error.
    pub error: Option<String>,
    /// Time of the oldest unconfirmed change.
    pub changed_at: Time,
    /// When it was sent last.
    pub sent_at: Option<Time>,
    /// When it was confirmed last.
    pub confirmed_at: Option<Time>,
    /// The channel's id.
    pub external_id: Option<String>,
}

/// Marks bookings pending for these sources.
pub async fn invalidate(tx: &mut Tx, invalidations: &[ReservationInvalidation]) -> Result<()> {
    let mut new = Rows::new([
        ("account_id", ColumnType::Int),
        ("source_id", ColumnType::Int),
        ("booking_id", ColumnType::Int),
        ("invalidated_at", ColumnType::Time),
    ]);
    for invalidation in invalidations {
        let invalidated_at = Timestamp::from(invalidation.invalidated_at);
        new.push([
            invalidation.account_id.into(),
            invalidation.source_id.into(),
            invalidation.booking_id.into(),
            invalidated_at.into(),
        ]);
    }
    let text = "insert into int_channel_bookings
            (account_id, source_id, booking_id, state, in_doubt, mismatch_count, changed_at)
        select account_id, source_id, booking_id, $1, 1 = 0, $2, invalidated_at from new where true
        order by account_id, source_id, booking_id
        on conflict (account_id, source_id, booking_id) do update set state = excluded.state, error = null,
            version = int_channel_bookings.version + 1, mismatch_count = excluded.mismatch_count,
            changed_at = case when int_channel_bookings.state = 'confirmed'
                then excluded.changed_at else int_channel_bookings.changed_at end";
    // Whatever the state was; a doubt stays.
    let SyncState { status, mismatch_count, .. } = SyncState::NEW.after(SyncEvent::Changed);
    new.write(tx, &[status.as_str().into(), mismatch_count.into()], text).await
}

macro_rules! sync_state {
    ($rest:literal) => {
        concat!(
            "select b.booking_id, b.source_id, s.source_name, b.state, b.in_doubt, b.version, b.mismatch_count, b.sent, b.confirmed, b.error, b.changed_at, b.sent_at,
                b.confirmed_at, (select min(m.external_entity_id) from int_mappings m
                    where m.account_id = b.account_id and m.source_id = b.source_id
                        and m.external_entity_type = 'reservation' and m.gas_entity_type = 'booking'
                        and m.gas_entity_id = b.booking_id) as external_id
            from int_channel_bookings b join int_sources s on s.account_id = b.account_id and s.id = b.source_id ",
            $rest
        )
    };
}

/// State of one booking; `None` if it is not pushed to the source.
pub async fn get(tx: &mut Tx, source: SourceKey, booking: CoreId) -> Result<Option<ReservationSyncState>> {
    Ok(get_all(tx, source, &[booking]).await?.remove(&booking))
}

/// States of those of these bookings that are pushed to the source.
pub async fn get_all(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    bookings: &[CoreId],
) -> Result<HashMap<CoreId, ReservationSyncState>> {
    let text = sync_state!("where b.account_id = $1 and b.source_id = $2 and b.booking_id in (select id from new)");
    let rows: Vec<ReservationSyncState> =
        rows::of_ids(bookings).read(tx, &[account.0.into(), source.0.into()], text).await?;
    Ok(rows.into_iter().map(|sync_state| (CoreId(sync_state.booking_id), sync_state)).collect())
}

/// States of a booking at every channel.
pub async fn of_booking(tx: &mut Tx, account: AccountId, booking: CoreId) -> Result<Vec<ReservationSyncState>> {
    let text = sync_state!("where b.account_id = $1 and b.booking_id = $2 order by b.source_id");
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(booking.0).fetch_all(c).await)
}

/// States at a source's channel: unconfirmed ones first, then the newest.
pub async fn of_source(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    limit: i64,
) -> Result<Vec<ReservationSyncState>> {
    let text = sync_state!(
        "where b.account_id = $1 and b.source_id = $2
        order by case when b.state = 'confirmed' then 1 else 0 end, b.changed_at desc, b.booking_id desc limit $3"
    );
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(limit).fetch_all(c).await)
}

/// Bookings to be pushed to a source's channel.
pub async fn pending(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Vec<CoreId>> {
    let text =
        "select booking_id from int_channel_bookings where account_id = $1 and source_id = $2 and state = 'pending'
        order by booking_id";
    let ids: Vec<i64> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    Ok(ids.into_iter().map(CoreId).collect())
}

/// Bookings pushed to a source's channel that await read-back.
pub async fn awaiting_confirmation(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Vec<CoreId>> {
    let text = "select booking_id from int_channel_bookings where account_id = $1 and source_id = $2 and state = 'unconfirmed'";
    let ids: Vec<i64> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    Ok(ids.into_iter().map(CoreId).collect())
}

/// A booking and what happened to it at a channel.
#[derive(Debug)]
pub struct PushedReservation<'a> {
    /// State before it happened; a change since then is pushed again.
    pub sync_state: &'a ReservationSyncState,
    /// Digest of what was sent.
    pub digest: &'a str,
    /// What happened.
    pub event: SyncEvent,
    /// Why it is not confirmed.
    pub error: Option<&'a str>,
}

impl<'a> PushedReservation<'a> {
    /// What happened to what was sent last.
    pub fn sent_last(sync_state: &'a ReservationSyncState, event: SyncEvent, error: Option<&'a str>) -> Self {
        Self { sync_state, digest: sync_state.sent.as_deref().unwrap_or_default(), event, error }
    }
}

/// Records the results of a push; each booking at most once.
pub async fn record_results(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    marks: &[PushedReservation<'_>],
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([
        ("booking", ColumnType::Int),
        ("read", ColumnType::Int),
        ("state", ColumnType::Text),
        ("why", ColumnType::Text),
        ("digest", ColumnType::Text),
        ("was_sent", ColumnType::Int),
        ("may_be_there", ColumnType::Int),
        ("kept", ColumnType::Int),
        ("added", ColumnType::Int),
    ]);
    for PushedReservation { sync_state, digest, event, error } in marks {
        let next = sync_state.state.after(*event);
        let was_sent = !matches!(event, SyncEvent::NotSent | SyncEvent::Found);
        let (kept, added) = mismatch_step(*event);
        new.push([
            sync_state.booking_id.into(),
            sync_state.version.into(),
            next.status.as_str().into(),
            (*error).into(),
            (*digest).into(),
            i64::from(was_sent).into(),
            i64::from(next.in_doubt).into(),
            kept.into(),
            added.into(),
        ]);
    }
    // The core may have changed while the push ran.
    let text = "update int_channel_bookings set
            state = case when int_channel_bookings.version = new.read then new.state else 'pending' end, error = new.why,
            in_doubt = new.may_be_there = 1,
            sent = case when new.was_sent = 1 then new.digest else int_channel_bookings.sent end,
            sent_at = case when new.was_sent = 1 then $3 else int_channel_bookings.sent_at end,
            confirmed = case when new.state = 'confirmed' then new.digest else int_channel_bookings.confirmed end,
            confirmed_at = case when new.state = 'confirmed' then $3 else int_channel_bookings.confirmed_at end,
            mismatch_count = int_channel_bookings.mismatch_count * new.kept + new.added
        from new
        where int_channel_bookings.account_id = $1 and int_channel_bookings.source_id = $2
            and int_channel_bookings.booking_id = new.booking";
    new.write(tx, &[account.0.into(), source.0.into(), now.into()], text).await
}

/// Marks bookings in doubt before a call whose end may never be seen.
pub async fn mark_in_doubt(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    bookings: &[&ReservationSyncState],
) -> Result<()> {
    let mut new = Rows::new([("booking", ColumnType::Int), ("may_be_there", ColumnType::Int)]);
    for sync_state in bookings {
        let next = sync_state.state.after(SyncEvent::Sending);
        new.push([sync_state.booking_id.into(), i64::from(next.in_doubt).into()]);
    }
    let text = "update int_channel_bookings set in_doubt = new.may_be_there = 1 from new
        where int_channel_bookings.account_id = $1 and int_channel_bookings.source_id = $2
            and int_channel_bookings.booking_id = new.booking";
    new.write(tx, &[account.0.into(), source.0.into()], text).await
}

/// Deletes the sync state of bookings that are no longer pushed.
pub async fn delete(tx: &mut Tx, SourceKey { account, source }: SourceKey, bookings: &[CoreId]) -> Result<()> {
    let text = "delete from int_channel_bookings
        where account_id = $1 and source_id = $2 and booking_id in (select id from new)";
    rows::of_ids(bookings).write(tx, &[account.0.into(), source.0.into()], text).await
}

/// The account of a booking. A platform query.
pub async fn account_of(tx: &mut Tx, booking: CoreId) -> Result<Option<AccountId>> {
    let text = "select account_id from gas_bookings where id = $1";
    let account: Option<i64> = on!(tx, c => sqlx::query_scalar(text).bind(booking.0).fetch_optional(c).await)?;
    Ok(account.map(AccountId))
}
