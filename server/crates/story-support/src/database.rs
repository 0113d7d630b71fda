//! New databases for tests: copies of one that is migrated once per process.

use std::path::Path;

use domain::rng::Rng;
use model::time::Timestamp;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::Db;
use tokio::sync::OnceCell;

/// The URL of a new SQLite database in `directory`.
pub async fn sqlite(directory: &Path) -> String {
    static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
    let template = TEMPLATE
        .get_or_init(|| async {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("template.db");
            Db::open(&url(&file)).await.unwrap().close().await;
            assert!(!directory.path().join("template.db-wal").exists(), "a part of the template is in the log only");
            std::fs::read(file).unwrap()
        })
        .await;
    let file = directory.join("test.db");
    if std::env::var_os("DORMWATT_NO_TEMPLATE").is_none() {
        std::fs::write(&file, template).unwrap();
    }
    url(&file)
}

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// The URL of a new database on the server that `DORMWATT_TEST_POSTGRES` names; `make test` starts one and sets it.
pub async fn postgres() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    let server = std::env::var("DORMWATT_TEST_POSTGRES")
        .expect("DORMWATT_TEST_POSTGRES is not set: run `make test`, or name a server, e.g. postgres://postgres@127.0.0.1:5439");
    let template = TEMPLATE
        .get_or_init(|| async {
            let name = create(&server, "template1").await;
            // PostgreSQL copies only a database that nobody is connected to.
            Db::open(&format!("{server}/{name}")).await.unwrap().close().await;
            name
        })
        .await;
    let template = if std::env::var_os("DORMWATT_NO_TEMPLATE").is_none() { template } else { "template1" };
    format!("{server}/{}", create(&server, template).await)
}

/// Creates a database as a copy of another and gives its name.
async fn create(server: &str, template: &str) -> String {
    let name = format!("t{}", Rng::from_system().id(Timestamp(0)).simple());
    let mut connection = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    name
}
