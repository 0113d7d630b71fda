//! After a change of merchant or application the payments of the former one are still queried, refunded and reconciled; on both
//! databases.

use std::net::Ipv4Addr;

use model::money::Fen;
use model::order::Tender;
use model::refund::RefundState;
use model::time::{MINUTE, SECOND};
use payments::channel::Channel;
use payments::reconcile::FetchOutcome;
use payments::wechat::VerifyConfig;
use payments::{AlipayConfig, Config, FormerMerchants, WechatConfig};
use sandbox::{Faults, Keys, Sandbox};
use server::tasks::Task;
use server::tasks::expiries::WatchExpiries;
use services::host::Host;
use store::refunds::RefundSubject;
use story_support::refunding::BY_HAND;
use story_support::shop::{PHONE, Shop};
use story_support::{World, both};

/// The bank of the new merchant.
async fn new_bank(shop: &Shop) -> Sandbox {
    let mut keys = Keys::generate().unwrap();
    (keys.app_id, keys.seller_id) = ("2021000000000002".into(), "2088000000000002".into());
    let config = sandbox::Config {
        address: (Ipv4Addr::LOCALHOST, 0).into(),
        keys,
        speed: 60_000,
        clock: shop.bank_clock.clone(),
        rng: shop.world.rng.clone(),
    };
    sandbox::start(config).await.unwrap()
}

/// The new merchant at Alipay, with the former one or without.
fn config(shop: &Shop, bank: &Sandbox, former: bool) -> Config {
    let quick = |sandbox: &Sandbox| AlipayConfig { timeout_ms: 300, ..sandbox.product_config("127.0.0.1") };
    let alipay = if former { vec![quick(&shop.sandbox)] } else { Vec::new() };
    Config { alipay: Some(quick(bank)), former: FormerMerchants { alipay, ..FormerMerchants::default() }, ..Config::default() }
}

both!(old_payments_are_queried_and_refunded_by_their_merchant, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (_, paid) = shop.paid(3_000).await;
    shop.wait(SECOND);
    let (waiting, unheard) = shop.at_the_cashier(4_000).await;
    shop.sandbox.set_faults(Faults { mute: true, ..Faults::default() });
    assert!(shop.sandbox.pay(&unheard));
    let bank = new_bank(&shop).await;
    let (forgotten, complete) = (config(&shop, &bank, false), config(&shop, &bank, true));
    let of = RefundSubject::Payment(shop.payment(&paid).await);

    // Its credentials are gone: nothing is asked of the new merchant, and that is said at once.
    let shop = shop.with(forgotten).await;
    let row = shop.ask(&shop.refund_request(clerk, of, 3_000)).await.unwrap();
    shop.wait(12 * SECOND);
    assert_eq!(shop.give_back().await.unwrap_err(), "none of 1 refunds could be requested");
    assert_eq!(shop.query().await.unwrap_err(), "none of 1 queries was answered");
    let waits = "SELECT COUNT(*) FROM refunds WHERE state = 'sending' AND obstacle = 'no-merchant'";
    assert_eq!(shop.world.number(waits).await, 1);
    let case = "SELECT COUNT(*) FROM cases WHERE kind = 'refund' AND closed_at IS NULL AND detail LIKE '%no-merchant%'";
    assert_eq!(shop.world.number(case).await, 1);
    let watch = |payments| async {
        WatchExpiries { context: shop.world.context().await, payments, host: Host::default() }.run().await.unwrap().summary
    };
    watch(shop.payments.clone()).await;
    let off = "SELECT detail FROM cases WHERE kind = 'channel-off' AND closed_at IS NULL";
    assert!(shop.world.word(off).await.contains("pay.former.alipay: 2088000000000001 2021000000000001"));

    // They are back, beside the new merchant's.
    let shop = shop.with(complete).await;
    shop.sandbox.set_faults(Faults::default());
    for _ in 0..3 {
        shop.wait(MINUTE);
        shop.query().await.unwrap();
        shop.give_back().await.unwrap();
    }
    assert_eq!((shop.state(waiting).await.as_str(), shop.now(&row).await), ("paid", RefundState::Done));
    assert_eq!(shop.trade(&paid).refunded(), Fen(3_000));
    let (context, payments) = (shop.world.context().await, shop.payments.clone());
    WatchExpiries { context, payments, host: Host::default() }.run().await.unwrap();
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await, 0);

    // New payments go to the new merchant, and its keys verify its messages only.
    let started = shop.start(&shop.top_up(5_000), &PHONE).await.unwrap();
    let number = shop.visit(&started.cashier).await;
    assert!(shop.sandbox.books().iter().all(|trade| trade.out_trade_no != number));
    assert!(bank.pay(&number));
    for _ in 0..500 {
        if shop.state(started.order.id).await == "paid" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(shop.state(started.order.id).await, "paid");

    // The day's statement is both merchants'.
    let day = shop.today();
    shop.next_day(11);
    assert!(matches!(shop.fetches(Tender::Alipay, day).await, FetchOutcome::Compared(..)));
    let settled = shop.day(Tender::Alipay, day).await;
    assert_eq!((settled.statement, settled.equal_lines), (Fen(3_000 + 4_000 - 3_000 + 5_000), 4));
    assert_eq!(shop.money(Tender::Alipay, day).await, []);
    shop.proved().await;
});

both!(a_message_is_verified_by_the_merchant_it_names, |w: World| async move {
    let shop = Shop::open(w).await;
    let bank = new_bank(&shop).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    let complete = config(&shop, &bank, true);
    let shop = shop.with(complete).await;
    // The old trade's number, signed by the new merchant's Alipay: it names the new merchant, and does not fit.
    let started = shop.start(&shop.top_up(6_000), &PHONE).await.unwrap();
    shop.visit(&started.cashier).await;
    assert_eq!(shop.payments.merchants().len(), 2);
    let faults =
        Faults { app_id: Some("2021000000000001".into()), seller_id: Some("2088000000000001".into()), ..Faults::default() };
    bank.set_faults(faults);
    let second = shop.number(started.order.id).await;
    assert!(bank.pay(&second));
    // Signed by the new merchant's keys and naming the former one, whose keys do not verify it: forged.
    for _ in 0..300 {
        if bank.books()[0].notified >= 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(bank.books()[0].acknowledged, 0);
    // Counted at the merchant that it names.
    let forged: Vec<u64> = shop.payments.merchants().iter().map(|merchant| merchant.health().report().forged).collect();
    assert!(forged[0] == 0 && forged[1] >= 2, "{forged:?}");
    assert_eq!((shop.state(order).await, shop.state(started.order.id).await), ("pending".into(), "pending".into()));
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM payment_events").await, 0);
    // The former merchant's own message is accepted.
    let notify_url = Some(format!("http://{}/pay/alipay/notify", shop.address));
    shop.sandbox.set_faults(Faults { notify_url, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.state(order).await, "paid");
    let accepted: Vec<bool> =
        shop.payments.merchants().iter().map(|merchant| merchant.health().report().notified_at.is_some()).collect();
    assert_eq!(accepted, [false, true], "and noted as its own");
});

both!(a_former_merchant_fetches_its_own_new_certificate, |w: World| async move {
    let shop = Shop::open(w).await;
    let first = shop.sandbox.sign_wechat_with_certificate(0x5157).unwrap();
    let verify = vec![VerifyConfig { certificate: Some(first), ..VerifyConfig::default() }];
    let own = WechatConfig { verify, timeout_ms: 300, ..shop.sandbox.wechat_config("127.0.0.1") };
    let shop = shop.with(Config { wechat: Some(own.clone()), ..Config::default() }).await;
    let (order, number) = shop.reach(Tender::WechatPay, 5_000).await;
    // Another application takes the place of the first; it already knows the certificate that follows.
    let second = shop.sandbox.sign_wechat_with_certificate(0x6666).unwrap();
    let verify = vec![VerifyConfig { certificate: Some(second), ..VerifyConfig::default() }];
    let current = WechatConfig { app_id: "wx2026112300000002".into(), verify, ..own.clone() };
    let former = FormerMerchants { wechat: vec![own], ..FormerMerchants::default() };
    shop.sandbox.set_faults(Faults { mute: true, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    let shop = shop.with(Config { wechat: Some(current), former, ..Config::default() }).await;
    let notify_url = Some(format!("http://{}/pay/wechat/notify", shop.address));
    shop.sandbox.set_faults(Faults { notify_url, ..Faults::default() });
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged >= 1).await;
    assert_eq!(shop.state(order).await, "paid");
    let accepted: Vec<bool> =
        shop.payments.merchants().iter().map(|merchant| merchant.health().report().notified_at.is_some()).collect();
    assert_eq!(accepted, [false, true]);
});

both!(a_channel_without_a_current_merchant_holds_up_no_other, |w: World| async move {
    let shop = Shop::open(w).await;
    shop.paid(3_000).await;
    // Payments through Alipay have ended. Its last merchant stays configured, and is not used for days.
    let alipay = vec![AlipayConfig { timeout_ms: 300, ..shop.sandbox.product_config("127.0.0.1") }];
    let wechat = Some(WechatConfig { timeout_ms: 300, ..shop.sandbox.wechat_config("127.0.0.1") });
    let former = FormerMerchants { alipay, ..FormerMerchants::default() };
    let shop = shop.with(Config { wechat, former, ..Config::default() }).await;
    for _ in 0..4 {
        shop.next_day(9);
    }
    let day = shop.today();
    shop.pays(Tender::WechatPay, 5_000).await;
    shop.next_day(11);
    shop.reconciles().await.unwrap();
    let settled = shop.day(Tender::WechatPay, day).await;
    assert_eq!((settled.statement, settled.equal_lines), (Fen(5_000), 1));
});
