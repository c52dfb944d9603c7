//! Many rows in one statement: arrays on PostgreSQL, a `values` list on SQLite. The statement reads them from `new` on
//! either engine. Join tables with `cross join` after it, so that SQLite iterates over the rows first.

use gassync_domain::{CoreId, Stay, Timestamp};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use sqlx::{
    AssertSqlSafe, FromRow, Postgres, Sqlite,
    postgres::{PgArguments, PgRow},
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
    types::Json,
};

use super::{Day, Result, Time, Tx};

/// Maximum rows of a `values` list. Lists are split into lengths that are powers of two, so that few statements are
/// prepared.
const LONGEST: usize = 128;

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// `bigint`
    Int,
    /// `text`
    Text,
    /// `date`
    Day,
    /// `timestamptz`
    Time,
    /// `jsonb`
    Json,
}

/// A value; `None` is null.
#[derive(Debug, Clone)]
pub enum Cell<'a> {
    /// A number; money in ten-thousandths.
    Int(Option<i64>),
    /// A text.
    Text(Option<&'a str>),
    /// A date.
    Day(Option<Day>),
    /// An instant.
    Time(Option<Time>),
    /// A JSON text.
    Json(Option<Json<Box<RawValue>>>),
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<i64>> for Cell<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Option<String>> for Cell<'a> {
    fn from(text: &'a Option<String>) -> Self {
        Self::Text(text.as_deref())
    }
}

impl From<Day> for Cell<'_> {
    fn from(day: Day) -> Self {
        Self::Day(Some(day))
    }
}

impl From<Option<Day>> for Cell<'_> {
    fn from(day: Option<Day>) -> Self {
        Self::Day(day)
    }
}

impl From<Timestamp> for Cell<'_> {
    fn from(instant: Timestamp) -> Self {
        Self::Time(Some(instant.into()))
    }
}

impl From<Option<Timestamp>> for Cell<'_> {
    fn from(instant: Option<Timestamp>) -> Self {
        Self::Time(instant.map(Time::from))
    }
}

impl Cell<'_> {
    /// Serialises a record as JSON.
    pub fn json<T: Serialize>(record: Option<&T>) -> Result<Self> {
        let text = record.map(to_raw_value).transpose().map_err(|error| sqlx::Error::Encode(error.into()))?;
        Ok(Self::Json(text.map(Json)))
    }
}

/// Rows of named columns.
#[derive(Debug)]
pub struct Rows<'a, const N: usize> {
    columns: [(&'static str, ColumnType); N],
    rows: Vec<[Cell<'a>; N]>,
}

/// Rows of keys, in column `id`.
pub fn of_ids<'a>(ids: &[CoreId]) -> Rows<'a, 1> {
    let mut rows = Rows::new([("id", ColumnType::Int)]);
    for id in ids {
        rows.push([id.0.into()]);
    }
    rows
}

/// Rows of stays, in columns `first` and `past` (exclusive).
pub fn of_stays<'a>(stays: &[Stay]) -> Rows<'a, 2> {
    let mut rows = Rows::new([("first", ColumnType::Day), ("past", ColumnType::Day)]);
    for stay in stays {
        rows.push([Day(stay.check_in()).into(), Day(stay.check_out()).into()]);
    }
    rows
}

impl<'a, const N: usize> Rows<'a, N> {
    /// Creates an empty list.
    pub fn new(columns: [(&'static str, ColumnType); N]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push(&mut self, row: [Cell<'a>; N]) {
        self.rows.push(row);
    }

    /// The column names, separated by commas.
    pub fn names(&self) -> String {
        self.columns.map(|(name, _)| name).join(", ")
    }

    /// Runs a statement over the rows, unless there are none. The text continues after `with new (…) as (…)`;
    /// parameters from `$1` on are `shared`.
    pub async fn write(self, tx: &mut Tx, shared: &[Cell<'a>], text: &str) -> Result<()> {
        match tx {
            Tx::Sqlite(inner, _) => {
                for piece in pieces(&self.rows) {
                    let query = sqlx::query(AssertSqlSafe(self.values(piece.len(), text)));
                    bind_rows(query, piece, shared).execute(&mut **inner).await?;
                }
            }
            Tx::Postgres(inner, _) if !self.rows.is_empty() => {
                let query = sqlx::query(AssertSqlSafe(self.arrays(shared.len(), text)));
                self.bind_arrays(query, shared)?.execute(&mut **inner).await?;
            }
            Tx::Postgres(..) => {}
        }
        Ok(())
    }

    /// Like `write`, for a statement that returns rows.
    pub async fn read<T>(self, tx: &mut Tx, shared: &[Cell<'a>], text: &str) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow>,
    {
        let mut found = Vec::new();
        match tx {
            Tx::Sqlite(inner, _) => {
                for piece in pieces(&self.rows) {
                    let query = sqlx::query(AssertSqlSafe(self.values(piece.len(), text)));
                    for row in bind_rows(query, piece, shared).fetch_all(&mut **inner).await? {
                        found.push(T::from_row(&row)?);
                    }
                }
            }
            Tx::Postgres(inner, _) if !self.rows.is_empty() => {
                let query = sqlx::query(AssertSqlSafe(self.arrays(shared.len(), text)));
                for row in self.bind_arrays(query, shared)?.fetch_all(&mut **inner).await? {
                    found.push(T::from_row(&row)?);
                }
            }
            Tx::Postgres(..) => {}
        }
        Ok(found)
    }

    /// The keys that an `insert … returning id` assigned, in the order of the rows: both engines assign them in order.
    pub async fn keys(self, tx: &mut Tx, shared: &[Cell<'a>], text: &str) -> Result<Vec<i64>> {
        let mut keys: Vec<(i64,)> = self.read(tx, shared, text).await?;
        keys.sort_unstable();
        Ok(keys.into_iter().map(|(key,)| key).collect())
    }

    /// Builds the `values` list. Its parameters have no names and come first: SQLite compares each named parameter with
    /// all earlier ones when it is bound.
    fn values(&self, count: usize, text: &str) -> String {
        let row = format!("({})", vec!["?"; N].join(", "));
        let rows = vec![row.as_str(); count].join(", ");
        format!("with recursive new ({}) as (values {rows}) {}", self.names(), numbered_from(count * N, text))
    }

    fn arrays(&self, shared: usize, text: &str) -> String {
        let columns = self.columns.iter().enumerate().map(|(index, (_, kind))| {
            let kind = match kind {
                ColumnType::Int => "bigint",
                ColumnType::Text => "text",
                ColumnType::Day => "date",
                ColumnType::Time => "timestamptz",
                ColumnType::Json => "jsonb",
            };
            format!("cast(${} as {kind}[])", shared + 1 + index)
        });
        let columns: Vec<String> = columns.collect();
        format!("with recursive new ({}) as (select * from unnest({})) {text}", self.names(), columns.join(", "))
    }

    fn bind_arrays<'q>(
        &self,
        mut query: Query<'q, Postgres, PgArguments>,
        shared: &[Cell<'q>],
    ) -> Result<Query<'q, Postgres, PgArguments>>
    where
        'a: 'q,
    {
        for cell in shared {
            query = match cell.clone() {
                Cell::Int(number) => query.bind(number),
                Cell::Text(text) => query.bind(text),
                Cell::Day(day) => query.bind(day),
                Cell::Time(time) => query.bind(time),
                Cell::Json(json) => query.bind(json),
            };
        }
        /// Binds one column of all rows as an array; all its cells have its type.
        macro_rules! column {
            ($kind:ident, $index:expr) => {
                self.rows
                    .iter()
                    .map(|row| match &row[$index] {
                        Cell::$kind(value) => Ok(value.clone()),
                        _ => Err(sqlx::Error::Encode(format!("column {} holds another kind", $index).into())),
                    })
                    .collect::<Result<Vec<_>>>()?
            };
        }
        for (index, (_, kind)) in self.columns.iter().enumerate() {
            query = match kind {
                ColumnType::Int => query.bind(column!(Int, index)),
                ColumnType::Text => query.bind(column!(Text, index)),
                ColumnType::Day => query.bind(column!(Day, index)),
                ColumnType::Time => query.bind(column!(Time, index)),
                ColumnType::Json => query.bind(column!(Json, index)),
            };
        }
        Ok(query)
    }
}

fn bind_rows<'q, const N: usize>(
    query: Query<'q, Sqlite, SqliteArguments>,
    rows: &[[Cell<'q>; N]],
    shared: &[Cell<'q>],
) -> Query<'q, Sqlite, SqliteArguments> {
    rows.iter().flatten().chain(shared).fold(query, |query, cell| match cell.clone() {
        Cell::Int(number) => query.bind(number),
        Cell::Text(text) => query.bind(text),
        Cell::Day(day) => query.bind(day),
        Cell::Time(time) => query.bind(time),
        Cell::Json(json) => query.bind(json),
    })
}

/// Renumbers the text's parameters to follow `before` others: `$1` becomes the next.
fn numbered_from(before: usize, text: &str) -> String {
    let mut pieces = text.split('$');
    let mut numbered = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let number = number.parse::<usize>().map_or_else(|_| number.to_owned(), |number| (before + number).to_string());
        numbered.extend(["$", &number, rest]);
    }
    numbered
}

/// Splits rows into pieces whose lengths are powers of two, longest first.
fn pieces<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = match rows.len() {
            0 => return None,
            count => LONGEST.min(1 << count.ilog2()),
        };
        let (piece, rest) = rows.split_at(length);
        rows = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_contain_every_row() {
        for count in 0..300_usize {
            let rows: Vec<usize> = (0..count).collect();
            let cut: Vec<&[usize]> = pieces(&rows).collect();
            assert_eq!(cut.concat(), rows);
            assert!(cut.iter().all(|piece| piece.len().is_power_of_two() && piece.len() <= LONGEST));
        }
    }

    #[test]
    fn one_text_for_both() {
        let rows = Rows::new([("id", ColumnType::Int), ("name", ColumnType::Text)]);
        let text = "select id from new where $1";
        let sqlite = "with recursive new (id, name) as (values (?, ?), (?, ?)) select id from new where $5";
        assert_eq!(rows.values(2, text), sqlite);
        let postgres = "with recursive new (id, name) as (select * from unnest(cast($2 as bigint[]), cast($3 as text[]))) \
            select id from new where $1";
        assert_eq!(rows.arrays(1, text), postgres);
    }
}
