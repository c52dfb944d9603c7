use gassync_domain::{AccountId, Timestamp, WebhookId};
use sqlx::FromRow;

use crate::{Result, Time, Tx, on};

/// An encrypted signing secret.
#[derive(Debug, Clone, FromRow)]
pub struct SealedSecret {
    /// Ciphertext.
    pub ciphertext: Vec<u8>,
    /// When it stops being used.
    pub ends_at: Option<Time>,
}

/// The secrets valid at this time, newest first.
pub async fn active(tx: &mut Tx, account: AccountId, webhook: WebhookId, now: Timestamp) -> Result<Vec<SealedSecret>> {
    let text = "select ciphertext, ends_at from int_webhook_secrets
        where account_id = $1 and webhook_id = $2 and (ends_at is null or ends_at > $3) order by id desc";
    on!(tx, c => sqlx::query_as(text).bind(account.0).bind(webhook.0).bind(Time::from(now)).fetch_all(c).await)
}

/// Stores a secret. The hash lets operators find the subscription of a leaked secret; the program does not read it.
pub async fn add(
    tx: &mut Tx,
    account: AccountId,
    webhook: WebhookId,
    (ciphertext, key_id, secret_hash): (&[u8], &str, &str),
    now: Timestamp,
) -> Result<()> {
    let text = "insert into int_webhook_secrets (account_id, webhook_id, ciphertext, key_id, secret_hash, created_at)
        values ($1, $2, $3, $4, $5, $6)";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(webhook.0).bind(ciphertext).bind(key_id).bind(secret_hash)
        .bind(Time::from(now)).execute(c).await.map(drop))
}

/// Sets the end of the current secret and deletes older ones, so that at most two are valid.
pub async fn end(tx: &mut Tx, account: AccountId, webhook: WebhookId, (at, now): (Timestamp, Timestamp)) -> Result<()> {
    let text = "delete from int_webhook_secrets where account_id = $1 and webhook_id = $2 and ends_at is not null";
    on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(webhook.0).execute(c).await.map(drop))?;
    let text = "update int_webhook_secrets set ends_at = $3 where account_id = $1 and webhook_id = $2";
    on!(&mut *tx, c => sqlx::query(text).bind(account.0).bind(webhook.0).bind(Time::from(at)).execute(c).await.map(drop))?;
    let text = "delete from int_webhook_secrets where account_id = $1 and webhook_id = $2 and ends_at <= $3";
    on!(tx, c => sqlx::query(text).bind(account.0).bind(webhook.0).bind(Time::from(now)).execute(c).await.map(drop))
}
