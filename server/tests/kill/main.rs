//! The server is killed (SIGKILL) again and again while people buy, on lines that lose requests and answers and through a
//! channel that loses and doubles its notifications, and while rooms whose credit is on the ledger use energy. Afterwards meters,
//! ledger, orders, charges and the channel's books agree to the fen and the watt-hour.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test says so by failing")]

#[path = "../stories/support/mod.rs"]
mod support;

mod buyers;
mod lives;
mod site;
mod victim;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use buyers::{counter_sales, top_ups};
use server::store::verify;
use site::Site;
use support::World;
use tokio::time::{Instant, sleep};
use victim::Victim;

/// Purchases at the counter, and through the channel; on each database.
const SALES: usize = 80;
const TOP_UPS: usize = 40;
/// At least so often; more while people are still buying.
const KILLS: usize = 25;

both!(killed_at_any_moment, |w: World| async move {
    let site = Arc::new(Site::start(&w).await);
    let victim = Arc::new(Victim::start(&site).await);
    let over = Arc::new(AtomicBool::new(false));

    let killer = tokio::spawn({
        let (victim, over, rng) = (Arc::clone(&victim), Arc::clone(&over), w.rng.clone());
        async move {
            while !over.load(Ordering::Relaxed) || victim.deaths() < KILLS {
                sleep(Duration::from_millis(20 + rng.below(600))).await;
                victim.kill_and_restart().await;
            }
        }
    });
    opened(&w).await;
    let counter = counter_sales(&site, &victim, &w.rng, SALES);
    let phones = top_ups(&site, &victim, &w.rng, TOP_UPS);
    let (sold, topped_up) = tokio::join!(counter, phones);
    over.store(true, Ordering::Relaxed);
    killer.await.unwrap();

    settle(&w).await;
    site.rest().await;
    let charges = charged(&site, &w).await;
    let deaths = victim.deaths();
    victim.end().await;
    assert_eq!((sold.len(), topped_up.len()), (SALES, TOP_UPS));
    assert!(deaths >= KILLS);

    // Every purchase that was acknowledged is in a meter, once, and there is none that was not.
    let all: Vec<_> = sold.iter().chain(&topped_up).copied().collect();
    for (index, room) in site.rooms.iter().enumerate().filter(|(_, room)| room.on_ledger) {
        let bought: i64 = all.iter().filter(|purchase| purchase.room == index).map(|purchase| purchase.amount.0).sum();
        let count = all.iter().filter(|purchase| purchase.room == index).count();
        let books = room.books(&w).await;
        // Every watt-hour of the true counter is charged, once.
        assert_eq!(books.charged_wh, i64::from(site.meter(index).total) * 10 - books.started_wh, "room {index}: {books:?}");
        assert_eq!(books.charged_e4, books.charged_wh * 100, "room {index}: at 10 yuan/kWh");
        assert_eq!(books.left_e4, bought * 100 - books.charged_e4, "room {index}: {books:?}");
        assert_eq!(usize::try_from(books.count).unwrap(), count, "room {index}");
    }
    for (index, room) in site.rooms.iter().enumerate().filter(|(_, room)| !room.on_ledger) {
        let bought: i64 = all.iter().filter(|purchase| purchase.room == index).map(|purchase| purchase.amount.0).sum();
        let count = all.iter().filter(|purchase| purchase.room == index).count();
        let meter = site.meter(index);
        assert_eq!((i64::from(meter.cumulative), usize::from(meter.count)), (bought, count), "room {index}");
        let ledger = room.account_in_ledger(&w).await;
        assert_eq!(ledger, (bought, i64::try_from(count).unwrap(), bought), "room {index}: meter's row, count, ledger");
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM orders WHERE state = 'credited'").await, i64::try_from(all.len()).unwrap());
    assert_eq!(w.number("SELECT COUNT(*) FROM orders WHERE state NOT IN ('credited', 'closed', 'pending')").await, 0);
    let paid: i64 = topped_up.iter().map(|purchase| purchase.amount.0).sum();
    let clearing = w.number("SELECT debits_e4 - credits_e4 FROM ledger_balances WHERE account = 'clearing:alipay'").await;
    assert_eq!(clearing, paid * 100, "what the channel owes us is what was paid through it");
    assert_eq!(site.paid_at_the_channel(), paid, "and what its own books say");
    assert_eq!(w.number("SELECT COUNT(*) FROM cases").await, 0);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);

    let resent = w.number("SELECT CAST(COALESCE(SUM(attempts - 1), 0) AS BIGINT) FROM commands WHERE attempts > 1").await;
    assert!(charges > 0, "nothing was charged");
    println!(
        "kill test: {} purchases, {charges} charges, {deaths} kills, {resent} frames sent again: 0 lost, 0 doubled",
        all.len()
    );
});

both!(killed_while_accounts_end, |w: World| async move {
    let site = Arc::new(Site::start(&w).await);
    let victim = Arc::new(Victim::start(&site).await);
    let over = Arc::new(AtomicBool::new(false));
    let killer = tokio::spawn({
        let (victim, over, rng) = (Arc::clone(&victim), Arc::clone(&over), w.rng.clone());
        async move {
            while !over.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(100 + rng.below(900))).await;
                victim.kill_and_restart().await;
            }
        }
    });
    opened(&w).await;
    let sold = lives::live(&site, &victim, &w.rng, &w).await;
    over.store(true, Ordering::Relaxed);
    killer.await.unwrap();
    let deaths = victim.deaths();
    victim.end().await;

    // What was not paid out is in the meters, or was used from them.
    let paid = w.number("SELECT CAST(SUM(amount_fen) AS BIGINT) FROM returns WHERE state = 'done'").await;
    let cash = w.number("SELECT debits_e4 - credits_e4 FROM ledger_balances WHERE account = 'cash'").await;
    assert_eq!(cash, (sold.0 - paid) * 100);
    let held = "SELECT CAST(SUM(m.cumulative_fen) AS BIGINT) FROM account_meters m JOIN meters x ON x.id = m.meter_id
                WHERE m.to_at IS NULL AND x.wallet = 'meter'";
    let in_meters: i64 = site
        .simulator
        .meters()
        .iter()
        .map(|meter| meter.view().unwrap())
        .filter(|meter| meter.account.is_some())
        .map(|meter| i64::from(meter.cumulative))
        .sum();
    assert_eq!(w.number(held).await, in_meters, "the books and the meters");
    assert_eq!(w.number("SELECT COUNT(*) FROM orders WHERE tender = 'carried' AND state = 'credited'").await, 3);
    assert_eq!(w.number("SELECT COUNT(*) FROM closings WHERE ended_at IS NULL").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM accounts WHERE state = 'closed'").await, 6);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await, 0);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
    println!("kill test: 4 returns, 4 closings, 2 moves, 1 replacement, {deaths} kills: 0 lost, 0 doubled");
});

/// Waits until every account is open: one on the ledger opens with its meter's first reading.
async fn opened(w: &World) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while w.number("SELECT COUNT(*) FROM accounts WHERE state = 'opening'").await > 0 {
        assert!(Instant::now() < deadline, "an account was not opened by its first reading");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until every wallet on the ledger is charged up to its meter's counter; gives how many charges there are.
async fn charged(site: &Site, w: &World) -> i64 {
    let deadline = Instant::now() + Duration::from_secs(60);
    for (index, room) in site.rooms.iter().enumerate().filter(|(_, room)| room.on_ledger) {
        loop {
            let books = room.books(w).await;
            if books.counted_wh == i64::from(site.meter(index).total) * 10 {
                break;
            }
            assert!(Instant::now() < deadline, "room {index} is not charged to its counter: {books:?}");
            sleep(Duration::from_millis(200)).await;
        }
    }
    w.number("SELECT COUNT(*) FROM charges").await
}

/// Waits until nothing is under way any more: every trade that the channel knows as paid is known here, and in its meter.
async fn settle(w: &World) {
    let deadline = Instant::now() + Duration::from_secs(180);
    let top_ups = i64::try_from(TOP_UPS).unwrap();
    loop {
        let on_their_way = w.number("SELECT COUNT(*) FROM orders WHERE state = 'paid'").await;
        let known = w.number("SELECT COUNT(*) FROM payment_attempts WHERE state = 'paid'").await;
        if on_their_way == 0 && known == top_ups {
            return;
        }
        let waiting = "SELECT COALESCE(MAX(kind || ' ' || state || ' ' || COALESCE(note, '')), 'no command')
                       FROM commands WHERE state IN ('queued', 'sending')";
        let note = w.word(waiting).await;
        assert!(Instant::now() < deadline, "{on_their_way} purchases on their way, {known} of {top_ups} payments known: {note}");
        sleep(Duration::from_millis(200)).await;
    }
}
