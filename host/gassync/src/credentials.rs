//! A connection's secrets: sealed in the database, renewed in time, filled in by the sandbox's gate and nowhere else.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context;
use async_trait::async_trait;
use gassync_domain::{AccountId, ConnectionId, Timestamp};
use gassync_runtime::{
    Adapter, Captured, CredentialError, CredentialSlot, Credentials, Grant, Secret, Step, StepError, run_step,
};
use jiff::SignedDuration;
use serde_json::Value;

use crate::{
    app::App,
    store::{
        Time,
        connections::{self, Sealed},
    },
};

/// The secrets of one connection.
pub struct ConnectionSecrets {
    app: Arc<App>,
    account: AccountId,
    connection: ConnectionId,
    adapter: Arc<dyn Adapter>,
    settings: Value,
    /// One renewal at a time, so that no caller throws away what another just got.
    renewing: tokio::sync::Mutex<()>,
}

impl ConnectionSecrets {
    /// For calls on behalf of a connection.
    pub fn new(
        app: Arc<App>,
        account: AccountId,
        connection: ConnectionId,
        adapter: Arc<dyn Adapter>,
        settings: Value,
    ) -> Self {
        Self { app, account, connection, adapter, settings, renewing: tokio::sync::Mutex::default() }
    }

    /// Turns what a person typed in into what the channel works with, and keeps it.
    pub async fn set_up(&self, inputs: &BTreeMap<String, String>) -> anyhow::Result<()> {
        for slot in &self.adapter.manifest().credentials {
            let given = slot.inputs.iter().filter_map(|input| inputs.get_key_value(&input.field));
            let given: BTreeMap<String, Secret> = given.map(|(n, value)| (n.clone(), Secret::new(value))).collect();
            if given.is_empty() {
                continue;
            }
            match &slot.setup {
                Some(step) => {
                    let typed = Typed { slot: slot.slot.clone(), fields: given };
                    let captured = self.step(step, &typed).await.context("setting up the credential")?;
                    self.keep_all(&slot.slot, captured).await?;
                }
                None => {
                    for (field, secret) in &given {
                        self.write(&slot.slot, field, secret, None).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn step(&self, step: &Step, secrets: &dyn Credentials) -> Result<Captured, StepError> {
        let manifest = self.adapter.manifest();
        let settings = manifest.with_defaults(&self.settings);
        let grant: Grant = self.app.grant(manifest, &self.settings);
        run_step(step, &settings, secrets, (&grant, &self.app.transport), self.app.now()).await
    }

    async fn keep_all(&self, slot: &str, captured: Captured) -> anyhow::Result<()> {
        for (field, secret) in &captured.fields {
            // Only the token runs out; the refresh token lives by being used.
            let expires = captured.expires_at.filter(|_| field == "token");
            self.write(slot, field, secret, expires).await?;
        }
        Ok(())
    }

    async fn write(&self, slot: &str, field: &str, secret: &Secret, expires: Option<Timestamp>) -> anyhow::Result<()> {
        let sealed = Sealed {
            key_id: self.app.vault.key_id().to_owned(),
            ciphertext: self.app.vault.seal(&self.place(slot, field), secret.reveal())?,
            expires_at: expires.map(Time::from),
        };
        let mut tx = self.app.db.write(self.account).await?;
        connections::keep_credential(&mut tx, self.account, self.connection, (slot, field), &sealed, self.app.now())
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn read(&self, slot: &str, field: &str) -> anyhow::Result<Option<(Secret, Option<Timestamp>)>> {
        let mut tx = self.app.db.read(self.account).await?;
        let sealed = connections::credential(&mut tx, self.account, self.connection, (slot, field)).await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let text = self.app.vault.open(&self.place(slot, field), &sealed.ciphertext)?;
        Ok(Some((Secret::new(text), sealed.expires_at.map(Timestamp::from))))
    }

    fn place(&self, slot: &str, field: &str) -> String {
        format!("{}/{}/{slot}/{field}", self.account, self.connection)
    }

    fn is_due(&self, slot: &CredentialSlot, expires: Option<Timestamp>) -> bool {
        let before = SignedDuration::from_secs(i64::from(slot.refresh_before_seconds));
        expires.is_some_and(|expires| expires - before <= self.app.now())
    }

    async fn renew(&self, slot: &CredentialSlot, step: &Step) -> anyhow::Result<()> {
        let captured = self.step(step, &Stored(self)).await?;
        self.keep_all(&slot.slot, captured).await
    }
}

#[async_trait]
impl Credentials for ConnectionSecrets {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        let fail = |problem: String| CredentialError::new(slot, field, problem);
        let missing = || fail("nothing is stored: connect the source again".to_owned());
        let (secret, expires) = self.read(slot, field).await.map_err(|e| fail(e.to_string()))?.ok_or_else(missing)?;
        let Some(known) = self.adapter.manifest().slot(slot) else { return Ok(secret) };
        let Some(step) = known.refresh.as_ref().filter(|_| self.is_due(known, expires)) else { return Ok(secret) };
        let _one_at_a_time = self.renewing.lock().await;
        // Whoever held the lock before may have renewed it.
        let (secret, expires) = self.read(slot, field).await.map_err(|e| fail(e.to_string()))?.ok_or_else(missing)?;
        if !self.is_due(known, expires) {
            return Ok(secret);
        }
        self.renew(known, step).await.map_err(|e| fail(format!("it could not be renewed: {e:#}")))?;
        self.read(slot, field).await.map_err(|e| fail(e.to_string()))?.map(|(secret, _)| secret).ok_or_else(missing)
    }

    async fn keep(&self, slot: &str, field: &str, secret: Secret) -> Result<(), CredentialError> {
        let kept = self.write(slot, field, &secret, None).await;
        kept.map_err(|e| CredentialError::new(slot, field, e.to_string()))
    }
}

/// What is stored, as it is: for the renewal itself.
struct Stored<'a>(&'a ConnectionSecrets);

#[async_trait]
impl Credentials for Stored<'_> {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        let fail = |problem: &str| CredentialError::new(slot, field, problem);
        match self.0.read(slot, field).await {
            Ok(Some((secret, _))) => Ok(secret),
            Ok(None) => Err(fail("nothing is stored")),
            Err(error) => Err(fail(&error.to_string())),
        }
    }

    async fn keep(&self, slot: &str, field: &str, _: Secret) -> Result<(), CredentialError> {
        Err(CredentialError::new(slot, field, "a step keeps its captures itself"))
    }
}

/// What a person typed in.
struct Typed {
    slot: String,
    fields: BTreeMap<String, Secret>,
}

#[async_trait]
impl Credentials for Typed {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        let secret = self.fields.get(field).filter(|_| slot == self.slot).cloned();
        secret.ok_or_else(|| CredentialError::new(slot, field, "was not given"))
    }

    async fn keep(&self, slot: &str, field: &str, _: Secret) -> Result<(), CredentialError> {
        Err(CredentialError::new(slot, field, "a step keeps its captures itself"))
    }
}
