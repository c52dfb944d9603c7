//! Nights and prices that are pushed to the channel.

use gassync_simulator::SimulatedChannel;
use gassync_tests::database::Database;
use serde_json::json;

use super::stage::{Engine, Stage, settings};

/// An engine whose bookings are not pushed: only their nights are closed.
async fn nights_alone(channel: &SimulatedChannel, database: Database) -> Engine {
    let stage = Stage::open(channel, database, "0", settings(channel)).await;
    let path = format!("sources/{}/pushing", stage.name());
    stage.host.operate(&path, &json!({ "bookings": "none" })).await;
    let engine = stage.engine().await;
    engine.until_synced().await;
    engine
}

pub async fn a_sale_closes_its_nights_and_a_cancellation_opens_them(channel: &SimulatedChannel, database: Database) {
    let engine = nights_alone(channel, database).await;
    let stage = &engine.stage;
    assert!((0..4).all(|ahead| stage.is_open(ahead)), "nothing is sold yet");
    engine.book("d1", (0, 2), "confirmed").await;
    stage.host.until("its nights are closed", async || !stage.is_open(0) && !stage.is_open(1)).await;
    engine.until_synced().await;
    assert!(stage.is_open(2), "and no other");
    engine.book("d1", (1, 3), "confirmed").await;
    let moved = async || stage.is_open(0) && !stage.is_open(1) && !stage.is_open(2);
    stage.host.until("the closed nights have moved", moved).await;
    engine.book("d1", (1, 3), "cancelled").await;
    stage.host.until("all nights are open again", async || (0..4).all(|ahead| stage.is_open(ahead))).await;
    assert!(engine.ours().is_empty(), "no booking was asked for");
    engine.close().await;
}

pub async fn prices_are_pushed(channel: &SimulatedChannel, database: Database) {
    let engine = nights_alone(channel, database).await;
    let stage = &engine.stage;
    let price =
        |ahead| stage.account().calendar(&stage.room.id, stage.day(ahead), stage.day(ahead))[0].price_ten_thousandths;
    let beside = price(4);
    engine.price(3, 321).await;
    stage.host.until("the price is there", async || price(3) == Some(3_210_000)).await;
    engine.until_synced().await;
    assert_eq!(price(4), beside, "the night beside keeps its own");
    engine.close().await;
}
