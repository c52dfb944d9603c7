use sqlx::error::{DatabaseError, ErrorKind};

/// Whose fault it is that the database did not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It cannot take what it was given, now or later.
    Record,
    /// It is away, stopping, or in the middle of something: later it may do the same.
    Passing,
    /// Ours: a statement that cannot work.
    Ours,
}

/// SQLSTATE classes of PostgreSQL for values it cannot keep: data exceptions, and limits of the program.
const VALUES: [&str; 2] = ["22", "54"];
/// Classes for what passes: connections, rolled back transactions, resources, locks, operators, the system.
const PASSING: [&str; 6] = ["08", "40", "53", "55", "57", "58"];
/// SQLite's primary codes for what passes: busy, locked, no memory, input and output, full.
const SQLITE_PASSING: [i32; 5] = [5, 6, 7, 10, 13];
/// SQLite's primary codes for values it cannot keep: too big, a constraint, of another type.
const SQLITE_VALUES: [i32; 3] = [18, 19, 20];

/// Whose fault an error is.
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
        return Fault::Record; // A constraint that every engine names.
    }
    let code = error.code().unwrap_or_default();
    if let (Some(class), 5) = (code.get(..2), code.len()) {
        return among(VALUES.contains(&class), PASSING.contains(&class));
    }
    // The lowest byte of SQLite's codes is the primary one.
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
