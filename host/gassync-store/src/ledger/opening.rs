//! Creates and locks ledger rows before they are read.

use gassync_domain::{AccountId, CoreId, Date, Stay, Timestamp};
use sqlx::FromRow;

use super::Span;
use crate::{
    Day, Result, Tx,
    rows::{ColumnType, Rows},
};

/// A ledger row opened by a transaction.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct OpenNight {
    unit_id: i64,
    night: Day,
    /// Units left to sell; negative if more is blocked than is free.
    pub room: i64,
    /// Number sold beyond the capacity.
    pub overbooked: i64,
}

impl OpenNight {
    /// The unit and night.
    pub fn place(&self) -> (CoreId, Date) {
        (CoreId(self.unit_id), self.night.0)
    }
}

/// Creates the rows of these nights and locks them, so that what is read stays valid until the transaction ends.
///
/// All rows are created first and locked afterwards, both ordered by unit and night, so that transactions cannot
/// deadlock. A transaction opens once; see [`Tx::lock_ledger`] for those that cannot.
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

/// Sorts spans and joins those that touch.
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
        // Shares the lock on the unit's row, so that its quantity cannot change before it is copied here.
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
