//! Durable postings, one transaction each, compared with the same rows in plain SQL on the same engine.

use std::time::Instant;

use domain::clock::{Clock, SystemClock};
use domain::ledger::{Transfer, payment};
use domain::rng::Rng;
use model::ids::AccountId;
use model::money::Money;
use model::order::Tender;
use store::{Db, ledger};
use uuid::Uuid;

use super::WINDOWS;
use crate::database::Engine;
use crate::figure::Figure;
use crate::{Length, Outcome};

/// The three rows of a posting in plain SQL.
const BARE: [&str; 2] = [
    "INSERT INTO ledger_transfers (id, operation, reference, debit, credit, amount_e4, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    "INSERT INTO ledger_balances (account, debits_e4, credits_e4) VALUES ($1, $2, $3)
     ON CONFLICT (account) DO UPDATE SET debits_e4 = ledger_balances.debits_e4 + excluded.debits_e4,
                                         credits_e4 = ledger_balances.credits_e4 + excluded.credits_e4",
];

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for engine in Engine::at_hand() {
        let (directory, beside) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let db = Db::open(&engine.url(directory.path()).await?).await?;
        let bare = Db::open(&engine.url(beside.path()).await?).await?;
        // Plain SQL updates the balances too.
        match &bare {
            Db::Sqlite { write, .. } => sqlx::query("DROP TRIGGER ledger_moves_balances").execute(write).await.map(drop)?,
            Db::Postgres { pool, .. } => {
                sqlx::query("DROP TRIGGER ledger_moves_balances ON ledger_transfers").execute(pool).await.map(drop)?;
            }
        }
        figures.push(measure(&db, &bare, &format!("ledger.posting_ratio.{}", engine.as_str()), length).await?);
        db.close().await;
        bare.close().await;
    }
    Ok(figures)
}

async fn measure(db: &Db, beside: &Db, name: &str, length: Length) -> Outcome<Figure> {
    let (rng, count) = (Rng::from_system(), length.count(3_000).max(500));
    let transfers = |from: usize| {
        let rng = rng.clone();
        (from..from + count).map(move |n| {
            let account = AccountId(Uuid::from_u128(n as u128 % 700));
            payment(rng.id(SystemClock.now()), Tender::Alipay, account, Money(500_000))
        })
    };
    let (mut ratios, mut best) = (Vec::new(), (0.0_f64, 0.0_f64));
    for window in 0..WINDOWS {
        let begun = Instant::now();
        for transfer in transfers(window * 2 * count) {
            let mut tx = db.begin().await?;
            ledger::post(&mut tx, &rng, SystemClock.now(), &transfer).await?;
            tx.commit().await?;
        }
        let ours = count as f64 / begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        for transfer in transfers((window * 2 + 1) * count) {
            bare(beside, &rng, &transfer).await?;
        }
        let theirs = count as f64 / begun.elapsed().as_secs_f64();
        best = (best.0.max(ours), best.1.max(theirs));
        ratios.push(ours / theirs);
    }
    let against = format!("of the same rows by bare SQL; {:.0} against {:.0} durable postings a second", best.0, best.1);
    Ok(Figure::at_least(name, 1.0, "ratio", against, ratios))
}

async fn bare(db: &Db, rng: &Rng, transfer: &Transfer) -> Outcome<()> {
    let at = SystemClock.now();
    let (debit, credit) = (transfer.debit.code(), transfer.credit.code());
    let [row, balance] = BARE;
    macro_rules! write {
        ($connection:expr) => {{
            sqlx::query(row)
                .bind(rng.id(at))
                .bind(transfer.operation)
                .bind(transfer.reference)
                .bind(&debit)
                .bind(&credit)
                .bind(transfer.amount.0)
                .bind(at.0)
                .execute(&mut *$connection)
                .await?;
            sqlx::query(balance).bind(&debit).bind(transfer.amount.0).bind(0_i64).execute(&mut *$connection).await?;
            sqlx::query(balance).bind(&credit).bind(0_i64).bind(transfer.amount.0).execute(&mut *$connection).await?;
        }};
    }
    match db {
        Db::Sqlite { write, .. } => {
            let mut connection = write.acquire().await?;
            sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
            write!(connection);
            sqlx::query("COMMIT").execute(&mut *connection).await?;
        }
        Db::Postgres { pool, .. } => {
            let mut tx = pool.begin().await?;
            write!(tx);
            tx.commit().await?;
        }
    }
    Ok(())
}
