//! The gaps between the readings of meters that are longer than they should be.

use std::collections::HashMap;

use domain::missing_readings::{Due, Gap};
use model::ids::MeterId;
use model::time::Timestamp;
use sqlx::{AssertSqlSafe, FromRow};

use store::{Db, Result, read};

/// Meters that one query asks about, at most.
const METERS: i64 = 200;
/// Readings that one query compares with each other, about.
const READINGS: i64 = 200_000;

/// The outermost readings of a range, and those around it.
#[derive(FromRow)]
struct EndsRow {
    id: MeterId,
    earlier: Option<Timestamp>,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    later: Option<Timestamp>,
}

impl EndsRow {
    /// The gaps at both ends, or the one that is all of it.
    fn gaps(&self) -> Vec<Gap> {
        match (self.first_at, self.last_at) {
            (Some(first), Some(last)) => {
                vec![Gap { after: self.earlier, until: Some(first) }, Gap { after: Some(last), until: self.later }]
            }
            _ => vec![Gap { after: self.earlier, until: self.later }],
        }
    }
}

/// The gaps of meters with one interval in the range of `due`. Midnight values do not count: meters keep them themselves, and
/// they are fetched later.
pub async fn read(
    db: &Db,
    (from, to): (Timestamp, Timestamp),
    due: &Due,
    meters: &[MeterId],
) -> Result<HashMap<MeterId, Vec<Gap>>> {
    let mut gaps: HashMap<MeterId, Vec<Gap>> = HashMap::new();
    let chunk = usize::try_from((READINGS / due.total().max(1)).clamp(1, METERS)).unwrap_or(1);
    for meters in meters.chunks(chunk) {
        let marks: Vec<String> = (4..).take(meters.len()).map(|n| format!("${n}")).collect();
        let marks = marks.join(",");
        let ends = format!(
            "SELECT m.id,
                (SELECT r.at FROM readings r WHERE r.meter_id = m.id AND r.source <> $3 AND r.at < $1
                 ORDER BY r.at DESC LIMIT 1) AS earlier,
                (SELECT r.at FROM readings r WHERE r.meter_id = m.id AND r.source <> $3 AND r.at >= $1 AND r.at < $2
                 ORDER BY r.at LIMIT 1) AS first_at,
                (SELECT r.at FROM readings r WHERE r.meter_id = m.id AND r.source <> $3 AND r.at >= $1 AND r.at < $2
                 ORDER BY r.at DESC LIMIT 1) AS last_at,
                (SELECT r.at FROM readings r WHERE r.meter_id = m.id AND r.source <> $3 AND r.at >= $2
                 ORDER BY r.at LIMIT 1) AS later
             FROM meters m WHERE m.id IN ({marks})"
        );
        let ends: Vec<EndsRow> = read!(db, |pool| {
            let mut query = sqlx::query_as(AssertSqlSafe(ends.clone())).bind(from).bind(to).bind(FREEZE);
            for meter in meters {
                query = query.bind(*meter);
            }
            query.fetch_all(pool).await
        })?;
        for row in ends {
            gaps.entry(row.id).or_default().extend(row.gaps());
        }
        let marks: Vec<String> = (5..).take(meters.len()).map(|n| format!("${n}")).collect();
        let inner = format!(
            "SELECT meter_id, earlier, at FROM
               (SELECT meter_id, at, LAG(at) OVER (PARTITION BY meter_id ORDER BY at) AS earlier FROM readings
                WHERE meter_id IN ({}) AND at >= $1 AND at < $2 AND source <> $3) AS pairs
             WHERE at - earlier >= $4 ORDER BY meter_id, at",
            marks.join(",")
        );
        let inner: Vec<(MeterId, Timestamp, Timestamp)> = read!(db, |pool| {
            let mut query = sqlx::query_as(AssertSqlSafe(inner.clone())).bind(from).bind(to).bind(FREEZE).bind(due.tolerated());
            for meter in meters {
                query = query.bind(*meter);
            }
            query.fetch_all(pool).await
        })?;
        for (meter, after, until) in inner {
            gaps.entry(meter).or_default().push(Gap { after: Some(after), until: Some(until) });
        }
    }
    Ok(gaps)
}

const FREEZE: model::reading::ReadingSource = model::reading::ReadingSource::Freeze;
