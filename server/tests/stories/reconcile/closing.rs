//! An operator closes a settlement day, and a change reopens it.

use super::*;
use domain::clock::Clock;
use model::error::AppError;
use model::ids::Uuid;
use reconciliation::{close, note_receipt};
use store::{StoreError, console};

fn refused(result: Result<(), StoreError>) -> AppError {
    match result.unwrap_err() {
        StoreError::Refused(error) => error,
        error => panic!("{error}"),
    }
}

both!(a_day_closes_when_differences_are_decided_or_by_reason, |w: World| async move {
    let shop = Shop::open(w).await;
    let (db, channel, day) = (&shop.world.db, Tender::Alipay, shop.today());
    let who = shop.treasurer().await;
    let now = || shop.world.clock.now();
    assert_eq!(refused(close(db, now(), &who, channel, day, "").await), AppError::NotFound);
    shop.pays(channel, 5_000).await;
    shop.next_day(11);
    shop.statement_faults(StatementFaults { extra: Some("1.00".into()), ..StatementFaults::default() });
    shop.fetches(channel, day).await;
    assert_eq!(refused(close(db, now(), &who, channel, day, "").await), AppError::DifferencesOpen);
    close(db, now(), &who, channel, day, "另一商户的收款").await.unwrap();
    assert_eq!(refused(close(db, now(), &who, channel, day, "").await), AppError::Conflict);
    assert_eq!(shop.day(channel, day).await.reason.as_deref(), Some("另一商户的收款"));
    // The same statement again leaves it closed.
    shop.fetches(channel, day).await;
    assert!(shop.day(channel, day).await.closed_at.is_some());
    // Another one opens it, and a case says so.
    shop.statement_faults(StatementFaults { extra: Some("2.00".into()), ..StatementFaults::default() });
    shop.fetches(channel, day).await;
    assert_eq!(shop.day(channel, day).await.closed_at, None);
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM cases WHERE kind = 'statement-reopened' AND closed_at IS NULL").await, 1);
    // Decided: the case is closed with words, and the difference stays and is explained.
    let listed = shop.listed(channel, day).await;
    let case = listed[0].case_id.unwrap();
    console::close_case(db, now(), &who, case.into(), "食堂的收款，同一商户号").await.unwrap();
    shop.fetches(channel, day).await;
    let listed = shop.listed(channel, day).await;
    assert_eq!(listed.len(), 1, "not found anew");
    assert_eq!(listed[0].decision.as_deref(), Some("食堂的收款，同一商户号"));
    close(db, now(), &who, channel, day, "").await.unwrap();
    assert_eq!(shop.statement_cases().await, 0, "closing it closes the case of its change");
    shop.listed(channel, day).await;
    let closed = shop.world.number("SELECT COUNT(*) FROM audit WHERE action = 'settlement.close'").await;
    assert_eq!(closed, 2);
});

both!(changed_fees_reopen_a_closed_day, |w: World| async move {
    let shop = Shop::open(w).await;
    let (channel, day) = (Tender::WechatPay, shop.today());
    let who = shop.treasurer().await;
    shop.pays(channel, 5_000).await;
    shop.next_day(11);
    shop.fetches(channel, day).await;
    close(&shop.world.db, shop.world.clock.now(), &who, channel, day, "").await.unwrap();
    shop.wait(HOUR);
    shop.statement_faults(StatementFaults { fee_fen: 1, ..StatementFaults::default() });
    shop.fetches(channel, day).await;
    assert_eq!((shop.day(channel, day).await.closed_at, shop.statement_cases().await), (None, 1));
    shop.listed(channel, day).await;
});

both!(a_bank_receipt_is_recorded_once, |w: World| async move {
    let shop = Shop::open(w).await;
    let (db, rng, channel, day) = (&shop.world.db, &shop.world.rng, Tender::Alipay, shop.today());
    let who = shop.treasurer().await;
    shop.pays(channel, 5_000).await;
    shop.next_day(11);
    let (now, key): (_, Uuid) = (shop.world.clock.now(), rng.id(shop.world.clock.now()));
    let note = |key, amount| note_receipt(db, rng, now, &who, (channel, day), key, amount);
    assert_eq!(refused(note(key, Fen(4_970)).await), AppError::NotFound, "a day without a statement");
    shop.fetches(channel, day).await;
    assert_eq!(refused(note(key, Fen(0)).await), AppError::InvalidAmount);
    note(key, Fen(4_970)).await.unwrap();
    note(key, Fen(4_970)).await.unwrap();
    assert_eq!(shop.day(channel, day).await.received, Fen(4_970));
    assert_eq!(credit_balance(db, &Account::Clearing("alipay")).await.unwrap(), Money(0), "all of it is settled");
    assert_eq!(credit_balance(db, &Account::Bank).await.unwrap(), Money(-497_000));
    // The statement still agrees.
    shop.fetches(channel, day).await;
    assert_eq!(shop.classes(channel, day).await, []);
});
