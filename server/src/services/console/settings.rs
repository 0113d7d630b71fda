//! Settings of the site, and the default parameters of meters by place.

use std::collections::{HashMap, HashSet};

use app::api::settings::{MeterCounts, PlaceLine, PlaceSettings, SettingsPort};
use async_trait::async_trait;
use model::defaults::{DefaultKind, DefaultValues};
use model::error::AppError;
use model::gateway::SweepInterval;
use model::ids::{MeterId, PlaceId};
use model::meter::Wallet;
use model::person::{MAX_NAME, Who};
use model::place::PlaceKind;

use super::ConsoleService;
use domain::defaults::{effective, values};
use store::defaults::{self, MeterLimits, PlaceDefaults};
use store::{Db, intervals};

/// Places above each other that are followed; ends the walk if the tree has a cycle.
const DEEPEST: usize = 16;

/// The places and meters of the site, as one look at them.
struct Tree {
    places: Vec<PlaceDefaults>,
    index: HashMap<PlaceId, usize>,
    meters: Vec<MeterLimits>,
}

impl Tree {
    async fn read(db: &Db) -> Result<Self, AppError> {
        let (places, meters) = (defaults::places(db).await?, defaults::meters(db).await?);
        let index = places.iter().enumerate().map(|(at, place)| (place.id, at)).collect();
        Ok(Self { places, index, meters })
    }

    fn place(&self, id: PlaceId) -> Option<&PlaceDefaults> {
        self.index.get(&id).and_then(|at| self.places.get(*at))
    }

    /// From the site down to the place.
    fn path(&self, id: PlaceId) -> Vec<&PlaceDefaults> {
        let above = std::iter::successors(self.place(id), |place| place.parent.and_then(|parent| self.place(parent)));
        let mut path: Vec<_> = above.take(DEEPEST).collect();
        path.reverse();
        path
    }

    fn values(&self, id: PlaceId) -> DefaultValues {
        values(&self.path(id).iter().map(|place| place.own).collect::<Vec<_>>())
    }

    /// The values that apply to each room with a meter, worked out once.
    fn wanted(&self) -> HashMap<PlaceId, DefaultValues> {
        let rooms: HashSet<PlaceId> = self.meters.iter().map(|meter| meter.place).collect();
        rooms.into_iter().map(|room| (room, self.values(room))).collect()
    }

    /// For each place the counts of the meters at it and below.
    fn counts(&self) -> HashMap<PlaceId, MeterCounts> {
        let wanted = self.wanted();
        let mut counts: HashMap<PlaceId, MeterCounts> = HashMap::new();
        for meter in &self.meters {
            let Some(values) = wanted.get(&meter.place) else { continue };
            for place in self.path(meter.place) {
                let one = counts.entry(place.id).or_default();
                match meter.wallet {
                    Wallet::None => {}
                    Wallet::Server => one.server_wallets += 1,
                    Wallet::Meter => {
                        one.meters += 1;
                        one.unread += usize::from(meter.limits.is_none());
                        one.differing += usize::from(differs(meter, values));
                    }
                }
            }
        }
        counts
    }

    /// The meters at a place and below whose limits differ, where the same values apply as at the place itself: what is set
    /// again further down has a page of its own.
    fn differing(&self, place: PlaceId) -> HashSet<MeterId> {
        let (here, wanted) = (self.values(place), self.wanted());
        let is_meant = |meter: &&MeterLimits| {
            wanted.get(&meter.place).is_some_and(|values| *values == here && differs(meter, values))
                && self.path(meter.place).iter().any(|above| above.id == place)
        };
        self.meters.iter().filter(is_meant).map(|meter| meter.meter).collect()
    }
}

/// Whether a meter was last read with other limits than it should have.
fn differs(meter: &MeterLimits, values: &DefaultValues) -> bool {
    let (Some(known), Some(wanted)) = (meter.limits, values.limits()) else { return false };
    meter.wallet == Wallet::Meter && known != wanted
}

#[async_trait]
impl SettingsPort for ConsoleService {
    async fn settings(&self, who: &Who, place: Option<PlaceId>) -> Result<Option<PlaceSettings>, AppError> {
        self.context.require_whole_site(who).await?;
        let db = &self.context.db;
        let tree = Tree::read(db).await?;
        let root = tree.places.iter().find(|place| place.kind == PlaceKind::Site).map(|place| place.id);
        let Some(id) = place.or(root) else { return Ok(None) };
        let path = tree.path(id);
        let (here, above) = path.split_last().ok_or(AppError::NotFound)?;
        let own: Vec<DefaultValues> = path.iter().map(|place| place.own).collect();
        let named = |step: usize| path.get(step).map(|place| place.name.clone()).unwrap_or_default();
        let plans = defaults::plans(db, self.context.now()).await?;
        let plan = path.iter().rev().find_map(|place| plans.get(&place.id).map(|plan| (plan.clone(), place.name.clone())));
        let counts = tree.counts();
        let of = |place: PlaceId| counts.get(&place).copied().unwrap_or_default();
        let below = tree.places.iter().filter(|place| place.parent == Some(id));
        let below = below.filter(|place| place.kind != PlaceKind::Room || !place.own.is_empty());
        let line = |place: &PlaceDefaults| PlaceLine {
            id: place.id,
            name: place.name.clone(),
            own: place.own,
            effective: tree.values(place.id),
            meters: of(place.id),
        };
        Ok(Some(PlaceSettings {
            id,
            kind: here.kind,
            name: here.name.clone(),
            above: above.iter().map(|place| (place.id, place.name.clone())).collect(),
            own: here.own,
            effective: effective(&own).map(|value| value.map(|(value, step)| (value, named(step)))),
            plan,
            meters: MeterCounts { issued_here: tree.differing(id).len(), ..of(id) },
            limits: tree.values(id).limits(),
            below: below.map(line).collect(),
            interval: intervals::of_site(db).await?.and_then(SweepInterval::new),
        }))
    }

    async fn set_defaults(&self, who: &Who, place: PlaceId, new: &DefaultValues) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        let in_range = DefaultKind::ALL.into_iter().all(|kind| new.get(kind).is_none_or(|value| value <= kind.most()));
        let tree = Tree::read(&self.context.db).await?;
        let mut path: Vec<DefaultValues> = tree.path(place).iter().map(|place| place.own).collect();
        path.pop();
        path.push(*new);
        if !in_range {
            return Err(AppError::Invalid);
        }
        if !values(&path).alarms_fit() {
            return Err(AppError::AlarmOrder);
        }
        defaults::set(&self.context.db, self.context.now(), who, place, new).await?;
        Ok(())
    }

    async fn rename_site(&self, who: &Who, name: &str) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        if !(1..=MAX_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return Err(AppError::Invalid);
        }
        defaults::rename_site(&self.context.db, self.context.now(), who, name).await?;
        Ok(())
    }
}

impl ConsoleService {
    /// The meters of a place that the default parameters are still to be issued to.
    pub(super) async fn differing(&self, place: PlaceId) -> Result<HashSet<MeterId>, AppError> {
        Ok(Tree::read(&self.context.db).await?.differing(place))
    }
}
