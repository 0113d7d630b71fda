//! Reports over 10,000 meters and 365 days, beside plain SQL on the same daily rows.

use std::time::Instant;

use domain::clock::{Clock, SystemClock};
use model::gateway::SweepInterval;
use model::ids::MeterId;
use model::person::Who;
use model::report::{ReportKind, ReportQuery};
use model::time::Timestamp;
use reports::Subject;
use reports::place_energy;
use store::{Db, energy};

use crate::database::{self, Engine};
use crate::figure::{Figure, quantile};
use crate::import::site_of_10k;
use crate::{Length, Outcome, exports};

const DAYS: i64 = 365;
/// Times that each report is made.
const EACH: usize = 40;

/// Energy of every meter on each of the days up to `{last}`.
const ENERGY: &str = "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 364)
    INSERT INTO energy_daily (meter_id, day, wh, peak_wh, flat_wh)
    SELECT m.id, {last} - n.n, 2000 + (n.n * 37 + m.unit * 101) % 3000, 1000, 1000 + (n.n * 37 + m.unit * 101) % 3000
    FROM meters m CROSS JOIN n";

/// The same figures as the reports', from the daily rows.
const PLAIN: [(&str, &str); 2] = [
    (
        "building_year",
        "SELECT t.id FROM energy_daily d JOIN meters m ON m.id = d.meter_id JOIN places r ON r.id = m.place_id
         JOIN places b ON b.id = r.parent_id JOIN places t ON t.id = b.parent_id GROUP BY t.id HAVING SUM(d.wh) > 0",
    ),
    (
        "month_floor",
        "SELECT b.id FROM energy_daily d JOIN meters m ON m.id = d.meter_id JOIN places r ON r.id = m.place_id
         JOIN places b ON b.id = r.parent_id GROUP BY b.id, d.day / 30 HAVING SUM(d.wh) > 0",
    ),
];

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for engine in Engine::at_hand() {
        let directory = tempfile::tempdir()?;
        let db = Db::open(&engine.url(directory.path()).await?).await?;
        db.wait_for_disk(false).await?;
        let who = site_of_10k(&db).await?;
        let now = SystemClock.now();
        database::execute(&db, &ENERGY.replace("{last}", &now.date().plus(-1).0.to_string())).await?;
        let begun = Instant::now();
        place_energy::rebuild(&db, now).await?;
        let rebuilt = begun.elapsed().as_secs_f64();
        if let Db::Postgres { .. } = &db {
            database::execute(&db, "ANALYZE").await?;
        }
        figures.extend(measure(&db, &who, engine, now, rebuilt, length).await?);
        figures.extend(exports::figures(&db, &who, engine, now).await?);
        db.close().await;
    }
    Ok(figures)
}

async fn measure(db: &Db, who: &Who, engine: Engine, now: Timestamp, rebuilt: f64, length: Length) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for ((name, plain), (by, limit)) in PLAIN.into_iter().zip([("day", 20.0), ("month", 30.0)]) {
        let begun = Instant::now();
        database::ids(db, plain).await?;
        let plain = begun.elapsed().as_secs_f64() * 1_000.0;
        let mut times = Vec::new();
        for _ in 0..length.count(EACH).max(10) {
            let begun = Instant::now();
            made(db, who, by, now).await?;
            times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        }
        let against = format!("whole report; plain SQL on daily rows {plain:.0} ms; rolled up anew in {rebuilt:.1} s");
        figures.push(Figure::at_most(&format!("report.{name}.{}", engine.as_str()), limit, "ms", against, times));
    }
    let meter = *database::ids(db, "SELECT id FROM meters ORDER BY id LIMIT 1").await?.first().ok_or("no meter")?;
    let mut times = Vec::new();
    for _ in 0..EACH {
        let begun = Instant::now();
        let days = energy::daily(db, MeterId(meter), now.date().plus(-DAYS), now.date()).await?;
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        if days.len() != usize::try_from(DAYS)? {
            return Err(format!("{} days of a meter", days.len()).into());
        }
    }
    let against = format!("365 days of one meter; p95 {:.2} ms", quantile(&times, 0.95));
    figures.push(Figure::at_most(&format!("report.meter_year.{}", engine.as_str()), 2.0, "ms", against, times));
    Ok(figures)
}

/// The energy report of the last year.
async fn made(db: &Db, who: &Who, by: &str, now: Timestamp) -> Outcome<()> {
    let (from, until) = (now.date().plus(-DAYS), now.date().plus(-1));
    let field = |name: &'static str| match name {
        "from" => from.to_string(),
        "until" => until.to_string(),
        "by" => by.to_owned(),
        _ => String::new(),
    };
    let query = ReportQuery::parse(ReportKind::Energy, field, now.date()).map_err(|problem| format!("{problem:?}"))?;
    let subject = Subject::find(db, who.user, ReportKind::Energy, &query).await?.map_err(|problem| format!("{problem:?}"))?;
    let usual = SweepInterval::CONTINUOUS;
    let made = reports::make(db, now, who.user, ReportKind::Energy, &query, &subject, usual).await?;
    let report = made.map_err(|problem| format!("{problem:?}"))?;
    let rows: usize = report.sections.iter().map(|section| section.rows.len()).sum();
    if rows < 20 { Err(format!("a report of {rows} rows").into()) } else { Ok(()) }
}
