//! Bookings that a channel does not return although they are requested by id.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use gassync::{
    admin::CreatedSource,
    inbound::{apply::IngestContext, missing_reservation},
    store::{self, missing, sources},
};
use gassync_domain::{Clock, SourceId, SourceKey, Status, Timestamp, today_at};
use gassync_simulator::{InjectedFault, Rule};
use gassync_tests::{
    database::Database,
    faulty_channel::{Account, FaultyChannel},
    host::{self, ACCOUNT, Host},
    on_both,
};
use jiff::SignedDuration;

use crate::outbound;

on_both!(
    a_reservation_missing_twice_raises_an_alarm_and_keeps_its_nights,
    an_operator_decides_on_a_missing_reservation,
    reservations_omitted_from_a_list_are_fetched_individually,
    errors_do_not_count_as_missing,
    missing_reservations_of_unseen_rooms_are_ignored,
    a_pushed_reservation_that_disappeared_is_created_again
);

/// In seconds; longer than the delay of the second read.
const TEN_MINUTES: i64 = 601;

struct Stage {
    channel: FaultyChannel,
    host: Host,
    made: CreatedSource,
}

impl Stage {
    async fn open(database: Database) -> Self {
        let channel = FaultyChannel::start(Account { page_size: 100, ..Account::default() }).await;
        channel.account().bookings = (1..=3).map(|id| channel.booking(id, 10)).collect();
        // Without polls, later requests are by id.
        let host = channel.host(database, &[("GASSYNC_WORKERS_POLL_SECONDS", "0")]).await;
        let made = channel.connect(&host, Some("UTC")).await;
        let stage = Self { channel, host, made };
        stage.host.until("the bookings are known", async || stage.confirmed().await == ["1", "2", "3"]).await;
        stage
    }

    async fn key(&self) -> SourceKey {
        let mut tx = self.host.app.db.platform_read().await.expect("a transaction");
        let account = store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
        SourceKey { account, source: SourceId(self.made.id) }
    }

    async fn confirmed(&self) -> Vec<String> {
        let source = self.key().await;
        let mut tx = self.host.app.db.platform_read().await.expect("a transaction");
        let bookings = store::core::bookings::bookings_of_source(&mut tx, source);
        let bookings = bookings.await.expect("read").into_iter();
        bookings.filter(|(_, facts)| facts.status == Status::Confirmed).map(|(id, _)| id).collect()
    }

    /// Sends a webhook that names a booking without its data.
    async fn hint(&self, id: u64) {
        let base = self.made.webhook_url.split('?').next().expect("a URL");
        let url = format!("{base}/v1?token={}&bookid={id}&status=modify", self.made.webhook_token);
        assert_eq!(self.host.http.get(&url).send().await.expect("an answer").status().as_u16(), 200);
    }

    /// Number of requests for a booking alone.
    fn asked(&self, id: u64) -> usize {
        let alone = |query: &&String| query.matches("&id=").count() + usize::from(query.starts_with("id=")) == 1;
        let names = |query: &&String| query.split('&').any(|part| part == format!("id={id}"));
        self.channel.account().asked.iter().filter(alone).filter(names).count()
    }

    /// Bookings reported as missing.
    async fn waiting(&self) -> Vec<String> {
        let mut tx = self.host.app.db.platform_read().await.expect("a transaction");
        let waiting = missing::undecided(&mut tx, today_at(self.host.app.now(), None)).await.expect("read");
        waiting.into_iter().map(|missing| missing.external_id).collect()
    }

    /// Time of the first response without the booking.
    async fn first_missed(&self, id: u64) -> Option<Timestamp> {
        let source = self.key().await;
        let mut tx = self.host.app.db.read(source.account).await.expect("a transaction");
        let missing = missing::find(&mut tx, source, &id.to_string()).await.expect("read");
        missing.map(|missing| missing.first_missed_at.into())
    }

    /// Removes a booking from responses, and waits for one request for it.
    async fn missed_once(&self, id: u64) {
        self.channel.account().silent_about = vec![id];
        // The database stores milliseconds.
        let before = self.host.app.now() - SignedDuration::from_millis(1);
        self.hint(id).await;
        self.host.until("it was missed", async || self.first_missed(id).await >= Some(before)).await;
    }

    async fn missed_twice(&self, id: u64) {
        self.missed_once(id).await;
        assert!(self.waiting().await.is_empty(), "once may be a slip");
        self.channel.pass(TEN_MINUTES);
        self.host.until("it is shown", async || self.waiting().await == [id.to_string()]).await;
        assert_eq!(self.confirmed().await, ["1", "2", "3"], "its nights are held");
    }

    async fn resolve(&self, id: &str, cancel: bool) -> bool {
        let source = self.key().await;
        let mut tx = self.host.app.db.write_for(source).await.expect("a transaction");
        let source = sources::get(&mut tx, source).await.expect("read").expect("there");
        let now = self.host.app.now();
        let context = IngestContext::from_source(&source, now, now);
        let outcome = missing_reservation::resolve(&mut tx, &context, id, cancel).await.expect("decided");
        tx.commit().await.expect("committed");
        outcome.is_some()
    }
}

async fn a_reservation_missing_twice_raises_an_alarm_and_keeps_its_nights(database: Database) {
    let stage = Stage::open(database).await;
    stage.missed_twice(2).await;
    let mut tx = stage.host.app.db.platform_read().await.expect("a transaction");
    let shown = missing::undecided(&mut tx, today_at(stage.host.app.now(), None)).await.expect("read").remove(0);
    drop(tx);
    assert_eq!((shown.source_name.as_str(), shown.property_name.as_str()), ("beds24", "Quinta"));
    assert_eq!(shown.room_name.as_deref(), Some("Garden room"));
    assert_eq!(shown.check_in().until(shown.check_out()).expect("nights").get_days(), 2);
    // A booking that is returned again is no longer missing, whatever requested it.
    stage.channel.account().silent_about.clear();
    stage.hint(2).await;
    stage.host.until("it is not shown any more", async || stage.waiting().await.is_empty()).await;
    // If it is missing again, two reads are needed again.
    stage.missed_twice(2).await;
    stage.host.stop().await;
}

async fn an_operator_decides_on_a_missing_reservation(database: Database) {
    let stage = Stage::open(database).await;
    assert!(!stage.resolve("2", true).await, "it is not missing");
    stage.missed_twice(2).await;
    assert!(stage.resolve("2", false).await);
    assert!(stage.waiting().await.is_empty(), "it stands");
    assert_eq!(stage.confirmed().await, ["1", "2", "3"]);
    let before = stage.asked(2);
    stage.hint(2).await;
    stage.host.until("it was asked for", async || stage.asked(2) > before).await;
    assert!(stage.waiting().await.is_empty(), "a person has said that it stands");
    stage.missed_twice(3).await;
    assert!(stage.resolve("3", true).await);
    assert_eq!(stage.confirmed().await, ["1", "2"]);
    assert!(stage.waiting().await.is_empty());
    stage.host.stop().await;
}

async fn reservations_omitted_from_a_list_are_fetched_individually(database: Database) {
    let stage = Stage::open(database).await;
    stage.channel.account().answers_first_of_list = true;
    // Hints that arrive at about the same time share a request.
    let lists = || stage.channel.account().asked.iter().any(|query| query.matches("id=").count() > 1);
    stage
        .host
        .until("several were asked for at once", async || {
            for id in 1..=3 {
                stage.hint(id).await;
            }
            lists()
        })
        .await;
    let was_alone = async || {
        let lists: Vec<String> = stage.channel.account().asked.clone();
        let left_out =
            |query: &String| query.split('&').filter(|part| part.starts_with("id=")).nth(1).map(str::to_owned);
        lists.iter().filter_map(left_out).all(|part| stage.asked(part["id=".len()..].parse().expect("an id")) > 0)
    };
    stage.host.until("those that were left out were asked for alone", was_alone).await;
    for id in 1..=3 {
        assert_eq!(stage.first_missed(id).await, None, "{id} was answered for");
    }
    stage.host.stop().await;
}

async fn errors_do_not_count_as_missing(database: Database) {
    let stage = Stage::open(database).await;
    stage.missed_once(2).await;
    stage.channel.account().spoiled = Some((500, "{}"));
    let before = stage.asked(2);
    stage.channel.pass(TEN_MINUTES);
    stage.host.until("it was asked for again", async || stage.asked(2) > before).await;
    assert!(stage.waiting().await.is_empty(), "that it failed says nothing");
    stage.channel.account().spoiled = None;
    stage
        .host
        .until("it is shown", async || {
            stage.channel.pass_slowly(30).await;
            stage.waiting().await == ["2"]
        })
        .await;
    stage.host.stop().await;
}

async fn missing_reservations_of_unseen_rooms_are_ignored(database: Database) {
    let stage = Stage::open(database).await;
    stage.channel.account().hides_rooms = true;
    stage.missed_once(2).await;
    let before = stage.asked(2);
    // Longer than a room type counts as visible after it was observed.
    stage.channel.pass(2 * TEN_MINUTES);
    stage.host.until("it was asked for again", async || stage.asked(2) > before).await;
    let second = async || {
        let source = stage.key().await;
        let mut tx = stage.host.app.db.read(source.account).await.expect("a transaction");
        let noted = missing::find(&mut tx, source, "2").await.expect("read").expect("noted");
        noted.last_missed_at != noted.first_missed_at
    };
    stage.host.until("that was noted", second).await;
    assert!(stage.waiting().await.is_empty());
    stage.channel.account().hides_rooms = false;
    stage.hint(2).await;
    stage.host.until("the room is seen and the booking is not", async || stage.waiting().await == ["2"]).await;
    stage.host.stop().await;
}

async fn a_pushed_reservation_that_disappeared_is_created_again(database: Database) {
    let ahead = Arc::new(AtomicI64::new(0));
    let clock: Clock = {
        let (clock, ahead) = (host::clock(), Arc::clone(&ahead));
        Arc::new(move || clock() + SignedDuration::from_secs(ahead.load(Ordering::SeqCst)))
    };
    let stage = outbound::Stage::at(database, "0", clock).await;
    let host = &stage.host;
    host.until("both channels are up to date", async || {
        stage.is_synced("alpha").await && stage.is_synced("beta").await
    })
    .await;
    stage.alpha.account.set_fault(InjectedFault::NothingChanged, Rule::next(1).only("POST /bookings"));
    stage.book("d1", (0, 2), "confirmed").await;
    let state = async || host.look("sources/alpha/bookings").await[0]["state"].as_str().map(str::to_owned);
    host.until("the channel said that it took it", async || state().await.as_deref() == Some("unconfirmed")).await;
    assert!(stage.booked().is_empty());
    let is_question = |call: &gassync_simulator::SeenCall| {
        call.method == "GET" && call.path == "/bookings" && call.query.split('&').any(|part| part.starts_with("id="))
    };
    host.until("it was asked for", async || stage.alpha.account.requests().iter().any(is_question)).await;
    let noted = async || {
        let mut tx = host.app.db.platform_read().await.expect("a transaction");
        let alpha = sources::named(&mut tx, "alpha").await.expect("read").remove(0);
        let shown = host.look("sources/alpha/bookings").await;
        let id = shown[0]["externalId"].as_str().unwrap_or_default();
        missing::find(&mut tx, alpha.key(), id).await.expect("read").is_some()
    };
    host.until("that is noted", noted).await;
    assert!(stage.booked().is_empty(), "once may be a slip");
    ahead.store(TEN_MINUTES, Ordering::SeqCst);
    host.until("it is made again", async || stage.booked().len() == 1).await;
    host.until("it is there", async || state().await.as_deref() == Some("confirmed")).await;
    stage.host.stop().await;
}
