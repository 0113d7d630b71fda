//! The rules of alarms: what places and groups set, what follows, and what it would have raised.

use std::collections::HashMap;

use alarms::{EditedRule, RuleTree};
use app::api::alarm_rules::{AlarmPreview, AlarmRuleLine, AlarmRulesPort, AlarmRulesView};
use async_trait::async_trait;
use model::alarm::{AlarmRule, OwnAlarmRule};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::event::EventKind;
use model::person::Who;
use model::place::PlaceKind;
use model::time::{DAY, SECOND};

use super::{ConsoleService, abnormal_use};
use crate::Context;
use domain::defaults::GroupSettings;
use domain::place_tree::{Place, PlaceTree};
use estate::place_groups::{self, PlaceGroup};
use estate::places;

/// How far back a preview looks, and how long it may take, ms.
const PREVIEW: i64 = 30 * DAY;
const PREVIEW_TIME: i64 = 5 * SECOND;

/// What is set, by kind and for what.
type OwnRules = HashMap<(EventKind, DefaultsOf), OwnAlarmRule>;

/// The places, groups and rules of the site.
struct SiteRules {
    tree: PlaceTree,
    groups: Vec<PlaceGroup>,
    own: OwnRules,
}

impl SiteRules {
    /// What applies to a place or group, the nearest first, with the names.
    fn around(&self, of: DefaultsOf) -> Vec<(DefaultsOf, String)> {
        let DefaultsOf::Place(place) = of else { return vec![(of, self.group(of).unwrap_or_default().to_owned())] };
        let with_groups = |place: &Place| {
            let groups = self.groups.iter().filter(|group| group.places.contains(&place.id));
            let groups: Vec<_> = groups.map(|group| (DefaultsOf::Group(group.id), group.name.clone())).collect();
            std::iter::once((DefaultsOf::Place(place.id), place.name.clone())).chain(groups)
        };
        self.tree.path(place).into_iter().rev().flat_map(with_groups).collect()
    }

    fn group(&self, of: DefaultsOf) -> Option<&str> {
        self.groups.iter().find(|group| DefaultsOf::Group(group.id) == of).map(|group| group.name.as_str())
    }

    fn line(&self, kind: EventKind, around: &[(DefaultsOf, String)]) -> AlarmRuleLine {
        let set = |(of, name): &(DefaultsOf, String)| self.own.get(&(kind, *of)).map(|own| (*of, name.clone(), *own));
        let all: Vec<(DefaultsOf, String, OwnAlarmRule)> = around.iter().filter_map(set).collect();
        let here = around.first().map(|(of, _)| *of);
        let own = all.iter().find(|(of, ..)| Some(*of) == here).map(|(.., own)| *own).unwrap_or_default();
        let folded = all.iter().fold(OwnAlarmRule::default(), |nearer, (.., own)| nearer.or(own));
        let from = all.iter().find(|(of, ..)| Some(*of) != here).map(|(_, name, _)| name.clone());
        AlarmRuleLine { kind, own, rule: AlarmRule::of(kind, &folded), from }
    }
}

/// The rules of a kind with what is edited in its place.
async fn edited(context: &Context, of: DefaultsOf, now: &RuleTree, own: OwnAlarmRule) -> Result<RuleTree, AppError> {
    let mut tree = now.clone();
    match of {
        DefaultsOf::Place(place) => tree.places.get_mut(&place).ok_or(AppError::NotFound)?.1 = own,
        DefaultsOf::Group(id) => {
            let groups = place_groups::all(&context.db).await?;
            let group = groups.iter().find(|group| group.id == id).ok_or(AppError::NotFound)?;
            tree.groups.retain(|group| group.id != id);
            tree.groups.push(GroupSettings { id, own, places: group.places.iter().copied().collect() });
            // Of two groups of a place, the first by name decides.
            tree.groups.sort_by_key(|one| groups.iter().position(|group| group.id == one.id));
        }
    }
    Ok(tree)
}

#[async_trait]
impl AlarmRulesPort for ConsoleService {
    async fn alarm_rules(&self, who: &Who, of: Option<DefaultsOf>) -> Result<Option<AlarmRulesView>, AppError> {
        self.context.require_whole_site(who).await?;
        let db = &self.context.db;
        let own = alarms::own_rules(db).await?.into_iter().map(|(kind, of, own)| ((kind, of), own)).collect();
        let all = SiteRules { tree: places::tree(db).await?, groups: place_groups::all(db).await?, own };
        let site = all.tree.site().map(|site| DefaultsOf::Place(site.id));
        let Some(of) = of.or(site) else { return Ok(None) };
        let around = all.around(of);
        let (kind, name, above, below) = match of {
            DefaultsOf::Place(id) => {
                let path = all.tree.path(id);
                let (here, above) = path.split_last().ok_or(AppError::NotFound)?;
                let has_rules = |place: &Place| all.own.keys().any(|(_, of)| *of == DefaultsOf::Place(place.id));
                let below = all.tree.children(id).filter(|place| place.kind != PlaceKind::Room || has_rules(place));
                let below = below.map(|place| (DefaultsOf::Place(place.id), place.name.clone())).collect();
                let above = above.iter().map(|place| (place.id, place.name.clone())).collect();
                (Some(here.kind), here.name.clone(), above, below)
            }
            DefaultsOf::Group(id) => {
                let group = all.groups.iter().find(|group| group.id == id).ok_or(AppError::NotFound)?;
                let below = group.places.iter().map(|place| (DefaultsOf::Place(*place), all.tree.full_name(*place))).collect();
                (None, group.name.clone(), Vec::new(), below)
            }
        };
        let groups = if Some(of) == site { &all.groups[..] } else { &[] };
        Ok(Some(AlarmRulesView {
            of,
            kind,
            name,
            above,
            below,
            groups: groups.iter().map(|group| (DefaultsOf::Group(group.id), group.name.clone())).collect(),
            rules: EventKind::ALL
                .into_iter()
                .filter(|kind| Some(of) == site || !kind.is_of_site())
                .map(|kind| all.line(kind, &around))
                .collect(),
        }))
    }

    async fn set_alarm_rule(&self, who: &Who, of: DefaultsOf, kind: EventKind, own: &OwnAlarmRule) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        let Context { db, rng, .. } = &self.context;
        Ok(alarms::set_rule(db, rng, self.context.now(), who, (of, kind), own).await?)
    }

    async fn preview_alarm_rule(
        &self,
        who: &Who,
        of: DefaultsOf,
        kind: EventKind,
        own: &OwnAlarmRule,
    ) -> Result<AlarmPreview, AppError> {
        self.context.require_whole_site(who).await?;
        if !own.fits(kind) {
            return Err(AppError::Invalid);
        }
        let now = alarms::tree(&self.context.db, kind).await?;
        let new = edited(&self.context, of, &now, *own).await?;
        let to = self.context.now();
        let from = to.plus(-PREVIEW);
        let (clock, started) = (self.context.clock.clone(), self.context.clock.steady());
        let is_over = move || clock.steady().saturating_sub(started) > PREVIEW_TIME;
        let edited = EditedRule { of, kind, now: &now, new: &new };
        let found = match kind {
            EventKind::AbnormalUse => abnormal_use::preview(&self.context.db, &edited, (from, to), is_over).await?,
            _ => alarms::preview(&self.context.db, &edited, (from, to), is_over).await?,
        };
        let examples = found.examples.into_iter().map(|(name, alarm)| (name, alarm.since, alarm.until)).collect();
        Ok(AlarmPreview { from, to, now: found.now, new: found.new, examples, meters: found.meters })
    }
}
