//! Payments by others: by a resident of another room, who names room and person, and by the link of a reminder.

use ::residents::reminders;
use app::api::other_rooms::OtherRoomsPort;
use app::api::pay_links::PayLinksPort;
use app::api::resident::{Cashier, CashierStep, ResidentPort};
use app::ports::{Role, Visit, Who};
use domain::clock::Clock;
use estate::site_options;
use model::account_record::{AccountRecordOf, AccountRecordQuery, OtherRoom};
use model::error::AppError;
use model::ids::OrderId;
use model::money::Fen;
use model::notification::NotificationChannel;
use model::order::Tender;
use model::site_option::SiteOption;
use model::time::DAY;
use notify::queue;
use story_support::{World, both};

use crate::resident_site::{ON, Site, who};

/// What a resident's records say of an order.
async fn recorded(site: &Site, resident: &Who, order: OrderId) -> Option<OtherRoom> {
    let query = AccountRecordQuery { page: 1, ..AccountRecordQuery::default() };
    let records = site.residents.records(resident, query).await.unwrap().records;
    let found: Vec<_> = records
        .into_iter()
        .filter_map(|record| match record.of {
            AccountRecordOf::Order(record) if record.order == order => Some(record.other_room),
            _ => None,
        })
        .collect();
    assert_eq!(found.len(), 1, "in the records once");
    found.into_iter().next().flatten()
}

/// Gives every resident a confirmed phone number.
async fn with_phones(w: &World) {
    w.execute(
        "INSERT INTO alert_addresses (user_id, channel, address, verified_at)
         SELECT DISTINCT user_id, 'sms', '13800138001', 0 FROM account_residents",
    )
    .await;
    w.execute(
        "INSERT INTO alert_preferences (user_id, language, is_off, alarm1, alarm2, tonight, recharge, quiet_from, quiet_until)
         SELECT DISTINCT user_id, 'zh-CN', FALSE, TRUE, TRUE, TRUE, TRUE, 0, 0 FROM account_residents",
    )
    .await;
}

async fn newest_link(w: &World) -> String {
    let contents = w.word("SELECT contents FROM notifications WHERE kind = 'top-up' ORDER BY asked_at DESC LIMIT 1").await;
    contents.split("https://power.example/p/").nth(1).unwrap()[..48].to_owned()
}

both!(others_pay_by_name_and_by_link_and_see_nothing_else, |w: World| async move {
    let (mine, theirs, third) = (w.room(1).await, w.room(2).await, w.room(3).await);
    let site = Site::new(w).await;
    let (residents, w) = (&site.residents, &site.w);
    let (me, them, stranger) = (who(mine), who(theirs), who(third));

    let find = async |room: &str, name: &str| residents.find_room(&me, room, name).await;
    assert_eq!(find("2", "resident2").await, Err(AppError::NotFound), "the site does not allow it");
    let boss = Who { user: w.clerk().await, role: Role::Admin, ..me.clone() };
    site_options::set(&w.db, w.clock.now(), &boss, SiteOption::PayForOthers, true).await.unwrap();
    assert_eq!(find("2", "resident1").await, Err(AppError::NotFound), "a name of another room");
    // Having lived there before makes no difference.
    let once = "INSERT INTO account_residents (account_id, user_id, from_at, to_at)
                SELECT h.account_id, $1, 1, 2 FROM account_residents h JOIN users u ON u.id = h.user_id
                WHERE u.login = 'resident2'";
    story_support::bind(&w.db, once, mine.resident.0, &[]).await;
    let ticket = find(" 2 ", "Resident2").await.unwrap();
    let offer = residents.other_room(&me, &ticket).await.unwrap();
    assert_eq!((&*offer.place, &*offer.resident), ("2", "r**"));
    assert_eq!(residents.other_room(&stranger, &ticket).await.unwrap_err(), AppError::LinkEnded, "of its payer alone");
    let paid = (Fen(3_000), Tender::Alipay);
    let for_them_key = site.key();
    let order = residents.top_up_other(&me, &ticket, for_them_key, paid).await.unwrap();
    let for_them = Some(OtherRoom::PaidFor("2".to_owned()));
    let by_me = Some(OtherRoom::PaidBy("r**".to_owned()));
    site.publish_reading(theirs, ON, 4_200);
    let seen = residents.order(&me, order).await.unwrap();
    assert_eq!((seen.other_room, seen.remaining, seen.power), (for_them.clone(), None, None));
    let to_them = residents.order(&them, order).await.unwrap();
    assert_eq!((to_them.other_room, to_them.other_channels), (by_me.clone(), Vec::new()));
    assert_eq!(residents.change_channel(&them, order, Tender::WechatPay).await, Err(AppError::NotFound), "its payer alone pays");
    assert_eq!(residents.order(&stranger, order).await.unwrap_err(), AppError::NotFound);
    assert_eq!(recorded(&site, &me, order).await, for_them);
    assert_eq!(recorded(&site, &them, order).await, by_me);
    for _ in 0..8 {
        assert_eq!(find("2", "x").await, Err(AppError::NotFound));
    }
    assert_eq!(find("2", "resident2").await, Err(AppError::RateLimited), "the eleventh in an hour");
    // Trying amounts does not find out the balance: refused orders count.
    let mut tried = Vec::new();
    for _ in 0..5 {
        tried.push(residents.top_up_other(&me, &ticket, site.key(), (Fen(1), Tender::Alipay)).await.unwrap_err());
    }
    assert_eq!(tried, [[AppError::AmountOutOfRange; 4].as_slice(), &[AppError::RateLimited]].concat());

    let address = "https://power.example";
    reminders::choose(&w.db, w.clock.now(), &me, Some(Fen(2_000))).await.unwrap();
    site.publish_reading(mine, ON, 1_500);
    assert_eq!(residents.remind(address).await.unwrap(), 0, "nobody knows where");
    with_phones(w).await;
    assert_eq!(residents.remind(address).await.unwrap(), 1);
    assert_eq!(residents.remind(address).await.unwrap(), 0, "once");
    let link = newest_link(w).await;
    let visit = Visit { ip: "192.0.2.9".to_owned(), ..Visit::default() };
    assert_eq!(residents.pay_link_offer(&link, &visit).await.unwrap().place, "1");
    let linked = residents.pay_by_link(&link, site.key(), paid, &visit).await.unwrap();
    assert!(matches!(residents.pay_link_order(&link, linked, &visit).await, Ok(Cashier::Address(_))));
    let shown = residents.link_order(&link, linked, &visit).await.unwrap();
    assert_eq!(shown.amount, Fen(3_000));
    assert!(matches!(shown.step, Some(CashierStep::Follow(_))));
    assert_eq!(residents.order(&me, linked).await.unwrap().other_room, None, "it is of the room itself");
    assert_eq!(residents.link_order(&link, order, &visit).await.unwrap_err(), AppError::NotFound, "only what it made");

    w.clock.advance(1_000);
    reminders::choose(&w.db, w.clock.now(), &me, Some(Fen(1_000))).await.unwrap();
    assert_eq!(residents.pay_link_offer(&link, &visit).await.unwrap_err(), AppError::LinkEnded, "another balance was chosen");
    assert_eq!(queue::drop_obsolete(&w.db, w.clock.now(), NotificationChannel::Sms).await.unwrap(), 1);
    assert_eq!(w.word("SELECT reason FROM notifications WHERE kind = 'top-up'").await, "withdrawn");
    site.publish_reading(mine, ON, 900);
    assert_eq!(residents.remind(address).await.unwrap(), 1);
    site.publish_reading(mine, ON, 3_900);
    assert_eq!(residents.remind(address).await.unwrap(), 0);
    assert_eq!(queue::drop_obsolete(&w.db, w.clock.now(), NotificationChannel::Sms).await.unwrap(), 1);
    assert_eq!(w.word("SELECT reason FROM notifications WHERE kind = 'top-up'").await, "over");
    let link = newest_link(w).await;
    assert!(residents.pay_link_offer(&link, &visit).await.is_ok());
    let left = "UPDATE account_residents SET to_at = $2 WHERE user_id = $1 AND to_at IS NULL";
    story_support::bind(&w.db, left, mine.resident.0, &[3]).await;
    assert_eq!(residents.pay_link_offer(&link, &visit).await.unwrap_err(), AppError::LinkEnded, "they have left the room");
    w.execute("UPDATE account_residents SET to_at = NULL WHERE to_at = 3").await;
    let key = site.key();
    let linked = residents.pay_by_link(&link, key, paid, &visit).await.unwrap();
    while residents.pay_by_link(&link, site.key(), paid, &visit).await.is_ok() {}
    assert_eq!(residents.pay_by_link(&link, key, paid, &visit).await, Ok(linked), "sent again it is not one too many");
    w.clock.advance(3 * DAY);
    assert_eq!(residents.pay_link_offer(&link, &visit).await.unwrap_err(), AppError::LinkEnded, "too old");
    assert_eq!(residents.other_room(&me, &ticket).await.unwrap_err(), AppError::LinkEnded, "too old as well");
    assert_eq!(residents.top_up_other(&me, &ticket, for_them_key, paid).await, Ok(order), "what was ordered in time stays so");
    site_options::set(&w.db, w.clock.now(), &boss, SiteOption::PayForOthers, false).await.unwrap();
    assert_eq!(residents.other_room(&me, &ticket).await.unwrap_err(), AppError::NotFound, "the site forbids it again");
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action IN ('alert.reminder', 'site.pay-for-others')").await, 4);
});

both!(what_others_leave_unpaid_keeps_no_resident_from_paying, |w: World| async move {
    let (theirs, others) = (w.room(1).await, [w.room(2).await, w.room(3).await, w.room(4).await]);
    let site = Site::new(w).await;
    let (residents, w) = (&site.residents, &site.w);
    let boss = Who { user: w.clerk().await, role: Role::Admin, ..who(theirs) };
    site_options::set(&w.db, w.clock.now(), &boss, SiteOption::PayForOthers, true).await.unwrap();
    let paid = (Fen(1_000), Tender::Alipay);
    let mut refused = Vec::new();
    for other in others {
        let other = who(other);
        let ticket = residents.find_room(&other, "1", "resident1").await.unwrap();
        for _ in 0..5 {
            refused.extend(residents.top_up_other(&other, &ticket, site.key(), paid).await.err());
        }
    }
    assert_eq!(refused, [AppError::TooManyPending; 5], "of the third");
    assert!(residents.top_up(&who(theirs), site.key(), paid.0, paid.1).await.is_ok());
});
