//! Renewal of expiring secrets. Refresh tokens are often single-use, so only one process may renew: it holds a lease on the
//! connection, and stores the result only if it still holds the lease.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail};
use gassync_domain::{AccountId, ConnectionId, Timestamp};
use gassync_runtime::{CredentialSlot, Step, StepError};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::{ConnectionSecrets, lifecycle::StepSecrets, run_to_completion};
use crate::{
    app::App,
    store::{
        Lease,
        connections::{self, IdleCredential, StoredCredential},
        sources::{self, SourceState},
    },
    vault,
};

/// Duration of the lease.
const HOLD: SignedDuration = SignedDuration::from_secs(45);
/// Timeout of a renewal; well within the lease.
const LIMIT: Duration = Duration::from_secs(30);
/// Polling interval while another process renews.
const LOOK: Duration = Duration::from_millis(100);
/// Interval of the search for idle grants.
const PERIOD: Duration = Duration::from_secs(3_600);
/// A day.
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl ConnectionSecrets {
    /// When a secret that the step captures was last written.
    pub(super) async fn written(&self, slot: &CredentialSlot, step: &Step) -> anyhow::Result<Option<Timestamp>> {
        let mut tx = self.app.db.read(self.account).await?;
        let stored = connections::credentials(&mut tx, self.account, self.connection).await?;
        let brought = |stored: &StoredCredential| {
            stored.slot == slot.slot && step.captures.iter().any(|capture| capture.field == stored.field)
        };
        Ok(stored.iter().filter(|stored| brought(stored)).map(|stored| Timestamp::from(stored.updated_at)).max())
    }

    /// Renews a slot that was last written at `written`, or waits for another process that is renewing it.
    pub(super) async fn renew(
        &self,
        slot: &CredentialSlot,
        step: &Step,
        written: Option<Timestamp>,
    ) -> anyhow::Result<()> {
        let holder = vault::token(&self.app.random, "");
        let ends = self.app.now() + HOLD;
        while !self.hold(&holder).await? {
            if self.written(slot, step).await? > written {
                return Ok(());
            }
            if self.app.now() > ends {
                bail!("another process is renewing the credential and has not finished");
            }
            tokio::time::sleep(LOOK).await;
        }
        let (secrets, slot, step) = (self.clone(), slot.clone(), step.clone());
        run_to_completion(async move {
            let result = secrets.renew_with_lease(&slot, &step, (written, &holder)).await;
            let mut tx = secrets.app.db.write(secrets.account).await?;
            connections::release_lease(&mut tx, secrets.account, secrets.connection, &holder).await?;
            tx.commit().await?;
            result
        })
        .await
    }

    async fn hold(&self, holder: &str) -> anyhow::Result<bool> {
        let now = self.app.now();
        let mut tx = self.app.db.write(self.account).await?;
        let held = connections::acquire_lease(
            &mut tx,
            self.account,
            self.connection,
            holder,
            Lease { now, until: now + HOLD },
        )
        .await?;
        tx.commit().await?;
        Ok(held)
    }

    async fn renew_with_lease(
        &self,
        slot: &CredentialSlot,
        step: &Step,
        (written, holder): (Option<Timestamp>, &str),
    ) -> anyhow::Result<()> {
        if self.written(slot, step).await? > written {
            return Ok(());
        }
        let stored = StepSecrets::stored(self);
        let stepped = tokio::time::timeout(LIMIT, self.step(step, &stored)).await;
        let captured = match stepped.context("renewal timed out")? {
            Ok(captured) => captured,
            Err(error) => {
                if matches!(error, StepError::Refused(_)) {
                    self.expired(holder).await?;
                }
                return Err(anyhow::Error::new(error).context("renewal failed"));
            }
        };
        let mut tx = self.app.db.write(self.account).await?;
        if !connections::release_lease(&mut tx, self.account, self.connection, holder).await? {
            bail!("the renewal lease expired: another process has taken over");
        }
        for (field, secret, expires) in &captured.fields {
            self.write(&mut tx, (&slot.slot, field), (secret, *expires)).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Marks the credential as expired until a person reconnects, unless that has just happened.
    async fn expired(&self, holder: &str) -> anyhow::Result<()> {
        let mut tx = self.app.db.write(self.account).await?;
        if !connections::release_lease(&mut tx, self.account, self.connection, holder).await? {
            return Ok(());
        }
        let working = (&[SourceState::Active, SourceState::Error][..], SourceState::Expired);
        sources::set_status_of_connection(&mut tx, self.account, self.connection, working).await?;
        tx.commit().await?;
        tracing::error!(
            account = %self.account, connection = %self.connection,
            "credential expired; sources must be reconnected"
        );
        Ok(())
    }
}

/// Renews idle grants before the channel drops them, until shutdown.
pub async fn keep_alive(app: Arc<App>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = keep_alive_once(&app).await {
            tracing::error!(%error, "credential keep-alive failed");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = (app.sleep)(PERIOD) => {}
        }
    }
}

/// Renews grants that were idle for half of their lifetime.
pub async fn keep_alive_once(app: &Arc<App>) -> anyhow::Result<()> {
    let now = app.now();
    let mut tx = app.db.platform_read().await?;
    let idle = connections::idle_since(&mut tx, now - DAY).await?;
    drop(tx);
    for slot in idle {
        if let Err(error) = keep_slot_alive(app, &slot, now).await {
            tracing::warn!(connection = slot.connection_id, slot = slot.slot, %error, "credential keep-alive failed");
        }
    }
    Ok(())
}

async fn keep_slot_alive(app: &Arc<App>, idle: &IdleCredential, now: Timestamp) -> anyhow::Result<()> {
    let Some(plugin) = app.plugins.get(&idle.channel) else { return Ok(()) };
    let manifest = plugin.manifest();
    let Some((slot, step, days)) =
        manifest.slot(&idle.slot).and_then(|slot| Some((slot, slot.refresh.as_ref()?, slot.idle_days?)))
    else {
        return Ok(());
    };
    let since = Timestamp::from(idle.updated_at);
    if now.duration_since(since) < DAY * i32::try_from(days / 2).unwrap_or(i32::MAX) {
        return Ok(());
    }
    let (account, connection) = (AccountId(idle.account_id), ConnectionId(idle.connection_id));
    let mut tx = app.db.read(account).await?;
    let sources = sources::of_connection(&mut tx, account, connection).await?;
    drop(tx);
    let Some(source) =
        sources.into_iter().find(|source| source.status.is_working() || source.status == SourceState::Paused)
    else {
        return Ok(());
    };
    let secrets = ConnectionSecrets::new(Arc::clone(app), account, connection, Arc::clone(&plugin), source.config);
    let written = secrets.written(slot, step).await?;
    secrets.renew(slot, step, written).await
}
