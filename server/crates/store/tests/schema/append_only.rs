//! What is written about money and about people's actions is never changed or removed, not even by hand.

use sqlx::AssertSqlSafe;
use store::Db;

use super::execute;

/// Each with a column.
const TABLES: [(&str, &str); 11] = [
    ("audit", "seq"),
    ("charges", "id"),
    ("foreign_statement_lines", "line"),
    ("ledger_transfers", "id"),
    ("meter_consumption", "id"),
    ("payment_events", "id"),
    ("price_versions", "id"),
    ("settlement_receipts", "id"),
    ("settlement_statements", "id"),
    ("statement_lines", "line"),
    ("statements", "id"),
];

/// A row in each of them, and in what they refer to; `$1` is the id of everything.
pub const ROWS: &str = "
    INSERT INTO places (id, kind, name, sort) VALUES ($1, 'room', 'a', 1);
    INSERT INTO gateways (id, name, host, port, created_at) VALUES ($1, 'a', 'localhost', 502, 1);
    INSERT INTO meters (id, place_id, gateway_id, unit, serial, profile, created_at) VALUES ($1, $1, $1, 1, 'a', 'rpp', 1);
    INSERT INTO users (id, role, login, name, password_hash, created_at) VALUES ($1, 'admin', 'a', 'a', 'a', 1);
    INSERT INTO accounts (id, number, place_id, state, opened_at) VALUES ($1, '0000000000000001', $1, 'open', 1);
    INSERT INTO price_plans (id, name, created_at) VALUES ($1, 'a', 1);
    INSERT INTO settlement_days (channel, day, tried_at) VALUES ('alipay', 1, 1);

    INSERT INTO audit (seq, at, actor, ip, action, subject, detail, hash) VALUES (1, 1, 'a', 'a', 'a', 'a', 'a', 'a');
    INSERT INTO statements (id, channel, day, from_at, to_at, digest, imported_at) VALUES ($1, 'alipay', 1, 1, 2, 'a', 2);
    INSERT INTO statement_lines (statement_id, line, kind, out_trade_no, trade_no, amount_fen, fee_e4, at)
    VALUES ($1, 1, 'paid', 'a', 'a', 1, 1, 1);
    INSERT INTO charges (id, meter_id, account_id, from_at, at, wh, amount_e4, lines) VALUES ($1, $1, $1, 1, 2, 1, 1, '[]');
    INSERT INTO ledger_transfers (id, operation, reference, debit, credit, amount_e4, at) VALUES ($1, 'a', $1, 'a', 'b', 1, 1);
    INSERT INTO meter_consumption (id, meter_id, account_id, epoch, at, amount_fen) VALUES ($1, $1, $1, 1, 1, 1);
    INSERT INTO payment_events (id, channel, trade_no, kind, refund_no, refund_total_fen, source, amount_fen, digest, outcome,
                                received_at)
    VALUES ($1, 'alipay', 'a', 'paid', '', 0, 'query', 1, 'a', 'a', 1);
    INSERT INTO price_versions (id, plan_id, number, effective_at, prices, published_at) VALUES ($1, $1, 1, 1, '{}', 1);
    INSERT INTO foreign_statement_lines (statement_id, line, kind, out_trade_no, trade_no, amount_fen, at)
    VALUES ($1, 1, 'paid', 'a', 'a', 1, 1);
    INSERT INTO settlement_statements (id, channel, day, statement_id, fee_e4, at) VALUES ($1, 'alipay', 1, $1, 1, 1);
    INSERT INTO settlement_receipts (id, key, channel, day, amount_fen, noted_by, noted_at)
    VALUES ($1, $1, 'alipay', 1, 1, $1, 1);
";

async fn refuses(db: &Db, table: &str, statement: String) {
    let error = execute(db, statement.clone()).await.unwrap_err().to_string();
    assert!(error.contains("is append-only"), "{statement}: {error}");
    let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    let count: i64 = match db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(count).fetch_one(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(count).fetch_one(pool).await.unwrap(),
    };
    assert_eq!(count, 1, "{statement}");
}

#[tokio::test]
async fn sqlite_refuses_update_and_delete() {
    let db = super::sqlite().await;
    execute(&db, ROWS.replace("$1", "x'00000000000000000000000000000001'")).await.unwrap();
    for (table, column) in TABLES {
        refuses(&db, table, format!("UPDATE {table} SET {column} = {column}")).await;
        refuses(&db, table, format!("DELETE FROM {table}")).await;
    }
}

#[tokio::test]
async fn postgres_refuses_update_delete_and_truncate() {
    let db = super::postgres().await;
    execute(&db, ROWS.replace("$1", "'00000000-0000-0000-0000-000000000001'")).await.unwrap();
    for (table, column) in TABLES {
        refuses(&db, table, format!("UPDATE {table} SET {column} = {column}")).await;
        refuses(&db, table, format!("DELETE FROM {table}")).await;
        refuses(&db, table, format!("TRUNCATE {table} CASCADE")).await;
    }
}

#[tokio::test]
async fn the_tables_above_are_all_that_are_guarded() {
    let Db::Sqlite { read, .. } = super::sqlite().await else { unreachable!() };
    let guarded: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT tbl_name FROM sqlite_schema WHERE type = 'trigger' AND sql LIKE '%RAISE(ABORT%' ORDER BY tbl_name",
    )
    .fetch_all(&read)
    .await
    .unwrap();
    assert_eq!(guarded, TABLES.map(|(table, _)| table));
}
