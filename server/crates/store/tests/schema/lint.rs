//! What a migration must not contain. On PostgreSQL a site may be one schema among many, and the database may be sharded.

use std::collections::BTreeMap;
use std::path::Path;

use super::statements::statements;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Engine {
    Sqlite,
    Postgres,
}

const NO_PRIMARY_KEY: &str = "a table needs a primary key";
const NOT_IN_TRANSACTION: &str = "a migration runs in one transaction";
const WRITES_SCHEMA_TABLE: &str = "the schema table is not edited: rebuild the table (see rebuild.rs)";
const STATEMENT_TRIGGER: &str = "statement triggers do not fire on shards, except BEFORE TRUNCATE";
const SEARCH_PATH: &str = "a function needs SET search_path FROM CURRENT";
const CONSTRAINED_COLUMN: &str = "ADD COLUMN and a named ADD CONSTRAINT are two statements";
const NAMES_SCHEMA: &str = "the schema is the connection's";
const HIDDEN_STATEMENTS: &str = "statements are not hidden in a block";

fn lint(engine: Engine, sql: &str) -> Vec<&'static str> {
    let directive = sql.starts_with("-- no-transaction").then_some(NOT_IN_TRANSACTION);
    let statements = statements(sql);
    directive.into_iter().chain(statements.iter().flat_map(|statement| lint_statement(engine, statement))).collect()
}

fn lint_statement(engine: Engine, statement: &str) -> Vec<&'static str> {
    let words = words(statement);
    let has = |phrase: &str| words.contains(&format!(" {phrase} "));
    let starts = |phrases: &[&str]| phrases.iter().any(|phrase| words.starts_with(&format!(" {phrase} ")));
    let creates = |kind: &str| {
        let qualifiers = ["", "CREATE", "OR", "REPLACE", "CONSTRAINT", "TEMP"];
        starts(&["CREATE"]) && words.split(' ').find(|word| !qualifiers.contains(word)) == Some(kind)
    };
    let outside_transaction =
        starts(&["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ATTACH", "VACUUM", "REINDEX", "CLUSTER", "ALTER SYSTEM"])
            || (starts(&["PRAGMA"]) && !starts(&["PRAGMA DEFER_FOREIGN_KEYS"]));
    let rules = [
        (creates("TABLE") && !has("PRIMARY KEY") && !starts(&["CREATE TEMP"]), NO_PRIMARY_KEY),
        (outside_transaction || creates("DATABASE") || has("CONCURRENTLY"), NOT_IN_TRANSACTION),
        (has("WRITABLE_SCHEMA") || has("SQLITE_SCHEMA") || has("SQLITE_MASTER"), WRITES_SCHEMA_TABLE),
    ];
    let postgres_rules = [
        (creates("TRIGGER") && !has("FOR EACH ROW") && !has("BEFORE TRUNCATE ON"), STATEMENT_TRIGGER),
        ((creates("FUNCTION") || creates("PROCEDURE")) && !has("SET SEARCH_PATH FROM CURRENT"), SEARCH_PATH),
        (starts(&["ALTER TABLE"]) && adds_constrained_column(&words), CONSTRAINED_COLUMN),
        (starts(&["SET"]) || creates("SCHEMA") || has("PUBLIC"), NAMES_SCHEMA),
        (starts(&["DO"]), HIDDEN_STATEMENTS),
    ];
    let postgres_rules = postgres_rules.into_iter().filter(|_| engine == Engine::Postgres);
    rules.into_iter().chain(postgres_rules).filter_map(|(broken, complaint)| broken.then_some(complaint)).collect()
}

/// The words outside strings, in capitals, each between spaces.
fn words(statement: &str) -> String {
    let outside = statement.split('\'').step_by(2).collect::<Vec<_>>().join(" ").to_uppercase();
    let words = outside.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    format!(" {} ", words.collect::<Vec<_>>().join(" "))
}

/// COLUMN may be left out: whatever is added without a name for the constraint.
fn adds_constrained_column(words: &str) -> bool {
    let adds_column = words.split(" ADD ").skip(1).any(|added| !added.starts_with("CONSTRAINT "));
    let constraints = [" CONSTRAINT ", " CHECK ", " UNIQUE ", " REFERENCES ", " PRIMARY KEY "];
    adds_column && constraints.iter().any(|constraint| words.contains(constraint))
}

/// Text by file name.
fn migrations(engine: &str) -> BTreeMap<String, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read_to_string(file.path()).unwrap())).collect()
}

#[test]
fn migrations_follow_the_rules() {
    for (engine, directory) in [(Engine::Sqlite, "sqlite"), (Engine::Postgres, "postgres")] {
        for (name, sql) in migrations(directory) {
            for statement in statements(&sql) {
                assert_eq!(lint_statement(engine, &statement), [""; 0], "{directory}/{name}: {statement}");
            }
            assert_eq!(lint(engine, &sql), [""; 0], "{directory}/{name}");
        }
    }
}

#[test]
fn both_engines_have_files_of_the_same_names() {
    let (sqlite, postgres) = (migrations("sqlite"), migrations("postgres"));
    assert!(!sqlite.is_empty());
    assert!(sqlite.keys().eq(postgres.keys()), "{:?} {:?}", sqlite.keys(), postgres.keys());
}

#[test]
fn wrong_migrations_are_refused() {
    let both = [
        ("CREATE TABLE a (b BIGINT NOT NULL)", NO_PRIMARY_KEY),
        ("CREATE TABLE a (b TEXT DEFAULT 'primary key')", NO_PRIMARY_KEY),
        ("CREATE TABLE a AS SELECT 1", NO_PRIMARY_KEY),
        ("CREATE TABLE a (b BIGINT PRIMARY KEY); COMMIT; BEGIN", NOT_IN_TRANSACTION),
        ("PRAGMA foreign_keys = OFF", NOT_IN_TRANSACTION),
        ("VACUUM", NOT_IN_TRANSACTION),
        ("-- no-transaction\nALTER TABLE a ADD COLUMN b BIGINT", NOT_IN_TRANSACTION),
        ("PRAGMA writable_schema = ON", WRITES_SCHEMA_TABLE),
        ("UPDATE sqlite_schema SET sql = replace(sql, 'a', 'b')", WRITES_SCHEMA_TABLE),
    ];
    let postgres = [
        ("CREATE TRIGGER a BEFORE UPDATE ON b FOR EACH STATEMENT EXECUTE FUNCTION c()", STATEMENT_TRIGGER),
        ("CREATE TRIGGER a BEFORE UPDATE ON b EXECUTE FUNCTION c()", STATEMENT_TRIGGER),
        ("create or replace trigger a before delete or truncate on b for each statement execute function c()", STATEMENT_TRIGGER),
        ("CREATE FUNCTION a() RETURNS trigger LANGUAGE plpgsql AS $$ SET search_path FROM CURRENT $$", SEARCH_PATH),
        ("CREATE OR REPLACE FUNCTION a() RETURNS trigger LANGUAGE plpgsql SET search_path = b AS $$ $$", SEARCH_PATH),
        ("CREATE PROCEDURE a() LANGUAGE plpgsql AS $b$ $b$", SEARCH_PATH),
        ("ALTER TABLE a ADD COLUMN b BIGINT CHECK (b > 0)", CONSTRAINED_COLUMN),
        ("ALTER TABLE a ADD b BIGINT UNIQUE", CONSTRAINED_COLUMN),
        ("ALTER TABLE a ADD COLUMN b BIGINT CONSTRAINT c NOT NULL", CONSTRAINED_COLUMN),
        ("ALTER TABLE a ADD COLUMN b UUID, ADD COLUMN c UUID REFERENCES d (id)", CONSTRAINED_COLUMN),
        ("ALTER TABLE a ADD COLUMN b UUID, ADD CONSTRAINT c FOREIGN KEY (b) REFERENCES d (id)", CONSTRAINED_COLUMN),
        ("ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES d (id)", CONSTRAINED_COLUMN),
        ("CREATE UNIQUE INDEX CONCURRENTLY a ON b (c)", NOT_IN_TRANSACTION),
        ("DROP INDEX CONCURRENTLY a", NOT_IN_TRANSACTION),
        ("CREATE DATABASE a", NOT_IN_TRANSACTION),
        ("CREATE SCHEMA a", NAMES_SCHEMA),
        ("CREATE INDEX a ON public.b (c)", NAMES_SCHEMA),
        ("SET search_path = a", NAMES_SCHEMA),
        ("DO $$ BEGIN DROP TABLE a; END $$", HIDDEN_STATEMENTS),
    ];
    for (sql, complaint) in both {
        assert!(lint(Engine::Sqlite, sql).contains(&complaint), "SQLite takes {sql}");
    }
    for (sql, complaint) in both.into_iter().chain(postgres) {
        assert!(lint(Engine::Postgres, sql).contains(&complaint), "PostgreSQL takes {sql}");
    }
}

#[test]
fn right_migrations_are_taken() {
    let both = [
        "CREATE TABLE a (b BIGINT, c TEXT DEFAULT 'concurrently', PRIMARY KEY (b))",
        "-- VACUUM; CREATE TABLE a (b BIGINT)\nALTER TABLE a ADD COLUMN b BIGINT NOT NULL DEFAULT 0",
        "CREATE UNIQUE INDEX a ON b (c) WHERE d IS NULL",
    ];
    let sqlite = [
        "PRAGMA defer_foreign_keys = ON; CREATE TEMP TABLE a AS SELECT b FROM c",
        "ALTER TABLE a ADD COLUMN b BIGINT CHECK (b > 0)",
        "CREATE TRIGGER a BEFORE UPDATE ON b BEGIN SELECT RAISE(ABORT, 'b is append-only'); END",
    ];
    let postgres = [
        "ALTER TABLE a ADD COLUMN b BIGINT; ALTER TABLE a ADD CONSTRAINT a_b_check CHECK (b > 0)",
        "CREATE TRIGGER a BEFORE UPDATE OR DELETE ON b FOR EACH ROW EXECUTE FUNCTION c()",
        "CREATE TRIGGER a BEFORE TRUNCATE ON b FOR EACH STATEMENT EXECUTE FUNCTION c()",
        "CREATE FUNCTION a() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN COMMIT; END $$",
    ];
    for sql in both.into_iter().chain(sqlite) {
        assert_eq!(lint(Engine::Sqlite, sql), [""; 0], "{sql}");
    }
    for sql in both.into_iter().chain(postgres) {
        assert_eq!(lint(Engine::Postgres, sql), [""; 0], "{sql}");
    }
}
