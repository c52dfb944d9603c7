//! Records in every odd form: what can be mended is in the core as the channel has it, and what only a person can place
//! is held with an alarm.

use gassync_simulator::{SimulatedChannel, SimulatedReservation, SimulatorSettings};
use gassync_tests::database::Database;
use serde_json::Value;

use super::stage::{Stage, settings};

/// Alarms about records that need a person.
const WAITING: [&str; 2] = ["set-aside", "parked"];
/// Checks, a fifth of a second apart.
const CHECKS: u32 = 600;

pub async fn what_is_odd_is_placed_or_held_with_an_alarm(channel: &SimulatedChannel, database: Database) {
    let settings = SimulatorSettings { properties: 3, bookings: 20, ..settings(channel) };
    let stage = Stage::open(channel, database, "1", settings).await;
    stage.until_same("what was there is in the core").await;
    for kind in stage.account().odd_kinds() {
        assert!(stage.account().send_odd(kind).is_some(), "{kind} cannot be sent");
    }
    let sent = stage.account().odd_sent();
    assert_eq!(sent.len(), stage.account().odd_kinds().len(), "{sent:?}");
    let mut differences = Vec::new();
    for _ in 0..CHECKS {
        let alarms = stage.host.look("alarms").await;
        let waiting: Vec<Value> = alarms.as_array().cloned().unwrap_or_default();
        let is_held = |reservation: &SimulatedReservation| is_held(&stage, reservation, &waiting);
        differences = stage.differences(is_held).await;
        if differences.is_empty() && stage.account().webhooks_pending() == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(differences.is_empty(), "{differences:#?}\n{}", stage.host.look("alarms").await);
    stage.host.stop().await;
}

/// True if a person is asked, by an alarm that names the reservation or, where its id is not sent, the record set aside.
fn is_held(stage: &Stage, reservation: &SimulatedReservation, alarms: &[Value]) -> bool {
    let Some(odd) = reservation.odd.as_ref().filter(|odd| odd.waits_for_a_person) else { return false };
    let of_source =
        |alarm: &&Value| alarm["source"] == stage.name() && WAITING.iter().any(|kind| alarm["kind"] == *kind);
    alarms.iter().filter(of_source).any(|alarm| {
        let text = alarm.to_string();
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        if odd.is_without_id { alarm["kind"] == "set-aside" } else { words.any(|word| word == reservation.id) }
    })
}
