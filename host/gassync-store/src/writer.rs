//! SQLite's single writer, with group commit: transactions waiting for it become parts of one database transaction, so
//! that the costly wait for the disk happens once.
//!
//! Each part is a savepoint. A part that is not committed is rolled back alone; a committed part returns once the whole
//! group is on disk. Readers see neither before, since they read committed data. Every statement is a round trip during
//! which all others wait, so statements between two parts are sent together.

use std::{
    io,
    ops::{Deref, DerefMut},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gassync_domain::SourceId;
use sqlx::{AssertSqlSafe, Executor, Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard, oneshot},
    time::timeout,
};

use super::Result;

/// Hands the single connection to one caller at a time, in order of request.
#[derive(Debug, Clone)]
pub struct Writer {
    pool: SqlitePool,
    patience: Duration,
    group: Arc<Mutex<Option<Group>>>,
    /// A task is already waiting to end the group.
    is_ended: Arc<AtomicBool>,
}

/// A database transaction with its finished parts.
#[derive(Debug)]
struct Group {
    connection: PoolConnection<Sqlite>,
    waiting: Vec<oneshot::Sender<Result<()>>>,
    /// Number of the last part.
    part: u64,
    /// State of the last part.
    state: State,
    /// The origin that the triggers read; `None` if the last statement that set it may not have run.
    results: Option<Option<SourceId>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is no part yet.
    None,
    /// The part began and is not finished.
    Left,
    /// The part is finished and kept.
    Kept,
}

/// One part of a group commit. Dropped without [`GroupedWrite::commit`], it changes nothing.
#[derive(Debug)]
pub struct GroupedWrite {
    group: OwnedMappedMutexGuard<Option<Group>, Group>,
    writer: Writer,
    is_over: bool,
}

impl Writer {
    /// Writes through the single connection of this pool; a caller waits for it no longer than `patience`.
    pub fn new(pool: SqlitePool, patience: Duration) -> Self {
        Self { pool, patience, group: Arc::default(), is_ended: Arc::default() }
    }

    /// Begins the next part once the previous ones are finished; `origin` is the source that changes the core, if not
    /// the core.
    pub async fn begin(&self, origin: Option<SourceId>) -> Result<GroupedWrite> {
        let turn = timeout(self.patience, Arc::clone(&self.group).lock_owned()).await;
        let mut turn = turn.map_err(|_| sqlx::Error::PoolTimedOut)?;
        if let Some(group) = turn.as_mut() {
            if group.next(origin).await.is_ok() {
                return self.part(turn);
            }
            // Runs in its own task, so that waiting callers get a result even if this caller is cancelled.
            let ended = tokio::spawn(async move {
                end(&mut turn).await;
                turn
            });
            turn = ended.await.map_err(|error| failed(error.to_string()))?;
        }
        let connection = self.pool.acquire().await?;
        *turn = Some(Group { connection, waiting: Vec::new(), part: 0, state: State::None, results: Some(None) });
        // The part exists from here on; dropping it ends the group.
        let mut part = self.part(turn)?;
        part.group.next(origin).await?;
        Ok(part)
    }

    fn part(&self, turn: OwnedMutexGuard<Option<Group>>) -> Result<GroupedWrite> {
        let group = OwnedMutexGuard::try_map(turn, Option::as_mut).map_err(|_| sqlx::Error::PoolClosed)?;
        Ok(GroupedWrite { group, writer: self.clone(), is_over: false })
    }

    /// Ends the group after all callers now waiting have had their part.
    fn end_soon(&self) {
        if self.is_ended.swap(true, Ordering::SeqCst) {
            return;
        }
        let writer = self.clone();
        let end = async move {
            let mut turn = writer.group.lock().await;
            writer.is_ended.store(false, Ordering::SeqCst);
            end(&mut turn).await;
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(end)),
            // No runtime is left: uncommitted work is rolled back with the connection.
            Err(_) => self.is_ended.store(false, Ordering::SeqCst),
        }
    }
}

async fn end(turn: &mut Option<Group>) {
    if let Some(group) = turn.as_mut() {
        let ended = match group.undo().await {
            // A part that cannot be rolled back must not be committed, so the whole group fails.
            Err(error) if !is_over(&error) => Err(error),
            _ => group.commit().await,
        };
        if let Err(error) = &ended {
            tracing::error!(%error, parts = group.waiting.len(), "group commit failed");
            // SQLite may have rolled back already.
            drop(group.connection.execute("rollback").await);
        }
        for waiting in group.waiting.drain(..) {
            let results = ended.as_ref().map(drop).map_err(|error| failed(error.to_string()));
            // A caller that stopped waiting needs no result.
            drop(waiting.send(results));
        }
    }
    *turn = None;
}

/// Whether rolling back a part failed because there is none: it was finished, or SQLite rolled back everything and
/// nothing is left to commit.
fn is_over(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().starts_with("no such savepoint"))
}

/// Reports a transient error, since no more is known.
fn failed(why: String) -> sqlx::Error {
    sqlx::Error::Io(io::Error::other(format!("the transaction that it was a part of: {why}")))
}

impl Group {
    /// Begins the next part.
    async fn next(&mut self, origin: Option<SourceId>) -> Result<()> {
        // Sent separately: if it fails, nothing after it may run.
        self.undo().await?;
        let before = match self.state {
            State::None => "begin immediate".to_owned(),
            State::Left | State::Kept => format!("release part_{}", self.part),
        };
        let whose = if self.results == Some(origin) { String::new() } else { set_origin(origin) };
        // Set before the call: if it is cancelled, the new part is rolled back, if it exists.
        self.part += 1;
        self.state = State::Left;
        self.results = None;
        let text = format!("{before}; {whose} savepoint part_{}", self.part);
        self.connection.execute(AssertSqlSafe(text)).await?;
        self.results = Some(origin);
        Ok(())
    }

    /// Rolls back an unfinished part.
    async fn undo(&mut self) -> Result<()> {
        if self.state == State::Left {
            self.connection.execute(AssertSqlSafe(format!("rollback to part_{}", self.part))).await?;
            self.state = State::Kept;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        let whose = if self.results == Some(None) { String::new() } else { set_origin(None) };
        self.connection.execute(AssertSqlSafe(format!("{whose} commit"))).await.map(drop)
    }
}

/// SQL that sets the origin of the following changes to the core.
pub fn set_origin(origin: Option<SourceId>) -> String {
    let origin = origin.map_or_else(|| "null".to_owned(), |origin| origin.0.to_string());
    format!("update gas_change_context set origin_source_id = {origin};")
}

impl GroupedWrite {
    /// Commits the part; returns once it is durable.
    pub async fn commit(mut self) -> Result<()> {
        let (done, written) = oneshot::channel();
        self.group.waiting.push(done);
        self.is_over = true;
        drop(self);
        written.await.unwrap_or_else(|_| Err(failed("nobody has ended it".to_owned())))
    }
}

impl Drop for GroupedWrite {
    fn drop(&mut self) {
        self.group.state = if self.is_over { State::Kept } else { State::Left };
        self.writer.end_soon();
    }
}

impl Deref for GroupedWrite {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.group.connection
    }
}

impl DerefMut for GroupedWrite {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.group.connection
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

    use super::*;

    async fn open(dir: &tempfile::TempDir) -> (Writer, SqlitePool) {
        let options = SqliteConnectOptions::new().filename(dir.path().join("db")).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.expect("a pool");
        sqlx::query("create table t (n integer primary key) strict").execute(&pool).await.expect("a table");
        let readers = SqlitePoolOptions::new().connect_with(options).await.expect("readers");
        (Writer::new(pool, Duration::from_secs(30)), readers)
    }

    async fn write(part: &mut GroupedWrite, number: i64) -> Result<()> {
        sqlx::query("insert into t (n) values ($1)").bind(number).execute(&mut **part).await.map(drop)
    }

    async fn all(readers: &SqlitePool) -> Vec<i64> {
        sqlx::query_scalar("select n from t order by n").fetch_all(readers).await.expect("read")
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_uncommitted_part_is_rolled_back_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let (writer, readers) = open(&dir).await;
        // All callers wait for the first part and so join its transaction.
        let mut first = writer.begin(None).await.expect("a part");
        let parts: Vec<_> = (0..40)
            .map(|number| {
                let writer = writer.clone();
                tokio::spawn(async move {
                    let mut part = writer.begin(None).await.expect("a part");
                    write(&mut part, number).await.expect("written");
                    match number % 4 {
                        0 => drop(part),
                        // A failing statement fails no other part.
                        1 => {
                            assert!(write(&mut part, number).await.is_err());
                            part.commit().await.expect("committed");
                        }
                        _ => part.commit().await.expect("committed"),
                    }
                })
            })
            .collect();
        write(&mut first, 100).await.expect("written");
        assert_eq!(all(&readers).await, [0_i64; 0], "nobody reads what is not committed");
        first.commit().await.expect("committed");
        assert!(all(&readers).await.contains(&100), "who has heard of it is on disk");
        for part in parts {
            part.await.expect("joined");
        }
        let kept: Vec<i64> = (0..40).filter(|number| number % 4 != 0).chain([100]).collect();
        assert_eq!(all(&readers).await, kept);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_failed_group_commit_fails_every_part() {
        let dir = tempfile::tempdir().expect("a folder");
        let (writer, readers) = open(&dir).await;
        let mut first = writer.begin(None).await.expect("a part");
        write(&mut first, 1).await.expect("written");
        let mut second = Box::pin(writer.begin(None));
        tokio::select! {
            biased;
            _ = &mut second => panic!("it is another's turn"),
            () = std::future::ready(()) => {}
        }
        let first = tokio::spawn(first.commit());
        let mut second = second.await.expect("a part");
        write(&mut second, 2).await.expect("written");
        // SQLite does this itself when it cannot continue.
        second.execute("rollback").await.expect("undone");
        assert!(second.commit().await.is_err());
        assert!(first.await.expect("joined").is_err());
        assert_eq!(all(&readers).await, [0_i64; 0]);
        let mut third = writer.begin(None).await.expect("a part");
        write(&mut third, 3).await.expect("written");
        third.commit().await.expect("committed");
        assert_eq!(all(&readers).await, [3], "it goes on");
    }
}
