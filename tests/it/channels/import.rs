//! The first poll.

use gassync_simulator::{SimulatedChannel, SimulatorSettings};
use gassync_tests::database::Database;

use super::stage::{Stage, settings};

pub async fn what_was_there_is_in_the_core(channel: &SimulatedChannel, database: Database) {
    let settings = SimulatorSettings { bookings: 12, ..settings(channel) };
    let stage = Stage::open(channel, database, "0", settings).await;
    assert!(stage.booked().len() > 5, "{:?}", stage.booked());
    stage.until_same("what was there is in the core").await;
    stage.host.stop().await;
}
