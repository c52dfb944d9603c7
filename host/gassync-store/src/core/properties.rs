//! Properties.

use gassync_domain::{AccountId, Address, CoreId, Property, SourceKey, Timestamp};
use sqlx::FromRow;

use crate::{Result, Time, Tx, on};

/// Inserts a property.
pub async fn insert_property(tx: &mut Tx, account: AccountId, property: &Property, now: Timestamp) -> Result<CoreId> {
    let Address { street, city, state, postcode, country } = property.address.clone().unwrap_or_default();
    let text = "insert into gas_properties (account_id, name, description, street, city, state, postcode, country,
            latitude, longitude, currency, time_zone, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) returning id";
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(&property.name).bind(&property.description)
        .bind(street).bind(city).bind(state).bind(postcode).bind(country).bind(property.latitude)
        .bind(property.longitude).bind(&property.currency).bind(&property.time_zone).bind(Time::from(now))
        .fetch_one(c).await)?;
    Ok(CoreId(id))
}

/// Updates a property; fields that the record omits stay.
pub async fn update_property(
    tx: &mut Tx,
    account: AccountId,
    id: CoreId,
    property: &Property,
    now: Timestamp,
) -> Result<()> {
    let Address { street, city, state, postcode, country } = property.address.clone().unwrap_or_default();
    let text = "update gas_properties set name = $3, description = coalesce($4, description),
            street = coalesce($5, street), city = coalesce($6, city), state = coalesce($7, state),
            postcode = coalesce($8, postcode), country = coalesce($9, country),
            latitude = coalesce($10, latitude), longitude = coalesce($11, longitude),
            currency = coalesce($12, currency), time_zone = coalesce($13, time_zone), updated_at = $14
        where account_id = $1 and id = $2";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(&property.name).bind(&property.description)
        .bind(street).bind(city).bind(state).bind(postcode).bind(country).bind(property.latitude)
        .bind(property.longitude).bind(&property.currency).bind(&property.time_zone).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// Sets a source's default time zone on its properties without one, or with the previous default; returns their number.
pub async fn set_missing_time_zone(
    tx: &mut Tx,
    SourceKey { account, source }: SourceKey,
    before: Option<&str>,
    now: Timestamp,
) -> Result<u64> {
    let text = "update gas_properties set updated_at = $4,
            time_zone = (select s.time_zone from int_sources s where s.account_id = $1 and s.id = $2)
        where account_id = $1 and (time_zone is null or time_zone = $3)
            and exists (select 1 from int_sources s
                where s.account_id = $1 and s.id = $2 and s.time_zone is not null
                    and (gas_properties.time_zone is null or gas_properties.time_zone <> s.time_zone))
            and id in (select m.gas_entity_id from int_mappings m
                where m.account_id = $1 and m.source_id = $2 and m.external_entity_type = 'property'
                    and m.gas_entity_type = 'property')";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(before).bind(Time::from(now)).execute(c).await
        .map(|given| given.rows_affected()))
}

#[derive(FromRow)]
struct Row {
    id: i64,
    name: String,
    street: Option<String>,
    city: Option<String>,
    postcode: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

/// The properties of an account, with the fields that identify them.
pub async fn properties(tx: &mut Tx, account: AccountId, limit: i64) -> Result<Vec<(CoreId, Property)>> {
    let text = "select id, name, street, city, postcode, latitude, longitude from gas_properties
        where account_id = $1 order by id limit $2";
    let rows: Vec<Row> = on!(tx, c => sqlx::query_as(text).bind(account.0).bind(limit).fetch_all(c).await)?;
    let record = |row: Row| {
        let address = Address { street: row.street, city: row.city, postcode: row.postcode, ..Address::default() };
        let property = Property {
            name: row.name,
            address: Some(address),
            latitude: row.latitude,
            longitude: row.longitude,
            ..Property::default()
        };
        (CoreId(row.id), property)
    };
    Ok(rows.into_iter().map(record).collect())
}
