//! The history of a meter: energy by day and hour, and its readings.

use std::collections::HashMap;

use app::api::history::HistoryPort;
use async_trait::async_trait;
use model::console::{History, HistoryKind, HistoryLines, HistoryQuery, HourEnergy, POWER_PARTS, Page, PowerRange, Reading};
use model::energy::Energy;
use model::error::AppError;
use model::ids::MeterId;
use model::person::Who;
use model::time::{HOUR, Timestamp};

use super::ConsoleService;
use super::rooms;
use store::{energy, readings};

#[async_trait]
impl HistoryPort for ConsoleService {
    async fn history(&self, who: &Who, meter: MeterId, query: &HistoryQuery) -> Result<History, AppError> {
        let db = &self.context.db;
        let identity = queries::meter(db, who.user, meter).await?.ok_or(AppError::NotFound)?;
        let (from, to) = query.instants();
        let lines = match query.kind {
            HistoryKind::Days => {
                let range = (query.from, query.until);
                HistoryLines::Days(rooms::days(db, meter, range, self.context.now().date()).await?)
            }
            HistoryKind::Hours => {
                let known: HashMap<Timestamp, Energy> = energy::hours(db, meter, from, to).await?.into_iter().collect();
                let hours = (0..to.since(from) / HOUR).map(|n| from.plus(n * HOUR));
                HistoryLines::Hours(hours.map(|at| HourEnergy { at, energy: known.get(&at).copied() }).collect())
            }
            HistoryKind::Readings => {
                let skip = query.page.saturating_mul(Page::<Reading>::SIZE);
                let lines = readings::between(db, meter, (from, to), Page::<Reading>::SIZE, skip).await?;
                let total = readings::count_between(db, meter, (from, to)).await?;
                let power = readings::power_between(db, meter, (from, to), POWER_PARTS).await?;
                let power = power.into_iter().map(|(part, lowest_w, highest_w)| PowerRange { part, lowest_w, highest_w });
                HistoryLines::Readings(Page { lines: lines.into_iter().map(rooms::reading).collect(), total }, power.collect())
            }
        };
        let (serial, retired_at) = (identity.serial.clone(), identity.retired_at);
        Ok(History { meter, room: identity.room(), serial, retired_at, lines })
    }

    async fn readings(
        &self,
        who: &Who,
        meter: MeterId,
        range: (Timestamp, Timestamp),
        limit: i64,
    ) -> Result<Vec<Reading>, AppError> {
        let db = &self.context.db;
        queries::meter(db, who.user, meter).await?.ok_or(AppError::NotFound)?;
        Ok(readings::between(db, meter, range, limit, 0).await?.into_iter().map(rooms::reading).collect())
    }
}
