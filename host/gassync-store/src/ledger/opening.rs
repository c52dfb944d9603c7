//! Rows of the ledger are made and locked before anything is read of them.

use gassync_domain::{AccountId, CoreId, Date, Stay, Timestamp};
use sqlx::FromRow;

use super::Span;
use crate::{
    Day, Result, Tx,
    rows::{ColumnType, Rows},
};

/// A night that a transaction has opened.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct OpenNight {
    unit_id: i64,
    night: Day,
    /// How many more can be sold; less than none where more is blocked than is free.
    pub room: i64,
    /// How many were sold that there is no room for.
    pub overbooked: i64,
}

impl OpenNight {
    /// Which night of which unit.
    pub fn place(&self) -> (CoreId, Date) {
        (CoreId(self.unit_id), self.night.0)
    }
}

/// Makes the rows of these nights and locks them, so that what is read of them stays true to the end of the transaction.
///
/// All rows are made, then all are locked, both in the order of unit and night: two transactions never wait for each
/// other in a ring. A transaction opens once; see [`Tx::lock_ledger`] for those that cannot.
pub async fn open(tx: &mut Tx, account: AccountId, spans: &[Span], now: Timestamp) -> Result<Vec<OpenNight>> {
    let spans = joined(spans);
    make(tx, account, &spans, now).await?;
    lock(tx, account, &spans).await
}

pub(super) async fn lock(tx: &mut Tx, account: AccountId, spans: &[Span]) -> Result<Vec<OpenNight>> {
    let text = tx.dialect(
        "select n.unit_id, n.night, n.capacity - n.sold - n.held - n.blocked as room, n.overbooked
        from new cross join gas_unit_nights n
        where n.account_id = $1 and n.unit_id = new.unit_id and n.night >= new.first and n.night < new.past
        order by n.unit_id, n.night",
        "select n.unit_id, n.night, n.capacity - n.sold - n.held - n.blocked as room, n.overbooked
        from new cross join gas_unit_nights n
        where n.account_id = $1 and n.unit_id = new.unit_id and n.night >= new.first and n.night < new.past
        order by n.unit_id, n.night for update of n",
    );
    of_spans(spans).read(tx, &[account.0.into()], text).await
}

fn of_spans<'a>(spans: &[Span]) -> Rows<'a, 3> {
    let mut rows = Rows::new([("unit_id", ColumnType::Int), ("first", ColumnType::Day), ("past", ColumnType::Day)]);
    for Span { unit, stay } in spans {
        rows.push([unit.0.into(), Day(stay.check_in()).into(), Day(stay.check_out()).into()]);
    }
    rows
}

/// In order, those that meet made into one.
fn joined(spans: &[Span]) -> Vec<Span> {
    let mut spans = spans.to_vec();
    spans.sort_unstable_by_key(|span| (span.unit.0, span.stay.check_in(), span.stay.check_out()));
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        if let Some(last) = joined.last_mut()
            && last.unit == span.unit
            && span.stay.check_in() <= last.stay.check_out()
            && let Some(stay) = Stay::spanning(last.stay.check_in(), last.stay.check_out().max(span.stay.check_out()))
        {
            last.stay = stay;
        } else {
            joined.push(span);
        }
    }
    joined
}

async fn make(tx: &mut Tx, account: AccountId, spans: &[Span], now: Timestamp) -> Result<()> {
    let text = tx.dialect(
        ", n (unit_id, night, past) as (
            select * from new
            union
            select unit_id, date(night, '+1 day'), past from n where date(night, '+1 day') < past
        )
        insert into gas_unit_nights (account_id, unit_id, night, capacity, sold, held, blocked, overbooked, updated_at)
        select u.account_id, u.id, n.night, u.quantity, 0, 0, 0, 0, $2
        from n join gas_bookable_units u on u.account_id = $1 and u.id = n.unit_id
        where not exists (select 1 from gas_unit_nights old
            where old.account_id = u.account_id and old.unit_id = u.id and old.night = n.night)
        on conflict do nothing",
        // The unit's own row is shared, so that its quantity cannot change between being read and being written here.
        ", n (unit_id, night) as (
            select s.unit_id, cast(d as date)
            from new s cross join lateral generate_series(s.first, s.past - 1, interval '1 day') d
        )
        insert into gas_unit_nights (account_id, unit_id, night, capacity, sold, held, blocked, overbooked, updated_at)
        select u.account_id, u.id, n.night, u.quantity, 0, 0, 0, 0, $2
        from n join gas_bookable_units u on u.account_id = $1 and u.id = n.unit_id
        where not exists (select 1 from gas_unit_nights old
            where old.account_id = u.account_id and old.unit_id = u.id and old.night = n.night)
        order by u.id, n.night for share of u on conflict do nothing",
    );
    of_spans(spans).write(tx, &[account.0.into(), now.into()], text).await
}
