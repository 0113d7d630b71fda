//! The meter wall and the search.

use std::collections::HashSet;

use app::api::meter_wall::{MeterWallPort, WallMeter};
use async_trait::async_trait;
use model::console::{Former, FoundOrder, MeterLine, MeterQuery, RoomName};
use model::energy::Energy;
use model::error::AppError;
use model::ids::PlaceId;
use model::person::Who;
use model::place::PlaceKind;
use model::time::{DAY, HOUR, Timestamp};

use super::ConsoleService;
use domain::place_tree::PlaceTree;
use domain::wall_layout::Scope;

/// The most rooms of one name that a search lists first.
const NAMED_MAX: usize = 8;

#[async_trait]
impl MeterWallPort for ConsoleService {
    async fn wall_meters(&self, who: &Who) -> Result<Vec<WallMeter>, AppError> {
        let scope = queries::scope(&self.context.db, who.user).await?;
        let meters = self.context.live.meter_places(&scope).into_iter();
        Ok(meters.map(|(place, latest)| WallMeter { name: place.name(), search_text: place.search_text(), latest }).collect())
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

/// Whether the text names this room: it ends with the room's name, and its other words occur in building or floor.
fn is_room_named(text: &str, name: &RoomName) -> bool {
    let mut words = text.split_whitespace().rev();
    let room = words.next().is_some_and(|word| word.eq_ignore_ascii_case(&name.room));
    room && words.all(|word| name.building.contains(word) || name.floor.contains(word))
}

/// The rooms that the text names: those whose whole name it is, otherwise those that it may mean.
pub(in crate::services) fn rooms_named<'a, T>(text: &str, rooms: &'a [(T, RoomName)]) -> Vec<&'a (T, RoomName)> {
    let whole: Vec<_> = rooms.iter().filter(|(_, name)| is_whole_name(text, name)).collect();
    if whole.is_empty() { rooms.iter().filter(|(_, name)| is_room_named(text, name)).collect() } else { whole }
}

/// The one room within a scope that the text names.
///
/// # Errors
/// [`AppError::NotFound`] where it names none or several.
pub(in crate::services) fn room_named(tree: &PlaceTree, scope: &Scope, text: &str) -> Result<(PlaceId, RoomName), AppError> {
    let site = tree.site().map(|site| site.id).ok_or(AppError::NotFound)?;
    let rooms = tree.below(site).into_iter().filter(|place| place.kind == PlaceKind::Room && tree.is_within(scope, place.id));
    let names: Vec<_> = rooms.filter_map(|place| Some((place.id, tree.room_name(place.id)?))).collect();
    match rooms_named(text, &names)[..] {
        [(id, room)] => Ok((*id, room.clone())),
        _ => Err(AppError::NotFound),
    }
}

/// Whether the text is building, floor and room, with or without spaces between them.
fn is_whole_name(text: &str, name: &RoomName) -> bool {
    let rest = text.trim().strip_prefix(&*name.building).map(str::trim_start);
    let rest = rest.and_then(|rest| rest.strip_prefix(&*name.floor)).map(str::trim_start);
    rest == Some(&*name.room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_name_is_not_taken_for_a_part_of_another() {
        let name = |building: &str, floor: &str| RoomName { building: building.into(), floor: floor.into(), room: "101".into() };
        let rooms = [(1, name("1号楼", "1层")), (2, name("11号楼", "1层")), (3, name("11号楼", "11层"))];
        let found = |text: &str| rooms_named(text, &rooms).into_iter().map(|(n, _)| *n).collect::<Vec<_>>();
        assert_eq!(found("1号楼 1层 101"), [1]);
        assert_eq!(found("11号楼 1层 101"), [2]);
        assert_eq!(found("1号楼 101"), [1, 2, 3], "a part of a name may mean several");
    }

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
