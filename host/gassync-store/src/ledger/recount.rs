//! Compares the ledger with the bookings and holds.

use gassync_domain::{AccountId, Stay, Timestamp};
use sqlx::FromRow;

use crate::{Day, Result, Time, Tx, on};

/// A mismatch of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LedgerMismatch {
    /// The unit.
    pub unit_id: i64,
    /// The night.
    pub night: Day,
    /// Description of the mismatch.
    pub what: String,
}

/// Recounts an account's ledger from bookings, holds, links, maintenance and closures. An empty result means that it is
/// correct: every night of every hold and of every booking that takes nights is counted exactly once, and nothing else
/// is.
pub async fn differences(tx: &mut Tx, account: AccountId, now: Timestamp) -> Result<Vec<LedgerMismatch>> {
    let text = "select n.unit_id, n.night, 'counts' as what from gas_unit_nights n
        where n.account_id = $1 and (n.sold, n.held, n.overbooked) <> (
            select count(case when c.bucket = 'sold' then 1 end), count(case when c.bucket = 'held' then 1 end),
                   count(case when c.bucket = 'overbooked' then 1 end)
            from gas_booking_nights c
            where c.account_id = n.account_id and c.unit_id = n.unit_id and c.night = n.night)
        union all
        select n.unit_id, n.night, 'blocked' from gas_unit_nights n
        where n.account_id = $1 and n.blocked <> (
            select coalesce(cast(sum(m.quantity) as bigint), 0) from gas_maintenance m
            where m.account_id = n.account_id and m.unit_id = n.unit_id and m.starts_on <= n.night and m.ends_on > n.night
        ) + (
            select coalesce(cast(sum(k.quantity) as bigint), 0) from gas_closures k
            where k.account_id = n.account_id and k.unit_id = n.unit_id and k.night = n.night
        ) + (
            select count(*) from gas_unit_links l
            join gas_booking_nights c on c.account_id = l.account_id and c.unit_id = l.part_id and c.night = n.night
            where l.account_id = n.account_id and l.whole_id = n.unit_id
        ) + (
            select coalesce(cast(sum(l.quantity) as bigint), 0) from gas_unit_links l
            join gas_booking_nights c on c.account_id = l.account_id and c.unit_id = l.whole_id and c.night = n.night
            where l.account_id = n.account_id and l.part_id = n.unit_id
        )
        union all
        select n.unit_id, n.night, 'overbooked with room' from gas_unit_nights n
        where n.account_id = $1 and n.overbooked > 0 and n.sold + n.held + n.blocked + 1 <= n.capacity
        union all
        select c.unit_id, c.night, 'night of nobody' from gas_booking_nights c
        join gas_booking_rooms r on r.account_id = c.account_id and r.id = c.booking_room_id
        left join gas_bookings b on b.account_id = r.account_id and b.id = r.booking_id
        where c.account_id = $1 and ((r.hold_id is null and b.status not in ('confirmed', 'no-show', 'pending'))
            or (r.hold_id is not null and c.bucket = 'sold')
            or c.unit_id <> r.unit_id or c.night < r.check_in or c.night >= r.check_out)
        order by 1, 2, 3";
    let mut found: Vec<LedgerMismatch> = on!(&mut *tx, c => sqlx::query_as(text).bind(account.0).fetch_all(c).await)?;
    let text = "select r.unit_id, r.check_in, r.check_out, count(c.night) as nights from gas_booking_rooms r
        left join gas_bookings b on b.account_id = r.account_id and b.id = r.booking_id
        left join gas_booking_nights c on c.account_id = r.account_id and c.booking_room_id = r.id
        where r.account_id = $1 and (r.hold_id is not null or b.status in ('confirmed', 'no-show')
            or (b.status = 'pending' and (b.hold_until is null or b.hold_until > $2)))
        group by r.id, r.unit_id, r.check_in, r.check_out order by r.id";
    let rooms: Vec<(i64, Day, Day, i64)> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(Time::from(now)).fetch_all(c).await)?;
    let short = rooms.into_iter().filter(|(_, check_in, check_out, nights)| {
        Stay::spanning(check_in.0, check_out.0).is_none_or(|stay| i64::from(stay.nights()) != *nights)
    });
    let missing = "nights missing".to_owned();
    found.extend(short.map(|(unit_id, night, ..)| LedgerMismatch { unit_id, night, what: missing.clone() }));
    Ok(found)
}
