//! One pass through everything that the channel can do, for the second database.

use gassync_simulator::{Ability, Notification, SimulatedChannel, SimulatorSettings};
use gassync_tests::database::Database;

use super::stage::{Stage, settings};

pub async fn run(channel: &SimulatedChannel, database: Database) {
    let settings = SimulatorSettings { bookings: 4, ..settings(channel) };
    let stage = Stage::open(channel, database, "1", settings).await;
    let abilities = stage.account().abilities();
    let can = |ability| abilities.contains(&ability);
    if can(Ability::Poll) {
        stage.until_same("what was there is in the core").await;
    }
    if can(Ability::Webhooks) || can(Ability::Poll) {
        let by = if can(Ability::Webhooks) { Notification::Webhook } else { Notification::None };
        stage.sell((0, 2), by);
        stage.until_same("the new reservation is in the core").await;
    }
    if can(Ability::PushReservations) || can(Ability::PushCalendar) {
        let engine = stage.engine().await;
        engine.book("d1", (6, 8), "confirmed").await;
        let stage = &engine.stage;
        if can(Ability::PushReservations) {
            stage.host.until("the channel has the direct booking", async || engine.ours().len() == 1).await;
        }
        if can(Ability::PushCalendar) {
            stage.host.until("its nights are closed", async || !stage.is_open(6) && !stage.is_open(7)).await;
        }
        engine.until_synced().await;
        engine.close().await;
    } else {
        stage.host.stop().await;
    }
}
