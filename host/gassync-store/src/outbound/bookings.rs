//! Sync state of the core's bookings at channels.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId, SourceKey, Timestamp};
use sqlx::FromRow;

use super::{SyncStatus, invalidations::ReservationInvalidation};
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
    /// Whether the channel has it.
    #[sqlx(try_from = "String")]
    pub state: SyncStatus,
    /// A call that may have been accepted has no known result.
    pub in_doubt: bool,
    /// Incremented with every change.
    pub version: i64,
    /// How often the channel showed something else than was pushed.
    pub mismatch_count: i64,
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
    let text = "insert into int_channel_bookings (account_id, source_id, booking_id, state, in_doubt, changed_at)
        select account_id, source_id, booking_id, 'pending', 1 = 0, invalidated_at from new where true
        order by account_id, source_id, booking_id
        on conflict (account_id, source_id, booking_id) do update set state = 'pending', error = null,
            version = int_channel_bookings.version + 1, mismatch_count = 0,
            changed_at = case when int_channel_bookings.state = 'confirmed'
                then excluded.changed_at else int_channel_bookings.changed_at end";
    new.write(tx, &[], text).await
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

/// Result of pushing a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservationPushResult {
    /// The channel has it.
    Confirmed,
    /// The channel acknowledged it; a read-back must confirm it.
    Unconfirmed,
    /// The channel rejected it, with the reason.
    Rejected(String),
    /// The channel shows something else, with the reason to push again.
    Mismatched(String),
    /// The channel may have it, with the reason for the doubt.
    InDoubt(String),
    /// The channel does not have it, with the reason: it was not sent, or the channel asked to be called later.
    NotSent(String),
}

/// A pushed booking and its result.
#[derive(Debug)]
pub struct PushedReservation<'a> {
    /// State before the push; a change since then is pushed again.
    pub sync_state: &'a ReservationSyncState,
    /// Digest of what was sent.
    pub digest: &'a str,
    /// The result.
    pub result: &'a ReservationPushResult,
    /// The channel may hold a reservation that was never confirmed.
    pub in_doubt: bool,
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
        ("result", ColumnType::Text),
        ("why", ColumnType::Text),
        ("digest", ColumnType::Text),
        ("was_sent", ColumnType::Int),
        ("may_be_there", ColumnType::Int),
        ("mismatched", ColumnType::Int),
    ]);
    for PushedReservation { sync_state, digest, result, in_doubt } in marks {
        let (state, why) = match result {
            ReservationPushResult::Confirmed => (SyncStatus::Confirmed, None),
            ReservationPushResult::Unconfirmed => (SyncStatus::Unconfirmed, None),
            ReservationPushResult::Rejected(why) => (SyncStatus::Rejected, Some(why.as_str())),
            ReservationPushResult::InDoubt(why)
            | ReservationPushResult::NotSent(why)
            | ReservationPushResult::Mismatched(why) => (SyncStatus::Pending, Some(why.as_str())),
        };
        new.push([
            sync_state.booking_id.into(),
            sync_state.version.into(),
            state.as_str().into(),
            why.into(),
            (*digest).into(),
            i64::from(!matches!(result, ReservationPushResult::NotSent(_))).into(),
            i64::from(*in_doubt).into(),
            i64::from(matches!(result, ReservationPushResult::Mismatched(_))).into(),
        ]);
    }
    let text = "update int_channel_bookings set
            state = case when int_channel_bookings.version = new.read then new.result else 'pending' end, error = new.why,
            in_doubt = new.may_be_there = 1,
            sent = case when new.was_sent = 1 then new.digest else int_channel_bookings.sent end,
            sent_at = case when new.was_sent = 1 then $3 else int_channel_bookings.sent_at end,
            confirmed = case when new.result = 'confirmed' then new.digest else int_channel_bookings.confirmed end,
            confirmed_at = case when new.result = 'confirmed' then $3 else int_channel_bookings.confirmed_at end,
            mismatch_count = case when new.mismatched = 1 then int_channel_bookings.mismatch_count + 1 when new.result = 'confirmed' then 0
                else int_channel_bookings.mismatch_count end
        from new
        where int_channel_bookings.account_id = $1 and int_channel_bookings.source_id = $2
            and int_channel_bookings.booking_id = new.booking";
    new.write(tx, &[account.0.into(), source.0.into(), now.into()], text).await
}

/// Marks bookings in doubt before a call whose end may never be seen.
pub async fn mark_in_doubt(tx: &mut Tx, SourceKey { account, source }: SourceKey, bookings: &[CoreId]) -> Result<()> {
    let new = rows::of_ids(bookings);
    let text = "update int_channel_bookings set in_doubt = 1 = 1 from new
        where int_channel_bookings.account_id = $1 and int_channel_bookings.source_id = $2
            and int_channel_bookings.booking_id = new.id";
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
