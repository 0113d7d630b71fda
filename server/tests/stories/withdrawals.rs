//! A closure or a move can be withdrawn until it has had an effect, and not later; on both databases.

use ::residents::rooms;
use domain::clock::{Clock, SystemClock};
use domain::ledger::Account;
use model::error::AppError;
use model::ids::{ClosingId, UserId};
use model::money::Money;
use model::order::OrderState;
use simulator::LineFault;
use store::StoreError;
use store::closings::{self, ClosingRequest};
use story_support::closings::{CASH, advance, begin, owed, proved, read, seen, stocked, who};
use story_support::room_fixture::{RoomFixture, refused};
use story_support::shop::Shop;
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

async fn withdraw(w: &World, by: UserId, id: ClosingId) -> Result<(), StoreError> {
    closings::withdraw(&w.db, &w.rng, SystemClock.now(), &who(by), id).await
}

both!(a_closure_is_withdrawn_before_its_meter_command_is_sent, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let engine = stocked(&s, &[5_000]).await;
    let room = s.rooms[0];
    s.meter(0, 1).fault(LineFault::Silent, 1.0).unwrap();
    // The engine tries a meter that is silent by reading it first: nothing is sent to it.
    for what in [CASH, ClosingRequest::Replace { meter: room.meter }] {
        let id = begin(&s.w, SystemClock.now(), s.clerk, room.account, what).await.unwrap();
        engine.wake();
        advance(&s.w, SystemClock.now()).await;
        assert!(seen(&s.w, id).await.meters[0].sent_at.is_none());
        let both = futures::future::join_all((0..2).map(|_| withdraw(&s.w, s.clerk, id))).await;
        assert_eq!(both.iter().filter(|one| one.is_ok()).count(), 1, "{both:?}");
        assert_eq!(refused(withdraw(&s.w, s.clerk, id).await), Some(AppError::TooLate));
        assert_eq!(seen(&s.w, id).await.withdrawn_by.as_deref(), Some("clerk"));
    }
    assert_eq!(s.w.word("SELECT state FROM accounts").await, "open");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'closing.withdraw'").await, 2);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'closing' AND closed_at IS NULL").await, 0);
    assert!(rooms::of_resident(&s.w.db, room.resident).await.unwrap().is_some());
    proved(&s.w).await;
    // It takes money as before, and the next closing goes its way.
    s.meter(0, 1).heal().unwrap();
    s.sell(0, 300).await;
    s.settled(SOON).await;
    assert_eq!((s.view(0, 1).remaining, s.view(0, 1).count), (5_300, 2));
    let id = begin(&s.w, SystemClock.now(), s.clerk, room.account, CASH).await.unwrap();
    read(&s, &engine, id).await;
    assert_eq!(refused(withdraw(&s.w, s.clerk, id).await), Some(AppError::TooLate), "the meter is closed");
    assert_eq!(s.w.word("SELECT state FROM accounts").await, "closed");
    engine.stop().await;
    proved(&s.w).await;
});

both!(a_closure_cannot_be_withdrawn_once_its_command_was_sent, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let engine = stocked(&s, &[5_000]).await;
    engine.stop().await;
    let id = begin(&s.w, SystemClock.now(), s.clerk, s.rooms[0].account, CASH).await.unwrap();
    // A frame left, and the process died: nobody knows what became of it.
    s.w.execute("UPDATE commands SET attempts = 1, sent_at = 1 WHERE kind = 'close'").await;
    assert_eq!(refused(withdraw(&s.w, s.clerk, id).await), Some(AppError::TooLate));
    assert_eq!(s.w.word("SELECT state FROM accounts").await, "closing", "nothing of it was changed");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM account_closure_meters WHERE final_at IS NULL").await, 1);
    proved(&s.w).await;
});

both!(a_move_is_withdrawn_until_the_new_room_has_begun, |w: World| async move {
    let s = Site::with(w, 1, 2, |sim| {
        for (_, meter) in sim.estate.meters_mut().skip(1) {
            meter.account = None;
        }
    })
    .await;
    let engine = stocked(&s, &[5_000]).await;
    let (room, to) = (s.rooms[0], s.meters[1]);
    for unit in [1, 2] {
        s.meter(0, unit).fault(LineFault::Silent, 1.0).unwrap();
    }
    let id = begin(&s.w, SystemClock.now(), s.clerk, room.account, ClosingRequest::Move { to }).await.unwrap();
    assert_eq!(rooms::of_resident(&s.w.db, room.resident).await.unwrap().unwrap().meter_id, to);
    withdraw(&s.w, s.clerk, id).await.unwrap();
    assert_eq!(rooms::of_resident(&s.w.db, room.resident).await.unwrap().unwrap().meter_id, room.meter);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM account_meters WHERE to_at IS NULL").await, 1);
    proved(&s.w).await;
    // The new room is opened at once: then it is too late, and nothing is changed by the try.
    s.meter(0, 2).heal().unwrap();
    let id = begin(&s.w, SystemClock.now(), s.clerk, room.account, ClosingRequest::Move { to }).await.unwrap();
    engine.wake();
    until(SOON, "the new account", || async { s.view(0, 2).account.is_some() }).await;
    until(SOON, "its opening", || async { seen(&s.w, id).await.arrived }).await;
    assert_eq!(refused(withdraw(&s.w, s.clerk, id).await), Some(AppError::TooLate));
    assert_eq!(rooms::of_resident(&s.w.db, room.resident).await.unwrap().unwrap().meter_id, to);
    engine.stop().await;
    proved(&s.w).await;
});

both!(payments_during_a_withdrawn_closure_reach_the_meter, |w: World| async move {
    let shop = Shop::open(w).await;
    let w = shop.world.clone();
    let clerk = w.clerk().await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    let id = begin(&w, w.clock.now(), clerk, shop.room.account, CASH).await.unwrap();
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.order(order).await.state, OrderState::Case);
    closings::withdraw(&w.db, &w.rng, w.clock.now(), &who(clerk), id).await.unwrap();
    assert_eq!(shop.order(order).await.state, OrderState::Paid, "on its way again");
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind = 'credit' AND state = 'queued'").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await, 0);
    proved(&w).await;
});

both!(a_server_wallet_stays_open_until_its_final_reading, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 5_000, 5_000).await;
    let w = fixture.w.clone();
    w.clock.advance(60_000);
    let id = begin(&w, w.clock.now(), fixture.clerk, account, CASH).await.unwrap();
    closings::withdraw(&w.db, &w.rng, w.clock.now(), &who(fixture.clerk), id).await.unwrap();
    assert_eq!(w.word("SELECT state FROM accounts").await, "open");
    fixture.sell(account, 1_000).await.unwrap();
    fixture.record(vec![fixture.reading(30, 3_000)]).await;
    assert_eq!(owed(&w, &Account::Wallet(account)).await, Money(600_000 - 10_000), "and goes on being charged");
    assert!(fixture.relay().await);
    w.clock.advance(60 * 60_000);
    let id = begin(&w, w.clock.now(), fixture.clerk, account, CASH).await.unwrap();
    fixture.record(vec![fixture.reading(90, 3_000)]).await;
    w.clock.advance(60 * 60_000);
    advance(&w, w.clock.now()).await;
    let late = closings::withdraw(&w.db, &w.rng, w.clock.now(), &who(fixture.clerk), id).await;
    assert_eq!(refused(late), Some(AppError::TooLate));
    fixture.prove().await;
});
