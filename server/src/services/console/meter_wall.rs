//! The meter wall and the search.

use std::collections::HashSet;

use app::api::meter_wall::{MeterWallPort, WallMeter};
use async_trait::async_trait;
use model::console::{Former, FoundOrder, MeterLine, MeterQuery};
use model::energy::Energy;
use model::error::AppError;
use model::person::Who;
use model::time::{DAY, HOUR, Timestamp};

use super::ConsoleService;
use super::room_names::rooms_named;
use domain::wall_layout::search_texts;

/// The most rooms of one name that a search lists first.
const NAMED_MAX: usize = 8;

#[async_trait]
impl MeterWallPort for ConsoleService {
    async fn wall_meters(&self, who: &Who) -> Result<Vec<WallMeter>, AppError> {
        let scope = queries::scope(&self.context.db, who.user).await?;
        let meters = self.context.live.meter_places(&scope);
        let texts = search_texts(meters.iter().map(|(place, _)| place));
        let meters = meters.into_iter().zip(texts);
        Ok(meters.map(|((place, latest), search_text)| WallMeter { name: place.name(), search_text, latest }).collect())
    }

    async fn wall_sets(&self, who: &Who) -> Result<Vec<String>, AppError> {
        let scope = queries::scope(&self.context.db, who.user).await?;
        Ok(self.context.live.sets(&scope).into_iter().map(|set| set.name).collect())
    }

    async fn site_hours(&self, who: &Who) -> Result<Vec<(Timestamp, Energy)>, AppError> {
        let to = Timestamp(self.context.now().0.div_euclid(HOUR) * HOUR);
        Ok(queries::site_hours(&self.context.db, who.user, to.plus(-DAY), to).await?)
    }

    /// Where the text names exactly one room, only that room: `3号楼 101` does not mean every account number that contains 101.
    async fn search(&self, who: &Who, text: &str) -> Result<Vec<MeterLine>, AppError> {
        let db = &self.context.db;
        let meters = self.wall_meters(who).await?;
        let names: Vec<_> = meters.into_iter().map(|meter| (meter.latest.meter, meter.name)).collect();
        let named = rooms_named(text, &names);
        let mut found = Vec::new();
        if named.len() <= NAMED_MAX {
            for (meter, _) in named {
                found.extend(queries::meter_line(db, who.user, *meter).await?);
            }
        }
        if found.len() != 1 {
            let first: HashSet<_> = found.iter().map(|line| line.latest.meter).collect();
            let others = match queries::search(db, who.user, text).await? {
                Some(others) => others,
                None => {
                    queries::meters(db, who.user, &MeterQuery { text: text.to_owned(), ..MeterQuery::default() }).await?.lines
                }
            };
            found.extend(others.into_iter().filter(|line| !first.contains(&line.latest.meter)));
        }
        for line in &mut found {
            line.latest = self.context.latest(line.latest.meter);
        }
        Ok(found)
    }

    async fn find_former(&self, who: &Who, text: &str) -> Result<Former, AppError> {
        let db = &self.context.db;
        let accounts = queries::former_accounts(db, who.user, text).await?;
        Ok(Former { accounts, meters: queries::former_meters(db, who.user, text).await? })
    }

    async fn find_orders(&self, who: &Who, text: &str) -> Result<Vec<FoundOrder>, AppError> {
        Ok(queries::orders_by_number(&self.context.db, who.user, text).await?)
    }
}
