//! The order of commands in the outbox, on both databases.

use domain::clock::Clock;
use domain::order::Limits;
use model::ids::{MeterId, OrderId};
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use store::deliveries;
use store::orders::{self, NewOrder};
use story_support::{World, both};

both!(an_earlier_purchase_committed_later_does_not_interfere, |w: World| async move {
    let room = w.room(1).await;
    let by = w.clerk().await;
    let sell = async |at: Timestamp| {
        let new = NewOrder {
            key: w.rng.id(at),
            account: room.account,
            meter: room.meter,
            tender: Tender::Cash,
            amount: Fen(1_000),
            by,
            ip: String::new(),
        };
        orders::sell(&w.db, &w.rng, at, &Limits::default(), &new).await.unwrap().id
    };
    let now = w.clock.now();
    let first = sell(now.plus(10)).await;
    let under_way = next(&w, room.meter).await;
    assert_eq!(under_way.0, first);
    deliveries::claim(&w.db, &under_way.1).await.unwrap().claimed().unwrap();

    // Decided earlier by another server, committed only now.
    sell(now).await;
    assert_eq!(next(&w, room.meter).await.0, first, "what is under way has its purchase count and must be finished");
    assert!(verify::verify(&w.db).await.unwrap().differences.is_empty());
});

async fn next(w: &World, meter: MeterId) -> (OrderId, store::commands::Command) {
    let command = deliveries::next(&w.db, meter, w.clock.now().plus(1_000)).await.unwrap().expect("one moves");
    (command.order_id.unwrap(), command)
}
