//! The schema against the migrations: triggers that keep tables append-only can be dropped or switched off.

use std::collections::BTreeMap;

use sqlx::migrate::Migrator;
use sqlx::{Connection, FromRow, SqliteConnection};

use super::{Difference, Report, Rule};
use crate::{Result, Tx};
use store::{POSTGRES, SQLITE};

pub(super) async fn verify(tx: &mut Tx, report: &mut Report) -> Result<()> {
    let (expected, found) = match tx {
        Tx::Sqlite(connection) => {
            let mut fresh = SqliteConnection::connect("sqlite::memory:").await?;
            SQLITE.run_direct(None, &mut fresh, false).await?;
            let expected = sqlite_schema(&mut fresh).await?;
            fresh.close().await?;
            (expected, sqlite_schema(connection).await?)
        }
        Tx::Postgres(connection) => {
            let rows: Vec<SchemaRow> = sqlx::query_as(POSTGRES_TRIGGERS).fetch_all(&mut **connection).await?;
            (postgres_triggers(&POSTGRES), rows.into_iter().map(|row| (row.name, row.text)).collect())
        }
    };
    report.differences.extend(compare(&expected, &found));
    Ok(())
}

/// Each thing by its name, with its text.
type Schema = BTreeMap<String, String>;

fn compare(expected: &Schema, found: &Schema) -> Vec<Difference> {
    let missing = expected.iter().filter_map(|(name, text)| match found.get(name) {
        None => Some(Difference::words(Rule::Schema, name, "present", "missing")),
        Some(found) if found != text => Some(Difference::words(Rule::Schema, name, "as in the migrations", "changed")),
        Some(_) => None,
    });
    let added = found.keys().filter(|name| !expected.contains_key(*name));
    missing.chain(added.map(|name| Difference::words(Rule::Schema, name, "not there", "added"))).collect()
}

#[derive(FromRow)]
struct SchemaRow {
    name: String,
    text: String,
}

async fn sqlite_schema(connection: &mut SqliteConnection) -> Result<Schema> {
    let rows: Vec<SchemaRow> = sqlx::query_as(
        r"SELECT type || ' ' || name AS name, sql AS text FROM main.sqlite_schema
          WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '\_sqlx%' ESCAPE '\'",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.text)).collect())
}

/// Every trigger that is switched on, with its function's body.
const POSTGRES_TRIGGERS: &str = r"
    SELECT 'trigger ' || t.tgname || ' on ' || c.relname AS name, p.proname || ': ' || p.prosrc AS text
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal AND t.tgenabled = 'O'";

/// The triggers that the migrations create, as [`POSTGRES_TRIGGERS`] gives them.
fn postgres_triggers(migrator: &Migrator) -> Schema {
    let (mut functions, mut triggers) = (BTreeMap::new(), BTreeMap::new());
    for migration in migrator.iter() {
        for text in migration.sql.as_str().split("CREATE FUNCTION ").skip(1) {
            let name = text.split('(').next().unwrap_or_default();
            let body = text.split("$$").nth(1).unwrap_or_default();
            functions.insert(name.to_owned(), body.to_owned());
        }
        for text in migration.sql.as_str().split("CREATE TRIGGER ").skip(1) {
            let after =
                |word: &str| text.split(word).nth(1).unwrap_or_default().split([' ', '\n', '(', ';']).next().unwrap_or_default();
            let (name, table, function) = (text.split(' ').next().unwrap_or_default(), after(" ON "), after("EXECUTE FUNCTION "));
            triggers.insert(format!("trigger {name} on {table}"), function.to_owned());
        }
    }
    let body = |function: &String| functions.get(function).cloned().unwrap_or_default();
    triggers.into_iter().map(|(name, function)| (name, format!("{function}: {}", body(&function)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_read_from_the_migrations() {
        let triggers = postgres_triggers(&POSTGRES);
        let text = triggers.get("trigger audit_append_only on audit").unwrap();
        assert!(text.starts_with("append_only: ") && text.contains("is append-only"), "{text}");
        assert!(triggers.get("trigger orders_noted on orders").unwrap().starts_with("note_change: "));
        assert!(triggers.get("trigger audit_no_truncate on audit").unwrap().starts_with("append_only: "));
    }

    #[test]
    fn missing_changed_and_added_are_told_apart() {
        let schema = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
        let found = compare(&schema(&[("a", "1"), ("b", "1"), ("c", "1")]), &schema(&[("a", "1"), ("b", "2"), ("d", "1")]));
        let subjects: Vec<_> = found.iter().map(|one| one.subject.as_str()).collect();
        assert_eq!(subjects, ["b", "c", "d"]);
    }
}
