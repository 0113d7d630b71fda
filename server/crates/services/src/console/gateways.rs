//! Gateways and meters: the lists, polling intervals and certificates.

use std::num::NonZeroU16;

use app::access::Access;
use app::api::gateways::GatewaysPort;
use async_trait::async_trait;
use domain::wall_layout::Scope;
use model::console::{GatewayLine, GatewayView, MeterLine, MeterQuery, Page};
use model::error::AppError;
use model::event::EventKind;
use model::gateway::{GatewayForm, GatewaySettings, GatewayTest, PortState, Sweep, SweepInterval, Trust, UnknownCaller};
use model::ids::{GatewayId, Uuid};
use model::permission::Permission;
use model::person::Who;
use model::time::Timestamp;

use super::ConsoleService;
use estate::gateways::{self, GatewayEdit};
use estate::intervals;
use store::trust;

#[async_trait]
impl GatewaysPort for ConsoleService {
    async fn meters(&self, who: &Who, query: &MeterQuery) -> Result<Page<MeterLine>, AppError> {
        let mut page = queries::meters(&self.context.db, who.user, query).await?;
        for line in &mut page.lines {
            line.latest = self.context.latest(line.latest.meter);
        }
        Ok(page)
    }

    async fn gateways(&self, who: &Who) -> Result<Vec<GatewayLine>, AppError> {
        let mut lines = queries::gateways(&self.context.db, who.user).await?;
        let states = self.context.gateway.gateways();
        for line in &mut lines {
            let state = states.iter().find(|state| state.id == line.id);
            line.health = state.map(|state| (state.health, state.since));
            line.noise = state.and_then(|state| state.noise);
            line.round_ms = state.and_then(|state| state.round_ms);
        }
        Ok(lines)
    }

    async fn gateway(&self, who: &Who, gateway: GatewayId) -> Result<GatewayView, AppError> {
        self.context.require_gateway(who, gateway).await?;
        let db = &self.context.db;
        let stored = gateways::find(db, gateway).await?.ok_or(AppError::NotFound)?;
        let meters = gateways::meters(db, who.user, gateway).await?;
        Ok(GatewayView {
            id: gateway,
            name: stored.row.name.clone(),
            form: GatewayForm::of(&stored.row.settings()?),
            line: self.gateways(who).await?.into_iter().find(|line| line.id == gateway),
            created_at: stored.created_at,
            retired_at: stored.retired_at,
            meters: meters.into_iter().map(|meter| (meter.clone(), self.context.latest(meter.id))).collect(),
            connections: self.context.gateway.connections(gateway),
            losses: gateways::losses(db, gateway).await?,
            is_by_rules: store::events::is_limited(db, EventKind::GatewayLost).await?,
            changes: gateways::changes(db, gateway).await?,
        })
    }

    async fn retired_gateways(&self, who: &Who) -> Result<Vec<(GatewayId, String, Timestamp)>, AppError> {
        let may_see = queries::scope(&self.context.db, who.user).await? == Scope::All;
        Ok(if may_see { gateways::retired(&self.context.db).await? } else { Vec::new() })
    }

    async fn unknown_callers(&self, who: &Who) -> Result<Vec<UnknownCaller>, AppError> {
        Ok(if self.may_change(who).await? { self.context.gateway.unknown_callers() } else { Vec::new() })
    }

    async fn dial_in_port(&self) -> Result<Option<(u16, Option<PortState>)>, AppError> {
        let port = store::meters::dial_in_port(&self.context.db).await?;
        Ok(port.map(|port| (port, self.context.gateway.port_state(port))))
    }

    async fn set_dial_in_port(&self, who: &Who, port: Option<NonZeroU16>) -> Result<(), AppError> {
        self.require_change(who).await?;
        gateways::set_dial_in_port(&self.context.db, self.context.now(), who, port).await?;
        self.context.gateway.reload();
        Ok(())
    }

    async fn may_change(&self, who: &Who) -> Result<bool, AppError> {
        let has = who.may(Permission::Gateways);
        Ok(has && queries::scope(&self.context.db, who.user).await? == Scope::All)
    }

    async fn add_gateway(&self, who: &Who, key: Uuid, settings: &GatewaySettings) -> Result<GatewayId, AppError> {
        self.require_change(who).await?;
        let id = gateways::create(&self.context.db, self.context.now(), who, key, settings).await?;
        self.context.gateway.reload();
        Ok(id)
    }

    async fn change_gateway(
        &self,
        who: &Who,
        gateway: GatewayId,
        settings: &GatewaySettings,
        replaced: Option<&str>,
    ) -> Result<(), AppError> {
        self.require_change(who).await?;
        let edit = replaced.map_or(GatewayEdit::Change, GatewayEdit::Replace);
        gateways::change(&self.context.db, self.context.now(), who, gateway, settings, edit).await?;
        self.context.gateway.reload();
        Ok(())
    }

    async fn retire_gateway(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError> {
        self.require_change(who).await?;
        gateways::retire(&self.context.db, self.context.now(), who, gateway).await?;
        self.context.gateway.reload();
        Ok(())
    }

    async fn test_gateway(&self, who: &Who, gateway: GatewayId) -> Result<GatewayTest, AppError> {
        Access::May(Permission::Gateways).check(Some(who))?;
        self.context.require_gateway(who, gateway).await?;
        self.context.gateway.test_gateway(gateway, &self.context.rng).await
    }

    async fn retry_gateway(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError> {
        self.context.require_gateway(who, gateway).await?;
        self.context.gateway.retry_gateway(gateway);
        Ok(())
    }

    async fn set_sweep(&self, who: &Who, of: Sweep, interval: Option<SweepInterval>) -> Result<(), AppError> {
        match of {
            Sweep::Gateway(_) if !who.may(Permission::Gateways) => return Err(AppError::Forbidden),
            Sweep::Gateway(gateway) => self.context.require_gateway(who, gateway).await?,
            Sweep::Meter(meter) => drop(self.context.room(who, meter).await?),
        }
        intervals::set(&self.context.db, self.context.now(), who, of, interval).await?;
        self.context.gateway.reload();
        Ok(())
    }

    async fn set_trust(&self, who: &Who, gateway: GatewayId, to: &Trust) -> Result<(), AppError> {
        if !who.may(Permission::Gateways) {
            return Err(AppError::Forbidden);
        }
        self.context.require_gateway(who, gateway).await?;
        trust::set(&self.context.db, self.context.now(), who, gateway, to).await?;
        self.context.gateway.reload();
        Ok(())
    }
}

impl ConsoleService {
    /// Refuses who may not change gateways, and who sees a part of the site only: a gateway may serve several buildings.
    async fn require_change(&self, who: &Who) -> Result<(), AppError> {
        if self.may_change(who).await? { Ok(()) } else { Err(AppError::Forbidden) }
    }
}
