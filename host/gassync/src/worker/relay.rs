//! The only reader of the outbox: assigns committed events their sequence number in the feed, and fans them out.

use std::{collections::HashMap, sync::Arc, time::Duration};

use gassync_domain::{AccountId, CoreId, Timestamp};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    core,
    facts::FactConsumer,
    outbound::fan_out::ChannelFanOut,
    store::{
        self, accounts, buffer::parked_reservations, core::holds, idempotency, outbox, queue, webhooks as subscriptions,
    },
    webhooks::fan_out::WebhookFanOut,
};

/// What follows the core.
const CONSUMERS: &[&dyn FactConsumer] = &[&ChannelFanOut, &WebhookFanOut];

/// Interval of checking the outbox without a notification.
const PERIOD: Duration = Duration::from_millis(200);
/// Events sequenced in one transaction.
const BATCH: i64 = 1_000;
/// Maximum deliveries per transaction: no delivery starts while they are enqueued.
const DELIVERIES: i64 = 4_000;
/// Minimum of events sequenced in one transaction, however many subscriptions there are.
const FEWEST: i64 = 10;
/// Interval of cleaning up expired holds and idempotency keys.
const CLEARING: SignedDuration = SignedDuration::from_secs(30);
/// Holds of parked records released in one pass.
const HOLDS_AT_ONCE: i64 = 100;

/// Relays until shutdown.
pub async fn run(app: Arc<App>, shutdown: CancellationToken) {
    let mut cleared = app.now();
    while !shutdown.is_cancelled() {
        // Register for notifications before looking, so that none is missed.
        let notified = app.facts.notified();
        match relay(&app).await {
            Ok(0) => {}
            Ok(_) => {
                app.feed.notify_waiters();
                app.wake.notify_one();
                continue; // There may be more.
            }
            Err(error) => tracing::error!(%error, "could not relay the outbox"),
        }
        if app.now().duration_since(cleared) > CLEARING {
            cleared = app.now();
            if let Err(error) = clear(&app).await {
                tracing::error!(%error, "cleanup failed");
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = notified => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

async fn relay(app: &App) -> store::Result<i64> {
    let mut tx = app.db.platform_read().await?;
    if !outbox::is_waiting(&mut tx).await? {
        return Ok(0);
    }
    let listeners = subscriptions::count_active(&mut tx).await?;
    drop(tx);
    let mut tx = app.db.platform_write().await?;
    let most = (DELIVERIES / listeners.max(1)).clamp(FEWEST, BATCH);
    let given = outbox::assign_sequence(&mut tx, most).await?;
    // In the same transaction, so that every sequenced event is fanned out.
    let mut work = Vec::new();
    for consumer in CONSUMERS {
        work.extend(consumer.facts(app, &mut tx, &given).await?);
    }
    // One statement, so that queues are locked in order.
    queue::enqueue(&mut tx, &work, app.now()).await?;
    tx.commit().await?;
    Ok(given.iter().map(|(_, low, high)| high - low + 1).sum())
}

async fn clear(app: &App) -> store::Result<()> {
    let now = app.now();
    let mut tx = app.db.platform_write().await?;
    idempotency::delete_before(&mut tx, now - idempotency::RETENTION).await?;
    tx.commit().await?;
    let mut tx = app.db.platform_read().await?;
    let accounts = accounts::with_expired_holds(&mut tx, now).await?;
    drop(tx);
    for account in accounts {
        let mut tx = app.db.write(account).await?;
        // Nights are released in no order, so lock the account's ledger exclusively.
        tx.lock_ledger(account, true).await?;
        let released = core::release_expired(&mut tx, account, now).await?;
        tx.commit().await?;
        tracing::info!(%account, released, "released expired holds");
    }
    end_parked_holds(app, now).await
}

/// Releases holds of parked records whose nights are all past.
async fn end_parked_holds(app: &App, now: Timestamp) -> store::Result<()> {
    let mut tx = app.db.platform_read().await?;
    let mut of_account: HashMap<AccountId, Vec<CoreId>> = HashMap::new();
    for (account, hold) in holds::ended(&mut tx, HOLDS_AT_ONCE, now).await? {
        of_account.entry(account).or_default().push(hold);
    }
    drop(tx);
    for (account, ended) in of_account {
        let mut tx = app.db.write(account).await?;
        tx.lock_ledger(account, true).await?;
        core::drop_holds(&mut tx, account, &ended, now).await?;
        parked_reservations::forget_holds(&mut tx, account, &ended).await?;
        tx.commit().await?;
        tracing::info!(%account, ended = ended.len(), "released holds of parked records");
    }
    Ok(())
}
