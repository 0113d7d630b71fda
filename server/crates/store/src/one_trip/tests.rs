use super::*;
use crate::seal::SealKey;
use crate::{Db, Fence, on};

#[test]
fn parameters_follow_those_of_the_statements_before() {
    assert_eq!(renumbered("SELECT $1, $12 WHERE a = $1", 3), "SELECT $4, $15 WHERE a = $4");
    assert_eq!(renumbered("SELECT 1", 3), "SELECT 1");
}

#[test]
fn later_statements_depend_on_the_first() {
    let of = |text, offset, kind| Statement { text, offset, kind, given: None };
    let statements = [
        of("INSERT INTO a VALUES ($1) ON CONFLICT DO NOTHING", 0, Kind::Write),
        of("UPDATE b SET c = $1 WHERE d = $2", 1, Kind::Write),
        of("SELECT COUNT(*) FROM e WHERE f = $1", 3, Kind::Count),
    ];
    assert_eq!(
        joined(&statements, true),
        "WITH w0 AS (INSERT INTO a VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1), \
         began AS (SELECT (SELECT COUNT(*) FROM w0) AS n), \
         w1 AS (UPDATE b SET c = $2 WHERE (d = $3) AND EXISTS (SELECT FROM began WHERE n > 0) RETURNING 1) \
         SELECT ARRAY[(SELECT COUNT(*) FROM w0), (SELECT COUNT(*) FROM w1), \
         CASE WHEN EXISTS (SELECT FROM began WHERE n > 0) THEN (SELECT COUNT(*) FROM e WHERE f = $4) ELSE 0 END]"
    );
}

/// A transaction on each engine, with a table that holds 1 and 2; nothing of it stays.
async fn transactions() -> [Tx; 2] {
    let server = std::env::var("DORMWATT_TEST_POSTGRES").expect("DORMWATT_TEST_POSTGRES is not set: run `make test`");
    let pool = sqlx::PgPool::connect(&format!("{server}/postgres")).await.unwrap();
    let postgres = Db::Postgres { reports: pool.clone(), pool, key: SealKey::none(), fence: Fence::default() };
    let mut both = [Db::open("sqlite::memory:").await.unwrap().begin().await.unwrap(), postgres.begin().await.unwrap()];
    for tx in &mut both {
        let table = "CREATE TEMP TABLE trip (n BIGINT PRIMARY KEY, seen BIGINT NOT NULL DEFAULT 0)";
        on!(tx, |c| sqlx::query(table).execute(c).await).unwrap();
        on!(tx, |c| sqlx::query("INSERT INTO trip (n) VALUES (1), (2)").execute(c).await).unwrap();
    }
    both
}

const INSERT: &str = "INSERT INTO trip (n) SELECT $1 WHERE TRUE ON CONFLICT DO NOTHING";
const SEE: &str = "UPDATE trip SET seen = seen + 1 WHERE n = $1 OR n = $2";
const COUNT: &str = "SELECT COUNT(*) FROM trip WHERE n < $1";
const SEEN: &str = "SELECT COUNT(*) FROM trip WHERE seen > 0";

#[tokio::test]
async fn counts_go_without_writes_and_nothing_goes_at_all() {
    for mut tx in transactions().await {
        let mut trip = OneTrip::of(&tx);
        trip.count(COUNT).bind(2_i64);
        trip.count(COUNT).bind(9_i64);
        assert_eq!(trip.run(&mut tx).await.unwrap(), [1, 2]);
        let mut trip = OneTrip::of(&tx);
        trip.count(COUNT).bind(9_i64);
        assert_eq!(trip.run(&mut tx).await.unwrap(), [2]);
        assert_eq!(OneTrip::of(&tx).run(&mut tx).await.unwrap(), [0; 0]);
        let mut nothing = OneTrip::of(&tx);
        nothing.only_if_first();
        assert_eq!(nothing.run(&mut tx).await.unwrap(), [0; 0]);
    }
}

#[tokio::test]
async fn nothing_is_written_or_counted_after_a_first_that_wrote_none() {
    for mut tx in transactions().await {
        // The first inserts 3 only once.
        for expected in [[1, 2, 2], [0, 0, 0]] {
            let mut trip = OneTrip::of(&tx);
            trip.write(INSERT).bind(3_i64);
            trip.only_if_first();
            trip.write(SEE).bind(1_i64).bind(2_i64);
            trip.count(COUNT).bind(3_i64);
            assert_eq!(trip.run(&mut tx).await.unwrap(), expected);
        }
        let mut seen = OneTrip::of(&tx);
        seen.count("SELECT COUNT(*) FROM trip WHERE seen = 1");
        assert_eq!(seen.run(&mut tx).await.unwrap(), [2], "once");
    }
}

#[tokio::test]
async fn a_first_that_counts_none_stops_the_others() {
    for mut tx in transactions().await {
        for (below, expected) in [(1_i64, [0, 0, 0]), (2, [1, 2, 2])] {
            let mut trip = OneTrip::of(&tx);
            trip.count(COUNT).bind(below);
            trip.only_if_first();
            trip.write_one(SEE, "trip", "n").bind(1_i64).bind(if below == 1 { 2_i64 } else { 9 });
            trip.count(COUNT).bind(9_i64);
            let counts = trip.run(&mut tx).await.unwrap();
            let one_row = [expected[0], expected[1].min(1), expected[2]];
            assert_eq!(counts, one_row);
        }
    }
}

#[tokio::test]
async fn a_first_that_must_write_one_row_is_an_error_without() {
    for mut tx in transactions().await {
        for (alone, only_if_first) in [(true, false), (true, true), (false, false), (false, true)] {
            let mut trip = OneTrip::of(&tx);
            trip.write_one(SEE, "trip", "seen").bind(8_i64).bind(9_i64);
            if only_if_first {
                trip.only_if_first();
            }
            if !alone {
                trip.write(SEE).bind(1_i64).bind(2_i64);
            }
            let error = trip.run(&mut tx).await.unwrap_err();
            assert!(matches!(error, StoreError::Inconsistent { table: "trip", column: "seen" }), "{error:?}");
        }
        let mut both = OneTrip::of(&tx);
        both.write_one(SEE, "trip", "seen").bind(1_i64).bind(2_i64);
        assert!(both.run(&mut tx).await.is_err(), "two rows are not one");
        let mut seen = OneTrip::of(&tx);
        seen.count(SEEN);
        assert!(seen.run(&mut tx).await.is_ok(), "the transaction goes on");
    }
}

#[test]
fn the_condition_of_a_subquery_is_not_that_of_the_statement() {
    assert_eq!(
        guarded("INSERT INTO a (b) SELECT c FROM d WHERE e = (SELECT f FROM g WHERE h = 1)"),
        "INSERT INTO a (b) SELECT c FROM d WHERE (e = (SELECT f FROM g WHERE h = 1)) AND EXISTS (SELECT FROM began WHERE n > 0)"
    );
}

#[tokio::test]
async fn a_statement_reads_what_another_gives() {
    const NEXT: &str = "INSERT INTO trip (n, seen) SELECT $1, 1 WHERE TRUE ON CONFLICT (n) DO UPDATE SET seen = trip.seen + 1";
    for mut tx in transactions().await {
        for (first, counts, seen) in [(9_i64, vec![1, 1, 1], 1_i64), (9, vec![0, 0, 0], 1), (8, vec![1, 1, 1], 2)] {
            let mut trip = OneTrip::of(&tx);
            trip.write(INSERT).bind(first);
            trip.only_if_first();
            trip.write_one(NEXT, "trip", "seen").bind(1_000_i64);
            let text = if trip.give_as("given", "seen") {
                "INSERT INTO trip (n) SELECT $1 + given.seen FROM given WHERE TRUE"
            } else {
                "INSERT INTO trip (n) SELECT $1 + given.seen FROM trip AS given WHERE given.n = 1000"
            };
            trip.write_one(text, "trip", "n").bind(2_000_i64);
            assert_eq!(trip.run(&mut tx).await.unwrap(), counts, "{first}");
            let sql = "SELECT MAX(n) - 2000 FROM trip";
            let row: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(sql).fetch_optional(c).await).unwrap();
            assert_eq!(row, Some((seen,)));
        }
    }
}
