//! Expiring certificates open one case for each key, which closes by itself; on both databases.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use domain::clock::Clock;
use estate::gateways::certificates;
use meters::OwnCertificate;
use meters::link::TlsSettings;
use model::time::{DAY, Timestamp};
use notify::Channels;
use payments::{Config, Payments, UnionpayConfig};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, date_time_ymd};
use server::tasks::Task;
use server::tasks::expiries::WatchExpiries;
use server::tasks::watch_alarms::WatchAlarms;
use services::host::Host;
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
        host: Host::default(),
    };
    let open = "SELECT COUNT(*) FROM cases WHERE kind = 'expiry' AND closed_at IS NULL";
    let said = "SELECT detail FROM cases WHERE kind = 'expiry' ORDER BY opened_at DESC, id DESC LIMIT 1";

    assert_eq!(task.run().await.unwrap().summary, "3 watched, 0 near their end");
    assert_eq!(shop.world.number(open).await, 0);
    // A month before: one case, however often and by however many processes it is checked.
    clock.advance(11 * DAY);
    for _ in 0..3 {
        assert_eq!(task.run().await.unwrap().summary, "3 watched, 1 near their end");
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
    let context = shop.world.context().await;
    let task = WatchExpiries { context, payments: payments(&shop, None), host: Host::default() };
    task.run().await.unwrap();
    assert_eq!(shop.world.number(open).await, 0);
    assert_eq!(shop.world.word("SELECT resolution FROM cases ORDER BY closed_at DESC LIMIT 1").await, "mended");
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM audit WHERE action = 'case.close'").await, 1);
    assert_eq!(verify::verify(&shop.world.db).await.unwrap().differences, []);
    // A gateway has shown one that ends in a week; once it is pinned, its dates do not matter.
    shop.world.execute("UPDATE gateways SET framing = 'modbus-tls', tls_pin = NULL").await;
    let (db, gateway) = (&shop.world.db, store::meters::gateways(&shop.world.db).await.unwrap().remove(0));
    let until = clock.now().plus(6 * DAY);
    assert_eq!(certificates(db, &[(gateway.id, until)]).await.unwrap(), [(gateway.name.clone(), until)]);
    assert_eq!(certificates(db, &[]).await.unwrap(), [(gateway.name.clone(), until)], "after a restart");
    let watch = WatchAlarms::new(shop.world.context().await, payments(&shop, None), Channels::default(), Host::default());
    let alarms = "SELECT COUNT(*) FROM events WHERE kind = 'certificate-expiring' AND until_at IS NULL";
    task.run().await.unwrap();
    watch.observe(clock.now()).await.unwrap();
    assert_eq!((shop.world.number(open).await, shop.world.number(alarms).await), (1, 1));
    assert!(shop.world.word(said).await.contains(&gateway.name));
    shop.world.execute("UPDATE gateways SET tls_pin = 'ab'").await;
    task.run().await.unwrap();
    watch.observe(clock.now()).await.unwrap();
    assert_eq!((shop.world.number(open).await, shop.world.number(alarms).await), (0, 0));
    // The server's own ends in a week. It is judged as it is shown: a file that cannot be used in its place changes nothing, and
    // one that can ends it without a restart.
    let directory = tempfile::tempdir().unwrap();
    let [file, key_file] = ["own.pem", "own-key.pem"].map(|name| directory.path().join(name));
    std::fs::write(&key_file, shop.sandbox.keys().app_private.expose()).unwrap();
    let of_another_key = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    let tls = TlsSettings { certificate_file: Some(file.clone()), key_file: Some(key_file), ..TlsSettings::default() };
    let certificates = OwnCertificate::all(&meters::config::Config { tls, ..meters::config::Config::default() });
    let host = Host { certificates, ..Host::default() };
    let context = shop.world.context().await;
    let task = WatchExpiries { context, payments: payments(&shop, None), host: host.clone() };
    let watch = WatchAlarms::new(shop.world.context().await, payments(&shop, None), Channels::default(), host);
    let own = "SELECT detail FROM cases WHERE kind = 'expiry' AND subject LIKE 'meters.tls.certificate_file%'
               ORDER BY opened_at DESC, id DESC LIMIT 1";
    let ends = clock.now().plus(6 * DAY);
    for (second, text, expected, refused) in [
        (1, certificate(&shop, ends), (1, 1), None),
        (2, of_another_key, (1, 1), Some("meters.tls.key_file: TLS cannot be set up")),
        (3, "no certificate".to_owned(), (1, 1), Some("no certificate in it")),
        (4, certificate(&shop, ends.plus(90 * DAY)), (0, 0), None),
        (5, "no certificate".to_owned(), (1, 0), Some("no certificate in it")),
        (6, certificate(&shop, ends.plus(91 * DAY)), (0, 0), None),
    ] {
        clock.advance(1_000);
        std::fs::write(&file, text).unwrap();
        // As if at another second, however soon it is after the last time.
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(at).unwrap();
        task.run().await.unwrap();
        watch.observe(clock.now()).await.unwrap();
        assert_eq!((shop.world.number(open).await, shop.world.number(alarms).await), expected, "{second}");
        let detail = shop.world.word(own).await;
        assert!(detail.contains("own.pem"), "it names the key and the file: {detail}");
        assert!(refused.is_none_or(|why| detail.contains(why)), "and why the new one is not used: {detail}");
        assert!(detail.contains("\"until\""), "and the end of the one in use: {detail}");
    }
    // A server that started with a file that cannot be used shows nothing until it can be.
    let file = directory.path().join("none.pem");
    std::fs::write(&file, "no certificate").unwrap();
    let key_file = Some(directory.path().join("own-key.pem"));
    let tls = TlsSettings { certificate_file: Some(file.clone()), key_file, ..TlsSettings::default() };
    let certificates = OwnCertificate::all(&meters::config::Config { tls, ..meters::config::Config::default() });
    let host = Host { certificates, ..Host::default() };
    let task = WatchExpiries { context: shop.world.context().await, payments: payments(&shop, None), host };
    clock.advance(1_000);
    task.run().await.unwrap();
    assert_eq!(shop.world.number(open).await, 1);
    let detail = shop.world.word(own).await;
    assert!(detail.contains("none.pem") && detail.contains("no certificate in it") && !detail.contains("until"), "{detail}");
    std::fs::write(&file, certificate(&shop, ends.plus(90 * DAY))).unwrap();
    task.run().await.unwrap();
    assert_eq!(shop.world.number(open).await, 0);
});
