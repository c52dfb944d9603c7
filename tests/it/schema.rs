//! Both databases have the same tables and columns, and each tenant table its policy.

use std::collections::BTreeSet;

use gassync::store::Db;
use gassync_tests::database::Database;
use sqlx::Row;

/// Table, column, and whether it is nullable.
type Columns = BTreeSet<(String, String, bool)>;

async fn open(database: &Database) -> Db {
    let db = Db::open(&database.url).await.expect("a database");
    db.migrate().await.expect("a schema");
    db.migrate().await.expect("a second time changes nothing");
    db.check_version().await.expect("the version");
    db
}

async fn sqlite_columns() -> Columns {
    let database = Database::empty_sqlite();
    let Db::Sqlite { readers, .. } = open(&database).await else { panic!("SQLite") };
    let text = "select t.name as t, c.name as c, c.\"notnull\" = 0 and c.pk = 0 as nullable
        from sqlite_schema t join pragma_table_info(t.name) c
        where t.type = 'table' and t.name not like 'sqlite%' and t.name not like '\\_sqlx%' escape '\\'";
    let rows = sqlx::query(text).fetch_all(&readers).await.expect("columns");
    rows.iter().map(|row| (row.get("t"), row.get("c"), row.get("nullable"))).collect()
}

#[tokio::test]
async fn both_databases_have_the_same_columns() {
    let database = Database::empty_postgres().await;
    let Db::Postgres { writers: pool, .. } = open(&database).await else { panic!("PostgreSQL") };
    let text = "select table_name as t, column_name as c, is_nullable = 'YES' as nullable
        from information_schema.columns where table_schema = 'public' and table_name not like '\\_sqlx%'";
    let rows = sqlx::query(text).fetch_all(&pool).await.expect("columns");
    let postgres: Columns = rows.iter().map(|row| (row.get("t"), row.get("c"), row.get("nullable"))).collect();
    let mut sqlite = sqlite_columns().await;
    // SQLite uses this one-row table where PostgreSQL uses a setting of the transaction.
    sqlite.retain(|(table, ..)| table != "gas_change_context");
    let only_here: Vec<_> = sqlite.symmetric_difference(&postgres).collect();
    assert!(only_here.is_empty(), "{only_here:?}");
    assert!(postgres.len() > 150, "the founding schema has more than {} columns", postgres.len());
}

#[tokio::test]
async fn every_tenant_table_has_its_policy_and_the_core_no_channel() {
    let database = Database::empty_postgres().await;
    let Db::Postgres { writers: pool, .. } = open(&database).await else { panic!("PostgreSQL") };
    let text = "select c.relname from pg_class c
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
          and (c.relname = 'gas_accounts' or exists (
              select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'account_id'))
          and not (c.relrowsecurity and c.relforcerowsecurity
              and exists (select 1 from pg_policy p where p.polrelid = c.oid))";
    let bare: Vec<String> = sqlx::query_scalar(text).fetch_all(&pool).await.expect("tables");
    assert!(bare.is_empty(), "without a policy: {bare:?}");
    let words = ["channel", "external", "source", "beds24", "ota_", "webhook", "plugin"];
    let columns = sqlite_columns().await;
    let core = columns.iter().filter(|(table, ..)| table.starts_with("gas_") && table != "gas_change_context");
    let found: Vec<_> = core.filter(|(_, column, _)| words.iter().any(|word| column.contains(word))).collect();
    assert!(found.is_empty(), "{found:?}");
}
