//! Money that has not reached the meter when its account closes.

use domain::clock::{Clock, SystemClock};
use domain::ledger::Account;
use domain::order::Limits;
use model::error::AppError;
use model::money::{Fen, Money};
use model::order::{OrderState, ReturnState};
use store::closings::{self, Counted};
use store::orders;
use store::returns::{self, NewReturn, ReturnSubject};
use story_support::closings::{CASH, RULES, advance, begin, owed, proved, seen, who};
use story_support::room_fixture::refused;
use story_support::shop::Shop;
use story_support::site::Site;
use story_support::{World, both};

both!(an_undelivered_sale_is_refunded_in_cash_on_closure, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    // The engine never ran: the meter was never read, and nothing was delivered.
    let (late, now) = (s.sell(0, 900).await, SystemClock.now());
    let id = begin(&s.w, now, s.clerk, s.rooms[0].account, CASH).await.unwrap();
    let counted = Counted { remaining: Some(Fen(0)), total: None, reason: "表已拆".into() };
    closings::count(&s.w.db, &s.w.rng, now, &who(s.clerk), id, s.rooms[0].meter, &counted).await.unwrap();
    advance(&s.w, now).await;
    assert!(seen(&s.w, id).await.ended_at.is_some(), "nothing was left in it");
    proved(&s.w).await;
    let of = ReturnSubject::Sale(late.id, Fen(900));
    let request = NewReturn { key: s.w.rng.id(now), of, reason: "未到表".into(), by: s.clerk, ip: String::new() };
    let row = returns::ask(&s.w.db, &s.w.rng, now, &RULES, &Limits::default(), &request).await.unwrap();
    assert_eq!(row.state, ReturnState::Taken);
    let neighbour = orders::reassign(&s.w.db, &s.w.rng, now, &who(s.clerk), late.id, s.rooms[0].account).await;
    assert_eq!(refused(neighbour), Some(AppError::Conflict), "not while it goes back");
    returns::pay_out(&s.w.db, &s.w.rng, now, &who(s.clerk), row.id).await.unwrap();
    assert_eq!(s.order(&late).await.state, OrderState::Refunded);
    assert_eq!((owed(&s.w, &Account::Cash).await, owed(&s.w, &Account::Paid(s.rooms[0].account)).await), (Money(0), Money(0)));
    proved(&s.w).await;
});

both!(a_payment_for_a_closing_account_opens_a_case, |w: World| async move {
    let shop = Shop::open(w).await;
    let w = shop.world.clone();
    let (order, number) = shop.at_the_cashier(5_000).await;
    let clerk = w.clerk().await;
    let now = w.clock.now();
    let id = begin(&w, now, clerk, shop.room.account, CASH).await.unwrap();
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.state(order).await, "case");
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind = 'credit'").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE kind = 'undeliverable' AND closed_at IS NULL").await, 1);
    assert_eq!(owed(&w, &Account::Paid(shop.room.account)).await, Money(500_000));
    let counted = Counted { remaining: Some(Fen(0)), total: None, reason: "表已拆".into() };
    closings::count(&w.db, &w.rng, now, &who(clerk), id, shop.room.meter, &counted).await.unwrap();
    advance(&w, now).await;
    proved(&w).await;
    // The repeated notification changes nothing; an operator reassigns the money to the payer's new room.
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged == 2).await;
    let other = w.room(9).await;
    orders::reassign(&w.db, &w.rng, now, &who(clerk), order, other.account).await.unwrap();
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind = 'credit'").await, 1);
    assert_eq!(owed(&w, &Account::Paid(other.account)).await, Money(500_000));
    proved(&w).await;
});
