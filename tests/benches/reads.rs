//! Reads by id and by page, with few and with many records, compared with a response that reads nothing. Prints times
//! and ratios of one run.
//!
//! `cargo bench -p gassync-tests --bench reads`; `BENCH_ROWS=100000` inserts fewer than a million.

use std::time::{Duration, Instant};

use gassync::store::{Db, sources};
use gassync_tests::{
    database::Database,
    host::{ACCOUNT, Host, records},
};
use sqlx::AssertSqlSafe;

/// Requests of each kind.
const REQUESTS: u32 = 400;

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
#[tokio::main]
async fn main() {
    let many = std::env::var("BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    for database in [Database::sqlite(), Database::durable_postgres().await] {
        let name = if database.is_postgres() { "PostgreSQL" } else { "SQLite" };
        let url = database.url.clone();
        let host = Host::start(database, &[], None).await;
        let key = host.key(ACCOUNT, "partner").await;
        for (entity, record) in records() {
            host.post(&key, entity, &record).await;
        }
        let mut filled = 0;
        for rows in [10_000, many] {
            fill(&url, filled, rows).await;
            filled = rows;
            let bare = time(&host, &key, |_| "/livez".to_owned()).await;
            let step = i64::from(REQUESTS).max(1);
            let by_id = time(&host, &key, |n| format!("/integration/v1/reservations/bulk-{}", n * (rows / step))).await;
            let page = time(&host, &key, |n| {
                format!("/integration/v1/reservations?limit=50&cursor={}", base36(n * (rows / step)))
            })
            .await;
            let day = time(&host, &key, |_| {
                "/integration/v1/reservations?limit=50&checkInFrom=2027-08-01&checkInTo=2027-08-01".to_owned()
            })
            .await;
            println!("{name}, {rows} reservations, median of {REQUESTS}: bare answer {bare:?}");
            for (what, took) in [("by id", by_id), ("a page of 50", page), ("those that arrive on a day", day)] {
                println!("  {what}: {took:?}, {:.1} times the bare answer", took.as_secs_f64() / bare.as_secs_f64());
            }
        }
        host.stop().await;
    }
}

async fn time(host: &Host, key: &str, path: impl Fn(i64) -> String) -> Duration {
    let mut times = Vec::new();
    for number in 0..REQUESTS {
        let url = format!("{}{}", host.base, path(i64::from(number)));
        let began = Instant::now();
        let answer = host.http.get(url).bearer_auth(key).send().await.expect("an answer");
        let (status, _) = (answer.status(), answer.bytes().await.expect("a body"));
        times.push(began.elapsed());
        assert!(status.is_success(), "{status}");
    }
    times.sort_unstable();
    times[times.len() / 2]
}

fn base36(mut number: i64) -> String {
    let mut digits = String::new();
    loop {
        digits.insert(0, char::from_digit(u32::try_from(number % 36).expect("a digit"), 36).expect("a digit"));
        number /= 36;
        if number == 0 {
            return digits;
        }
    }
}

/// Copies one reservation, inside the database.
async fn fill(url: &str, from: i64, to: i64) {
    let db = Db::open(url).await.expect("a database");
    let mut tx = db.platform_read().await.expect("a transaction");
    let source = sources::named(&mut tx, "partner").await.expect("read").remove(0);
    drop(tx);
    let columns = "account_id, source_id, int_room_type_id, property_external_id, check_out, status, source_channel,
        guest_first_name, guest_last_name, adults, total_price, currency, gas_booking_id, record, raw_data, digest,
        observed_at, synced_at";
    let (numbers, day) = match &db {
        Db::Sqlite { .. } => (
            format!("with recursive s (n) as (select {from} union all select n + 1 from s where n + 1 < {to})"),
            "date('2027-01-01', '+' || (n % 365) || ' days')",
        ),
        Db::Postgres { .. } => (
            format!("with s (n) as (select generate_series({from}, {to} - 1))"),
            "date '2027-01-01' + cast(n % 365 as integer)",
        ),
    };
    let text = format!(
        "{numbers} insert into int_reservations (external_id, check_in, {columns})
         select 'bulk-' || n, {day}, {columns} from s, int_reservations r
         where r.account_id = {} and r.source_id = {} and r.external_id = 'r1'",
        source.account.0, source.id.0
    );
    match &db {
        Db::Sqlite { writer, .. } => {
            sqlx::query(AssertSqlSafe(text)).execute(writer).await.expect("filled");
            sqlx::query("analyze").execute(writer).await.expect("analysed");
        }
        Db::Postgres { writers: pool, .. } => {
            let mut tx = pool.begin().await.expect("a transaction");
            let sees = "select set_config('gassync.account_id', 'platform', true)";
            sqlx::query(sees).execute(&mut *tx).await.expect("set");
            sqlx::query(AssertSqlSafe(text)).execute(&mut *tx).await.expect("filled");
            tx.commit().await.expect("committed");
            sqlx::query("analyze int_reservations").execute(pool).await.expect("analysed");
        }
    }
    db.close().await;
}
