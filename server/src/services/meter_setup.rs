//! Adding, changing and retiring one meter.

use app::api::meter_setup::MeterSetupPort;
use async_trait::async_trait;
use model::console::{MeterForm, MeterSetup, RoomName};
use model::error::AppError;
use model::ids::{GatewayId, MeterId, PlaceId};
use model::meter::Wallet;
use model::person::Who;

use super::Context;
use super::console::room_named;
use domain::place_tree::PlaceTree;
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

    /// The row that a form means, within the operator's buildings and gateways.
    async fn row(&self, who: &Who, form: &MeterForm) -> Result<MeterRow, AppError> {
        let profile = self.profiles.get(form.profile.trim()).ok_or(AppError::Invalid)?;
        let allowed = wallets(&profile);
        let wallet = match form.wallet.trim() {
            "" => profile.abilities.wallet,
            word => Wallet::parse(word).filter(|wallet| allowed.contains(wallet)).ok_or(AppError::Invalid)?,
        };
        let serial = form.serial.trim().parse().map_err(|_| AppError::Invalid)?;
        let (id, gateway) = self.gateway(who, form.gateway.trim()).await?;
        let unit = match form.unit.trim() {
            "" if profile.protocol == Protocol::Dlt645 => {
                let free = meter_setup::free_units(&self.context.db, id).await?;
                free.first().copied().ok_or(AppError::AddressTaken)?
            }
            unit => unit.parse().ok().filter(|unit| (1..=247).contains(unit)).ok_or(AppError::Invalid)?,
        };
        let room = self.room(who, &form.room).await?;
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

    async fn add_meter(&self, who: &Who, form: &MeterForm) -> Result<MeterId, AppError> {
        let row = self.row(who, form).await?;
        let Context { db, rng, .. } = &self.context;
        let id = meter_setup::add(db, rng, self.context.now(), who, &row).await?;
        self.context.meters_changed().await?;
        Ok(id)
    }

    async fn change_meter(&self, who: &Who, meter: MeterId, form: &MeterForm) -> Result<(), AppError> {
        let serial = self.require_meter(who, meter).await?.serial;
        let row = self.row(who, &MeterForm { serial, ..form.clone() }).await?;
        meter_setup::change(&self.context.db, self.context.now(), who, meter, &row).await?;
        self.context.meters_changed().await
    }

    async fn retire_meter(&self, who: &Who, meter: MeterId, reason: &str) -> Result<(), AppError> {
        self.require_meter(who, meter).await?;
        meter_setup::retire(&self.context.db, self.context.now(), who, meter, reason).await?;
        self.context.meters_changed().await
    }
}

fn place_name(tree: &PlaceTree, place: PlaceId) -> String {
    tree.room_name(place).map(|name| name.to_string()).unwrap_or_default()
}
