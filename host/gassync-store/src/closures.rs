//! Manual closures of sources, and the data needed to detect them.

use std::collections::HashMap;

use gassync_domain::{AccountId, Closure, CoreId, Date, ObservedNight, SourceKey, Stay, Timestamp};
use sqlx::FromRow;

use super::{
    Day, Result, Time, Tx,
    ledger::Span,
    on,
    rows::{self, ColumnType, Rows},
};

/// A night that was closed manually at a source's channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedNight {
    /// The room type's row.
    pub room_type: i64,
    /// The unit it closes.
    pub unit: CoreId,
    /// The night.
    pub night: Date,
    /// The kind of closure.
    pub closure: Closure,
    /// The core closure; `None` if it closes nothing.
    pub core: Option<CoreId>,
}

impl ClosedNight {
    /// Whether a stop-sell closes it that must not be lifted here.
    pub fn is_by_hand(&self) -> bool {
        self.closure.by_word && !self.closure.waived
    }
}

#[derive(FromRow)]
struct Row {
    int_room_type_id: i64,
    gas_unit_id: i64,
    night: Day,
    by_word: bool,
    units: i64,
    waived: bool,
    gas_closure_id: Option<i64>,
}

impl From<Row> for ClosedNight {
    fn from(row: Row) -> Self {
        Self {
            room_type: row.int_room_type_id,
            unit: CoreId(row.gas_unit_id),
            night: row.night.0,
            closure: Closure {
                by_word: row.by_word,
                units: u32::try_from(row.units).unwrap_or(u32::MAX),
                waived: row.waived,
            },
            core: row.gas_closure_id.map(CoreId),
        }
    }
}

macro_rules! closed {
    ($rest:literal) => {
        concat!(
            "select k.int_room_type_id, k.gas_unit_id, k.night, k.by_word, k.units, k.waived, k.gas_closure_id from ",
            $rest
        )
    };
}

/// Whether a source shows any night closed by hand.
pub async fn any(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<bool> {
    let text = "select exists (select 1 from int_closures where account_id = $1 and source_id = $2)";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_one(c).await)
}

/// The closed nights of a source's room type among those of some stays.
pub async fn of_room_type(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    room_type: i64,
    stays: &[Stay],
) -> Result<Vec<ClosedNight>> {
    let text = closed!(
        "new cross join int_closures k
        where k.account_id = $1 and k.source_id = $2 and k.int_room_type_id = $3
            and k.night >= new.first and k.night < new.past order by k.night"
    );
    let shared = [account.0.into(), source.0.into(), room_type.into()];
    let rows: Vec<Row> = rows::of_stays(stays).read(tx, &shared, text).await?;
    Ok(rows.into_iter().map(ClosedNight::from).collect())
}

/// All closed nights of a source, from a night on.
pub async fn of_source(tx: &mut Tx, SourceKey { account, source }: SourceKey, from: Date) -> Result<Vec<ClosedNight>> {
    let text = closed!(
        "int_closures k where k.account_id = $1 and k.source_id = $2 and k.night >= $3
        order by k.int_room_type_id, k.night"
    );
    let rows: Vec<Row> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(Day(from)).fetch_all(c).await)?;
    Ok(rows.into_iter().map(ClosedNight::from).collect())
}

/// The closed nights of a source on the units and nights of spans.
pub async fn on_spans(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    spans: &[Span],
) -> Result<Vec<ClosedNight>> {
    let mut new = Rows::new([("unit_id", ColumnType::Int), ("first", ColumnType::Day), ("past", ColumnType::Day)]);
    for Span { unit, stay } in spans {
        new.push([unit.0.into(), Day(stay.check_in()).into(), Day(stay.check_out()).into()]);
    }
    let text = closed!(
        "new cross join int_closures k
        where k.account_id = $1 and k.gas_unit_id = new.unit_id and k.night >= new.first and k.night < new.past
            and k.source_id = $2 order by k.int_room_type_id, k.night"
    );
    let rows: Vec<Row> = new.read(tx, &[account.0.into(), source.0.into()], text).await?;
    let mut found: Vec<ClosedNight> = rows.into_iter().map(ClosedNight::from).collect();
    // Spans may share nights.
    found.dedup();
    Ok(found)
}

/// Upserts closed nights.
pub async fn put(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    nights: &[ClosedNight],
    (observed_at, now): (Timestamp, Timestamp),
) -> Result<()> {
    let mut new = Rows::new([
        ("room_type_id", ColumnType::Int),
        ("unit_id", ColumnType::Int),
        ("night", ColumnType::Day),
        ("by_word", ColumnType::Int),
        ("units", ColumnType::Int),
        ("waived", ColumnType::Int),
        ("closure_id", ColumnType::Int),
    ]);
    for ClosedNight { room_type, unit, night, closure, core } in nights {
        new.push([
            (*room_type).into(),
            unit.0.into(),
            Day(*night).into(),
            i64::from(closure.by_word).into(),
            i64::from(closure.units).into(),
            i64::from(closure.waived).into(),
            core.map(|core| core.0).into(),
        ]);
    }
    let text = "insert into int_closures (account_id, source_id, int_room_type_id, night, gas_unit_id, by_word, units,
            waived, gas_closure_id, since, observed_at)
        select $1, $2, room_type_id, night, unit_id, by_word = 1, units, waived = 1, closure_id, $4, $3 from new where true
        on conflict (account_id, source_id, int_room_type_id, night) do update set gas_unit_id = excluded.gas_unit_id,
            by_word = excluded.by_word, units = excluded.units, waived = excluded.waived,
            gas_closure_id = excluded.gas_closure_id, observed_at = excluded.observed_at";
    new.write(tx, &[account.0.into(), source.0.into(), observed_at.into(), now.into()], text).await
}

/// Deletes closed nights that are open again.
pub async fn forget(tx: &mut Tx, SourceKey { account, source }: SourceKey, nights: &[ClosedNight]) -> Result<()> {
    let mut gone = Rows::new([("room_type_id", ColumnType::Int), ("night", ColumnType::Day)]);
    nights.iter().for_each(|closed| gone.push([closed.room_type.into(), Day(closed.night).into()]));
    let text = "delete from int_closures where account_id = $1 and source_id = $2
        and (int_room_type_id, night) in (select room_type_id, night from new)";
    gone.write(tx, &[account.0.into(), source.0.into()], text).await
}

/// Nights of a room type as its channel shows them, rate plans combined: a night is closed if a closing applies to the
/// room or to all its plans. Only observations up to an instant, each with the time it was first shown.
pub async fn shown(
    tx: &mut Tx,
    account: AccountId,
    room_type: i64,
    stays: &[Stay],
    until: Timestamp,
) -> Result<HashMap<Date, (ObservedNight, Timestamp)>> {
    #[derive(FromRow)]
    struct ObservedNights {
        rate_plan_external_id: String,
        date: Day,
        available: Option<bool>,
        units_available: Option<i64>,
        observed_at: Time,
    }
    let text = "select rate_plan_external_id, date, available, units_available, observed_at from new cross join int_availability
        where account_id = $1 and int_room_type_id = $2 and date >= new.first and date < new.past and observed_at <= $3
        order by date, rate_plan_external_id";
    let shared = [account.0.into(), room_type.into(), until.into()];
    let rows: Vec<ObservedNights> = rows::of_stays(stays).read(tx, &shared, text).await?;
    let mut nights: HashMap<Date, Vec<(bool, ObservedNight)>> = HashMap::new();
    let mut seen: HashMap<Date, Timestamp> = HashMap::new();
    for row in rows {
        let units = row.units_available.map(|units| u32::try_from(units).unwrap_or(0));
        let shown = ObservedNight { closed: row.available.map(|available| !available), units };
        nights.entry(row.date.0).or_default().push((row.rate_plan_external_id.is_empty(), shown));
        let at = Timestamp::from(row.observed_at);
        seen.entry(row.date.0).and_modify(|seen| *seen = at.max(*seen)).or_insert(at);
    }
    let seen = |night: &Date| seen.get(night).copied().unwrap_or(until);
    Ok(nights.into_iter().map(|(night, rows)| (night, (combine(&rows), seen(&night)))).collect())
}

/// Combines the observations of the room and of its rate plans.
fn combine(rows: &[(bool, ObservedNight)]) -> ObservedNight {
    let of_room = rows.iter().find(|(of_room, _)| *of_room).map(|(_, shown)| *shown).unwrap_or_default();
    let plans: Vec<ObservedNight> = rows.iter().filter(|(of_room, _)| !of_room).map(|(_, shown)| *shown).collect();
    let said: Vec<bool> = plans.iter().filter_map(|shown| shown.closed).collect();
    let plans_closed = (!said.is_empty()).then(|| said.iter().all(|closed| *closed));
    let closed = match (of_room.closed, plans_closed) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (one, other) => one.or(other),
    };
    ObservedNight { closed, units: of_room.units.or(plans.iter().filter_map(|shown| shown.units).max()) }
}

/// Rooms of a unit that a source's channel counts as taken, per night: its own bookings, our bookings that it has,
/// parked ones held here, and its blocks.
pub async fn taken_there(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    unit: CoreId,
    stays: &[Stay],
) -> Result<HashMap<Date, u32>> {
    let text = "select c.night, count(*) from new cross join gas_booking_nights c
        join gas_booking_rooms r on r.account_id = c.account_id and r.id = c.booking_room_id
        where c.account_id = $1 and c.unit_id = $3 and c.night >= new.first and c.night < new.past
            and (exists (select 1 from int_mappings m
                    where m.account_id = c.account_id and m.gas_entity_type = 'booking' and m.gas_entity_id = r.booking_id
                        and m.source_id = $2 and m.external_entity_type = 'reservation')
                or exists (select 1 from int_parked_reservations p
                    where p.account_id = c.account_id and p.source_id = $2 and p.hold_id = r.hold_id))
        group by c.night";
    let shared = [account.0.into(), source.0.into(), unit.0.into()];
    let rows: Vec<(Day, i64)> = rows::of_stays(stays).read(tx, &shared, text).await?;
    let mut taken: HashMap<Date, i64> = rows.into_iter().map(|(night, count)| (night.0, count)).collect();
    let text = "select m.starts_on, m.ends_on, m.quantity from int_blocks b
        join int_block_maintenance n on n.account_id = b.account_id and n.int_block_id = b.id
        join gas_maintenance m on m.account_id = n.account_id and m.id = n.gas_maintenance_id
        where b.account_id = $1 and b.source_id = $2 and b.deleted_at is null and m.unit_id = $3";
    let blocks: Vec<(Day, Day, i64)> =
        on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).bind(unit.0).fetch_all(c).await)?;
    for (from, until, quantity) in blocks {
        let Some(block) = Stay::spanning(from.0, until.0) else { continue };
        for night in stays.iter().filter_map(|stay| stay.shared_with(block)).flat_map(|shared| shared.each()) {
            *taken.entry(night).or_default() += quantity;
        }
    }
    Ok(taken.into_iter().map(|(night, count)| (night, u32::try_from(count).unwrap_or(u32::MAX))).collect())
}

/// The number of a source's room types linked with a unit.
pub async fn room_types_of_unit(tx: &mut Tx, SourceKey { account, source }: SourceKey, unit: CoreId) -> Result<i64> {
    let text = "select count(*) from int_room_types
        where account_id = $1 and source_id = $2 and gas_unit_id = $3 and deleted_at is null";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).bind(unit.0).fetch_one(c).await)
}

/// Closed nights of room types whose link has changed or is gone.
pub async fn elsewhere(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Vec<ClosedNight>> {
    let text = closed!(
        "int_closures k join int_room_types r on r.account_id = k.account_id and r.id = k.int_room_type_id
        where k.account_id = $1 and k.source_id = $2
            and (r.gas_unit_id is null or r.gas_unit_id <> k.gas_unit_id or r.deleted_at is not null)
        order by k.int_room_type_id, k.night"
    );
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)?;
    Ok(rows.into_iter().map(ClosedNight::from).collect())
}

/// Deletes past closed nights; the core is unchanged.
pub async fn forget_before(tx: &mut Tx, SourceKey { account, source }: SourceKey, before: Date) -> Result<()> {
    let text = "delete from int_closures where account_id = $1 and source_id = $2 and night < $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(Day(before)).execute(c).await.map(drop))
}

/// A source's room type that is linked with a unit.
#[derive(Debug, Clone, FromRow)]
pub struct LinkedRoomType {
    /// Its row.
    pub id: i64,
    /// The channel's id.
    pub external_id: String,
    unit_id: i64,
    /// The last night from today on that the channel has shown.
    last_night: Option<Day>,
}

impl LinkedRoomType {
    /// The unit it is linked with.
    pub fn unit(&self) -> CoreId {
        CoreId(self.unit_id)
    }

    /// The nights from `first` on that the channel has shown; `None` if it has shown none.
    pub fn shown_from(&self, first: Date) -> Option<Stay> {
        Stay::spanning(first, self.last_night?.0.tomorrow().ok()?)
    }
}

/// The room types of a source that are linked.
pub async fn linked_room_types(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Vec<LinkedRoomType>> {
    let text = "select r.id, r.external_id, r.gas_unit_id as unit_id, (select max(a.date) from int_availability a
            where a.account_id = r.account_id and a.int_room_type_id = r.id) as last_night
        from int_room_types r
        where r.account_id = $1 and r.source_id = $2 and r.gas_unit_id is not null and r.deleted_at is null order by r.id";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(source.0).fetch_all(c).await)
}
