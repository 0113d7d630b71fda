//! Meters: the list of their newest states.

use std::collections::HashMap;

use app::api::meters::MetersPort;
use async_trait::async_trait;
use model::console::{MeterState, Target};
use model::error::AppError;
use model::ids::MeterId;
use model::person::Who;

use super::ConsoleService;
use queries::MeterFacts;

#[async_trait]
impl MetersPort for ConsoleService {
    async fn meter_states(&self, who: &Who, target: &Target) -> Result<Vec<MeterState>, AppError> {
        let (meters, _) = self.chosen(who, target).await?;
        let facts = queries::meter_facts(&self.context.db, who.user).await?;
        let mut facts: HashMap<MeterId, MeterFacts> = facts.into_iter().map(|one| (one.id, one)).collect();
        let state = |(place, latest): (domain::wall_layout::MeterPlace, _)| {
            // A place whose meter is not in service was retired a moment ago.
            let known = facts.remove(&place.meter)?;
            Some(MeterState {
                room: place.name(),
                serial: known.serial,
                gateway: known.gateway,
                unit: known.unit,
                profile: known.profile,
                wallet: known.wallet,
                account: known.number.unwrap_or_default(),
                residents: known.residents,
                latest,
            })
        };
        Ok(meters.into_iter().filter_map(state).collect())
    }
}
