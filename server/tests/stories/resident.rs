//! What residents see and do in their own room only, on both databases.

use app::api::resident::{Cashier, CashierStep, ResidentPort, UsageQuery};
use app::ports::Visit;
use domain::clock::Clock;
use model::account_record::{
    AccountRecord, AccountRecordKind, AccountRecordOf, AccountRecordQuery, PowerChange, SwitchRecord, SwitchedBy,
};
use model::error::AppError;
use model::ids::{CommandId, OrderId};
use model::money::Fen;
use model::order::{CommandState, OrderState, Tender};
use model::time::{DAY, MINUTE, Timestamp};
use story_support::rooms::Room;
use story_support::{World, both};

use crate::resident_site::{ON, OPEN, Site, energy, who};

/// The orders among records, newest first.
fn orders_of(records: &[AccountRecord]) -> Vec<OrderId> {
    let order = |record: &AccountRecord| match &record.of {
        AccountRecordOf::Order(order) => Some(order.order),
        _ => None,
    };
    records.iter().filter_map(order).collect()
}

both!(a_resident_sees_only_their_own_room, |w: World| async move {
    let (mine, other) = (w.room(1).await, w.room(2).await);
    let clerk = w.clerk().await;
    let site = Site::new(w).await;
    let (my_order, their_order) = (site.bought(mine, clerk).await, site.bought(other, clerk).await);
    site.publish_reading(other, ON, 5_000);
    let their_switch = site.residents.switch(&who(other), site.key(), false).await.unwrap();

    let home = site.residents.home(&who(mine)).await.unwrap();
    assert_eq!(home.room.latest.meter, mine.meter);
    assert_eq!(orders_of(&home.records), [my_order]);
    assert_eq!(home.coming, Some((my_order, Fen(5_000))));
    assert_eq!(home.switching, None, "another room's switching is not theirs");
    assert_eq!(site.residents.order(&who(mine), my_order).await.unwrap().state, OrderState::Paid);

    assert_eq!(site.residents.order(&who(mine), their_order).await, Err(AppError::NotFound));
    assert_eq!(site.residents.pay(&who(mine), their_order, &Visit::default()).await, Err(AppError::NotFound));
    assert_eq!(site.residents.command(&who(mine), their_switch).await, Err(AppError::NotFound));
    assert_eq!(site.residents.order(&who(mine), OrderId(site.key())).await, Err(AppError::NotFound));

    // A credit command is on the resident's meter, and still no switching to follow.
    let credit = site.w.word("SELECT CAST(COUNT(*) AS TEXT) FROM commands WHERE kind = 'credit'").await;
    assert_eq!(credit, "2");
    let records = site.residents.records(&who(mine), AccountRecordQuery::default()).await.unwrap();
    assert_eq!((orders_of(&records.records), records.more), (vec![my_order], false), "no switching of another room either");
    let alarms = AccountRecordQuery { kind: Some(AccountRecordKind::Alarm), ..AccountRecordQuery::default() };
    assert!(site.residents.records(&who(mine), alarms).await.unwrap().records.is_empty());
    let switched = AccountRecordQuery { kind: Some(AccountRecordKind::Switch), ..AccountRecordQuery::default() };
    let switched = site.residents.records(&who(other), switched).await.unwrap().records;
    let off = SwitchRecord { change: PowerChange::Off, by: SwitchedBy::Resident, state: CommandState::Queued };
    assert_eq!(switched.into_iter().map(|record| record.of).collect::<Vec<_>>(), [AccountRecordOf::Switch(off)]);
});

both!(a_former_resident_sees_nothing, |w: World| async move {
    let room = w.room(1).await;
    let clerk = w.clerk().await;
    let site = Site::new(w).await;
    let order = site.bought(room, clerk).await;
    site.w.execute("UPDATE account_residents SET to_at = 1").await;
    let me = who(room);
    assert_eq!(site.residents.home(&me).await.unwrap_err(), AppError::AccountNotOpen);
    assert_eq!(site.residents.order(&me, order).await.unwrap_err(), AppError::AccountNotOpen);
    assert_eq!(site.residents.records(&me, AccountRecordQuery::default()).await.unwrap_err(), AppError::AccountNotOpen);
    let topped = site.residents.top_up(&me, site.key(), Fen(5_000), Tender::Alipay).await;
    assert_eq!(topped, Err(AppError::AccountNotOpen));
    assert_eq!(site.residents.switch(&me, site.key(), false).await, Err(AppError::AccountNotOpen));
    assert_eq!(site.residents.me(&me).await.unwrap().room, None, "their own page still opens");
});

both!(a_disabled_switch_states_the_reason, |w: World| async move {
    let room = w.room(1).await;
    let site = Site::new(w).await;
    for (status, expected) in [
        (0, AppError::AccountNotOpen),
        (OPEN | 1 << 4, AppError::OffForArrears),
        (OPEN | 1 << 5, AppError::OffForOverload),
        (OPEN | 1 << 11, AppError::OffForMalignantLoad),
        (ON | 1 << 6, AppError::OnByOperator),
        (OPEN | 1 << 7, AppError::OffByOperator),
    ] {
        site.w.clock.advance(1_000);
        site.publish_reading(room, status, 5_000);
        assert_eq!(site.residents.switch(&who(room), site.key(), false).await, Err(expected), "{status:#b}");
        assert_eq!(site.residents.switch_offer(&who(room)).await.unwrap().refusal, Some(expected));
    }
    site.w.clock.advance(1_000);
    site.publish_reading(room, ON, 5_000);
    site.lose(room);
    assert_eq!(site.residents.switch(&who(room), site.key(), false).await, Err(AppError::MeterLost));
    assert_eq!(site.w.number("SELECT COUNT(*) FROM commands").await, 0, "nothing was decided");
    assert_eq!(site.w.number("SELECT COUNT(*) FROM audit WHERE action = 'meter.switch'").await, 0);
});

both!(a_repeated_switch_request_is_one_command, |w: World| async move {
    let (room, other) = (w.room(1).await, w.room(2).await);
    let site = Site::new(w).await;
    site.publish_reading(room, ON, 5_000);
    site.publish_reading(other, ON, 5_000);
    let key = site.key();
    let person = who(room);
    let doubled = futures::future::join_all((0..4).map(|_| site.residents.switch(&person, key, false))).await;
    assert!(doubled.iter().all(|command| *command == Ok(CommandId(key))), "{doubled:?}");
    assert_eq!(site.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'switch'").await, 1);
    assert_eq!(site.w.number("SELECT COUNT(*) FROM audit WHERE action = 'meter.switch'").await, 1);
    assert_eq!(site.w.word("SELECT args FROM commands").await, r#"{"issue":{"switch":false}}"#);

    let view = site.residents.command(&person, CommandId(key)).await.unwrap();
    assert_eq!((view.on, view.state, view.sent_at), (false, CommandState::Queued, None));
    assert_eq!(site.residents.home(&person).await.unwrap().switching, Some((CommandId(key), false)));

    // The form sent again after the meter was lost is still answered with its command; the key fits nothing else.
    site.w.clock.advance(1_000);
    site.lose(room);
    assert_eq!(site.residents.switch(&person, key, false).await, Ok(CommandId(key)));
    assert_eq!(site.residents.switch(&person, key, true).await, Err(AppError::Conflict));
    assert_eq!(site.residents.switch(&who(other), key, false).await, Err(AppError::Conflict));

    // A newer request supersedes one that was not sent.
    site.publish_reading(room, ON, 5_000);
    let newer = site.residents.switch(&person, site.key(), true).await.unwrap();
    assert_eq!(site.residents.command(&person, CommandId(key)).await.unwrap().state, CommandState::Superseded);
    assert_eq!(site.residents.home(&person).await.unwrap().switching, Some((newer, true)));
});

both!(residents_switch_and_order_within_limits, |w: World| async move {
    let (room, other) = (w.room(1).await, w.room(2).await);
    let site = Site::new(w).await;
    let person = who(room);
    // Many at once count one after the other.
    site.publish_reading(room, ON, 5_000);
    let key = || site.w.rng.id(site.w.clock.now());
    let switched = futures::future::join_all((0..20).map(|n| site.residents.switch(&person, key(), n % 2 == 0))).await;
    let may_be_refused = |n: usize| n % 2 == 1;
    let is_expected = |(n, one): (usize, &Result<CommandId, AppError>)| {
        one.is_ok() || may_be_refused(n) && *one == Err(AppError::SwitchedTooOften)
    };
    assert!(switched.iter().enumerate().all(is_expected), "on it may always be switched: {switched:?}");
    // Off, on, ... on: only changes count, and after twelve it stays on.
    site.w.clock.advance(61 * MINUTE);
    site.publish_reading(room, ON, 5_000);
    let turn = async |on: bool| {
        site.w.clock.advance(1);
        site.residents.switch(&person, key(), on).await
    };
    for n in 0..12 {
        assert!(turn(n % 2 == 1).await.is_ok(), "{n}");
        assert!(turn(n % 2 == 1).await.is_ok(), "{n} again, which switches nothing");
    }
    assert_eq!(turn(false).await, Err(AppError::SwitchedTooOften));
    assert!(turn(true).await.is_ok());
    site.publish_reading(other, ON, 5_000);
    assert!(site.residents.switch(&who(other), key(), false).await.is_ok(), "each room has its own limit");
    site.w.clock.advance(61 * MINUTE);
    site.publish_reading(room, ON, 5_000);
    for _ in 0..20 {
        assert!(turn(false).await.is_ok(), "off while it is off");
    }
    assert!(turn(true).await.is_ok());

    let ordered =
        futures::future::join_all((0..20).map(|_| site.residents.top_up(&person, key(), Fen(100), Tender::Alipay))).await;
    assert_eq!(ordered.iter().filter(|one| one.is_ok()).count(), 10);
    assert!(ordered.iter().all(|one| one.is_ok() || *one == Err(AppError::TooManyPending)), "{ordered:?}");
    assert!(site.residents.top_up(&who(other), key(), Fen(100), Tender::Alipay).await.is_ok());
    site.w.execute("UPDATE orders SET state = 'closed'").await;
    assert!(site.residents.top_up(&person, key(), Fen(100), Tender::Alipay).await.is_ok(), "expired orders do not count");
});

both!(a_top_up_sent_twice_is_one_order, |w: World| async move {
    let (room, other) = (w.room(1).await, w.room(2).await);
    let site = Site::new(w).await;
    site.publish_reading(room, ON, 5_000);
    let person = who(room);
    let key = site.residents.top_up_offer(&person).await.unwrap().pay.key;
    let doubled =
        futures::future::join_all((0..4).map(|_| site.residents.top_up(&person, key, Fen(5_000), Tender::Alipay))).await;
    let order = doubled[0].unwrap();
    assert!(doubled.iter().all(|again| *again == Ok(order)), "{doubled:?}");
    assert_eq!(site.w.number("SELECT COUNT(*) FROM orders").await, 1);
    assert_eq!(site.residents.order(&person, order).await.unwrap().state, OrderState::Pending);
    assert_eq!(site.residents.top_up(&who(other), key, Fen(5_000), Tender::Alipay).await, Err(AppError::Conflict));
    assert_eq!(site.residents.top_up(&person, key, Fen(6_000), Tender::Alipay).await, Err(AppError::Conflict));

    // The cashier's address is of one attempt, however often it is asked for.
    let Cashier::Address(cashier) = site.residents.pay(&person, order, &Visit::default()).await.unwrap() else {
        panic!("no address")
    };
    assert!(cashier.starts_with("https://gateway.example/gateway.do?"), "{cashier}");
    // Inside WeChat no cashier opens; the page explains how to leave, and starts no payment.
    let in_wechat = &Visit { agent: "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50".into(), ..Visit::default() };
    assert_eq!(site.residents.pay(&person, order, in_wechat).await, Ok(Cashier::Page));
    assert_eq!(site.residents.cashier(&person, order, in_wechat).await.unwrap().step, CashierStep::OpenBrowser);
    assert_eq!(site.residents.cashier(&who(other), order, &Visit::default()).await, Err(AppError::NotFound));
    site.residents.pay(&person, order, &Visit::default()).await.unwrap();
    assert_eq!(site.w.number("SELECT COUNT(*) FROM payment_attempts").await, 1);
    assert!(site.residents.order(&person, order).await.unwrap().expires_at.is_some());

    // Sent again it is the same order, whatever has become of the account since.
    site.w.execute("UPDATE account_residents SET to_at = 1").await;
    assert_eq!(site.residents.top_up(&person, key, Fen(5_000), Tender::Alipay).await, Ok(order));
});

both!(a_refused_top_up_makes_no_order, |w: World| async move {
    let room = w.room(1).await;
    let site = Site::new(w).await;
    site.publish_reading(room, ON, 450_000);
    let person = who(room);
    let offer = site.residents.top_up_offer(&person).await.unwrap().pay;
    assert_eq!((offer.min, offer.max), (Fen(100), Fen(50_000)), "the hoarding limit leaves 500 yuan");
    for (amount, tender, expected) in [
        (Fen(99), Tender::Alipay, AppError::AmountOutOfRange),
        (Fen(200_001), Tender::Alipay, AppError::AmountOutOfRange),
        (Fen(5_000), Tender::Cash, AppError::ChannelUnavailable),
    ] {
        assert_eq!(site.residents.top_up(&person, site.key(), amount, tender).await, Err(expected), "{amount} {tender:?}");
    }
    assert_eq!(site.w.number("SELECT COUNT(*) FROM orders").await, 0);
});

both!(consumption_and_forecast_come_from_records, |w: World| async move {
    let room = w.room(1).await;
    let site = Site::new(w).await;
    let now = site.w.clock.now();
    let today = now.date();
    // What was used before the account was theirs says nothing about them.
    energy(&site.w, room, today.0 - 40, 90_000).await;
    site.w.execute("UPDATE account_residents SET from_at = from_at - 8 * 86400000").await;
    for day in 0..=8 {
        energy(&site.w, room, today.0 - day, 2_000).await;
    }
    // 10 kWh in a week, for 5.40 yuan, across a purchase of 50 yuan.
    reading(&site.w, room, now.plus(-6 * DAY), ON, 100_000, 1_000).await;
    reading(&site.w, room, now.plus(-MINUTE), ON, 110_000, 5_460).await;
    let clerk = site.w.clerk().await;
    let order = site.bought(room, clerk).await;
    credited(&site.w, order, now.plus(-3 * DAY)).await;
    site.publish_reading(room, ON, 5_460);

    let home = site.residents.home(&who(room)).await.unwrap();
    // 54.60 yuan at 2 kWh x 0.54 a day.
    assert_eq!(home.forecast.map(|forecast| (forecast.days, forecast.over)), Some((50, 7)));
    assert_eq!(home.days.len(), 8);
    assert_eq!(home.off_since, None);

    let usage = site.residents.usage(&who(room), UsageQuery::default()).await.unwrap();
    assert_eq!((usage.days.len(), usage.day), (30, today));
    assert_eq!(usage.days.iter().filter(|used| used.energy.is_some()).count(), 9);
    let query = UsageQuery { day: Some(today.plus(1)), ..UsageQuery::default() };
    let outside = site.residents.usage(&who(room), query).await.unwrap();
    assert_eq!(outside.day, today, "a day that is not among them is today");
});

both!(a_room_with_little_consumption_takes_the_site_price, |w: World| async move {
    let (new, old, buyer) = (w.room(1).await, w.room(2).await, w.room(3).await);
    let clerk = w.clerk().await;
    let now = w.clock.now();
    w.execute("UPDATE account_residents SET from_at = from_at - 8 * 86400000").await;
    for day in 1..=7 {
        energy(&w, new, now.date().0 - day, 2_000).await;
    }
    reading(&w, old, now.plus(-60 * MINUTE), ON, 100_000, 9_000).await;
    latest(&w, old, now, 101_000, 8_946).await;
    // Its purchase would make the site's power look free.
    reading(&w, buyer, now.plus(-60 * MINUTE), ON, 100_000, 9_000).await;
    latest(&w, buyer, now, 101_000, 13_946).await;
    let site = Site::new(w).await;
    site.bought(buyer, clerk).await;
    site.publish_reading(new, ON, 1_080);
    let forecast = site.residents.home(&who(new)).await.unwrap().forecast;
    assert_eq!(forecast.map(|forecast| forecast.days), Some(10), "10.80 yuan at 2 kWh x 0.54 a day");
});

both!(off_since_is_the_first_reading_of_the_gap, |w: World| async move {
    let room = w.room(1).await;
    let site = Site::new(w).await;
    let now = site.w.clock.now();
    for (minutes, status) in [(50, OPEN), (40, ON), (30, OPEN | 1 << 4), (20, OPEN | 1 << 4), (10, OPEN | 1 << 4)] {
        reading(&site.w, room, now.plus(-minutes * MINUTE), status, 1_000, 0).await;
    }
    site.publish_reading(room, OPEN | 1 << 4, 0);
    let moved_in = "UPDATE account_residents SET from_at = $2 WHERE user_id = $1";
    for (minutes, off_since) in [(60, -30), (25, -20)] {
        story_support::bind(&site.w.db, moved_in, room.resident.0, &[now.plus(-minutes * MINUTE).0]).await;
        let home = site.residents.home(&who(room)).await.unwrap();
        assert_eq!(home.off_since, Some(now.plus(off_since * MINUTE)), "nothing from before they moved in");
        assert_eq!(home.forecast, None);
    }
});

async fn reading(w: &World, room: Room, at: Timestamp, status: u16, total_wh: i64, remaining: i64) {
    let sql =
        "INSERT INTO readings (meter_id, at, quality, source, status, total_wh, reverse_wh, remaining_fen, power_w, voltage_dv,
                                     current_ca, power_factor) VALUES ($1, $2, 0, 0, $3, $4, 0, $5, 0, 0, 0, 0)";
    story_support::bind(&w.db, sql, room.meter.0, &[at.0, i64::from(status), total_wh, remaining]).await;
}

async fn latest(w: &World, room: Room, at: Timestamp, total_wh: i64, remaining: i64) {
    let sql = "INSERT INTO meter_latest (meter_id, observed_at, status, total_wh, remaining_fen, cumulative_fen, count, epoch,
                                         reverse_wh, power_w, voltage_dv, current_ca, power_factor)
               VALUES ($1, $2, 3, $3, $4, 0, 0, 1, 0, 0, 0, 0, 0)";
    story_support::bind(&w.db, sql, room.meter.0, &[at.0, total_wh, remaining]).await;
}

async fn credited(w: &World, order: OrderId, at: Timestamp) {
    story_support::bind(&w.db, "UPDATE orders SET state = 'credited', credited_at = $2 WHERE id = $1", order.0, &[at.0]).await;
}
