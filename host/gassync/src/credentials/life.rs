//! What a person typed in becomes what the channel works with, and at the end nothing.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use async_trait::async_trait;
use gassync_runtime::{
    Captured, CredentialError, CredentialSlot, Credentials, Secret, SlotKind, Step, StepError, run_step,
};

use super::ConnectionSecrets;
use crate::store::{connections, sources};

/// What is at hand for a step: what a person typed in or a consent brought, and else what is stored as it is.
pub(super) struct AtHand<'a> {
    secrets: &'a ConnectionSecrets,
    given: BTreeMap<(String, String), Secret>,
}

impl<'a> AtHand<'a> {
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
impl Credentials for AtHand<'_> {
    async fn field(&self, slot: &str, field: &str) -> Result<Secret, CredentialError> {
        if let Some(given) = self.given.get(&(slot.to_owned(), field.to_owned())) {
            return Ok(given.clone());
        }
        let fail = |problem: String| CredentialError::new(slot, field, problem);
        match self.secrets.read(slot, field).await {
            Ok(Some((secret, _))) => Ok(secret),
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

impl ConnectionSecrets {
    /// Turns what a person typed in, by field or by `slot.field`, into what the channel works with, and keeps it. Tells which
    /// slots wait for a person's consent.
    pub async fn set_up(&self, inputs: &BTreeMap<String, String>) -> anyhow::Result<Vec<String>> {
        let mut consents = Vec::new();
        for slot in &self.plugin.manifest().credentials {
            let given = typed(slot, inputs)?;
            if given.is_empty() && !self.goes_on_alone(slot).await? {
                continue;
            }
            self.keep_typed(slot, &given).await?;
            match &slot.setup {
                _ if slot.kind == SlotKind::Oauth2Code => consents.push(slot.slot.clone()),
                Some(step) => {
                    let at_hand = AtHand::stored(self).with(&slot.slot, given);
                    let captured = self.step(step, &at_hand).await.context("setting up the credential")?;
                    self.keep_captured(slot, captured).await?;
                }
                None => {}
            }
        }
        Ok(consents)
    }

    /// Whether a slot needs nothing typed in: it asks for nothing, or was told all of it before.
    async fn goes_on_alone(&self, slot: &CredentialSlot) -> anyhow::Result<bool> {
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
    pub(super) async fn set_up_with(
        &self,
        slot: &CredentialSlot,
        brought: [(String, Secret); 2],
    ) -> anyhow::Result<()> {
        let step = slot.setup.as_ref().context("the plugin does not say how a consent becomes tokens")?;
        let at_hand = AtHand::stored(self).with("oauth", brought);
        let captured = self.step(step, &at_hand).await.context("setting up the credential")?;
        self.keep_captured(slot, captured).await
    }

    /// Tells the channel to forget us where the plugin says how, and forgets all secrets, whatever the channel says to it.
    pub async fn revoke(&self) -> anyhow::Result<Vec<String>> {
        let mut problems = Vec::new();
        for slot in &self.plugin.manifest().credentials {
            let Some(step) = &slot.revoke else { continue };
            if let Err(error) = self.step(step, &AtHand::stored(self)).await {
                problems.push(format!("{}: {error}", slot.slot));
            }
        }
        let mut tx = self.app.db.write(self.account).await?;
        connections::forget_credentials(&mut tx, self.account, self.connection).await?;
        let all = (&["pending", "active", "paused", "error", "expired"][..], "disconnected");
        sources::set_status_of_connection(&mut tx, self.account, self.connection, all).await?;
        tx.commit().await?;
        Ok(problems)
    }

    /// Makes a step's request.
    pub(super) async fn step(&self, step: &Step, secrets: &dyn Credentials) -> Result<Captured, StepError> {
        let settings = self.plugin.manifest().with_defaults(&self.settings);
        let grant = self.plugin.grant(&self.settings, |_, _| None, self.app.config.private_addresses());
        let transport = self.app.transport(self.account, self.connection)?;
        run_step(step, &settings, secrets, (&grant, &transport), self.app.now()).await
    }

    /// What is typed in is kept where it is asked for again later; a code that is good for one use is not.
    async fn keep_typed(&self, slot: &CredentialSlot, given: &BTreeMap<String, Secret>) -> anyhow::Result<()> {
        let lasts = |field: &str| match (slot.kind, &slot.setup) {
            (SlotKind::Oauth2Code | SlotKind::Oauth2Client, _) | (_, None) => true,
            (_, Some(_)) => {
                let later = slot.refresh.iter().chain(&slot.revoke).flat_map(Step::sends);
                later.into_iter().any(|sent| sent == (slot.slot.as_str(), field))
            }
        };
        let mut tx = self.app.db.write(self.account).await?;
        for (field, secret) in given.iter().filter(|(field, _)| lasts(field)) {
            self.write(&mut tx, (&slot.slot, field), (secret, None)).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn keep_captured(&self, slot: &CredentialSlot, captured: Captured) -> anyhow::Result<()> {
        let mut tx = self.app.db.write(self.account).await?;
        for (field, secret, expires) in &captured.fields {
            self.write(&mut tx, (&slot.slot, field), (secret, *expires)).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// What was typed in for a slot: all that it asks for, or nothing.
fn typed(slot: &CredentialSlot, inputs: &BTreeMap<String, String>) -> anyhow::Result<BTreeMap<String, Secret>> {
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
