use sqlx::error::{DatabaseError, ErrorKind};

/// Cause of a database error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A value that the database can never store.
    Record,
    /// A transient condition: the database is unavailable, stopping or busy. A retry may succeed.
    Passing,
    /// A bug in this program: an invalid statement.
    Ours,
}

/// PostgreSQL SQLSTATE classes of unstorable values: data exceptions and program limits.
const VALUES: [&str; 2] = ["22", "54"];
/// SQLSTATE classes of transient errors: connections, rollbacks, resources, locks, operator intervention, system
/// errors.
const PASSING: [&str; 6] = ["08", "40", "53", "55", "57", "58"];
/// Primary SQLite codes of transient errors: busy, locked, out of memory, I/O, full.
const SQLITE_PASSING: [i32; 5] = [5, 6, 7, 10, 13];
/// Primary SQLite codes of unstorable values: too big, constraint, type mismatch.
const SQLITE_VALUES: [i32; 3] = [18, 19, 20];

/// Classifies an error.
pub fn fault(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(error) => of_database(&**error),
        sqlx::Error::Encode(_) => Fault::Record,
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => Fault::Passing,
        _ => Fault::Ours,
    }
}

fn of_database(error: &dyn DatabaseError) -> Fault {
    if !matches!(error.kind(), ErrorKind::Other) {
        return Fault::Record; // Constraint violations, which sqlx classifies for both engines.
    }
    let code = error.code().unwrap_or_default();
    if let (Some(class), 5) = (code.get(..2), code.len()) {
        return among(VALUES.contains(&class), PASSING.contains(&class));
    }
    // The lowest byte of an SQLite code is the primary one.
    let primary = code.parse::<i32>().map_or(0, |code| code & 0xff);
    among(SQLITE_VALUES.contains(&primary), SQLITE_PASSING.contains(&primary))
}

fn among(values: bool, passing: bool) -> Fault {
    match (values, passing) {
        (true, _) => Fault::Record,
        (_, true) => Fault::Passing,
        _ => Fault::Ours,
    }
}
