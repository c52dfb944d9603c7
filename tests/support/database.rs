//! A separate database for each test: a SQLite file, or a database in a private PostgreSQL cluster that lives as long
//! as the test binary. Both are copied from a migrated template, which is faster than migrating each.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use gassync::store::Db;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::port::free_port;

/// The role of the host: not a superuser, so that row-level security applies to it.
const ROLE: &str = "gassync";

/// The template database.
const TEMPLATE: &str = "migrated";

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
static DURABLE: OnceCell<Cluster> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);
/// The migrated template file.
static SQLITE_TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();

/// The database and data folder of a test.
pub struct Database {
    /// Value of `database.url`.
    pub url: String,
    /// The test's own folder.
    pub dir: TempDir,
    /// True if it belongs to another, which may be gone before.
    pub is_beside: bool,
    /// Drops the test's database in the shared cluster with the test: all databases together would fill a small disk.
    _in_cluster: Option<InCluster>,
}

/// A database in a shared cluster.
struct InCluster {
    port: u16,
    name: String,
}

impl Drop for InCluster {
    fn drop(&mut self) {
        let port = self.port.to_string();
        let statement = format!("drop database if exists {} with (force)", self.name);
        let dropping = Command::new(bindir().join("psql"))
            .args(["-q", "-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-c", &statement])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        // If the cluster has stopped, the database is gone, too.
        if let Ok(mut dropping) = dropping {
            std::thread::spawn(move || dropping.wait());
        }
    }
}

impl Database {
    /// Creates a SQLite file with the schema.
    pub fn sqlite() -> Self {
        let database = Self::empty_sqlite();
        let template = SQLITE_TEMPLATE.get_or_init(migrated_file);
        fs::write(database.dir.path().join(SQLITE_FILE), template).expect("a copy");
        database
    }

    /// Names a SQLite file that does not exist yet, for tests of migrations.
    pub fn empty_sqlite() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        Self { url: format!("sqlite:{}/{SQLITE_FILE}", dir.path().display()), dir, is_beside: false, _in_cluster: None }
    }

    /// The same database for another process of a test, with its own folder; must not outlive the first.
    pub fn beside(url: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        Self { url: url.to_owned(), dir, is_beside: true, _in_cluster: None }
    }

    /// Creates a database with the schema in the private cluster. The test fails if PostgreSQL is not installed.
    pub async fn postgres() -> Self {
        CLUSTER.get_or_init(|| Cluster::with("off")).await.migrated_database().await
    }

    /// Creates a database without a schema, for tests of migrations.
    pub async fn empty_postgres() -> Self {
        CLUSTER.get_or_init(|| Cluster::with("off")).await.database().await
    }

    /// Creates a database with the schema in a cluster that syncs each commit to disk, as in production.
    pub async fn durable_postgres() -> Self {
        DURABLE.get_or_init(|| Cluster::with("on")).await.migrated_database().await
    }

    /// True for PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }
}

/// Name of a test's SQLite file in its folder.
const SQLITE_FILE: &str = "gassync.db";

/// The bytes of a migrated SQLite file. Created in a separate thread, because the caller may be inside a runtime.
fn migrated_file() -> Vec<u8> {
    let migrated = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let database = Database::empty_sqlite();
        runtime.block_on(migrate(&database.url));
        // The last connection to close merges the log: the file is complete.
        assert!(!database.dir.path().join(format!("{SQLITE_FILE}-wal")).exists(), "the log is in the file");
        fs::read(database.dir.path().join(SQLITE_FILE)).expect("a file")
    });
    migrated.join().expect("migrated")
}

async fn migrate(url: &str) {
    let db = Db::open(url).await.expect("a database");
    db.migrate().await.expect("a schema");
    db.close().await;
}

/// A PostgreSQL server with its data, stopped when dropped.
pub struct Cluster {
    port: u16,
    _data: TempDir,
    // Its standard input ties it to this process: when this process ends in any way, the shell stops PostgreSQL.
    _shell: Child,
    wires: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    /// Locked while the template is copied.
    template: tokio::sync::Mutex<()>,
    has_template: OnceCell<()>,
}

/// How to stop a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Rolls back running transactions and shuts down cleanly.
    Fast,
    /// Stops at once, as in a power cut; committed data is recovered at the next start.
    Immediate,
}

impl Cluster {
    /// Starts a server for one test, which can be stopped and restarted; it syncs each commit to disk.
    pub async fn start() -> Self {
        Self::with("on").await
    }

    async fn with(fsync: &str) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let root = is_root();
        if root {
            let owned = Command::new("chown").arg("postgres").arg(data.path()).status().expect("chown runs");
            assert!(owned.success(), "PostgreSQL does not run as root, and the user postgres cannot have its folder");
        }
        let (bin, dir) = (bindir(), data.path().join("db"));
        let port = free_port();
        let script = format!(
            "set -e\n\
             serve() {{\n\
                 '{bin}/postgres' -D '{dir}' -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
                     -c fsync={fsync} -c max_connections=300 -c max_wal_size=128MB -c min_wal_size=32MB >> '{dir}/log' 2>&1 &\n\
                 server=$!\n\
                 until '{bin}/pg_isready' -q -h 127.0.0.1 -p {port}; do sleep 0.1; kill -0 $server; done\n\
                 echo ready\n\
             }}\n\
             '{bin}/initdb' -D '{dir}' -A trust -U postgres --no-sync > /dev/null\n\
             serve\n\
             while read -r word; do\n\
                 if [ \"$word\" = start ]; then serve; continue; fi\n\
                 kill -s \"$word\" $server\n\
                 wait $server || true\n\
                 echo stopped\n\
             done\n\
             kill -INT $server\n\
             wait $server || true\n",
            bin = bin.display(),
            dir = dir.display(),
        );
        let mut command = if root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh", "-c", &script]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            command
        };
        let spawned = command.current_dir(data.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut shell = spawned.expect("a shell");
        let wires = (shell.stdin.take().expect("its input"), shell.stdout.take().expect("its output"));
        let wires = Mutex::new((wires.0, BufReader::new(wires.1)));
        let template = tokio::sync::Mutex::default();
        let cluster = Self { port, _data: data, _shell: shell, wires, template, has_template: OnceCell::new() };
        cluster.hear("ready");
        let mut admin = PgConnection::connect(&cluster.url("postgres", "postgres")).await.expect("the cluster");
        let create = format!("create role {ROLE} login");
        sqlx::query(AssertSqlSafe(create)).execute(&mut admin).await.expect("a role");
        admin.close().await.expect("closed");
        cluster
    }

    /// Its listen address.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Creates a database without a schema in it.
    pub async fn database(&self) -> Database {
        let name = self.create("").await;
        self.named(name)
    }

    /// Creates a database with the schema in it.
    pub async fn migrated_database(&self) -> Database {
        let template = async || {
            let create = format!("create database {TEMPLATE} owner {ROLE}");
            self.execute(create).await;
            migrate(&self.url(ROLE, TEMPLATE)).await;
        };
        self.has_template.get_or_init(template).await;
        // PostgreSQL copies a database only while it has no connections.
        let _alone = self.template.lock().await;
        let name = self.create(&format!("template {TEMPLATE}")).await;
        self.named(name)
    }

    fn named(&self, name: String) -> Database {
        let url = self.url(ROLE, &name);
        let _in_cluster = Some(InCluster { port: self.port, name });
        Database { url, dir: tempfile::tempdir().expect("a folder"), is_beside: false, _in_cluster }
    }

    async fn create(&self, options: &str) -> String {
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.execute(format!("create database {name} owner {ROLE} {options}")).await;
        name
    }

    async fn execute(&self, statement: String) {
        let mut admin = PgConnection::connect(&self.url("postgres", "postgres")).await.expect("the cluster");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await.expect("done");
        admin.close().await.expect("closed");
    }

    /// Stops the server; returns once it has stopped.
    pub fn stop(&self, how: Stop) {
        let signal = match how {
            Stop::Fast => "INT",
            Stop::Immediate => "QUIT",
        };
        // Lets other tasks of this thread run meanwhile.
        tokio::task::block_in_place(|| {
            self.say(signal);
            self.hear("stopped");
        });
    }

    /// Restarts a stopped server; returns once it accepts connections.
    pub fn start_again(&self) {
        tokio::task::block_in_place(|| {
            self.say("start");
            self.hear("ready");
        });
    }

    fn say(&self, word: &str) {
        let mut wires = self.wires.lock().expect("the wires");
        writeln!(wires.0, "{word}").expect("the shell listens");
    }

    fn hear(&self, word: &str) {
        let mut line = String::new();
        self.wires.lock().expect("the wires").1.read_line(&mut line).expect("a line");
        assert_eq!(line.trim(), word, "PostgreSQL did not start, or did not stop");
    }

    fn url(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.port)
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim() == "0"
}

/// Debian installs the server programs in a folder per version, not on the PATH.
pub fn bindir() -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.retain(|bin| bin.join("initdb").is_file());
    versions.sort();
    let on_path = || {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&paths).find(|bin| bin.join("initdb").is_file())
    };
    versions.pop().or_else(on_path).expect("PostgreSQL is not installed: tests/run installs it")
}

/// The content of a database as bytes, to search for a text.
pub async fn dump(url: &str, folder: &Path) -> String {
    if url.starts_with("sqlite:") {
        let files = ["gassync.db", "gassync.db-wal"].map(|name| fs::read(folder.join(name)).unwrap_or_default());
        String::from_utf8_lossy(&files.concat()).into_owned()
    } else {
        everything_in(url).await
    }
}

/// Every row of every table, as PostgreSQL prints it.
async fn everything_in(url: &str) -> String {
    let Db::Postgres { writers, .. } = Db::open(url).await.expect("a database") else { panic!("PostgreSQL") };
    let mut tx = writers.begin().await.expect("a transaction");
    sqlx::query("select set_config('gassync.account_id', 'platform', true)").execute(&mut *tx).await.expect("set");
    let tables = "select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *tx).await.expect("tables");
    let mut all = String::new();
    for table in tables.iter().filter(|table| *table != "int_plugin_versions") {
        let text = AssertSqlSafe(format!("select t::text from {table} t"));
        let rows: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut *tx).await.expect("rows");
        all.extend(rows);
    }
    all
}
