//! The invariants of the ledger and of the audit chain, on both databases.

use domain::clock::Clock;
use domain::ledger::{self, Account, Transfer};
use model::audit::AuditAction;
use model::ids::AccountId;
use model::money::Money;
use model::order::Tender;
use store::{Db, audit, ledger as stored};
use story_support::{World, bind, both};
use uuid::Uuid;

both!(a_payment_posts_once, |w: World| async move {
    let account = AccountId(w.rng.id(w.clock.now()));
    let order = w.rng.id(w.clock.now());
    let payment = ledger::payment(order, Tender::Cash, account, Money(500_000));
    let mut tx = w.db.begin().await.unwrap();
    stored::post(&mut tx, &w.rng, w.clock.now(), &payment).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = w.db.begin().await.unwrap();
    let again = stored::post(&mut tx, &w.rng, w.clock.now(), &payment).await;
    assert!(again.unwrap_err().is_duplicate());
    drop(tx);

    assert_eq!(stored::credit_balance(&w.db, &Account::Paid(account)).await.unwrap(), Money(500_000));
    assert_eq!(stored::credit_balance(&w.db, &Account::Cash).await.unwrap(), Money(-500_000));
    assert_eq!(stored::balances(&w.db).await.unwrap(), stored::recomputed_balances(&w.db).await.unwrap());
});

both!(a_transfer_moves_its_balances_whoever_writes_it, |w: World| async move {
    let by_hand = "INSERT INTO ledger_transfers (id, operation, reference, debit, credit, amount_e4, at)
                   VALUES ($1, 'payment', $1, 'cash', 'paid:x', $2, $3)";
    bind(&w.db, by_hand, w.rng.id(w.clock.now()), &[70_000, 0]).await;
    bind(&w.db, by_hand, w.rng.id(w.clock.now()), &[30_000, 1]).await;
    let found = stored::balances(&w.db).await.unwrap();
    let found: Vec<_> = found.iter().map(|found| (found.account.as_str(), found.debits_e4, found.credits_e4)).collect();
    assert_eq!(found, [("cash", 100_000, 0), ("paid:x", 0, 100_000)]);
});

both!(concurrent_opposite_transfers_lose_nothing, |w: World| async move {
    let account = AccountId(w.rng.id(w.clock.now()));
    let posts = (0..200).map(|n| {
        let w = w.clone();
        tokio::spawn(async move {
            let there = ledger::payment(w.rng.id(w.clock.now()), Tender::Cash, account, Money(100));
            let (debit, credit) = (there.credit.clone(), there.debit.clone());
            let transfer = if n % 2 == 0 { there } else { Transfer { debit, credit, ..there } };
            let mut tx = w.db.begin().await?;
            stored::post(&mut tx, &w.rng, w.clock.now(), &transfer).await?;
            tx.commit().await
        })
    });
    for post in futures::future::join_all(posts).await {
        post.unwrap().unwrap();
    }
    let found = stored::balances(&w.db).await.unwrap();
    assert!(found.iter().all(|found| (found.debits_e4, found.credits_e4) == (10_000, 10_000)), "{found:?}");
    assert_eq!(found, stored::recomputed_balances(&w.db).await.unwrap());
});

both!(a_changed_audit_line_is_detected, |w: World| async move {
    for n in 0..3 {
        let mut tx = w.db.begin().await.unwrap();
        let subject = format!("order:{n}");
        let entry = audit::Entry { actor: "system", ip: "", action: AuditAction::OrderCreate, subject: &subject, detail: "{}" };
        audit::append(&mut tx, w.clock.now(), &entry).await.unwrap();
        tx.commit().await.unwrap();
    }
    let chain = audit::verify(&w.db).await.unwrap();
    assert_eq!((chain.lines, chain.broken_at), (3, None));
    let refused = raw(&w, "UPDATE audit SET actor = 'nobody' WHERE seq = 2").await;
    assert!(refused.is_err(), "the database itself refuses");
    let refused = raw(&w, "DELETE FROM ledger_transfers").await;
    // SQLite's trigger works a row, so an empty table has nothing to refuse.
    assert!(refused.is_err() || refused.unwrap() == 0);

    let trigger = match w.db {
        Db::Sqlite { .. } => "DROP TRIGGER audit_no_update",
        Db::Postgres { .. } => "DROP TRIGGER audit_append_only ON audit",
    };
    raw(&w, trigger).await.unwrap();
    raw(&w, "UPDATE audit SET actor = 'nobody' WHERE seq = 2").await.unwrap();
    let broken_at = audit::verify(&w.db).await.unwrap().broken_at;
    assert_eq!(broken_at, Some(2), "an edited line breaks the chain where it stands");
});

both!(ids_are_unique_and_ordered, |w: World| async move {
    let mut ids: Vec<Uuid> = Vec::new();
    for _ in 0..100 {
        w.clock.advance(1);
        ids.push(w.rng.id(w.clock.now()));
    }
    assert!(ids.is_sorted());
});

async fn raw(w: &World, sql: &'static str) -> Result<u64, sqlx::Error> {
    match &w.db {
        Db::Sqlite { write, .. } => sqlx::query(sql).execute(write).await.map(|done| done.rows_affected()),
        Db::Postgres { pool, .. } => sqlx::query(sql).execute(pool).await.map(|done| done.rows_affected()),
    }
}
