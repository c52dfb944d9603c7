//! A connection's secrets: sealed in the database, renewed in time, filled in by the sandbox's gate and nowhere else.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use async_trait::async_trait;
use gassync_domain::{AccountId, ConnectionId, Timestamp};
use gassync_runtime::{
    Captured, CredentialError, CredentialSlot, Credentials, Grant, Secret, Step, StepError, run_step,
};
use jiff::SignedDuration;
use serde_json::Value;

use crate::{
    api::{ApiError, Problem},
    app::App,
    plugins::Plugin,
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
    plugin: Arc<Plugin>,
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
        plugin: Arc<Plugin>,
        settings: Value,
    ) -> Self {
        Self { app, account, connection, plugin, settings, renewing: tokio::sync::Mutex::default() }
    }

    /// Turns what a person typed in into what the channel works with, and keeps it.
    pub async fn set_up(&self, inputs: &BTreeMap<String, String>) -> anyhow::Result<()> {
        for slot in &self.plugin.manifest().credentials {
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

    /// Where calls on behalf of the connection may go.
    pub async fn grant(&self) -> anyhow::Result<Grant> {
        let manifest = self.plugin.manifest();
        let mut addresses = BTreeMap::new();
        for (slot, field) in manifest.secret_addresses() {
            if let Some((address, _)) = self.read(slot, field).await? {
                addresses.insert((slot, field), address);
            }
        }
        let secret = |slot: &str, field: &str| addresses.get(&(slot, field)).map(|s| s.reveal().to_owned());
        Ok(self.plugin.grant(&self.settings, secret, self.app.config.private_addresses()))
    }

    async fn step(&self, step: &Step, secrets: &dyn Credentials) -> Result<Captured, StepError> {
        let manifest = self.plugin.manifest();
        let settings = manifest.with_defaults(&self.settings);
        let grant = self.plugin.grant(&self.settings, |_, _| None, self.app.config.private_addresses());
        let transport = self.app.transport(self.account, self.connection)?;
        run_step(step, &settings, secrets, (&grant, &transport), self.app.now()).await
    }

    async fn keep_all(&self, slot: &str, captured: Captured) -> anyhow::Result<()> {
        for (field, secret, expires) in &captured.fields {
            self.write(slot, field, secret, *expires).await?;
        }
        Ok(())
    }

    async fn write(&self, slot: &str, field: &str, secret: &Secret, expires: Option<Timestamp>) -> anyhow::Result<()> {
        let sealed = Sealed {
            key_id: self.app.vault.key_id().to_owned(),
            ciphertext: self.app.vault.seal(&place(self.account, self.connection, (slot, field)), secret.reveal())?,
            expires_at: expires.map(Time::from),
        };
        let mut tx = self.app.db.write(self.account).await?;
        connections::keep_credential(&mut tx, self.account, self.connection, (slot, field), &sealed, self.app.now())
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn read(&self, slot: &str, field: &str) -> anyhow::Result<Option<(Secret, Option<Timestamp>)>> {
        read(&self.app, self.account, self.connection, (slot, field)).await
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

/// The fields of a slot as they are stored, for judging who calls; none where any of them is missing.
pub async fn stored(
    app: &App,
    account: AccountId,
    connection: ConnectionId,
    (slot, fields): (&str, Vec<&str>),
) -> Result<Vec<Secret>, ApiError> {
    let mut secrets = Vec::with_capacity(fields.len());
    for field in fields {
        match read(app, account, connection, (slot, field)).await.map_err(|error| {
            tracing::error!(%account, %connection, slot, field, %error, "a credential cannot be read");
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
) -> anyhow::Result<Option<(Secret, Option<Timestamp>)>> {
    let mut tx = app.db.read(account).await?;
    let Some(sealed) = connections::credential(&mut tx, account, connection, at).await? else { return Ok(None) };
    let text = app.vault.open(&place(account, connection, at), &sealed.ciphertext)?;
    Ok(Some((Secret::new(text), sealed.expires_at.map(Timestamp::from))))
}

/// What a sealed secret is bound to.
fn place(account: AccountId, connection: ConnectionId, (slot, field): (&str, &str)) -> String {
    format!("{account}/{connection}/{slot}/{field}")
}

#[async_trait]
impl Credentials for ConnectionSecrets {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        let fail = |problem: String| CredentialError::new(slot, field, problem);
        let missing = || fail("nothing is stored: connect the source again".to_owned());
        let (secret, expires) = self.read(slot, field).await.map_err(|e| fail(e.to_string()))?.ok_or_else(missing)?;
        let Some(known) = self.plugin.manifest().slot(slot) else { return Ok(secret) };
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

    async fn keep(
        &self,
        slot: &str,
        field: &str,
        secret: Secret,
        good_for: Option<Duration>,
    ) -> Result<(), CredentialError> {
        let good_for = good_for.and_then(|time| SignedDuration::try_from(time).ok());
        let expires = good_for.and_then(|time| self.app.now().checked_add(time).ok());
        let kept = self.write(slot, field, &secret, expires).await;
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

    async fn keep(&self, slot: &str, field: &str, _: Secret, _: Option<Duration>) -> Result<(), CredentialError> {
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

    async fn keep(&self, slot: &str, field: &str, _: Secret, _: Option<Duration>) -> Result<(), CredentialError> {
        Err(CredentialError::new(slot, field, "a step keeps its captures itself"))
    }
}
