//! Push targets: which room type and rate plan at the channel a unit's nights are pushed to.

use std::collections::HashMap;

use gassync_domain::{CoreId, SourceKey};
use sqlx::FromRow;

use crate::{
    Result, Tx,
    rows::{ColumnType, Rows},
};

/// A room type of a source, with a rate plan if the channel has them.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PushTarget {
    /// The room type's row.
    pub room_type: i64,
    /// The channel's id of the room type.
    pub room_type_id: String,
    /// The channel's id of its property.
    pub property_id: Option<String>,
    unit_id: i64,
    /// The channel's id of the rate plan; empty if it has none.
    pub rate_plan_id: String,
    plan_id: Option<i64>,
    /// IANA time zone of its property.
    pub time_zone: Option<String>,
    /// ISO 4217 currency of its property.
    pub currency: Option<String>,
}

impl PushTarget {
    /// The unit sold there.
    pub fn unit(&self) -> CoreId {
        CoreId(self.unit_id)
    }

    /// The rate plan whose prices are pushed.
    pub fn plan(&self) -> Option<CoreId> {
        self.plan_id.map(CoreId)
    }
}

/// Push targets of a source by room type row, loaded on demand.
#[derive(Debug)]
pub struct PushTargets {
    source: SourceKey,
    known: HashMap<i64, Vec<PushTarget>>,
}

impl PushTargets {
    /// No targets loaded yet.
    pub fn new(source: SourceKey) -> Self {
        Self { source, known: HashMap::new() }
    }

    /// Targets of a room type that was loaded.
    pub fn get(&self, room_type: i64) -> &[PushTarget] {
        self.known.get(&room_type).map_or(&[], Vec::as_slice)
    }

    /// Loads the targets of these room types, unless already loaded.
    pub async fn load(&mut self, tx: &mut Tx, room_types: impl IntoIterator<Item = i64>) -> Result<()> {
        let new: Vec<i64> = room_types.into_iter().filter(|row| !self.known.contains_key(row)).collect();
        let found = of_room_types(tx, self.source, &new).await?;
        self.known.extend(new.into_iter().map(|row| (row, Vec::new())));
        for target in found {
            self.known.entry(target.room_type).or_default().push(target);
        }
        Ok(())
    }
}

/// Targets of these room types: one per linked rate plan of the property, otherwise one with the prices of the
/// property's first rate plan. None if the link of the room type or property is not pushed.
async fn of_room_types(tx: &mut Tx, SourceKey { account, source }: SourceKey, rows: &[i64]) -> Result<Vec<PushTarget>> {
    let mut new = Rows::new([("id", ColumnType::Int)]);
    rows.iter().for_each(|row| new.push([(*row).into()]));
    let text = "select r.id as room_type, r.external_id as room_type_id, p.external_id as property_id,
            r.gas_unit_id as unit_id, coalesce(l.external_entity_id, '') as rate_plan_id,
            coalesce(l.gas_entity_id, (select min(g.id) from gas_rate_plans g
                where g.account_id = u.account_id and g.property_id = u.property_id)) as plan_id,
            o.time_zone, o.currency
        from new cross join int_room_types r
        join gas_bookable_units u on u.account_id = r.account_id and u.id = r.gas_unit_id
        join gas_properties o on o.account_id = u.account_id and o.id = u.property_id
        join int_mappings m on m.account_id = r.account_id and m.source_id = r.source_id
            and m.external_entity_type = 'room_type' and m.external_entity_id = r.external_id and m.push
        left join int_properties p on p.account_id = r.account_id and p.id = r.int_property_id
        left join int_mappings h on h.account_id = r.account_id and h.source_id = r.source_id
            and h.external_entity_type = 'property' and h.external_entity_id = p.external_id
        left join (
            select x.account_id, x.source_id, x.external_entity_id, x.gas_entity_id, g.property_id
            from int_mappings x join gas_rate_plans g on g.account_id = x.account_id and g.id = x.gas_entity_id
            where x.account_id = $1 and x.source_id = $2 and x.external_entity_type = 'rate_plan' and x.push
        ) l on l.account_id = r.account_id and l.source_id = r.source_id and l.property_id = u.property_id
        where r.account_id = $1 and r.source_id = $2 and r.id = new.id and r.deleted_at is null
            and (h.push is null or h.push)
        order by r.id, rate_plan_id";
    new.read(tx, &[account.0.into(), source.0.into()], text).await
}
