//! Settings of the site, and the default parameters of meters by place and group.

use std::collections::{HashMap, HashSet};

use app::api::settings::{ContactSettings, MeterCounts, PlaceLine, PlaceSettings, SettingsPort};
use async_trait::async_trait;
use model::co2::Co2Factor;
use model::defaults::{DefaultKind, DefaultValues, DefaultsOf};
use model::error::AppError;
use model::ids::{MeterId, PlaceId};
use model::meter::Wallet;
use model::notification::Contact;
use model::parameters::Limits;
use model::person::Who;
use model::place::PlaceKind;
use model::site_option::SiteOption;

use super::ConsoleService;
use domain::defaults::DefaultsTree;
use domain::place_tree::{Place, PlaceTree, checked_name};
use domain::site_plan::PlaceContact;
use estate::defaults::{self, MeterLimits};
use estate::place_groups::{self, PlaceGroup};
use estate::places;
use estate::site_options;
use notify::contacts;
use store::Db;

/// The places and groups with their own values and the meters of the site, as one look at them.
struct Defaults {
    tree: PlaceTree,
    groups: Vec<PlaceGroup>,
    set: DefaultsTree,
    meters: Vec<MeterLimits>,
}

impl Defaults {
    async fn read(db: &Db) -> Result<Self, AppError> {
        Ok(Self {
            tree: places::tree(db).await?,
            groups: place_groups::all(db).await?,
            set: store::defaults::tree(db).await?,
            meters: defaults::meters(db).await?,
        })
    }

    fn name(&self, of: DefaultsOf) -> Option<&str> {
        match of {
            DefaultsOf::Place(place) => self.tree.get(place).map(|place| place.name.as_str()),
            DefaultsOf::Group(id) => self.groups.iter().find(|group| group.id == id).map(|group| group.name.as_str()),
        }
    }

    /// The limits that meters in each room with one should have, worked out once.
    fn wanted(&self) -> HashMap<PlaceId, Option<Limits>> {
        let rooms: HashSet<PlaceId> = self.meters.iter().map(|meter| meter.place).collect();
        rooms.into_iter().map(|room| (room, self.set.values(room).limits())).collect()
    }

    /// What a room is in: the places above it with itself, and the groups that name one of them.
    fn around(&self, room: PlaceId) -> impl Iterator<Item = DefaultsOf> {
        let path: Vec<PlaceId> = self.tree.path(room).into_iter().map(|place| place.id).collect();
        let is_in = |group: &&PlaceGroup| group.places.iter().any(|place| path.contains(place));
        let groups: Vec<DefaultsOf> = self.groups.iter().filter(is_in).map(|group| DefaultsOf::Group(group.id)).collect();
        path.into_iter().map(DefaultsOf::Place).chain(groups)
    }

    /// For each place and group the counts of the meters at it and below.
    fn counts(&self) -> HashMap<DefaultsOf, MeterCounts> {
        let wanted = self.wanted();
        let around: HashMap<PlaceId, Vec<DefaultsOf>> = wanted.keys().map(|room| (*room, self.around(*room).collect())).collect();
        let mut counts: HashMap<DefaultsOf, MeterCounts> = HashMap::new();
        for meter in &self.meters {
            let wanted = wanted.get(&meter.place).copied().flatten();
            for of in around.get(&meter.place).into_iter().flatten() {
                let one = counts.entry(*of).or_default();
                match meter.wallet {
                    Wallet::None => {}
                    Wallet::Server => one.server_wallets += 1,
                    Wallet::Meter => {
                        one.meters += 1;
                        one.unread += usize::from(meter.limits.is_none());
                        one.undecided += usize::from(wanted.is_none());
                        one.differing += usize::from(differs(meter, wanted).is_some());
                    }
                }
            }
        }
        counts
    }

    /// The meters of a place or group that differ from what they should have, with that.
    fn differing(&self, of: DefaultsOf) -> Vec<(MeterId, Limits)> {
        let wanted = self.wanted();
        let here: HashSet<PlaceId> = wanted.keys().copied().filter(|room| self.around(*room).any(|one| one == of)).collect();
        let differing = |meter: &MeterLimits| {
            let limits = differs(meter, wanted.get(&meter.place).copied().flatten())?;
            here.contains(&meter.place).then_some((meter.meter, limits))
        };
        self.meters.iter().filter_map(differing).collect()
    }

    /// `named` is its name where it is shown.
    fn line(&self, of: DefaultsOf, named: String, counts: &HashMap<DefaultsOf, MeterCounts>) -> PlaceLine {
        let own = self.set.own(of);
        PlaceLine {
            of,
            name: named,
            own,
            effective: match of {
                DefaultsOf::Place(place) => self.set.values(place),
                DefaultsOf::Group(_) => own,
            },
            meters: counts.get(&of).copied().unwrap_or_default(),
        }
    }

    /// The values that apply, each with for what it is set.
    fn effective(&self, of: DefaultsOf) -> [Option<(u32, DefaultsOf, String)>; DefaultKind::ALL.len()] {
        let own = self.set.own(of);
        let found = match of {
            DefaultsOf::Place(place) => self.set.effective(place),
            DefaultsOf::Group(_) => own.0.map(|value| value.map(|value| (value, of))),
        };
        found.map(|value| value.map(|(value, of)| (value, of, self.name(of).unwrap_or_default().to_owned())))
    }
}

/// The limits that a meter should have, where it was last read with others.
fn differs(meter: &MeterLimits, wanted: Option<Limits>) -> Option<Limits> {
    let (known, wanted) = (meter.limits?, wanted?);
    (meter.wallet == Wallet::Meter && known != wanted).then_some(wanted)
}

/// How many meters were last read with other limits than their default parameters.
pub(crate) async fn meters_with_other_limits(db: &Db) -> Result<usize, AppError> {
    let all = Defaults::read(db).await?;
    let wanted = all.wanted();
    Ok(all.meters.iter().filter(|meter| differs(meter, wanted.get(&meter.place).copied().flatten()).is_some()).count())
}

/// How many should have each limits, the most first.
fn by_limits(differing: &[(MeterId, Limits)]) -> Vec<(Limits, usize)> {
    let mut counted: Vec<(Limits, usize)> = Vec::new();
    for (_, limits) in differing {
        match counted.iter_mut().find(|(one, _)| one == limits) {
            Some((_, count)) => *count += 1,
            None => counted.push((*limits, 1)),
        }
    }
    counted.sort_by_key(|(limits, count)| (std::cmp::Reverse(*count), DefaultKind::ALL.map(|kind| kind.of(limits))));
    counted
}

#[async_trait]
impl SettingsPort for ConsoleService {
    async fn settings(&self, who: &Who, of: Option<DefaultsOf>) -> Result<Option<PlaceSettings>, AppError> {
        self.context.require_whole_site(who).await?;
        let all = Defaults::read(&self.context.db).await?;
        let site = all.tree.site().map(|site| DefaultsOf::Place(site.id));
        let Some(of) = of.or(site) else { return Ok(None) };
        let name = all.name(of).ok_or(AppError::NotFound)?.to_owned();
        let counts = all.counts();
        let short = |of: DefaultsOf| all.name(of).unwrap_or_default().to_owned();
        let (kind, above, below, plan) = match of {
            DefaultsOf::Place(id) => {
                let path = all.tree.path(id);
                let (here, above) = path.split_last().ok_or(AppError::NotFound)?;
                let is_set = |place: &Place| !all.set.own(DefaultsOf::Place(place.id)).is_empty();
                let below = all.tree.children(id).filter(|place| place.kind != PlaceKind::Room || is_set(place));
                let below = below.map(|place| (DefaultsOf::Place(place.id), place.name.clone())).collect();
                let plan = self.plan_at(id).await?;
                let plan = plan.map(|(plan, by)| (plan, by, short(by)));
                let above = above.iter().map(|place| (place.id, place.name.clone())).collect();
                (Some(here.kind), above, below, plan)
            }
            DefaultsOf::Group(id) => {
                let places = all.groups.iter().find(|group| group.id == id).map(|group| group.places.clone());
                let named = |place| (DefaultsOf::Place(place), all.tree.full_name(place));
                let plan = self.own_plan(of).await?.map(|(plan, _)| (plan, of, short(of)));
                (None, Vec::new(), places.unwrap_or_default().into_iter().map(named).collect::<Vec<_>>(), plan)
            }
        };
        let groups = if Some(of) == site { &all.groups[..] } else { &[] };
        let mut options = Vec::new();
        for option in SiteOption::ALL {
            options.push((option, site_options::is_on(&self.context.db, option).await?));
        }
        Ok(Some(PlaceSettings {
            of,
            kind,
            above,
            own: all.set.own(of),
            effective: all.effective(of),
            plan,
            meters: counts.get(&of).copied().unwrap_or_default(),
            to_issue: by_limits(&all.differing(of)),
            below: below.into_iter().map(|(of, name)| all.line(of, name, &counts)).collect(),
            groups: groups.iter().map(|group| all.line(DefaultsOf::Group(group.id), group.name.clone(), &counts)).collect(),
            co2_factor: estate::co2::own_factor(&self.context.db).await?,
            options,
            contact: self.contact(of).await?,
            name,
        }))
    }

    async fn set_defaults(&self, who: &Who, of: DefaultsOf, new: &DefaultValues) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        let in_range = DefaultKind::ALL.into_iter().all(|kind| new.get(kind).is_none_or(|value| value <= kind.most()));
        if !in_range {
            return Err(AppError::Invalid);
        }
        defaults::set(&self.context.db, self.context.now(), who, of, new).await?;
        // Its interval of readings applies at once.
        self.context.gateway.reload();
        Ok(())
    }

    async fn set_contact(
        &self,
        who: &Who,
        of: DefaultsOf,
        (phone, signature): (Option<Contact>, Option<String>),
    ) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        let contact = PlaceContact { phone, signature };
        Ok(estate::contacts::set(&self.context.db, self.context.now(), who, of, &contact).await?)
    }

    async fn rename_site(&self, who: &Who, name: &str) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        let site = places::tree(&self.context.db).await?.site().map(|site| site.id).ok_or(AppError::NotFound)?;
        places::rename(&self.context.db, self.context.now(), who, site, &checked_name(name)?).await?;
        Ok(self.context.live.reload(&self.context.db).await?)
    }

    async fn set_co2_factor(&self, who: &Who, factor: Option<Co2Factor>) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        Ok(estate::co2::set_factor(&self.context.db, self.context.now(), who, factor).await?)
    }

    async fn set_option(&self, who: &Who, option: SiteOption, on: bool) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        Ok(site_options::set(&self.context.db, self.context.now(), who, option, on).await?)
    }
}

impl ConsoleService {
    async fn contact(&self, of: DefaultsOf) -> Result<ContactSettings, AppError> {
        let own = contacts::own(&self.context.db, of).await?;
        let inherited = contacts::inherited(&self.context.db, of).await?;
        Ok(ContactSettings {
            phone: own.phone.unwrap_or_default(),
            signature: own.signature.unwrap_or_default(),
            inherited_phone: inherited.phone.unwrap_or_default(),
            inherited_signature: inherited.signature.unwrap_or_default(),
        })
    }

    /// The meters of a place or group that these limits are still to be issued to.
    pub(super) async fn differing(&self, of: DefaultsOf, limits: Limits) -> Result<HashSet<MeterId>, AppError> {
        let differing = Defaults::read(&self.context.db).await?.differing(of);
        Ok(differing.into_iter().filter(|(_, wanted)| *wanted == limits).map(|(meter, _)| meter).collect())
    }
}
