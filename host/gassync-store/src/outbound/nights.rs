//! Sync state of nights at channels: desired, sent, and confirmed values.

use gassync_domain::{Date, SourceKey, Stay, Timestamp};
use sqlx::FromRow;

use super::SyncStatus;
use crate::{
    Day, Result, Time, Tx, on,
    rows::{self, ColumnType, Rows},
};

/// One night of a room type, under a rate plan where the channel has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NightKey {
    /// The room type's row.
    pub room_type: i64,
    /// The channel's id of the rate plan; empty where it has none.
    pub rate_plan_id: String,
    /// The night.
    pub night: Date,
}

/// Sync state of a night.
#[derive(Debug, Clone)]
pub struct NightState {
    /// The night.
    pub key: NightKey,
    /// Desired value.
    pub wanted: String,
    /// Value sent last.
    pub sent: Option<String>,
    /// Value confirmed last.
    pub confirmed: Option<String>,
    /// Whether the channel has it.
    pub state: SyncStatus,
    /// A call that may have been accepted has no known result.
    pub in_doubt: bool,
    /// How often the channel did not show what was sent.
    pub mismatch_count: i64,
    /// Time of the oldest unconfirmed change.
    pub changed_at: Timestamp,
    /// When it was sent last.
    pub sent_at: Option<Timestamp>,
    /// The channel has, or may have, a closing of ours.
    pub closed_by_us: bool,
}

#[derive(FromRow)]
struct Row {
    int_room_type_id: i64,
    rate_plan_external_id: String,
    night: Day,
    wanted: String,
    sent: Option<String>,
    confirmed: Option<String>,
    #[sqlx(try_from = "String")]
    state: SyncStatus,
    in_doubt: bool,
    mismatch_count: i64,
    changed_at: Time,
    sent_at: Option<Time>,
    closed_by_us: bool,
}

impl From<Row> for NightState {
    fn from(row: Row) -> Self {
        Self {
            key: NightKey {
                room_type: row.int_room_type_id,
                rate_plan_id: row.rate_plan_external_id,
                night: row.night.0,
            },
            wanted: row.wanted,
            sent: row.sent,
            confirmed: row.confirmed,
            state: row.state,
            in_doubt: row.in_doubt,
            mismatch_count: row.mismatch_count,
            changed_at: row.changed_at.into(),
            sent_at: row.sent_at.map(Timestamp::from),
            closed_by_us: row.closed_by_us,
        }
    }
}

macro_rules! select_states {
    ($rest:literal) => {
        concat!(
            "select n.int_room_type_id, n.rate_plan_external_id, n.night, n.wanted, n.sent, n.confirmed, n.state, n.in_doubt,
                n.mismatch_count, n.changed_at, n.sent_at, n.closed_by_us
            from ",
            $rest
        )
    };
}

/// Updates the nights in `new` of source `$2`, account `$1`, optionally only those that meet a condition.
macro_rules! update_new {
    ($set:literal $(, $hold:literal)?) => {
        concat!(
            "update int_channel_nights set ",
            $set,
            " from new
            where int_channel_nights.account_id = $1 and int_channel_nights.source_id = $2
                and int_channel_nights.int_room_type_id = new.room_type_id
                and int_channel_nights.rate_plan_external_id = new.rate_plan_id
                and int_channel_nights.night = new.night"
            $(, " and ", $hold)?
        )
    };
}

/// Known nights of a room type within these stays, for all rate plans.
pub async fn find(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    room_type: i64,
    stays: &[Stay],
) -> Result<Vec<NightState>> {
    let text = select_states!(
        "new cross join int_channel_nights n
        where n.account_id = $1 and n.source_id = $2 and n.int_room_type_id = $3
            and n.night >= new.first and n.night < new.past"
    );
    let shared = [account.0.into(), source.0.into(), room_type.into()];
    let rows: Vec<Row> = rows::of_stays(stays).read(tx, &shared, text).await?;
    Ok(rows.into_iter().map(NightState::from).collect())
}

/// The last known night of a room type and rate plan (empty if the channel has none).
pub async fn last_night(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    (room_type, rate_plan_id): (i64, &str),
) -> Result<Option<Date>> {
    let text = "select max(night) from int_channel_nights
        where account_id = $1 and source_id = $2 and int_room_type_id = $3 and rate_plan_external_id = $4";
    let night: Option<Day> = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(room_type)
        .bind(rate_plan_id).fetch_one(c).await)?;
    Ok(night.map(|night| night.0))
}

/// Nights to be pushed: least recently tried first, then by room type.
pub async fn pending(tx: &mut Tx, SourceKey { account, source }: SourceKey, limit: i64) -> Result<Vec<NightState>> {
    let text = select_states!(
        "int_channel_nights n where n.account_id = $1 and n.source_id = $2 and n.state = 'pending'
        order by n.sent_at nulls first, n.int_room_type_id, n.rate_plan_external_id, n.night limit $3"
    );
    let rows: Vec<Row> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(NightState::from).collect())
}

/// Upserts desired nights. The caller holds the source's queue lease, or a lock on the row in the same transaction.
pub async fn upsert(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    nights: &[NightState],
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([
        ("room_type_id", ColumnType::Int),
        ("rate_plan_id", ColumnType::Text),
        ("night", ColumnType::Day),
        ("wanted", ColumnType::Text),
        ("confirmed", ColumnType::Text),
        ("state", ColumnType::Text),
        ("changed_at", ColumnType::Time),
    ]);
    for night in nights {
        new.push([
            night.key.room_type.into(),
            night.key.rate_plan_id.as_str().into(),
            Day(night.key.night).into(),
            night.wanted.as_str().into(),
            night.confirmed.as_deref().into(),
            night.state.as_str().into(),
            night.changed_at.into(),
        ]);
    }
    macro_rules! upsert {
        ($confirmed_at:literal) => {
            concat!(
                "insert into int_channel_nights (account_id, source_id, int_room_type_id, rate_plan_external_id, night, wanted,
                    confirmed, state, in_doubt, mismatch_count, changed_at, confirmed_at)
                select $1, $2, room_type_id, rate_plan_id, night, wanted, confirmed, state, 1 = 0, 0, changed_at,
                    case when state = 'confirmed' then ",
                $confirmed_at,
                " end
                from new where true
                on conflict (account_id, source_id, int_room_type_id, rate_plan_external_id, night) do update set
                    wanted = excluded.wanted, confirmed = excluded.confirmed, state = excluded.state, mismatch_count = 0,
                    error = null,
                    -- Nothing else is on its way to a confirmed night.
                    sent = case when excluded.state = 'confirmed' then excluded.wanted else int_channel_nights.sent end,
                    changed_at = excluded.changed_at,
                    confirmed_at = coalesce(excluded.confirmed_at, int_channel_nights.confirmed_at)"
            )
        };
    }
    let text = tx.dialect(upsert!("$3"), upsert!("cast($3 as timestamptz)"));
    new.write(tx, &[account.0.into(), source.0.into(), now.into()], text).await
}

/// Result of pushing a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NightPushResult {
    /// The channel has it.
    Confirmed,
    /// The channel acknowledged it; a read-back must confirm it.
    Unconfirmed,
    /// The channel echoed the values; a read-back must confirm them.
    Echoed,
    /// The channel rejected it.
    Rejected,
    /// The channel may have it.
    InDoubt,
}

/// A pushed night and its result.
#[derive(Debug, Clone)]
pub struct PushedNight<'a> {
    /// The night.
    pub key: &'a NightKey,
    /// Value that was sent.
    pub value: &'a str,
    /// The result.
    pub result: NightPushResult,
    /// The channel's error or warning.
    pub error: Option<&'a str>,
}

/// A night about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingNight<'a> {
    /// The night.
    pub key: &'a NightKey,
    /// Desired value.
    pub value: &'a str,
    /// The push may close it.
    pub closes: bool,
}

/// Marks nights in doubt before a call, until its result is known.
pub async fn mark_in_doubt(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    nights: &[OutgoingNight<'_>],
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([
        ("room_type_id", ColumnType::Int),
        ("rate_plan_id", ColumnType::Text),
        ("night", ColumnType::Day),
        ("value", ColumnType::Text),
        ("closes", ColumnType::Int),
    ]);
    for OutgoingNight { key, value, closes } in nights {
        let (room_type, plan) = (key.room_type.into(), key.rate_plan_id.as_str().into());
        new.push([room_type, plan, Day(key.night).into(), (*value).into(), i64::from(*closes).into()]);
    }
    let text = update_new!(
        "sent = new.value, sent_at = $3, in_doubt = 1 = 1,
            closed_by_us = int_channel_nights.closed_by_us or new.closes = 1"
    );
    new.write(tx, &[account.0.into(), source.0.into(), now.into()], text).await
}

/// Records the results of a push. A night whose desired value has changed meanwhile is pushed again.
pub async fn record_results(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    nights: &[PushedNight<'_>],
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([
        ("room_type_id", ColumnType::Int),
        ("rate_plan_id", ColumnType::Text),
        ("night", ColumnType::Day),
        ("value", ColumnType::Text),
        ("result", ColumnType::Text),
        ("error", ColumnType::Text),
    ]);
    for PushedNight { key, value, result, error } in nights {
        let result = match result {
            NightPushResult::Confirmed => "confirmed",
            NightPushResult::Unconfirmed => "unconfirmed",
            NightPushResult::Echoed => "echoed",
            NightPushResult::Rejected => "rejected",
            NightPushResult::InDoubt => "pending",
        };
        new.push([
            key.room_type.into(),
            key.rate_plan_id.as_str().into(),
            Day(key.night).into(),
            (*value).into(),
            result.into(),
            (*error).into(),
        ]);
    }
    let text = update_new!(
        "sent = new.value, sent_at = $3, in_doubt = new.result = 'pending', error = new.error,
            confirmed = case when new.result in ('confirmed', 'echoed') then new.value
                -- Whether what was there before still is, nobody knows.
                when new.result = 'rejected' then null else int_channel_nights.confirmed end,
            confirmed_at = case when new.result = 'confirmed' then $3 else int_channel_nights.confirmed_at end,
            mismatch_count = case when new.result = 'confirmed' then 0 else int_channel_nights.mismatch_count end,
            state = case when int_channel_nights.wanted <> new.value then 'pending'
                when new.result = 'echoed' then 'unconfirmed' else new.result end"
    );
    new.write(tx, &[account.0.into(), source.0.into(), now.into()], text).await
}

/// Result of reading a night back.
#[derive(Debug, Clone)]
pub struct ReadBackResult<'a> {
    key: &'a NightKey,
    state: SyncStatus,
    error: Option<String>,
}

impl<'a> ReadBackResult<'a> {
    /// The channel shows what was sent.
    pub fn confirmed(key: &'a NightKey) -> Self {
        Self { key, state: SyncStatus::Confirmed, error: None }
    }

    /// The channel shows something else: push again.
    pub fn mismatched(key: &'a NightKey) -> Self {
        Self { key, state: SyncStatus::Pending, error: None }
    }

    /// It was changed at the channel by hand: push again, with the difference.
    pub fn changed(key: &'a NightKey, difference: String) -> Self {
        Self { key, state: SyncStatus::Pending, error: Some(difference) }
    }

    /// The channel keeps showing something else: a person must act.
    pub fn given_up(key: &'a NightKey) -> Self {
        let why = "the channel acknowledged it and shows something else";
        Self { key, state: SyncStatus::Rejected, error: Some(why.to_owned()) }
    }
}

/// Records read-back results of nights that were sent before the reading.
pub async fn record_read_back(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    nights: &[ReadBackResult<'_>],
    (observed_at, now): (Timestamp, Timestamp),
) -> Result<()> {
    let mut new = Rows::new([
        ("room_type_id", ColumnType::Int),
        ("rate_plan_id", ColumnType::Text),
        ("night", ColumnType::Day),
        ("agrees", ColumnType::Int),
        ("state", ColumnType::Text),
        ("error", ColumnType::Text),
    ]);
    for ReadBackResult { key, state, error } in nights {
        new.push([
            key.room_type.into(),
            key.rate_plan_id.as_str().into(),
            Day(key.night).into(),
            i64::from(*state == SyncStatus::Confirmed).into(),
            state.as_str().into(),
            error.into(),
        ]);
    }
    let text = update_new!(
        "confirmed = case when new.agrees = 1 then int_channel_nights.wanted end,
            sent = case when new.agrees = 1 then int_channel_nights.wanted else int_channel_nights.sent end,
            confirmed_at = case when new.agrees = 1 then $4 else int_channel_nights.confirmed_at end,
            mismatch_count = case when new.agrees = 1 then 0 else int_channel_nights.mismatch_count + 1 end,
            changed_at = case when new.agrees = 0 and int_channel_nights.state = 'confirmed' then $4
                else int_channel_nights.changed_at end,
            in_doubt = 1 = 0, error = new.error, state = new.state",
        "int_channel_nights.state in ('unconfirmed', 'confirmed')
            and (int_channel_nights.sent_at is null or int_channel_nights.sent_at < $3)"
    );
    new.write(tx, &[account.0.into(), source.0.into(), observed_at.into(), now.into()], text).await
}

/// Clears the mark of our closing on nights that the channel shows open, so that a later closing counts as manual.
pub async fn clear_closed_by_us(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    nights: &[&NightKey],
) -> Result<()> {
    let mut new =
        Rows::new([("room_type_id", ColumnType::Int), ("rate_plan_id", ColumnType::Text), ("night", ColumnType::Day)]);
    for key in nights {
        new.push([key.room_type.into(), key.rate_plan_id.as_str().into(), Day(key.night).into()]);
    }
    new.write(tx, &[account.0.into(), source.0.into()], update_new!("closed_by_us = 1 = 0")).await
}

/// Clears the confirmed value of nights closed or opened manually at the channel, until they are recomputed.
pub async fn clear_confirmed(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    nights: &[(i64, Date)],
) -> Result<()> {
    let mut new = Rows::new([("room_type_id", ColumnType::Int), ("night", ColumnType::Day)]);
    nights.iter().for_each(|(room_type, night)| new.push([(*room_type).into(), Day(*night).into()]));
    let text = "update int_channel_nights set confirmed = null, mismatch_count = 0,
            sent = case when state = 'confirmed' then null else sent end
        from new
        where int_channel_nights.account_id = $1 and int_channel_nights.source_id = $2
            and int_channel_nights.int_room_type_id = new.room_type_id and int_channel_nights.night = new.night";
    new.write(tx, &[account.0.into(), source.0.into()], text).await
}

/// Records nights that were sent before a reading which did not show them: they are pushed again, and rejected after
/// `most` mismatches.
pub async fn record_not_shown(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    most: i64,
    asked_at: Timestamp,
) -> Result<u64> {
    let text = "update int_channel_nights set mismatch_count = mismatch_count + 1,
            state = case when mismatch_count >= $3 then 'rejected' else 'pending' end,
            error = case when mismatch_count >= $3 then 'the channel acknowledged it and does not show the night' end
        where account_id = $1 and source_id = $2 and state = 'unconfirmed' and sent_at < $4";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(most).bind(Time::from(asked_at)).execute(c).await
        .map(|done| done.rows_affected()))
}

/// Room types with nights awaiting read-back, and the first and last of these nights.
pub async fn awaiting_confirmation(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
) -> Result<Vec<(String, Date, Date)>> {
    let text = "select r.external_id, min(n.night) as first_night, max(n.night) as last_night
        from int_channel_nights n join int_room_types r on r.account_id = n.account_id and r.id = n.int_room_type_id
        where n.account_id = $1 and n.source_id = $2 and n.state = 'unconfirmed' group by r.external_id order by r.external_id";
    let rows: Vec<(String, Day, Day)> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id, first, last)| (id, first.0, last.0)).collect())
}

/// Deletes nights that are over.
pub async fn delete_before(tx: &mut Tx, SourceKey { account, source }: SourceKey, before: Date) -> Result<()> {
    let text = "delete from int_channel_nights where account_id = $1 and source_id = $2 and night < $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(Day(before)).execute(c).await.map(drop))
}

/// Retires nights of a room type without a target, because a link is gone or no longer pushed. Values the channel has
/// from us are kept, so that our own closing never counts as manual; nights that were never sent are deleted.
pub async fn retire_all_but(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    room_type: i64,
    rate_plan_ids: &[&str],
) -> Result<()> {
    let text = "select distinct rate_plan_external_id from int_channel_nights
        where account_id = $1 and source_id = $2 and int_room_type_id = $3";
    let plans: Vec<String> = on!(&mut *tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(room_type)
        .fetch_all(c).await)?;
    for plan in plans.iter().filter(|plan| !rate_plan_ids.contains(&plan.as_str())) {
        for text in [
            "delete from int_channel_nights where account_id = $1 and source_id = $2 and int_room_type_id = $3
                and rate_plan_external_id = $4 and sent is null and confirmed is null",
            // If in doubt, the value sent last counts.
            "update int_channel_nights set wanted = coalesce(sent, confirmed), confirmed = coalesce(sent, confirmed),
                state = 'confirmed', in_doubt = (1 = 0), mismatch_count = 0, error = null
            where account_id = $1 and source_id = $2 and int_room_type_id = $3 and rate_plan_external_id = $4
                and state <> 'confirmed'",
        ] {
            on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(room_type).bind(plan).execute(c).await
                .map(drop))?;
        }
    }
    Ok(())
}

/// Deletes nights of which the channel has nothing from us.
pub async fn delete(tx: &mut Tx, SourceKey { account, source }: SourceKey, nights: &[(i64, Date)]) -> Result<()> {
    let mut gone = Rows::new([("room_type_id", ColumnType::Int), ("night", ColumnType::Day)]);
    nights.iter().for_each(|(room_type, night)| gone.push([(*room_type).into(), Day(*night).into()]));
    let text = "delete from int_channel_nights where account_id = $1 and source_id = $2
        and (int_room_type_id, night) in (select room_type_id, night from new)";
    gone.write(tx, &[account.0.into(), source.0.into()], text).await
}
