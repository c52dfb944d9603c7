//! Bookings of the core at channels.

use std::collections::HashMap;

use gassync_domain::{AccountId, CoreId, SourceId, Timestamp};
use sqlx::FromRow;

use super::{SyncStatus, invalidations::ReservationInvalidation};
use crate::store::{
    Result, Time, Tx, on,
    rows::{self, ColumnType, Rows},
};

/// How a booking stands at a source's channel.
#[derive(Debug, Clone, FromRow)]
pub struct ReservationSyncState {
    /// The booking.
    pub booking_id: i64,
    /// Whose channel.
    pub source_id: i64,
    /// What people call it.
    pub source_name: String,
    /// Whether the channel has it.
    #[sqlx(try_from = "String")]
    pub state: SyncStatus,
    /// A call that may have been taken did not end.
    pub in_doubt: bool,
    /// How often it has changed.
    pub version: i64,
    /// How often the channel showed something else than it was told.
    pub mismatch_count: i64,
    /// Of what was sent last.
    pub sent: Option<String>,
    /// Of what is surely there.
    pub confirmed: Option<String>,
    /// What was said to it.
    pub error: Option<String>,
    /// The oldest change that is not there.
    pub changed_at: Time,
    /// When it was sent last.
    pub sent_at: Option<Time>,
    /// When it was surely there.
    pub confirmed_at: Option<Time>,
    /// What the channel calls it.
    pub external_id: Option<String>,
}

/// These sources are to be told of these bookings.
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

/// How a booking stands at a source's channel; none where that is not told of it.
pub async fn get(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    booking: CoreId,
) -> Result<Option<ReservationSyncState>> {
    Ok(get_all(tx, account, source, &[booking]).await?.remove(&booking))
}

/// How bookings stand at a source's channel, those that it is told of.
pub async fn get_all(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    bookings: &[CoreId],
) -> Result<HashMap<CoreId, ReservationSyncState>> {
    let text = sync_state!("where b.account_id = $1 and b.source_id = $2 and b.booking_id in (select id from new)");
    let rows: Vec<ReservationSyncState> =
        rows::of_ids(bookings).read(tx, &[account.0.into(), source.0.into()], text).await?;
    Ok(rows.into_iter().map(|sync_state| (CoreId(sync_state.booking_id), sync_state)).collect())
}

/// How a booking stands at every channel that is told of it.
pub async fn of_booking(tx: &mut Tx, account: AccountId, booking: CoreId) -> Result<Vec<ReservationSyncState>> {
    let text = sync_state!("where b.account_id = $1 and b.booking_id = $2 order by b.source_id");
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(booking.0).fetch_all(c).await)
}

/// How bookings stand at a source's channel: those first that are not there, then the newest.
pub async fn of_source(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    limit: i64,
) -> Result<Vec<ReservationSyncState>> {
    let text = sync_state!(
        "where b.account_id = $1 and b.source_id = $2
        order by case when b.state = 'confirmed' then 1 else 0 end, b.changed_at desc, b.booking_id desc limit $3"
    );
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(limit).fetch_all(c).await)
}

/// The bookings that a source's channel is to be told of.
pub async fn pending(tx: &mut Tx, account: AccountId, source: SourceId) -> Result<Vec<CoreId>> {
    let text =
        "select booking_id from int_channel_bookings where account_id = $1 and source_id = $2 and state = 'pending'
        order by booking_id";
    let ids: Vec<i64> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    Ok(ids.into_iter().map(CoreId).collect())
}

/// The bookings that a source's channel was told of, and that are to be read back.
pub async fn awaiting_confirmation(tx: &mut Tx, account: AccountId, source: SourceId) -> Result<Vec<CoreId>> {
    let text = "select booking_id from int_channel_bookings where account_id = $1 and source_id = $2 and state = 'unconfirmed'";
    let ids: Vec<i64> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    Ok(ids.into_iter().map(CoreId).collect())
}

/// What came of telling a channel of a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservationPushResult {
    /// It has it for sure.
    Confirmed,
    /// It says so; it is to be read back.
    Unconfirmed,
    /// It will not have it, and why.
    Rejected(String),
    /// It shows something else than it was told, and why that is to be told again.
    Mismatched(String),
    /// It may have it, or not, and why.
    InDoubt(String),
    /// It surely does not have it yet, and why.
    NotSent(String),
}

/// What is noted of a booking that a channel was told of.
#[derive(Debug)]
pub struct PushedReservation<'a> {
    /// As it was read: what has changed since is to be told again.
    pub sync_state: &'a ReservationSyncState,
    /// Of what was sent.
    pub digest: &'a str,
    /// What came of it.
    pub result: &'a ReservationPushResult,
    /// Whether the channel may have something that nobody has seen.
    pub in_doubt: bool,
}

/// Notes what came of telling a channel, of bookings of which no two are the same.
pub async fn record_results(
    tx: &mut Tx,
    (account, source): (AccountId, SourceId),
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

/// A call is about to be made that may be taken although its end is never seen.
pub async fn mark_in_doubt(tx: &mut Tx, account: AccountId, source: SourceId, bookings: &[CoreId]) -> Result<()> {
    let new = rows::of_ids(bookings);
    let text = "update int_channel_bookings set in_doubt = 1 = 1 from new
        where int_channel_bookings.account_id = $1 and int_channel_bookings.source_id = $2
            and int_channel_bookings.booking_id = new.id";
    new.write(tx, &[account.0.into(), source.0.into()], text).await
}

/// The channel needs not be told of bookings after all.
pub async fn delete(tx: &mut Tx, account: AccountId, source: SourceId, bookings: &[CoreId]) -> Result<()> {
    let text = "delete from int_channel_bookings
        where account_id = $1 and source_id = $2 and booking_id in (select id from new)";
    rows::of_ids(bookings).write(tx, &[account.0.into(), source.0.into()], text).await
}

/// Whose booking it is. A platform query.
pub async fn account_of(tx: &mut Tx, booking: CoreId) -> Result<Option<AccountId>> {
    let text = "select account_id from gas_bookings where id = $1";
    let account: Option<i64> = on!(tx, c => sqlx::query_scalar(text).bind(booking.0).fetch_optional(c).await)?;
    Ok(account.map(AccountId))
}
