//! Look-ups that are made once for each of many rows need an index.

use store::Db;

#[tokio::test]
async fn a_receipt_is_found_in_invoices_by_an_index() {
    let Db::Sqlite { write, .. } = super::sqlite().await else { unreachable!() };
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(
        "EXPLAIN QUERY PLAN SELECT 1 FROM invoice_rows
         WHERE series = 'online' AND year = 1 AND number = 1 AND cancelled_at IS NULL",
    )
    .fetch_all(&write)
    .await
    .unwrap();
    assert!(plan.iter().any(|(.., step)| step.contains("invoice_rows_receipt")), "{plan:?}");
}
