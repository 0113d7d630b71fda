//! What a transaction changed is noted until its commit seals it: many rows, and what a savepoint takes back.

use sqlx::AssertSqlSafe;
use store::{Db, Tx};
use verify::{Difference, verify};

const MANY: i64 = 4_000;

async fn run(tx: &mut Tx, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    match tx {
        Tx::Sqlite(c) => drop(sqlx::raw_sql(sql).execute(&mut **c).await.unwrap()),
        Tx::Postgres(c) => drop(sqlx::raw_sql(sql).execute(&mut **c).await.unwrap()),
    }
}

fn years(from: i64, to: i64) -> String {
    format!(
        "WITH RECURSIVE years (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM years WHERE n < {to})
         INSERT INTO receipt_numbers (series, year, last) SELECT 'cash_desk', n, 1 FROM years"
    )
}

/// Rows with a seal, and what is wrong with seals.
async fn sealed(db: &Db) -> (i64, Vec<Difference>) {
    let report = verify(db).await.unwrap();
    let of_seals = |one: &Difference| one.subject.starts_with("receipt_numbers") || one.subject == "all sealed rows";
    (report.sealed_rows, report.differences.into_iter().filter(of_seals).collect())
}

#[tokio::test]
async fn a_transaction_of_many_rows_is_sealed_in_pages() {
    for db in [super::sqlite().await, super::postgres().await] {
        let mut tx = db.begin().await.unwrap();
        run(&mut tx, &years(1, MANY)).await;
        run(&mut tx, "UPDATE receipt_numbers SET last = 2 WHERE year > 10").await;
        run(&mut tx, "DELETE FROM receipt_numbers WHERE year <= 5").await;
        if let Tx::Postgres(c) = &mut tx {
            // All in one setting made each change copy all before it: a minute for 10,000 rows.
            let lengths = "SELECT length(current_setting('dormwatt.changes')), length(current_setting('dormwatt.page_1'))";
            let (last, first): (i32, i32) = sqlx::query_as(lengths).fetch_one(&mut **c).await.unwrap();
            assert!(last < 10_000 && first < 10_000, "{last} {first}");
        }
        tx.commit().await.unwrap();
        assert_eq!(sealed(&db).await, (MANY - 5, Vec::new()));
        // The next transaction of the same connection begins with nothing.
        let mut tx = db.begin().await.unwrap();
        run(&mut tx, &years(MANY + 1, MANY + 1)).await;
        tx.commit().await.unwrap();
        assert_eq!(sealed(&db).await, (MANY - 4, Vec::new()));
    }
}

#[tokio::test]
async fn what_a_savepoint_takes_back_is_not_sealed() {
    for db in [super::sqlite().await, super::postgres().await] {
        let mut tx = db.begin().await.unwrap();
        run(&mut tx, &years(1, 3)).await;
        run(&mut tx, "SAVEPOINT a").await;
        run(&mut tx, &years(4, 400)).await;
        run(&mut tx, "ROLLBACK TO SAVEPOINT a").await;
        run(&mut tx, "UPDATE receipt_numbers SET last = 2 WHERE year = 2").await;
        tx.commit().await.unwrap();
        assert_eq!(sealed(&db).await, (3, Vec::new()));
    }
}
