//! Instruments: the list, setting them up within the operator's buildings, and reading one now.

use std::sync::Arc;

use app::api::instruments::{InstrumentsPort, Refused};
use async_trait::async_trait;
use model::error::AppError;
use model::ids::{CircuitId, InstrumentId, PlaceId};
use model::instrument::{
    CircuitForm, CircuitSettings, InstrumentChoices, InstrumentField, InstrumentForm, InstrumentLine, InstrumentSettings,
    InstrumentTrouble, InstrumentView, ProfileChoice, Ratio,
};
use model::permission::Permission;
use model::person::Who;

use super::Context;
use ::reports::subject;
use domain::serial::Serial;
use estate::instruments;
use meters::instruments::InstrumentProfile;
use meters::profile::{Profiles, Protocol};

pub struct InstrumentsService {
    context: Context,
    profiles: Profiles,
}

impl InstrumentsService {
    #[must_use]
    pub const fn new(context: Context, profiles: Profiles) -> Self {
        Self { context, profiles }
    }

    /// Refuses an instrument that the operator may not see, and changes without the permission.
    async fn require(&self, who: &Who, id: InstrumentId) -> Result<InstrumentView, AppError> {
        if !who.may(Permission::Estate) {
            return Err(AppError::Forbidden);
        }
        self.instrument(who, id).await
    }

    /// Whether settings are within the operator's buildings, and such that the instrument can be read; gives the profile. What
    /// was so `before` may stay, also what the operator does not see or is no longer there.
    async fn check(
        &self,
        who: &Who,
        settings: &InstrumentSettings,
        before: Option<&InstrumentForm>,
    ) -> Result<Option<Arc<InstrumentProfile>>, Refused> {
        let field = |field| move |error: AppError| (error, Some(field));
        if !who.may(Permission::Estate) {
            return Err((AppError::Forbidden, None));
        }
        let form = InstrumentForm::of(settings);
        let stays = |value: fn(&InstrumentForm) -> &str| before.is_some_and(|before| value(before) == value(&form));
        if !stays(|form| &form.place) {
            self.require_place(who, settings.place).await.map_err(field(InstrumentField::Place))?;
        }
        if !stays(|form| &form.gateway) {
            self.context.require_gateway(who, settings.gateway).await.map_err(field(InstrumentField::Gateway))?;
        }
        let Some(profile) = self.profiles.instruments().get(&settings.profile) else {
            let is_refused = !stays(|form| &form.profile);
            return if is_refused { Err((AppError::Invalid, Some(InstrumentField::Profile))) } else { Ok(None) };
        };
        if !profile.fits(settings.start.unwrap_or(profile.start())) {
            return Err((AppError::Invalid, Some(InstrumentField::Start)));
        }
        if profile.protocol() == Protocol::Dlt645 && settings.number.parse::<Serial>().is_err() {
            return Err((AppError::Invalid, Some(InstrumentField::Number)));
        }
        Ok(Some(profile))
    }

    async fn require_place(&self, who: &Who, place: PlaceId) -> Result<(), AppError> {
        let places = subject::places(&self.context.db, who.user).await?;
        if places.iter().any(|(id, _)| *id == place) { Ok(()) } else { Err(AppError::NotFound) }
    }
}

/// A refusal by the database, at the field that it is about.
fn refused(error: store::StoreError) -> Refused {
    let error = AppError::from(error);
    let field = match error {
        AppError::NameTaken => Some(InstrumentField::Number),
        AppError::AddressTaken => Some(InstrumentField::Unit),
        AppError::CircuitTree => Some(InstrumentField::Parent),
        AppError::PlaceFedTwice => Some(InstrumentField::Feeds),
        _ => None,
    };
    (error, field)
}

#[async_trait]
impl InstrumentsPort for InstrumentsService {
    async fn instruments(&self, who: &Who) -> Result<Vec<InstrumentLine>, AppError> {
        Ok(queries::instruments(&self.context.db, who.user).await?)
    }

    async fn instrument(&self, who: &Who, id: InstrumentId) -> Result<InstrumentView, AppError> {
        queries::instrument(&self.context.db, who.user, id).await?.ok_or(AppError::NotFound)
    }

    async fn instrument_choices(&self, who: &Who) -> Result<InstrumentChoices, AppError> {
        let db = &self.context.db;
        let choice = |profile: &InstrumentProfile| ProfileChoice {
            name: profile.name.clone(),
            title: profile.title.clone(),
            circuits: profile.circuits,
        };
        Ok(InstrumentChoices {
            places: subject::places(db, who.user).await?,
            gateways: queries::gateways(db, who.user).await?.into_iter().map(|line| (line.id, line.name)).collect(),
            profiles: self.profiles.instruments().iter().map(|profile| choice(profile)).collect(),
            circuits: queries::masters(db, who.user).await?,
        })
    }

    async fn add_instrument(&self, who: &Who, settings: &InstrumentSettings, ct: Ratio) -> Result<InstrumentId, Refused> {
        let profile = self.check(who, settings, None).await?.ok_or((AppError::Internal, None))?;
        let name = |position: u8| if profile.circuits == 1 { settings.name.clone() } else { position.to_string() };
        let circuit = |position| CircuitSettings { position, name: name(position), ct, parent: None, feeds: None };
        let circuits: Vec<CircuitSettings> = (1..=profile.circuits).map(circuit).collect();
        let Context { db, rng, .. } = &self.context;
        let id = instruments::add(db, rng, self.context.now(), who, settings, &circuits).await.map_err(refused)?;
        self.context.gateway.reload();
        Ok(id)
    }

    async fn change_instrument(&self, who: &Who, id: InstrumentId, settings: &InstrumentSettings) -> Result<(), Refused> {
        let view = self.require(who, id).await.map_err(|error| (error, None))?;
        if let Some(profile) = self.check(who, settings, Some(&view.form)).await? {
            let position = |form: &CircuitForm| form.position.parse::<u8>().unwrap_or(u8::MAX);
            if view.circuits.iter().any(|circuit| position(&circuit.form) > profile.circuits) {
                return Err((AppError::Invalid, Some(InstrumentField::Profile)));
            }
        }
        let changed = instruments::change(&self.context.db, self.context.now(), who, id, settings).await;
        changed.map_err(|error| match refused(error) {
            // The form of an instrument has its place, and no master.
            (AppError::CircuitTree, _) => (AppError::CircuitTree, Some(InstrumentField::Place)),
            other => other,
        })?;
        self.context.gateway.reload();
        Ok(())
    }

    async fn retire_instrument(&self, who: &Who, id: InstrumentId, reason: &str) -> Result<(), AppError> {
        self.require(who, id).await?;
        instruments::retire(&self.context.db, self.context.now(), who, id, reason).await?;
        self.context.gateway.reload();
        Ok(())
    }

    async fn set_circuit(&self, who: &Who, id: InstrumentId, settings: &CircuitSettings) -> Result<(), Refused> {
        let view = self.require(who, id).await.map_err(|error| (error, None))?;
        let position = settings.position.to_string();
        let before = view.circuits.iter().find(|circuit| circuit.form.position == position).map(|circuit| &circuit.form);
        let profile = self.profiles.instruments().get(&view.form.profile);
        if before.is_none() && profile.is_none_or(|profile| settings.position > profile.circuits) {
            return Err((AppError::NotFound, None));
        }
        // What was so before may stay, also where the operator does not see it.
        let stays = |id: String, value: fn(&CircuitForm) -> &str| before.is_some_and(|before| value(before) == id);
        if let Some(place) = settings.feeds.filter(|place| !stays(place.to_string(), |form| &form.feeds)) {
            self.require_place(who, place).await.map_err(|error| (error, Some(InstrumentField::Feeds)))?;
        }
        if let Some(parent) = settings.parent.filter(|parent| !stays(parent.to_string(), |form| &form.parent)) {
            let masters = queries::masters(&self.context.db, who.user).await.map_err(refused)?;
            if !masters.iter().any(|(id, _)| *id == parent) {
                return Err((AppError::NotFound, Some(InstrumentField::Parent)));
            }
        }
        let Context { db, rng, .. } = &self.context;
        instruments::set_circuit(db, rng, self.context.now(), who, id, settings).await.map_err(refused)?;
        self.context.gateway.reload();
        Ok(())
    }

    async fn begin_again(&self, who: &Who, id: InstrumentId, circuit: CircuitId) -> Result<(), AppError> {
        let view = self.require(who, id).await?;
        if !view.circuits.iter().any(|one| one.id == circuit) {
            return Err(AppError::NotFound);
        }
        Ok(instruments::begin_again(&self.context.db, self.context.now(), who, circuit).await?)
    }

    async fn read_instrument(&self, who: &Who, id: InstrumentId) -> Result<Option<InstrumentTrouble>, AppError> {
        self.require(who, id).await?;
        self.context.gateway.read_instrument(id).await
    }
}
