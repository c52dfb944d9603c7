//! Time zones of properties. The channel's value takes precedence; a source's default applies to properties without
//! one.

use gassync_domain::SourceKey;
use sqlx::FromRow;

use super::{Result, Time, Tx, on};

/// IANA time zones of a source's properties; `None` for a property whose zone is unknown.
pub async fn of_source(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Vec<Option<String>>> {
    let text = "select distinct p.time_zone from int_mappings m
        join gas_properties p on p.account_id = m.account_id and p.id = m.gas_entity_id
        where m.account_id = $1 and m.source_id = $2 and m.external_entity_type = 'property'
            and m.gas_entity_type = 'property'";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_all(c).await)
}

/// The default time zone of a source.
pub async fn kept(tx: &mut Tx, SourceKey { account, source }: SourceKey) -> Result<Option<String>> {
    let text = "select time_zone from int_sources where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(source.0).fetch_one(c).await)
}

/// Sets the default time zone of a source.
pub async fn keep(tx: &mut Tx, SourceKey { account, source }: SourceKey, zone: &str) -> Result<()> {
    let text = "update int_sources set time_zone = $3 where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(zone).execute(c).await.map(drop))
}

/// A property without a time zone at a source that polls or pushes.
#[derive(Debug, Clone, FromRow)]
pub struct HouseWithoutZone {
    /// The tenant.
    pub account_id: i64,
    /// The source.
    pub source_id: i64,
    /// The source's name.
    pub source_name: String,
    /// The property.
    pub property_id: i64,
    /// The property's name.
    pub property_name: String,
    /// When the property was first received.
    pub since: Time,
}

/// Properties without a time zone at sources that have a channel. A platform query.
pub async fn missing(tx: &mut Tx) -> Result<Vec<HouseWithoutZone>> {
    let text = "select s.account_id, s.id as source_id, s.source_name, p.id as property_id, p.name as property_name,
            p.created_at as since
        from int_sources s
        join int_mappings m on m.account_id = s.account_id and m.source_id = s.id
            and m.external_entity_type = 'property' and m.gas_entity_type = 'property'
        join gas_properties p on p.account_id = m.account_id and p.id = m.gas_entity_id
        where p.time_zone is null and s.connection_id is not null and s.status in ('active', 'error', 'expired')
        order by s.account_id, s.id, p.id";
    on!(tx, c => sqlx::query_as(text).fetch_all(c).await)
}
