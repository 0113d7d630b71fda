//! `verify` notices an edit by hand of each column, unless it is named here with the reason why not.

use std::collections::BTreeSet;

use model::audit::AuditAction;
use model::time::Timestamp;
use sqlx::AssertSqlSafe;
use store::{Db, Tx, audit, seal};
use verify::{Difference, Rule, verify_within};

use super::execute;
use super::unsealed::EXCEPTIONS;

/// A row in each table; `$1` is the id of everything.
const ROWS: &str = "
    INSERT INTO places (id, kind, name, sort) VALUES ($1, 'room', 'a', 1);
    INSERT INTO place_groups (id, name, created_at) VALUES ($1, 'a', 1);
    INSERT INTO place_group_members (group_id, place_id) VALUES ($1, $1);
    INSERT INTO place_defaults (place_id, alarm1_fen) VALUES ($1, 1);
    INSERT INTO group_defaults (group_id, alarm1_fen) VALUES ($1, 1);
    INSERT INTO friendly_hours (id, place_id, night_from, night_until, weekends, holidays, examinations, overdraft_fen,
        emergency_fen, period) VALUES ($1, $1, 1380, 420, TRUE, TRUE, '[]', 0, 0, 'month');
    INSERT INTO calendar_days (day, kind, name) VALUES (1, 'day_off', 'a');
    INSERT INTO gateways (id, name, host, port, created_at) VALUES ($1, 'a', 'localhost', 502, 1);
    INSERT INTO meters (id, place_id, gateway_id, unit, serial, profile, created_at) VALUES ($1, $1, $1, 1, 'a', 'rpp', 1);
    INSERT INTO instruments (id, place_id, gateway_id, unit, number, name, profile, pt_ratio, interval_s, created_at)
    VALUES ($1, $1, $1, 2, 'a', 'a', 'energy-u32', 1, 900, 1);
    INSERT INTO circuits (id, instrument_id, position, name, ct_ratio) VALUES ($1, $1, 1, 'a', 1);
    INSERT INTO instrument_state (instrument_id, read_at) VALUES ($1, 1);
    INSERT INTO circuit_readings (circuit_id, at, quality, counter_wh, ratio, energy_wh) VALUES ($1, 1, 0, 1, 1, 0);
    INSERT INTO users (id, role, login, name, password_hash, created_at) VALUES ($1, 'admin', 'a', 'a', 'a', 1);
    INSERT INTO roles (id, name, created_at) VALUES ($1, 'a', 1);
    INSERT INTO role_permissions (role_id, permission) VALUES ($1, 'watch');
    INSERT INTO invitations (code_hash, kind, user_id, created_at, expires_at) VALUES ($1, 'invite', $1, 1, 2);
    INSERT INTO second_factors (user_id, secret, created_at) SELECT id, $B, 1 FROM users;
    INSERT INTO recovery_codes (user_id, code_hash) SELECT id, $B FROM users;
    INSERT INTO operator_buildings (user_id, place_id) VALUES ($1, $1);
    INSERT INTO accounts (id, number, place_id, state, opened_at) VALUES ($1, '0000000000000001', $1, 'open', 1);
    INSERT INTO account_meters (account_id, meter_id, epoch, count, cumulative_fen, from_at) VALUES ($1, $1, 1, 1, 100, 1);
    INSERT INTO account_residents (account_id, user_id, from_at) VALUES ($1, $1, 1);
    INSERT INTO meter_overdrafts (meter_id, before_fen, before_at, base_fen, limit_fen, since) VALUES ($1, 0, 1, 0, 1, 1);
    INSERT INTO emergency_credits (id, account_id, meter_id, period_from, amount_fen, taken_by, taken_at)
    VALUES ($1, $1, $1, 1, 1, $1, 1);
    INSERT INTO meter_acceptances (meter_id, accepted_by, accepted_at, comment) VALUES ($1, $1, 1, 'a');
    INSERT INTO meter_latest (meter_id, observed_at, status, remaining_fen, cumulative_fen, count, epoch, total_wh, reverse_wh)
    VALUES ($1, 91000000, 1, 1, 100, 1, 1, 107, 1);
    UPDATE meter_latest SET power_w = 1, voltage_dv = 1, current_ca = 1, power_factor = 1;
    INSERT INTO meter_journal (meter_id, at, sequence, kind, cause, amount_fen, read_at) VALUES ($1, 1, 1, 'credit', 0, 100, 1);
    INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen) VALUES ($1, 0, 0, 0, 0, 100, 1);
    INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen, sequence)
    VALUES ($1, 90000000, 0, 0, 0, 100, 1, 1), ($1, 90500000, 0, 0, 0, 103, 1, 2);
    INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen, reverse_wh, power_w, voltage_dv,
        current_ca, power_factor, sequence) VALUES ($1, 91000000, 0, 0, 1, 107, 1, 1, 1, 1, 1, 1, 3);
    INSERT INTO events (id, kind, meter_id, since, detail) VALUES ($1, 'meter-lost', $1, 1, '{}');
    INSERT INTO meter_parameters (meter_id, version, read_at, parameters) VALUES ($1, 1, 1, '{}');
    INSERT INTO energy_hourly (meter_id, hour, wh) VALUES ($1, -3, 5);
    INSERT INTO energy_daily (meter_id, day, wh) VALUES ($1, 0, 5);
    INSERT INTO energy_hourly (meter_id, hour, wh) VALUES ($1, 25, 7);
    INSERT INTO energy_daily (meter_id, day, wh) VALUES ($1, 1, 7);
    INSERT INTO place_energy_daily (place_id, day, wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh)
    VALUES ($1, 0, 5, 0, 0, 0, 0, 0);
    INSERT INTO place_energy_monthly (place_id, month, wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh)
    VALUES ($1, 23640, 5, 0, 0, 0, 0, 0);
    UPDATE place_energy_state SET rolled_at = 8640000000, rolled_changes = changes;
    INSERT INTO price_plans (id, name, created_at) VALUES ($1, 'a', 1);
    INSERT INTO price_versions (id, plan_id, number, effective_at, prices, published_at) VALUES ($1, $1, 1, 1, '{}', 1);
    INSERT INTO price_places (place_id, plan_id, from_at) VALUES ($1, $1, 1);
    INSERT INTO price_groups (group_id, plan_id, from_at) VALUES ($1, $1, 1);
    INSERT INTO wallets (meter_id, changed_at) VALUES ($1, 1);
    INSERT INTO charges (id, meter_id, account_id, from_at, at, wh, amount_e4, lines) VALUES ($1, $1, $1, 1, 2, 1, 1, '[]');
    INSERT INTO charge_days (account_id, meter_id, day, version_id, rate, tier, price_e4, wh, cost_e7)
    VALUES ($1, $1, 1, $1, 1, 1, 1, 1, 1);
    INSERT INTO uncharged (meter_id, account_id, from_at, at, wh, rates) VALUES ($1, $1, 1, 2, 1, '[]');
    INSERT INTO shifts (id, operator_id, opened_at, float_fen) VALUES ($1, $1, 1, 0);
    INSERT INTO orders (id, number, key, account_id, meter_id, tender, amount_fen, state, created_by, created_at)
    VALUES ($1, 1, $1, $1, $1, 'cash', 100, 'pending', $1, 1);
    INSERT INTO payment_attempts
      (id, order_id, channel, out_trade_no, amount_fen, app_id, seller_id, state, created_at, expires_at,
        next_query_at) VALUES ($1, $1, 'alipay', 'a', 100, 'a', 'a', 'pending', 1, 2, 1);
    INSERT INTO payment_events
      (id, channel, trade_no, kind, source, attempt_id, amount_fen, digest, outcome, received_at, refund_no,
        refund_total_fen) VALUES ($1, 'alipay', 'a', 'paid', 'query', $1, 1, 'a', 'a', 1, '', 0);
    INSERT INTO subsidy_rules (place_id, from_month, per, amount_fen, decided_by, decided_at) VALUES ($1, 1, 'room', 1, $1, 1);
    INSERT INTO subsidies (place_id, month, account_id, heads, amount_fen, order_id) VALUES ($1, 1, $1, 1, 100, $1);
    INSERT INTO batches (id, kind, issue, decided_by, decided_at) VALUES ($1, 'a', '{}', $1, 1);
    INSERT INTO commands (id, meter_id, account_id, order_id, kind, args, money, priority, state, next_at, decided_at)
    VALUES ($1, $1, $1, $1, 'credit', '{}', TRUE, 1, 'queued', 1, 1);
    INSERT INTO cases (id, kind, meter_id, detail, opened_at, due_at, closed_at) VALUES ($1, 'reading', $1, '{}', 1, 2, 1);
    INSERT INTO case_notes (id, case_id, at, by_user, kind, comment) VALUES ($1, $1, 1, $1, 'comment', 'a');
    INSERT INTO approval_requests
      (id, kind, subject, args, basis, amount_fen, reason, state, asked_by, asked_at, expires_at)
    VALUES ($1, 'adjustment', 'a', '{}', '{}', 100, 'a', 'waiting', $1, 1, 2);
    INSERT INTO counter_decisions (case_id, meter_id, at, choice, energy_wh, decided_at) VALUES ($1, $1, 1, 'accept', 1, 1);
    INSERT INTO returns (id, number, key, kind, account_id, meter_id, tender, amount_fen, reason, state, asked_by, asked_at)
    VALUES ($1, 1, $1, 'return', $1, $1, 'cash', 100, 'a', 'waiting', $1, 1);
    INSERT INTO account_closures (id, key, kind, account_id, reason, begun_by, begun_at) VALUES ($1, $1, 'close', $1, 'a', $1, 1);
    INSERT INTO account_closure_meters (id, closure_id, meter_id) VALUES ($1, $1, $1);
    INSERT INTO account_batches (id, kind, reason, decided_by, ip, decided_at) VALUES ($1, 'open', 'a', $1, 'a', 1);
    INSERT INTO account_batch_rooms (id, batch_id, place_id, amount_fen) VALUES ($1, $1, $1, 1);
    INSERT INTO refunds (id, number, refund_no, key, event_id, attempt_id, order_id, source, tender, amount_fen, reason, state,
        asked_at) VALUES ($1, 1, 'a', $1, $1, $1, $1, 'order', 'alipay', 100, 'a', 'waiting', 1);
    INSERT INTO receipt_numbers (series, year, last) VALUES ('cash_desk', 2026, 1);
    INSERT INTO receipts (series, year, number, order_id, issued_by, issued_at) VALUES ('cash_desk', 2026, 1, $1, $1, 1);
    INSERT INTO receipt_templates (paper, language, template, changed_by, changed_at) VALUES ('a5', 'en', 'a', $1, 1);
    INSERT INTO receipt_logo (one, png, changed_by, changed_at) VALUES (1, $B, $1, 1);
    INSERT INTO printers (id, name, host, port, added_at) VALUES ($1, 'a', 'localhost', 9100, 1);
    INSERT INTO print_jobs (id, key, printer_id, series, year, number, print, language, state, next_at, asked_by, asked_at)
    VALUES ($1, $1, $1, 'cash_desk', 2026, 1, 1, 'en', 'queued', 1, $1, 1);
    INSERT INTO invoice_settings (one, seller, tax_number, bank, bank_account, item, tax_code, rate, changed_by, changed_at)
    VALUES (1, 'a', 'a', 'a', 'a', 'a', 'a', 1300, $1, 1);
    INSERT INTO invoice_buyers (account_id, name, changed_by, changed_at) VALUES ($1, 'a', $1, 1);
    INSERT INTO invoice_batches (id, number, key, from_day, until_day, seller, tax_number, bank, bank_account, item, tax_code,
        row_count, blue_fen, red_fen, made_by, made_at)
    VALUES ($1, 1, $1, 1, 1, 'a', 'a', 'a', 'a', 'a', 'a', 1, 100, 0, $1, 1);
    INSERT INTO invoice_manual_reversals (series, year, number, decided_by, decided_at) VALUES ('cash_desk', 2026, 1, $1, 1);
    INSERT INTO invoice_rows (id, batch_id, line, kind, series, year, number, account_id, buyer, rate, net_fen, tax_fen)
    VALUES ($1, $1, 1, 'blue', 'cash_desk', 2026, 1, $1, 'a', 1300, 88, 12);
    INSERT INTO settlement_days (channel, day, tried_at) VALUES ('alipay', 1, 1);
    INSERT INTO statements (id, channel, day, from_at, to_at, digest, imported_at) VALUES ($1, 'alipay', 1, 1, 2, 'a', 2);
    INSERT INTO statement_lines (statement_id, line, kind, out_trade_no, trade_no, amount_fen, fee_e4, at)
    VALUES ($1, 1, 'paid', 'a', 'a', 1, 1, 1);
    INSERT INTO foreign_statement_lines (statement_id, line, kind, out_trade_no, trade_no, amount_fen, at)
    VALUES ($1, 1, 'paid', 'a', 'a', 1, 1);
    INSERT INTO settlement_statements (id, channel, day, statement_id, fee_e4, at) VALUES ($1, 'alipay', 1, $1, 1, 1);
    INSERT INTO settlement_receipts (id, key, channel, day, amount_fen, noted_by, noted_at)
    VALUES ($1, $1, 'alipay', 1, 1, $1, 1);
    INSERT INTO settlement_differences
      (id, channel, day, class, kind, out_trade_no, trade_no, refund_no, gap_fen, reason, found_at)
    VALUES ($1, 'alipay', 1, 'amount', 'paid', 'a', 'a', 'a', 1, 'a', 1);
    INSERT INTO ledger_transfers (id, operation, reference, debit, credit, amount_e4, at)
    VALUES ($1, 'payment', $1, 'cash', 'paid:a', 10000, 1);
    INSERT INTO meter_consumption (id, meter_id, account_id, epoch, at, amount_fen) VALUES ($1, $1, $1, 1, 1, 1);
";

const COLUMNS_OF_SQLITE: &str = "SELECT m.name, c.name, LOWER(c.type) FROM sqlite_schema m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid";
const COLUMNS_OF_POSTGRES: &str = "SELECT c.relname::TEXT, a.attname::TEXT, format_type(a.atttypid, NULL)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum";

type Columns = Vec<(String, String, String)>;

/// Another value of a column, for whatever is in it.
fn edit(column: &str, kind: &str) -> String {
    match kind {
        "bigint" => format!("COALESCE(\"{column}\", 0) + 2"),
        "text" => format!("COALESCE(\"{column}\", '') || 'x'"),
        "boolean" => format!("NOT COALESCE(\"{column}\", FALSE)"),
        "uuid" => "'00000000-0000-0000-0000-000000000009'".to_owned(),
        "blob" => "x'00000000000000000000000000000009'".to_owned(),
        "bytea" => "'\\x00000000000000000000000000000009'".to_owned(),
        other => panic!("no edit for a column of type {other}"),
    }
}

fn is_exception(table: &str, column: &str) -> bool {
    EXCEPTIONS.iter().any(|(name, columns, _)| *name == table && (columns.is_empty() || columns.contains(&column)))
}

async fn fill(db: &Db) {
    let mut tx = db.begin().await.unwrap();
    let (id, bytes) = match db {
        Db::Sqlite { .. } => ("x'00000000000000000000000000000001'", "x'01'"),
        Db::Postgres { .. } => ("'00000000-0000-0000-0000-000000000001'", "'\\x01'::bytea"),
    };
    run(&mut tx, &ROWS.replace("$1", id).replace("$B", bytes)).await;
    let entry = audit::Entry { actor: "a", ip: "a", action: AuditAction::SiteImport, subject: "a", detail: "a" };
    audit::append(&mut tx, Timestamp(1), &entry).await.unwrap();
    tx.commit().await.unwrap();
}

async fn run(tx: &mut Tx, statement: &str) {
    let sql = AssertSqlSafe(statement.to_owned());
    match tx {
        Tx::Sqlite(c) => drop(sqlx::raw_sql(sql).execute(&mut **c).await.expect(statement)),
        Tx::Postgres(c) => drop(sqlx::raw_sql(sql).execute(&mut **c).await.expect(statement)),
    }
}

/// What `verify` says after a statement that is then undone.
async fn differences_after(db: &Db, statement: &str) -> Vec<Difference> {
    let mut tx = db.begin().await.unwrap();
    run(&mut tx, statement).await;
    verify_within(&mut tx).await.unwrap_or_else(|error| panic!("{statement}: {error:?}")).differences
}

/// The tables of which `verify` says, after statements that are then undone, that rows do not fit their seals.
async fn unsealed_after(db: &Db, statements: &str) -> BTreeSet<String> {
    let found = differences_after(db, statements).await;
    let table = |one: Difference| one.subject.split(' ').next().unwrap().to_owned();
    found.into_iter().filter(|one| one.rule == Rule::SealedRow).map(table).collect()
}

/// A row's seal depends on nothing but the row. So one column of every sealed table is edited at a time: six hundred
/// verifications, one for each column, took two minutes.
async fn each_edit_breaks_a_seal(db: &Db, columns: &Columns) {
    assert_eq!(unsealed_after(db, "SELECT 1").await, BTreeSet::new());
    let of = |table: &str| columns.iter().filter(|(name, ..)| name == table).collect::<Vec<_>>();
    let sealed: Vec<_> = seal::TABLES.into_iter().map(of).collect();
    let mut unnoticed = Vec::new();
    for n in 0..sealed.iter().map(Vec::len).max().unwrap() {
        let edited: Vec<_> = sealed.iter().filter_map(|columns| columns.get(n)).collect();
        let update = |(table, column, kind): &(String, String, String)| {
            format!("UPDATE {table} SET \"{column}\" = {};", edit(column, kind))
        };
        let found = unsealed_after(db, &edited.iter().map(|column| update(column)).collect::<String>()).await;
        let missed = edited.iter().filter(|(table, ..)| !found.contains(table));
        unnoticed.extend(missed.map(|(table, column, _)| format!("{table}.{column}")));
    }
    let found = unsealed_after(db, &seal::TABLES.map(|table| format!("DELETE FROM {table};")).concat()).await;
    unnoticed.extend(seal::TABLES.into_iter().filter(|table| !found.contains(*table)).map(|table| format!("all of {table}")));
    assert_eq!(unnoticed, [""; 0]);
}

async fn each_edit_is_noticed(db: &Db, columns: &Columns) {
    each_edit_breaks_a_seal(db, columns).await;
    let before = differences_after(db, "SELECT 1").await;
    let mut unnoticed = Vec::new();
    let is_compared = |table: &str, column: &str| !seal::TABLES.contains(&table) && !is_exception(table, column);
    for (table, column, kind) in columns.iter().filter(|(table, column, _)| is_compared(table, column)) {
        let statement = match (table.as_str(), column.as_str()) {
            // The newest of several, and by more than its hour.
            ("readings", "at") => "UPDATE readings SET at = at + 7200000 WHERE at > 90500000".to_owned(),
            ("readings", _) => format!("UPDATE readings SET \"{column}\" = {} WHERE at > 90500000", edit(column, kind)),
            _ => format!("UPDATE {table} SET \"{column}\" = {}", edit(column, kind)),
        };
        if differences_after(db, &statement).await == before {
            unnoticed.push(format!("{table}.{column}"));
        }
    }
    let tables: BTreeSet<&str> = columns.iter().map(|(table, ..)| table.as_str()).collect();
    for table in tables.into_iter().filter(|table| is_compared(table, "") && !is_exception(table, "meter_id")) {
        if differences_after(db, &format!("DELETE FROM {table}")).await == before {
            unnoticed.push(format!("all of {table}"));
        }
    }
    // Between two others of its hour: no energy changes.
    if differences_after(db, "DELETE FROM readings WHERE at = 90500000").await == before {
        unnoticed.push("one of readings".to_owned());
    }
    assert_eq!(unnoticed, [""; 0]);
}

#[tokio::test]
async fn an_edit_of_any_column_of_sqlite_is_noticed() {
    let db = super::sqlite().await;
    fill(&db).await;
    let Db::Sqlite { read, .. } = &db else { unreachable!() };
    // Whoever edits by hand can switch all of these off.
    let guards: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetch_all(read).await.unwrap();
    let columns: Columns = sqlx::query_as(COLUMNS_OF_SQLITE).fetch_all(read).await.unwrap();
    let drops: String = guards.iter().map(|name| format!("DROP TRIGGER {name};")).collect();
    execute(&db, format!("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {drops}")).await.unwrap();
    each_edit_is_noticed(&db, &columns).await;
}

#[tokio::test]
async fn an_edit_of_any_column_of_postgres_is_noticed() {
    let db = super::postgres().await;
    fill(&db).await;
    let Db::Postgres { pool, .. } = &db else { unreachable!() };
    let drops: Vec<String> = sqlx::query_scalar(
        "SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', c.relname, k.conname) FROM pg_constraint k JOIN pg_class c
             ON c.oid = k.conrelid WHERE k.contype IN ('c', 'f') AND c.relnamespace = current_schema()::regnamespace
         UNION ALL SELECT format('DROP TRIGGER %I ON %I', t.tgname, c.relname)
         FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
             WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let columns: Columns = sqlx::query_as(COLUMNS_OF_POSTGRES).fetch_all(pool).await.unwrap();
    execute(&db, drops.join(";")).await.unwrap();
    each_edit_is_noticed(&db, &columns).await;
}

#[tokio::test]
async fn every_table_is_sealed_or_an_exception() {
    let Db::Sqlite { read, .. } = super::sqlite().await else { unreachable!() };
    let columns: Columns = sqlx::query_as(COLUMNS_OF_SQLITE).fetch_all(&read).await.unwrap();
    let tables: BTreeSet<&str> = columns.iter().map(|(table, ..)| table.as_str()).collect();
    // Recomputed from transfers; chained; the seals themselves; and what each edit test covers by its readings.
    let proved = ["ledger_balances", "audit", "audit_head", "seals", "energy_hourly"];
    let named = |table: &&str| {
        seal::TABLES.contains(table) || proved.contains(table) || EXCEPTIONS.iter().any(|(name, ..)| name == table)
    };
    assert_eq!(tables.iter().filter(|table| !named(table)).collect::<Vec<_>>(), [""; 0].iter().collect::<Vec<_>>());
    assert!(seal::TABLES.iter().all(|table| tables.contains(table)));
    assert!(EXCEPTIONS.iter().all(|(.., reason)| !reason.is_empty()));
}

#[tokio::test]
async fn postgres_notes_changes_of_the_sealed_tables() {
    let Db::Postgres { pool, .. } = super::postgres().await else { unreachable!() };
    let noted: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::TEXT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgfoid = 'note_change'::regproc
         ORDER BY 1",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(noted, seal::TABLES);
}

#[tokio::test]
async fn a_hand_edit_is_not_sealed_by_a_later_commit() {
    for db in [super::sqlite().await, super::postgres().await] {
        fill(&db).await;
        let before = differences_after(&db, "SELECT 1").await;
        // By hand, then the server changes the same row.
        execute(&db, "UPDATE shifts SET float_fen = 7".to_owned()).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        run(&mut tx, "UPDATE shifts SET opened_at = 2").await;
        tx.commit().await.unwrap();
        let found = differences_after(&db, "SELECT 1").await;
        assert!(found.iter().any(|one| one.subject.starts_with("shifts ")), "{found:?}");
        assert_ne!(found, before);
    }
}

#[tokio::test]
async fn rows_put_back_with_their_old_seals_are_noticed() {
    for db in [super::sqlite().await, super::postgres().await] {
        fill(&db).await;
        let before = differences_after(&db, "SELECT 1").await;
        let gone =
            differences_after(&db, "DELETE FROM counter_decisions; DELETE FROM seals WHERE tbl = 'counter_decisions'").await;
        assert_ne!(gone, before, "a row that is removed with its seal");
    }
}

#[tokio::test]
async fn a_day_before_the_first_reading_is_compared() {
    for db in [super::sqlite().await, super::postgres().await] {
        fill(&db).await;
        let before = differences_after(&db, "SELECT 1").await;
        for edit in ["UPDATE energy_daily SET wh = 6 WHERE day = 0", "DELETE FROM energy_daily WHERE day = 0"] {
            assert_eq!(differences_after(&db, edit).await.len(), before.len() + 1, "{edit}");
        }
    }
}
