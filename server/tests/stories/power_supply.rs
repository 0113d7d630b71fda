//! From the top-up on a phone to the closed relay and back, with a server wallet: a whole server, a simulated meter of another
//! make, a sandbox for the payment, and browsers.

use std::net::SocketAddr;
use std::sync::Arc;

use domain::clock::{Clock, SystemClock};
use domain::order::Limits;
use domain::secret::Secret;
use model::ids::MeterId;
use model::money::Fen;
use model::person::Role;
use model::tariff::Prices;
use sandbox::{Sandbox, Status};
use server::config::Config;
use services::auth::Passwords;
use simulator::Load;
use store::accounts::{self, NewResident, OpenAccount};
use store::meters;
use store::prices::{self, Publication};

use story_support::shop::bank_keys;
use story_support::site::{SOON, Site, quick, until};
use story_support::web::{PASSWORD, Person, Web, location};
use story_support::{World, both};

struct Home {
    site: Site,
    web: Web,
    sandbox: Sandbox,
    meter: MeterId,
}

impl Home {
    /// A room with a meter of that profile, priced at 10 yuan/kWh, and an account that holds nothing.
    async fn new(w: World, profile: &'static str) -> Self {
        let site = Site::with(w, 1, 1, |config| {
            config.load = Load::Constant { watts: 0 };
            for gateway in &mut config.estate.gateways {
                gateway.meters = gateway.meters.drain(..).map(|plan| plan.plain(profile)).collect();
            }
        })
        .await;
        let (w, now, meter) = (site.w.clone(), SystemClock.now(), site.meters[0]);
        let new = Publication { plan: "dear".into(), effective_at: None, prices: Prices::flat(100_000) };
        let plan = prices::publish(&w.db, &w.rng, now, None, &new).await.unwrap();
        let place = meters::find(&w.db, meter).await.unwrap().unwrap().place_id;
        prices::assign(&w.db, now, None, place, plan).await.unwrap();
        let password_hash = Passwords::new(w.rng.clone()).unwrap().hash(PASSWORD).await.unwrap();
        let resident = NewResident { name: "Li".into(), login: "li".into(), password_hash };
        let new = OpenAccount {
            number: None,
            meter,
            also: Vec::new(),
            housemates: Vec::new(),
            resident,
            first: None,
            by: site.clerk,
            ip: String::new(),
        };
        accounts::open(&w.db, &w.rng, now, &Limits::default(), &new).await.unwrap();
        store::users::keep_passwords(&w.db).await.unwrap();

        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let (clock, rng) = (Arc::new(SystemClock), w.rng.clone());
        let channel = sandbox::Config { address, keys: bank_keys(), speed: 600, clock, rng };
        let sandbox = sandbox::start(channel).await.unwrap();
        let port = std::net::TcpListener::bind(address).unwrap().local_addr().unwrap().port();
        let mut config = Config { meters: quick(), ..Config::default() };
        config.server.address.set_port(port);
        config.server.public_url = format!("http://127.0.0.1:{port}");
        config.pay.public_url.clone_from(&config.server.public_url);
        config.pay.alipay = Some(sandbox.product_config("127.0.0.1"));
        let secret = |byte: &str, count: usize| Secret::from(byte.repeat(count).as_str());
        (config.keys.enc, config.keys.mac, config.keys.aes) = (secret("11", 16), secret("22", 16), secret("33", 32));
        let web = Web::with(&w, config, Arc::new(SystemClock)).await;
        Self { site, web, sandbox, meter }
    }

    async fn relay(&self, closed: bool) {
        until(SOON, if closed { "the relay to close" } else { "the relay to open" }, || async {
            self.site.view(0, 1).relay_closed == closed
        })
        .await;
    }

    /// Draws power until this energy has passed.
    async fn consume(&self, wh: i64) {
        let meter = self.site.meter(0, 1);
        meter.draw(Some(1_200)).await.unwrap();
        self.site.sim.advance(wh * 3_000).await.unwrap();
        meter.draw(Some(0)).await.unwrap();
    }

    /// Pays on the phone, following the redirects.
    async fn pays(&self, person: &Person<'_>, yuan: i64) {
        let key = self.site.w.rng.id(SystemClock.now());
        let answer = person.post("/api/resident/top-up", &format!("own={yuan}&channel=alipay&key={key}")).await;
        let cashier = location(&answer).to_owned();
        assert!(cashier.contains("/gateway.do"), "{cashier}");
        self.web.client.get(&cashier).send().await.unwrap();
        let trade = self.sandbox.books().into_iter().find(|trade| trade.status == Status::WaitBuyerPay).unwrap();
        assert!(self.sandbox.pay(&trade.out_trade_no));
    }

    /// Waits until the resident's page contains this text.
    async fn until_page_contains(&self, person: &Person<'_>, words: &str) {
        until(SOON, words, || async { person.get("/home").await.text().await.unwrap().contains(words) }).await;
    }

    async fn until_count(&self, sql: &'static str, number: i64, what: &str) {
        until(SOON, what, || async { self.site.w.number(sql).await == number }).await;
    }
}

async fn top_up_closes_the_relay_and_consumption_opens_it(w: World, profile: &'static str) {
    let home = Home::new(w, profile).await;
    let w = &home.site.w;
    let mut li = home.web.visitor();
    assert_eq!(li.log_in("li", PASSWORD).await.status(), 303);
    // Nothing is on it: the relay that the fitter left closed opens, and the page says why and what to do.
    home.relay(false).await;
    home.until_page_contains(&li, "余额用完，充值").await;

    // Paid on the phone: the relay closes, read back, and only then does the page say that power flows.
    home.pays(&li, 2).await;
    home.relay(true).await;
    home.until_page_contains(&li, "2.00").await;
    home.until_count("SELECT COUNT(*) FROM orders WHERE state = 'credited' AND tender = 'alipay'", 1, "the order").await;
    home.until_count(
        "SELECT COUNT(*) FROM commands WHERE kind = 'relay' AND state = 'done' AND args LIKE '%true%'",
        1,
        "its read-back",
    )
    .await;

    // Used up: warned on the way, then off; the page says why.
    home.consume(100).await;
    home.until_count("SELECT COUNT(*) FROM charges", 1, "the first charge").await;
    home.consume(100).await;
    home.relay(false).await;
    home.until_page_contains(&li, "余额用完，充值").await;
    let reason = "SELECT COUNT(*) FROM events WHERE kind = 'arrears' AND until_at IS NULL AND detail LIKE '%remaining_fen%'";
    home.until_count(reason, 1, "the event with its reason").await;

    // Sold at the counter.
    let clerk = home.web.person(w, Role::Manager, "wang").await;
    let key = w.rng.id(SystemClock.now());
    let form = format!("meter={}&amount=5&tender=cash&key={key}", home.meter);
    assert_eq!(clerk.post("/api/operator/sell", &form).await.status(), 303);
    home.relay(true).await;
    home.until_count("SELECT COUNT(*) FROM events WHERE kind = 'arrears' AND until_at IS NULL", 0, "the end of the arrears")
        .await;

    // The resident's own switch, each way read back.
    for on in [false, true] {
        let key = w.rng.id(SystemClock.now());
        until(SOON, "the switch to be offered", || async {
            let answer = li.post("/api/resident/switch", &format!("key={key}&on={on}")).await;
            location(&answer).starts_with("/switch/0")
        })
        .await;
        home.relay(on).await;
        home.until_page_contains(&li, if on { "5.00" } else { "由住户关闭" }).await;
    }
    home.web.stop();
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
    let charged = w.number("SELECT CAST(SUM(amount_e4) AS BIGINT) FROM charges").await;
    assert_eq!(Fen(charged / 100), Fen(200), "0.2 kWh at 10 yuan");
}

both!(an_acrel_meter_is_supplied_and_cut_off, |w: World| async move {
    top_up_closes_the_relay_and_consumption_opens_it(w, "acrel-ddsy1352").await;
});

both!(a_hiking_meter_is_supplied_and_cut_off, |w: World| async move {
    top_up_closes_the_relay_and_consumption_opens_it(w, "hiking-dds238").await;
});
