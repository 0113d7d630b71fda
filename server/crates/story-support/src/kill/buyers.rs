//! Buyers who retry each purchase with the same key until it is acknowledged.

use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use futures::future::join_all;
use model::ids::{OrderId, UserId};
use model::log_in::LogInMethod;
use model::money::Fen;
use model::time::{DAY, Timestamp};
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, USER_AGENT};
use sandbox::Trade;
use services::auth;
use store::sessions::{self, NewSession};
use store::users;
use tokio::time::{Instant, sleep};

use super::operator::{Operator, is_conflict};
use super::server_process::ServerProcess;
use super::site::Site;
use super::{PATIENCE, Work};
use crate::World;

/// The channels that residents pay through.
pub const CHANNELS: [&str; 2] = ["alipay", "wechat"];
/// Concurrent cash sales, and concurrent phones.
const AT_ONCE: usize = 4;

/// A purchase that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Purchase {
    pub room: usize,
    pub amount: Fen,
}

/// Up to ten yuan, so that thousands fit below what meters may hold.
pub fn some_money(rng: &Rng) -> Fen {
    Fen(100 + rng.below(900) as i64)
}

/// Operators sell at the counter.
pub async fn counter_sales(site: &Site, operator: &Operator<'_>, work: &Work) -> Vec<Purchase> {
    join_all((0..AT_ONCE).map(|_| sell(site, operator, work))).await.concat()
}

async fn sell(site: &Site, operator: &Operator<'_>, work: &Work) -> Vec<Purchase> {
    let mut sold = Vec::new();
    while work.another(operator.server) {
        let (room, amount) = (operator.rng.below(site.rooms.len() as u64) as usize, some_money(operator.rng));
        let form = format!("meter={}&amount={amount}&tender=cash", site.rooms[room].meter);
        operator.sell(&form).await;
        sold.push(Purchase { room, amount });
    }
    sold
}

/// Residents pay on their phones.
pub async fn top_ups(site: &Site, operator: &Operator<'_>, work: &Work) -> Vec<Purchase> {
    let mut phones = Vec::new();
    for room in 0..site.rooms.len() {
        phones.push(Phone::of(site, operator, room).await);
    }
    join_all(phones.chunks(phones.len().div_ceil(AT_ONCE)).map(|phones| pay(phones, work))).await.concat()
}

async fn pay(phones: &[Phone<'_>], work: &Work) -> Vec<Purchase> {
    let mut paid = Vec::new();
    let Some(Phone { site, server, rng, .. }) = phones.first() else { return paid };
    while work.another(server) {
        let phone = &phones[rng.below(phones.len() as u64) as usize];
        let trade = phone.top_up(some_money(rng)).await;
        assert!(site.sandbox.pay(&trade.out_trade_no));
        paid.push(Purchase { room: phone.room, amount: trade.amount });
        sleep(Duration::from_millis(rng.below(120))).await;
    }
    paid
}

/// A resident's phone.
pub struct Phone<'a> {
    pub room: usize,
    cookie: String,
    site: &'a Site,
    server: &'a ServerProcess,
    rng: &'a Rng,
}

impl<'a> Phone<'a> {
    pub async fn of(site: &'a Site, operator: &Operator<'a>, room: usize) -> Self {
        let cookie = session(operator.w, &site.rooms[room].login).await;
        Self { room, cookie, site, server: operator.server, rng: operator.rng }
    }

    /// Orders and opens the cashier of a random channel.
    pub async fn top_up(&self, amount: Fen) -> Trade {
        let (channel, key) = (CHANNELS[self.rng.below(2) as usize], self.rng.id(Timestamp(1)));
        self.to_cashier("/api/resident/top-up", &format!("own={amount}&channel={channel}&key={key}")).await
    }

    /// Opens the cashier of an order again, with a new attempt where the old one has nearly expired.
    pub async fn again(&self, order: OrderId) -> Trade {
        self.to_cashier("/api/resident/pay", &format!("order={order}")).await
    }

    /// Retries until the channel has the trade, which it has once the browser opened its cashier.
    async fn to_cashier(&self, path: &str, form: &str) -> Trade {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let there = insist(self.server, &self.cookie, path, form).await;
            let address = if there.contains("/gateway.do") { self.follow(&there).await } else { there };
            let token = address.split_once("/cashier/").map(|(_, rest)| rest.split('?').next().unwrap_or_default());
            if let Some(trade) = token.and_then(|token| self.site.sandbox.books().into_iter().find(|trade| trade.token == token))
            {
                return trade;
            }
            assert!(address.contains("e=channel-unavailable") || is_conflict(&address), "{path} {form}: {address}");
            assert!(Instant::now() < deadline, "{path} {form}: the channel stays away");
            sleep(Duration::from_millis(40)).await;
        }
    }

    async fn follow(&self, address: &str) -> String {
        let answer = self.server.client.get(address).header(ACCEPT, "text/html").send().await.unwrap();
        answer.headers()[LOCATION].to_str().unwrap().to_owned()
    }
}

/// Posts until the server answers with a redirect, and gives its address; its database may be busy for a moment.
pub async fn insist(server: &ServerProcess, cookie: &str, path: &str, form: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = post(server, cookie, path, form).await;
        if let Ok(answer) = &answer
            && answer.status() == 303
        {
            let there = answer.headers()[LOCATION].to_str().unwrap();
            if !there.ends_with("e=unavailable") {
                return there.to_owned();
            }
        }
        assert!(Instant::now() < deadline, "{path} {form}: {answer:?}");
        sleep(Duration::from_millis(40)).await;
    }
}

/// Opens a session and gives its cookie. Not by the log-in form: the server is killed too often to check many passwords.
pub async fn session(w: &World, login: &str) -> String {
    let (token, now) = (auth::new_token(&w.rng), SystemClock.now());
    let user = UserId(users::by_login(&w.db, login).await.unwrap().unwrap().id);
    let (ip, agent, log_in) = (String::new(), String::new(), LogInMethod::Password.into());
    let session = NewSession { hash: auth::hash(&token), user, log_in, ip, agent, expires: now.plus(DAY) };
    sessions::open(&w.db, now, &session).await.unwrap();
    format!("dormwatt={token}")
}

async fn post(server: &ServerProcess, cookie: &str, path: &str, form: &str) -> reqwest::Result<reqwest::Response> {
    server
        .client
        .post(format!("{}{path}", server.base))
        .header(COOKIE, cookie)
        .header(USER_AGENT, "Mozilla/5.0 (Linux; Android 14) Mobile")
        .header(ACCEPT, "text/html")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.to_owned())
        .send()
        .await
}
