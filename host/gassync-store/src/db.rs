use std::{
    ops::{Deref, DerefMut},
    str::FromStr,
    time::Duration,
};

use gassync_domain::{AccountId, SourceId};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool,
    Transaction,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    Result,
    writer::{GroupedWrite, Writer, set_origin},
};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// All that this program asks, it finds through an index, a few rows at a time. A plan that was made while tables were
/// small must not read them whole when they are large. What is forbidden nevertheless, where there is no other way, is so dear
/// by that reckoning that it would be compiled before it is run: a tenth of a second for a few rows.
const BY_INDEX: &str = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off";
/// What writes is planned once and not each time for the values that it is given, which takes as long as to run it: no plan
/// hangs on them, since what an index leaves out is said in the texts. Listings are another matter.
const PLANNED_ONCE: &str = "set plan_cache_mode = force_generic_plan";
/// How long a statement waits for SQLite's one writer, or a caller for a connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Readers of the SQLite file.
const SQLITE_READERS: u32 = 4;
/// Texts that a connection keeps prepared: all there are, those for many rows in each of their lengths.
const PREPARED_TEXTS: usize = 512;
/// Connections to PostgreSQL of one process that read, and as many that write.
const POSTGRES_CONNECTIONS: u32 = 10;

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The address is of neither kind.
    #[error("must be sqlite:PATH or postgres://…")]
    Address,
    /// It cannot be opened.
    #[error("cannot open the database")]
    Open(#[from] sqlx::Error),
    /// Its schema cannot be brought up to date.
    #[error("cannot migrate the database")]
    Migrate(#[from] MigrateError),
    /// Its schema is not the one this program was built for.
    #[error("the database is at migration {found}, and this program needs {needed}: run `gassync migrate`")]
    Version {
        /// What it has.
        found: i64,
        /// What is needed.
        needed: i64,
    },
}

/// The database: a SQLite file (one writer, several readers) or PostgreSQL.
#[derive(Debug, Clone)]
pub enum Db {
    /// The embedded default.
    Sqlite {
        /// One connection, so that writers queue at the door and not at commit.
        writer: SqlitePool,
        /// Who has it when.
        turns: Writer,
        /// Read-only connections.
        readers: SqlitePool,
    },
    /// The engine to grow on.
    Postgres {
        /// Few connections are busy writing, so that what they have prepared is used again soon.
        writers: PgPool,
        /// The others.
        readers: PgPool,
    },
}

/// One transaction on either engine, and whose hand changes the core in it. Dropped without [`Tx::commit`], it changes nothing.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(SqliteTx, Option<SourceId>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>, Option<SourceId>),
}

/// A transaction on SQLite.
#[derive(Debug)]
pub enum SqliteTx {
    /// It reads.
    Reads(Transaction<'static, Sqlite>),
    /// It writes.
    Writes(GroupedWrite),
}

impl Deref for SqliteTx {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Reads(tx) => tx,
            Self::Writes(part) => part,
        }
    }
}

impl DerefMut for SqliteTx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Reads(tx) => tx,
            Self::Writes(part) => part,
        }
    }
}

/// Writes the same query once for each engine: `on!(tx, c => sqlx::query(TEXT).bind(x).execute(c).await)`.
macro_rules! on {
    ($tx:expr, $c:ident => $body:expr) => {
        match $tx {
            $crate::Tx::Sqlite(inner, _) => {
                let $c = &mut **inner;
                $body
            }
            $crate::Tx::Postgres(inner, _) => {
                let $c = &mut **inner;
                $body
            }
        }
    };
}
pub(crate) use on;

impl Db {
    /// Opens `sqlite:PATH` (made when absent) or `postgres://…`.
    pub async fn open(address: &str) -> std::result::Result<Self, DbError> {
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            // The pool goes on trying until its time is over; a first connection says at once why there can be none.
            PgConnectOptions::from_str(address)?.connect().await?.close().await?;
            let options = PgConnectOptions::from_str(address)?.statement_cache_capacity(PREPARED_TEXTS);
            let pool = |settings: String| {
                PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(BUSY_TIMEOUT).after_connect(
                    move |connection, _| {
                        let settings = settings.clone();
                        Box::pin(async move { connection.execute(AssertSqlSafe(settings)).await.map(drop) })
                    },
                )
            };
            let writers = pool(format!("{BY_INDEX}; {PLANNED_ONCE}")).connect_with(options.clone()).await?;
            return Ok(Self::Postgres { writers, readers: pool(BY_INDEX.to_owned()).connect_with(options).await? });
        }
        if !address.starts_with("sqlite:") {
            return Err(DbError::Address);
        }
        let options = SqliteConnectOptions::from_str(address)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(PREPARED_TEXTS)
            .foreign_keys(true);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options.clone())
            .await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options.pragma("query_only", "on"))
            .await?;
        let turns = Writer::new(writer.clone(), BUSY_TIMEOUT);
        Ok(Self::Sqlite { writer, turns, readers })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> std::result::Result<(), DbError> {
        match self {
            Self::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(writer).await?,
            Self::Postgres { writers, .. } => POSTGRES_MIGRATIONS.run(writers).await?,
        }
        Ok(())
    }

    /// Fails unless the schema is the one this program was built for.
    pub async fn check_version(&self) -> std::result::Result<(), DbError> {
        let needed = SQLITE_MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
        let text = "select coalesce(max(version), 0) from _sqlx_migrations where success";
        let found: i64 = match self {
            Self::Sqlite { readers, .. } => sqlx::query_scalar(text).fetch_one(readers).await,
            Self::Postgres { readers, .. } => sqlx::query_scalar(text).fetch_one(readers).await,
        }
        .unwrap_or(0);
        if found == needed { Ok(()) } else { Err(DbError::Version { found, needed }) }
    }

    /// A transaction that reads one account's rows.
    pub async fn read(&self, account: AccountId) -> Result<Tx> {
        self.begin(&account.to_string(), false, None).await
    }

    /// A transaction that writes one account's rows. Where it changes the core, it is the core itself that does.
    pub async fn write(&self, account: AccountId) -> Result<Tx> {
        self.begin(&account.to_string(), true, None).await
    }

    /// The same, in which it is a source's hand that changes the core.
    pub async fn write_for(&self, account: AccountId, source: SourceId) -> Result<Tx> {
        self.begin(&account.to_string(), true, Some(source)).await
    }

    /// A transaction that sees every account: for the platform's own work, such as finding whose key a caller holds.
    pub async fn platform_read(&self) -> Result<Tx> {
        self.begin("platform", false, None).await
    }

    /// The same, writing.
    pub async fn platform_write(&self) -> Result<Tx> {
        self.begin("platform", true, None).await
    }

    async fn begin(&self, sees: &str, write: bool, origin: Option<SourceId>) -> Result<Tx> {
        match self {
            Self::Sqlite { turns, .. } if write => Ok(Tx::Sqlite(SqliteTx::Writes(turns.begin(origin).await?), origin)),
            Self::Sqlite { readers, .. } => Ok(Tx::Sqlite(SqliteTx::Reads(readers.begin().await?), origin)),
            Self::Postgres { writers, readers } => {
                let pool = if write { writers } else { readers };
                // In one message: most transactions are so short that each way to the server and back counts.
                let whose = origin.map(|source| format!(", set_config('gassync.origin_source_id', '{source}', true)"));
                let whose = whose.unwrap_or_default();
                let text = format!("begin; select set_config('gassync.account_id', '{sees}', true){whose}");
                Ok(Tx::Postgres(pool.begin_with(AssertSqlSafe(text)).await?, origin))
            }
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { writers, readers } => {
                readers.close().await;
                writers.close().await;
            }
        }
    }
}

impl Tx {
    /// The text for this engine, both in sight.
    pub fn dialect(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite(..) => sqlite,
            Self::Postgres(..) => postgres,
        }
    }

    /// Whose hand changes the core here; none where it is the core itself.
    pub fn origin(&self) -> Option<SourceId> {
        match self {
            Self::Sqlite(_, origin) | Self::Postgres(_, origin) => *origin,
        }
    }

    /// What follows is changed in the core by another hand: a source's, or the core's own.
    pub async fn switch_origin(&mut self, to: Option<SourceId>) -> Result<()> {
        let is_same = self.origin() == to;
        match self {
            _ if is_same => return Ok(()),
            Self::Sqlite(tx, origin) => {
                *origin = to;
                sqlx::query(AssertSqlSafe(set_origin(to))).execute(&mut **tx).await?;
            }
            Self::Postgres(tx, origin) => {
                *origin = to;
                let text = "select set_config('gassync.origin_source_id', $1, true)";
                let whose = to.map_or_else(String::new, |source| source.to_string());
                sqlx::query(text).bind(whose).execute(&mut **tx).await?;
            }
        }
        Ok(())
    }

    /// Makes concurrent transactions over the same records of a source queue up. Sorted, so that none waits in a ring.
    pub async fn lock_records(&mut self, source: SourceId, mut ids: Vec<String>) -> Result<()> {
        let Self::Postgres(tx, _) = self else {
            return Ok(()); // SQLite has one writer.
        };
        ids.sort_unstable();
        ids.dedup();
        let text = "select pg_advisory_xact_lock(hashtextextended(id, $2))
            from unnest($1) with ordinality as sorted (id, place) order by place";
        sqlx::query(text).bind(ids).bind(source.0).execute(&mut **tx).await.map(drop)
    }

    /// Says that this transaction opens the ledger of an account: once, and then it shares it with others that do so too,
    /// or several times in whatever order, and then it has it alone. Before any other lock.
    pub async fn lock_ledger(&mut self, account: AccountId, alone: bool) -> Result<()> {
        let Self::Postgres(tx, _) = self else {
            return Ok(()); // SQLite has one writer.
        };
        let text =
            if alone { "select pg_advisory_xact_lock($1, 0)" } else { "select pg_advisory_xact_lock_shared($1, 0)" };
        // Two accounts that share a number only wait for each other now and then.
        let key = i32::try_from(account.0 % i64::from(i32::MAX)).unwrap_or_default();
        sqlx::query(text).bind(key).execute(&mut **tx).await.map(drop)
    }

    /// What follows can be undone to here, and the rest of the transaction kept.
    pub async fn savepoint(&mut self, name: &'static str) -> Result<()> {
        let text = AssertSqlSafe(format!("savepoint {name}"));
        on!(self, c => sqlx::query(text).execute(c).await.map(drop))
    }

    /// Undoes what followed the savepoint.
    pub async fn rollback_to(&mut self, name: &'static str) -> Result<()> {
        let text = AssertSqlSafe(format!("rollback to savepoint {name}"));
        on!(self, c => sqlx::query(text).execute(c).await.map(drop))
    }

    /// Makes it durable.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(SqliteTx::Reads(tx), _) => tx.commit().await,
            Self::Sqlite(SqliteTx::Writes(part), _) => part.commit().await,
            Self::Postgres(tx, _) => tx.commit().await,
        }
    }
}
