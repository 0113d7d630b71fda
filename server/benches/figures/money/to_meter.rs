//! From the payment to the credit read back from the meter, over buses at 9600 baud that are polled without a pause.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use payments::{Config, Payments};
use uuid::Uuid;

use super::payer::{order, sandbox};
use super::webhook::rooms;
use crate::bus::Bus;
use crate::database::Engine;
use crate::figure::{Figure, quantile};
use crate::site::{PORT, Plan, Site};
use crate::{Length, Outcome};

/// The reference site, all healthy.
const REFERENCE: Plan =
    Plan { gateways: 4, meters: 174, bus: Some(Bus::SLOW), sweep_s: 0, sells: true, records: true, engine: Engine::Sqlite };

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let sandbox = sandbox().await?;
    let alipay = sandbox.product_config("127.0.0.1");
    let keys = sandbox.keys();
    let table = format!(
        "[pay.alipay]\ngateway = {:?}\napp_id = {:?}\nseller_id = {:?}\nprivate_key = {:?}\nalipay_public_key = {:?}\n",
        alipay.gateway,
        alipay.app_id,
        alipay.seller_id,
        keys.app_private.expose(),
        keys.gateway_public
    );
    let site = Site::start_with(REFERENCE, &table).await?;
    site.all_read(Duration::from_secs(180)).await?;
    let config = Config { public_url: format!("http://127.0.0.1:{PORT}"), alipay: Some(alipay), ..Config::default() };
    let rng = Rng::from_system();
    let payments = Payments::new(&config, site.db.clone(), Arc::new(SystemClock), rng.clone(), Arc::new(|| {}))?;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let (rooms, all) = (rooms(&site.db).await?, length.count(300));
    let (mut paid, step) = (Vec::new(), 181);
    for n in 0..all {
        // From bus to bus, so that no meter has two at once.
        let room = *rooms.get(n * step % rooms.len().max(1)).ok_or("no room to pay for")?;
        let number = order(&payments, &http, &rng, room, 1_000).await?;
        paid.push((number.clone(), SystemClock.now()));
        if !sandbox.pay(&number) {
            return Err(format!("{number} cannot be paid").into());
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    let mut taken = Vec::new();
    for (number, at) in &paid {
        let credited = credited(&site, number).await?.ok_or("a payment did not reach its meter in ten seconds")?;
        taken.push(credited.saturating_sub(at.0) as f64 / 1_000.0);
    }
    let against =
        format!("p99 of {all} payments, {} meters on 4 buses; median {:.2} s", site.meters.len(), quantile(&taken, 0.5));
    Ok(vec![Figure::at_most("pay.to_meter", 1.5, "s", against, vec![quantile(&taken, 0.99)])])
}

/// The instant at which the order of that trade was read back, epoch ms.
async fn credited(site: &Site, number: &str) -> Outcome<Option<i64>> {
    let sql = "SELECT o.id, o.credited_at FROM orders o JOIN payment_attempts p ON p.order_id = o.id WHERE p.out_trade_no = $1";
    let store::Db::Sqlite { read, .. } = &site.db else { return Err("not a SQLite site".into()) };
    let (_, at): (Uuid, Option<i64>) = sqlx::query_as(sql).bind(number).fetch_one(read).await?;
    Ok(at)
}
