//! Reports about residents' money over a ledger of a million transfers: 10,000 accounts whose meters were compared with the books
//! on each of a hundred days.

use std::time::Instant;

use domain::clock::{Clock, SystemClock};
use model::gateway::SweepInterval;
use model::person::Who;
use model::report::{ReportKind, ReportQuery};
use model::time::Timestamp;
use reports::Subject;
use store::Db;

use crate::database::{self, Engine};
use crate::figure::Figure;
use crate::import::site_of_10k;
use crate::{Length, Outcome};

/// Times that each report is made.
const EACH: usize = 8;

/// What residents hold at the beginning, and what their meters take on each day up to `{now}`. `{id}` is a new id.
const BOOKS: [&str; 5] = [
    "INSERT INTO accounts (id, number, place_id, state, opened_at)
     SELECT {id}, '0000' || serial, place_id, 'open', {now} - 8640000000 FROM meters",
    "INSERT INTO account_meters (account_id, meter_id, epoch, count, cumulative_fen, from_at)
     SELECT a.id, m.id, 1, 1, 50000, a.opened_at FROM accounts a JOIN meters m ON m.place_id = a.place_id",
    "INSERT INTO ledger_transfers (id, operation, reference, debit, credit, amount_e4, at)
     SELECT {id}, 'takeover', a.id, 'taken-over', 'meter:' || k.key, 5000000, a.opened_at
     FROM accounts a JOIN account_keys k ON k.id = a.id",
    "WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 98)
     INSERT INTO meter_consumption (id, meter_id, account_id, epoch, from_at, at, amount_fen)
     SELECT {id}, meter_id, account_id, 1, {now} - CAST(n.n + 1 AS BIGINT) * 86400000,
            {now} - CAST(n.n AS BIGINT) * 86400000, 100 + n.n
     FROM account_meters CROSS JOIN n",
    "INSERT INTO ledger_transfers (id, operation, reference, debit, credit, amount_e4, at)
     SELECT {id}, 'use', u.id, 'meter:' || k.key, 'consumption', u.amount_fen * 100, u.at
     FROM meter_consumption u JOIN account_keys k ON k.id = u.account_id ORDER BY u.at",
];

/// The reports, with the seconds that each may take.
const REPORTS: [(ReportKind, &str, f64); 3] = [
    (ReportKind::Liability, "liability", 5.0),
    (ReportKind::BuildingStatement, "building_statement", 5.0),
    (ReportKind::Sales, "sales", 5.0),
];

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for engine in Engine::at_hand() {
        let directory = tempfile::tempdir()?;
        let db = Db::open(&engine.url(directory.path()).await?).await?;
        db.wait_for_disk(false).await?;
        let who = site_of_10k(&db).await?;
        let now = SystemClock.now();
        for sql in BOOKS {
            database::execute(&db, &sql.replace("{now}", &now.0.to_string())).await?;
        }
        if let Db::Postgres { .. } = &db {
            database::execute(&db, "ANALYZE").await?;
        }
        let transfers = database::number(&db, "SELECT COUNT(*) FROM ledger_transfers").await?;
        for (kind, name, limit) in REPORTS {
            let mut times = Vec::new();
            for _ in 0..length.count(EACH).max(3) {
                let begun = Instant::now();
                make(&db, &who, kind, now).await?;
                times.push(begun.elapsed().as_secs_f64());
            }
            let against = format!("{transfers} transfers of 10,000 accounts");
            figures.push(Figure::at_most(&format!("report.{name}.{}", engine.as_str()), limit, "s", against, times));
        }
        db.close().await;
    }
    Ok(figures)
}

async fn make(db: &Db, who: &Who, kind: ReportKind, now: Timestamp) -> Outcome<()> {
    let query = ReportQuery::parse(kind, |_| String::new(), now.date()).map_err(|problem| format!("{problem:?}"))?;
    let subject = Subject::find(db, who.user, kind, &query).await?.map_err(|problem| format!("{problem:?}"))?;
    let made = reports::make(db, now, who.user, kind, &query, &subject, SweepInterval::CONTINUOUS).await?;
    let report = made.map_err(|problem| format!("{problem:?}"))?;
    let is_whole = report.sections.iter().any(|section| section.rows.len() >= 20);
    if is_whole { Ok(()) } else { Err(format!("{} has too few rows", kind.as_str()).into()) }
}
