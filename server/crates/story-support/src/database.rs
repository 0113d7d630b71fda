//! New databases for tests: copies of one that is migrated once per process, removed when their test is over.

use std::path::Path;
use std::sync::Mutex;

use domain::rng::Rng;
use model::time::Timestamp;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::Db;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// A new database, there until it is dropped.
pub enum TestDatabase {
    Sqlite { directory: TempDir },
    Postgres { server: String, name: String },
}

/// Databases on the server that are no longer needed. Dropping one takes a connection, which `Drop` cannot wait for: whoever
/// creates the next one does it. Otherwise a whole run would occupy 9 GB.
static FINISHED: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl TestDatabase {
    pub async fn sqlite() -> Self {
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
        let directory = tempfile::tempdir().unwrap();
        if std::env::var_os("DORMWATT_NO_TEMPLATE").is_none() {
            std::fs::write(directory.path().join("test.db"), template).unwrap();
        }
        Self::Sqlite { directory }
    }

    /// On the server that `DORMWATT_TEST_POSTGRES` names; `make test` starts one and sets it.
    pub async fn postgres() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let server = std::env::var("DORMWATT_TEST_POSTGRES").expect(
            "DORMWATT_TEST_POSTGRES is not set: run `make test`, or name a server, e.g. postgres://postgres@127.0.0.1:5439",
        );
        let template = TEMPLATE
            .get_or_init(|| async {
                let name = create(&server, "template1").await;
                // PostgreSQL copies only a database that nobody is connected to.
                Db::open(&format!("{server}/{name}")).await.unwrap().close().await;
                name
            })
            .await;
        let template = if std::env::var_os("DORMWATT_NO_TEMPLATE").is_none() { template } else { "template1" };
        let name = create(&server, template).await;
        Self::Postgres { server, name }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite { directory } => url(&directory.path().join("test.db")),
            Self::Postgres { server, name } => format!("{server}/{name}"),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Self::Postgres { name, .. } = self {
            FINISHED.lock().unwrap().push(std::mem::take(name));
        }
    }
}

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// Creates a database as a copy of another and gives its name; drops those that are finished.
async fn create(server: &str, template: &str) -> String {
    let name = format!("t{}", Rng::from_system().id(Timestamp(0)).simple());
    let mut connection = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    let finished = std::mem::take(&mut *FINISHED.lock().unwrap());
    let statements = finished.into_iter().map(|name| format!("DROP DATABASE {name} WITH (FORCE)"));
    for statement in statements.chain([format!("CREATE DATABASE {name} TEMPLATE {template}")]) {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    name
}
