//! Webhooks, without a poll beside them.

use gassync_simulator::{FaultSettings, InjectedFault, Notification, Rule, SimulatedChannel, SimulatedStatus};
use gassync_tests::database::Database;

use super::stage::{Stage, settings};

pub async fn changes_arrive_without_a_poll(channel: &SimulatedChannel, database: Database) {
    let stage = Stage::open(channel, database, "0", settings(channel)).await;
    let id = stage.sell((0, 2), Notification::Webhook);
    stage.until_same("the new reservation is in the core").await;
    assert!(stage.account().rebook(&id, (stage.day(1), stage.day(4)), Notification::Webhook));
    stage.until_same("it has moved").await;
    assert!(stage.account().cancel(&id, Notification::Webhook));
    stage.until_same("it is cancelled").await;
    assert_eq!(stage.reservation(&id).status, SimulatedStatus::Cancelled);
    let acknowledged = async || stage.account().webhooks_pending() == 0;
    stage.host.until("every webhook is acknowledged", acknowledged).await;
    assert!(stage.account().webhooks_acknowledged() >= 3, "{:?}", stage.account().deliveries());
    stage.host.stop().await;
}

pub async fn doubled_and_reordered_webhooks_change_nothing(channel: &SimulatedChannel, database: Database) {
    let stage = Stage::open(channel, database, "0", settings(channel)).await;
    let faults = [InjectedFault::DuplicateWebhook, InjectedFault::ReorderedWebhook];
    let rules = faults.map(|fault| (fault, Rule::rate(1.0))).into();
    stage.account().set_faults(FaultSettings { rules, ..FaultSettings::default() });
    for number in 0..4 {
        let id = stage.sell((number * 5, number * 5 + 2), Notification::Webhook);
        let nights = (stage.day(number * 5 + 1), stage.day(number * 5 + 4));
        assert!(stage.account().rebook(&id, nights, Notification::Webhook));
        if number % 2 == 0 {
            assert!(stage.account().cancel(&id, Notification::Webhook));
        }
    }
    stage.host.until("every webhook is acknowledged", async || stage.account().webhooks_pending() == 0).await;
    stage.until_same("the last state of each is in the core").await;
    stage.host.stop().await;
}
