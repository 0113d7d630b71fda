//! Shifts: the cash drawer is compared with the ledger, and a closed shift allows no sale; on both databases.

use domain::clock::Clock;
use domain::ledger::Account;
use domain::order::Limits;
use model::error::AppError;
use model::ids::UserId;
use model::money::{Fen, Money};
use model::order::Tender;
use model::permission::Permissions;
use model::person::{Role, Who};
use store::orders::{self, NewOrder, Order};
use store::shifts::{self, Shift};
use store::{StoreError, ledger};
use story_support::rooms::Room;
use story_support::{World, both};

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> AppError {
    match result {
        Err(StoreError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

async fn sell(w: &World, room: Room, by: UserId, tender: Tender, fen: i64) -> Result<Order, StoreError> {
    let key = w.rng.id(w.clock.now());
    let new = NewOrder { key, account: room.account, meter: room.meter, tender, amount: Fen(fen), by, ip: String::new() };
    orders::sell(&w.db, &w.rng, w.clock.now(), &Limits::default(), &new).await
}

async fn newest(w: &World, by: UserId) -> Shift {
    shifts::recent(&w.db, by, 1).await.unwrap().remove(0)
}

fn who(user: UserId, role: Role) -> Who {
    Who { user, role, permissions: Permissions::of(role), name: String::new(), ip: String::new() }
}

both!(a_cash_drawer_is_compared_with_the_ledger, |w: World| async move {
    let (room, clerk) = (w.room(1).await, w.clerk().await);
    let own = who(clerk, Role::Cashier);
    shifts::open(&w.db, &w.rng, w.clock.now(), &own, Fen(10_000)).await.unwrap();
    assert_eq!(refused(shifts::open(&w.db, &w.rng, w.clock.now(), &own, Fen(1)).await), AppError::Conflict, "it is open");
    for (tender, fen) in [(Tender::Cash, 5_000), (Tender::Cash, 2_500), (Tender::Card, 9_900)] {
        sell(&w, room, clerk, tender, fen).await.unwrap();
    }
    let shift = newest(&w, clerk).await;
    let takings = shifts::takings(&w.db, shift.id).await.unwrap();
    let told: Vec<_> = takings.iter().map(|one| (one.tender.as_str(), one.sales, one.taken.0, one.given.0)).collect();
    assert_eq!(told, [("card", 1, 9_900, 0), ("cash", 2, 7_500, 0)]);

    let close = |by: Who, counted: i64, reason: &'static str| {
        let (db, rng, at, id) = (w.db.clone(), w.rng.clone(), w.clock.now(), shift.id);
        async move { shifts::close(&db, &rng, at, &by, id, Fen(counted), reason).await }
    };
    assert_eq!(refused(close(who(room.resident, Role::Cashier), 17_500, "").await), AppError::NotFound, "another's drawer");
    let elsewhere = who(room.resident, Role::Manager);
    assert_eq!(refused(close(elsewhere, 17_500, "").await), AppError::NotFound, "a drawer of other buildings");
    assert_eq!(shifts::overseen(&w.db, room.resident, 9).await.unwrap(), []);
    assert_eq!(shifts::find(&w.db, room.resident, shift.id).await.unwrap(), None);
    assert_eq!(refused(close(own.clone(), 17_000, "").await), AppError::DrawerDiffers, "five yuan are missing");
    close(own.clone(), 17_000, "找错零钱").await.unwrap();
    assert_eq!(refused(close(own.clone(), 17_500, "").await), AppError::Conflict, "once");
    let shift = newest(&w, clerk).await;
    assert_eq!(
        (shift.expected, shift.counted, shift.reason.as_deref()),
        (Some(Fen(17_500)), Some(Fen(17_000)), Some("找错零钱"))
    );
    assert_eq!(ledger::credit_balance(&w.db, &Account::DrawerDifference).await.unwrap(), Money(-50_000));
    assert_eq!(ledger::credit_balance(&w.db, &Account::Cash).await.unwrap(), Money(-700_000), "what is really there");
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(a_closed_shift_allows_no_sale, |w: World| async move {
    let (room, clerk) = (w.room(1).await, w.clerk().await);
    let own = who(clerk, Role::Cashier);
    sell(&w, room, clerk, Tender::Cash, 5_000).await.unwrap();
    let shift = newest(&w, clerk).await;
    assert_eq!((shift.float, shift.closed_at), (Fen(0), None), "the first sale opens the first shift");
    // Concurrent sales and closing: earlier sales are included, and no sale follows.
    let count = shifts::close(&w.db, &w.rng, w.clock.now(), &own, shift.id, Fen(0), "盘点");
    let sales = futures::future::join_all((0..6).map(|_| sell(&w, room, clerk, Tender::Cash, 1_000)));
    let (sold, counted) = futures::future::join(sales, count).await;
    counted.unwrap();
    let sold = i64::try_from(sold.iter().filter(|sale| sale.is_ok()).count()).unwrap();
    assert_eq!(newest(&w, clerk).await.expected, Some(Fen(5_000 + sold * 1_000)));
    assert_eq!(refused(sell(&w, room, clerk, Tender::Card, 1_000).await), AppError::ShiftClosed);
    assert_eq!(w.number("SELECT COUNT(*) FROM orders WHERE shift_id IS NULL").await, 0);
    shifts::open(&w.db, &w.rng, w.clock.now(), &own, Fen::ZERO).await.unwrap();
    sell(&w, room, clerk, Tender::Card, 1_000).await.unwrap();
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});
