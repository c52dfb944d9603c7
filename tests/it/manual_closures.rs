//! Nights closed manually at a channel are closed at every seller, and opened only there.

use gassync_domain::Date;
use gassync_simulator::{
    Notification,
    beds24::{NewBooking, NightsSet},
};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Channel, Host, clock, read, records},
    on_both,
};
use jiff::Span;
use serde_json::{Value, json};

use crate::outbound::{Stage, is_open};

on_both!(
    connecting_reopens_no_closed_night,
    a_price_change_keeps_a_closed_night_closed,
    a_manually_reopened_night_is_open,
    a_reduced_count_reduces_availability_everywhere,
    channel_bookings_are_not_closures,
    closures_of_several_rate_plans_are_merged,
    a_read_during_a_cancellation_closes_nothing_permanently,
    own_closures_are_recognised_after_a_pause,
    an_unread_closure_is_not_overwritten,
    manual_prices_are_reported_before_being_overwritten,
    a_source_that_owns_prices_still_receives_availability,
);

/// Sets values in the channel's control panel, as its owner does.
pub fn set(channel: &Channel, room: u64, nights: (Date, Date), closing: &str) {
    let set = NightsSet { closing: Some(closing.to_owned()), ..NightsSet::default() };
    assert!(channel.account.set_nights(room, nights, &set), "there is such a room");
}

/// The overrides written for a night by API, in order.
pub fn words(channel: &Channel, room: u64, night: Date) -> Vec<String> {
    let writes = channel.account.night_writes().into_iter();
    let of_it = writes.filter(|write| write.room_id == room && write.from <= night && night <= write.to);
    of_it.filter_map(|write| write.values.get("override")?.as_str().map(str::to_owned)).collect()
}

/// True if anything was written at a channel.
fn is_written(channel: &Channel) -> bool {
    channel.account.requests().iter().any(|call| call.method == "POST")
}

impl Stage {
    /// Fetches everything from a channel now.
    pub async fn sync(&self, source: &str) {
        let (status, pushed) = read(self.host.operate(&format!("sources/{source}/sync"), &json!(null)).await).await;
        assert_eq!(status, 200, "{pushed}");
    }

    /// True if the booking engine could sell a night.
    pub async fn is_free(&self, night: Date) -> bool {
        let (_, shown) =
            self.host.get(&self.engine, &format!("availability?roomTypeId=studio&from={night}&to={night}")).await;
        shown["data"][0]["available"] == json!(true)
    }

    /// Waits until everything is pushed to both channels.
    pub async fn settled(&self) {
        let pushed = async || self.is_synced("alpha").await && self.is_synced("beta").await;
        self.host.until("everything is pushed", pushed).await;
    }

    async fn ledger_is_whole(&self) {
        assert_eq!(self.host.look("ledger/differences").await, json!([]));
    }
}

async fn connecting_reopens_no_closed_night(database: Database) {
    let stage = Stage::listening(database, "0", clock()).await;
    let (night, last, open) = (stage.day(0), stage.day(2), stage.day(3));
    set(&stage.alpha, stage.rooms.0, (night, last), "blackout");
    stage.sync("alpha").await;
    assert!(!stage.is_free(night).await && !stage.is_free(last).await, "closed anywhere is closed everywhere");
    assert!(stage.is_free(open).await);
    let age = stage.age("alpha").await;
    assert_eq!(
        (&age["closedByHand"][0]["from"], &age["closedByHand"][0]["nights"]),
        (&json!(night), &json!(3)),
        "{age}"
    );
    let (status, why) = read(stage.host.operate("sources/alpha/push", &json!({ "all": true })).await).await;
    assert_eq!((status, &why["type"]), (409, &json!("/problems/conflict")), "{why}");
    stage.book("d1", (5, 6), "confirmed").await;
    let (status, why) = read(stage.host.operate("sources/alpha/go-live", &json!({})).await).await;
    assert_eq!(status, 409, "nobody has seen a plan: {why}");
    assert!(!is_written(&stage.alpha) && !is_written(&stage.beta), "while it listens nothing is written");

    let plan = stage.host.go_live("beta").await;
    assert_eq!(plan["opens"]["nights"], json!(0), "{plan}");
    assert!(plan["closes"]["nights"].as_u64() >= Some(4), "three nights closed by hand and one sold: {plan}");
    stage.host.until("beta has closed them", async || !is_open(&stage.beta, stage.rooms.1, night)).await;
    assert!(!is_open(&stage.beta, stage.rooms.1, stage.day(5)), "what was sold is closed");
    let plan = stage.host.go_live("alpha").await;
    assert_eq!(plan["closedByHand"]["nights"], json!(3), "{plan}");
    assert_eq!(plan["closedByHand"]["firstNight"], json!(night), "{plan}");
    assert_eq!(plan["opens"]["nights"], json!(0), "{plan}");
    stage.settled().await;
    for ahead in 0..=2 {
        assert!(words(&stage.alpha, stage.rooms.0, stage.day(ahead)).is_empty(), "it is not told of its own closing");
        assert!(!is_open(&stage.alpha, stage.rooms.0, stage.day(ahead)));
    }
    assert!(words(&stage.alpha, stage.rooms.0, open).is_empty(), "what is open is not opened");
    stage.ledger_is_whole().await;
    stage.host.stop().await;
}

async fn a_price_change_keeps_a_closed_night_closed(database: Database) {
    let stage = Stage::open(database, "0").await;
    stage.settled().await;
    let (night, room) = (stage.day(0), stage.rooms.0);
    set(&stage.alpha, room, (night, night), "blackout");
    stage.sync("alpha").await;
    stage.price(night, 123).await;
    let priced = || stage.alpha.account.nights(room, night, night)[0].price1_cents == Some(12_300);
    stage.host.until("the price is there", async || priced()).await;
    stage.settled().await;
    assert!(!is_open(&stage.alpha, room, night));
    assert!(words(&stage.alpha, room, night).is_empty());
    // A night whose closure was not read before the price changes.
    let unseen = stage.day(1);
    set(&stage.alpha, room, (unseen, unseen), "blackout");
    stage.price(unseen, 99).await;
    stage
        .host
        .until("the price is there", async || {
            stage.alpha.account.nights(room, unseen, unseen)[0].price1_cents == Some(9_900)
        })
        .await;
    stage.settled().await;
    assert!(!is_open(&stage.alpha, room, unseen));
    stage.host.stop().await;
}

async fn a_manually_reopened_night_is_open(database: Database) {
    let stage = Stage::open(database, "0").await;
    stage.settled().await;
    let (night, room) = (stage.day(0), stage.rooms.0);
    set(&stage.alpha, room, (night, night), "blackout");
    stage.sync("alpha").await;
    stage.host.until("beta closes it", async || !is_open(&stage.beta, stage.rooms.1, night)).await;
    // A sale and its cancellation elsewhere do not open a manually closed night.
    stage.book("d1", (0, 2), "confirmed").await;
    stage.host.until("the next night is closed", async || !is_open(&stage.beta, stage.rooms.1, stage.day(1))).await;
    stage.book("d1", (0, 2), "cancelled").await;
    stage.host.until("it is open again", async || is_open(&stage.beta, stage.rooms.1, stage.day(1))).await;
    stage.settled().await;
    assert!(!is_open(&stage.alpha, room, night) && !is_open(&stage.beta, stage.rooms.1, night));
    assert!(!stage.is_free(night).await);
    set(&stage.alpha, room, (night, night), "none");
    stage.sync("alpha").await;
    stage.host.until("beta opens it", async || is_open(&stage.beta, stage.rooms.1, night)).await;
    stage.settled().await;
    assert!(stage.is_free(night).await && is_open(&stage.alpha, room, night));
    assert!(words(&stage.alpha, room, night).is_empty(), "{:?}", words(&stage.alpha, room, night));
    stage.ledger_is_whole().await;
    stage.host.stop().await;
}

async fn a_reduced_count_reduces_availability_everywhere(database: Database) {
    let stage = Stage::open(database, "0").await;
    stage.settled().await;
    let (night, room) = (stage.day(0), stage.rooms.0);
    let stock = |stock: i64| {
        let set = NightsSet { stock: Some(stock), ..NightsSet::default() };
        assert!(stage.alpha.account.set_nights(room, (night, night), &set));
    };
    stock(0);
    stage.sync("alpha").await;
    assert!(!stage.is_free(night).await);
    stage.host.until("beta closes it", async || !is_open(&stage.beta, stage.rooms.1, night)).await;
    stock(1);
    stage.sync("alpha").await;
    assert!(stage.is_free(night).await);
    stage.host.until("beta opens it", async || is_open(&stage.beta, stage.rooms.1, night)).await;
    stage.ledger_is_whole().await;
    stage.host.stop().await;
}

async fn channel_bookings_are_not_closures(database: Database) {
    let stage = Stage::open(database, "0").await;
    stage.settled().await;
    let (night, room) = (stage.day(0), stage.rooms.0);
    let new = || NewBooking {
        room_id: room,
        arrival: night,
        departure: stage.day(1),
        room_qty: 1,
        num_adult: 2,
        price_cents: 9_000,
        first_name: "Ilse".to_owned(),
        last_name: "Brandt".to_owned(),
    };
    // The calendar is read before the booking.
    let id = stage.alpha.account.make(new(), Notification::None).expect("room");
    stage.calendar_alone("alpha").await;
    assert!(!stage.is_free(night).await, "what may be closed is closed until the booking is read");
    stage.sync("alpha").await;
    stage.settled().await;
    let alarms = stage.host.look("alarms").await;
    let overbooked = |alarm: &Value| alarm["kind"] == "overbooked";
    assert!(!alarms.as_array().expect("alarms").iter().any(overbooked), "it is sold once: {alarms}");
    assert!(stage.alpha.account.cancel(id, Notification::Webhook));
    stage.host.until("it is free again", async || stage.is_free(night).await).await;
    stage.host.until("beta opens it", async || is_open(&stage.beta, stage.rooms.1, night)).await;
    stage.ledger_is_whole().await;
    // Booked at the channel that closed the night: sold, not overbooked, and closed again afterwards.
    set(&stage.alpha, room, (night, night), "none");
    stage.sync("alpha").await;
    let id = stage.alpha.account.make(new(), Notification::None).expect("room");
    set(&stage.alpha, room, (night, night), "blackout");
    stage.calendar_alone("alpha").await;
    stage.sync("alpha").await;
    let alarms = stage.host.look("alarms").await;
    assert!(!alarms.as_array().expect("alarms").iter().any(overbooked), "{alarms}");
    stage.ledger_is_whole().await;
    assert!(stage.alpha.account.cancel(id, Notification::Webhook));
    stage
        .host
        .until("the booking is over", async || {
            let (_, shown) =
                stage.host.get(&stage.engine, &format!("availability?roomTypeId=studio&from={night}&to={night}")).await;
            shown["data"][0]["unitsAvailable"] == json!(0) && stage.sold(night).await == 0
        })
        .await;
    stage.settled().await;
    assert!(!stage.is_free(night).await && !is_open(&stage.beta, stage.rooms.1, night), "the word still closes it");
    stage.ledger_is_whole().await;
    stage.host.stop().await;
}

async fn closures_of_several_rate_plans_are_merged(database: Database) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    for (entity, record) in &records()[..2] {
        assert_eq!(host.post(&key, entity, record).await.0, 201);
    }
    for plan in ["flex", "fixed"] {
        let plan = json!({ "id": plan, "propertyId": "p1", "name": plan });
        assert_eq!(host.post(&key, "rate-plans", &plan).await.0, 201);
    }
    let submit = async |plans: [(&str, bool); 2]| {
        let of = |(plan, available): (&str, bool)| json!({ "roomTypeId": "t1", "ratePlanId": plan, "date": "2027-06-01", "available": available });
        let (status, pushed) = host.post(&key, "availability", &json!(plans.map(of))).await;
        assert!(status < 300, "{pushed}");
    };
    let free = async || {
        let shown = host.get(&key, "availability?from=2027-06-01&to=2027-06-01").await.1;
        shown["data"][0]["unitsAvailable"].as_i64().expect("a number")
    };
    for closed in 0..2 {
        submit([("flex", false), ("fixed", true)]).await;
        assert_eq!(free().await, 1, "one of its rate plans is sold, {closed}");
        submit([("flex", false), ("fixed", false)]).await;
        assert_eq!(free().await, 0, "none is");
        assert_eq!(host.look("ledger/differences").await, json!([]));
    }
    submit([("flex", true), ("fixed", true)]).await;
    assert_eq!(free().await, 1);
    assert_eq!(host.look("ledger/differences").await, json!([]));
    host.stop().await;
}

async fn a_read_during_a_cancellation_closes_nothing_permanently(database: Database) {
    let stage = Stage::open(database, "0").await;
    let room = stage.rooms.0;
    stage.settled().await;
    for ahead in 0..3 {
        let night = stage.day(ahead);
        let id = format!("v{ahead}");
        stage.book(&id, (ahead, ahead + 1), "confirmed").await;
        stage.settled().await;
        set(&stage.alpha, room, (night, night), "none");
        // With both changes pending, the channel may be read between them.
        stage.price(night, 77 + ahead).await;
        stage.book(&id, (ahead, ahead + 1), "cancelled").await;
        stage.settled().await;
        stage.sync("alpha").await;
        let open = async || {
            stage.is_free(night).await
                && is_open(&stage.alpha, room, night)
                && is_open(&stage.beta, stage.rooms.1, night)
        };
        stage.host.until("it is open everywhere", open).await;
    }
    stage.host.stop().await;
}

async fn own_closures_are_recognised_after_a_pause(database: Database) {
    let stage = Stage::open(database, "0").await;
    let (night, room) = (stage.day(0), stage.rooms.1);
    stage.book("d1", (0, 1), "confirmed").await;
    stage.host.until("beta closes it", async || !is_open(&stage.beta, room, night)).await;
    stage.settled().await;
    let pushing = async |enabled: bool| {
        let rules = json!({ "bookings": "none", "enabled": enabled });
        assert_eq!(stage.host.operate("sources/beta/pushing", &rules).await.status().as_u16(), 204);
    };
    for _ in 0..2 {
        pushing(false).await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        stage.sync("beta").await;
        pushing(true).await;
        stage.sync("beta").await;
        stage.settled().await;
        assert_eq!(stage.age("beta").await["closedByHand"], json!([]), "it is our own word");
    }
    stage.book("d1", (0, 1), "cancelled").await;
    stage.host.until("beta opens it", async || is_open(&stage.beta, room, night)).await;
    assert!(stage.is_free(night).await);
    stage.host.stop().await;
}

async fn an_unread_closure_is_not_overwritten(database: Database) {
    let stage = Stage::open(database, "0").await;
    stage.settled().await;
    let room = stage.rooms.0;
    // Sold and cancelled elsewhere before the manual closure was read.
    let night = stage.day(0);
    set(&stage.alpha, room, (night, night), "blackout");
    stage.book("d1", (0, 1), "confirmed").await;
    stage.host.until("beta is closed", async || !is_open(&stage.beta, stage.rooms.1, night)).await;
    stage.settled().await;
    stage.book("d1", (0, 1), "cancelled").await;
    stage.settled().await;
    assert!(!is_open(&stage.alpha, room, night), "{:?}", words(&stage.alpha, room, night));
    stage.host.until("nobody sells it", async || !stage.is_free(night).await).await;
    stage.settled().await;
    assert!(!is_open(&stage.beta, stage.rooms.1, night));
    // The same for a rule that would be written together with the opening.
    let night = stage.day(2);
    set(&stage.alpha, room, (night, night), "blackout");
    stage.rule(night, "closedToArrival").await;
    stage.settled().await;
    assert!(!is_open(&stage.alpha, room, night), "{:?}", words(&stage.alpha, room, night));
    stage.host.stop().await;
}

async fn manual_prices_are_reported_before_being_overwritten(database: Database) {
    let stage = Stage::open(database, "0").await;
    let (night, room) = (stage.day(0), stage.rooms.0);
    stage.price(night, 110).await;
    let shown = || stage.alpha.account.nights(room, night, night)[0].price1_cents;
    stage.host.until("the price is there", async || shown() == Some(11_000)).await;
    stage.settled().await;
    let set = NightsSet { price1_cents: Some(9_500), ..NightsSet::default() };
    assert!(stage.alpha.account.set_nights(room, (night, night), &set));
    stage.calendar_alone("alpha").await;
    let age = stage.age("alpha").await;
    assert_eq!(age["differing"][0]["from"], json!(night), "{age}");
    assert_eq!(age["differing"][0]["why"], json!("the price is 95 there and 110 here"), "{age}");
    assert_eq!(shown(), Some(9_500), "it is shown before it is set back");
    stage.host.until("it is set back", async || shown() == Some(11_000)).await;
    stage.settled().await;
    assert_eq!(stage.age("alpha").await["differing"], json!([]));
    // The next push does not overwrite it unreported, either.
    let set = NightsSet { price1_cents: Some(8_800), ..NightsSet::default() };
    assert!(stage.alpha.account.set_nights(room, (night, night), &set));
    stage.price(night, 120).await;
    stage.host.until("the new price is there", async || shown() == Some(12_000)).await;
    let lines = stage.host.look("sync-log?after=0").await;
    let pushes = |line: &Value| {
        line["message"] == json!(format!("{night}: the price is 88 there and 120 here; it will be overwritten"))
    };
    assert!(lines.as_array().expect("lines").iter().any(pushes), "{lines}");
    stage.host.stop().await;
}

async fn a_source_that_owns_prices_still_receives_availability(database: Database) {
    let stage = Stage::listening(database, "0", clock()).await;
    let (night, room) = (stage.day(0), stage.rooms.0);
    let answer = stage.host.operate("sources/alpha/authority", &json!({ "calendar": "theirs" })).await;
    assert_eq!(answer.status().as_u16(), 204);
    let set = NightsSet { price1_cents: Some(14_400), min_stay: Some(3), ..NightsSet::default() };
    assert!(stage.alpha.account.set_nights(room, (night, night), &set));
    stage.sync("alpha").await;
    let priced = |channel: &Channel, room: u64| {
        let night = channel.account.nights(room, night, night).remove(0);
        (night.price1_cents, night.min_stay)
    };
    stage.host.go_live("alpha").await;
    stage.host.go_live("beta").await;
    stage
        .host
        .until("its price is at the other channel", async || {
            priced(&stage.beta, stage.rooms.1) == (Some(14_400), Some(3))
        })
        .await;
    stage.book("d1", (0, 1), "confirmed").await;
    stage.host.until("it hears what is sold", async || !is_open(&stage.alpha, room, night)).await;
    stage.settled().await;
    let writes = stage.alpha.account.night_writes();
    assert!(writes.iter().all(|write| !write.values.contains_key("price1")), "its prices are its own: {writes:?}");
    stage.host.stop().await;
}

impl Stage {
    /// Fetches only a channel's calendar.
    async fn calendar_alone(&self, source: &str) {
        let mut tx = self.host.app.db.platform_read().await.expect("a transaction");
        let source = gassync::store::sources::named(&mut tx, source).await.expect("read").remove(0);
        drop(tx);
        let (start, until) = (self.day(-5), self.day(40));
        let selection = gassync_domain::Selection::Within { start, until };
        let query = gassync_domain::Query::new(gassync_domain::Entity::Calendar, selection);
        gassync::inbound::fetch::run(&self.host.app, &source, query).await.expect("read");
    }

    /// Number of units of the room sold on a night.
    async fn sold(&self, night: Date) -> i64 {
        let mut tx = self.host.app.db.platform_read().await.expect("a transaction");
        let account = gassync::store::accounts::find(&mut tx, gassync_tests::host::ACCOUNT).await.expect("read");
        let stay = gassync_domain::Stay::spanning(night, night.saturating_add(Span::new().days(1))).expect("a stay");
        let unit = gassync_domain::CoreId(self.unit());
        let nights =
            gassync::store::ledger::nights(&mut tx, account.expect("an account"), unit, &[stay], clock()()).await;
        nights.expect("read").first().map_or(0, |night| night.sold)
    }

    /// Sets a price at the engine, which has authority over prices, as a revenue system has.
    pub async fn price(&self, night: Date, price: i64) {
        self.submit(json!({ "roomTypeId": "studio", "date": night, "price": price, "currency": self.currency() }))
            .await;
    }

    async fn rule(&self, night: Date, rule: &str) {
        self.submit(json!({ "roomTypeId": "studio", "date": night, rule: true })).await;
    }

    async fn submit(&self, calendar: Value) {
        self.host.operate("sources/engine/authority", &json!({ "calendar": "theirs" })).await;
        let (status, pushed) = self.host.post(&self.engine, "availability", &calendar).await;
        assert_eq!(status, 200, "{pushed}");
    }

    pub fn currency(&self) -> String {
        self.alpha.account.properties()[0].currency.clone()
    }
}
