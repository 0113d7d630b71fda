//! A workbook of 100,000 rows as people have it made: rows read from the database, in the background, into a file on the disk.

use std::sync::Arc;
use std::time::Instant;

use app::api::exports::{ExportsPort, NewExport};
use domain::clock::SystemClock;
use domain::order::Limits;
use domain::returns::Rules;
use domain::rng::Rng;
use meters::live::Live;
use model::gateway::SweepInterval;
use model::ids::MeterId;
use model::language::Lang;
use model::person::Who;
use model::saved_report::ReportFile;
use model::time::{SECOND, Timestamp};
use services::auth::Passwords;
use services::console::ConsoleService;
use services::exports::ExportsService;
use services::reports::ReportsService;
use services::{Context, NoMeterGateway};
use store::Db;
use tokio_util::sync::CancellationToken;

use crate::Outcome;
use crate::database::{self, Engine};
use crate::figure::Figure;
use crate::import::{peak_mb, peak_mb_from_now};

/// Rows of the workbook.
const ROWS: i64 = 100_000;
/// Days of its history, the most that one may have.
const DAYS: i64 = 30;
/// Times that it is made.
const EACH: usize = 3;

pub async fn figures(db: &Db, who: &Who, engine: Engine, now: Timestamp) -> Outcome<Vec<Figure>> {
    let meter = *database::ids(db, "SELECT id FROM meters ORDER BY id LIMIT 1").await?.first().ok_or("no meter")?;
    let begin = now.date().plus(-DAYS).start();
    let readings = format!(
        "WITH RECURSIVE n(n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n < {ROWS} - 1)
         INSERT INTO readings (meter_id, at, quality, source, status, total_wh, reverse_wh, remaining_fen, power_w, voltage_dv,
                               current_ca)
         SELECT m.id, {} + n.n * {}, 0, 0, 0, 100000 + n.n, n.n, 9000 - n.n % 9000, 600 + n.n % 7000, 2300 + n.n % 100, n.n % 1000
         FROM (SELECT id FROM meters ORDER BY id LIMIT 1) m CROSS JOIN n",
        begin.0,
        25 * SECOND
    );
    database::execute(db, &readings).await?;
    let files = tempfile::tempdir()?;
    let exports = service(db, files.path().join("exports")).await?;
    let (from, until) = (begin.date(), begin.date().plus(DAYS - 1));
    let query = format!("meter={}&kind=readings&from={from}&until={until}", MeterId(meter));
    let new = NewExport { source: "readings".parse().map_err(|_| "no source")?, query, file: ReportFile::Xlsx, lang: Lang::Zh };
    let (mut seconds, mut megabytes) = (Vec::new(), Vec::new());
    for _ in 0..EACH {
        exports.start_export(who, &new).await?.map_err(|problem| format!("{problem:?}"))?;
        let idle = peak_mb_from_now();
        let begun = Instant::now();
        exports.make_waiting(&CancellationToken::new()).await?;
        seconds.push(begun.elapsed().as_secs_f64());
        megabytes.extend(idle.zip(peak_mb()).map(|(idle, peak)| peak - idle));
    }
    for export in exports.exports(who).await? {
        if export.rows != ROWS || export.bytes == 0 {
            return Err(format!("{export:?}").into());
        }
    }
    let engine = engine.as_str();
    let against = format!("{ROWS} readings of one meter, from the database to the disk");
    let mut figures = vec![Figure::at_most(&format!("report.xlsx_100k.{engine}"), 3.0, "s", against, seconds)];
    if !megabytes.is_empty() {
        figures.push(Figure::at_most(&format!("report.xlsx_100k_memory.{engine}"), 50.0, "MB", "over idle", megabytes));
    }
    Ok(figures)
}

async fn service(db: &Db, files: std::path::PathBuf) -> Outcome<ExportsService> {
    let clock = Arc::new(SystemClock);
    let live = Live::load(db, clock.clone()).await?;
    let (db, rng, gateway) = (db.clone(), Rng::from_system(), Arc::new(NoMeterGateway));
    let context = Context { db, clock, rng: rng.clone(), live, gateway };
    let console = ConsoleService::new(context.clone(), Passwords::new(rng)?, Limits::default(), Rules::default());
    let reports = ReportsService::new(context.clone(), SweepInterval::CONTINUOUS, false);
    Ok(ExportsService::new(context, Arc::new(console), reports, files))
}
