//! What a change of a place would do, before it is confirmed.

use std::collections::HashMap;

use model::console::{PlaceChange, PlaceChangeEffect, RepricedPlace};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::{PlaceId, Uuid};
use model::person::Who;
use model::place::PlaceKind;

use super::ConsoleService;
use domain::place_tree::{MergeStep, Place, PlaceTree, checked_name};
use estate::places;
use store::{StoreError, prices};

impl ConsoleService {
    /// Why a change would be refused.
    pub(super) async fn refusal(&self, who: &Who, place: &Place, change: &PlaceChange) -> Result<Option<AppError>, AppError> {
        let change = match change {
            PlaceChange::Rename(name) => match checked_name(name) {
                Ok(name) => PlaceChange::Rename(name),
                Err(error) => return Ok(Some(error)),
            },
            PlaceChange::Remove if place.kind == PlaceKind::Site => return Ok(Some(AppError::PlaceNotEmpty)),
            other => other.clone(),
        };
        match places::check(&self.context.db, self.context.now(), who, place.id, &change).await {
            Ok(()) => Ok(None),
            Err(StoreError::Refused(error)) => Ok(Some(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// The places that would get another price plan by the steps of a move or merge of a place, by name.
    pub(super) async fn repriced(
        &self,
        tree: &PlaceTree,
        id: PlaceId,
        steps: &[MergeStep],
    ) -> Result<Vec<RepricedPlace>, AppError> {
        let found = places::repriced(&self.context.db, self.context.now(), id, steps).await?;
        let names: HashMap<_, _> = prices::names(&self.context.db).await?.into_iter().collect();
        let name = |plan: Uuid| names.get(&plan).cloned();
        let mut named: Vec<RepricedPlace> = Vec::with_capacity(found.len());
        for one in found {
            let (before, after) = (one.before.and_then(name), one.after.and_then(name));
            let ends = steps.iter().any(|step| matches!(step, MergeStep::Absorb { from, .. } if *from == one.place));
            named.push(RepricedPlace { place: tree.full_name(one.place), before, after, ends });
        }
        named.sort_by(|a, b| a.place.cmp(&b.place));
        Ok(named)
    }

    /// What ends with places: their price plans, subsidies and default parameters.
    pub(super) async fn ends_with(
        &self,
        tree: &PlaceTree,
        ending: &[PlaceId],
        effect: &mut PlaceChangeEffect,
    ) -> Result<(), AppError> {
        let (rules, own) = (places::with_own_rules(&self.context.db).await?, store::defaults::tree(&self.context.db).await?);
        effect.own_rules_end = ending.iter().any(|place| rules.contains(place));
        let set = ending.iter().map(|place| (tree.full_name(*place), own.own(DefaultsOf::Place(*place))));
        effect.defaults_end = set.filter(|(_, values)| !values.is_empty()).collect();
        Ok(())
    }

    /// The name of the price plan that would be in force at a place below another.
    pub(super) async fn plan_below(&self, place: PlaceId, parent: PlaceId) -> Result<Option<String>, AppError> {
        let mut given = prices::given(&self.context.db).await?;
        if let Some((above, _)) = given.places.get_mut(&place) {
            *above = Some(parent);
        }
        let Some((plan, ..)) = given.plan_at(place, self.context.now()) else { return Ok(None) };
        let names = prices::names(&self.context.db).await?;
        Ok(names.into_iter().find(|(id, _)| *id == plan).map(|(_, name)| name))
    }
}
