//! What a person typed in becomes what the channel works with, and at the end nothing.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};
use async_trait::async_trait;
use gassync_runtime::{
    Captured, CredentialError, CredentialSlot, Credentials, Secret, SlotKind, Step, StepError, run_step,
};

use super::{ConnectionSecrets, run_to_completion};
use crate::store::{connections, sources, webhooks};

/// What is at hand for a step: what a person typed in or a consent brought, and else what is stored as it is.
pub(super) struct StepSecrets<'a> {
    secrets: &'a ConnectionSecrets,
    given: BTreeMap<(String, String), Secret>,
}

impl<'a> StepSecrets<'a> {
    /// What is stored alone.
    pub fn stored(secrets: &'a ConnectionSecrets) -> Self {
        Self { secrets, given: BTreeMap::new() }
    }

    /// And this, under a slot's name.
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
            Ok(None) => Err(fail("was not given, and is not stored".to_owned())),
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
        Err(CredentialError::new(slot, field, "a step keeps its captures itself"))
    }
}

/// What became of what a person typed in.
#[derive(Debug, Default)]
pub struct SetupResult {
    /// Slots that work now.
    pub done: Vec<String>,
    /// Slots that wait for a person's consent.
    pub consents: Vec<String>,
}

impl ConnectionSecrets {
    /// Turns what a person typed in, by field or by `slot.field`, into what the channel works with, and keeps it.
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
            bail!("the plugin asks for no credential {unknown}");
        }
        let mut became = SetupResult::default();
        for slot in slots {
            let given = user_input(slot, inputs)?;
            if given.is_empty() && !self.needs_no_input(slot).await? {
                continue;
            }
            match &slot.setup {
                // What is typed in stands in the address that the person is sent to.
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

    /// Slots of which nothing is stored, by what people call them.
    pub async fn empty_slots(&self) -> anyhow::Result<Vec<String>> {
        let mut tx = self.app.db.read(self.account).await?;
        let stored = connections::credentials(&mut tx, self.account, self.connection).await?;
        let is_empty = |slot: &&CredentialSlot| !stored.iter().any(|stored| stored.slot == slot.slot);
        let slots = self.plugin.manifest().credentials.iter().filter(is_empty);
        Ok(slots.map(|slot| slot.label.clone()).collect())
    }

    /// Slots that a person must still consent to.
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

    /// Whether a slot needs nothing typed in: it asks for nothing, or was told all of it before.
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

    /// Takes what a consent brought.
    pub(super) async fn set_up_with(&self, slot: CredentialSlot, brought: [(String, Secret); 2]) -> anyhow::Result<()> {
        let secrets = self.clone();
        let work = async move {
            let step = slot.setup.as_ref().context("the plugin does not say how a consent becomes tokens")?;
            let step_secrets = StepSecrets::stored(&secrets).with("oauth", brought);
            let captured = secrets.step(step, &step_secrets).await.context("setting up the credential")?;
            secrets.keep(&slot, &BTreeMap::new(), Some(captured)).await
        };
        run_to_completion(work).await
    }

    /// Tells the channel to forget us where the plugin says how, and forgets all secrets, whatever the channel says to it.
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
        let all = (&["pending", "active", "paused", "disabled", "error", "expired"][..], "disconnected");
        sources::set_status_of_connection(&mut tx, self.account, self.connection, all).await?;
        // What waits for subscribers would do so for ever.
        for source in sources::of_connection(&mut tx, self.account, self.connection).await? {
            let why = "its source is disconnected";
            webhooks::cancel_pending_of_source(&mut tx, self.account, source.id, why, self.app.now()).await?;
        }
        tx.commit().await?;
        Ok(problems)
    }

    /// Makes a step's request.
    pub(super) async fn step(&self, step: &Step, secrets: &dyn Credentials) -> Result<Captured, StepError> {
        let settings = self.plugin.manifest().with_defaults(&self.settings);
        let grant = self.plugin.grant(&self.settings, |_, _| None, self.app.config.private_addresses());
        let transport = self.app.transport(self.plugin.manifest(), (self.account, self.connection))?.without_waiting();
        run_step(step, &settings, secrets, (&grant, &transport), self.app.now()).await
    }

    /// Keeps what a step brought, and of what was typed in what is asked for again later: a code that is good for one use is
    /// not. A renewal that runs meanwhile is of what was before, and its result counts no more.
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

/// What was typed in for a slot: all that it asks for, or nothing.
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
