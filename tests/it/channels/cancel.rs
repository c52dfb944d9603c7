//! Cancellations of the channel.

use gassync_simulator::{Notification, SimulatedChannel};
use gassync_tests::database::Database;

use super::stage::{Stage, settings};

pub async fn a_cancellation_releases_its_nights(channel: &SimulatedChannel, database: Database) {
    let stage = Stage::open(channel, database, "1", settings(channel)).await;
    let id = stage.sell((0, 2), Notification::None);
    stage.host.until("its nights are sold in the core", async || stage.sold(0).await == 1).await;
    assert_eq!((stage.sold(1).await, stage.sold(2).await), (1, 0));
    assert!(stage.account().cancel(&id, Notification::None));
    stage.host.until("its nights are free", async || stage.sold(0).await == 0).await;
    assert_eq!(stage.sold(1).await, 0);
    // Somebody else can have them.
    stage.sell((0, 2), Notification::None);
    stage.until_same("they are sold again").await;
    assert_eq!(stage.sold(0).await, 1);
    stage.host.stop().await;
}
