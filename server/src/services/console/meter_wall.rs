//! The meter wall and the search.

use std::collections::HashSet;

use app::api::gateways::GatewaysPort;
use app::api::meter_wall::{MeterWallPort, WallMeter};
use async_trait::async_trait;
use model::console::{FoundOrder, MeterLine, MeterQuery, RoomName};
use model::error::AppError;
use model::person::Who;

use super::ConsoleService;
use store::console;

/// The most rooms of one name that a search lists first.
const NAMED_MAX: usize = 8;

#[async_trait]
impl MeterWallPort for ConsoleService {
    async fn wall_meters(&self, who: &Who) -> Result<Vec<WallMeter>, AppError> {
        let scope = console::scope(&self.context.db, who.user).await?;
        let meters = self.context.live.meter_places(&scope).into_iter();
        Ok(meters.map(|(place, latest)| WallMeter { name: place.name(), latest }).collect())
    }

    /// Where the text names exactly one room, only that room: `3号楼 101` does not mean every account number that contains 101.
    async fn search(&self, who: &Who, text: &str) -> Result<Vec<MeterLine>, AppError> {
        let meters = self.wall_meters(who).await?;
        let named: Vec<_> = meters.iter().filter(|meter| is_room_named(text, &meter.name)).take(NAMED_MAX + 1).collect();
        let mut found = Vec::new();
        if named.len() <= NAMED_MAX {
            for meter in &named {
                let query = MeterQuery { text: meter.name.to_string(), ..MeterQuery::default() };
                let lines = self.meters(who, &query).await?.lines;
                found.extend(lines.into_iter().filter(|line| line.latest.meter == meter.latest.meter));
            }
        }
        if let [_] = &found[..] {
            return Ok(found);
        }
        let first: HashSet<_> = found.iter().map(|line| line.latest.meter).collect();
        let query = MeterQuery { text: text.to_owned(), ..MeterQuery::default() };
        let others = self.meters(who, &query).await?.lines;
        found.extend(others.into_iter().filter(|line| !first.contains(&line.latest.meter)));
        Ok(found)
    }

    async fn find_orders(&self, who: &Who, text: &str) -> Result<Vec<FoundOrder>, AppError> {
        Ok(console::orders_by_number(&self.context.db, who.user, text).await?)
    }
}

/// Whether the text names this room: it ends with the room's name, and its other words occur in building or floor.
pub(in crate::services) fn is_room_named(text: &str, name: &RoomName) -> bool {
    let mut words = text.split_whitespace().rev();
    let room = words.next().is_some_and(|word| word.eq_ignore_ascii_case(&name.room));
    room && words.all(|word| name.building.contains(word) || name.floor.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_a_room_by_its_whole_name() {
        let name = RoomName { building: "3号楼".into(), floor: "1层".into(), room: "B101".into() };
        for text in ["b101", "3 B101", "3号楼 1层 B101", " 3号楼  b101 "] {
            assert!(is_room_named(text, &name), "{text}");
        }
        for text in ["", "101", "4号楼 B101", "B101 3号楼", "B1012"] {
            assert!(!is_room_named(text, &name), "{text}");
        }
    }
}
