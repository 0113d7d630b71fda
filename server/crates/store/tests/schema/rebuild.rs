//! How a migration changes a table of SQLite in a way that ALTER TABLE cannot: it drops the table and creates it again inside the
//! transaction. The table's indexes and triggers must be created again too; `same_schema` notices what was forgotten.

use store::Db;

use super::append_only::ROWS;
use super::execute;

#[tokio::test]
async fn sqlite_rebuilds_a_table_that_others_refer_to() {
    let db = super::sqlite().await;
    execute(&db, ROWS.replace("$1", "x'01'")).await.unwrap();
    let Db::Sqlite { write, .. } = &db else { unreachable!() };
    let table: String =
        sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE name = 'accounts'").fetch_one(write).await.unwrap();
    let changed = table.replace("'closed'", "'closed', 'suspended'");
    assert_ne!(changed, table);

    // Without deferred foreign keys DROP TABLE fails: other rows refer to the accounts.
    let rebuild = format!(
        "BEGIN IMMEDIATE;
         PRAGMA defer_foreign_keys = ON;
         CREATE TEMP TABLE copy AS SELECT * FROM accounts;
         DROP TABLE accounts;
         {changed};
         INSERT INTO accounts SELECT * FROM copy;
         DROP TABLE copy;
         CREATE UNIQUE INDEX accounts_place ON accounts (place_id) WHERE closed_at IS NULL;
         COMMIT"
    );
    execute(&db, rebuild).await.unwrap();

    let broken: Vec<(String,)> = sqlx::query_as("PRAGMA foreign_key_check").fetch_all(write).await.unwrap();
    assert_eq!(broken, []);
    let accounts: Vec<String> = sqlx::query_scalar("SELECT number FROM account_keys").fetch_all(write).await.unwrap();
    assert_eq!(accounts, ["0000000000000001"]);
    execute(&db, "UPDATE accounts SET state = 'suspended'".into()).await.unwrap();
    assert!(execute(&db, "DELETE FROM accounts".into()).await.is_err(), "charges refer to it");
}
