//! Settings of the site, and the default parameters of meters by place.

use std::collections::{HashMap, HashSet};

use app::api::settings::{MeterCounts, PlaceLine, PlaceSettings, SettingsPort};
use async_trait::async_trait;
use model::defaults::{DefaultKind, DefaultValues};
use model::error::AppError;
use model::gateway::SweepInterval;
use model::ids::{MeterId, PlaceId};
use model::meter::Wallet;
use model::person::Who;
use model::place::PlaceKind;

use super::ConsoleService;
use domain::defaults::{effective, values};
use domain::place_tree::{Place, PlaceTree, checked_name};
use estate::defaults::{self, MeterLimits};
use estate::places;
use store::{Db, intervals};

/// The places with their own values and the meters of the site, as one look at them.
struct Defaults {
    tree: PlaceTree,
    own: HashMap<PlaceId, DefaultValues>,
    meters: Vec<MeterLimits>,
}

impl Defaults {
    async fn read(db: &Db) -> Result<Self, AppError> {
        Ok(Self { tree: places::tree(db).await?, own: defaults::own(db).await?, meters: defaults::meters(db).await? })
    }

    fn own(&self, id: PlaceId) -> DefaultValues {
        self.own.get(&id).copied().unwrap_or_default()
    }

    /// The own values from the site down to the place.
    fn path(&self, id: PlaceId) -> Vec<DefaultValues> {
        self.tree.path(id).into_iter().map(|place| self.own(place.id)).collect()
    }

    fn values(&self, id: PlaceId) -> DefaultValues {
        values(&self.path(id))
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
            for place in self.tree.path(meter.place) {
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
                && self.tree.path(meter.place).iter().any(|above| above.id == place)
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
        let all = Defaults::read(db).await?;
        let Some(id) = place.or(all.tree.site().map(|site| site.id)) else { return Ok(None) };
        let path = all.tree.path(id);
        let (here, above) = path.split_last().ok_or(AppError::NotFound)?;
        let named = |step: usize| path.get(step).map(|place| place.name.clone()).unwrap_or_default();
        let plan = self.plan_at(id).await?;
        let plan = plan.map(|(plan, place)| (plan, all.tree.get(place).map(|place| place.name.clone()).unwrap_or_default()));
        let counts = all.counts();
        let of = |place: PlaceId| counts.get(&place).copied().unwrap_or_default();
        let below = all.tree.children(id).filter(|place| place.kind != PlaceKind::Room || !all.own(place.id).is_empty());
        let line = |place: &Place| PlaceLine {
            id: place.id,
            name: place.name.clone(),
            own: all.own(place.id),
            effective: all.values(place.id),
            meters: of(place.id),
        };
        Ok(Some(PlaceSettings {
            id,
            kind: here.kind,
            name: here.name.clone(),
            above: above.iter().map(|place| (place.id, place.name.clone())).collect(),
            own: all.own(id),
            effective: effective(&all.path(id)).map(|value| value.map(|(value, step)| (value, named(step)))),
            plan,
            meters: MeterCounts { issued_here: all.differing(id).len(), ..of(id) },
            limits: all.values(id).limits(),
            below: below.map(line).collect(),
            interval: intervals::of_site(db).await?.and_then(SweepInterval::new),
        }))
    }

    async fn set_defaults(&self, who: &Who, place: PlaceId, new: &DefaultValues) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        let in_range = DefaultKind::ALL.into_iter().all(|kind| new.get(kind).is_none_or(|value| value <= kind.most()));
        if !in_range {
            return Err(AppError::Invalid);
        }
        defaults::set(&self.context.db, self.context.now(), who, place, new).await?;
        Ok(())
    }

    async fn rename_site(&self, who: &Who, name: &str) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        let site = places::tree(&self.context.db).await?.site().map(|site| site.id).ok_or(AppError::NotFound)?;
        places::rename(&self.context.db, self.context.now(), who, site, &checked_name(name)?).await?;
        Ok(self.context.live.reload(&self.context.db).await?)
    }
}

impl ConsoleService {
    /// The meters of a place that the default parameters are still to be issued to.
    pub(super) async fn differing(&self, place: PlaceId) -> Result<HashSet<MeterId>, AppError> {
        Ok(Defaults::read(&self.context.db).await?.differing(place))
    }
}
