use std::{
    ops::{Deref, DerefMut},
    str::FromStr,
    time::Duration,
};

use gassync_domain::{AccountId, SourceId, SourceKey};
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

/// All statements read few rows through an index, so a plan made while tables were small must not scan them when they
/// are large. When no index applies, PostgreSQL still uses the disabled plan at a huge estimated cost, which would
/// trigger JIT compilation (about 100 ms for a few rows); so JIT is off.
const BY_INDEX: &str = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off";
/// Writes use generic plans, since planning each time takes as long as running. No such plan depends on its values,
/// because the texts name the conditions of partial indexes. Reads keep PostgreSQL's default, since the best plan of a
/// listing may depend on its values.
const PLANNED_ONCE: &str = "set plan_cache_mode = force_generic_plan";
/// How long a statement waits for SQLite's single writer, or a caller for a connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Number of connections that read the SQLite file.
const SQLITE_READERS: u32 = 4;
/// Prepared statements kept per connection: enough for all texts, including every length of many-row statements.
const PREPARED_TEXTS: usize = 512;
/// PostgreSQL connections per process for reads, and as many for writes.
const POSTGRES_CONNECTIONS: u32 = 10;

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The URL has neither scheme.
    #[error("must be sqlite:PATH or postgres://…")]
    Address,
    /// The database cannot be opened.
    #[error("cannot open the database")]
    Open(#[from] sqlx::Error),
    /// A migration failed.
    #[error("cannot migrate the database")]
    Migrate(#[from] MigrateError),
    /// The schema version does not match this program.
    #[error("the database is at migration {found}, and this program needs {needed}: run `gassync migrate`")]
    Version {
        /// Version of the database.
        found: i64,
        /// Version this program needs.
        needed: i64,
    },
}

/// The database: a SQLite file (one writer, several readers) or PostgreSQL.
#[derive(Debug, Clone)]
pub enum Db {
    /// The embedded default.
    Sqlite {
        /// The only connection that writes.
        writer: SqlitePool,
        /// Orders the writers, so that they wait before they begin and not at commit.
        turns: Writer,
        /// Connections that read.
        readers: SqlitePool,
    },
    /// The engine for larger installations.
    Postgres {
        /// Connections for writes. Few are in use at a time, so that their prepared statements are reused soon.
        writers: PgPool,
        /// Connections for reads.
        readers: PgPool,
    },
}

/// A transaction on either engine, with the origin of its changes to the core. Dropped without [`Tx::commit`], it
/// changes nothing.
#[derive(Debug)]
pub enum Tx {
    /// SQLite.
    Sqlite(SqliteTx, Option<SourceId>),
    /// PostgreSQL.
    Postgres(Transaction<'static, Postgres>, Option<SourceId>),
}

/// An SQLite transaction.
#[derive(Debug)]
pub enum SqliteTx {
    /// Read-only.
    Reads(Transaction<'static, Sqlite>),
    /// Writing.
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

/// Builds the same query for each engine: `on!(tx, c => sqlx::query(TEXT).bind(x).execute(c).await)`.
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
    /// Opens `sqlite:PATH` (created if missing) or `postgres://…`.
    pub async fn open(address: &str) -> std::result::Result<Self, DbError> {
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            // The pool would retry until its timeout; a first connection reports an error at once.
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

    /// Applies all migrations.
    pub async fn migrate(&self) -> std::result::Result<(), DbError> {
        match self {
            Self::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(writer).await?,
            Self::Postgres { writers, .. } => POSTGRES_MIGRATIONS.run(writers).await?,
        }
        Ok(())
    }

    /// Fails unless the schema version matches this program.
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

    /// Begins a transaction that reads one account's rows.
    pub async fn read(&self, account: AccountId) -> Result<Tx> {
        self.begin(&account.to_string(), false, None).await
    }

    /// Begins a transaction that writes one account's rows, with the core as the origin of changes.
    pub async fn write(&self, account: AccountId) -> Result<Tx> {
        self.begin(&account.to_string(), true, None).await
    }

    /// Like [`Self::write`], with a source as the origin of changes to the core.
    pub async fn write_for(&self, SourceKey { account, source }: SourceKey) -> Result<Tx> {
        self.begin(&account.to_string(), true, Some(source)).await
    }

    /// Begins a transaction that sees every account, for platform work such as finding the holder of an API key.
    pub async fn platform_read(&self) -> Result<Tx> {
        self.begin("platform", false, None).await
    }

    /// Like [`Self::platform_read`], for writing.
    pub async fn platform_write(&self) -> Result<Tx> {
        self.begin("platform", true, None).await
    }

    async fn begin(&self, sees: &str, write: bool, origin: Option<SourceId>) -> Result<Tx> {
        match self {
            Self::Sqlite { turns, .. } if write => Ok(Tx::Sqlite(SqliteTx::Writes(turns.begin(origin).await?), origin)),
            Self::Sqlite { readers, .. } => Ok(Tx::Sqlite(SqliteTx::Reads(readers.begin().await?), origin)),
            Self::Postgres { writers, readers } => {
                let pool = if write { writers } else { readers };
                // One message: most transactions are so short that each round trip matters.
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
    /// Returns the text for this engine; both are visible at the call.
    pub fn dialect(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite(..) => sqlite,
            Self::Postgres(..) => postgres,
        }
    }

    /// The source that changes the core in this transaction; `None` for the core itself.
    pub fn origin(&self) -> Option<SourceId> {
        match self {
            Self::Sqlite(_, origin) | Self::Postgres(_, origin) => *origin,
        }
    }

    /// Sets the origin of the following changes to the core: a source, or `None` for the core itself.
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

    /// Serialises concurrent transactions on the same records of a source. Locks in sorted order, to avoid deadlocks.
    pub async fn lock_records(&mut self, source: SourceId, mut ids: Vec<String>) -> Result<()> {
        let Self::Postgres(tx, _) = self else {
            return Ok(()); // SQLite has a single writer.
        };
        ids.sort_unstable();
        ids.dedup();
        let text = "select pg_advisory_xact_lock(hashtextextended(id, $2))
            from unnest($1) with ordinality as sorted (id, place) order by place";
        sqlx::query(text).bind(ids).bind(source.0).execute(&mut **tx).await.map(drop)
    }

    /// Declares that this transaction opens an account's ledger: once, sharing the lock with others that do so, or
    /// (`alone`) several times in any order, exclusively. Call before taking any other lock.
    pub async fn lock_ledger(&mut self, account: AccountId, alone: bool) -> Result<()> {
        let Self::Postgres(tx, _) = self else {
            return Ok(()); // SQLite has a single writer.
        };
        let text =
            if alone { "select pg_advisory_xact_lock($1, 0)" } else { "select pg_advisory_xact_lock_shared($1, 0)" };
        // Accounts that share a key only wait for each other occasionally.
        let key = i32::try_from(account.0 % i64::from(i32::MAX)).unwrap_or_default();
        sqlx::query(text).bind(key).execute(&mut **tx).await.map(drop)
    }

    /// Sets a savepoint.
    pub async fn savepoint(&mut self, name: &'static str) -> Result<()> {
        let text = AssertSqlSafe(format!("savepoint {name}"));
        on!(self, c => sqlx::query(text).execute(c).await.map(drop))
    }

    /// Rolls back to the savepoint and keeps the transaction.
    pub async fn rollback_to(&mut self, name: &'static str) -> Result<()> {
        let text = AssertSqlSafe(format!("rollback to savepoint {name}"));
        on!(self, c => sqlx::query(text).execute(c).await.map(drop))
    }

    /// Commits the transaction.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(SqliteTx::Reads(tx), _) => tx.commit().await,
            Self::Sqlite(SqliteTx::Writes(part), _) => part.commit().await,
            Self::Postgres(tx, _) => tx.commit().await,
        }
    }
}
