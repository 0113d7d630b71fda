//! The trial of cash sales and channel payments, while rooms with a server wallet consume energy.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::buyers::{CHANNELS, counter_sales, top_ups};
use super::channel_faults::{ChannelFaults, reset_backoff};
use super::messages;
use super::operator::Operator;
use super::site::Site;
use super::{PATIENCE, Report, Stage, Volume, Work};
use crate::World;

pub async fn run(w: &World, program: &'static str, volume: Volume) -> Report {
    let Stage { begun, site, server, killer } = Stage::set(w, program, volume.kills).await;
    let faults = ChannelFaults::start(&site, w);
    let work = Work::new(volume);
    let operator = Operator::new(&server, &w.rng, w).await;
    let (sold, topped_up) = tokio::join!(counter_sales(&site, &operator, &work), top_ups(&site, &operator, &work));
    killer.end().await;
    faults.clear();

    settle(w, topped_up.len()).await;
    site.rest().await;
    let (charges, ()) = tokio::join!(charged(&site, w), messages::deliver(w, &site.provider));
    let deaths = server.deaths();
    server.end().await;
    assert!(sold.len() + topped_up.len() >= volume.operations && deaths >= volume.kills);

    // Every acknowledged purchase is in its meter once, and no other is.
    let all: Vec<_> = sold.iter().chain(&topped_up).copied().collect();
    for (index, room) in site.rooms.iter().enumerate() {
        let of_room = || all.iter().filter(|purchase| purchase.room == index);
        let (bought, count): (i64, _) = (of_room().map(|purchase| purchase.amount.0).sum(), of_room().count());
        if room.on_ledger {
            let books = room.books(w).await;
            // Every watt-hour of the true counter is charged, once.
            assert_eq!(books.charged_wh, i64::from(site.meter(index).total) * 10 - books.started_wh, "room {index}: {books:?}");
            assert_eq!(books.charged_e4, books.charged_wh * 100, "room {index}: at 10 yuan/kWh");
            assert_eq!(books.left_e4, bought * 100 - books.charged_e4, "room {index}: {books:?}");
            assert_eq!(usize::try_from(books.count).unwrap(), count, "room {index}");
        } else {
            let meter = site.meter(index);
            assert_eq!((i64::from(meter.cumulative), usize::from(meter.count)), (bought, count), "room {index}");
            let ledger = room.account_in_ledger(w).await;
            assert_eq!(ledger, (bought, i64::try_from(count).unwrap(), bought), "room {index}: meter's row, count, ledger");
        }
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM orders WHERE state = 'credited'").await, i64::try_from(all.len()).unwrap());
    assert_eq!(w.number("SELECT COUNT(*) FROM orders WHERE state NOT IN ('credited', 'closed', 'pending')").await, 0);
    let paid: i64 = topped_up.iter().map(|purchase| purchase.amount.0).sum();
    assert_eq!(site.held_by_channels(w).await, paid, "what the channels owe us is what was paid through them");
    assert_eq!(CHANNELS.map(|channel| site.kept_at(channel)).iter().sum::<i64>(), paid, "and what their own books say");
    assert_eq!(w.number("SELECT COUNT(*) FROM cases").await, 0);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
    let messages = messages::check(w, &site.provider).await;

    let resent = w.number("SELECT CAST(COALESCE(SUM(attempts - 1), 0) AS BIGINT) FROM commands WHERE attempts > 1").await;
    assert!(charges > 0, "nothing was charged");
    let summary = format!(
        "kill test: {} purchases, {charges} charges, {messages} messages, {deaths} kills, {resent} frames sent again, in {} s: \
         0 lost, 0 doubled",
        all.len(),
        begun.elapsed().as_secs()
    );
    Report { summary, kills: deaths }
}

/// Waits until every server wallet is charged up to its meter's counter; gives the number of charges.
async fn charged(site: &Site, w: &World) -> i64 {
    let deadline = Instant::now() + PATIENCE;
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

/// Waits until every trade that a channel has as paid is known here and delivered.
async fn settle(w: &World, top_ups: usize) {
    let deadline = Instant::now() + PATIENCE;
    let top_ups = i64::try_from(top_ups).unwrap();
    loop {
        reset_backoff(w).await;
        let on_their_way = w.number("SELECT COUNT(*) FROM orders WHERE state = 'paid'").await;
        let known = w.number("SELECT COUNT(*) FROM payment_attempts WHERE state = 'paid'").await;
        if on_their_way == 0 && known == top_ups {
            return;
        }
        let waiting = "SELECT COALESCE(MAX(kind || ' ' || state || ' ' || COALESCE(reason, '')), 'no command')
                       FROM commands WHERE state IN ('queued', 'sending')";
        let note = w.word(waiting).await;
        assert!(Instant::now() < deadline, "{on_their_way} purchases on their way, {known} of {top_ups} payments known: {note}");
        sleep(Duration::from_millis(500)).await;
    }
}
