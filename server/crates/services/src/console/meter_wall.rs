//! The meter wall and the search.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use app::api::meter_wall::{MeterWallPort, Wall, WallMeter, WallSets};
use async_trait::async_trait;
use model::console::{Former, FoundOrder, FoundPlace, FoundPlaceKind, MeterLine, MeterQuery, Page};
use model::energy::Energy;
use model::error::AppError;
use model::meter::Latest;
use model::person::Who;
use model::search_text::without_suffixes;
use model::time::{DAY, HOUR, Timestamp};
use model::typed;

use super::ConsoleService;
use super::room_names::rooms_named;
use domain::wall_layout::{MeterPlace, WallScope, search_texts};

/// The most places that a search lists.
const PLACES_MAX: usize = 12;
/// The most rooms of one name that a search lists first.
const NAMED_MAX: usize = 8;

#[async_trait]
impl MeterWallPort for ConsoleService {
    async fn wall(&self, who: &Who, profile: &str) -> Result<Wall, AppError> {
        let buildings = queries::scope(&self.context.db, who.user).await?;
        let mut meters = self.context.live.meter_places(&buildings);
        let profiles: BTreeSet<String> = meters.iter().map(|(place, _)| place.belongs.profile.clone()).collect();
        let scope = WallScope::new(buildings, profile);
        meters.retain(|(place, _)| scope.holds(place));
        let names = self.context.live.sets(&scope).into_iter().map(|set| set.name).collect();
        let profile = scope.profile().map(str::to_owned);
        let texts = search_texts(meters.iter().map(|(place, _)| place));
        let meters = meters.into_iter().zip(texts);
        let meter = |((place, latest), search_text): ((MeterPlace, _), _)| WallMeter { name: place.name(), search_text, latest };
        let sets = WallSets { names, profiles: profiles.into_iter().collect(), profile };
        Ok(Wall { meters: meters.map(meter).collect(), sets })
    }

    async fn site_hours(&self, who: &Who) -> Result<Vec<(Timestamp, Energy)>, AppError> {
        let to = Timestamp(self.context.now().0.div_euclid(HOUR) * HOUR);
        Ok(queries::site_hours(&self.context.db, who.user, to.plus(-DAY), to).await?)
    }

    /// Where the text names exactly one room, only that room: `3号楼 101` does not mean every account number that contains 101.
    async fn search(&self, who: &Who, text: &str, page: i64) -> Result<Page<MeterLine>, AppError> {
        let (db, text) = (&self.context.db, typed::name(text));
        let text = text.as_str();
        let mut named = Vec::new();
        if page == 0 {
            let scope = queries::scope(db, who.user).await?;
            let meters = self.context.live.meter_places(&scope).into_iter();
            let names: Vec<_> = meters.map(|(place, _)| (place.meter, place.name())).collect();
            let rooms = rooms_named(text, &names);
            if rooms.len() <= NAMED_MAX {
                for (meter, _) in rooms {
                    named.extend(queries::meter_line(db, who.user, *meter).await?);
                }
            }
        }
        let mut found = if named.len() == 1 {
            Page { lines: named, total: 1 }
        } else {
            let mut others = self.found(who, text, page).await?;
            let bare = without_suffixes(text);
            if others.total == 0 && bare != text {
                others = self.found(who, &bare, page).await?;
            }
            let first: HashSet<_> = named.iter().map(|line| line.latest.meter).collect();
            others.lines.retain(|line| !first.contains(&line.latest.meter));
            others.lines.splice(..0, named);
            others
        };
        for line in &mut found.lines {
            line.latest = self.context.latest(line.latest.meter);
        }
        found.total = found.total.max(i64::try_from(found.lines.len()).unwrap_or(0));
        Ok(found)
    }

    async fn find_places(&self, who: &Who, text: &str) -> Result<Vec<FoundPlace>, AppError> {
        let scope = queries::scope(&self.context.db, who.user).await?;
        Ok(places_found(text, &self.context.live.meter_places(&scope)))
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

impl ConsoleService {
    /// A page of the meters that have the words of the text.
    async fn found(&self, who: &Who, text: &str, page: i64) -> Result<Page<MeterLine>, AppError> {
        let db = &self.context.db;
        match queries::search(db, who.user, text, page).await? {
            Some(found) => Ok(found),
            None => Ok(queries::meters(db, who.user, &MeterQuery { text: text.to_owned(), lost: false, page }).await?),
        }
    }
}

/// The places of the meters whose whole name the text is; without one, the buildings and groups whose name has it as a part.
fn places_found(text: &str, meters: &[(MeterPlace, Latest)]) -> Vec<FoundPlace> {
    // The meters of a building, and of a floor of it, follow each other.
    let (mut buildings, mut floors): (Vec<FoundPlace>, Vec<FoundPlace>) = Default::default();
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    let mut before: Option<&MeterPlace> = None;
    for (place, _) in meters {
        let is_same_building = before.is_some_and(|before| before.building == place.building);
        if !is_same_building {
            let kind = FoundPlaceKind::Building(place.building);
            buildings.push(FoundPlace { kind, name: place.building_name.clone(), meters: 0 });
        }
        let is_same_floor = is_same_building && before.is_some_and(|before| before.floor == place.floor);
        if !place.floor.is_empty() && !is_same_floor {
            let name = format!("{} {}", place.building_name, place.floor);
            floors.push(FoundPlace { kind: FoundPlaceKind::Floor, name, meters: 0 });
        }
        let floor = floors.last_mut().filter(|_| !place.floor.is_empty());
        buildings.last_mut().into_iter().chain(floor).for_each(|found| found.meters += 1);
        place.belongs.groups.iter().for_each(|group| *groups.entry(group.as_str()).or_default() += 1);
        before = Some(place);
    }
    let group = |(name, meters): (&str, usize)| FoundPlace { kind: FoundPlaceKind::Group, name: name.to_owned(), meters };
    let mut places: Vec<_> = buildings.into_iter().chain(floors).chain(groups.into_iter().map(group)).collect();
    let plain = |name: &str| name.split_whitespace().collect::<String>().to_lowercase();
    let sought = plain(text);
    let is_named = |place: &FoundPlace| plain(&place.name) == sought;
    let has_part = |place: &FoundPlace| place.kind != FoundPlaceKind::Floor && plain(&place.name).contains(&sought);
    if sought.is_empty() {
        places.clear();
    } else if places.iter().any(is_named) {
        places.retain(is_named);
    } else {
        places.retain(has_part);
    }
    places.truncate(PLACES_MAX);
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::wall_layout::Belongs;
    use model::ids::{MeterId, PlaceId, Uuid};

    #[test]
    fn a_search_finds_buildings_floors_and_groups() {
        let meter = |n: u128, building: u128, floor: &str, groups: &[&str]| {
            let meter = MeterId(Uuid::from_u128(n));
            let belongs = Belongs { groups: groups.iter().map(|&name| name.to_owned()).collect(), ..Belongs::default() };
            let building_name = format!("{building}号楼");
            let building = PlaceId(Uuid::from_u128(building));
            (
                MeterPlace { meter, building, building_name, floor: floor.into(), room: "101".into(), belongs },
                Latest::unseen(meter),
            )
        };
        let meters = [meter(1, 12, "1层", &["Pilot"]), meter(2, 12, "2层", &[]), meter(3, 112, "1层", &["Pilot"])];
        let found = |text: &str| {
            let places = places_found(text, &meters).into_iter();
            places.map(|place| (place.name, place.meters)).collect::<Vec<_>>()
        };
        let named = |name: &str, meters| vec![(name.to_owned(), meters)];
        assert_eq!(found("12号楼"), named("12号楼", 2), "not building 112");
        assert_eq!((found("12号楼1层"), found("pilot")), (named("12号楼 1层", 1), named("Pilot", 2)));
        assert_eq!(found("号楼"), [("12号楼".to_owned(), 2), ("112号楼".to_owned(), 1)]);
        assert_eq!((found(" "), found("9号楼")), (vec![], vec![]));
    }
}
