//! Adding, changing and retiring one meter.

use app::api::meter_setup::MeterSetupPort;
use async_trait::async_trait;
use model::console::{MeterField, MeterForm, MeterFormError, MeterSetup, RoomName};
use model::error::AppError;
use model::ids::{GatewayId, MeterId, PlaceId};
use model::meter::Wallet;
use model::person::Who;
use model::typed;

use super::Context;
use super::console::room_named;
use domain::place_tree::PlaceTree;
use domain::serial::Serial;
use domain::site_plan::MeterRow;
use domain::wall_layout::Scope;
use estate::{meter_setup, places};
use meters::profile::{Profile, Profiles, Protocol};
use store::meters as stored;

pub struct MeterSetupService {
    context: Context,
    profiles: Profiles,
}

/// The wallets that a model can have; its own is the first.
fn wallets(profile: &Profile) -> Vec<Wallet> {
    let own = profile.abilities.wallet;
    let all = [
        (Wallet::Meter, own == Wallet::Meter),
        (Wallet::Server, profile.abilities.relay),
        // Any meter can be read only.
        (Wallet::None, true),
    ];
    let others = all.into_iter().filter(|(wallet, can)| *can && *wallet != own).map(|(wallet, _)| wallet);
    std::iter::once(own).chain(others).collect()
}

/// Whether meters of a model are asked by their serial number, so that they need no unit number.
pub(super) fn is_asked_by_serial(profiles: &Profiles, name: &str) -> bool {
    profiles.get(name.trim()).is_some_and(|profile| profile.protocol == Protocol::Dlt645)
}

impl MeterSetupService {
    #[must_use]
    pub const fn new(context: Context, profiles: Profiles) -> Self {
        Self { context, profiles }
    }

    async fn estate(&self, who: &Who) -> Result<(PlaceTree, Scope), AppError> {
        Ok((places::tree(&self.context.db).await?, queries::scope(&self.context.db, who.user).await?))
    }

    /// The row that a form means, within the operator's buildings and gateways. All wrong fields are named at once.
    async fn row(&self, who: &Who, form: &MeterForm) -> Result<MeterRow, MeterFormError> {
        let profile = self.profiles.get(form.profile.trim());
        let wallet = profile.as_ref().and_then(|profile| match form.wallet.trim() {
            "" => Some(profile.abilities.wallet),
            word => Wallet::parse(word).filter(|wallet| wallets(profile).contains(wallet)),
        });
        let serial: Option<Serial> = typed::parse(&form.serial).ok();
        let gateway = found(self.gateway(who, form.gateway.trim()).await)?;
        let room = found(self.room(who, &typed::name(&form.room)).await)?;
        let may_lack = profile.as_ref().is_some_and(|profile| profile.protocol == Protocol::Dlt645);
        let unit = match form.unit.trim() {
            "" if may_lack => Some(None),
            unit => typed::parse(unit).ok().filter(|unit| (1..=247).contains(unit)).map(Some),
        };
        let wrong = MeterField::ALL.into_iter().filter(|field| match field {
            MeterField::Serial => serial.is_none(),
            MeterField::Room => room.is_none(),
            MeterField::Gateway => gateway.is_none(),
            // Whether it may be empty depends on the profile.
            MeterField::Unit => unit.is_none() && (profile.is_some() || !form.unit.trim().is_empty()),
            MeterField::Profile => profile.is_none(),
            MeterField::Wallet => wallet.is_none() && profile.is_some(),
        });
        let wrong: Vec<MeterField> = wrong.collect();
        let (Some(profile), Some(wallet), Some(serial), Some((id, gateway)), Some(room), Some(unit)) =
            (profile, wallet, serial, gateway, room, unit)
        else {
            return Err(MeterFormError::Wrong(wrong));
        };
        let unit = match unit {
            Some(unit) => unit,
            None => {
                let free = meter_setup::free_units(&self.context.db, id).await.map_err(AppError::from)?;
                free.first().copied().ok_or(AppError::AddressTaken)?
            }
        };
        Ok(MeterRow { serial, room, gateway, unit, profile: profile.name.clone(), wallet })
    }

    /// A gateway in service that the operator may use, by name.
    async fn gateway(&self, who: &Who, name: &str) -> Result<(GatewayId, String), AppError> {
        let found = stored::gateways(&self.context.db).await?.into_iter().find(|one| one.name == name);
        let gateway = found.ok_or(AppError::NotFound)?;
        self.context.require_gateway(who, gateway.id).await?;
        Ok((gateway.id, gateway.name))
    }

    /// The one room of the operator's buildings that a text names.
    async fn room(&self, who: &Who, text: &str) -> Result<RoomName, AppError> {
        let (tree, scope) = self.estate(who).await?;
        room_named(&tree, &scope, text).map(|(_, name)| name)
    }

    async fn require_meter(&self, who: &Who, meter: MeterId) -> Result<stored::MeterRow, AppError> {
        self.context.room(who, meter).await?;
        stored::find(&self.context.db, meter).await?.ok_or(AppError::NotFound)
    }
}

#[async_trait]
impl MeterSetupPort for MeterSetupService {
    async fn meter_setup(&self, who: &Who, meter: Option<MeterId>) -> Result<MeterSetup, AppError> {
        let gateways = queries::gateways(&self.context.db, who.user).await?;
        let profiles = self.profiles.iter().map(|one| (one.name.clone(), one.title.clone(), wallets(one))).collect();
        let mut setup = MeterSetup { profiles, ..MeterSetup::default() };
        if let Some(meter) = meter {
            let room = self.context.room(who, meter).await?;
            let row = self.require_meter(who, meter).await?;
            let (tree, _) = self.estate(who).await?;
            setup.in_use = room.account.account_id.is_some();
            setup.form = MeterForm {
                room: place_name(&tree, row.place_id),
                gateway: gateways.iter().find(|one| one.id == row.gateway_id).map(|one| one.name.clone()).unwrap_or_default(),
                unit: row.unit.to_string(),
                serial: row.serial,
                profile: row.profile,
                wallet: row.wallet.as_str().to_owned(),
            };
        }
        setup.gateways = gateways.into_iter().map(|one| one.name).collect();
        Ok(setup)
    }

    async fn add_meter(&self, who: &Who, form: &MeterForm) -> Result<MeterId, MeterFormError> {
        let row = self.row(who, form).await?;
        let Context { db, rng, .. } = &self.context;
        let id = meter_setup::add(db, rng, self.context.now(), who, &row).await.map_err(AppError::from)?;
        self.context.meters_changed().await?;
        Ok(id)
    }

    async fn change_meter(&self, who: &Who, meter: MeterId, form: &MeterForm) -> Result<(), MeterFormError> {
        let serial = self.require_meter(who, meter).await?.serial;
        let row = self.row(who, &MeterForm { serial, ..form.clone() }).await?;
        meter_setup::change(&self.context.db, self.context.now(), who, meter, &row).await.map_err(AppError::from)?;
        Ok(self.context.meters_changed().await?)
    }

    async fn retire_meter(&self, who: &Who, meter: MeterId, reason: &str) -> Result<(), AppError> {
        self.require_meter(who, meter).await?;
        meter_setup::retire(&self.context.db, self.context.now(), who, meter, reason).await?;
        self.context.meters_changed().await
    }
}

/// `None` for what is not there.
fn found<T>(result: Result<T, AppError>) -> Result<Option<T>, AppError> {
    match result {
        Ok(one) => Ok(Some(one)),
        Err(AppError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn place_name(tree: &PlaceTree, place: PlaceId) -> String {
    tree.room_name(place).map(|name| name.to_string()).unwrap_or_default()
}
