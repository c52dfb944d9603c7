//! What no test leaves behind unless it says so: work that was given up, messages that failed, nights sold twice,
//! a ledger that does not add up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use gassync::store::{Db, Tx, ledger};
use gassync_domain::{AccountId, Timestamp};
use sqlx::AssertSqlSafe;

/// Most rows named per kind.
const NAMED: usize = 5;
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A kind of trouble that outlives a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leftover {
    /// Jobs that were given up, deliveries included.
    DeadJobs,
    /// Messages of channels that could not be applied.
    FailedMessages,
    /// Nights that are sold more often than there are units.
    Overbooked,
    /// Nights whose count is not that of their bookings, holds and closures.
    WrongLedger,
    /// The database cannot be asked any more.
    NoDatabase,
}

/// What a test leaves behind on purpose.
#[derive(Debug, Default)]
pub struct Expected(Mutex<BTreeSet<Leftover>>);

impl Expected {
    /// Expects this at the end of the test.
    pub fn expect(&self, leftover: Leftover) {
        self.0.lock().expect("no panic").insert(leftover);
    }

    /// Panics if a database holds anything else.
    pub fn assert_nothing_else(&self, url: &str, now: Timestamp) {
        let (url, expected) = (url.to_owned(), self.0.lock().expect("no panic").clone());
        // In a thread of its own, since the test's runtime waits here.
        let asked = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let found = runtime.block_on(async { tokio::time::timeout(PATIENCE, find(&url, now)).await });
            match found {
                Ok(Ok(found)) => found,
                Ok(Err(error)) => BTreeMap::from([(Leftover::NoDatabase, vec![format!("{error:#}")])]),
                Err(_) => BTreeMap::from([(Leftover::NoDatabase, vec!["no answer in time".to_owned()])]),
            }
        });
        let mut found = asked.join().expect("asked");
        found.retain(|kind, rows| !rows.is_empty() && !expected.contains(kind));
        assert!(found.is_empty(), "the test leaves this behind without saying so: {found:#?}");
    }
}

async fn find(url: &str, now: Timestamp) -> anyhow::Result<BTreeMap<Leftover, Vec<String>>> {
    let db = Db::open(url).await?;
    let mut tx = db.platform_read().await?;
    let mut found = BTreeMap::new();
    for (kind, text) in [
        (Leftover::DeadJobs, "select kind || ': ' || coalesce(error, '') from int_jobs where state = 'dead'"),
        (Leftover::FailedMessages, "select coalesce(error, '') from int_inbox where state = 'failed'"),
        (
            Leftover::Overbooked,
            "select 'unit ' || cast(unit_id as text) || ' on ' || cast(night as text) from gas_unit_nights
             where overbooked > 0",
        ),
    ] {
        found.insert(kind, texts(&mut tx, &format!("{text} limit {NAMED}")).await?);
    }
    let accounts = texts(&mut tx, "select cast(id as text) from gas_accounts").await?;
    let mut wrong = Vec::new();
    for account in accounts {
        let differences = ledger::differences(&mut tx, AccountId(account.parse()?), now).await?;
        wrong.extend(differences.iter().take(NAMED).map(|difference| format!("{difference:?}")));
    }
    found.insert(Leftover::WrongLedger, wrong);
    drop(tx);
    db.close().await;
    Ok(found)
}

async fn texts(tx: &mut Tx, text: &str) -> anyhow::Result<Vec<String>> {
    let query = AssertSqlSafe(text.to_owned());
    Ok(match tx {
        Tx::Sqlite(tx, _) => sqlx::query_scalar(query).fetch_all(&mut **tx).await?,
        Tx::Postgres(tx, _) => sqlx::query_scalar(query).fetch_all(&mut **tx).await?,
    })
}
