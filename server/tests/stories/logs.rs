//! The log names the order, the channel, the event and the result of a payment, and contains no key, signature, body or personal
//! data. A release configuration with the most verbose log is checked while people pay and are refunded.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use domain::clock::{Clock, SystemClock};
use domain::wall_layout::Scope;
use model::ids::OrderId;
use model::time::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use sandbox::{Faults, Sandbox, Trade};
use services::auth::Passwords;
use store::Db;
use store::users::{self, NewUser};
use story_support::channel_config::channels;
use story_support::shop::bank_keys;
use story_support::site::{SOON, until};
use story_support::web::PASSWORD;
use story_support::{World, both};

const PHONE: &str = "Mozilla/5.0 (Linux; Android 14) Mobile";
const IN_WECHAT: &str = "Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0.50";

/// The server, and the file with its log.
struct Server {
    child: Child,
    base: String,
    log: PathBuf,
    http: reqwest::Client,
}

impl Server {
    async fn start(w: &World, sandbox: &Sandbox, dir: &std::path::Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let base = format!("http://127.0.0.1:{port}");
        let (config, log) = (dir.join("dormwatt.toml"), dir.join("log"));
        let own = format!(
            "[server]\naddress = \"127.0.0.1:{port}\"\npublic_url = \"{base}\"\ninsecure_cookies = true\n
             [database]\nurl = \"{}\"\n[log]\nlevel = \"debug,server=trace\"\n[pay]\npublic_url = \"{base}\"\n",
            w.url
        );
        std::fs::write(&config, own + &channels(sandbox, 400)).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_dormwatt"))
            .args(["serve", "--config"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let server = Self { child, base, log, http };
        until(SOON, "the server", || async {
            let answer = server.http.get(format!("{}/health/ready", server.base)).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        server
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn count(&self, word: &str) -> usize {
        self.log().matches(word).count()
    }

    fn refused_notifications(&self) -> usize {
        let is_one = |line: &&str| line.contains("/pay/{channel}/notify") && line.contains("status=400");
        self.log().lines().filter(is_one).count()
    }

    async fn post(&self, agent: &str, cookie: &str, path: &str, form: String) -> reqwest::Response {
        let request = self.http.post(format!("{}{path}", self.base)).header(USER_AGENT, agent).header(ACCEPT, "text/html");
        let request = request.header(COOKIE, cookie).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        request.send().await.unwrap()
    }

    async fn get(&self, agent: &str, cookie: &str, address: &str) -> reqwest::Response {
        let address = if address.starts_with('/') { format!("{}{address}", self.base) } else { address.to_owned() };
        let request = self.http.get(address).header(USER_AGENT, agent).header(ACCEPT, "text/html").header(COOKIE, cookie);
        request.send().await.unwrap()
    }

    async fn log_in(&self, login: &str) -> String {
        let form = format!("login={login}&password={}", PASSWORD.replace(' ', "+"));
        let answer = self.post(PHONE, "", "/api/auth/log-in", form).await;
        answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn location(answer: &reqwest::Response) -> String {
    answer.headers().get(LOCATION).map_or_else(String::new, |there| there.to_str().unwrap().to_owned())
}

async fn text(w: &World, sql: &'static str, of: &str) -> String {
    match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).bind(of).fetch_one(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).bind(of).fetch_one(pool).await.unwrap(),
    }
}

/// The server, the sandbox and the people.
struct Scene {
    w: World,
    sandbox: Sandbox,
    server: Server,
    resident: String,
    boss: String,
    _dir: tempfile::TempDir,
}

impl Scene {
    async fn set(w: World) -> Self {
        let room = w.room(1).await;
        let hash = Passwords::new(w.rng.clone()).unwrap().hash(PASSWORD).await.unwrap();
        let boss = NewUser {
            role: model::person::Role::Admin,
            login: "zhang-jianguo",
            name: "张建国",
            password_hash: &hash,
            buildings: &Scope::All,
        };
        users::create(&w.db, &w.rng, SystemClock.now(), &boss, "test").await.unwrap();
        users::keep_passwords(&w.db).await.unwrap();
        let sql = "UPDATE users SET login = 'wang-xiaoming', name = '王小明', password_hash = $1 WHERE id = $2";
        let mut tx = w.db.begin().await.unwrap();
        match &mut tx {
            store::Tx::Sqlite(c) => drop(sqlx::query(sql).bind(&hash).bind(room.resident.0).execute(&mut **c).await.unwrap()),
            store::Tx::Postgres(c) => drop(sqlx::query(sql).bind(&hash).bind(room.resident.0).execute(&mut **c).await.unwrap()),
        }
        tx.commit().await.unwrap();
        let sandbox = sandbox::start(sandbox::Config {
            address: ([127, 0, 0, 1], 0).into(),
            keys: bank_keys(),
            speed: 6_000,
            clock: std::sync::Arc::new(SystemClock),
            rng: w.rng.clone(),
        })
        .await
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(&w, &sandbox, dir.path()).await;
        let (resident, boss) = (server.log_in("wang-xiaoming").await, server.log_in("zhang-jianguo").await);
        Self { w, sandbox, server, resident, boss, _dir: dir }
    }

    /// Orders and opens the cashier with this user agent; gives the trade.
    async fn order(&self, channel: &str, agent: &str) -> Trade {
        let key = self.w.rng.id(Timestamp(1));
        let form = format!("own=50&channel={channel}&key={key}");
        let mut there = location(&self.server.post(agent, &self.resident, "/api/resident/top-up", form).await);
        // To WeChat and back, where it asks who pays; to the page that leads on.
        for _ in 0..3 {
            if there.contains("/connect/oauth2/") || there.contains("/pay/wechat/back") || there.contains("/gateway.do") {
                there = location(&self.server.get(agent, &self.resident, &there).await);
            }
        }
        if there.ends_with("/pay") {
            let page = self.server.get(agent, &self.resident, &there).await.text().await.unwrap();
            if channel == "unionpay" {
                self.post_on(&page).await;
            }
        }
        let number = text(
            &self.w,
            "SELECT p.out_trade_no FROM payment_attempts p JOIN orders o ON o.id = p.order_id
             WHERE o.tender = $1 ORDER BY p.created_at DESC, p.id DESC LIMIT 1",
            channel,
        )
        .await;
        self.sandbox.books().into_iter().find(|trade| trade.out_trade_no == number).expect(&there)
    }

    /// Posts the form of a page to its action, as a browser does.
    async fn post_on(&self, page: &str) {
        let part = |text: &str, from: &str| -> String {
            let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from} in {text}"));
            rest.split_once('"').unwrap().0.replace("&amp;", "&").replace("&quot;", "\"").replace("&#x27;", "'")
        };
        let form = page.split("<form").find(|form| form.contains("frontTransReq")).expect("a form for UnionPay");
        let fields: Vec<(String, String)> = form
            .split("<input")
            .skip(1)
            .filter(|input| input.contains("name=\""))
            .map(|input| (part(input, "name=\""), part(input, "value=\"")))
            .collect();
        let sent = self.server.http.post(part(form, "action=\"")).form(&fields).send().await.unwrap();
        assert_eq!(sent.status(), 303, "{fields:?}");
    }

    async fn state(&self, trade: &Trade) -> String {
        let sql = "SELECT o.state FROM payment_attempts p JOIN orders o ON o.id = p.order_id WHERE p.out_trade_no = $1";
        text(&self.w, sql, &trade.out_trade_no).await
    }

    /// An operator refunds the trade, and the channel confirms.
    async fn refund(&self, trade: &Trade) {
        let (order, payment) = self.ids(trade).await;
        let key = self.w.rng.id(Timestamp(1));
        let form = format!("order={order}&payment={payment}&back=&way=&amount=50&reason=wrong&key={key}");
        let went = location(&self.server.post(PHONE, &self.boss, "/api/operator/refund", form).await);
        assert!(!went.contains("e="), "{went}");
        until(SOON, "the refund", || async { self.state(trade).await == "refunded" }).await;
    }

    async fn ids(&self, trade: &Trade) -> (OrderId, model::ids::Uuid) {
        let sql = "SELECT p.order_id, e.id FROM payment_attempts p JOIN payment_events e ON e.attempt_id = p.id
                   WHERE p.out_trade_no = $1 AND e.kind = 'paid'";
        let (order, event): (model::ids::Uuid, model::ids::Uuid) = match &self.w.db {
            Db::Sqlite { read, .. } => sqlx::query_as(sql).bind(&trade.out_trade_no).fetch_one(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_as(sql).bind(&trade.out_trade_no).fetch_one(pool).await.unwrap(),
        };
        (OrderId(order), event)
    }
}

/// The longest permitted run of Base64 or hexadecimal characters; keys, signatures, certificates and bodies are longer.
const LONGEST: usize = 60;

/// The longest run of such characters.
fn longest_run(line: &str) -> &str {
    let runs = line.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=%_-".contains(c)));
    runs.max_by_key(|run| run.len()).unwrap_or_default()
}

both!(the_log_holds_orders_and_results_and_no_secrets, |w: World| async move {
    let s = Scene::set(w).await;
    let mut trades = Vec::new();
    for (channel, agent) in [("alipay", PHONE), ("unionpay", PHONE), ("wechat", PHONE), ("wechat", IN_WECHAT)] {
        let trade = s.order(channel, agent).await;
        // What is not the channel's, or not whole, is refused; and the log says why, at most once a minute.
        for (n, faults) in
            [Faults { falsify: true, ..Faults::default() }, Faults { half: true, ..Faults::default() }].into_iter().enumerate()
        {
            let refused = s.server.refused_notifications();
            s.sandbox.set_faults(faults);
            let number = &trade.out_trade_no;
            assert!(if n == 0 { s.sandbox.pay(number) } else { s.sandbox.notify(number) });
            until(SOON, "a refusal", || async { s.server.refused_notifications() > refused }).await;
        }
        s.sandbox.set_faults(Faults::default());
        assert!(s.sandbox.notify(&trade.out_trade_no));
        until(SOON, "the payment", || async { s.state(&trade).await == "paid" }).await;
        // The channel does not answer, then fails, then gives back.
        let silent = ["alipay.trade.refund", "refund"].map(str::to_owned).to_vec();
        s.sandbox.set_faults(Faults { silent_on: silent, lose: true, refund_slow: true, ..Faults::default() });
        let failed = s.server.count("refund.failed");
        let refund = s.refund(&trade);
        let heal = async {
            until(SOON, "a failure", || async { s.server.count("refund.failed") > failed }).await;
            s.sandbox.set_faults(Faults { status: Some(502), ..Faults::default() });
            s.w.execute("UPDATE refunds SET next_at = 0 WHERE state = 'sending'").await;
            until(SOON, "another", || async { s.server.count("refund.failed") > failed + 1 }).await;
            s.sandbox.set_faults(Faults::default());
            s.w.execute("UPDATE refunds SET next_at = 0 WHERE state = 'sending'").await;
        };
        tokio::join!(refund, heal);
        trades.push(trade);
    }
    for channel in ["alipay", "wechat", "unionpay"] {
        let forged = "sign=Zm9yZ2VkLWJ5LXNvbWVib2R5&buyer_id=2088000000000777&total_amount=50.00&signature=Zm9yZ2Vk";
        let media_type = if channel == "wechat" { "application/json" } else { "application/x-www-form-urlencoded" };
        let answer = s
            .server
            .http
            .post(format!("{}/pay/{channel}/notify", s.server.base))
            .header("content-type", media_type)
            .body(forged)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400, "{channel}");
    }
    let guessed = s.server.post(PHONE, "", "/api/auth/log-in", "login=wang-xiaoming&password=guessed-it".to_owned()).await;
    assert!(location(&guessed).contains("bad-credentials"));
    for _ in 0..3 {
        s.server.post(PHONE, "", "/api/auth/log-in", "login=wang-xiaoming&password=guessed-it".to_owned()).await;
    }
    assert_eq!(s.server.get(PHONE, &s.resident, "/wall").await.status(), 403);
    // The path of a one-time link is a secret, whatever its page is refused for.
    let foreign = s.server.http.post(format!("{}/invitations/one-time-code", s.server.base));
    assert_eq!(foreign.header("origin", "https://evil.example").send().await.unwrap().status(), 403);
    let payer = text(&s.w, "SELECT payer_id FROM payers WHERE app_id <> $1", "").await;
    let said = s.server.log();

    // It says what happened, so that there is something to be found.
    for trade in &trades {
        assert!(said.contains(&trade.out_trade_no), "{}", trade.out_trade_no);
    }
    for word in ["payment.settled", "credited", "returned", "alipay", "wechat", "unionpay", "refund.failed"] {
        assert!(said.contains(word), "{word}");
    }
    // Security events are at info, which release builds keep, and name address and reason; users by their id.
    for (event, reason) in [
        ("security.log_in_failed", "bad-credentials"),
        ("security.refused", "forbidden"),
        ("payment.notify.refused", "the signature is invalid"),
    ] {
        let of = |line: &&str| line.contains(event) && line.contains(reason);
        let line = said.lines().find(of).unwrap_or_else(|| panic!("no {event} with {reason}"));
        assert!(line.contains("127.0.0.1") && (line.contains("INFO") || line.contains("WARN")), "{line}");
        assert!(event.starts_with("payment") || line.contains("user=\"0"), "{line}");
    }
    assert!(said.lines().any(|line| line.contains("security.refused") && line.contains("/invitations/{code}")));
    // Whoever goes on does not fill the log: a line a minute.
    let failures = said.lines().filter(|line| line.contains("security.log_in_failed") && line.contains("bad-credentials"));
    assert!((1..=2).contains(&failures.count()));
    let answered = said.lines().filter(|line| line.contains("http.answered"));
    assert!(answered.clone().all(|line| line.contains("address=127.0.0.1") && line.contains("user=")));
    assert!(
        answered.clone().any(|line| line.contains("INFO") && line.contains("/api/resident/top-up")),
        "what changes something"
    );
    // And nothing else.
    let keys = s.sandbox.keys();
    let secrets = [
        keys.app_private.expose(),
        keys.api_v3_key.expose(),
        sandbox::APP_SECRET,
        payer.as_str(),
        s.resident.split_once('=').unwrap().1,
        s.boss.split_once('=').unwrap().1,
        PASSWORD,
        "wang-xiaoming",
        "guessed-it",
        "one-time-code",
        "王小明",
        "2088000000000",
        "forged",
        "Zm9yZ2Vk",
    ];
    let marks = [
        "uthorization",
        "WECHATPAY2",
        "BEGIN",
        "sign=",
        "signature=",
        "signPubKeyCert",
        "ciphertext",
        "total_amount",
        "txnAmt",
        "notify_id",
        "openid",
        "buyer_id",
        "payer_id",
        "argon2",
        "access_token",
        "code=",
        "state=",
    ];
    for secret in secrets.into_iter().flat_map(str::lines).filter(|line| line.len() >= 5).chain(marks) {
        assert!(!said.contains(secret), "{secret} is in the log: {}", said.lines().find(|line| line.contains(secret)).unwrap());
    }
    for line in said.lines() {
        assert!(longest_run(line).len() <= LONGEST, "{} in {line}", longest_run(line));
        assert!(line.len() <= 600, "a body? {line}");
    }
});
