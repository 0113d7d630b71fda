//! People who do not give up: whatever the server does, each purchase is tried with the same key until it is acknowledged.

use std::time::Duration;

use app::model::money::Fen;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use server::pay::sandbox::Status;
use server::rng::Rng;
use tokio::time::sleep;

use super::site::Site;
use super::support::web::PASSWORD;
use super::victim::Victim;

/// A purchase that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Purchase {
    pub room: usize,
    pub amount: Fen,
}

/// An operator sells at the counter.
pub async fn counter_sales(site: &Site, victim: &Victim, rng: &Rng, number: usize) -> Vec<Purchase> {
    let cookie = log_in(victim, "clerk").await;
    let mut sold = Vec::new();
    while sold.len() < number {
        let (room, amount) = (rng.below(site.rooms.len() as u64) as usize, Fen(100 + rng.below(4_900) as i64));
        let form = format!(
            "meter={}&amount={amount}&tender=cash&key={}",
            site.rooms[room].meter.0,
            rng.id(app::model::time::Timestamp(1))
        );
        let went = insist(victim, &cookie, "/api/operator/sell", &form).await;
        assert!(went.contains("/rooms/"), "a sale was refused: {went}");
        sold.push(Purchase { room, amount });
        sleep(Duration::from_millis(rng.below(120))).await;
    }
    sold
}

/// Residents pay on their phones; half of the time the channel's notifications are lost.
pub async fn top_ups(site: &Site, victim: &Victim, rng: &Rng, number: usize) -> Vec<Purchase> {
    let mut cookies = Vec::new();
    for room in &site.rooms {
        cookies.push(log_in(victim, &room.login).await);
    }
    let mut done = Vec::new();
    while done.len() < number {
        site.lose_notifications(rng.below(2) == 0).await;
        let room = rng.below(site.rooms.len() as u64) as usize;
        let amount = Fen(100 + rng.below(4_900) as i64);
        let form = format!("own={amount}&channel=alipay&key={}", rng.id(app::model::time::Timestamp(1)));
        let cashier = insist(victim, &cookies[room], "/api/resident/top-up", &form).await;
        assert!(cashier.contains("/gateway.do"), "a top-up was refused: {cashier}");
        // The browser goes to the cashier: only now does the channel know the trade.
        victim.client.get(&cashier).header(ACCEPT, "text/html").send().await.unwrap();
        let trade = site.sandbox.books().into_iter().find(|trade| trade.status == Status::WaitBuyerPay).expect("a trade waits");
        assert_eq!(trade.amount, amount);
        assert!(site.sandbox.pay(&trade.out_trade_no));
        done.push(Purchase { room, amount });
        sleep(Duration::from_millis(rng.below(250))).await;
    }
    done
}

/// Posts until the server answers with a redirect, and gives its address.
pub async fn insist(victim: &Victim, cookie: &str, path: &str, form: &str) -> String {
    loop {
        if let Ok(answer) = post(victim, cookie, path, form).await
            && answer.status() == 303
        {
            return answer.headers()[LOCATION].to_str().unwrap().to_owned();
        }
        sleep(Duration::from_millis(40)).await;
    }
}

pub async fn log_in(victim: &Victim, login: &str) -> String {
    let form = format!("login={login}&password={}", PASSWORD.replace(' ', "+"));
    loop {
        if let Ok(answer) = post(victim, "", "/api/auth/log-in", &form).await
            && let Some(cookie) = answer.headers().get(SET_COOKIE)
        {
            return cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        sleep(Duration::from_millis(40)).await;
    }
}

async fn post(victim: &Victim, cookie: &str, path: &str, form: &str) -> reqwest::Result<reqwest::Response> {
    victim
        .client
        .post(format!("{}{path}", victim.base))
        .header(COOKIE, cookie)
        .header(ACCEPT, "text/html")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.to_owned())
        .send()
        .await
}
