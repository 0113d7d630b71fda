//! The trial of refunds through the channel: paid twice, paid for an account closed meanwhile, refunded before delivery, and
//! returned from the meter in parts.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use futures::future::join_all;
use model::ids::{OrderId, Uuid};
use model::money::Fen;
use model::time::MINUTE;
use sandbox::Trade;
use simulator::LineFault;
use store::Db;
use tokio::time::{Instant, sleep, timeout};

use super::buyers::{CHANNELS, Phone, some_money};
use super::channel_faults::{ChannelFaults, reset_backoff};
use super::operator::{Operator, is_refused};
use super::server_process::ServerProcess;
use super::site::{ROOMS, Site, trouble};
use super::{PATIENCE, Report, Stage, Volume, Work};
use crate::{World, bind};

/// The rooms of each kind of refund.
const TWICE: std::ops::Range<usize> = 0..4;
const IN_PARTS: std::ops::Range<usize> = 4..7;
const TAKEN_BACK: std::ops::Range<usize> = 7..10;
const CLOSED: std::ops::Range<usize> = 10..ROOMS;
/// Orders a room that are paid only after their account was closed.
const TOO_LATE: usize = 3;

/// The paid trades of an order, and how much of them must be refunded.
struct PaidOrder {
    room: usize,
    trades: Vec<Trade>,
    back: Expected,
}

enum Expected {
    /// One of its trades in full.
    One,
    /// All of it.
    All,
    /// These amounts, returned from the meter.
    Parts([Fen; 2]),
    /// All of it, unless its meter received it before.
    AllOrNothing,
}

pub async fn run(w: &World, program: &'static str, volume: Volume) -> Report {
    let Stage { begun, site, server, killer } = Stage::set(w, program, volume.kills).await;
    let faults = ChannelFaults::start(&site, w);
    let work = Work::new(volume.part(4));
    let operator = Operator::new(&server, &w.rng, w).await;
    let trial = Trial { site: &site, server: &server, operator: &operator, work: &work };
    let (twice, parts, taken, closed) = tokio::join!(
        join_all(TWICE.map(|room| trial.twice(room))),
        join_all(IN_PARTS.map(|room| trial.in_parts(room))),
        join_all(TAKEN_BACK.map(|room| trial.taken_back(room))),
        join_all(CLOSED.map(|room| trial.closed(room))),
    );
    killer.end().await;
    faults.clear();
    let operations: Vec<PaidOrder> = [twice, parts, taken, closed].into_iter().flatten().flatten().collect();
    trial.settle(&operations).await;
    let deaths = server.deaths();
    server.end().await;
    assert!(deaths >= volume.kills);

    let books: BTreeMap<String, Trade> =
        site.sandbox.books().into_iter().map(|trade| (trade.out_trade_no.clone(), trade)).collect();
    let (mut expected, mut refunds) = (BTreeMap::<usize, (i64, usize)>::new(), 0);
    for operation in &operations {
        let back: Vec<Fen> = operation.trades.iter().map(|trade| books[&trade.out_trade_no].refunded()).collect();
        let amount = operation.trades[0].amount;
        refunds += operation.trades.iter().map(|trade| books[&trade.out_trade_no].refunds.len()).sum::<usize>();
        let state = order_of(w, &operation.trades[0]).await.1;
        let (fen, count) = expected.entry(operation.room).or_default();
        let mut credited = |commands: usize, less: Fen| {
            (*fen, *count) = (*fen + amount.0 - less.0, *count + commands);
            assert_eq!(state, "credited", "{back:?}");
        };
        match operation.back {
            Expected::One => {
                credited(1, Fen::ZERO);
                assert!(back == [amount, Fen::ZERO] || back == [Fen::ZERO, amount], "{amount}: {back:?}");
            }
            Expected::All => assert_eq!((back, state.as_str()), (vec![amount], "refunded")),
            Expected::Parts(parts) => {
                credited(3, parts[0] + parts[1]);
                assert_eq!(back, [parts[0] + parts[1]]);
            }
            Expected::AllOrNothing if back == [amount] => assert_eq!(state, "refunded"),
            Expected::AllOrNothing => {
                credited(1, Fen::ZERO);
                assert_eq!(back, [Fen::ZERO]);
            }
        }
    }
    for (&room, &(fen, count)) in expected.iter().filter(|(room, _)| !CLOSED.contains(room)) {
        let meter = site.meter(room);
        assert_eq!((i64::from(meter.cumulative), usize::from(meter.count)), (fen, count), "room {room}");
        let (row, known, _) = site.rooms[room].account_in_ledger(w).await;
        assert_eq!((row, known), (fen, i64::try_from(count).unwrap()), "room {room}: meter's row and count");
    }
    assert_eq!(
        site.held_by_channels(w).await,
        expected.values().map(|(fen, _)| fen).sum::<i64>(),
        "what is left is in the meters"
    );
    for channel in CHANNELS {
        assert_eq!(site.held_by(w, channel).await, site.kept_at(channel), "our books and those of {channel}");
    }
    for account in ["suspense", "refunding"] {
        assert_eq!(site.lies_in(w, account).await, 0, "{account}");
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await, 0);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
    let tries = w.number("SELECT CAST(COALESCE(SUM(tries), 0) AS BIGINT) FROM refunds").await;
    let summary = format!(
        "kill test: {} orders paid, {refunds} refunds asked for {tries} times, {deaths} kills, in {} s: 0 lost, 0 doubled",
        operations.len(),
        begun.elapsed().as_secs()
    );
    Report { summary, kills: deaths }
}

#[derive(Clone, Copy)]
struct Trial<'a> {
    site: &'a Site,
    server: &'a ServerProcess,
    operator: &'a Operator<'a>,
    work: &'a Work,
}

impl Trial<'_> {
    async fn phone(&self, room: usize) -> Phone<'_> {
        Phone::of(self.site, self.operator, room).await
    }

    fn pay(&self, trade: &Trade) {
        assert!(self.site.sandbox.pay(&trade.out_trade_no), "{trade:?}");
    }

    /// Two attempts of one order, both paid.
    async fn twice(&self, room: usize) -> Vec<PaidOrder> {
        let (phone, mut operations) = (self.phone(room).await, Vec::new());
        while self.work.another(self.server) {
            let first = phone.top_up(some_money(self.operator.rng)).await;
            let order = order_of(self.operator.w, &first).await.0;
            let deadline = Instant::now() + PATIENCE;
            let second = loop {
                self.nearly_expire(order).await;
                match timeout(Duration::from_secs(20), phone.again(order)).await {
                    Ok(second) => break second,
                    Err(_) => assert!(Instant::now() < deadline, "no second attempt"),
                }
            };
            assert_ne!(first.out_trade_no, second.out_trade_no);
            let mut trades = vec![first, second];
            if self.operator.rng.below(2) == 0 {
                trades.reverse();
            }
            for trade in &trades {
                self.pay(trade);
                sleep(Duration::from_millis(self.operator.rng.below(200))).await;
            }
            operations.push(PaidOrder { room, trades, back: Expected::One });
        }
        operations
    }

    /// As if minutes had passed: the first attempt has nearly expired, and the channel still accepts it. Had it expired, the
    /// server would close it there.
    async fn nearly_expire(&self, order: OrderId) {
        let soon = SystemClock.now().plus(MINUTE - 10_000);
        let first = "UPDATE payment_attempts SET expires_at = $2
                     WHERE id = (SELECT id FROM payment_attempts WHERE order_id = $1 ORDER BY created_at, id LIMIT 1)";
        bind(&self.operator.w.db, first, order.0, &[soon.0]).await;
    }

    /// A delivered sale is corrected in two parts.
    async fn in_parts(&self, room: usize) -> Vec<PaidOrder> {
        let (phone, mut operations) = (self.phone(room).await, Vec::new());
        while self.work.another(self.server) {
            let trade = phone.top_up(some_money(self.operator.rng)).await;
            self.pay(&trade);
            let order = order_of(self.operator.w, &trade).await.0;
            let parts = [Fen(trade.amount.0 / 3), Fen(trade.amount.0 / 2)];
            for part in parts {
                // Retried until a reading shows it in the meter.
                let form = format!("original={order}&sale=true&amount={part}&reason=wrong");
                self.operator.until_done("/api/operator/correct", &form).await;
            }
            operations.push(PaidOrder { room, trades: vec![trade], back: Expected::Parts(parts) });
        }
        operations
    }

    /// An order is refunded during its delivery: either happens, and never both.
    async fn taken_back(&self, room: usize) -> Vec<PaidOrder> {
        let (phone, mut operations) = (self.phone(room).await, Vec::new());
        let meter = self.site.handle(room);
        while self.work.another(self.server) {
            let silent = self.operator.rng.below(2) == 0;
            if silent {
                meter.fault(LineFault::Silent, 1.0).unwrap();
            }
            let trade = phone.top_up(some_money(self.operator.rng)).await;
            self.pay(&trade);
            let order = order_of(self.operator.w, &trade).await.0;
            let payment = self.operator.wait("the payment to be known", || payment_of(self.operator.w, &trade)).await;
            let form = format!("order={order}&payment={payment}&back=&way=&amount={}&reason=wrong", trade.amount);
            let went = self.operator.ask("/api/operator/refund", &form).await;
            let too_late = ["e=in-the-meter", "e=conflict"].iter().any(|why| went.ends_with(why));
            assert!(too_late || !is_refused(&went), "{went}");
            meter.heal().unwrap();
            trouble(&meter);
            operations.push(PaidOrder { room, trades: vec![trade], back: Expected::AllOrNothing });
        }
        operations
    }

    /// Orders are paid after their account was closed.
    async fn closed(&self, room: usize) -> Vec<PaidOrder> {
        let (phone, mut trades) = (self.phone(room).await, Vec::new());
        for _ in 0..TOO_LATE {
            trades.push(phone.top_up(some_money(self.operator.rng)).await);
        }
        let meter = self.site.rooms[room].meter;
        self.operator.until_done("/api/operator/close-account", &format!("meter={meter}&tender=cash&account=&reason=out")).await;
        trades.iter().for_each(|trade| self.pay(trade));
        trades.into_iter().map(|trade| PaidOrder { room, trades: vec![trade], back: Expected::All }).collect()
    }

    /// Waits until no refund, return or command is pending.
    async fn settle(&self, operations: &[PaidOrder]) {
        let w = self.operator.w;
        let paid = i64::try_from(operations.iter().map(|operation| operation.trades.len()).sum::<usize>()).unwrap();
        self.operator
            .wait("everything to end", || async {
                reset_backoff(w).await;
                let known = w.number("SELECT COUNT(*) FROM payment_attempts WHERE state = 'paid'").await;
                let left = w.number("SELECT COUNT(*) FROM orders WHERE state IN ('paid', 'case', 'refunding')").await
                    + w.number("SELECT COUNT(*) FROM returns WHERE state IN ('waiting', 'taking', 'taken')").await
                    + w.number("SELECT COUNT(*) FROM refunds WHERE state IN ('waiting', 'sending', 'payable')").await
                    + w.number("SELECT COUNT(*) FROM commands WHERE money AND state IN ('queued', 'sending')").await
                    + w.number("SELECT COUNT(*) FROM account_closures WHERE ended_at IS NULL").await
                    // Some cases end with a later reading.
                    + w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await
                    + self.site.lies_in(w, "suspense").await;
                sleep(Duration::from_millis(800)).await;
                (left == 0 && known == paid).then_some(())
            })
            .await;
    }
}

/// The order of a trade and its state.
async fn order_of(w: &World, trade: &Trade) -> (OrderId, String) {
    let sql = "SELECT o.id, o.state FROM payment_attempts p JOIN orders o ON o.id = p.order_id WHERE p.out_trade_no = $1";
    let (id, state): (Uuid, String) = match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_as(sql).bind(&trade.out_trade_no).fetch_one(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_as(sql).bind(&trade.out_trade_no).fetch_one(pool).await.unwrap(),
    };
    (OrderId(id), state)
}

/// The event of a trade's payment.
async fn payment_of(w: &World, trade: &Trade) -> Option<Uuid> {
    let sql = "SELECT e.id FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
               WHERE p.out_trade_no = $1 AND e.kind = 'paid'";
    match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).bind(&trade.out_trade_no).fetch_optional(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).bind(&trade.out_trade_no).fetch_optional(pool).await.unwrap(),
    }
}
