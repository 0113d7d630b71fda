//! What a rule for abnormal use would have raised: from days judged as the report judges them.

use std::collections::HashMap;

use alarms::{EditedRule, Preview};
use model::error::AppError;
use model::ids::MeterId;
use model::time::Timestamp;

use domain::abnormal_use::{finished_at, finished_day, is_condition};
use estate::places;
use store::Db;

/// Between two instants; `is_over` says when to stop, and then the buildings that are left are not looked at.
pub async fn preview(
    db: &Db,
    edited: &EditedRule<'_>,
    (from, to): (Timestamp, Timestamp),
    is_over: impl Fn() -> bool + Send + Sync,
) -> Result<Preview, AppError> {
    let mut observed: HashMap<MeterId, Vec<(Timestamp, bool)>> = HashMap::new();
    let span = (from.date(), finished_day(to));
    for (building, _) in places::buildings(db).await? {
        if is_over() {
            break;
        }
        for judged in reports::judged_days(db, building, span).await? {
            observed.entry(judged.meter).or_default().push((finished_at(judged.day), is_condition(&judged.found)));
        }
    }
    Ok(alarms::preview_of_meters(db, edited, to, &observed).await?)
}
