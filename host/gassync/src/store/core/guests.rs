//! Guests.

use gassync_domain::{AccountId, CoreId, Guest, Timestamp};

use crate::store::{Result, Time, Tx, on};

/// Makes a guest.
pub async fn insert_guest(tx: &mut Tx, account: AccountId, guest: &Guest, now: Timestamp) -> Result<CoreId> {
    let text = "insert into gas_guests
            (account_id, first_name, last_name, email, phone, country, language, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8) returning id";
    let id = on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(&guest.first_name)
        .bind(guest.filed_last_name()).bind(&guest.email).bind(&guest.phone).bind(&guest.country)
        .bind(&guest.language).bind(Time::from(now)).fetch_one(c).await)?;
    Ok(CoreId(id))
}

/// Changes a guest where the record says something new; what it does not say stays.
pub async fn update_guest(tx: &mut Tx, account: AccountId, id: CoreId, guest: &Guest, now: Timestamp) -> Result<()> {
    let text = "update gas_guests set first_name = coalesce($3, first_name), last_name = coalesce($4, last_name),
            email = coalesce($5, email), phone = coalesce($6, phone), country = coalesce($7, country),
            language = coalesce($8, language), updated_at = $9
        where account_id = $1 and id = $2 and not (
            coalesce($3, first_name, '') = coalesce(first_name, '') and coalesce($4, last_name, '') = coalesce(last_name, '')
            and coalesce($5, email, '') = coalesce(email, '') and coalesce($6, phone, '') = coalesce(phone, '')
            and coalesce($7, country, '') = coalesce(country, '') and coalesce($8, language, '') = coalesce(language, ''))";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(&guest.first_name).bind(guest.filed_last_name())
        .bind(&guest.email).bind(&guest.phone).bind(&guest.country).bind(&guest.language).bind(Time::from(now))
        .execute(c).await.map(drop))
}

/// The oldest guest with this mail address and family name, both in lower case.
pub async fn find_guest(tx: &mut Tx, account: AccountId, email: &str, last_name: &str) -> Result<Option<CoreId>> {
    let text = "select id from gas_guests where account_id = $1 and lower(email) = $2 and lower(last_name) = $3
        order by id limit 1";
    let id: Option<i64> =
        on!(tx, c => sqlx::query_scalar(text).bind(account.0).bind(email).bind(last_name).fetch_optional(c).await)?;
    Ok(id.map(CoreId))
}
