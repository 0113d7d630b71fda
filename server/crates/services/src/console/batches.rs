//! Batches: the same command to many meters, previewed before it is issued.

use std::collections::{HashMap, HashSet};

use app::api::batches::BatchesPort;
use async_trait::async_trait;
use aws_lc_rs::digest::{self, SHA256};
use model::console::{
    Batch, BatchFilter, BatchQuery, BatchView, Building, Differs, LeftOut, MissedSwitch, Page, Preview, ROOM_LINES_MAX, Target,
};
use model::error::AppError;
use model::ids::{BatchId, MeterId, Uuid};
use model::issue::{Issue, Kind};
use model::meter::{Latest, Wallet};
use model::person::Who;
use model::search_text::SearchText;
use model::wall::Tile;

use super::ConsoleService;
use super::room_names::rooms_named;
use app::ui::wall::filter::Filter;
use domain::wall_layout::{MeterPlace, search_texts};
use estate::place_groups;
use store::batches::{self, NewBatch, PricesFrom};

/// The most filters of the wall in one target; a form sends one.
const SHOWN_MAX: usize = 8;

#[async_trait]
impl BatchesPort for ConsoleService {
    /// In the order of the wall.
    async fn buildings(&self, who: &Who) -> Result<Vec<Building>, AppError> {
        let scope = queries::scope(&self.context.db, who.user).await?;
        let mut buildings: Vec<Building> = Vec::new();
        for (place, _) in self.context.live.meter_places(&scope) {
            if buildings.last().is_none_or(|last| last.id != place.building) {
                buildings.push(Building { id: place.building, name: place.building_name.clone(), floors: Vec::new() });
            }
            let Some(building) = buildings.last_mut() else { continue };
            match building.floors.last_mut() {
                Some((floor, meters)) if *floor == place.floor => *meters += 1,
                _ => building.floors.push((place.floor.clone(), 1)),
            }
        }
        Ok(buildings)
    }

    async fn preview(&self, who: &Who, kind: Kind, target: &Target) -> Result<Preview, AppError> {
        let (mut meter_places, unknown) = self.chosen(who, target).await?;
        let wallets: HashMap<_, _> = queries::wallets(&self.context.db).await?.into_iter().collect();
        let differing = match target.differs {
            Some(Differs::Limits { of, limits }) => Some(self.differing(of, limits).await?),
            Some(Differs::Prices { plan, table }) => Some(self.other_prices(plan, kind, table).await?),
            None => None,
        };
        if let Some(differing) = differing {
            meter_places.retain(|(place, _)| differing.contains(&place.meter));
        }
        let mut preview = Preview { meters: Vec::new(), left_out: Vec::new(), unknown, seal: String::new() };
        for (place, latest) in meter_places {
            // A place whose meter is not in service was retired a moment ago.
            let Some(wallet) = wallets.get(&place.meter).copied() else { continue };
            match left_out(kind, wallet, &latest, target.lost) {
                None => preview.meters.push((place.meter, place.name())),
                Some(why) => preview.left_out.push((place.name(), why)),
            }
        }
        preview.left_out.sort_by_key(|(_, why)| *why);
        preview.seal = seal(&preview.meters.iter().map(|(meter, _)| *meter).collect::<Vec<_>>());
        Ok(preview)
    }

    async fn issue_commands(&self, who: &Who, id: BatchId, issue: &Issue, target: &Target, sealed: &str) -> Result<(), AppError> {
        // A form that is sent again is answered before the preview: its own commands may have changed the target.
        let issued = queries::batches(&self.context.db, who.user, Some(id), &Default::default()).await?;
        if let Some(batch) = issued.lines.first() {
            return if batch.issue == *issue { Ok(()) } else { Err(AppError::Conflict) };
        }
        let preview = self.preview(who, issue.kind(), target).await?;
        if preview.seal != sealed {
            return Err(AppError::Conflict);
        }
        let meters: Vec<MeterId> = preview.meters.into_iter().map(|(meter, _)| meter).collect();
        let prices = self.prices_from(issue, &meters).await?;
        let batch = NewBatch { id, issue, meters: &meters };
        batches::create(&self.context.db, &self.context.rng, self.context.now(), who, &batch, prices).await?;
        self.context.gateway.wake();
        Ok(())
    }

    async fn batches(&self, who: &Who, query: &BatchQuery) -> Result<Page<Batch>, AppError> {
        Ok(queries::batches(&self.context.db, who.user, None, query).await?)
    }

    async fn batch(&self, who: &Who, id: BatchId, filter: Option<BatchFilter>, page: i64) -> Result<BatchView, AppError> {
        let found = queries::batches(&self.context.db, who.user, Some(id), &Default::default()).await?;
        let batch = found.lines.into_iter().next().ok_or(AppError::NotFound)?;
        let items = queries::batch_items(&self.context.db, who.user, id, filter, page).await?;
        Ok(BatchView { batch, items: items.lines, total: items.total, at: self.context.now() })
    }

    async fn retry_batch(&self, who: &Who, id: BatchId, meter: Option<MeterId>) -> Result<(), AppError> {
        let meters = self.filtered_meters(who, id, BatchFilter::Failed).await?;
        let meters: Vec<MeterId> = meters.into_iter().filter(|one| meter.is_none_or(|meter| meter == *one)).collect();
        let found = queries::batches(&self.context.db, who.user, Some(id), &Default::default()).await?;
        let issue = found.lines.into_iter().next().ok_or(AppError::NotFound)?.issue;
        let prices = self.prices_from(&issue, &meters).await?;
        batches::retry(&self.context.db, &self.context.rng, self.context.now(), who, (id, &meters), prices).await?;
        self.context.gateway.wake();
        Ok(())
    }

    async fn cancel_batch(&self, who: &Who, id: BatchId) -> Result<(), AppError> {
        let meters = self.filtered_meters(who, id, BatchFilter::Moving).await?;
        batches::cancel(&self.context.db, self.context.now(), who, id, &meters).await?;
        Ok(())
    }

    async fn missed_price_switches(&self, who: &Who, page: i64) -> Result<Page<MissedSwitch>, AppError> {
        Ok(queries::missed(&self.context.db, who.user, self.context.now(), page).await?)
    }
}

impl ConsoleService {
    /// The meters of a target that the operator may see, in the order of the wall, and the lines that name no room or several.
    pub(super) async fn chosen(&self, who: &Who, target: &Target) -> Result<(Vec<(MeterPlace, Latest)>, Vec<String>), AppError> {
        let is_long = |length| length > ROOM_LINES_MAX;
        let lists = [target.rooms.lines().count(), target.places.len(), target.groups.len()];
        if lists.into_iter().any(is_long) || target.shown.len() > SHOWN_MAX {
            return Err(AppError::ListTooLong);
        }
        let mut grouped = HashSet::new();
        for group in &target.groups {
            grouped.extend(place_groups::meters(&self.context.db, *group).await?);
        }
        let scope = queries::scope(&self.context.db, who.user).await?;
        Ok(chosen(self.context.live.meter_places(&scope), target, &grouped))
    }

    /// Whether a command says what the plans of these meters say.
    async fn prices_from(&self, issue: &Issue, meters: &[MeterId]) -> Result<PricesFrom, AppError> {
        let is_planned = !issue.kind().is_of_prices() || self.is_planned(issue, meters).await?;
        Ok(if is_planned { PricesFrom::Plan } else { PricesFrom::Hand })
    }

    /// The meters of a batch that the filter selects and the operator may command.
    async fn filtered_meters(&self, who: &Who, id: BatchId, filter: BatchFilter) -> Result<Vec<MeterId>, AppError> {
        let items = queries::batch_items(&self.context.db, who.user, id, Some(filter), -1).await?;
        Ok(items.lines.into_iter().map(|item| item.meter).collect())
    }
}

/// Why a command cannot be issued to a meter; `None` where it can. Only here is that decided: a meter wallet takes every
/// command by secured frame; a server wallet takes its mode and switch on the server, and its prices are in the plans.
const fn left_out(kind: Kind, wallet: Wallet, latest: &Latest, lost_too: bool) -> Option<LeftOut> {
    let can = match wallet {
        Wallet::Meter => true,
        Wallet::Server => matches!(kind, Kind::Read | Kind::Mode | Kind::Switch),
        Wallet::None => matches!(kind, Kind::Read),
    };
    if !can {
        return Some(LeftOut::Ability);
    }
    let lost = latest.state().is_unread();
    if lost && !(lost_too || matches!(kind, Kind::Read)) {
        return Some(LeftOut::Lost);
    }
    if matches!(kind, Kind::Switch) && latest.observed_at.is_some() && !latest.status.account_open() {
        return Some(LeftOut::NotOpen);
    }
    None
}

/// The meters that a target selects, with those of its groups, and the lines of its list that name no room or several. Names mean
/// what they mean on a wall of its profile.
fn chosen(
    mut meter_places: Vec<(MeterPlace, Latest)>,
    target: &Target,
    grouped: &HashSet<MeterId>,
) -> (Vec<(MeterPlace, Latest)>, Vec<String>) {
    if let Some(profile) = &target.profile {
        meter_places.retain(|(place, _)| place.belongs.profile == *profile);
    }
    let mut listed = HashSet::new();
    let mut unknown = Vec::new();
    let names: Vec<_> = meter_places.iter().map(|(place, _)| (place.meter, place.name())).collect();
    let lines: Vec<&str> = target.rooms.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for line in &lines {
        let named = rooms_named(line, &names);
        // A room may have several meters; two rooms of one name are told apart by nobody.
        match named.first() {
            Some((_, room)) if named.iter().all(|(_, name)| name == room) => listed.extend(named.iter().map(|(meter, _)| *meter)),
            _ => unknown.push((*line).to_owned()),
        }
    }
    let placed = |place: &MeterPlace| {
        target.places.iter().any(|(building, floor)| *building == place.building && (floor.is_empty() || *floor == place.floor))
    };
    let everywhere = target.everywhere || target.differs.is_some();
    let meant = |place: &MeterPlace| {
        let meter = place.meter;
        everywhere || target.meter == Some(meter) || placed(place) || listed.contains(&meter) || grouped.contains(&meter)
    };
    let texts = search_texts(meter_places.iter().map(|(place, _)| place));
    let filters: Vec<_> = target.shown.iter().map(|shown| Filter::of(shown).among(texts.iter())).collect();
    let shown = |latest: &Latest, text: &SearchText| filters.iter().any(|filter| filter.shows(Tile::of(latest), text));
    let fits = |latest: &Latest| target.state.is_none_or(|state| state == latest.state());
    let chosen = meter_places.into_iter().zip(&texts);
    let chosen = chosen.filter(|((place, latest), text)| (meant(place) || shown(latest, text)) && fits(latest));
    (chosen.map(|(one, _)| one).collect(), unknown)
}

/// A digest of the meters: a preview is issued only to the meters that it showed.
fn seal(meters: &[MeterId]) -> String {
    digest_of(meters.iter().map(|meter| meter.0))
}

/// A short digest of ids in their order.
pub(super) fn digest_of(ids: impl Iterator<Item = Uuid>) -> String {
    let mut context = digest::Context::new(&SHA256);
    ids.for_each(|id| context.update(id.as_bytes()));
    hex::encode(context.finish().as_ref().iter().take(8).copied().collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use model::ids::{PlaceGroupId, PlaceId};
    use model::meter::StatusWord;
    use model::time::Timestamp;

    use super::*;
    use domain::wall_layout::Belongs;
    use model::console::ShownOnWall;
    use model::meter::SupplyState;

    fn place(n: u8, building: u8, floor: &str, room: &str, status: Option<u16>) -> (MeterPlace, Latest) {
        let meter = MeterId(Uuid::from_u128(n.into()));
        let latest = match status {
            Some(bits) => Latest {
                observed_at: Some(Timestamp(1)),
                status: StatusWord(bits),
                remaining: model::money::Fen(100),
                ..Latest::unseen(meter)
            },
            None => Latest::unseen(meter),
        };
        let building_name = ["1号楼", "11号楼"][usize::from(building) - 1].to_owned();
        let building = PlaceId(Uuid::from_u128(building.into()));
        (
            MeterPlace { meter, building, building_name, floor: floor.into(), room: room.into(), belongs: Belongs::default() },
            latest,
        )
    }

    fn estate() -> Vec<(MeterPlace, Latest)> {
        vec![
            place(1, 1, "1层", "101", Some(0b11)),
            place(2, 1, "2层", "201", Some(0b11)),
            place(3, 2, "1层", "101", None),
            place(4, 2, "1层", "102", Some(0)),
        ]
    }

    fn numbers(target: &Target) -> Vec<u128> {
        let grouped = if target.groups.is_empty() { HashSet::new() } else { [MeterId(Uuid::from_u128(3))].into() };
        chosen(estate(), target, &grouped).0.iter().map(|(place, _)| place.meter.0.as_u128()).collect()
    }

    #[test]
    fn target_selects_by_places_rooms_and_state() {
        let place = |n: u8, floor: &str| (PlaceId(Uuid::from_u128(n.into())), floor.to_owned());
        assert_eq!(numbers(&Target::default()), [0; 0], "nothing is not all");
        assert_eq!(numbers(&Target { everywhere: true, ..Target::default() }), [1, 2, 3, 4]);
        assert_eq!(numbers(&Target { places: vec![place(1, "")], ..Target::default() }), [1, 2]);
        assert_eq!(numbers(&Target { places: vec![place(1, "2层"), place(2, "1层")], ..Target::default() }), [2, 3, 4]);
        assert_eq!(numbers(&Target { everywhere: true, state: Some(SupplyState::Lost), ..Target::default() }), [3]);
        assert_eq!(numbers(&Target { meter: Some(MeterId(Uuid::from_u128(4))), ..Target::default() }), [4]);
        let rooms = Target { rooms: "11号楼 101\n\n 102 \n101\n909".into(), ..Target::default() };
        assert_eq!(numbers(&rooms), [3, 4]);
        let shown = |show: &str, text: &str| {
            let shown = vec![ShownOnWall { show: show.into(), text: text.into() }];
            numbers(&Target { shown, ..Target::default() })
        };
        assert_eq!(shown("", ""), [1, 2, 3, 4]);
        assert_eq!((shown("", "1号楼"), shown("", "11号楼"), shown("", "2号楼")), (vec![1, 2], vec![3, 4], vec![]));
        assert_eq!((shown("open", ""), shown("lost.not-open", "")), (vec![1, 2], vec![3, 4]));
        assert_eq!(shown("not-open", "1号楼"), [0; 0], "the filter alone does not mean everything");
        let group = PlaceGroupId(Uuid::from_u128(9));
        assert_eq!(numbers(&Target { groups: vec![group], ..Target::default() }), [3]);
        assert_eq!(numbers(&Target { groups: vec![group], places: vec![place(1, "2层")], ..Target::default() }), [2, 3]);
        assert_eq!(chosen(estate(), &rooms, &HashSet::new()).1, ["101", "909"], "one is two rooms, the other none");
    }

    #[test]
    fn only_meters_of_the_profile_are_taken() {
        let mut estate = estate();
        estate[2].0.belongs.profile = "other".into();
        let numbers = |target: Target| {
            let target = Target { profile: Some("other".into()), ..target };
            let (found, unknown) = chosen(estate.clone(), &target, &HashSet::new());
            (found.iter().map(|(place, _)| place.meter.0.as_u128()).collect::<Vec<_>>(), unknown.len())
        };
        assert_eq!(numbers(Target::default()), (vec![], 0), "a profile alone selects nothing");
        assert_eq!(numbers(Target { everywhere: true, ..Target::default() }), (vec![3], 0));
        let building = |n: u128| vec![(PlaceId(Uuid::from_u128(n)), String::new())];
        assert_eq!(numbers(Target { places: building(1), ..Target::default() }), (vec![], 0));
        assert_eq!(numbers(Target { places: building(2), ..Target::default() }), (vec![3], 0));
        let shown = vec![ShownOnWall::default()];
        assert_eq!(numbers(Target { shown, ..Target::default() }), (vec![3], 0));
        assert_eq!(numbers(Target { rooms: "101\n102".into(), ..Target::default() }), (vec![3], 1));
        assert_eq!(numbers(Target { meter: Some(MeterId(Uuid::from_u128(1))), ..Target::default() }), (vec![], 0));
    }

    #[test]
    fn meters_are_left_out_for_a_reason() {
        let of = |kind, n: usize, wallet, lost| left_out(kind, wallet, &estate()[n].1, lost);
        assert_eq!(of(Kind::Prices, 0, Wallet::Meter, false), None);
        assert_eq!(of(Kind::Prices, 0, Wallet::Server, false), Some(LeftOut::Ability));
        assert_eq!(of(Kind::Mode, 0, Wallet::Server, false), None);
        assert_eq!(of(Kind::Mode, 0, Wallet::None, false), Some(LeftOut::Ability));
        assert_eq!(of(Kind::Prices, 2, Wallet::Meter, false), Some(LeftOut::Lost));
        assert_eq!(of(Kind::Prices, 2, Wallet::Meter, true), None);
        assert_eq!(of(Kind::Switch, 3, Wallet::Meter, false), Some(LeftOut::NotOpen));
        assert_eq!(of(Kind::Read, 2, Wallet::None, false), None, "whether it answers is what a reading finds out");
    }

    #[test]
    fn seal_depends_on_its_meters_alone() {
        let meters = [1_u128, 2, 3].map(|n| MeterId(Uuid::from_u128(n)));
        assert_eq!(seal(&meters), seal(&meters));
        assert_ne!(seal(&meters), seal(&meters[..2]));
    }
}
