//! Guests as channels tell them.

use gassync_domain::{AccountId, CoreId, Guest, SourceId, Timestamp};

use crate::store::{Result, Time, Tx, on};

/// Writes a guest over what was there.
pub async fn put(
    tx: &mut Tx,
    account: AccountId,
    source: SourceId,
    (external_id, guest): (&str, &Guest),
    core: CoreId,
    now: Timestamp,
) -> Result<()> {
    let text = "insert into int_guests
            (account_id, source_id, external_id, first_name, last_name, email, phone, country, language, gas_guest_id,
             synced_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (account_id, source_id, external_id) do update set
            first_name = excluded.first_name, last_name = excluded.last_name, email = excluded.email,
            phone = excluded.phone, country = excluded.country, language = excluded.language,
            gas_guest_id = excluded.gas_guest_id, synced_at = excluded.synced_at";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(source.0).bind(external_id).bind(&guest.first_name)
        .bind(guest.filed_last_name()).bind(&guest.email).bind(&guest.phone).bind(&guest.country).bind(&guest.language)
        .bind(core.0).bind(Time::from(now)).execute(c).await.map(drop))
}
