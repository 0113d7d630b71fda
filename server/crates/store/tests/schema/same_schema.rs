//! SQLite and PostgreSQL have the same schema. SQLite's catalogue is translated into statements that create it on PostgreSQL, so
//! that PostgreSQL itself normalises the checks, defaults and predicates of both.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};
use store::Db;

use super::statements::statements;

/// In the order in which PostgreSQL can run them.
const AS_POSTGRES: &str = r#"
    WITH tables AS (
        SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\_sqlx%' ESCAPE '\'
    )
    SELECT sql FROM (
        SELECT 1 AS step, 'CREATE TABLE ' || name || ' (' || (
            SELECT group_concat(
                name || ' ' || replace(type, 'BLOB', 'BYTEA') || iif("notnull", ' NOT NULL', '')
                    || ifnull(' DEFAULT ' || dflt_value, ''),
                ', '
            ) FROM (SELECT * FROM pragma_table_xinfo(tables.name) ORDER BY cid)
        ) || ')' AS sql
        FROM tables
        UNION ALL
        SELECT 2, 'ALTER TABLE ' || tables.name || ' ADD ' || iif(keys.origin = 'pk', 'PRIMARY KEY', 'UNIQUE') || ' ('
            || (SELECT group_concat(name, ', ') FROM (SELECT * FROM pragma_index_info(keys.name) ORDER BY seqno)) || ')'
        FROM tables, pragma_index_list(tables.name) AS keys
        WHERE keys.origin <> 'c'
        UNION ALL
        SELECT 3, 'ALTER TABLE ' || tables.name || ' ADD FOREIGN KEY (' || group_concat(keys."from", ', ') || ') REFERENCES '
            || keys."table" || ' (' || group_concat(keys."to", ', ') || ') ON DELETE ' || on_delete || ' ON UPDATE ' || on_update
        FROM tables, pragma_foreign_key_list(tables.name) AS keys
        GROUP BY tables.name, keys.id
        UNION ALL
        SELECT 3, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL
    ) ORDER BY step
"#;

/// The text of every table: SQLite has no list of checks.
const TABLES: &str = r"
    SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\_sqlx%' ESCAPE '\'
";

const TABLES_OF_POSTGRES: &str = r"
    WITH tables AS (
        SELECT oid, relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname NOT LIKE '\_sqlx%'
    )
    SELECT format(
        '%s column %s: %s %s%s%s', relname, row_number() OVER (PARTITION BY attrelid ORDER BY attnum), attname,
        replace(format_type(atttypid, atttypmod), 'uuid', 'bytea'), CASE WHEN attnotnull THEN ' NOT NULL' END,
        ' DEFAULT ' || pg_get_expr(adbin, adrelid)
    )
    FROM tables JOIN pg_attribute ON attrelid = tables.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT format('%s: %s', relname, pg_get_constraintdef(pg_constraint.oid))
    FROM tables JOIN pg_constraint ON conrelid = tables.oid
    WHERE contype IN ('c', 'f', 'p', 'u')
    UNION ALL
    SELECT replace(pg_get_indexdef(indexrelid), current_schema() || '.', '') FROM tables JOIN pg_index ON indrelid = tables.oid
    WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
";

/// To DELETE is what SQLite has for TRUNCATE.
const TRIGGERS_AND_VIEWS_OF_SQLITE: &str = r"
    WITH guards AS (
        SELECT tbl_name, sql FROM sqlite_schema
        WHERE type = 'trigger' AND sql LIKE '%BEGIN SELECT RAISE(ABORT, ''' || tbl_name || ' is append-only''); END'
            AND sql NOT LIKE '% WHEN %'
    )
    SELECT tbl_name || ' refuses UPDATE' FROM guards WHERE sql LIKE '% BEFORE UPDATE ON %'
    UNION ALL
    SELECT tbl_name || ' refuses DELETE' FROM guards WHERE sql LIKE '% BEFORE DELETE ON %'
    UNION ALL
    SELECT tbl_name || ' refuses TRUNCATE' FROM guards WHERE sql LIKE '% BEFORE DELETE ON %'
    UNION ALL
    SELECT tbl_name || ' has trigger ' || name FROM sqlite_schema WHERE type = 'trigger' AND sql NOT IN (SELECT sql FROM guards)
    UNION ALL
    SELECT name || ' is a view of '
        || (SELECT group_concat(name, ', ') FROM (SELECT * FROM pragma_table_xinfo(views.name) ORDER BY cid))
    FROM sqlite_schema AS views WHERE type = 'view'
";

/// The bits of `tgtype`: 1 row, 2 before, 8 DELETE, 16 UPDATE, 32 TRUNCATE.
const TRIGGERS_AND_VIEWS_OF_POSTGRES: &str = r"
    WITH triggers AS (
        SELECT relname, pg_trigger.*, tgfoid = 'append_only'::regproc AND tgqual IS NULL AND tgattr::text = '' AS guard
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal AND tgenabled = 'O'
    )
    SELECT format('%s refuses %s', relname, event)
    FROM triggers, (VALUES ('UPDATE', 1 | 2 | 16), ('DELETE', 1 | 2 | 8), ('TRUNCATE', 2 | 32)) AS events (event, bits)
    WHERE guard AND tgtype & bits = bits
    UNION ALL
    SELECT format('%s has trigger %s', relname, tgname) FROM triggers WHERE NOT guard
    UNION ALL
    SELECT format('%s is a view of %s', relname, string_agg(attname, ', ' ORDER BY attnum))
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'v' AND attnum > 0
    GROUP BY relname
";

type Schema = BTreeSet<String>;

async fn of_postgres(postgres: &mut PgConnection) -> Schema {
    let tables: Vec<String> = sqlx::query_scalar(TABLES_OF_POSTGRES).fetch_all(&mut *postgres).await.unwrap();
    let others: Vec<String> = sqlx::query_scalar(TRIGGERS_AND_VIEWS_OF_POSTGRES).fetch_all(postgres).await.unwrap();
    tables.into_iter().chain(others).collect()
}

/// Leaves nothing behind on PostgreSQL.
async fn of_sqlite(sqlite: &mut SqliteConnection, postgres: &mut PgConnection) -> Schema {
    let mut ddl: Vec<String> = sqlx::query_scalar(AS_POSTGRES).fetch_all(&mut *sqlite).await.unwrap();
    let tables: Vec<(String, String)> = sqlx::query_as(TABLES).fetch_all(&mut *sqlite).await.unwrap();
    for (name, sql) in tables {
        let sql = statements(&sql).concat();
        ddl.extend(checks(&sql).map(|check| format!("ALTER TABLE {name} ADD {check}")));
    }
    let others: Vec<String> = sqlx::query_scalar(TRIGGERS_AND_VIEWS_OF_SQLITE).fetch_all(sqlite).await.unwrap();

    let script = format!("BEGIN; CREATE SCHEMA of_sqlite; SET LOCAL search_path = of_sqlite; {}", ddl.join(";"));
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut *postgres).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(TABLES_OF_POSTGRES).fetch_all(&mut *postgres).await.unwrap();
    sqlx::raw_sql("ROLLBACK").execute(postgres).await.unwrap();
    tables.into_iter().chain(others).collect()
}

/// From each `CHECK (` to its closing bracket.
fn checks(table: &str) -> impl Iterator<Item = &str> {
    table.match_indices("CHECK (").map(|(start, _)| {
        let (mut depth, mut in_string) = (0, false);
        let end = table[start..].find(|c| {
            in_string ^= c == '\'';
            depth += i32::from(c == '(' && !in_string) - i32::from(c == ')' && !in_string);
            depth == 0 && c == ')'
        });
        &table[start..=start + end.unwrap()]
    })
}

async fn connections() -> (sqlx::pool::PoolConnection<sqlx::Sqlite>, sqlx::pool::PoolConnection<sqlx::Postgres>) {
    let (Db::Sqlite { write, .. }, Db::Postgres(pool)) = (super::sqlite().await, super::postgres().await) else { unreachable!() };
    (write.acquire().await.unwrap(), pool.acquire().await.unwrap())
}

#[tokio::test]
async fn both_engines_have_the_same_schema() {
    let (mut sqlite, mut postgres) = connections().await;
    let (sqlite, postgres) = (of_sqlite(&mut sqlite, &mut postgres).await, of_postgres(&mut postgres).await);
    assert!(sqlite.contains("orders: UNIQUE (number)") && sqlite.contains("audit refuses TRUNCATE"), "{sqlite:#?}");
    assert_eq!(sqlite.difference(&postgres).collect::<Vec<_>>(), [""; 0], "only SQLite");
    assert_eq!(postgres.difference(&sqlite).collect::<Vec<_>>(), [""; 0], "only PostgreSQL");
}

#[tokio::test]
async fn a_change_of_postgres_alone_is_noticed() {
    let (mut sqlite, mut postgres) = connections().await;
    let sqlite = of_sqlite(&mut sqlite, &mut postgres).await;
    for change in [
        "CREATE TABLE extra (id UUID PRIMARY KEY NOT NULL)",
        "DROP TABLE uncharged",
        "ALTER TABLE orders ADD COLUMN extra TEXT",
        "ALTER TABLE cases DROP COLUMN subject",
        "ALTER TABLE orders ALTER COLUMN count TYPE INTEGER",
        "ALTER TABLE meters ALTER COLUMN serial DROP NOT NULL",
        "ALTER TABLE wallets ALTER COLUMN alarm1_fen SET DEFAULT 1",
        "ALTER TABLE audit DROP CONSTRAINT audit_pkey",
        "ALTER TABLE payment_events DROP CONSTRAINT payment_events_once",
        "ALTER TABLE returns DROP CONSTRAINT returns_closing_id_fkey",
        "ALTER TABLE orders DROP CONSTRAINT orders_tender_check",
        "ALTER TABLE orders ADD CONSTRAINT extra CHECK (count > 0)",
        "DROP INDEX commands_one_money",
        "DROP INDEX shifts_open; CREATE UNIQUE INDEX shifts_open ON shifts (operator_id) WHERE counted_fen IS NULL",
        "DROP TRIGGER statements_append_only ON statements",
        "DROP TRIGGER statements_no_truncate ON statements",
        "ALTER TABLE statements DISABLE TRIGGER statements_append_only",
        "DROP TRIGGER audit_moves_head ON audit",
        "DROP VIEW account_keys",
    ] {
        sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {change}"))).execute(&mut *postgres).await.unwrap();
        assert_ne!(of_postgres(&mut postgres).await, sqlite, "{change}");
        sqlx::raw_sql("ROLLBACK").execute(&mut *postgres).await.unwrap();
    }
    assert_eq!(of_postgres(&mut postgres).await, sqlite);
}

#[tokio::test]
async fn a_change_of_sqlite_alone_is_noticed() {
    let (mut sqlite, mut postgres) = connections().await;
    let unchanged = of_postgres(&mut postgres).await;
    for change in [
        "CREATE TABLE extra (id BLOB PRIMARY KEY NOT NULL)",
        "DROP TABLE uncharged",
        "ALTER TABLE orders ADD COLUMN extra TEXT",
        "ALTER TABLE orders ADD COLUMN extra BIGINT REFERENCES orders (number) CHECK (extra > 0)",
        "ALTER TABLE cases RENAME COLUMN detail TO details",
        "DROP INDEX commands_one_money",
        "DROP TRIGGER statements_no_update",
        "DROP TRIGGER statements_no_delete",
        "DROP TRIGGER ledger_moves_balances",
        "DROP VIEW account_keys",
    ] {
        sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {change}"))).execute(&mut *sqlite).await.unwrap();
        assert_ne!(of_sqlite(&mut sqlite, &mut postgres).await, unchanged, "{change}");
        sqlx::raw_sql("ROLLBACK").execute(&mut *sqlite).await.unwrap();
    }
    assert_eq!(of_sqlite(&mut sqlite, &mut postgres).await, unchanged);
}
