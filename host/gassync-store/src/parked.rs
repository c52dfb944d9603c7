//! Parked records of all sources, with the details a person needs to decide. Platform queries.

use std::collections::HashMap;

use gassync_domain::{Block, Date, Parked, Reservation, Timestamp};
use sqlx::{FromRow, types::Json};

use super::{
    Result, Time, Tx,
    mappings::EntityKind,
    on,
    rows::{ColumnType, Rows},
};

/// Maximum number of records returned per kind.
const MAX_PER_KIND: i64 = 500;

gassync_domain::words! {
    /// The kinds of records that can be parked. Requests may write a hyphen.
    pub enum ParkedKind {
        /// A house.
        Property = "property",
        /// A room type.
        #[serde(alias = "room-type")]
        RoomType = "room_type",
        /// A rate plan.
        #[serde(alias = "rate-plan")]
        RatePlan = "rate_plan",
        /// A reservation.
        Reservation = "reservation",
        /// Blocked nights.
        Block = "block",
    }
}

impl ParkedKind {
    /// Its link's kind, if it can be linked.
    pub const fn linked(self) -> Option<EntityKind> {
        match self {
            Self::Property => Some(EntityKind::Property),
            Self::RoomType => Some(EntityKind::RoomType),
            Self::RatePlan => Some(EntityKind::RatePlan),
            Self::Reservation => Some(EntityKind::Reservation),
            Self::Block => None,
        }
    }

    /// The kind of the parked record of a link; guests are never parked.
    pub fn of(kind: EntityKind) -> Option<Self> {
        Self::ALL.iter().copied().find(|parked| parked.linked() == Some(kind))
    }

    /// Its word in `gassync map`.
    pub fn in_commands(self) -> String {
        self.as_str().replace('_', "-")
    }
}

/// A parked record.
#[derive(Debug, Clone)]
pub struct ParkedAlarm {
    /// The source's name.
    pub source_name: String,
    /// Its kind.
    pub kind: ParkedKind,
    /// The source's id.
    pub external_id: String,
    /// The property's name in the core, otherwise the source's.
    pub property: Option<String>,
    /// The first room's name in the core, otherwise the source's name or id.
    pub room: Option<String>,
    /// The first night.
    pub first_night: Option<Date>,
    /// The last night.
    pub last_night: Option<Date>,
    /// Everything it waits for.
    pub missing: Parked,
    /// Whether a hold keeps its nights.
    pub held: bool,
    /// Parked since.
    pub since: Timestamp,
}

#[derive(FromRow)]
struct Row<T> {
    account_id: i64,
    source_id: i64,
    source_name: String,
    external_id: String,
    record: Json<T>,
    missing: Json<Parked>,
    held: bool,
    since: Time,
}

/// Parked records whose last night is `from` or later, or that have no nights; the oldest of each kind first.
pub async fn waiting(tx: &mut Tx, from: Date) -> Result<Vec<ParkedAlarm>> {
    let mut found = Vec::new();
    let text = "select p.account_id, p.source_id, s.source_name, p.external_id, p.record, p.missing, p.parked_at as since,
            (exists (select 1 from gas_holds h where h.account_id = p.account_id and h.id = p.hold_id)
            or exists (select 1 from int_mappings m
                join gas_bookings b on b.account_id = m.account_id and b.id = m.gas_entity_id
                where m.account_id = p.account_id and m.source_id = p.source_id and m.external_entity_type = 'reservation'
                    and m.external_entity_id = p.external_id and b.status in ('confirmed', 'pending', 'no-show'))) as held
        from int_parked_reservations p
        join int_sources s on s.account_id = p.account_id and s.id = p.source_id
        order by p.parked_at, p.account_id, p.source_id, p.external_id limit $1";
    let rows: Vec<Row<Reservation>> = on!(&mut *tx, c => sqlx::query_as(text).bind(MAX_PER_KIND).fetch_all(c).await)?;
    for row in rows {
        let (first, last) = nights(&row.record.0);
        let room = row.record.0.rooms.iter().find_map(|room| room.room_type_id.clone());
        found.push(((row.account_id, row.source_id), room, alarm(row, ParkedKind::Reservation, (first, last))));
    }
    let text = "select b.account_id, b.source_id, s.source_name, b.external_id, b.record, b.parked as missing,
            b.synced_at as since,
            exists (select 1 from int_block_maintenance n where n.account_id = b.account_id and n.int_block_id = b.id) as held
        from int_blocks b join int_sources s on s.account_id = b.account_id and s.id = b.source_id
        where b.parked is not null order by b.synced_at, b.id limit $1";
    let rows: Vec<Row<Block>> = on!(&mut *tx, c => sqlx::query_as(text).bind(MAX_PER_KIND).fetch_all(c).await)?;
    for row in rows {
        let Block { check_in, check_out, .. } = row.record.0;
        let room = row.record.0.room_types().next().cloned();
        let nights = (Some(check_in), check_out.yesterday().ok());
        found.push(((row.account_id, row.source_id), room, alarm(row, ParkedKind::Block, nights)));
    }
    found.retain(|(.., alarm)| alarm.last_night.is_none_or(|last| last >= from));
    let named = names(tx, &found).await?;
    let mut alarms = others(tx).await?;
    alarms.extend(found.into_iter().map(|((account, source), room, mut alarm)| {
        let name = room.as_ref().and_then(|room| named.get(&(account, source, room.clone())));
        alarm.property = name.and_then(|(property, _)| property.clone());
        alarm.room = name.map(|(_, room)| room.clone()).or(room);
        alarm
    }));
    Ok(alarms)
}

/// First and last night of a reservation over all its rooms.
pub fn nights(reservation: &Reservation) -> (Option<Date>, Option<Date>) {
    let arrivals = reservation.rooms.iter().filter_map(|room| room.check_in).chain(reservation.check_in);
    let departures = reservation.rooms.iter().filter_map(|room| room.check_out).chain(reservation.check_out);
    (arrivals.min(), departures.max().and_then(|departure| departure.yesterday().ok()))
}

fn alarm<T>(row: Row<T>, kind: ParkedKind, (first_night, last_night): (Option<Date>, Option<Date>)) -> ParkedAlarm {
    ParkedAlarm {
        source_name: row.source_name,
        kind,
        external_id: row.external_id,
        property: None,
        room: None,
        first_night,
        last_night,
        missing: row.missing.0,
        held: row.held,
        since: row.since.into(),
    }
}

type Found = ((i64, i64), Option<String>, ParkedAlarm);

/// Names of rooms and their properties, by account, source and the source's id.
async fn names(tx: &mut Tx, found: &[Found]) -> Result<HashMap<(i64, i64, String), (Option<String>, String)>> {
    let mut asked: Vec<(i64, i64, &str)> =
        found.iter().filter_map(|((account, source), room, _)| Some((*account, *source, room.as_deref()?))).collect();
    asked.sort_unstable();
    asked.dedup();
    let mut rows =
        Rows::new([("of_account", ColumnType::Int), ("of_source", ColumnType::Int), ("room", ColumnType::Text)]);
    for (account, source, room) in asked {
        rows.push([account.into(), source.into(), room.into()]);
    }
    let text = "select t.account_id, t.source_id, t.external_id, coalesce(g.name, h.name), coalesce(u.name, t.name)
        from new cross join int_room_types t
        left join int_properties h on h.account_id = t.account_id and h.id = t.int_property_id
        left join gas_bookable_units u on u.account_id = t.account_id and u.id = t.gas_unit_id
        left join gas_properties g on g.account_id = u.account_id and g.id = u.property_id
        where t.account_id = new.of_account and t.source_id = new.of_source and t.external_id = new.room";
    let found: Vec<(i64, i64, String, Option<String>, String)> = rows.read(tx, &[], text).await?;
    let pair = |(account, source, id, property, room)| ((account, source, id), (property, room));
    Ok(found.into_iter().map(pair).collect())
}

#[derive(FromRow)]
struct Other {
    #[sqlx(try_from = "String")]
    kind: ParkedKind,
    source_name: String,
    external_id: String,
    property: Option<String>,
    room: Option<String>,
    missing: Json<Parked>,
    since: Time,
}

/// Parked records of kinds without nights.
async fn others(tx: &mut Tx) -> Result<Vec<ParkedAlarm>> {
    let text =
        "select 'property' as kind, s.source_name, p.external_id, p.name as property, cast(null as text) as room,
            p.parked as missing, p.synced_at as since
        from int_properties p join int_sources s on s.account_id = p.account_id and s.id = p.source_id
        where p.parked is not null
        union all
        select 'room_type', s.source_name, t.external_id, p.name, t.name, t.parked, t.synced_at
        from int_room_types t join int_sources s on s.account_id = t.account_id and s.id = t.source_id
        left join int_properties p on p.account_id = t.account_id and p.id = t.int_property_id
        where t.parked is not null
        union all
        select 'rate_plan', s.source_name, r.external_id, cast(null as text), r.name, r.parked, r.synced_at
        from int_rate_plans r join int_sources s on s.account_id = r.account_id and s.id = r.source_id
        where r.parked is not null
        order by 7, 1, 3 limit $1";
    let rows: Vec<Other> = on!(tx, c => sqlx::query_as(text).bind(3 * MAX_PER_KIND).fetch_all(c).await)?;
    let alarm = |row: Other| ParkedAlarm {
        source_name: row.source_name,
        kind: row.kind,
        external_id: row.external_id,
        property: row.property,
        room: row.room,
        first_night: None,
        last_night: None,
        missing: row.missing.0,
        held: false,
        since: row.since.into(),
    };
    Ok(rows.into_iter().map(alarm).collect())
}
