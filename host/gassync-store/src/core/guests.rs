//! Guests.

use std::collections::HashMap;

use crate::{
    Result, Time, Tx, on,
    rows::{ColumnType, Rows},
};
use gassync_domain::{AccountId, Address, CoreId, Guest, Timestamp};

/// Inserts guests.
pub async fn insert_guests(tx: &mut Tx, account: AccountId, guests: &[&Guest], now: Timestamp) -> Result<Vec<CoreId>> {
    let mut new = Rows::new([
        ("first_name", ColumnType::Text),
        ("last_name", ColumnType::Text),
        ("email", ColumnType::Text),
        ("phone", ColumnType::Text),
        ("country", ColumnType::Text),
        ("language", ColumnType::Text),
        ("own_email", ColumnType::Text),
        ("family_name", ColumnType::Text),
        ("street", ColumnType::Text),
        ("city", ColumnType::Text),
        ("state", ColumnType::Text),
        ("postcode", ColumnType::Text),
    ]);
    let identities: Vec<(Option<String>, Option<String>)> =
        guests.iter().map(|guest| (guest.own_email(), guest.family_name())).collect();
    let nowhere = Address::default();
    for (guest, (own_email, family_name)) in guests.iter().zip(&identities) {
        let address = guest.address.as_ref().unwrap_or(&nowhere);
        new.push([
            (&guest.first_name).into(),
            guest.filed_last_name().into(),
            (&guest.email).into(),
            (&guest.phone).into(),
            guest.filed_country().into(),
            (&guest.language).into(),
            own_email.into(),
            family_name.into(),
            (&address.street).into(),
            (&address.city).into(),
            (&address.state).into(),
            (&address.postcode).into(),
        ]);
    }
    let text = "insert into gas_guests
            (account_id, created_at, updated_at, first_name, last_name, email, phone, country, language, own_email,
             family_name, street, city, state, postcode)
        select $1, $2, $2, first_name, last_name, email, phone, country, language, own_email, family_name, street, city,
            state, postcode
        from new returning id";
    let keys = new.keys(tx, &[account.0.into(), now.into()], text).await?;
    Ok(keys.into_iter().map(CoreId).collect())
}

/// Updates a guest; fields that the record omits stay. An address is replaced as a whole, since all its lines belong to
/// one place.
pub async fn update_guest(tx: &mut Tx, account: AccountId, id: CoreId, guest: &Guest, now: Timestamp) -> Result<()> {
    let text = "update gas_guests set first_name = coalesce($3, first_name), last_name = coalesce($4, last_name),
            email = coalesce($5, email), phone = coalesce($6, phone), country = coalesce($7, country),
            language = coalesce($8, language), own_email = coalesce($10, own_email),
            family_name = coalesce($11, family_name),
            street = case when $12 then $13 else street end, city = case when $12 then $14 else city end,
            state = case when $12 then $15 else state end, postcode = case when $12 then $16 else postcode end,
            updated_at = $9
        where account_id = $1 and id = $2 and not (
            coalesce($3, first_name, '') = coalesce(first_name, '') and coalesce($4, last_name, '') = coalesce(last_name, '')
            and coalesce($5, email, '') = coalesce(email, '') and coalesce($6, phone, '') = coalesce(phone, '')
            and coalesce($7, country, '') = coalesce(country, '') and coalesce($8, language, '') = coalesce(language, '')
            and (not $12 or (coalesce($13, '') = coalesce(street, '') and coalesce($14, '') = coalesce(city, '')
                and coalesce($15, '') = coalesce(state, '') and coalesce($16, '') = coalesce(postcode, ''))))";
    let nowhere = Address::default();
    let address = guest.address.as_ref().unwrap_or(&nowhere);
    let Address { street, city, state, postcode, country: _ } = address;
    let lives_somewhere = [street, city, state, postcode].into_iter().any(Option::is_some);
    on!(tx, c => sqlx::query(text).bind(account.0).bind(id.0).bind(&guest.first_name).bind(guest.filed_last_name())
        .bind(&guest.email).bind(&guest.phone).bind(guest.filed_country()).bind(&guest.language).bind(Time::from(now))
        .bind(guest.own_email()).bind(guest.family_name()).bind(lives_somewhere).bind(street).bind(city).bind(state)
        .bind(postcode).execute(c).await.map(drop))
}

/// The oldest guest for each e-mail address and family name, both in lower case.
pub async fn find_guests(
    tx: &mut Tx,
    account: AccountId,
    identities: &[(String, String)],
) -> Result<HashMap<(String, String), CoreId>> {
    let mut new = Rows::new([("email", ColumnType::Text), ("last_name", ColumnType::Text)]);
    for (email, last_name) in identities {
        new.push([email.as_str().into(), last_name.as_str().into()]);
    }
    let text = "select new.email, new.last_name, min(g.id)
        from new cross join gas_guests g
        where g.account_id = $1 and g.own_email = new.email and g.family_name = new.last_name
        group by new.email, new.last_name";
    let rows: Vec<(String, String, i64)> = new.read(tx, &[account.0.into()], text).await?;
    Ok(rows.into_iter().map(|(email, name, id)| ((email, name), CoreId(id))).collect())
}
