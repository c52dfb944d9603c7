//! A new source only listens, and goes live exactly by its plan.

use gassync::admin::{ConnectResponse, GoLive, GoLivePlan, SourceDetail};
use gassync_domain::SourceState;
use gassync_simulator::beds24::NightsSet;
use gassync_tests::{
    database::Database,
    host::{self, clock, read},
    on_both,
    test_clock::TestClock,
};
use jiff::SignedDuration;
use serde_json::json;

use crate::{
    manual_closures::{set, words},
    outbound::{Stage, is_open, quiet},
};

on_both!(
    going_live_executes_exactly_the_plan,
    nights_sold_after_the_plan_are_closed,
    going_live_refuses_unplanned_changes,
    a_plan_expires_after_five_minutes,
    a_plan_can_open_nights_closed_by_hand,
    new_credentials_listen_until_their_rooms_match,
);

async fn plan(stage: &Stage, source: &str, open_closed: bool) -> GoLivePlan {
    let asked = GoLive { plan: true, open_closed, plan_id: None };
    stage.host.as_operator().post(&format!("sources/{source}/go-live"), &asked, 200).await
}

fn following(plan: &GoLivePlan) -> GoLive {
    GoLive { plan_id: plan.plan_id, ..GoLive::default() }
}

async fn follow(stage: &Stage, source: &str, plan: &GoLivePlan) -> GoLivePlan {
    stage.host.as_operator().post(&format!("sources/{source}/go-live"), &following(plan), 200).await
}

/// Why a plan cannot be followed any more.
async fn refused(stage: &Stage, source: &str, plan: &GoLivePlan) -> String {
    let path = format!("sources/{source}/go-live");
    stage.host.as_operator().refused(&path, &following(plan), 409).await.detail
}

async fn listens(stage: &Stage, source: &str) -> bool {
    stage.host.as_operator().get::<SourceDetail>(&format!("sources/{source}")).await.source.listening
}

async fn going_live_executes_exactly_the_plan(database: Database) {
    let stage = Stage::listening(database, "0", clock()).await;
    let room = stage.rooms.0;
    let (closed, priced) = (stage.day(0), stage.day(4));
    set(&stage.alpha, room, (closed, stage.day(1)), "blackout");
    stage.price(priced, 321).await;
    let planned = plan(&stage, "alpha", false).await;
    assert!(!planned.live);
    assert_eq!(planned.opens.nights, 0, "{planned:?}");
    assert_eq!(planned.closes.nights, 0, "{planned:?}");
    assert_eq!(planned.prices.nights, 1, "{planned:?}");
    assert_eq!(planned.prices.first_night, Some(priced), "{planned:?}");
    assert_eq!(planned.prices.first_room_type_id, Some(room.to_string()), "{planned:?}");
    assert_eq!(planned.closed_by_hand.nights, 2, "{planned:?}");
    assert!(stage.alpha.account.night_writes().is_empty(), "a plan writes nothing");
    assert!(follow(&stage, "alpha", &planned).await.live);
    let has = || stage.alpha.account.nights(room, priced, priced)[0].price1_cents == Some(32_100);
    stage.host.until("the price is there", async || has()).await;
    stage.host.until("everything is pushed", async || stage.is_synced("alpha").await).await;
    for write in stage.alpha.account.night_writes() {
        let keys: Vec<&str> = write.values.keys().map(String::as_str).collect();
        assert_eq!((write.from, write.to, keys), (priced, priced, vec!["price1"]), "just what the plan named");
    }
    // The source is live: changes are pushed.
    assert!(!listens(&stage, "alpha").await);
    stage.book("d1", (8, 9), "confirmed").await;
    stage.host.until("the sale is pushed", async || !is_open(&stage.alpha, room, stage.day(8))).await;
    stage.host.stop().await;
}

async fn nights_sold_after_the_plan_are_closed(database: Database) {
    let stage = Stage::listening(database, "0", clock()).await;
    let (sold, closed) = (stage.day(0), stage.day(5));
    let planned = plan(&stage, "beta", false).await;
    assert_eq!(planned.closes.nights, 0, "{planned:?}");
    stage.book("d1", (0, 2), "confirmed").await;
    set(&stage.beta, stage.rooms.1, (closed, closed), "blackout");
    let done = follow(&stage, "beta", &planned).await;
    assert_eq!((done.closes.nights, done.closed_by_hand.first_night), (2, Some(closed)), "{done:?}");
    stage.host.until("it is closed", async || !is_open(&stage.beta, stage.rooms.1, sold)).await;
    stage.host.until("everything is pushed", async || stage.is_synced("beta").await).await;
    assert!(!is_open(&stage.beta, stage.rooms.1, closed), "what was closed since stays closed");
    assert!(words(&stage.beta, stage.rooms.1, closed).is_empty());
    assert!(!stage.is_free(closed).await, "everywhere");
    stage.host.stop().await;
}

async fn going_live_refuses_unplanned_changes(database: Database) {
    let stage = Stage::listening(database, "0", clock()).await;
    let (night, room) = (stage.day(3), stage.rooms.0);
    let planned = plan(&stage, "alpha", false).await;
    let by_hand = NightsSet { price1_cents: Some(7_700), ..NightsSet::default() };
    stage.price(night, 88).await;
    let why = refused(&stage, "alpha", &planned).await;
    assert!(why.contains("1 nights would change their price") && why.contains(&night.to_string()), "{why}");
    assert!(stage.alpha.account.night_writes().is_empty());
    assert!(listens(&stage, "alpha").await);
    // The same applies if the channel has changed.
    let planned = plan(&stage, "alpha", false).await;
    let other = stage.day(6);
    stage.price(other, 77).await;
    let planned_again = plan(&stage, "alpha", false).await;
    assert!(stage.alpha.account.set_nights(room, (other, other), &by_hand), "as the core has it by now");
    // The last plan counts.
    refused(&stage, "alpha", &planned).await;
    assert_eq!(follow(&stage, "alpha", &planned_again).await.prices.nights, 1);
    stage.host.stop().await;
}

async fn a_plan_expires_after_five_minutes(database: Database) {
    let clock = TestClock::default();
    let stage = Stage::listening(database, "0", clock.clock()).await;
    let planned = plan(&stage, "alpha", false).await;
    clock.advance(SignedDuration::from_secs(301));
    let why = refused(&stage, "alpha", &planned).await;
    assert!(why.contains("the limit is 300 s"), "{why}");
    let planned = plan(&stage, "alpha", false).await;
    clock.advance(SignedDuration::from_secs(200));
    assert!(follow(&stage, "alpha", &planned).await.live);
    stage.host.stop().await;
}

async fn a_plan_can_open_nights_closed_by_hand(database: Database) {
    let stage = Stage::listening(database, "0", clock()).await;
    let (night, room) = (stage.day(0), stage.rooms.0);
    set(&stage.alpha, room, (night, night), "blackout");
    let planned = plan(&stage, "alpha", true).await;
    assert_eq!(planned.opens.nights, 1, "{planned:?}");
    assert_eq!(planned.opens.first_night, Some(night), "{planned:?}");
    assert!(!stage.is_free(night).await, "a plan opens nothing");
    assert!(follow(&stage, "alpha", &planned).await.live);
    stage.host.until("it is open", async || is_open(&stage.alpha, room, night)).await;
    assert!(stage.is_free(night).await);
    stage.host.until("everything is pushed", async || stage.is_synced("alpha").await).await;
    // Closed manually again, it stays closed.
    stage.sync("alpha").await;
    set(&stage.alpha, room, (night, night), "blackout");
    stage.sync("alpha").await;
    assert!(!stage.is_free(night).await);
    assert_eq!(stage.host.look("ledger/differences").await, json!([]));
    stage.host.stop().await;
}

async fn new_credentials_listen_until_their_rooms_match(database: Database) {
    let other = host::channel(quiet(99)).await;
    let stage = Stage::listening_beside(database, "0", clock(), &[&other]).await;
    stage.host.go_live("alpha").await;
    stage.host.go_live("beta").await;
    let connect = async |code: String| {
        let new = json!({ "credentials": { "inviteCode": code } });
        let done: ConnectResponse = stage.host.as_operator().post("sources/alpha/connect", &new, 200).await;
        assert_eq!(done.status, SourceState::Active);
    };
    connect(stage.alpha.account.invite_code()).await;
    stage.host.until("the same rooms are live again", async || !listens(&stage, "alpha").await).await;
    // The same source at another account, with other rooms.
    let settings = json!({ "set": { "baseUrl": format!("http://{}/api/v2", other.address) }, "unset": [] });
    let request = stage.host.http.patch(format!("{}/admin/v1/sources/alpha/settings", stage.host.base)).json(&settings);
    let (status, reply) = read(stage.host.operator(request).send().await.expect("an answer")).await;
    assert!(status < 300, "{reply}");
    connect(other.account.invite_code()).await;
    stage.host.until("its rooms are read", async || other.account.requests().len() > 3).await;
    stage.sync("alpha").await;
    assert!(listens(&stage, "alpha").await, "its rooms are others");
    stage.book("d1", (0, 1), "confirmed").await;
    stage.host.until("beta has the push", async || !is_open(&stage.beta, stage.rooms.1, stage.day(0))).await;
    let posts = other.account.requests().into_iter().filter(|call| call.method == "POST").count();
    assert_eq!(posts, 0, "nothing is written there");
    stage.host.stop().await;
}
