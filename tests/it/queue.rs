//! The job queue: deduplication, leases, account rotation, batches, and dead jobs.

use std::time::Duration;

use gassync::store::{
    Db, Lease,
    queue::{
        self, BatchPolicy, Claim, Due, JobQuery, JobResult, JobState, NewJob, Pause, QueueKey, QueueResult, WorkerPool,
    },
};
use gassync_domain::SourceKey;
use gassync_tests::{
    account_fixture::{at, open, tenant},
    database::Database,
    on_both,
};
use serde_json::{Value, json};

on_both!(
    identical_jobs_are_enqueued_once,
    a_job_enqueued_again_while_running_runs_once_more,
    a_queue_is_held_by_whoever_took_it_last,
    a_queue_held_without_its_jobs_is_claimed_when_it_is_released,
    jobs_run_by_priority,
    claim_batches_compatible_jobs,
    the_queue_with_the_most_urgent_is_first,
    accounts_are_served_in_rotation,
    dead_jobs_are_listed_retried_and_cancelled,
);

const LEASE: i64 = 60;

fn work(source: SourceKey, payload: Value, second: i64) -> NewJob {
    NewJob {
        source,
        queue: QueueKey::Channel,
        kind: "work",
        payload,
        priority: 3,
        due: Due::At(at(second)),
        max_age: None,
        sequence: None,
        run: None,
    }
}

async fn put(db: &Db, work: &[NewJob]) {
    let mut tx = db.platform_write().await.expect("a transaction");
    queue::enqueue(&mut tx, work, at(0)).await.expect("put");
    tx.commit().await.expect("committed");
}

async fn claim(db: &Db, second: i64, queues: i64, alike: i64) -> Vec<Claim> {
    let mut tx = db.platform_write().await.expect("a transaction");
    let lease = Lease { now: at(second), until: at(second + LEASE) };
    let taken = queue::claim(&mut tx, WorkerPool::Jobs, lease, (queues, 1_000), |_| BatchPolicy {
        kinds: &["work"],
        max: alike,
        independent: false,
    })
    .await
    .expect("claimed");
    tx.commit().await.expect("committed");
    taken
}

async fn finish(db: &Db, taken: Claim, ended: &JobResult, second: i64) {
    let ended = taken.jobs.iter().map(|_| ended.clone()).collect();
    let mut tx = db.platform_write().await.expect("a transaction");
    queue::complete(&mut tx, &[&QueueResult { claim: taken, results: ended, pause: None }], at(second))
        .await
        .expect("finished");
    tx.commit().await.expect("committed");
}

fn payloads(taken: &[Claim]) -> Vec<Value> {
    taken.iter().flat_map(|taken| taken.jobs.iter().map(|job| job.payload.clone())).collect()
}

async fn identical_jobs_are_enqueued_once(database: Database) {
    let db = open(&database).await;
    let (account, sources) = tenant::<1>(&db, "one").await;
    let a = |second| work(sources[0], json!({ "a": 1 }), second);
    put(&db, &[a(20), a(25)]).await;
    put(&db, &[a(5), work(sources[0], json!({ "a": 2 }), 6)]).await;
    assert!(claim(&db, 4, 10, 1).await.is_empty());
    let first = claim(&db, 7, 10, 1).await;
    assert_eq!(payloads(&first), [json!({ "a": 1 })], "one at a time of a queue, the earlier of its two times counts");
    assert_eq!(first[0].jobs[0].attempts, 1);
    assert!(claim(&db, 8, 10, 1).await.is_empty(), "somebody has the queue");
    finish(&db, first.into_iter().next().expect("one"), &JobResult::Done, 8).await;
    let second = claim(&db, 8, 10, 1).await;
    assert_eq!(payloads(&second), [json!({ "a": 2 })]);
    let later = JobResult::Retry { why: "later".to_owned(), at: at(30) };
    finish(&db, second.into_iter().next().expect("one"), &later, 9).await;
    assert!(claim(&db, 29, 10, 1).await.is_empty());
    let again = claim(&db, 31, 10, 1).await.remove(0);
    assert_eq!(again.jobs[0].attempts, 2);
    let put_off = JobResult::Snoozed { why: "no room".to_owned(), at: at(40) };
    finish(&db, again, &put_off, 32).await;
    let again = claim(&db, 41, 10, 1).await.remove(0);
    assert_eq!(again.jobs[0].attempts, 2, "what could not be tried did not count");
    finish(&db, again, &JobResult::Dead { why: "no use".to_owned() }, 42).await;
    let mut tx = db.read(account).await.expect("a transaction");
    let latest = queue::latest(&mut tx, sources[0], "work").await.expect("read");
    assert_eq!(latest, Some((JobState::Dead, Some("no use".to_owned()))));
    assert!(claim(&db, 100, 10, 1).await.is_empty());
}

async fn a_job_enqueued_again_while_running_runs_once_more(database: Database) {
    let db = open(&database).await;
    let (_, sources) = tenant::<1>(&db, "one").await;
    let same = work(sources[0], json!({}), 1);
    put(&db, std::slice::from_ref(&same)).await;
    let first = claim(&db, 2, 10, 1).await.remove(0);
    put(&db, std::slice::from_ref(&same)).await;
    assert!(claim(&db, 3, 10, 1).await.is_empty(), "not beside itself");
    finish(&db, first, &JobResult::Dead { why: "it is of the first time".to_owned() }, 4).await;
    let second = claim(&db, 5, 10, 1).await.remove(0);
    assert_eq!(second.jobs[0].attempts, 1);
    finish(&db, second, &JobResult::Done, 6).await;
    assert!(claim(&db, 7, 10, 1).await.is_empty());
}

async fn a_queue_is_held_by_whoever_took_it_last(database: Database) {
    let db = open(&database).await;
    let (account, sources) = tenant::<1>(&db, "one").await;
    put(&db, &[work(sources[0], json!({ "a": 1 }), 1), work(sources[0], json!({ "a": 2 }), 2)]).await;
    let slow = claim(&db, 2, 10, 1).await.remove(0);
    let mut tx = db.write(account).await.expect("a transaction");
    queue::extend(&mut tx, &slow.lease(), at(2 + 2 * LEASE)).await.expect("extended");
    tx.commit().await.expect("committed");
    assert!(claim(&db, 2 + LEASE, 10, 1).await.is_empty(), "he has said that he is at it");
    let quick = claim(&db, 3 + 2 * LEASE, 10, 1).await.remove(0);
    assert_eq!((quick.jobs[0].payload.clone(), quick.jobs[0].attempts), (json!({ "a": 1 }), 2));
    // A worker that lost its lease can neither complete the job nor release the queue.
    finish(&db, slow, &JobResult::Dead { why: "too late".to_owned() }, 4 + 2 * LEASE).await;
    assert!(claim(&db, 5 + 2 * LEASE, 10, 1).await.is_empty());
    finish(&db, quick, &JobResult::Done, 6 + 2 * LEASE).await;
    assert_eq!(payloads(&claim(&db, 7 + 2 * LEASE, 10, 1).await), [json!({ "a": 2 })]);
}

async fn a_queue_held_without_its_jobs_is_claimed_when_it_is_released(database: Database) {
    let db = open(&database).await;
    let (account, [source]) = tenant::<1>(&db, "One").await;
    let queue = (source, QueueKey::Channel);
    let acquire = async |second: i64| {
        let mut tx = db.write(account).await.expect("a transaction");
        let held = queue::acquire(&mut tx, queue, (at(second), at(second + LEASE))).await.expect("asked");
        tx.commit().await.expect("committed");
        held
    };
    // Before the queue has ever had a job.
    let held = acquire(1).await.expect("it is free");
    put(&db, &[work(source, json!({ "n": 1 }), 1)]).await;
    assert!(acquire(2).await.is_none() && claim(&db, 2, 9, 1).await.is_empty());
    let mut tx = db.write(account).await.expect("a transaction");
    queue::release(&mut tx, &held).await.expect("released");
    tx.commit().await.expect("committed");
    let taken = claim(&db, 3, 9, 1).await;
    assert_eq!(taken.len(), 1, "the job is still due");
    assert!(acquire(4).await.is_none(), "a worker holds it");
    // Who waits is next, however soon the worker would come back.
    let results = vec![JobResult::Retry { why: "busy".to_owned(), at: at(4) }];
    let mut tx = db.platform_write().await.expect("a transaction");
    let release = QueueResult { claim: taken[0].clone(), results, pause: None };
    queue::complete(&mut tx, &[&release], at(4)).await.expect("completed");
    tx.commit().await.expect("committed");
    assert!(claim(&db, 4, 9, 1).await.is_empty());
    assert!(acquire(4).await.is_some());
    // A holder that is late releases nothing.
    let mut tx = db.write(account).await.expect("a transaction");
    queue::release(&mut tx, &held).await.expect("asked");
    tx.commit().await.expect("committed");
    assert!(acquire(5).await.is_none());
    assert!(acquire(4 + LEASE).await.is_some(), "the lease has expired");
}

async fn jobs_run_by_priority(database: Database) {
    let db = open(&database).await;
    let (_, sources) = tenant::<2>(&db, "one").await;
    let with = |priority, payload: Value, second| NewJob { priority, ..work(sources[0], payload, second) };
    put(&db, &[with(5, json!("old"), 1), with(2, json!("nights"), 2), with(1, json!("booking"), 3)]).await;
    put(&db, &[with(1, json!("another booking"), 4), with(1, json!("not yet"), 50)]).await;
    let taken = claim(&db, 5, 10, 20).await.remove(0);
    // Jobs of the same kind are batched by priority, then by id.
    assert_eq!(taken.jobs[0].payload, json!("booking"));
    assert_eq!(taken.jobs.len(), 4);
    finish(&db, taken, &JobResult::Retry { why: "down".to_owned(), at: at(6) }, 5).await;
    // After a failed batch each job is retried alone.
    let taken = claim(&db, 7, 10, 20).await.remove(0);
    assert_eq!((taken.jobs.len(), taken.jobs[0].payload.clone()), (1, json!("booking")));
    let mut tx = db.platform_write().await.expect("a transaction");
    let pause = Some(Pause { until: at(20), why: "the channel is down".to_owned() });
    let ended = vec![JobResult::Done];
    queue::complete(&mut tx, &[&QueueResult { claim: taken, results: ended, pause }], at(7)).await.expect("finished");
    tx.commit().await.expect("committed");
    put(&db, &[work(sources[1], json!("another queue"), 1)]).await;
    assert_eq!(payloads(&claim(&db, 8, 10, 1).await), [json!("another queue")], "its channel is left alone");
    assert_eq!(payloads(&claim(&db, 20, 10, 1).await), [json!("another booking")]);
}

async fn claim_batches_compatible_jobs(database: Database) {
    let db = open(&database).await;
    let (_, sources) = tenant::<1>(&db, "one").await;
    let of = |kind, priority, payload: i64| NewJob { kind, priority, ..work(sources[0], json!(payload), 1) };
    put(&db, &[of("poll", 3, 1), of("nights", 2, 2), of("booking", 1, 3), of("booking", 1, 4), of("booking", 1, 5)])
        .await;
    let visit = async |second: i64| {
        let mut tx = db.platform_write().await.expect("a transaction");
        let company = |kind: &str| match kind {
            "booking" => BatchPolicy { kinds: &["booking", "nights"], max: 2, independent: false },
            _ => BatchPolicy::NONE,
        };
        let lease = Lease { now: at(second), until: at(second + LEASE) };
        let taken = queue::claim(&mut tx, WorkerPool::Jobs, lease, (1, 1_000), company).await.expect("claimed");
        tx.commit().await.expect("committed");
        taken.into_iter().next().expect("a queue")
    };
    let first = visit(2).await;
    let numbers = |taken: &Claim| Vec::from_iter(taken.jobs.iter().map(|job| job.payload.as_i64()));
    assert_eq!(numbers(&first), [Some(3), Some(4), Some(2)], "bookings, and behind them the calendar, however many");
    finish(&db, first, &JobResult::Retry { why: "down".to_owned(), at: at(3) }, 2).await;
    let next = visit(2).await;
    assert_eq!(numbers(&next), [Some(5)]);
    finish(&db, next, &JobResult::Done, 2).await;
    // A failed job runs alone of its kind; the calendar does not wait for all bookings to succeed.
    let again = visit(4).await;
    assert_eq!(numbers(&again), [Some(3), Some(2)]);
    finish(&db, again, &JobResult::Done, 4).await;
    assert_eq!(numbers(&visit(5).await), [Some(4)]);
}

async fn the_queue_with_the_most_urgent_is_first(database: Database) {
    let db = open(&database).await;
    let (_, sources) = tenant::<3>(&db, "one").await;
    let of =
        |source: usize, priority, payload: Value, second| NewJob { priority, ..work(sources[source], payload, second) };
    put(&db, &[of(0, 3, json!("a poll"), 4), of(1, 5, json!("long ago"), 4)]).await;
    put(&db, &[of(1, 1, json!("a booking"), 5), of(2, 2, json!("nights"), 5)]).await;
    let booking = claim(&db, 5, 1, 1).await;
    assert_eq!(payloads(&booking), [json!("a booking")]);
    let nights = claim(&db, 5, 1, 1).await;
    assert_eq!(payloads(&nights), [json!("nights")]);
    finish(&db, booking.into_iter().next().expect("taken"), &JobResult::Done, 5).await;
    // The rest of its queue is less urgent than the waiting poll.
    let poll = claim(&db, 5, 1, 1).await;
    assert_eq!(payloads(&poll), [json!("a poll")]);
    finish(&db, poll.into_iter().next().expect("taken"), &JobResult::Done, 6).await;
    finish(&db, nights.into_iter().next().expect("taken"), &JobResult::Done, 6).await;
    // After two seconds a queue counts one priority higher; among equals the longest waiting wins.
    put(&db, &[of(0, 5, json!("of late"), 6)]).await;
    let read = claim(&db, 7, 1, 1).await;
    assert_eq!(payloads(&read), [json!("long ago")]);
    finish(&db, read.into_iter().next().expect("taken"), &JobResult::Done, 7).await;
    // After four seconds, two priorities higher.
    put(&db, &[of(1, 5, json!("long ago"), 10), of(2, 4, json!("to be read"), 13)]).await;
    assert_eq!(payloads(&claim(&db, 14, 1, 1).await), [json!("of late")]);
    assert_eq!(payloads(&claim(&db, 14, 1, 1).await), [json!("long ago")]);
    assert_eq!(payloads(&claim(&db, 14, 1, 1).await), [json!("to be read")]);
}

/// Number of queues claimed before the only job of a second account, however much the first one has to do.
async fn claims_until_served(db: &Db, (round, jobs): (usize, usize)) -> usize {
    let (_, sources) = tenant::<50>(db, &format!("large-{round}")).await;
    for piece in (0..jobs).collect::<Vec<_>>().chunks(5_000) {
        let all: Vec<NewJob> = piece.iter().map(|n| work(sources[n % sources.len()], json!({ "n": n }), 1)).collect();
        put(db, &all).await;
    }
    let (small, of_small) = tenant::<1>(db, &format!("small-{round}")).await;
    // The large account has been running for a while.
    let mut running = claim(db, 2, 4, 1).await;
    put(db, &[work(of_small[0], json!("the only one"), 2)]).await;
    for count in 1.. {
        finish(db, running.remove(0), &JobResult::Done, 3).await;
        let taken = claim(db, 3, 1, 1).await;
        if taken.iter().any(|taken| taken.account == small) {
            return count;
        }
        assert!(count < jobs, "it is never served");
        running.extend(taken);
    }
    unreachable!("the loop has no end of its own")
}

#[expect(clippy::print_stdout, reason = "how many claims it took is what it tells")]
async fn accounts_are_served_in_rotation(database: Database) {
    let db = open(&database).await;
    let few =
        tokio::time::timeout(Duration::from_secs(300), claims_until_served(&db, (1, 1_000))).await.expect("in time");
    let many =
        tokio::time::timeout(Duration::from_secs(300), claims_until_served(&db, (2, 100_000))).await.expect("in time");
    println!("the only job is served after {few} claims beside 1,000 jobs, after {many} beside 100,000");
    assert!(few <= 1 && many <= 1, "{few} and {many} claims");
}

async fn dead_jobs_are_listed_retried_and_cancelled(database: Database) {
    let db = open(&database).await;
    let (_, sources) = tenant::<2>(&db, "one").await;
    let all: Vec<NewJob> = (0..6).map(|n| work(sources[n % 2], json!({ "n": n }), 1)).collect();
    put(&db, &all).await;
    for _ in 0..3 {
        for taken in claim(&db, 2, 10, 1).await {
            finish(&db, taken, &JobResult::Dead { why: "refused".to_owned() }, 3).await;
        }
    }
    // One of them is enqueued again.
    put(&db, &all[..1]).await;
    let filter = JobQuery { source: Some(sources[0].source), ..JobQuery::default() };
    let mut tx = db.platform_write().await.expect("a transaction");
    let plan = queue::count_dead(&mut tx, &filter).await.expect("a plan");
    assert_eq!(plan.iter().map(|plan| (plan.kind.as_str(), plan.jobs)).collect::<Vec<_>>(), [("work", 3)]);
    let run = queue::start_run(&mut tx, &filter, &json!({}), (at(10), at(1_000))).await.expect("begun");
    tx.commit().await.expect("committed");
    let progress = async || {
        let mut tx = db.platform_read().await.expect("a transaction");
        let progress = queue::run_progress(&mut tx, run).await.expect("read").expect("there");
        (progress.jobs, progress.waiting, progress.done, progress.cancelled)
    };
    assert_eq!(progress().await, (3, 2, 0, 1), "what waits already is not done twice");
    let taken = claim(&db, 11, 10, 1).await.remove(0);
    finish(&db, taken, &JobResult::Done, 12).await;
    let taken = claim(&db, 13, 10, 1).await.remove(0);
    finish(&db, taken, &JobResult::Done, 14).await;
    let mut tx = db.platform_write().await.expect("a transaction");
    queue::cancel_run(&mut tx, run, at(15)).await.expect("stopped");
    tx.commit().await.expect("committed");
    let (jobs, waiting, done, cancelled) = progress().await;
    assert_eq!((jobs, waiting, done + cancelled), (3, 0, 3));
    assert!(done >= 1 && cancelled >= 1, "{done} done, {cancelled} cancelled");
    let mut tx = db.platform_write().await.expect("a transaction");
    let dead = JobQuery { state: Some(JobState::Dead), ..JobQuery::default() };
    let left = queue::list(&mut tx, &dead, None, 10).await.expect("a list");
    assert_eq!(
        left.iter().map(|job| job.source_id).collect::<Vec<_>>(),
        [sources[1].source.0; 3],
        "the other source's are left"
    );
    assert!(queue::cancel(&mut tx, left[0].id, at(16)).await.expect("thrown away"));
    assert!(!queue::cancel(&mut tx, left[0].id, at(16)).await.expect("nothing to throw away"));
}
