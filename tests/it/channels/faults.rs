//! Calls that fail in every way.

use std::time::Duration;

use gassync_simulator::{FaultSettings, SimulatedChannel, SimulatorSettings};
use gassync_tests::database::Database;

use super::stage::{Stage, settings};

/// Actions at the channel while calls fail, at least.
const ACTIONS: usize = 25;
/// Share of calls and webhooks that fail.
const SHARE: f64 = 0.15;
/// Time between two actions, beside that of the test's own looks.
const BETWEEN: Duration = Duration::from_millis(100);

pub async fn everything_arrives_though_calls_fail(channel: &SimulatedChannel, database: Database) {
    let settings = SimulatorSettings { bookings: 6, ..settings(channel) };
    let stage = Stage::open(channel, database, "1", settings).await;
    let account = stage.account();
    account.set_faults(FaultSettings { delay_millis: 100, hold_millis: 300, ..FaultSettings::any(SHARE) });
    let has_failed = || account.requests().iter().any(|call| call.fault.is_some());
    let mut actions = 0;
    // Which calls fail is a matter of chance, and some channels are called seldom.
    let enough = async || {
        account.act();
        actions += 1;
        tokio::time::sleep(BETWEEN).await;
        actions >= ACTIONS && has_failed()
    };
    stage.host.until("calls have failed", enough).await;
    account.set_faults(FaultSettings::default());
    stage.until_same("everything is in the core").await;
    stage.host.until("every webhook is acknowledged", async || account.webhooks_pending() == 0).await;
    assert_eq!(stage.host.look(&format!("sources/{}", stage.name())).await["status"], "active");
    stage.host.stop().await;
}
