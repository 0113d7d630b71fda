//! Reports: one file a report, each a few queries of one state of the database, put into the one shape that the page, the files
//! and the print show; and the energy by place that they read, which is all that is written here. `$1` is the operator in every
//! query, who sees their buildings.

mod alarms;
mod energy;
mod instruments;
mod losses;
pub mod place_energy;
mod sales;
pub mod subject;
mod tree;

use model::ids::UserId;
use model::report::{Report, ReportKind, ReportQuery};
use model::time::Timestamp;

use store::{Db, Result};
pub use subject::{Extent, Subject};

/// Makes a report for an operator, whose permission the caller has checked.
///
/// # Errors
/// Where the database fails.
pub async fn make(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    kind: ReportKind,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<Report> {
    let (sections, notes) = match kind {
        ReportKind::Sales => sales::contents(db, operator, query, subject).await?,
        ReportKind::Energy => energy::contents(db, at, operator, query, subject).await?,
        ReportKind::Instruments => instruments::contents(db, at, operator, query, subject).await?,
        ReportKind::LostMeters => losses::meters(db, at, operator, query, subject).await?,
        ReportKind::LostGateways => losses::gateways(db, at, operator, query, subject).await?,
        ReportKind::Alarms => alarms::contents(db, at, operator, query, subject).await?,
    };
    Ok(Report { kind, query: query.clone(), about: subject.name.clone(), made_at: at, sections, notes })
}
