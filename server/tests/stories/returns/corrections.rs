//! Corrections of sales and returns: what is left of them, up to the balance; residents see them.

use domain::ledger::Account;
use model::account_record::AccountRecordOf;
use model::console::{RecordKind, RecordQuery};
use model::error::AppError;
use model::ids::{OrderId, UserId};
use model::money::{Fen, Money};
use model::order::{OrderState, ReturnState, TakenBack};
use model::person::Role;
use queries::RecordFilter;
use store::returns::ReturnSubject;
use story_support::site::{SOON, Site};
use story_support::{World, both};

use super::{ask, balance, colleague, part, pay, refused, return_request, stocked, until_state};

/// The records of the account have a row for each purchase count, and the sale says what was taken back of it.
async fn residents_see_the_correction(s: &Site, sale: OrderId) {
    let records = queries::money_records(&s.w.db, s.rooms[0].account, 10).await.unwrap();
    let counts: Vec<i64> = records
        .iter()
        .filter_map(|record| match &record.of {
            AccountRecordOf::Order(order) => order.count,
            AccountRecordOf::Back(back) => back.count,
            _ => None,
        })
        .collect();
    assert_eq!(counts, [3, 2, 1]);
    let corrected = records.iter().find_map(|record| match &record.of {
        AccountRecordOf::Order(order) if order.order == sale => Some(order.taken_back),
        _ => None,
    });
    assert_eq!(corrected, Some(TakenBack { done: Fen(4_000), coming: Fen::ZERO }));
    let corrections = queries::sale_corrections(&s.w.db, sale).await.unwrap();
    let [correction] = &corrections[..] else { panic!("one correction: {corrections:?}") };
    assert_eq!((correction.amount, correction.state, &*correction.reason), (Fen(4_000), ReturnState::Done, "住户退宿"));
}

/// Whether the register offers to correct its newest sale.
async fn is_offered(s: &Site, to: UserId) -> bool {
    let query = RecordQuery { kind: Some(RecordKind::Sale), ..RecordQuery::default() };
    let lines = queries::records(&s.w.db, &RecordFilter::new(to, &query), None, 1, 0).await.unwrap();
    lines[0].is_correctable
}

both!(a_wrong_sale_is_corrected_once_up_to_the_balance, |w: World| async move {
    let (s, engine) = stocked(w, 1, 500).await;
    let boss = colleague(&s.w, "boss", Role::Admin).await;
    let wrong = s.sell(0, 4_000).await;
    let id = wrong.id;
    assert_eq!(
        refused(ask(&s, &return_request(&s, ReturnSubject::Sale(id, Fen(4_000)))).await),
        AppError::NotCorrectable,
        "not in the meter yet"
    );
    engine.wake();
    s.settled(SOON).await;
    assert_eq!(refused(ask(&s, &return_request(&s, ReturnSubject::Sale(id, Fen(4_001)))).await), AppError::ExceedsCorrectable);
    assert!(is_offered(&s, boss).await);
    let row = ask(&s, &return_request(&s, ReturnSubject::Sale(id, Fen(4_000)))).await.unwrap();
    assert!(!is_offered(&s, boss).await, "all of it is taken back");
    assert_eq!(
        refused(ask(&s, &return_request(&s, ReturnSubject::Sale(id, Fen(100)))).await),
        AppError::NotCorrectable,
        "once per sale"
    );
    engine.wake();
    until_state(&s, &row, ReturnState::Taken).await;
    pay(&s, &row).await.unwrap();
    assert_eq!(s.order(&wrong).await.state, OrderState::Credited, "what was sold stays written; its reversal stands beside it");
    residents_see_the_correction(&s, id).await;
    assert_eq!((s.view(0, 1).remaining, balance(&s, &Account::Cash).await), (500, Money(-50_000)));
    engine.stop().await;
    s.prove().await;
});

both!(what_is_left_of_a_sale_is_offered_and_taken, |w: World| async move {
    let (s, engine) = stocked(w, 1, 500).await;
    let boss = colleague(&s.w, "boss", Role::Admin).await;
    let left = async |id| queries::original(&s.w.db, boss, id).await.unwrap().unwrap().left;
    let wrong = s.sell(0, 4_000).await;
    assert_eq!(left(wrong.id.0).await, Fen::ZERO, "not in the meter yet");
    engine.wake();
    s.settled(SOON).await;
    assert_eq!(left(wrong.id.0).await, Fen(4_000));
    let row = ask(&s, &return_request(&s, ReturnSubject::Sale(wrong.id, Fen(1_500)))).await.unwrap();
    engine.wake();
    until_state(&s, &row, ReturnState::Taken).await;
    pay(&s, &row).await.unwrap();
    // A sale at the cash desk is corrected once: nobody is offered the rest of it, and nobody gets it.
    assert!(!is_offered(&s, boss).await);
    assert_eq!(left(wrong.id.0).await, Fen::ZERO);
    let rest = return_request(&s, ReturnSubject::Sale(wrong.id, Fen(2_500)));
    assert_eq!(refused(ask(&s, &rest).await), AppError::NotCorrectable);
    // Nor a return that was corrected.
    let back = ask(&s, &return_request(&s, part(&s, 0, 1_000))).await.unwrap();
    assert_eq!(left(back.id.0).await, Fen::ZERO, "not paid out yet");
    engine.wake();
    until_state(&s, &back, ReturnState::Taken).await;
    pay(&s, &back).await.unwrap();
    assert_eq!(left(back.id.0).await, Fen(1_000));
    ask(&s, &return_request(&s, ReturnSubject::Return(back.id))).await.unwrap();
    assert_eq!(left(back.id.0).await, Fen::ZERO);
    engine.wake();
    s.settled(SOON).await;
    assert_eq!(s.view(0, 1).remaining, 3_000);
    engine.stop().await;
    s.prove().await;
});

both!(a_wrong_return_is_corrected_once, |w: World| async move {
    let (s, engine) = stocked(w, 1, 4_000).await;
    let row = ask(&s, &return_request(&s, part(&s, 0, 1_500))).await.unwrap();
    assert_eq!(
        refused(ask(&s, &return_request(&s, ReturnSubject::Return(row.id))).await),
        AppError::NotCorrectable,
        "not paid out yet"
    );
    engine.wake();
    until_state(&s, &row, ReturnState::Taken).await;
    pay(&s, &row).await.unwrap();
    let undone = ask(&s, &return_request(&s, ReturnSubject::Return(row.id))).await.unwrap();
    assert_eq!(undone.state, ReturnState::Done);
    assert_eq!(refused(ask(&s, &return_request(&s, ReturnSubject::Return(row.id))).await), AppError::NotCorrectable);
    assert_eq!(
        refused(ask(&s, &return_request(&s, ReturnSubject::Return(undone.id))).await),
        AppError::NotCorrectable,
        "a correction is not corrected"
    );
    engine.wake();
    s.settled(SOON).await;
    assert_eq!((s.view(0, 1).remaining, balance(&s, &Account::Cash).await), (4_000, Money(-400_000)));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM receipts").await, 3);
    engine.stop().await;
    s.prove().await;
});
