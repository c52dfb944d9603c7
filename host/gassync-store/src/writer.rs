//! SQLite's one writer. Transactions that wait for it become parts of one, which waits for the disk once: that is what costs.
//!
//! A part is a savepoint. One that is not committed is undone by itself, and one that is hears so when all are on disk. Nobody
//! reads of either before: readers see what was committed. Each word to the database is a way there and back, for which all
//! others wait: what is said between two parts is said at once.

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

/// Gives the one connection to one after the other, in the order in which they ask.
#[derive(Debug, Clone)]
pub struct Writer {
    pool: SqlitePool,
    patience: Duration,
    group: Arc<Mutex<Option<Group>>>,
    /// Somebody waits for his turn to end the group.
    is_ended: Arc<AtomicBool>,
}

/// A transaction, and the parts of it that are over.
#[derive(Debug)]
struct Group {
    connection: PoolConnection<Sqlite>,
    waiting: Vec<oneshot::Sender<Result<()>>>,
    /// The number of the last part.
    part: u64,
    /// How that stands.
    state: State,
    /// Whose hand the triggers are told of; none where nobody has seen what they were told.
    results: Option<Option<SourceId>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There was none yet.
    None,
    /// It was begun, and left in the middle.
    Left,
    /// It is over, and to be kept.
    Kept,
}

/// A transaction that shares another's commit. Dropped without [`GroupedWrite::commit`], it changes nothing.
#[derive(Debug)]
pub struct GroupedWrite {
    group: OwnedMappedMutexGuard<Option<Group>, Group>,
    writer: Writer,
    is_over: bool,
}

impl Writer {
    /// Writes through the one connection of this pool; nobody waits longer for it than this.
    pub fn new(pool: SqlitePool, patience: Duration) -> Self {
        Self { pool, patience, group: Arc::default(), is_ended: Arc::default() }
    }

    /// The next part, when those before it are over; and whose hand changes the core in it, where it is not the core's own.
    pub async fn begin(&self, origin: Option<SourceId>) -> Result<GroupedWrite> {
        let turn = timeout(self.patience, Arc::clone(&self.group).lock_owned()).await;
        let mut turn = turn.map_err(|_| sqlx::Error::PoolTimedOut)?;
        if let Some(group) = turn.as_mut() {
            if group.next(origin).await.is_ok() {
                return self.part(turn);
            }
            // On a task of its own: whoever waits is told, whatever becomes of this caller.
            let ended = tokio::spawn(async move {
                end(&mut turn).await;
                turn
            });
            turn = ended.await.map_err(|error| failed(error.to_string()))?;
        }
        let connection = self.pool.acquire().await?;
        *turn = Some(Group { connection, waiting: Vec::new(), part: 0, state: State::None, results: Some(None) });
        // From here on there is a part, which ends the group should this be left.
        let mut part = self.part(turn)?;
        part.group.next(origin).await?;
        Ok(part)
    }

    fn part(&self, turn: OwnedMutexGuard<Option<Group>>) -> Result<GroupedWrite> {
        let group = OwnedMutexGuard::try_map(turn, Option::as_mut).map_err(|_| sqlx::Error::PoolClosed)?;
        Ok(GroupedWrite { group, writer: self.clone(), is_over: false })
    }

    /// Ends the group when all have had their turn that wait for it now.
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
            // Nothing runs any more: what did not commit is undone with the connection.
            Err(_) => self.is_ended.store(false, Ordering::SeqCst),
        }
    }
}

async fn end(turn: &mut Option<Group>) {
    if let Some(group) = turn.as_mut() {
        let ended = match group.undo().await {
            // What is half done must not be kept, so nothing is.
            Err(error) if !is_over(&error) => Err(error),
            _ => group.commit().await,
        };
        if let Err(error) = &ended {
            tracing::error!(%error, parts = group.waiting.len(), "group commit failed");
            // It may have ended by itself.
            drop(group.connection.execute("rollback").await);
        }
        for waiting in group.waiting.drain(..) {
            let results = ended.as_ref().map(drop).map_err(|error| failed(error.to_string()));
            // Whoever waits no more needs no telling.
            drop(waiting.send(results));
        }
    }
    *turn = None;
}

/// Of an attempt to undo a part: there is none. It was over, or the database has undone all; then there is nothing to commit.
fn is_over(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().starts_with("no such savepoint"))
}

/// Nobody knows more of it than that it passes.
fn failed(why: String) -> sqlx::Error {
    sqlx::Error::Io(io::Error::other(format!("the transaction that it was a part of: {why}")))
}

impl Group {
    /// Begins the next part.
    async fn next(&mut self, origin: Option<SourceId>) -> Result<()> {
        // By itself: where it fails, nothing may go on.
        self.undo().await?;
        let before = match self.state {
            State::None => "begin immediate".to_owned(),
            State::Left | State::Kept => format!("release part_{}", self.part),
        };
        let whose = if self.results == Some(origin) { String::new() } else { set_origin(origin) };
        // Should nobody see the end of this, it is the new part that is undone, as far as there is one.
        self.part += 1;
        self.state = State::Left;
        self.results = None;
        let text = format!("{before}; {whose} savepoint part_{}", self.part);
        self.connection.execute(AssertSqlSafe(text)).await?;
        self.results = Some(origin);
        Ok(())
    }

    /// Undoes what a part has left.
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

/// Whose hand changes the core from now on.
pub fn set_origin(origin: Option<SourceId>) -> String {
    let origin = origin.map_or_else(|| "null".to_owned(), |origin| origin.0.to_string());
    format!("update gas_change_context set origin_source_id = {origin};")
}

impl GroupedWrite {
    /// Makes it durable.
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
        // All wait for the first one, and so become parts of one transaction.
        let mut first = writer.begin(None).await.expect("a part");
        let parts: Vec<_> = (0..40)
            .map(|number| {
                let writer = writer.clone();
                tokio::spawn(async move {
                    let mut part = writer.begin(None).await.expect("a part");
                    write(&mut part, number).await.expect("written");
                    match number % 4 {
                        0 => drop(part),
                        // A statement that fails takes nobody else along.
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
        // As the database does by itself where it can go on no more.
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
