//! Completions of trivial jobs per second, compared with graphile-worker and pg-boss, on one PostgreSQL with fsync, in
//! one run.
//!
//! `cargo bench -p gassync-tests --bench jobs`; needs npm. `BENCH_JOBS=20000` sets the number of jobs.

use std::{path::PathBuf, process::Command, sync::Arc, time::Instant};

use gassync::store::{
    Db, Lease,
    queue::{self, BatchPolicy, Claim, Due, JobResult, NewJob, QueueKey, QueueResult, WorkerPool},
};
use gassync_domain::SourceKey;
use gassync_tests::{
    account_fixture::{at, open, tenant},
    database::Database,
    plugins::{repository, target_dir},
};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinSet};

/// Concurrent jobs.
const CONCURRENCY: usize = 16;
/// Sources with jobs.
const SOURCES: usize = 64;
/// Rounds; the best one counts, since the machines are shared.
const ROUNDS: usize = 3;

fn jobs() -> usize {
    std::env::var("BENCH_JOBS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
#[tokio::main]
async fn main() {
    let scripts = scripts();
    let database = Database::durable_postgres().await;
    println!(
        "{} trivial jobs, {CONCURRENCY} at once, PostgreSQL with fsync; completions per second, the best of {ROUNDS}",
        jobs()
    );
    let ours = Ours::open(&database).await;
    let mut best = [0.0_f64; 6];
    for _ in 0..ROUNDS {
        let figures = [
            ours.run(false).await,
            theirs(&scripts, "graphile-worker", &database.url, &["--ahead"]),
            theirs(&scripts, "pg-boss", &database.url, &["--ahead"]),
            ours.run(true).await,
            theirs(&scripts, "graphile-worker", &database.url, &["--batched"]),
            theirs(&scripts, "pg-boss", &database.url, &["--batched"]),
        ];
        for (best, figure) in best.iter_mut().zip(figures) {
            *best = best.max(figure);
        }
    }
    let single =
        [theirs(&scripts, "graphile-worker", &database.url, &[]), theirs(&scripts, "pg-boss", &database.url, &[])];
    let line = |what: &str, ours: f64, graphile: f64, boss: f64| {
        println!(
            "  {what:<44} ours {ours:>7.0}, graphile-worker {graphile:>7.0} ({:.2}), pg-boss {boss:>7.0} ({:.2})",
            ours / graphile,
            ours / boss
        );
    };
    line("each completion a commit of its own", best[0], best[1], best[2]);
    line("against theirs as they claim by default", best[0], single[0], single[1]);
    line("as the host does it: what waits shares one", best[3], best[4], best[5]);
    line("that against theirs by default", best[3], single[0], single[1]);
}

/// The folder with the scripts of the other queues and their dependencies.
fn scripts() -> PathBuf {
    let folder = target_dir().join("tools/queues");
    std::fs::create_dir_all(&folder).expect("a folder");
    for file in std::fs::read_dir(repository().join("tests/benches/queues")).expect("scripts") {
        let file = file.expect("a script");
        std::fs::copy(file.path(), folder.join(file.file_name())).expect("copied");
    }
    let installed =
        Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder).status();
    assert!(installed.expect("npm").success(), "npm ci");
    folder
}

/// Completions per second of one of the other queues.
fn theirs(scripts: &std::path::Path, library: &str, url: &str, mode: &[&str]) -> f64 {
    let output = Command::new(scripts.join("node_modules/.bin/node"))
        .arg(format!("{library}.js"))
        .args([url, &jobs().to_string(), &CONCURRENCY.to_string()])
        .args(mode)
        .current_dir(scripts)
        .output()
        .expect("node");
    let text = String::from_utf8_lossy(&output.stdout);
    let reported = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).next_back();
    let figure = reported.and_then(|reported| reported["perSecond"].as_f64());
    figure.unwrap_or_else(|| panic!("{library} {mode:?}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

struct Ours {
    db: Db,
    sources: [SourceKey; SOURCES],
}

impl Ours {
    async fn open(database: &Database) -> Self {
        let db = open(database).await;
        let (_, sources) = tenant(&db, "bench").await;
        Self { db, sources }
    }

    /// Completions per second: each in its own commit, or as many together as wait.
    async fn run(&self, concurrent: bool) -> f64 {
        let all: Vec<NewJob> = (0..jobs())
            .map(|number| NewJob {
                source: self.sources[number % SOURCES],
                queue: QueueKey::Channel,
                kind: "work",
                payload: json!({ "n": number }),
                priority: 3,
                due: Due::At(at(1)),
                max_age: None,
                sequence: None,
                run: None,
            })
            .collect();
        for piece in all.chunks(5_000) {
            let mut tx = self.db.platform_write().await.expect("a transaction");
            queue::enqueue(&mut tx, piece, at(0)).await.expect("put");
            tx.commit().await.expect("committed");
        }
        if let Db::Postgres { writers, .. } = &self.db {
            sqlx::query("vacuum analyze int_jobs").execute(writers).await.expect("analysed");
        }
        let begun = Instant::now();
        let done = if concurrent { self.shared().await } else { self.alone().await };
        assert_eq!(done, jobs());
        jobs() as f64 / begun.elapsed().as_secs_f64()
    }

    async fn claim(&self, queues: i64, alike: i64) -> Vec<Claim> {
        let mut tx = self.db.platform_write().await.expect("a transaction");
        let taken =
            queue::claim(&mut tx, WorkerPool::Jobs, Lease { now: at(2), until: at(62) }, (queues, 1_000), |_| {
                BatchPolicy { kinds: &["work"], max: alike, independent: false }
            })
            .await
            .expect("claimed");
        tx.commit().await.expect("committed");
        taken
    }

    /// Runs each job alone, with one commit per completion.
    async fn alone(&self) -> usize {
        let places = Arc::new(Semaphore::new(CONCURRENCY));
        let mut running = JoinSet::new();
        let mut done = 0;
        loop {
            let taken = self.claim(places.available_permits() as i64, 1).await;
            if taken.is_empty() && running.is_empty() {
                return done;
            }
            for taken in taken {
                let place = Arc::clone(&places).acquire_owned().await.expect("a place");
                let db = self.db.clone();
                running.spawn(async move {
                    let count = taken.jobs.len();
                    finish(&db, vec![taken]).await;
                    drop(place);
                    count
                });
            }
            if let Some(count) = running.join_next().await {
                done += count.expect("joined");
            }
            while let Some(count) = running.try_join_next() {
                done += count.expect("joined");
            }
        }
    }

    /// Claims batches, and completes all claimed queues in one commit.
    async fn shared(&self) -> usize {
        let mut done = 0;
        loop {
            let taken = self.claim(CONCURRENCY as i64, 20).await;
            if taken.is_empty() {
                return done;
            }
            done += taken.iter().map(|taken| taken.jobs.len()).sum::<usize>();
            finish(&self.db, taken).await;
        }
    }
}

async fn finish(db: &Db, taken: Vec<Claim>) {
    let release = |taken: Claim| QueueResult {
        results: taken.jobs.iter().map(|_| JobResult::Done).collect(),
        claim: taken,
        pause: None,
    };
    let releases: Vec<QueueResult> = taken.into_iter().map(release).collect();
    let mut tx = db.platform_write().await.expect("a transaction");
    queue::complete(&mut tx, &releases.iter().collect::<Vec<_>>(), at(3)).await.expect("finished");
    tx.commit().await.expect("committed");
}
