//! The life cycle of credentials: from setup with user input to revocation.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use async_trait::async_trait;
use gassync_runtime::{
    Captured, CredentialError, CredentialSlot, Credentials, Secret, SlotKind, Step, StepError, run_step,
};

use super::{ConnectionSecrets, run_to_completion};
use crate::store::{
    connections,
    sources::{self, SourceState},
    webhooks,
};

/// The secrets available to a step: user input or consent results first, then stored ones.
pub(super) struct StepSecrets<'a> {
    secrets: &'a ConnectionSecrets,
    given: BTreeMap<(String, String), Secret>,
}

impl<'a> StepSecrets<'a> {
    /// Only stored secrets.
    pub fn stored(secrets: &'a ConnectionSecrets) -> Self {
        Self { secrets, given: BTreeMap::new() }
    }

    /// Adds secrets of a slot.
    pub fn with(mut self, slot: &str, given: impl IntoIterator<Item = (String, Secret)>) -> Self {
        self.given.extend(given.into_iter().map(|(field, secret)| ((slot.to_owned(), field), secret)));
        self
    }
}

#[async_trait]
impl Credentials for StepSecrets<'_> {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        if let Some(given) = self.given.get(&(slot.to_owned(), field.to_owned())) {
            return Ok(given.clone());
        }
        let fail = |problem: String| CredentialError::new(slot, field, problem);
        match self.secrets.stored(slot, field).await {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) => Err(fail("is neither given nor stored".to_owned())),
            Err(error) => Err(fail(format!("{error:#}"))),
        }
    }

    async fn keep(
        &self,
        slot: &str,
        field: &str,
        _: Secret,
        _: Option<std::time::Duration>,
    ) -> Result<(), CredentialError> {
        Err(CredentialError::new(slot, field, "steps store their own captures"))
    }
}

/// The result of setting up credentials.
#[derive(Debug, Default)]
pub struct SetupResult {
    /// Slots that are set up.
    pub done: Vec<String>,
    /// Slots that need a consent.
    pub consents: Vec<String>,
}

impl ConnectionSecrets {
    /// Sets up credentials from user input, given by field or by `slot.field`, and stores them.
    pub async fn set_up(&self, inputs: BTreeMap<String, String>) -> anyhow::Result<SetupResult> {
        let secrets = self.clone();
        run_to_completion(async move { secrets.set_up_all(&inputs).await }).await
    }

    async fn set_up_all(&self, inputs: &BTreeMap<String, String>) -> anyhow::Result<SetupResult> {
        let slots = &self.plugin.manifest().credentials;
        let asked = |name: &String| {
            slots.iter().any(|slot| {
                let fields = slot.inputs.iter().map(|input| &input.field);
                fields.into_iter().any(|field| name == field || *name == format!("{}.{field}", slot.slot))
            })
        };
        if let Some(unknown) = inputs.keys().find(|name| !asked(name)) {
            bail!("the plugin has no credential field {unknown}");
        }
        let mut became = SetupResult::default();
        for slot in slots {
            let given = user_input(slot, inputs)?;
            if given.is_empty() && !self.needs_no_input(slot).await? {
                continue;
            }
            match &slot.setup {
                // The consent address contains the input.
                _ if slot.kind == SlotKind::Oauth2Code => {
                    self.keep(slot, &given, None).await?;
                    became.consents.push(slot.slot.clone());
                }
                Some(step) => {
                    let step_secrets = StepSecrets::stored(self).with(&slot.slot, given.clone());
                    let captured = self.step(step, &step_secrets).await.context("setting up the credential")?;
                    self.keep(slot, &given, Some(captured)).await?;
                    became.done.push(slot.slot.clone());
                }
                None => {
                    self.keep(slot, &given, None).await?;
                    became.done.push(slot.slot.clone());
                }
            }
        }
        Ok(became)
    }

    /// Labels of slots without stored secrets.
    pub async fn empty_slots(&self) -> anyhow::Result<Vec<String>> {
        let mut tx = self.app.db.read(self.account).await?;
        let stored = connections::credentials(&mut tx, self.account, self.connection).await?;
        let is_empty = |slot: &&CredentialSlot| !stored.iter().any(|stored| stored.slot == slot.slot);
        let slots = self.plugin.manifest().credentials.iter().filter(is_empty);
        Ok(slots.map(|slot| slot.label.clone()).collect())
    }

    /// Slots that still need a consent.
    pub async fn slots_without_consent(&self) -> anyhow::Result<Vec<String>> {
        let mut open = Vec::new();
        for slot in self.plugin.manifest().credentials.iter().filter(|slot| slot.kind == SlotKind::Oauth2Code) {
            let Some(step) = &slot.setup else { continue };
            if self.written(slot, step).await?.is_none() && self.needs_no_input(slot).await? {
                open.push(slot.slot.clone());
            }
        }
        Ok(open)
    }

    /// True if a slot needs no user input: it has no fields, or all are stored.
    async fn needs_no_input(&self, slot: &CredentialSlot) -> anyhow::Result<bool> {
        if slot.setup.is_none() || slot.kind == SlotKind::Steps {
            return Ok(false);
        }
        for input in &slot.inputs {
            if self.read(&slot.slot, &input.field).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Completes a consent.
    pub(super) async fn set_up_with(&self, slot: CredentialSlot, brought: [(String, Secret); 2]) -> anyhow::Result<()> {
        let secrets = self.clone();
        let work = async move {
            let step = slot.setup.as_ref().context("the plugin declares no setup step for this credential")?;
            let step_secrets = StepSecrets::stored(&secrets).with("oauth", brought);
            let captured = secrets.step(step, &step_secrets).await.context("setting up the credential")?;
            secrets.keep(&slot, &BTreeMap::new(), Some(captured)).await
        };
        run_to_completion(work).await
    }

    /// Revokes credentials at the channel, if the plugin declares how, and deletes all secrets even if that fails.
    pub async fn revoke(&self) -> anyhow::Result<Vec<String>> {
        let mut problems = Vec::new();
        for slot in &self.plugin.manifest().credentials {
            let Some(step) = &slot.revoke else { continue };
            if let Err(error) = self.step(step, &StepSecrets::stored(self)).await {
                problems.push(format!("{}: {error}", slot.slot));
            }
        }
        let mut tx = self.app.db.write(self.account).await?;
        connections::break_lease(&mut tx, self.account, self.connection).await?;
        connections::cancel_consents(&mut tx, self.account, self.connection).await?;
        connections::forget_credentials(&mut tx, self.account, self.connection).await?;
        let all = (SourceState::ALL, SourceState::Disconnected);
        sources::set_status_of_connection(&mut tx, self.account, self.connection, all).await?;
        // Cancel pending deliveries, which would never be sent.
        for source in sources::of_connection(&mut tx, self.account, self.connection).await? {
            let why = "its source is disconnected";
            webhooks::cancel_pending_of_source(&mut tx, source.key(), why, self.app.now()).await?;
        }
        tx.commit().await?;
        Ok(problems)
    }

    /// Runs the request of a step.
    pub(super) async fn step(&self, step: &Step, secrets: &dyn Credentials) -> Result<Captured, StepError> {
        let settings = self.plugin.manifest().with_defaults(&self.settings);
        let grant = self.plugin.grant(&self.settings, |_, _| None, self.app.config.private_addresses());
        let transport = self.app.transport(self.plugin.manifest(), (self.account, self.connection))?.without_waiting();
        run_step(step, &settings, secrets, (&grant, &transport), self.app.now()).await
    }

    /// Stores captured secrets, and user input that later steps need; single-use codes are not stored. Breaks the lease of a
    /// running renewal, whose result would be outdated.
    async fn keep(
        &self,
        slot: &CredentialSlot,
        given: &BTreeMap<String, Secret>,
        captured: Option<Captured>,
    ) -> anyhow::Result<()> {
        let lasts = |field: &str| match (slot.kind, &slot.setup) {
            (SlotKind::Oauth2Code | SlotKind::Oauth2Client, _) | (_, None) => true,
            (_, Some(_)) => {
                let later = slot.refresh.iter().chain(&slot.revoke).flat_map(Step::sends);
                later.into_iter().any(|sent| sent == (slot.slot.as_str(), field))
            }
        };
        let mut tx = self.app.db.write(self.account).await?;
        connections::break_lease(&mut tx, self.account, self.connection).await?;
        for (field, secret) in given.iter().filter(|(field, _)| lasts(field)) {
            self.write(&mut tx, (&slot.slot, field), (secret, None)).await?;
        }
        for (field, secret, expires) in captured.iter().flat_map(|captured| &captured.fields) {
            self.write(&mut tx, (&slot.slot, field), (secret, *expires)).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// The user input of a slot: all fields or none.
fn user_input(slot: &CredentialSlot, inputs: &BTreeMap<String, String>) -> anyhow::Result<BTreeMap<String, Secret>> {
    let mut given = BTreeMap::new();
    for input in &slot.inputs {
        let text = inputs.get(&format!("{}.{}", slot.slot, input.field)).or_else(|| inputs.get(&input.field));
        given.extend(text.map(|text| (input.field.clone(), Secret::new(text))));
    }
    let missing: Vec<&str> =
        slot.inputs.iter().map(|input| input.field.as_str()).filter(|field| !given.contains_key(*field)).collect();
    ensure!(given.is_empty() || missing.is_empty(), "the credential {} also needs {}", slot.slot, missing.join(", "));
    Ok(given)
}
