//! Replays: delivered and missed events, cancellation, retention.

use std::collections::BTreeSet;

use gassync::{
    store::{
        Db, Lease, alarms,
        queue::{self, BatchPolicy, Claim, JobQuery, JobResult, QueueResult, RunState, WorkerPool},
        retention,
        sources::{self, SourceState},
        webhooks::{self as subscribers, Signing, SubscriptionSpec, Webhook, WebhookEnvelope, WebhookPayload},
    },
    webhooks::{self, MAX_REPLAYED, MAX_SCANNED, ReplayRequest, ReplayState, fan_out},
};
use gassync_domain::{AccountId, SourceKey};
use gassync_tests::{
    account_fixture::{at, open, tenant},
    database::Database,
    host::{ACCOUNT, Host},
    on_both,
};
use jiff::SignedDuration;
use serde_json::json;
use sqlx::AssertSqlSafe;

on_both!(
    old_delivered_messages_do_not_count_as_missed,
    a_replay_plan_continues_at_the_cursor,
    cancelling_a_run_leaves_messages_in_flight,
    messages_in_flight_at_a_crash_are_sent_again,
    subscriptions_of_stopped_sources_receive_nothing,
    deletions_bypass_the_property_filter,
    subscriptions_show_why_they_are_suspended,
);

const LEASE: i64 = 60;

/// Inserts events at every `step`th of these sequence numbers, with this second as event time.
async fn happen(db: &Db, account: AccountId, what: (&str, i64, &str), (low, high, step): (i64, i64, i64), second: i64) {
    let (entity, id, action) = what;
    let text = AssertSqlSafe(format!(
        "with recursive places(place) as (
            select {low} union all select place + {step} from places where place + {step} <= {high})
        insert into int_outbox (account_id, entity_type, entity_id, action, created_at, sequence)
        select {account}, '{entity}', {id}, '{action}', '{:.3}', place from places",
        at(second)
    ));
    match db {
        Db::Sqlite { writer, .. } => sqlx::query(text).execute(writer).await.map(drop).expect("facts"),
        Db::Postgres { writers, .. } => {
            let mut tx = writers.begin().await.expect("a transaction");
            let see = "select set_config('gassync.account_id', 'platform', true)";
            sqlx::query(see).execute(&mut *tx).await.expect("set");
            sqlx::query(text).execute(&mut *tx).await.expect("facts");
            tx.commit().await.expect("committed");
        }
    }
}

/// Writes changes of one property and enqueues their deliveries.
async fn happen_and_fan_out(db: &Db, account: AccountId, (low, high): (i64, i64), second: i64) {
    happen(db, account, ("property", 1, "updated"), (low, high, 1), second).await;
    deliver_facts(db, account, (low, high), second).await;
}

async fn deliver_facts(db: &Db, account: AccountId, (low, high): (i64, i64), second: i64) {
    let mut tx = db.platform_write().await.expect("a transaction");
    let work = fan_out::deliveries(&mut tx, &[(account.0, low, high)]).await.expect("told");
    queue::enqueue(&mut tx, &work, at(second)).await.expect("put");
    tx.commit().await.expect("committed");
}

async fn subscribe(db: &Db, SourceKey { account, source }: SourceKey, properties: &[i64]) -> Webhook {
    let spec = SubscriptionSpec {
        url: "https://partner.example/".to_owned(),
        description: None,
        events: Vec::new(),
        properties: properties.to_vec(),
        payload: WebhookPayload::Thin,
        envelope: WebhookEnvelope::Standard,
        exclude_origin: true,
        ordered: false,
        signing: Signing::V1,
        max_attempts: 10,
        timeout_seconds: 15,
    };
    let mut tx = db.write(account).await.expect("a transaction");
    let id = subscribers::insert(&mut tx, SourceKey { account, source }, &spec, at(0)).await.expect("made");
    let webhook = subscribers::get(&mut tx, account, id).await.expect("read").expect("there");
    tx.commit().await.expect("committed");
    webhook
}

async fn claim(db: &Db, second: i64, most: i64) -> Vec<Claim> {
    let mut tx = db.platform_write().await.expect("a transaction");
    let lease = Lease { now: at(second), until: at(second + LEASE) };
    let taken = queue::claim(&mut tx, WorkerPool::Deliveries, lease, (10, 10), |_| BatchPolicy {
        kinds: &["deliver"],
        max: most,
        independent: true,
    })
    .await;
    tx.commit().await.expect("committed");
    taken.expect("claimed")
}

async fn finish(db: &Db, taken: Claim, second: i64, ended: impl Fn(i64) -> JobResult) {
    let ended = taken.jobs.iter().map(|job| ended(job.sequence.expect("of a fact"))).collect();
    let mut tx = db.platform_write().await.expect("a transaction");
    queue::complete(&mut tx, &[&QueueResult { claim: taken, results: ended, pause: None }], at(second))
        .await
        .expect("finished");
    tx.commit().await.expect("committed");
}

fn since(second: i64) -> ReplayRequest {
    ReplayRequest { since: at(second), until: Some(at(1_000_000)), ..ReplayRequest::default() }
}

/// The sequence numbers of the matches, and the cursor of the next plan.
async fn plan(db: &Db, webhook: &Webhook, asked: &ReplayRequest) -> (Vec<i64>, Option<String>) {
    let mut tx = db.read(webhook.account).await.expect("a transaction");
    let planned = webhooks::plan(&mut tx, webhook, asked, at(1_000)).await.expect("read");
    let (plan, places) = planned.expect("nothing wrong");
    assert_eq!((plan.messages, plan.by_event.values().sum::<usize>()), (places.len(), places.len()));
    (places, plan.next_cursor)
}

async fn old_delivered_messages_do_not_count_as_missed(database: Database) {
    let db = open(&database).await;
    let (account, [source]) = tenant::<1>(&db, "one").await;
    let webhook = subscribe(&db, source, &[]).await;
    happen_and_fan_out(&db, account, (1, 4), 1).await;
    let taken = claim(&db, 2, 64).await.remove(0);
    finish(
        &db,
        taken,
        3,
        |place| if place == 2 { JobResult::Dead { why: "it answered 500".into() } } else { JobResult::Done },
    )
    .await;

    let mut tx = db.platform_write().await.expect("a transaction");
    let old = at(2_000_000);
    assert_eq!(retention::forget(&mut tx, retention::JOBS, old, 100).await.expect("forgotten"), 0);
    // Dead deliveries are not among the dead jobs of sources.
    assert!(alarms::dead_jobs(&mut tx).await.expect("alarms").is_empty());
    let dead = alarms::dead_deliveries(&mut tx).await.expect("alarms").remove(0);
    assert_eq!((dead.number, dead.count, dead.detail.as_deref()), (Some(webhook.id.0), 1, Some("it answered 500")));
    assert!(queue::count_dead(&mut tx, &JobQuery::default()).await.expect("a plan").is_empty());
    let run = queue::start_run(&mut tx, &JobQuery::default(), &json!({}), (at(4), at(5))).await.expect("begun");
    assert_eq!(queue::run_progress(&mut tx, run).await.expect("read").expect("there").jobs, 0);
    tx.commit().await.expect("committed");
    assert_eq!(plan(&db, &webhook, &since(0)).await.0, [2], "what arrived is known to have");
    let delivered = ReplayRequest { states: vec![ReplayState::Delivered], ..since(0) };
    assert_eq!(plan(&db, &webhook, &delivered).await.0, [1, 3, 4]);

    // Events are deleted together with their deliveries, and deleted rows leave nothing behind.
    let mut tx = db.platform_write().await.expect("a transaction");
    subscribers::delete(&mut tx, account, webhook.id, at(6)).await.expect("deleted");
    for (class, gone) in [
        (retention::FEED, 4),
        (retention::DELIVERIES, 4),
        (retention::JOB_RUNS, 1),
        (retention::WEBHOOKS, 0),
        (retention::QUEUES, 1),
        (retention::WEBHOOKS, 1),
    ] {
        assert_eq!(retention::forget(&mut tx, class, at(0), 100).await.expect("forgotten"), 0, "{class:?}");
        assert_eq!(retention::forget(&mut tx, class, old, 100).await.expect("forgotten"), gone, "{class:?}");
    }
    tx.commit().await.expect("committed");
}

async fn a_replay_plan_continues_at_the_cursor(database: Database) {
    let db = open(&database).await;
    let (account, [source]) = tenant::<1>(&db, "one").await;
    let webhook = subscribe(&db, source, &[]).await;
    let all = MAX_SCANNED + 3_000;
    // Every second event got its sequence number before earlier events.
    happen(&db, account, ("property", 1, "updated"), (1, all, 2), 200).await;
    happen(&db, account, ("property", 1, "updated"), (2, all, 2), 100).await;
    let (mut asked, mut found, mut runs) = (since(0), BTreeSet::<i64>::new(), 0);
    // Finer than the stored resolution of times.
    asked.since = at(100) + SignedDuration::from_micros(500);
    loop {
        let (places, next) = plan(&db, &webhook, &asked).await;
        assert!(places.is_sorted() && places.len() <= MAX_REPLAYED);
        let before = found.len();
        found.extend(&places);
        assert_eq!(found.len(), before + places.len(), "none twice");
        runs += 1;
        asked.cursor = next;
        if asked.cursor.is_none() {
            break;
        }
    }
    assert_eq!((found.len(), runs), (53_000, 6), "none left out");
    // A scan without matches ends, too.
    let mut asked = ReplayRequest { events: vec!["guest.created".into()], ..since(0) };
    let (places, next) = plan(&db, &webhook, &asked).await;
    assert!(places.is_empty() && next.is_some());
    asked.cursor = next;
    assert_eq!(plan(&db, &webhook, &asked).await, (Vec::new(), None));
    assert_eq!(plan(&db, &webhook, &since(201)).await, (Vec::new(), None));
    let mut tx = db.read(account).await.expect("a transaction");
    for cursor in ["", "x", "1", "1-x", "-1-1", "1--1", "0-0", "ffffffffffffffff-1"] {
        let asked = ReplayRequest { cursor: Some(cursor.to_owned()), ..since(0) };
        let wrong = webhooks::plan(&mut tx, &webhook, &asked, at(1_000)).await.expect("read").expect_err("no cursor");
        assert_eq!(wrong[0].path, "/cursor", "{cursor}");
    }
}

async fn cancelling_a_run_leaves_messages_in_flight(database: Database) {
    let db = open(&database).await;
    let (account, [source]) = tenant::<1>(&db, "one").await;
    happen(&db, account, ("property", 1, "updated"), (1, 5, 1), 1).await;
    let webhook = subscribe(&db, source, &[]).await;
    let (places, _) = plan(&db, &webhook, &since(0)).await;
    let mut tx = db.write(account).await.expect("a transaction");
    let run = webhooks::enqueue_replay(&mut tx, &webhook, (&since(0), &places), at(2)).await.expect("begun");
    tx.commit().await.expect("committed");
    happen_and_fan_out(&db, account, (6, 6), 3).await;
    let taken = claim(&db, 4, 3).await.remove(0);
    assert_eq!((taken.jobs.len(), taken.jobs[0].sequence), (3, Some(6)), "what happens now is first");

    let stop = async |second: i64| {
        let mut tx = db.write(account).await.expect("a transaction");
        queue::cancel_run(&mut tx, run, at(second)).await.expect("stopped");
        let run = queue::run_progress(&mut tx, run).await.expect("read").expect("there");
        tx.commit().await.expect("committed");
        (run.state, run.waiting, run.done, run.cancelled)
    };
    assert_eq!(stop(5).await, (RunState::Cancelled, 2, 0, 3));
    let came = BTreeSet::from_iter(taken.jobs.iter().filter_map(|job| job.sequence));
    finish(&db, taken, 6, |place| {
        let again = JobResult::Retry { why: "it answered 500".into(), at: at(20) };
        if place == 1 { again } else { JobResult::Done }
    })
    .await;
    assert_eq!(stop(7).await, (RunState::Cancelled, 0, 1, 4), "what failed meanwhile does not come again");
    let missed: Vec<i64> = (1..=5).filter(|place| *place == 1 || !came.contains(place)).collect();
    assert_eq!(plan(&db, &webhook, &since(0)).await.0, missed, "what arrived is told no second time");

    // A delivered message is not missed either if a replay run that repeats it is cancelled.
    let mut tx = db.write(account).await.expect("a transaction");
    let again = webhooks::enqueue_replay(&mut tx, &webhook, (&since(0), &[6]), at(8)).await.expect("begun");
    queue::cancel_run(&mut tx, again, at(9)).await.expect("stopped");
    tx.commit().await.expect("committed");
    assert_eq!(plan(&db, &webhook, &since(0)).await.0, missed);
}

async fn messages_in_flight_at_a_crash_are_sent_again(database: Database) {
    let db = open(&database).await;
    let (account, [source]) = tenant::<1>(&db, "one").await;
    let webhook = subscribe(&db, source, &[]).await;
    happen_and_fan_out(&db, account, (1, 3), 1).await;
    let lost = claim(&db, 2, 1).await.remove(0);
    let mut tx = db.write(account).await.expect("a transaction");
    subscribers::cancel_pending(&mut tx, source, webhook.id, "it is disabled", at(3)).await.expect("ended");
    tx.commit().await.expect("committed");
    assert_eq!(plan(&db, &webhook, &since(0)).await.0, [2, 3], "thrown away, and on no list of what is dead");
    assert!(claim(&db, 4, 64).await.is_empty(), "somebody is at it");
    // Its worker died, and another one claims it.
    let again = claim(&db, 3 + LEASE, 64).await.remove(0);
    let ids = |taken: &Claim| taken.jobs.iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&lost));
    finish(&db, again, 4 + LEASE, |_| JobResult::Done).await;
    happen_and_fan_out(&db, account, (4, 5), 5).await;
    let mut tx = db.write(account).await.expect("a transaction");
    subscribers::cancel_pending_of_source(&mut tx, source, "its source is disconnected", at(70)).await.expect("ended");
    tx.commit().await.expect("committed");
    assert!(claim(&db, 1_000, 64).await.is_empty());
    assert_eq!(plan(&db, &webhook, &since(0)).await.0, [2, 3, 4, 5]);
}

async fn subscriptions_of_stopped_sources_receive_nothing(database: Database) {
    let db = open(&database).await;
    let (account, all) = tenant::<5>(&db, "one").await;
    let states = [
        SourceState::Active,
        SourceState::Expired,
        SourceState::Paused,
        SourceState::Disconnected,
        SourceState::Disabled,
    ];
    let mut made = Vec::new();
    for (source, status) in all.into_iter().zip(states) {
        let mut tx = db.write(account).await.expect("a transaction");
        sources::set_status(&mut tx, source, status).await.expect("set");
        tx.commit().await.expect("committed");
        made.push(subscribe(&db, source, &[]).await);
    }
    happen_and_fan_out(&db, account, (1, 2), 1).await;
    for (webhook, status) in made.iter().zip(states) {
        let is_stopped = [SourceState::Disconnected, SourceState::Disabled].contains(&status);
        let missed = if is_stopped { vec![1, 2] } else { Vec::new() };
        assert_eq!(plan(&db, webhook, &since(0)).await.0, missed, "{status}");
    }
    let mut tx = db.platform_read().await.expect("a transaction");
    let silent = alarms::silent_webhooks(&mut tx).await.expect("alarms");
    let silent: Vec<_> = silent.iter().map(|found| (found.number, found.detail.as_deref().expect("why"))).collect();
    let whys = ["its source is paused", "its source is disconnected", "its source is disabled"];
    let expected = made[2..].iter().zip(whys).map(|(webhook, why)| (Some(webhook.id.0), why)).collect::<Vec<_>>();
    assert_eq!(silent, expected);
}

async fn deletions_bypass_the_property_filter(database: Database) {
    let db = open(&database).await;
    let (account, [source]) = tenant::<1>(&db, "one").await;
    let webhook = subscribe(&db, source, &[7]).await;
    // None of them exist in the core any more.
    let facts = [
        (("property", 7, "deleted"), true),
        (("property", 8, "deleted"), false),
        (("bookable_unit", 99, "deleted"), true),
        (("rate_plan", 99, "deleted"), true),
        (("booking", 99, "deleted"), true),
        (("booking", 99, "updated"), false),
        (("guest", 99, "deleted"), false),
        (("website", 99, "deleted"), false),
    ];
    for (place, (fact, _)) in (1..).zip(facts) {
        happen(&db, account, fact, (place, place, 1), 1).await;
    }
    deliver_facts(&db, account, (1, 8), 1).await;
    let delivered: Vec<i64> = claim(&db, 2, 64).await.remove(0).jobs.iter().filter_map(|job| job.sequence).collect();
    let expected: Vec<i64> =
        (1..).zip(facts).filter(|(_, (_, is_expected))| *is_expected).map(|(place, _)| place).collect();
    assert_eq!(delivered, expected);
    assert!(plan(&db, &webhook, &since(0)).await.0.is_empty(), "it is all on its way");
}

async fn subscriptions_show_why_they_are_suspended(database: Database) {
    let host = Host::with(database, &[("GASSYNC_WEBHOOKS_ALLOW_PRIVATE", "127.0.0.0/8")]).await;
    let key = host.key(ACCOUNT, "partner").await;
    let (_, made) = host.post(&key, "webhooks", &json!({ "url": "http://127.0.0.1:9/" })).await;
    assert_eq!(made["suspendedReason"], json!(null), "{made}");
    let path = format!("webhooks/{}", made["id"]);
    let replay = json!({ "since": "2020-01-01T00:00:00Z" });
    let (status, none) = host.post(&key, &format!("{path}/replay"), &replay).await;
    assert_eq!((status, &none["run"], &none["messages"]), (200, &json!(null), &json!(0)), "nothing fits: {none}");
    let mut tx = host.app.db.platform_write().await.expect("a transaction");
    let source = sources::named(&mut tx, "partner").await.expect("read").remove(0);
    sources::set_status(&mut tx, source.key(), SourceState::Disconnected).await.expect("set");
    tx.commit().await.expect("committed");
    let shown = host.get(&key, &path).await.1;
    assert!(shown["suspendedReason"].as_str().is_some_and(|why| why.contains("disconnected")), "{shown}");
    for (path, body) in [(format!("{path}/test"), json!({})), (format!("{path}/replay"), replay)] {
        let (status, problem) = host.post(&key, &path, &body).await;
        let why = problem["detail"].as_str().unwrap_or_default();
        assert!(status == 409 && why.contains("disconnected"), "{path}: {problem}");
    }
    let alarms = host.look("alarms").await;
    let silent = alarms.as_array().expect("alarms").iter().find(|alarm| alarm["kind"] == "webhook-silent");
    assert_eq!(silent.expect("one")["source"], "partner");
    let retry = host.operate("job-runs", &json!({ "kind": "deliver" })).await;
    assert_eq!(retry.status().as_u16(), 409, "replays have another door");
    host.stop().await;
}
