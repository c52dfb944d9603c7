//! Sync state of nights at channels: desired, sent, and confirmed values.

use gassync_domain::{Date, SourceKey, Stay, SyncEvent, SyncState, SyncStatus, Timestamp};
use sqlx::FromRow;

use super::sync_state::{SyncStateRow, mismatch_step};
use crate::{
    Day, Result, Time, Tx, on,
    rows::{self, ColumnType, Rows},
};

/// Why a night is given up that the channel shows otherwise.
const SHOWS_ANOTHER: &str = "the channel acknowledged it and shows something else";
/// Why a night is given up that the channel does not show.
const SHOWS_NOTHING: &str = "the channel acknowledged it and does not show the night";

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
    /// Where it stands at the channel.
    pub state: SyncState,
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
    #[sqlx(flatten, try_from = "SyncStateRow")]
    state: SyncState,
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
        ("mismatches", ColumnType::Int),
        ("changed_at", ColumnType::Time),
    ]);
    for night in nights {
        new.push([
            night.key.room_type.into(),
            night.key.rate_plan_id.as_str().into(),
            Day(night.key.night).into(),
            night.wanted.as_str().into(),
            night.confirmed.as_deref().into(),
            night.state.status.as_str().into(),
            night.state.mismatch_count.into(),
            night.changed_at.into(),
        ]);
    }
    macro_rules! upsert {
        ($confirmed_at:literal) => {
            concat!(
                "insert into int_channel_nights (account_id, source_id, int_room_type_id, rate_plan_external_id, night, wanted,
                    confirmed, state, in_doubt, mismatch_count, changed_at, confirmed_at)
                select $1, $2, room_type_id, rate_plan_id, night, wanted, confirmed, state, 1 = 0, mismatches, changed_at,
                    case when state = 'confirmed' then ",
                $confirmed_at,
                " end
                from new where true
                on conflict (account_id, source_id, int_room_type_id, rate_plan_external_id, night) do update set
                    wanted = excluded.wanted, confirmed = excluded.confirmed, state = excluded.state,
                    mismatch_count = excluded.mismatch_count, error = null,
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

/// A night and the result of pushing it.
#[derive(Debug, Clone)]
pub struct PushedNight<'a> {
    /// The night, as it was before the push.
    pub night: &'a NightState,
    /// The result.
    pub event: SyncEvent,
    /// The channel's error or warning.
    pub error: Option<&'a str>,
}

/// A night about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingNight<'a> {
    /// The night.
    pub night: &'a NightState,
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
        ("in_doubt", ColumnType::Int),
        ("closes", ColumnType::Int),
    ]);
    for OutgoingNight { night: NightState { key, wanted, state, .. }, closes } in nights {
        new.push([
            key.room_type.into(),
            key.rate_plan_id.as_str().into(),
            Day(key.night).into(),
            wanted.as_str().into(),
            i64::from(state.after(SyncEvent::Sending).in_doubt).into(),
            i64::from(*closes).into(),
        ]);
    }
    let text = update_new!(
        "sent = new.value, sent_at = $3, in_doubt = new.in_doubt = 1,
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
        ("state", ColumnType::Text),
        ("in_doubt", ColumnType::Int),
        ("is_stored", ColumnType::Int),
        ("kept", ColumnType::Int),
        ("added", ColumnType::Int),
        ("error", ColumnType::Text),
    ]);
    for PushedNight { night: NightState { key, wanted, state, .. }, event, error } in nights {
        let next = state.after(*event);
        let is_stored = matches!(event, SyncEvent::Acknowledged { is_stored: true, .. });
        let (kept, added) = mismatch_step(*event);
        new.push([
            key.room_type.into(),
            key.rate_plan_id.as_str().into(),
            Day(key.night).into(),
            wanted.as_str().into(),
            next.status.as_str().into(),
            i64::from(next.in_doubt).into(),
            i64::from(is_stored).into(),
            kept.into(),
            added.into(),
            (*error).into(),
        ]);
    }
    let text = update_new!(
        "sent = new.value, sent_at = $3, in_doubt = new.in_doubt = 1, error = new.error,
            confirmed = case when new.is_stored = 1 then new.value
                -- Whether what was there before still is, nobody knows.
                when new.state = 'rejected' then null else int_channel_nights.confirmed end,
            confirmed_at = case when new.state = 'confirmed' then $3 else int_channel_nights.confirmed_at end,
            mismatch_count = int_channel_nights.mismatch_count * new.kept + new.added,
            -- The core may have changed while the push ran.
            state = case when int_channel_nights.wanted <> new.value then 'pending' else new.state end"
    );
    new.write(tx, &[account.0.into(), source.0.into(), now.into()], text).await
}

/// Result of reading a night back.
#[derive(Debug, Clone)]
pub struct ReadBackResult<'a> {
    night: &'a NightState,
    event: SyncEvent,
    error: Option<String>,
}

impl<'a> ReadBackResult<'a> {
    /// The channel shows what was sent.
    pub fn shown(night: &'a NightState) -> Self {
        Self { night, event: SyncEvent::Shown, error: None }
    }

    /// The channel shows something else: it is pushed again, with the difference if a person changed it there, or given up.
    pub fn not_shown(night: &'a NightState, difference: Option<String>) -> Self {
        let is_given_up = night.state.after(SyncEvent::NotShown).status == SyncStatus::Rejected;
        let error = if is_given_up { Some(SHOWS_ANOTHER.to_owned()) } else { difference };
        Self { night, event: SyncEvent::NotShown, error }
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
        ("in_doubt", ColumnType::Int),
        ("kept", ColumnType::Int),
        ("added", ColumnType::Int),
        ("error", ColumnType::Text),
    ]);
    for ReadBackResult { night: NightState { key, state, .. }, event, error } in nights {
        let next = state.after(*event);
        let (kept, added) = mismatch_step(*event);
        new.push([
            key.room_type.into(),
            key.rate_plan_id.as_str().into(),
            Day(key.night).into(),
            i64::from(*event == SyncEvent::Shown).into(),
            next.status.as_str().into(),
            i64::from(next.in_doubt).into(),
            kept.into(),
            added.into(),
            error.into(),
        ]);
    }
    let text = update_new!(
        "confirmed = case when new.agrees = 1 then int_channel_nights.wanted end,
            sent = case when new.agrees = 1 then int_channel_nights.wanted else int_channel_nights.sent end,
            confirmed_at = case when new.agrees = 1 then $4 else int_channel_nights.confirmed_at end,
            mismatch_count = int_channel_nights.mismatch_count * new.kept + new.added,
            changed_at = case when new.agrees = 0 and int_channel_nights.state = 'confirmed' then $4
                else int_channel_nights.changed_at end,
            in_doubt = new.in_doubt = 1, error = new.error, state = new.state",
        // It may have been sent again, or recorded by another reading, since it was read.
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
    let text = "update int_channel_nights set confirmed = null, mismatch_count = mismatch_count * $3 + $4,
            sent = case when state = 'confirmed' then null else sent end
        from new
        where int_channel_nights.account_id = $1 and int_channel_nights.source_id = $2
            and int_channel_nights.int_room_type_id = new.room_type_id and int_channel_nights.night = new.night";
    let (kept, added) = mismatch_step(SyncEvent::MovedByHand);
    new.write(tx, &[account.0.into(), source.0.into(), kept.into(), added.into()], text).await
}

/// Records nights that were sent before a reading which did not show them: they are pushed again, or given up. Returns
/// their number.
pub async fn record_not_shown(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    asked_at: Timestamp,
) -> Result<usize> {
    let text = tx.dialect(
        select_states!(
            "int_channel_nights n where n.account_id = $1 and n.source_id = $2 and n.state = 'unconfirmed' and n.sent_at < $3
            order by n.int_room_type_id, n.rate_plan_external_id, n.night"
        ),
        select_states!(
            "int_channel_nights n where n.account_id = $1 and n.source_id = $2 and n.state = 'unconfirmed' and n.sent_at < $3
            order by n.int_room_type_id, n.rate_plan_external_id, n.night for update"
        ),
    );
    let rows: Vec<Row> = on!(&mut *tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(Time::from(asked_at))
        .fetch_all(c).await)?;
    let sent: Vec<NightState> = rows.into_iter().map(NightState::from).collect();
    let mut new = Rows::new([
        ("room_type_id", ColumnType::Int),
        ("rate_plan_id", ColumnType::Text),
        ("night", ColumnType::Day),
        ("state", ColumnType::Text),
        ("in_doubt", ColumnType::Int),
        ("mismatches", ColumnType::Int),
        ("error", ColumnType::Text),
    ]);
    for NightState { key, state, .. } in &sent {
        let next = state.after(SyncEvent::NotShown);
        new.push([
            key.room_type.into(),
            key.rate_plan_id.as_str().into(),
            Day(key.night).into(),
            next.status.as_str().into(),
            i64::from(next.in_doubt).into(),
            next.mismatch_count.into(),
            (next.status == SyncStatus::Rejected).then_some(SHOWS_NOTHING).into(),
        ]);
    }
    let text = update_new!(
        "state = new.state, in_doubt = new.in_doubt = 1, mismatch_count = new.mismatches, error = new.error"
    );
    new.write(tx, &[account.0.into(), source.0.into()], text).await?;
    Ok(sent.len())
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
    // Whatever the state was.
    let SyncState { status, in_doubt, mismatch_count } = SyncState::NEW.after(SyncEvent::Retired);
    for plan in plans.iter().filter(|plan| !rate_plan_ids.contains(&plan.as_str())) {
        let text = "delete from int_channel_nights where account_id = $1 and source_id = $2 and int_room_type_id = $3
            and rate_plan_external_id = $4 and sent is null and confirmed is null";
        on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(room_type).bind(plan).execute(c).await
            .map(drop))?;
        // If in doubt, the value sent last counts.
        let text =
            "update int_channel_nights set wanted = coalesce(sent, confirmed), confirmed = coalesce(sent, confirmed),
                state = $5, in_doubt = $6, mismatch_count = $7, error = null
            where account_id = $1 and source_id = $2 and int_room_type_id = $3 and rate_plan_external_id = $4
                and state <> 'confirmed'";
        on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(room_type).bind(plan)
            .bind(status.as_str()).bind(in_doubt).bind(mismatch_count).execute(c).await.map(drop))?;
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
