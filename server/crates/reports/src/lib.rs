//! Reports: one file a report, each a few queries of one state of the database, put into the one shape that the page, the files
//! and the print show. What is written here: the energy by place that they read, reports that people saved ([`saved`]), and files
//! that are made in the background ([`exports`]). `$1` is the operator in every query, who sees their buildings.

mod abnormal;
mod alarms;
mod building;
mod building_statement;
mod coverage;
mod energy;
pub mod exports;
mod hours;
mod instruments;
mod ledger_check;
mod liability;
mod limits;
mod load_curve;
mod losses;
mod meters;
mod missing;
mod movements;
mod of_places;
mod open_cases;
pub mod place_energy;
mod prices;
mod sales;
pub mod saved;
mod statement;
pub mod subject;
mod subsidies;
mod tree;

use std::result::Result as StdResult;

use model::gateway::SweepInterval;
use model::ids::UserId;
use model::report::{Cell, Heading, RangeProblem, Report, ReportKind, ReportQuery};
use model::time::Timestamp;

pub use abnormal::{JudgedDay, judged_days};
pub use limits::problem as too_large;
use store::{Db, Result};
pub use subject::{Extent, Subject};

/// Makes a report for an operator, whose permission the caller has checked; or says why it would be too large. `usual` is the
/// configuration's interval of readings, for meters that nothing else has one for.
pub async fn make(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    kind: ReportKind,
    query: &ReportQuery,
    subject: &Subject,
    usual: SweepInterval,
) -> Result<StdResult<Report, RangeProblem>> {
    if let Some(problem) = limits::problem(db, operator, kind, query, subject, usual).await? {
        return Ok(Err(problem));
    }
    let (sections, notes) = match kind {
        ReportKind::Sales => sales::contents(db, operator, query, subject).await?,
        ReportKind::Statement => statement::contents(db, query, subject).await?,
        ReportKind::BuildingStatement => building_statement::contents(db, operator, query, subject).await?,
        ReportKind::Liability => liability::contents(db, at, operator, query, subject).await?,
        ReportKind::Subsidies => subsidies::contents(db, operator, query, subject).await?,
        ReportKind::Prices => prices::contents(db, at, operator, query, subject).await?,
        ReportKind::OpenCases => open_cases::contents(db, at, operator, query, subject).await?,
        ReportKind::Energy => energy::contents(db, at, operator, query, subject).await?,
        ReportKind::LoadCurve => load_curve::contents(db, at, operator, query, subject).await?,
        ReportKind::AbnormalUse => abnormal::contents(db, at, operator, query, subject).await?,
        ReportKind::MissingReadings => missing::contents(db, at, operator, query, subject, usual).await?,
        ReportKind::Instruments => instruments::contents(db, at, operator, query, subject).await?,
        ReportKind::LostMeters => losses::meters(db, at, operator, query, subject).await?,
        ReportKind::LostGateways => losses::gateways(db, at, operator, query, subject).await?,
        ReportKind::Alarms => alarms::contents(db, at, operator, query, subject).await?,
    };
    Ok(Ok(Report { kind, query: query.clone(), about: subject.name.clone(), made_at: at, sections, notes }))
}

/// The name of a room; what has none belongs to no room.
fn name_or_none(name: &str) -> Cell {
    if name.is_empty() { Cell::Word(Heading::None) } else { Cell::Text(name.to_owned()) }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
