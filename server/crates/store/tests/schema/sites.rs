//! PostgreSQL may hold several sites, each in a schema of its own.

use sqlx::PgPool;
use store::Db;

#[tokio::test]
async fn triggers_do_not_depend_on_the_search_path() {
    let url = super::empty_postgres().await;
    let by_hand = PgPool::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE SCHEMA site_a; CREATE SCHEMA site_b").execute(&by_hand).await.unwrap();
    for site in ["site_a", "site_b"] {
        Db::open(&format!("{url}?options=-csearch_path%3D{site}")).await.unwrap().close().await;
    }
    let path: String = sqlx::query_scalar("SHOW search_path").fetch_one(&by_hand).await.unwrap();
    assert_eq!(path, r#""$user", public"#);

    sqlx::raw_sql(
        "INSERT INTO site_a.ledger_transfers (id, operation, reference, debit, credit, amount_e4, at)
         VALUES (gen_random_uuid(), 'a', gen_random_uuid(), 'from', 'to', 5, 1);
         INSERT INTO site_a.audit (seq, at, actor, ip, action, subject, detail, hash)
         VALUES (1, 1, 'a', 'a', 'a', 'a', 'a', 'hash')",
    )
    .execute(&by_hand)
    .await
    .unwrap();

    let balances = "SELECT account, debits_e4, credits_e4 FROM site_a.ledger_balances ORDER BY account";
    let balances: Vec<(String, i64, i64)> = sqlx::query_as(balances).fetch_all(&by_hand).await.unwrap();
    assert_eq!(balances, [("from".into(), 5, 0), ("to".into(), 0, 5)]);
    let other: (i64, i64) =
        sqlx::query_as("SELECT (SELECT COUNT(*) FROM site_b.ledger_balances), (SELECT seq FROM site_b.audit_head)")
            .fetch_one(&by_hand)
            .await
            .unwrap();
    assert_eq!(other, (0, 0), "the other site");

    for forbidden in ["UPDATE site_a.audit SET at = 2", "DELETE FROM site_a.ledger_transfers", "TRUNCATE site_a.audit"] {
        let error = sqlx::raw_sql(forbidden).execute(&by_hand).await.unwrap_err().to_string();
        assert!(error.contains("is append-only"), "{forbidden}: {error}");
    }
    let public: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'").fetch_one(&by_hand).await.unwrap();
    assert_eq!(public, 0);
}
