//! Buyers who retry each purchase with the same key until it is acknowledged.

use std::time::Duration;

use domain::rng::Rng;
use futures::future::join_all;
use model::ids::OrderId;
use model::money::Fen;
use model::time::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE, USER_AGENT};
use sandbox::Trade;
use tokio::time::{Instant, sleep};

use super::Work;
use super::operator::{Operator, is_refused};
use super::server_process::ServerProcess;
use super::site::Site;
use crate::web::PASSWORD;

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
        let went = operator.ask("/api/operator/sell", &form).await;
        assert!(went.contains("/rooms/") && !is_refused(&went), "a sale was refused: {went}");
        sold.push(Purchase { room, amount });
    }
    sold
}

/// Residents pay on their phones.
pub async fn top_ups(site: &Site, server: &ServerProcess, rng: &Rng, work: &Work) -> Vec<Purchase> {
    let mut phones = Vec::new();
    for room in 0..site.rooms.len() {
        phones.push(Phone::of(site, server, rng, room).await);
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
    pub async fn of(site: &'a Site, server: &'a ServerProcess, rng: &'a Rng, room: usize) -> Self {
        Self { room, cookie: log_in(server, &site.rooms[room].login).await, site, server, rng }
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
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let there = insist(self.server, &self.cookie, path, form).await;
            let address = if there.contains("/gateway.do") { self.follow(&there).await } else { there };
            let token = address.split_once("/cashier/").map(|(_, rest)| rest.split('?').next().unwrap_or_default());
            if let Some(trade) = token.and_then(|token| self.site.sandbox.books().into_iter().find(|trade| trade.token == token))
            {
                return trade;
            }
            assert!(address.contains("e=channel-unavailable"), "{path} {form}: {address}");
            assert!(Instant::now() < deadline, "{path} {form}: the channel stays away");
            sleep(Duration::from_millis(40)).await;
        }
    }

    async fn follow(&self, address: &str) -> String {
        let answer = self.server.client.get(address).header(ACCEPT, "text/html").send().await.unwrap();
        answer.headers()[LOCATION].to_str().unwrap().to_owned()
    }
}

/// Posts until the server answers with a redirect, and gives its address.
pub async fn insist(server: &ServerProcess, cookie: &str, path: &str, form: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let answer = post(server, cookie, path, form).await;
        match &answer {
            Ok(answer) if answer.status() == 303 => return answer.headers()[LOCATION].to_str().unwrap().to_owned(),
            _ => assert!(Instant::now() < deadline, "{path} {form}: {answer:?}"),
        }
        sleep(Duration::from_millis(40)).await;
    }
}

pub async fn log_in(server: &ServerProcess, login: &str) -> String {
    let form = format!("login={login}&password={}", PASSWORD.replace(' ', "+"));
    loop {
        if let Ok(answer) = post(server, "", "/api/auth/log-in", &form).await
            && let Some(cookie) = answer.headers().get(SET_COOKIE)
        {
            return cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        sleep(Duration::from_millis(40)).await;
    }
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
