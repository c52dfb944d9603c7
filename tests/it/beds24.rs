//! Beds24 end to end: batched refetches, rate limits, token refresh, backfills.

use gassync::{
    admin::{BackfillResponse, NewBackfill},
    store::backfills::BackfillState,
};
use gassync_domain::{Entity, SourceKey};
use gassync_simulator::{
    InjectedFault, Rule,
    beds24::{CreditHeaders, Settings},
};
use gassync_tests::{
    database::Database,
    host::{self, ACCOUNT, Channel, Host},
    on_both,
};
use jiff::{Span, civil::Date};

on_both!(
    hints_are_fetched_in_batches,
    rate_limits_are_respected_without_counting_attempts,
    a_token_that_expires_early_is_refreshed,
    a_backfill_resumes_after_a_failure,
    blocks_reduce_availability
);

fn quiet() -> Settings {
    Settings { bookings: 30, credits_per_five_minutes: 100_000.0, ..Settings::default() }
}

/// Queries of the requests to a path.
fn asked(channel: &Channel, path: &str) -> Vec<String> {
    channel.account.requests().into_iter().filter(|call| call.path == path).map(|call| call.query).collect()
}

/// Channel ids of the bookings in the core.
async fn in_core(host: &Host, source: i64) -> Vec<String> {
    let mut tx = host.app.db.platform_read().await.expect("a transaction");
    let account = gassync::store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
    let source = gassync_domain::SourceId(source);
    let bookings =
        gassync::store::core::bookings::bookings_of_source(&mut tx, SourceKey { account, source }).await.expect("read");
    bookings.into_iter().map(|(id, _)| id).collect()
}

/// Bookings at the channel, without blocks.
fn at_channel(channel: &Channel) -> Vec<String> {
    let mut ids: Vec<String> = channel
        .account
        .book()
        .into_iter()
        .filter(|entry| entry.status != "black")
        .map(|entry| entry.id.to_string())
        .collect();
    ids.sort();
    ids
}

async fn hints_are_fetched_in_batches(database: Database) {
    let channel = host::channel(quiet()).await;
    // The poll interval is long, so everything known comes from webhooks.
    let host =
        Host::begin(database, &["beds24"], Some(channel.address), &[("GASSYNC_WORKERS_POLL_SECONDS", "0")]).await;
    let made = host.connect(&channel).await;
    host.until("the first poll is over", async || in_core(&host, made.id).await == at_channel(&channel)).await;
    let before = asked(&channel, "/bookings").len();
    // While one response is slow, further hints are batched.
    channel.account.set_fault(InjectedFault::Delay, Rule::rate(1.0).only("GET /bookings"));
    let ids: Vec<u64> = channel.account.book().into_iter().map(|entry| entry.id).take(20).collect();
    let url = format!("{}/v1?token={}", made.webhook_url.split('?').next().expect("a URL"), made.webhook_token);
    for id in &ids {
        // The status in a hint is not the booking's status.
        let hint = format!("{url}&bookid={id}&status=modify");
        for _ in 0..2 {
            assert_eq!(host.http.get(&hint).send().await.expect("an answer").status().as_u16(), 200);
        }
    }
    let all_asked = async || {
        let asked = asked(&channel, "/bookings").split_off(before).join("&");
        ids.iter().all(|id| asked.contains(&format!("id={id}")))
    };
    host.until("each was asked for", all_asked).await;
    let requests = asked(&channel, "/bookings").len() - before;
    assert!(requests <= ids.len() / 2, "{requests} requests for {} bookings, each hinted at twice", ids.len());
    host.stop().await;
}

async fn rate_limits_are_respected_without_counting_attempts(database: Database) {
    let settings = Settings {
        credits_per_five_minutes: 12.0,
        credit_headers: CreditHeaders::File,
        read_cost: 1.3,
        ..Settings { bookings: 5, ..Settings::default() }
    };
    let channel = host::channel(settings).await;
    let host = Host::start(database, &["beds24"], Some(channel.address)).await;
    host.connect(&channel).await;
    let spent = async || channel.account.credits_remaining() < 3.0;
    host.until("the credits are nearly spent", spent).await;
    let waits = async || {
        let jobs = host.look("jobs?state=waiting").await;
        jobs.as_array().is_some_and(|jobs| jobs.iter().any(|job| !job["why"].is_null()))
    };
    host.until("something waits for room", waits).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let refused = channel.account.requests().into_iter().filter(|call| call.status == 429).count();
    assert_eq!(refused, 0, "nothing was sent that there were no credits for");
    assert_eq!(host.look("sources").await[0]["status"], "active");
    host.stop().await;
}

async fn a_token_that_expires_early_is_refreshed(database: Database) {
    let channel = host::channel(quiet()).await;
    let host = Host::start(database, &["beds24"], Some(channel.address)).await;
    let made = host.connect(&channel).await;
    host.until("all is there", async || in_core(&host, made.id).await == at_channel(&channel)).await;
    for _ in 0..2 {
        let before = channel.account.requests().len();
        channel.account.end_access_tokens();
        host.until("it was refused", async || {
            channel.account.requests()[before..].iter().any(|call| call.status == 401)
        })
        .await;
        host.until("it goes on", async || {
            let calls = channel.account.requests();
            let refused = calls.iter().rposition(|call| call.status == 401).unwrap_or_default();
            calls[refused..].iter().any(|call| call.status == 200 && call.path == "/bookings")
        })
        .await;
    }
    assert_eq!(host.look("sources").await[0]["status"], "active");
    host.stop().await;
}

async fn a_backfill_resumes_after_a_failure(database: Database) {
    let channel = host::channel(Settings { bookings: 60, ..quiet() }).await;
    let host = Host::start(database, &["beds24"], Some(channel.address)).await;
    let made = host.connect(&channel).await;
    let today: Date = gassync_domain::utc_day(host::clock()());
    let day = |ahead: i64| today.saturating_add(Span::new().days(ahead));
    let new = NewBackfill { from: day(-60), to: day(299) };
    channel.account.set_fault(InjectedFault::ErrorBeforeWork, Rule::rate(1.0));
    let path = format!("sources/{}/backfills", made.id);
    let begun = host.operate(&path, &new).await;
    assert_eq!(begun.status().as_u16(), 201);
    let begun: BackfillResponse = begun.json().await.expect("a backfill");
    assert_eq!((begun.nights, begun.nights_done, begun.resumed), (360, 0, false));
    let look = async || {
        let shown = host.look(&format!("{path}/{}", begun.id)).await;
        serde_json::from_value::<BackfillResponse>(shown).expect("a backfill")
    };
    host.until("it says why it stands still", async || look().await.error.is_some()).await;
    assert_eq!(look().await.state, BackfillState::Running);
    channel.account.set_fault(InjectedFault::ErrorBeforeWork, Rule::default());
    // The same request returns the same backfill; a different one is refused.
    let again: BackfillResponse = host.operate(&path, &new).await.json().await.expect("a backfill");
    assert!(again.resumed && again.id == begun.id);
    let other = host.operate(&path, &NewBackfill { from: day(0), to: day(1) }).await.status().as_u16();
    assert!(other == 409 || look().await.state == BackfillState::Done);
    host.until("it is done", async || look().await.state == BackfillState::Done).await;
    let done = look().await;
    assert_eq!((done.nights_done, done.reached), (360, day(300)));
    assert!(
        done.outcome.contains_key(&Entity::Reservation) && done.outcome.contains_key(&Entity::Calendar),
        "{:?}",
        done.outcome
    );
    assert_eq!(in_core(&host, made.id).await, at_channel(&channel));
    let wrong = host.operate(&path, &NewBackfill { from: day(1), to: day(0) }).await;
    assert_eq!(wrong.status().as_u16(), 422);
    host.stop().await;
}

async fn blocks_reduce_availability(database: Database) {
    let channel = host::channel(quiet()).await;
    let host = Host::start(database, &["beds24"], Some(channel.address)).await;
    let made = host.connect(&channel).await;
    let blocks = channel.account.book().into_iter().filter(|entry| entry.status == "black").count();
    assert!(blocks > 0, "the simulated account has none");
    let notes = async || {
        let mut tx = host.app.db.platform_read().await.expect("a transaction");
        let account = gassync::store::accounts::find(&mut tx, ACCOUNT).await.expect("read").expect("there");
        let source = gassync_domain::SourceId(made.id);
        let mut standing = 0;
        for entry in channel.account.book().into_iter().filter(|entry| entry.status == "black") {
            let id = entry.id.to_string();
            let block =
                gassync::store::buffer::blocks::find(&mut tx, SourceKey { account, source }, &id).await.expect("read");
            let Some(block) = block else { continue };
            let notes = gassync::store::buffer::blocks::notes(&mut tx, account, block.row).await.expect("read");
            standing += usize::from(!notes.is_empty());
        }
        standing
    };
    host.until("each block has its note", async || notes().await == blocks).await;
    host.stop().await;
}
