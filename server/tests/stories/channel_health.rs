//! Channels that are switched off by a wrong configuration, and how the others answer; on both databases.

use app::api::channels::{ChannelState, ChannelsPort};
use domain::clock::Clock;
use model::order::{ChannelFailure, Tender};
use model::person::Role;
use model::time::{DAY, MINUTE, SECOND};
use notify::Channels;
use payments::channel::Channel;
use payments::health::HealthReport;
use payments::{AlipayConfig, Config, FormerMerchants, UnionpayConfig};
use sandbox::Faults;
use server::tasks::Task;
use server::tasks::expiries::WatchExpiries;
use server::tasks::watch_alarms::WatchAlarms;
use services::channels::ChannelsService;
use services::host::Host;
use story_support::shop::{Counts, Shop};
use story_support::web::Web;
use story_support::{World, both};

use super::certificate_expiry::certificate;

fn report(shop: &Shop, channel: Tender) -> HealthReport {
    shop.payments.any_merchant(channel).unwrap().health().report()
}

both!(an_expired_certificate_switches_off_one_channel, |w: World| async move {
    let shop = Shop::open(w).await;
    let w = &shop.world;
    let expired = Some(certificate(&shop, w.clock.now().plus(-DAY)));
    let unionpay = UnionpayConfig { certificate: expired, ..shop.sandbox.unionpay_config("127.0.0.1") };
    let pay = Config {
        public_url: format!("http://{}", shop.address),
        alipay: Some(shop.sandbox.product_config("127.0.0.1")),
        unionpay: Some(unionpay),
        // A wrong merchant number.
        wechat: Some(payments::WechatConfig { mchid: "1".into(), ..shop.sandbox.wechat_config("127.0.0.1") }),
        ..Config::default()
    };
    let mut config = server::config::Config { pay: pay.clone(), ..server::config::Config::default() };
    config.server.address.set_port(0);
    let web = Web::with(w, config, w.clock.clone()).await;
    let operator = web.person(w, Role::Manager, "boss").await;
    let wall = operator.get("/wall").await.text().await.unwrap();
    assert!(wall.contains("支付渠道已停用") && wall.contains("银联") && !wall.contains("支付宝"), "{wall}");
    assert!(wall.contains("class=\"trial\""), "a gateway on this machine charges nobody: {wall}");
    let page = operator.get("/channels").await.text().await.unwrap();
    for word in ["pay.unionpay.certificate", "pay.wechat.mchid", "2088000000000001"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    let health = web.visitor().get("/health").await;
    assert_eq!(health.status(), 200);
    assert_eq!(health.text().await.unwrap(), "ok\nalipay: unknown\nwechat: off\nunionpay: off");
    // The channel sends its notification again; one that nobody configured has nothing to send.
    let notify = async |channel: &str| {
        let request = web.client.post(format!("{}/pay/{channel}/notify", web.base));
        request.header("content-type", "application/x-www-form-urlencoded").body("a=b").send().await.unwrap().status().as_u16()
    };
    assert_eq!((notify("unionpay").await, notify("wechat").await, notify("alipay").await), (503, 503, 400));
    // One case for each, which closes by itself and opens again.
    let off = "SELECT COUNT(*) FROM cases WHERE kind = 'channel-off' AND closed_at IS NULL";
    let shop = shop.with(pay.clone()).await;
    let task = |payments| async {
        WatchExpiries { context: shop.world.context().await, payments, host: Host::default() }.run().await.unwrap().summary
    };
    for _ in 0..2 {
        assert_eq!(task(shop.payments.clone()).await, "0 watched, 0 near their end, 2 switched off");
    }
    assert_eq!(shop.world.number(off).await, 2);
    let good = Config { wechat: None, unionpay: None, ..pay };
    let (db, clock, rng) = (shop.world.db.clone(), shop.world.clock.clone(), shop.world.rng.clone());
    let mended = payments::Payments::new(&good, db, clock, rng, std::sync::Arc::new(|| {})).unwrap();
    task(mended).await;
    assert_eq!(shop.world.number(off).await, 0);
    task(shop.payments.clone()).await;
    assert_eq!(shop.world.number(off).await, 2);
    // Everything else runs.
    assert_eq!(shop.payments.tenders(), [Tender::Alipay]);
    let (order, number) = shop.at_the_cashier(5_000).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("paid", Counts { cases: 2, ..Counts::ONCE }));
});

both!(a_channel_that_is_switched_off_is_an_alarm_at_once, |w: World| async move {
    let shop = Shop::open(w).await;
    let wechat = Some(shop.sandbox.wechat_config("127.0.0.1"));
    let good = Config { public_url: format!("http://{}", shop.address), wechat, ..Config::default() };
    let wechat = Some(payments::WechatConfig { mchid: "1".into(), ..shop.sandbox.wechat_config("127.0.0.1") });
    let wrong = Config { wechat, ..good.clone() };
    let down = "SELECT COUNT(*) FROM events WHERE kind = 'channel-down' AND subject = 'wechat' AND until_at IS NULL";
    let watch = async |config: &Config| {
        let (db, clock, rng) = (shop.world.db.clone(), shop.world.clock.clone(), shop.world.rng.clone());
        let payments = payments::Payments::new(config, db, clock, rng, std::sync::Arc::new(|| {})).unwrap();
        let watch = WatchAlarms::new(shop.world.context().await, payments, Channels::default(), Host::default());
        watch.observe(shop.world.clock.now()).await.unwrap();
        shop.world.number(down).await
    };
    assert_eq!((watch(&wrong).await, watch(&wrong).await), (1, 1));
    // It is over when the configuration is right, before anybody pays.
    watch(&good).await;
    shop.wait(MINUTE);
    assert_eq!(watch(&good).await, 0);
});

both!(a_former_merchant_that_is_off_leaves_its_channel_on, |w: World| async move {
    let shop = Shop::open(w).await;
    let w = &shop.world;
    let own = shop.sandbox.product_config("127.0.0.1");
    let former = FormerMerchants { alipay: vec![AlipayConfig { app_id: "1".into(), ..own.clone() }], ..Default::default() };
    let url = format!("http://{}", shop.address);
    let pay = Config { public_url: url, alipay: Some(own), former, ..Config::default() };
    let mut config = server::config::Config { pay, ..server::config::Config::default() };
    config.server.address.set_port(0);
    let web = Web::with(w, config, w.clock.clone()).await;
    let health = web.visitor().get("/health").await.text().await.unwrap();
    assert_eq!(health, "ok\nalipay: unknown\nalipay (former merchant): off");
    let operator = web.person(w, Role::Manager, "boss").await;
    let wall = operator.get("/wall").await.text().await.unwrap();
    assert!(wall.contains("支付宝（原商户）"), "{wall}");
});

both!(health_tells_success_failure_and_clock_skew, |w: World| async move {
    let shop = Shop::open(w).await;
    for channel in [Tender::Alipay, Tender::WechatPay, Tender::UnionPay] {
        shop.wait(SECOND);
        let (_, number) = shop.reach(channel, 5_000).await;
        shop.wait(12 * SECOND);
        let before = shop.world.clock.now();
        shop.sandbox.set_faults(Faults { status: Some(502), ..Faults::default() });
        shop.query().await.unwrap_err();
        let failing = report(&shop, channel);
        let failed = failing.failed.as_ref().map(|failed| (failed.at, failed.failure, failed.detail.as_str()));
        assert!(failing.is_failing() && failed == Some((before, ChannelFailure::Status, "HTTP 502")), "{failing:?}");
        shop.sandbox.set_faults(Faults::default());
        // The channel's clock goes two minutes fast.
        shop.bank_clock.advance(2 * MINUTE);
        shop.wait(MINUTE);
        shop.query().await.unwrap();
        let report = report(&shop, channel);
        assert!(!report.is_failing() && report.succeeded_at == Some(shop.world.clock.now()), "{report:?}");
        assert!(report.is_skewed() && report.skew_ms == Some(2 * MINUTE), "{report:?}");
        // `/health` has the same.
        let summary = ChannelsService::new(shop.world.context().await, shop.payments.clone()).summary();
        let told = summary.iter().find(|status| status.channel == channel).unwrap();
        assert_eq!((told.state, told.succeeded_at), (ChannelState::ClockSkewed, Some(shop.world.clock.now())));
        assert_eq!((told.failed.as_ref().map(|(at, ..)| *at), told.skew_s), (Some(before), Some(120)));
        shop.world.clock.advance(2 * MINUTE);
        assert!(shop.sandbox.pay(&number));
        shop.until(&number, |trade| trade.acknowledged == 1).await;
        let told = self::report(&shop, channel);
        assert_eq!(told.notified_at, Some(shop.world.clock.now()));
    }
});

both!(forgeries_and_probes_are_counted_apart, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.reach(Tender::WechatPay, 5_000).await;
    let counted = || {
        let report = report(&shop, Tender::WechatPay);
        (report.forged, report.probes)
    };
    // The sandbox repeats what was refused.
    shop.sandbox.set_faults(Faults { probe: true, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |_| counted().1 >= 2).await;
    assert_eq!(counted().0, 0);
    shop.sandbox.set_faults(Faults { falsify: true, ..Faults::default() });
    // One is sent after the other: behind the first forgery no probe is on its way.
    shop.until(&number, |_| counted().0 >= 1).await;
    let probes = counted().1;
    shop.until(&number, |_| counted().0 >= 3).await;
    assert_eq!(counted().1, probes);
    assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("pending", Counts::NONE));
});

both!(notifications_of_another_media_type_are_refused, |w: World| async move {
    let shop = Shop::open(w).await;
    for (channel, media_type, status) in [
        ("alipay", "application/json", 415),
        ("alipay", "multipart/form-data; boundary=x", 415),
        ("alipay", "APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8", 400),
        ("wechat", "application/x-www-form-urlencoded", 415),
        ("wechat", "text/plain", 415),
        ("wechat", "application/json;charset=UTF-8", 400),
        ("unionpay", "application/json", 415),
        ("unionpay", "application/x-www-form-urlencoded", 400),
    ] {
        let request = shop.http.post(format!("http://{}/pay/{channel}/notify", shop.address)).body("{}");
        let answer = request.header("content-type", media_type).send().await.unwrap();
        assert_eq!(answer.status(), status, "{channel} {media_type}");
    }
    let bare = shop.http.post(format!("http://{}/pay/alipay/notify", shop.address)).body("a=b").send().await.unwrap();
    assert_eq!(bare.status(), 415);
    // They are counted, each at its channel.
    let unread = [Tender::Alipay, Tender::WechatPay, Tender::UnionPay].map(|channel| report(&shop, channel).unread);
    assert_eq!(unread, [3, 2, 1]);
});

both!(no_channel_is_offered_when_none_is_configured, |w: World| async move {
    let room = w.room(1).await;
    let config = Config::default();
    let paid = std::sync::Arc::new(|| {});
    let payments = payments::Payments::new(&config, w.db.clone(), w.clock.clone(), w.rng.clone(), paid).unwrap();
    assert!(payments.tenders().is_empty() && payments.form_origins().is_empty());
    let top_up = store::orders::NewOrder {
        key: room.account.0,
        account: room.account,
        meter: room.meter,
        tender: model::order::Tender::Alipay,
        amount: model::money::Fen(5_000),
        by: room.resident,
        ip: String::new(),
    };
    assert_eq!(payments.create_order(&top_up).await.unwrap_err(), model::error::AppError::ChannelUnavailable);
    assert_eq!(w.number("SELECT COUNT(*) FROM orders").await, 0);
});
