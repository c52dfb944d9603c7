//! Direct bookings that are pushed to the channel.

use gassync_simulator::{FaultSettings, InjectedFault, Rule, SimulatedChannel, SimulatedStatus};
use gassync_tests::database::Database;

use super::stage::{Stage, settings};

pub async fn a_direct_booking_is_made_moved_and_cancelled(channel: &SimulatedChannel, database: Database) {
    let engine = Stage::open(channel, database, "0", settings(channel)).await.engine().await;
    let stage = &engine.stage;
    engine.book("d1", (0, 2), "confirmed").await;
    stage.host.until("the channel has it", async || engine.ours().len() == 1).await;
    let made = engine.ours().remove(0);
    assert_eq!((made.check_in, made.check_out, made.status), (stage.day(0), stage.day(2), SimulatedStatus::Confirmed));
    assert_eq!((made.room_type_id, made.adults), (stage.room.id.clone(), Some(2)));
    assert_eq!(made.total_ten_thousandths, Some(2_405_000));
    engine.until_synced().await;
    // Some channels cannot move a booking: then another one is made, and the first is cancelled.
    engine.book("d1", (4, 6), "confirmed").await;
    let stands = async |nights: &[(i64, i64)]| {
        let ours = engine.ours().into_iter().filter(|booking| booking.status != SimulatedStatus::Cancelled);
        let nights = nights.iter().map(|(from, to)| (stage.day(*from), stage.day(*to)));
        ours.map(|booking| (booking.check_in, booking.check_out)).eq(nights)
    };
    stage.host.until("it has moved", async || stands(&[(4, 6)]).await).await;
    engine.book("d1", (4, 6), "cancelled").await;
    stage.host.until("it is cancelled", async || stands(&[]).await).await;
    engine.until_synced().await;
    engine.stage.host.stop().await;
}

pub async fn a_lost_answer_makes_no_second_booking(channel: &SimulatedChannel, database: Database) {
    let engine = Stage::open(channel, database, "0", settings(channel)).await.engine().await;
    let stage = &engine.stage;
    engine.until_synced().await;
    let faults = [
        InjectedFault::TimeoutAfterWork,
        InjectedFault::ErrorAfterWork,
        InjectedFault::HalfAnswer,
        InjectedFault::ErrorBeforeWork,
    ];
    for (number, fault) in (1..).zip(faults) {
        let rules = [(fault, Rule::next(1).only("POST"))].into();
        stage.account().set_faults(FaultSettings { rules, hold_millis: 200, ..FaultSettings::default() });
        engine.book(&format!("d{number}"), (number * 3, number * 3 + 2), "confirmed").await;
        let has_it = || engine.ours().iter().any(|booking| booking.check_in == stage.day(number * 3));
        stage.host.until(&format!("{fault:?}: the channel has it"), async || has_it()).await;
        engine.until_synced().await;
        let struck = stage.account().requests().iter().any(|call| call.fault == Some(fault));
        assert!(struck, "{fault:?} did not happen");
    }
    assert_eq!(engine.ours().len(), faults.len());
    engine.close().await;
}
