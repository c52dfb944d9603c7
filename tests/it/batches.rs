//! Batch sizes of reservation pushes.

use gassync_simulator::{InjectedFault, Rule};
use gassync_tests::{database::Database, on_both, plugins::beds24_in_batches_of};
use jiff::SignedDuration;
use serde_json::json;

use crate::outbound::Stage;

on_both!(reservations_are_pushed_in_batches_of_the_manifests_size);

async fn reservations_are_pushed_in_batches_of_the_manifests_size(database: Database) {
    let stage = Stage::open(database, "0").await;
    let host = &stage.host;
    host.until("everything is pushed", async || stage.is_synced("alpha").await && stage.is_synced("beta").await).await;
    let (status, installed) = host.install(beds24_in_batches_of(2)).await;
    assert_eq!((status, &installed["status"]), (201, &json!("serving")), "{installed}");
    // Five bookings pending at the same time.
    let gather = async |names: &str, first: i64| {
        assert_eq!(host.operate("plugins/beds24/disable", &json!(null)).await.status().as_u16(), 204);
        for (name, night) in names.chars().zip(first..) {
            stage.book(&name.to_string(), (night, night + 1), "confirmed").await;
        }
        host.until("they wait", async || stage.age("alpha").await["bookingsPending"] == json!(names.len())).await;
        assert_eq!(host.operate("plugins/beds24/enable", &json!(null)).await.status().as_u16(), 204);
    };
    let writes = || {
        let calls = stage.alpha.account.requests();
        let writes = calls.into_iter().filter(|call| call.method == "POST" && call.path == "/bookings");
        writes.map(|call| call.at).collect::<Vec<_>>()
    };
    let all_are_pushed = async |count: usize| stage.booked().len() == count && stage.is_synced("alpha").await;
    gather("abcde", 0).await;
    host.until("alpha has them", async || all_are_pushed(5).await).await;
    assert_eq!(writes().len(), 3, "two, two and one");
    stage.alpha.account.set_fault(InjectedFault::ErrorBeforeWork, Rule::next(1).only("POST /bookings"));
    gather("fghij", 10).await;
    host.until("alpha has all", async || all_are_pushed(10).await).await;
    let writes = writes();
    let gap = writes[4].duration_since(writes[3]);
    assert!(gap >= SignedDuration::from_secs(2), "after a call that failed the channel is left alone: {gap}");
    for (reference, creates) in stage.alpha.account.creates_by_reference() {
        assert_eq!(creates, 1, "{reference} was made {creates} times");
    }
    stage.host.stop().await;
}
