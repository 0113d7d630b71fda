//! How much one report may read: what is larger is refused before it is begun, with how to narrow it.

use domain::abnormal_use::WEEKS;
use model::ids::UserId;
use model::report::{RangeProblem, ReportKind, ReportQuery};

use crate::instruments::circuits;
use crate::{Subject, meters};
use store::{Db, Result};

/// Meters times days. Readings are looked at one by one, hours are added up once for the whole and once for its parts.
const OF_READINGS: i64 = 40_000;
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
) -> Result<Option<RangeProblem>> {
    if kind == ReportKind::Instruments {
        let meters = circuits::count(db, operator, subject.place()).await?;
        let days = most_days(OF_CIRCUITS, 0, meters);
        return Ok((query.days() > days).then_some(RangeProblem::TooManyMeters { meters, days }));
    }
    let (most, before) = match kind {
        ReportKind::MissingReadings => (OF_READINGS, 0),
        ReportKind::LoadCurve => (OF_HOURS, 0),
        // The weeks before are read too.
        ReportKind::AbnormalUse => (OF_HOURS, WEEKS * 7),
        _ => return Ok(None),
    };
    let meters = meters::count(db, operator, &subject.extent).await?;
    let days = most_days(most, before, meters);
    Ok((query.days() > days).then_some(RangeProblem::TooManyMeters { meters, days }))
}

fn most_days(most: i64, before: i64, meters: i64) -> i64 {
    (most / meters.max(1) - before).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_site_has_room_for_a_month_of_everything() {
        assert!(most_days(OF_READINGS, 0, 696) >= 31 && most_days(OF_HOURS, WEEKS * 7, 696) >= 31);
        assert_eq!((most_days(OF_HOURS, WEEKS * 7, 10_000), most_days(OF_HOURS, 0, 10_000)), (0, 12));
        assert_eq!(most_days(OF_HOURS, 0, 0), OF_HOURS);
        assert!(most_days(OF_CIRCUITS, 0, 100) >= 366);
    }
}
