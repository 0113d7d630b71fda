//! Transactions of PostgreSQL begin whole, or not at all.

use sqlx::{PgPool, Postgres, Transaction};

use crate::{Result, StoreError};

/// Begins a transaction by a statement. Where the caller goes away meanwhile, it is rolled back: sqlx would give a connection
/// back to its pool whose BEGIN is on its way, and what the next one writes there as a statement of its own would never be
/// committed, or be refused where that transaction only reads.
pub(super) async fn begin(pool: &PgPool, statement: &'static str) -> Result<Transaction<'static, Postgres>> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(statement).await });
    Ok(begun.await.map_err(|_| StoreError::interrupted())??)
}
