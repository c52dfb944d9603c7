//! External ids of units and bookings at a source's channel.

use std::collections::HashMap;

use gassync_domain::{CoreId, SourceKey, Timestamp};
use sqlx::FromRow;

use crate::{
    Result, Tx, on,
    rows::{self, ColumnType, Rows},
};

/// External ids of a unit.
#[derive(Debug, Clone, FromRow)]
pub struct RoomExternalId {
    unit_id: i64,
    /// The room type.
    pub room_type_id: String,
    /// Its property.
    pub property_id: Option<String>,
}

/// External ids of these units, if their links are pushed.
pub async fn by_units(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    units: &[CoreId],
) -> Result<HashMap<CoreId, RoomExternalId>> {
    let text = "select r.gas_unit_id as unit_id, r.external_id as room_type_id, p.external_id as property_id
        from new cross join int_room_types r
        join int_mappings m on m.account_id = r.account_id and m.source_id = r.source_id
            and m.external_entity_type = 'room_type' and m.external_entity_id = r.external_id and m.push
        left join int_properties p on p.account_id = r.account_id and p.id = r.int_property_id
        left join int_mappings h on h.account_id = r.account_id and h.source_id = r.source_id
            and h.external_entity_type = 'property' and h.external_entity_id = p.external_id
        where r.account_id = $1 and r.source_id = $2 and r.gas_unit_id = new.id and r.deleted_at is null
            and (h.push is null or h.push)
        order by r.id";
    let found: Vec<RoomExternalId> = rows::of_ids(units).read(tx, &[account.0.into(), source.0.into()], text).await?;
    let mut names = HashMap::new();
    for name in found {
        // If several room types sell one unit, the first one is used.
        names.entry(CoreId(name.unit_id)).or_insert(name);
    }
    Ok(names)
}

/// External id of a booking.
#[derive(Debug, Clone, FromRow)]
pub struct ReservationExternalId {
    booking_id: i64,
    /// The reservation.
    pub external_id: String,
    /// The booking originated in the core.
    pub ours: bool,
    /// Changes of the core are pushed.
    pub push: bool,
}

/// External ids of these bookings.
pub async fn by_bookings(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    bookings: &[CoreId],
) -> Result<HashMap<CoreId, ReservationExternalId>> {
    let text =
        "select m.gas_entity_id as booking_id, m.external_entity_id as external_id, m.origin = 'core' as ours, m.push
        from new cross join int_mappings m
        where m.account_id = $1 and m.source_id = $2 and m.external_entity_type = 'reservation'
            and m.gas_entity_type = 'booking' and m.gas_entity_id = new.id";
    let found: Vec<ReservationExternalId> =
        rows::of_ids(bookings).read(tx, &[account.0.into(), source.0.into()], text).await?;
    Ok(found.into_iter().map(|name| (CoreId(name.booking_id), name)).collect())
}

/// An external id that a channel assigned to a booking of the core.
#[derive(Debug)]
pub struct ExternalIdAssignment<'a> {
    /// The booking.
    pub booking: CoreId,
    /// The reservation.
    pub external_id: &'a str,
    /// The external id that it replaces.
    pub replaces: Option<&'a str>,
}

/// Links bookings of the core with their external ids. Changes from the channel do not update the core, which owns
/// these bookings.
pub async fn assign(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    links: &[ExternalIdAssignment<'_>],
    now: Timestamp,
) -> Result<()> {
    let mut new = Rows::new([("external_id", ColumnType::Text), ("booking", ColumnType::Int)]);
    for ExternalIdAssignment { booking, external_id, replaces } in links {
        if let Some(former) = replaces.filter(|former| former != external_id) {
            unassign(tx, SourceKey { account, source }, former).await?;
        }
        new.push([(*external_id).into(), booking.0.into()]);
    }
    let text =
        "insert into int_mappings (account_id, source_id, external_entity_type, external_entity_id, gas_entity_type,
            gas_entity_id, auto_sync, origin, created_at)
        select $1, $2, 'reservation', external_id, 'booking', booking, 1 = 0, 'core', $3 from new where true
        on conflict (account_id, source_id, external_entity_type, external_entity_id) do nothing";
    new.write(tx, &[account.0.into(), source.0.into(), now.into()], text).await
}

/// The core's own bookings with these external ids.
pub async fn bookings_by_external_id(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    ids: &[String],
) -> Result<Vec<(CoreId, String)>> {
    let mut new = Rows::new([("id", ColumnType::Text)]);
    ids.iter().for_each(|id| new.push([id.as_str().into()]));
    let text = "select m.gas_entity_id, m.external_entity_id from new cross join int_mappings m
        where m.account_id = $1 and m.source_id = $2 and m.external_entity_type = 'reservation'
            and m.external_entity_id = new.id and m.origin = 'core'";
    let found: Vec<(i64, String)> = new.read(tx, &[account.0.into(), source.0.into()], text).await?;
    Ok(found.into_iter().map(|(booking, id)| (CoreId(booking), id)).collect())
}

/// Removes an external id from a booking of the core.
pub async fn unassign(tx: &mut Tx, SourceKey { account, source }: SourceKey, external_id: &str) -> Result<()> {
    let text = "delete from int_mappings where account_id = $1 and source_id = $2
        and external_entity_type = 'reservation' and external_entity_id = $3 and origin = 'core'";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_id).execute(c).await.map(drop))
}
