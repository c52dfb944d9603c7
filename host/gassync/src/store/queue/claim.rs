//! Taking work: lanes first, by turns, then what is due in them.

use gassync_domain::{AccountId, SourceId, Timestamp};
use jiff::SignedDuration;
use sqlx::{AssertSqlSafe, FromRow};

use super::{Job, Lane, Row, TAKEN};
use crate::store::{
    Result, Time, Tx, on,
    rows::{Kind, Rows},
};

/// A lane that is held, and what was taken out of it.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The tenant.
    pub account: AccountId,
    /// The source.
    pub source: SourceId,
    /// Which of its lanes.
    pub lane: Lane,
    /// What is to be done, in this order, those of a kind behind each other; never empty.
    pub jobs: Vec<Job>,
    pub(super) fence: i64,
}

/// A lane that has waited so long is as urgent as one of the next higher priority: prices wait behind what can be sold, and not
/// until nothing is left of that.
const URGENT_IN: SignedDuration = SignedDuration::from_secs(2);
/// After so long it is as urgent as one of the priority above that.
const MORE_URGENT_IN: SignedDuration = SignedDuration::from_secs(4);

#[derive(FromRow)]
struct Held {
    account_id: i64,
    source_id: i64,
    lane: String,
    fence: i64,
}

/// Which work is taken: the two have places of their own, so that neither keeps the other from being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The talk with channels, and what this host does alone.
    Jobs,
    /// What subscribers are told.
    Deliveries,
}

/// What is taken with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Company {
    /// Jobs of these kinds, in the order in which they are done.
    pub kinds: &'static [&'static str],
    /// Most of each kind, the job itself included.
    pub most: i64,
    /// Each ends by itself: one that failed before takes no other of its kind with it.
    pub apart: bool,
}

impl Company {
    /// The job is taken alone.
    pub const NONE: Self = Self { kinds: &[], most: 1, apart: false };
}

/// Whether a lane may have something to do. A platform query.
pub async fn is_waiting(tx: &mut Tx, work: Work, now: Timestamp) -> Result<bool> {
    let text = "select exists (select 1 from int_lanes where due_at <= $1 and (busy_until is null or busy_until <= $1)
        and (shut_until is null or shut_until <= $1) and (lane like 'webhook/%') = $2)";
    on!(tx, c => sqlx::query_scalar(text).bind(Time::from(now)).bind(work == Work::Deliveries).fetch_one(c).await)
}

/// Takes lanes that have something of such work to do, and the most urgent job of each with others that can be done with it, as
/// `company` says of its kind. Accounts take turns: the one with the fewest lanes at work is next, and of those the one
/// that waited longest; none has more than `most_of_one` of them. Of an account's lanes the one with the most urgent job is
/// next, and each becomes more urgent by waiting. What needs a plugin waits while that is disabled. Others are kept off
/// until `until`. A platform query.
pub async fn claim(
    tx: &mut Tx,
    work: Work,
    (now, until): (Timestamp, Timestamp),
    (lanes, most_of_one): (i64, i64),
    company: impl Fn(&str) -> Company,
) -> Result<Vec<Taken>> {
    let held = take_lanes(tx, work, (now, until), (lanes, most_of_one)).await?;
    let mut first = first_of_each(tx, &held, now).await?;
    let mut taken = Vec::new();
    let mut empty = Vec::new();
    for held in held {
        let of_lane =
            |job: &Job| job.account.0 == held.account_id && job.source.0 == held.source_id && job.claim == held.fence;
        let Some(place) = first.iter().position(|(lane, job)| *lane == held.lane && of_lane(job)) else {
            empty.push(held);
            continue;
        };
        let (_, job) = first.swap_remove(place);
        let company = company(&job.kind);
        let mut jobs = vec![job];
        if company.most > 1 {
            jobs.extend(in_company(tx, &held, &jobs[0], (now, company)).await?);
            // The most urgent stays the first of its kind.
            jobs.sort_by_key(|job| company.kinds.iter().position(|kind| *kind == job.kind));
        }
        taken.push(Taken {
            account: jobs[0].account,
            source: jobs[0].source,
            lane: Lane::named(&held.lane),
            fence: held.fence,
            jobs,
        });
    }
    // What was due in them is gone.
    for Held { account_id, source_id, lane, fence } in empty {
        let text = "update int_lanes set busy_until = null, due_at = (select min(j.run_at) from int_jobs j
                where j.account_id = $1 and j.source_id = $2 and j.lane = $3 and j.state = 'waiting')
            where account_id = $1 and source_id = $2 and lane = $3 and fence = $4";
        on!(&mut *tx, c => sqlx::query(text).bind(account_id).bind(source_id).bind(lane).bind(fence).execute(c).await
            .map(drop))?;
    }
    Ok(taken)
}

async fn take_lanes(
    tx: &mut Tx,
    work: Work,
    (now, until): (Timestamp, Timestamp),
    (lanes, most_of_one): (i64, i64),
) -> Result<Vec<Held>> {
    /// Lanes that are ready, each with its place: behind those of its account that are at work, and behind its sisters
    /// that are more urgent or waited longer.
    const READY: &str = "select ready.account_id, ready.source_id, ready.lane from (
            select l.account_id, l.source_id, l.lane, t.served_at as turn,
                row_number() over (partition by l.account_id
                    order by l.urgency - case when l.due_at <= $7 then 2 when l.due_at <= $6 then 1 else 0 end,
                        l.served_at, l.source_id, l.lane)
                + (select count(*) from int_lanes b where b.account_id = l.account_id and b.busy_until > $1
                    and (b.lane like 'webhook/%') = $5) as place
            from int_lanes l
            -- One whose polls fail goes on. Whoever listens to a source hears of the core, whatever became of its channel.
            join int_sources s on s.account_id = l.account_id and s.id = l.source_id
                and (s.status in ('active', 'error') or (s.status = 'expired' and $5))
                and (s.sync_enabled or l.lane <> 'channel')
            left join int_plugins p on p.id = s.source_type
            left join int_turns t on t.account_id = l.account_id
            where l.due_at <= $1 and (l.busy_until is null or l.busy_until <= $1)
                and (l.shut_until is null or l.shut_until <= $1)
                and (l.lane like 'webhook/%') = $5
                and (l.lane <> 'channel' or (p.status = 'enabled' and p.serving is not null))
        ) ready where ready.place <= $4
        order by ready.place, ready.turn nulls first, ready.account_id limit $3";
    let take = "update int_lanes set busy_until = $2, fence = fence + 1, served_at = $1
        where (account_id, source_id, lane) in";
    let back = "returning account_id, source_id, lane, fence";
    let text = match tx {
        Tx::Sqlite(..) => format!("{take} ({READY}) {back}"),
        // Another process may have taken one since: it is looked at once more, under its lock.
        Tx::Postgres(..) => format!(
            "{take} (select w.account_id, w.source_id, w.lane from int_lanes w
                where w.due_at <= $1 and (w.busy_until is null or w.busy_until <= $1)
                    and (w.account_id, w.source_id, w.lane) in ({READY}) for update skip locked) {back}"
        ),
    };
    let held: Vec<Held> = on!(&mut *tx, c => sqlx::query_as(AssertSqlSafe(text)).bind(Time::from(now)).bind(Time::from(until))
        .bind(lanes).bind(most_of_one).bind(work == Work::Deliveries).bind(Time::from(now - URGENT_IN))
        .bind(Time::from(now - MORE_URGENT_IN)).fetch_all(c).await)?;
    let mut accounts: Vec<i64> = held.iter().map(|held| held.account_id).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let mut turns = Rows::new([("account_id", Kind::Int)]);
    accounts.into_iter().for_each(|account| turns.push([account.into()]));
    let text =
        "insert into int_turns (account_id, served_at) select account_id, $1 from new where true order by account_id
        on conflict (account_id) do update set served_at = excluded.served_at";
    turns.write(tx, &[now.into()], text).await?;
    Ok(held)
}

async fn first_of_each(tx: &mut Tx, held: &[Held], now: Timestamp) -> Result<Vec<(String, Job)>> {
    #[derive(FromRow)]
    struct InLane {
        lane: String,
        #[sqlx(flatten)]
        row: Row,
    }
    let mut new =
        Rows::new([("account_id", Kind::Int), ("source_id", Kind::Int), ("lane", Kind::Text), ("fence", Kind::Int)]);
    for held in held {
        new.push([held.account_id.into(), held.source_id.into(), held.lane.as_str().into(), held.fence.into()]);
    }
    // Found before anything is written: otherwise PostgreSQL looks for it once more beside each job that the account ever had.
    let due = in_its_order(tx);
    let text = format!(
        ", first (account_id, fence, id) as materialized (
            select new.account_id, new.fence, (
                select i.id from int_jobs i
                where i.account_id = new.account_id and i.source_id = new.source_id and i.lane = new.lane
                    and i.state = 'waiting' and {due} <= $1
                order by i.priority, i.run_at, i.id limit 1)
            from new
        )
        update int_jobs set attempts = attempts + 1, claim = first.fence from first
        where int_jobs.account_id = first.account_id and int_jobs.id = first.id
        returning int_jobs.lane, {TAKEN}"
    );
    let rows: Vec<InLane> = new.read(tx, &[now.into()], &text).await?;
    Ok(rows.into_iter().map(|InLane { lane, row }| (lane, Job::from(row))).collect())
}

/// When a job is due, in words by which SQLite does not look for it: it would sort all that is due to find the most urgent.
fn in_its_order(tx: &Tx) -> &'static str {
    tx.dialect("+i.run_at", "i.run_at")
}

/// What failed before is tried alone of its kind, so that it takes no other with it.
async fn in_company(tx: &mut Tx, held: &Held, first: &Job, (now, company): (Timestamp, Company)) -> Result<Vec<Job>> {
    let due = in_its_order(tx);
    // Words of this program. Of other kinds there is little, and each has one lane: they are not looked for behind all of this
    // one, nor in an order for which SQLite would go through all that the account ever had.
    let others: Vec<&str> = company.kinds.iter().copied().filter(|kind| *kind != first.kind).collect();
    let others = others.join("', '");
    let text = format!(
        "update int_jobs set attempts = attempts + 1, claim = $5 where account_id = $1 and id in (
            select id from (
                select i.id from int_jobs i
                where i.account_id = $1 and i.source_id = $2 and i.lane = $3 and i.id <> $4 and i.state = 'waiting'
                    and i.kind = $9 and ($8 or (i.attempts = 0 and $10)) and {due} <= $6
                order by i.priority, i.run_at, i.id limit $7) alike
            union all
            select id from (
                select i.id from int_jobs i
                where i.account_id = $1 and i.source_id = $2 and i.kind in ('{others}') and i.state = 'waiting'
                    and {due} <= $6
                limit $7) others)
        returning {TAKEN}"
    );
    let mut rows: Vec<Row> = on!(tx, c => sqlx::query_as(AssertSqlSafe(text)).bind(held.account_id).bind(held.source_id)
        .bind(&held.lane).bind(first.id).bind(held.fence).bind(Time::from(now)).bind(company.most - 1).bind(company.apart)
        .bind(&first.kind).bind(first.attempts == 1).fetch_all(c).await)?;
    rows.sort_by_key(|row| row.id);
    Ok(rows.into_iter().map(Job::from).collect())
}

/// The lanes are still being worked on. One that somebody else has taken meanwhile is his.
pub async fn extend(tx: &mut Tx, taken: &Taken, until: Timestamp) -> Result<()> {
    let text = "update int_lanes set busy_until = $5
        where account_id = $1 and source_id = $2 and lane = $3 and fence = $4 and busy_until is not null";
    on!(tx, c => sqlx::query(text).bind(taken.account.0).bind(taken.source.0).bind(taken.lane.name()).bind(taken.fence)
        .bind(Time::from(until)).execute(c).await.map(drop))
}
