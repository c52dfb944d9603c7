//! Durable ingest over HTTP, compared with the same row written by `pgbench` on the same PostgreSQL, and by one writer
//! on SQLite. Prints ratios of one run; a ratio below 1 means that the reference was faster.
//!
//! `cargo bench -p gassync-tests --bench ingest`; `BENCH_SECONDS=10` measures longer.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gassync::store::{
    Db,
    buffer::reservations::{COLUMNS, UPSERT},
    rows::ColumnType,
    sources,
};
use gassync_tests::{
    database::{Database, bindir},
    host::{ACCOUNT, Host},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Concurrent callers.
const CLIENTS: [usize; 3] = [1, 8, 32];
/// Records per list.
const LIST: usize = 100;
/// Existing records, to be changed.
const KNOWN: u64 = 2_000;

fn seconds() -> u64 {
    std::env::var("BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
#[tokio::main]
async fn main() {
    println!("durable ingest, {} s each; rows per second", seconds());
    let postgres = Database::durable_postgres().await;
    let url = postgres.url.clone();
    let (host, key) = furnished(postgres).await;
    // Statements are planned with table statistics, as anywhere that runs for more than a minute.
    if let Db::Postgres { writers: pool, .. } = Db::open(&url).await.expect("a database") {
        sqlx::query("analyze").execute(&pool).await.expect("analysed");
    }
    for updates in [0, 30] {
        println!("PostgreSQL, fsync on, {updates} % updates");
        let mut reference = 0.0;
        for clients in CLIENTS {
            reference = pgbench(&url, clients, updates).await;
            let single = http(&host, &key, (clients, 1), updates).await;
            println!(
                "  {clients:>2} clients: pgbench {reference:>7.0}, one by one {single:>7.0}, ratio {:.2}",
                single / reference
            );
        }
        let lists = http(&host, &key, (8, LIST), updates).await;
        println!(
            "   8 clients, lists of {LIST}: {lists:>7.0}, ratio to pgbench with 32 clients {:.2}",
            lists / reference
        );
    }
    host.stop().await;
    let sqlite = Database::sqlite();
    let url = sqlite.url.clone();
    let (host, key) = furnished(sqlite).await;
    for updates in [0, 30] {
        println!("SQLite, synchronous=FULL, {updates} % updates");
        let reference = one_writer(&url, updates).await;
        for clients in CLIENTS {
            let single = http(&host, &key, (clients, 1), updates).await;
            println!(
                "  {clients:>2} clients: one writer {reference:>7.0}, one by one {single:>7.0}, ratio {:.2}",
                single / reference
            );
        }
        let lists = http(&host, &key, (8, LIST), updates).await;
        println!("   8 clients, lists of {LIST}: {lists:>7.0}, ratio {:.2}", lists / reference);
    }
    host.stop().await;
}

async fn furnished(database: Database) -> (Host, String) {
    let host = Host::start(database, &[], None).await;
    let key = host.key(ACCOUNT, "partner").await;
    let house = json!({ "id": "p1", "name": "Casa Azul", "currency": "EUR" });
    host.post(&key, "properties", &house).await;
    for room in 0..50 {
        let room = json!({ "id": format!("t{room}"), "propertyId": "p1", "name": "Patio", "quantity": 100_000 });
        host.post(&key, "room-types", &room).await;
    }
    for first in (0..KNOWN).step_by(500) {
        let list: Vec<Value> = (first..first + 500).map(|n| record(&format!("known-{n}"), n)).collect();
        let (status, outcomes) = host.post(&key, "reservations", &json!(list)).await;
        assert_eq!((status, &outcomes[0]["status"]), (200, &json!("created")), "{outcomes}");
    }
    (host, key)
}

/// Spread over rooms and nights, as real bookings are.
fn record(id: &str, number: u64) -> Value {
    let first = jiff::civil::date(2027, 1, 1) + jiff::Span::new().days(i64::try_from(number * 7 % 700).expect("few"));
    json!({
        "id": id, "roomTypeId": format!("t{}", number % 50), "status": "confirmed", "source": "direct",
        "checkIn": first.to_string(), "checkOut": (first + jiff::Span::new().days(2)).to_string(),
        "guest": { "id": format!("g-{id}"), "firstName": "Noor", "lastName": "de Wit" },
        "adults": 2, "totalPrice": 100 + number % 400, "currency": "EUR"
    })
}

/// Rows per second through the standard API.
async fn http(host: &Host, key: &str, (clients, list): (usize, usize), updates: u64) -> f64 {
    static RUN: AtomicU64 = AtomicU64::new(0);
    let run = RUN.fetch_add(1, Ordering::Relaxed);
    let (next, end) = (Arc::new(AtomicU64::new(1)), Instant::now() + Duration::from_secs(seconds()));
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..clients {
        let (next, client, key) = (Arc::clone(&next), host.http.clone(), key.to_owned());
        let url = format!("{}/integration/v1/reservations", host.base);
        callers.spawn(async move {
            let mut rows = 0;
            while Instant::now() < end {
                let records: Vec<Value> = (0..list)
                    .map(|_| {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        match number % 100 < updates {
                            true => record(&format!("known-{}", number * 31 % KNOWN), number),
                            false => record(&format!("run-{run}-{number}"), number),
                        }
                    })
                    .collect();
                let body = if list == 1 { records.into_iter().next() } else { Some(Value::Array(records)) };
                let answer = client.post(&url).bearer_auth(&key).json(&body).send().await.expect("an answer");
                assert!(answer.status().is_success(), "{}", answer.status());
                rows += list;
            }
            rows
        });
    }
    let rows: usize = callers.join_all().await.into_iter().sum();
    rate(rows, began.elapsed())
}

fn rate(rows: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(rows).expect("few")) / took.as_secs_f64()
}

/// The product's own statement with literal values, except for the id, which the caller completes.
fn statement((account, source): (i64, i64), id: &str, price: &str, typed: fn(&str, ColumnType) -> String) -> String {
    let raw = format!("'{}'", record("x", 1).to_string().replace('\'', "''"));
    let (account, source) = (account.to_string(), source.to_string());
    let at = "'2027-01-01T00:00:00.000Z'";
    let values = [
        "'t1'",
        &account,
        &source,
        id,
        "null",
        "'2027-05-01'",
        "'2027-05-03'",
        "'confirmed'",
        "'direct'",
        "'Noor'",
        "'de Wit'",
        "null",
        "null",
        "2",
        "null",
        price,
        "'EUR'",
        "null",
        &raw,
        &raw,
        "'digest'",
        "null",
        "null",
        at,
        "null",
        "null",
        at,
    ];
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let values: Vec<String> = COLUMNS.iter().zip(values).map(|((_, kind), value)| typed(value, *kind)).collect();
    format!("with new ({}) as (values ({})) {UPSERT}", names.join(", "), values.join(", "))
}

async fn tenant(url: &str) -> (i64, i64) {
    let db = Db::open(url).await.expect("a database");
    let mut tx = db.platform_read().await.expect("a transaction");
    let source = sources::named(&mut tx, "partner").await.expect("read").remove(0);
    (source.account.0, source.id.0)
}

async fn pgbench(url: &str, clients: usize, updates: u64) -> f64 {
    let tenant = tenant(url).await;
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("upsert.sql");
    let typed = |value: &str, kind| match kind {
        ColumnType::Int => format!("cast({value} as bigint)"),
        ColumnType::Text => format!("cast({value} as text)"),
        ColumnType::Day => format!("cast({value} as date)"),
        ColumnType::Time => format!("cast({value} as timestamptz)"),
        ColumnType::Json => format!("cast({value} as jsonb)"),
    };
    let upsert = |id: &str| statement(tenant, id, ":price", typed).replace('\n', " ");
    let script = format!(
        "\\set pick random(1, 100)\n\\set price random(1000000, 5000000)\n\\set old random(0, {})\n\
         \\set new random(1, 1000000000000)\n\\if :pick <= {updates}\n{};\n\\else\n{};\n\\endif\n",
        KNOWN - 1,
        upsert("'known-' || :old"),
        upsert("'bench-' || :new"),
    );
    std::fs::write(&file, script).expect("written");
    let output = Command::new(bindir().join("pgbench"))
        .args(["-n", "-c", &clients.to_string(), "-j", "2", "-T", &seconds().to_string(), "-f"])
        .arg(&file)
        .arg(url)
        .env("PGOPTIONS", "-c gassync.account_id=platform")
        .output()
        .expect("pgbench runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let line = line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    line.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

async fn one_writer(url: &str, updates: u64) -> f64 {
    let tenant = tenant(url).await;
    let Db::Sqlite { writer, .. } = Db::open(url).await.expect("a database") else { panic!("SQLite") };
    let began = Instant::now();
    let mut rows = 0;
    while began.elapsed() < Duration::from_secs(seconds()) {
        let number = u64::try_from(rows).expect("few");
        let id = match number % 100 < updates {
            true => format!("'known-{}'", number * 31 % KNOWN),
            false => format!("'bench-{updates}-{number}'"),
        };
        let price = (1_000_000 + number % 1_000).to_string();
        let text = statement(tenant, &id, &price, |value, _| value.to_owned());
        let mut tx = writer.begin_with("begin immediate").await.expect("a transaction");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *tx).await.expect("written");
        tx.commit().await.expect("committed");
        rows += 1;
    }
    writer.close().await;
    rate(rows, began.elapsed())
}
