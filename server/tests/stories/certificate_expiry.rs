//! Expiring certificates open one case for each key, which closes by itself; on both databases.

use std::sync::Arc;

use domain::clock::Clock;
use model::time::{DAY, Timestamp};
use payments::{Config, Payments, UnionpayConfig};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, date_time_ymd};
use server::tasks::Task;
use server::tasks::expiries::WatchExpiries;
use story_support::shop::Shop;
use story_support::{World, both};

/// The sandbox's merchant certificate, ending at midnight UTC of that day.
pub fn certificate(shop: &Shop, ends: Timestamp) -> String {
    let key = KeyPair::from_pkcs8_pem_and_sign_algo(shop.sandbox.keys().app_private.expose(), &PKCS_RSA_SHA256).unwrap();
    let (year, month, day) = ends.date().ymd();
    let mut params = CertificateParams::default();
    params.not_after = date_time_ymd(i32::try_from(year).unwrap(), month, day);
    params.self_signed(&key).unwrap().pem()
}

fn payments(shop: &Shop, certificate: Option<String>) -> Payments {
    let sandbox = shop.sandbox.unionpay_config("127.0.0.1");
    let certificate = certificate.or_else(|| sandbox.certificate.clone());
    let unionpay = Some(UnionpayConfig { certificate, ..sandbox });
    let config = Config { public_url: format!("http://{}", shop.address), unionpay, ..Config::default() };
    let (db, clock, rng) = (shop.world.db.clone(), shop.world.clock.clone(), shop.world.rng.clone());
    Payments::new(&config, db, clock, rng, Arc::new(|| {})).unwrap()
}

both!(an_expiring_certificate_is_one_case_until_renewed, |w: World| async move {
    let shop = Shop::open(w).await;
    let (clock, start) = (&shop.world.clock, shop.world.clock.now());
    let task = WatchExpiries {
        context: shop.world.context().await,
        payments: payments(&shop, Some(certificate(&shop, start.plus(40 * DAY)))),
    };
    let open = "SELECT COUNT(*) FROM cases WHERE kind = 'expiry' AND closed_at IS NULL";
    let said = "SELECT detail FROM cases WHERE kind = 'expiry' ORDER BY opened_at DESC, id DESC LIMIT 1";

    assert_eq!(task.run().await.unwrap(), "3 watched, 0 near their end");
    assert_eq!(shop.world.number(open).await, 0);
    // A month before: one case, however often and by however many processes it is checked.
    clock.advance(11 * DAY);
    for _ in 0..3 {
        assert_eq!(task.run().await.unwrap(), "3 watched, 1 near their end");
    }
    futures::future::join_all((0..4).map(|_| task.run())).await;
    assert_eq!(shop.world.number(open).await, 1);
    let detail = shop.world.word(said).await;
    assert!(detail.contains("\"pay.unionpay.certificate\"") && detail.contains("30-days"), "{detail}");
    // A week before, the same case is updated.
    clock.advance(24 * DAY);
    task.run().await.unwrap();
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM cases WHERE kind = 'expiry'").await, 1);
    assert!(shop.world.word(said).await.contains("7-days"));
    // An operator closes it: it is not reopened before the expiry.
    shop.world.execute("UPDATE cases SET closed_at = 1, resolution = 'asked for' WHERE kind = 'expiry'").await;
    task.run().await.unwrap();
    assert_eq!(shop.world.number(open).await, 0);
    clock.advance(6 * DAY);
    task.run().await.unwrap();
    assert_eq!(shop.world.number(open).await, 1);
    assert!(shop.world.word(said).await.contains("over"));
    // The new one is in the configuration.
    let task = WatchExpiries { context: shop.world.context().await, payments: payments(&shop, None) };
    task.run().await.unwrap();
    assert_eq!(shop.world.number(open).await, 0);
    assert_eq!(shop.world.word("SELECT resolution FROM cases ORDER BY closed_at DESC LIMIT 1").await, "mended");
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM audit WHERE action = 'case.close'").await, 1);
    assert_eq!(verify::verify(&shop.world.db).await.unwrap().differences, []);
});
