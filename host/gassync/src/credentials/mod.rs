//! Secrets of connections: encrypted in the database, renewed in time by one process ([`renewal`]), and inserted into requests
//! only by the sandbox's HTTP gate. [`lifecycle`] sets up and revokes them, [`consent`] handles OAuth consents.

pub mod consent;
mod lifecycle;
mod listening;
mod renewal;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use gassync_domain::{AccountId, ConnectionId, Timestamp};
use gassync_runtime::{CredentialError, CredentialSlot, Credentials, Grant, Secret, SlotKind, StepError};
use jiff::SignedDuration;
use serde_json::Value;

pub use self::{
    lifecycle::SetupResult,
    listening::{Listening, go_live_again},
    renewal::{keep_alive, keep_alive_once},
};
use crate::{
    app::App,
    http::{ApiError, Problem},
    plugins::Plugin,
    store::{
        self, Time, Tx,
        connections::{self, EncryptedCredential},
    },
};

/// Consecutive refusals of renewed tokens before a person must reconnect.
const MAX_REFUSALS: i64 = 3;

/// The secrets of one connection.
#[derive(Clone)]
pub struct ConnectionSecrets {
    app: Arc<App>,
    account: AccountId,
    connection: ConnectionId,
    plugin: Arc<Plugin>,
    settings: Value,
}

/// Runs a future to completion even if the caller is dropped, since a channel issues single-use tokens only once.
async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = anyhow::Result<T>> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::spawn(work).await.context("credential task aborted")?
}

/// A secret and its expiry.
type ExpiringSecret = (Secret, Option<Timestamp>);

impl ConnectionSecrets {
    /// The secrets of a connection.
    pub fn new(
        app: Arc<App>,
        account: AccountId,
        connection: ConnectionId,
        plugin: Arc<Plugin>,
        settings: Value,
    ) -> Self {
        Self { app, account, connection, plugin, settings }
    }

    /// The network grant of calls for the connection.
    pub async fn grant(&self) -> anyhow::Result<Grant> {
        let mut addresses = BTreeMap::new();
        for (slot, field) in self.plugin.manifest().secret_addresses() {
            if let Some((address, _)) = self.read(slot, field).await? {
                addresses.insert((slot, field), address);
            }
        }
        let secret = |slot: &str, field: &str| addresses.get(&(slot, field)).map(|s| s.reveal().to_owned());
        Ok(self.plugin.grant(&self.settings, secret, self.app.config.private_addresses()))
    }

    async fn read(&self, slot: &str, field: &str) -> anyhow::Result<Option<ExpiringSecret>> {
        read(&self.app, self.account, self.connection, (slot, field)).await
    }

    async fn write(
        &self,
        tx: &mut Tx,
        at: (&str, &str),
        (secret, expires): (&Secret, Option<Timestamp>),
    ) -> store::Result<()> {
        let sealed = self.app.vault.encrypt(&place(self.account, self.connection, at), secret.reveal());
        let sealed = EncryptedCredential {
            key_id: self.app.vault.key_id().to_owned(),
            ciphertext: sealed.map_err(|error| sqlx::Error::Encode(Box::new(error)))?,
            expires_at: expires.map(Time::from),
        };
        connections::keep_credential(tx, self.account, self.connection, at, &sealed, self.app.now()).await
    }

    fn is_due(&self, slot: &CredentialSlot, expires: Option<Timestamp>) -> bool {
        let before = SignedDuration::from_secs(i64::from(slot.refresh_before_seconds));
        expires.is_some_and(|expires| expires - before <= self.app.now())
    }

    /// HTTP Basic credentials from user name and password.
    async fn basic(&self, slot: &str) -> anyhow::Result<Option<Secret>> {
        let (name, password) = (self.read(slot, "username").await?, self.read(slot, "password").await?);
        let both = name.zip(password);
        Ok(both
            .map(|((name, _), (word, _))| Secret::new(STANDARD.encode(format!("{}:{}", name.reveal(), word.reveal())))))
    }

    /// The stored secret, without renewal.
    async fn stored(&self, slot: &str, field: &str) -> anyhow::Result<Option<Secret>> {
        let known = self.plugin.manifest().slot(slot);
        if field == "basic" && known.is_some_and(|slot| slot.kind == SlotKind::Basic) {
            return self.basic(slot).await;
        }
        Ok(self.read(slot, field).await?.map(|(secret, _)| secret))
    }

    async fn present(&self, slot: &str, field: &str) -> anyhow::Result<Option<Secret>> {
        let known = self.plugin.manifest().slot(slot);
        let stored = self.read(slot, field).await?;
        let Some((known, step)) = known.and_then(|slot| Some((slot, slot.renewal()?))) else {
            return self.stored(slot, field).await;
        };
        if !self.needs_renewal(known, field, stored.as_ref()) {
            return Ok(stored.map(|(secret, _)| secret));
        }
        let written = self.written(known, step).await?;
        // It may have been renewed between the two reads.
        if self.needs_renewal(known, field, self.read(slot, field).await?.as_ref()) {
            let renewed = self.renew(known, step, written).await;
            // The current token is valid until it expires.
            let is_good = stored.as_ref().is_some_and(|(_, end)| end.is_some_and(|end| end > self.app.now()));
            match renewed {
                Err(error) if is_good && !is_refusal(&error) => {
                    tracing::warn!(%error, "token renewal failed; using the current token until it expires")
                }
                renewed => renewed?,
            }
        }
        Ok(self.read(slot, field).await?.map(|(secret, _)| secret))
    }

    /// Expires renewable secrets that the channel refused, so that the next use renews them. Returns false if nothing can be
    /// renewed, or after too many consecutive refusals.
    pub async fn invalidate(&self, tx: &mut Tx) -> store::Result<bool> {
        let (account, connection, now) = (self.account, self.connection, self.app.now());
        let refusals = connections::count_refusal(tx, account, connection).await?;
        let mut doubted = false;
        for stored in connections::credentials(tx, account, connection).await? {
            let renewal = self.plugin.manifest().slot(&stored.slot).and_then(CredentialSlot::renewal);
            let renewed = renewal.is_some_and(|step| step.captures.iter().any(|c| c.field == stored.field));
            // Secrets without expiry, such as refresh tokens, were not what was refused.
            let was_good = stored.expires_at.is_some_and(|end| Timestamp::from(end) > now);
            if renewed && was_good {
                connections::expire_credential(tx, account, connection, (&stored.slot, &stored.field), now).await?;
                doubted = true;
            }
        }
        Ok(doubted && refusals < MAX_REFUSALS)
    }

    fn needs_renewal(&self, slot: &CredentialSlot, field: &str, stored: Option<&ExpiringSecret>) -> bool {
        match stored {
            Some((_, expires)) => self.is_due(slot, *expires),
            // Client-credentials tokens can always be requested again.
            None => slot.kind == SlotKind::Oauth2Client && slot.brings(field),
        }
    }
}

/// True if the error is a permanent refusal.
fn is_refusal(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StepError::Refused(_)))
}

/// The stored fields of a slot, for verifying callers; `None` if any is missing.
pub async fn stored(
    app: &App,
    account: AccountId,
    connection: ConnectionId,
    (slot, fields): (&str, Vec<&str>),
) -> Result<Vec<Secret>, ApiError> {
    let mut secrets = Vec::with_capacity(fields.len());
    for field in fields {
        match read(app, account, connection, (slot, field)).await.map_err(|error| {
            tracing::error!(%account, %connection, slot, field, %error, "credential could not be decrypted");
            Problem::Internal
        })? {
            Some((secret, _)) => secrets.push(secret),
            None => return Ok(Vec::new()),
        }
    }
    Ok(secrets)
}

async fn read(
    app: &App,
    account: AccountId,
    connection: ConnectionId,
    at: (&str, &str),
) -> anyhow::Result<Option<ExpiringSecret>> {
    let mut tx = app.db.read(account).await?;
    let Some(sealed) = connections::credential(&mut tx, account, connection, at).await? else { return Ok(None) };
    let text = app.vault.decrypt(&place(account, connection, at), &sealed.ciphertext)?;
    Ok(Some((Secret::new(text), sealed.expires_at.map(Timestamp::from))))
}

/// The encryption context of a secret.
fn place(account: AccountId, connection: ConnectionId, (slot, field): (&str, &str)) -> String {
    format!("{account}/{connection}/{slot}/{field}")
}

#[async_trait]
impl Credentials for ConnectionSecrets {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        let fail = |problem: String| CredentialError::new(slot, field, problem);
        let present = self.present(slot, field).await.map_err(|error| fail(format!("{error:#}")))?;
        present.ok_or_else(|| fail("nothing is stored: connect the source again".to_owned()))
    }

    async fn keep(
        &self,
        slot: &str,
        field: &str,
        secret: Secret,
        good_for: Option<Duration>,
    ) -> Result<(), CredentialError> {
        let good_for = good_for.and_then(|time| SignedDuration::try_from(time).ok());
        let expires = good_for.and_then(|time| self.app.now().checked_add(time).ok());
        let kept = async {
            let mut tx = self.app.db.write(self.account).await?;
            self.write(&mut tx, (slot, field), (&secret, expires)).await?;
            tx.commit().await
        };
        kept.await.map_err(|error| CredentialError::new(slot, field, error.to_string()))
    }
}
