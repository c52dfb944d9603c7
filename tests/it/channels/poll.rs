//! Polls, for what no webhook says.

use gassync_simulator::{Notification, SimulatedChannel};
use gassync_tests::database::Database;

use super::stage::{Stage, settings};

pub async fn changes_arrive_without_a_webhook(channel: &SimulatedChannel, database: Database) {
    let stage = Stage::open(channel, database, "1", settings(channel)).await;
    let id = stage.sell((0, 2), Notification::None);
    stage.until_same("the new reservation is in the core").await;
    assert!(stage.account().rebook(&id, (stage.day(1), stage.day(4)), Notification::None));
    stage.until_same("it has moved").await;
    assert!(stage.account().cancel(&id, Notification::None));
    stage.until_same("it is cancelled").await;
    assert_eq!(stage.account().webhooks_acknowledged(), 0);
    stage.host.stop().await;
}
