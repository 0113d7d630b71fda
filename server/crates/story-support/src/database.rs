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

/// What new databases are copies of. Nobody is connected to it.
pub enum Template {
    Sqlite(Vec<u8>),
    Postgres { server: String, name: String },
}

impl Template {
    /// Takes a database whose connections are closed.
    pub fn of(mut database: TestDatabase) -> Self {
        match &mut database {
            TestDatabase::Sqlite { directory } => {
                assert!(!directory.path().join("test.db-wal").exists(), "a part of the template is in the log only");
                Self::Sqlite(std::fs::read(directory.path().join("test.db")).unwrap())
            }
            TestDatabase::Postgres { server, name } => {
                // What is left has no name, so that nobody drops the database.
                Self::Postgres { server: server.clone(), name: std::mem::take(name) }
            }
        }
    }

    pub async fn copy(&self) -> TestDatabase {
        match self {
            Self::Sqlite(contents) => {
                let directory = tempfile::tempdir().unwrap();
                std::fs::write(directory.path().join("test.db"), contents).unwrap();
                TestDatabase::Sqlite { directory }
            }
            Self::Postgres { server, name } => {
                TestDatabase::Postgres { server: server.clone(), name: create(server, name).await }
            }
        }
    }
}

impl TestDatabase {
    pub async fn sqlite() -> Self {
        static TEMPLATE: OnceCell<Template> = OnceCell::const_new();
        let empty = || Self::Sqlite { directory: tempfile::tempdir().unwrap() };
        if std::env::var_os("DORMWATT_NO_TEMPLATE").is_some() {
            return empty();
        }
        TEMPLATE.get_or_init(|| migrated(empty())).await.copy().await
    }

    /// On the server that `DORMWATT_TEST_POSTGRES` names; `make test` starts one and sets it.
    pub async fn postgres() -> Self {
        static TEMPLATE: OnceCell<Template> = OnceCell::const_new();
        let server = std::env::var("DORMWATT_TEST_POSTGRES").expect(
            "DORMWATT_TEST_POSTGRES is not set: run `make test`, or name a server, e.g. postgres://postgres@127.0.0.1:5439",
        );
        let empty = async || Self::Postgres { name: create(&server, "template1").await, server: server.clone() };
        if std::env::var_os("DORMWATT_NO_TEMPLATE").is_some() {
            return empty().await;
        }
        TEMPLATE.get_or_init(|| async { migrated(empty().await).await }).await.copy().await
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
        if let Self::Postgres { name, .. } = self
            && !name.is_empty()
        {
            FINISHED.lock().unwrap().push(std::mem::take(name));
        }
    }
}

/// With the schema, and closed: PostgreSQL copies only a database that nobody is connected to.
async fn migrated(database: TestDatabase) -> Template {
    Db::open(&database.url()).await.unwrap().close().await;
    Template::of(database)
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
