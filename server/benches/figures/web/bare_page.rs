//! The least that the resident's home costs on this machine: the same session, the same queries, a page of the same facts by
//! maud, and nothing around it. It runs in a process of its own (the benchmark itself, started with `--page`).

use std::net::Ipv4Addr;
use std::sync::Arc;

use app::api::resident::{Home, ResidentPort};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Html;
use axum::routing::get;
use axum::{Router, serve as serve_router};
use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use maud::{DOCTYPE, Markup, html};
use meters::live::Live;
use model::account_record::AccountRecordOf;
use model::person::Who;
use payments::{Config, Payments};
use services::auth::hash;
use services::residents::ResidentService;
use services::{Context, NoMeterGateway};
use store::{Db, sessions};
use tokio::net::TcpListener;

use crate::Outcome;

const LINKS: [(&str, &str); 5] =
    [("/home", "首页"), ("/usage", "用电"), ("/topup", "充值"), ("/records", "记录"), ("/me", "我的")];

struct Page {
    db: Db,
    residents: ResidentService,
}

/// Takes `PORT,DATABASE`; serves `/home` until it is killed.
pub fn serve(task: &str) -> Outcome<()> {
    let (port, database) = task.split_once(',').ok_or("a port and a database")?;
    let port: u16 = port.parse()?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let db = Db::open(database).await?;
        let (clock, rng) = (Arc::new(SystemClock), Rng::from_system());
        let live = Live::load(&db, clock.clone()).await?;
        let config = Config { public_url: format!("http://127.0.0.1:{port}"), ..Config::default() };
        let payments = Payments::new(&config, db.clone(), clock.clone(), rng.clone(), Arc::new(|| {}))?;
        let context = Context { db: db.clone(), clock, rng, live, gateway: Arc::new(NoMeterGateway) };
        let page = Arc::new(Page { db, residents: ResidentService::new(context, payments) });
        let router = Router::new().route("/home", get(home)).with_state(page);
        Ok(serve_router(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?, router).await?)
    })
}

async fn home(State(page): State<Arc<Page>>, headers: HeaderMap) -> Result<Html<String>, StatusCode> {
    let cookie = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).ok_or(StatusCode::UNAUTHORIZED)?;
    let token = cookie.split_once('=').map_or("", |(_, token)| token);
    let session = sessions::find(&page.db, &hash(token), SystemClock.now()).await;
    let session = session.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?.ok_or(StatusCode::UNAUTHORIZED)?;
    let (user, role, permissions, name) = (session.user_id, session.role, session.permissions, session.name);
    let who = Who { user, role, permissions, name, ip: String::new() };
    let home = page.residents.home(&who).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Html(document(&who, &home).into_string()))
}

fn document(who: &Who, home: &Home) -> Markup {
    let (room, latest) = (&home.room, &home.room.latest);
    let most = home.days.iter().filter_map(|day| day.energy).map(|energy| energy.0).max().unwrap_or(0).max(1);
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (room.name) " · Dormwatt" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/pkg/dormwatt.css";
            }
            body {
                nav { ul {
                    @for (href, word) in LINKS {
                        li { a href=(href) { (word) } }
                    }
                } }
                main {
                    header { h1 { (room.name) } p { (room.place) " · " (who.name) } p { (format!("{:?}", latest.state())) } }
                    @if let Some((order, amount)) = &home.coming {
                        p { (amount) " " a href=(format!("/orders/{order}")) { "进度" } }
                    }
                    section {
                        h2 { "余额" }
                        p { span { (latest.remaining) } span { "元" } }
                        @if let Some(since) = home.off_since { p { "断电自 " (since) } }
                        @if let Some(forecast) = &home.forecast { p { (format!("{forecast:?}")) } }
                    }
                    a href="/topup" { "充值" }
                    section { h2 { "供电" } @if latest.status.relay_closed() { p { "已通电" } } @else { p { "已断电" } } }
                    section {
                        h2 { "近日用电" }
                        svg viewBox="0 0 320 140" {
                            @for (n, day) in home.days.iter().enumerate() {
                                @let tall = day.energy.map_or(0, |energy| energy.0.max(0) * 96 / most);
                                rect x=(n * 40 + 6) y=(116 - tall) width="28" height=(tall) rx="2" {}
                                @if let Some(energy) = day.energy { text x=(n * 40 + 20) y=(111 - tall) { (energy) } }
                                text x=(n * 40 + 20) y="131" { (day.of.ymd().2) }
                            }
                        }
                    }
                    section {
                        h2 { "近期记录" }
                        ul {
                            @for record in &home.records {
                                @if let AccountRecordOf::Order(order) = &record.of {
                                    li { a href=(format!("/orders/{}", order.order)) {
                                        (order.amount) " " (record.at) " " (format!("{:?} {:?}", order.tender, order.state))
                                    } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
