//! How much one report may read: what is larger is refused before it is begun, with how to narrow it.

use domain::abnormal_use::WEEKS;
use model::gateway::SweepInterval;
use model::ids::UserId;
use model::report::{RangeProblem, ReportKind, ReportQuery};

use crate::instruments::circuits;
use crate::{Subject, abnormal, meters, missing};
use store::{Db, Result};

/// Readings that are due: those of 700 meters each ten minutes in a month, and those of 10,000 each half hour in a week.
const READINGS_DUE: i64 = 4_000_000;
/// Meters times days: hours are added up once for the whole and once for its parts.
const OF_HOURS: i64 = 120_000;
/// Circuits times days: the readings of a circuit are added up, usually about a hundred a day.
const OF_CIRCUITS: i64 = 40_000;

/// Why a report would be too large; `None` where it is not, or where it bounds itself.
pub async fn problem(
    db: &Db,
    operator: UserId,
    kind: ReportKind,
    query: &ReportQuery,
    subject: &Subject,
    usual: SweepInterval,
) -> Result<Option<RangeProblem>> {
    if kind == ReportKind::Instruments {
        let meters = circuits::count(db, operator, subject.place()).await?;
        let days = OF_CIRCUITS / meters.max(1);
        return Ok((query.days() > days).then_some(RangeProblem::TooManyMeters { meters, days }));
    }
    let extent = match kind {
        ReportKind::MissingReadings | ReportKind::LoadCurve => subject.extent.clone(),
        ReportKind::AbnormalUse => abnormal::compared_extent(db, &subject.extent).await?,
        _ => return Ok(None),
    };
    let meters = meters::count(db, operator, &extent).await?;
    let days = match kind {
        ReportKind::MissingReadings => {
            let due = missing::due_meters(db, operator, query.instants(), &extent, usual).await?;
            days_of_readings(query.days(), due.iter().map(|meter| meter.due.total()).sum())
        }
        // The weeks before are read too.
        ReportKind::AbnormalUse => days_of_hours(WEEKS * 7, meters),
        _ => days_of_hours(0, meters),
    };
    Ok((query.days() > days).then_some(RangeProblem::TooManyMeters { meters, days }))
}

/// How many days fit where so many readings are due in some days.
fn days_of_readings(days: i64, due: i64) -> i64 {
    if due <= READINGS_DUE { days } else { days * READINGS_DUE / due }
}

fn days_of_hours(before: i64, meters: i64) -> i64 {
    (OF_HOURS / meters.max(1) - before).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_site_has_room_for_a_month_of_everything() {
        assert_eq!(days_of_readings(31, 696 * 31 * 144), 31);
        assert!(days_of_hours(WEEKS * 7, 696) >= 31);
        assert_eq!((days_of_hours(WEEKS * 7, 10_000), days_of_hours(0, 10_000)), (0, 12));
        assert_eq!(days_of_hours(0, 0), OF_HOURS);
        assert_eq!(OF_CIRCUITS / 100, 400, "a year of a hundred circuits");
    }

    #[test]
    fn a_month_of_frequent_readings_is_narrowed() {
        assert_eq!(days_of_readings(31, 696 * 31 * 1_440), 3, "each minute");
        assert_eq!(days_of_readings(1, 10_000 * 1_440), 0, "not even a day");
        assert_eq!(days_of_readings(400, 0), 400);
    }
}
