//! Every payment is compared with the purchase count and the journal of its meter.

use super::*;
use domain::clock::Clock;
use domain::meter_records::JournalKind;
use domain::meter_records::JournalRecord;
use domain::meter_state::StateBlock;
use domain::serial::AccountNumber;
use metering::journals;
use model::energy::Energy;
use model::meter::StatusWord;
use store::deliveries::{self, Verdict};

/// What the meter shows after a purchase.
fn state(count: u16, cumulative: i64) -> StateBlock {
    StateBlock {
        serial: "000000000001".parse().unwrap(),
        status: StatusWord(3),
        remaining: Fen(cumulative),
        cumulative: Fen(cumulative),
        count,
        epoch: 1,
        reverse: Energy(0),
        rate: 0,
        clock: None,
        challenge: [0; 4],
        last_operation: 0,
        last_result: 0,
        last_order: 0,
        journal: count,
        parameters: 0,
        tier_energy: Energy(0),
        account: AccountNumber::NONE,
        tamper: 0,
        accepts: 3,
    }
}

/// The engine's work: claimed, sent, read back.
async fn deliver(shop: &Shop, fen: i64) {
    let (db, rng, now) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
    let command = deliveries::next(db, shop.room.meter, now.plus(1_000)).await.unwrap().unwrap();
    let claim = deliveries::claim(db, &command).await.unwrap().claimed().unwrap();
    let command = deliveries::next(db, shop.room.meter, now.plus(1_000)).await.unwrap().unwrap();
    let state = state(claim.count.try_into().unwrap(), fen);
    let verdict = Verdict { state: &state, at: now, amount: Fen(fen), relay_fault: false };
    deliveries::settle(db, rng, &command, &verdict).await.unwrap().unwrap();
}

/// The listed differences.
async fn reasons(shop: &Shop, day: model::time::Date) -> Vec<(String, String)> {
    let listed = reconciliation::differences(&shop.world.db, Tender::Alipay, day).await.unwrap();
    listed.into_iter().map(|row| (row.class.as_str().to_owned(), row.reason.as_str().to_owned())).collect()
}

async fn add_journal_record(shop: &Shop, amount: i64, count: u16) {
    let (db, rng, now) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
    let record = JournalRecord {
        sequence: Some(count),
        at: Some(now),
        what: JournalKind::Credit,
        cause: 0,
        amount: Fen(amount),
        count: Some(count),
        remaining: None,
    };
    journals::store(db, rng, now, shop.room.meter, Some(count), &[record]).await.unwrap();
}

both!(a_purchase_is_compared_with_count_and_journal, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    shop.pays(Tender::Alipay, 5_000).await;
    shop.wait(HOUR);
    deliver(&shop, 5_000).await;
    let evening = shop.world.clock.now();
    shop.next_day(11);
    shop.fetches(Tender::Alipay, day).await;
    let meters = async || {
        let row = shop.day(Tender::Alipay, day).await;
        (row.purchases, row.delivered, row.in_journal)
    };
    assert_eq!((shop.classes(Tender::Alipay, day).await, meters().await), (vec![], (1, 1, 0)));
    // The journal is read, by which the meter itself says so.
    let morning = shop.world.clock.now();
    shop.world.clock.advance(evening.since(morning));
    add_journal_record(&shop, 5_000, 1).await;
    shop.world.clock.advance(morning.since(evening));
    shop.fetches(Tender::Alipay, day).await;
    assert_eq!((shop.classes(Tender::Alipay, day).await, meters().await), (vec![], (1, 1, 1)));
    // Its record is not what was sold: ours to find out.
    shop.world.execute("UPDATE meter_journal SET amount_fen = 500").await;
    shop.fetches(Tender::Alipay, day).await;
    assert_eq!(reasons(&shop, day).await, [("meter".to_owned(), "journal".to_owned())]);
    shop.world.execute("UPDATE meter_journal SET amount_fen = 5000").await;
    // Its count falls back, as of a meter that was replaced or written to by others.
    shop.world.shows(shop.room.meter, 0, 0, 0).await;
    shop.fetches(Tender::Alipay, day).await;
    assert_eq!(reasons(&shop, day).await, [("meter".to_owned(), "count".to_owned())]);
    assert_eq!(shop.statement_cases().await, 1);
    shop.world.shows(shop.room.meter, 1, 5_000, 5_000).await;
    shop.fetches(Tender::Alipay, day).await;
    assert_eq!((shop.classes(Tender::Alipay, day).await, shop.statement_cases().await), (vec![], 0));
});
