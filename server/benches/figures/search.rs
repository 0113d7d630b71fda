//! The operators' search over 10,000 rooms with residents and 50,000 paid orders, as a page that has arrived whole.

use std::time::{Duration, Instant};

use store::Db;

use crate::database::{self, Engine};
use crate::figure::{Figure, quantile};
use crate::site::{Plan, Site};
use crate::{Length, Outcome};

/// 10,000 rooms, read every five minutes.
const ROOMS: Plan =
    Plan { gateways: 50, meters: 200, bus: None, sweep_s: 300, sells: true, records: false, engine: Engine::Sqlite };
/// Searches of each kind.
const EACH: usize = 40;

/// Orders of each room by phone, with attempt, event and receipt. `{id}` is a new id.
const ORDERS: [&str; 4] = [
    "WITH RECURSIVE k(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM k WHERE k < 4),
          rows AS (SELECT account_id, meter_id, 10000 * k + ROW_NUMBER() OVER (PARTITION BY k ORDER BY meter_id) AS n
                   FROM account_meters CROSS JOIN k)
     INSERT INTO orders (id, number, key, account_id, meter_id, tender, amount_fen, state, created_by, created_at, paid_at,
                         credited_at)
     SELECT {id}, 2600000000 + n, {id}, account_id, meter_id, 'alipay', 5000, 'credited',
            (SELECT id FROM users WHERE login = 'bench'), 1790000000000 + n, 1790000000000 + n, 1790000000000 + n
     FROM rows",
    "INSERT INTO payment_attempts (id, order_id, channel, out_trade_no, amount_fen, app_id, seller_id, state, created_at,
                                   expires_at, next_query_at, trade_no, paid_at)
     SELECT {id}, id, 'alipay', 'DW' || number, amount_fen, 'app', 'seller', 'paid', created_at, created_at, created_at,
            '2026112922' || number, paid_at
     FROM orders",
    "INSERT INTO payment_events (id, channel, trade_no, kind, refund_no, refund_total_fen, source, attempt_id, amount_fen, digest,
                                 outcome, received_at)
     SELECT {id}, channel, trade_no, 'paid', '', 0, 'notify', id, amount_fen, {bytes}, 'applied', created_at
     FROM payment_attempts",
    "INSERT INTO receipts (series, year, number, order_id, issued_by, issued_at)
     SELECT 'cash_desk', 2026, number - 2600000000, id, created_by, created_at FROM orders",
];

/// What people search for, and where texts of that kind come from.
const KINDS: [(&str, &str); 9] = [
    ("room", "SELECT name FROM places WHERE kind = 'room' ORDER BY id LIMIT 4000"),
    (
        "floor and room",
        "SELECT f.name || ' ' || r.name FROM places r JOIN places f ON f.id = r.parent_id WHERE r.kind = 'room'
         ORDER BY r.id LIMIT 4000",
    ),
    ("part of rooms", "SELECT DISTINCT name FROM places WHERE kind = 'unit' ORDER BY name"),
    ("resident", "SELECT name FROM users WHERE role = 'resident' ORDER BY login LIMIT 4000"),
    ("account", "SELECT number FROM accounts ORDER BY number LIMIT 4000"),
    ("meter", "SELECT serial FROM meters ORDER BY serial LIMIT 4000"),
    ("order", "SELECT CAST(number AS TEXT) FROM orders ORDER BY number LIMIT 4000"),
    ("receipt", "SELECT year || '-' || number FROM receipts ORDER BY number LIMIT 4000"),
    ("trade", "SELECT trade_no FROM payment_events ORDER BY trade_no LIMIT 4000"),
];

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for engine in Engine::at_hand() {
        let site = Site::start(Plan { engine, ..ROOMS }).await?;
        site.all_read(Duration::from_secs(180)).await?;
        for sql in ORDERS {
            database::execute(&site.db, sql).await?;
        }
        if let Db::Postgres { .. } = &site.db {
            database::execute(&site.db, "ANALYZE").await?;
        }
        figures.push(measure(&site, engine, length).await?);
    }
    Ok(figures)
}

async fn measure(site: &Site, engine: Engine, length: Length) -> Outcome<Figure> {
    let (mut all, mut said) = (Vec::new(), Vec::new());
    for (kind, sql) in KINDS {
        let texts = database::texts(&site.db, sql).await?;
        let mut times = Vec::new();
        let step = 37;
        for n in 0..length.count(EACH).max(10) {
            let text = texts.get(n * step % texts.len().max(1)).ok_or("nothing to search for")?;
            let begun = Instant::now();
            let (status, page) = site.page(&format!("/search?q={}", text.replace(' ', "+"))).await?;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            // One find is opened at once.
            let found = status.is_redirection() || status.is_success() && page.contains("<tbody>");
            if !found {
                return Err(format!("{text} was not found: {status}").into());
            }
        }
        said.push(format!("{kind} {:.1}", quantile(&times, 0.95)));
        all.extend(times);
    }
    let against =
        format!("p95 of {} searches over 10,000 rooms and 50,000 orders; p95 by kind, ms: {}", all.len(), said.join(", "));
    Ok(Figure::at_most(&format!("search.10k_ms.{}", engine.as_str()), 50.0, "ms", against, vec![quantile(&all, 0.95)]))
}
