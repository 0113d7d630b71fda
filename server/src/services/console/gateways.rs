//! Gateways and meters: the lists, polling intervals and certificates.

use app::api::gateways::GatewaysPort;
use async_trait::async_trait;
use model::console::{GatewayLine, MeterLine, MeterQuery, Page};
use model::error::AppError;
use model::gateway::{Sweep, SweepInterval, Trust};
use model::ids::GatewayId;
use model::permission::Permission;
use model::person::Who;

use super::ConsoleService;
use store::{console, intervals, trust};

#[async_trait]
impl GatewaysPort for ConsoleService {
    async fn meters(&self, who: &Who, query: &MeterQuery) -> Result<Page<MeterLine>, AppError> {
        let mut page = console::meters(&self.context.db, who.user, query).await?;
        for line in &mut page.lines {
            line.latest = self.context.latest(line.latest.meter);
        }
        Ok(page)
    }

    async fn gateways(&self, who: &Who) -> Result<Vec<GatewayLine>, AppError> {
        let mut lines = console::gateways(&self.context.db, who.user).await?;
        let states = self.context.gateway.gateways();
        for line in &mut lines {
            let state = states.iter().find(|state| state.id == line.id);
            line.health = state.map(|state| (state.health, state.since));
            line.noise = state.and_then(|state| state.noise);
        }
        Ok(lines)
    }

    async fn retry_gateway(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError> {
        self.context.require_gateway(who, gateway).await?;
        self.context.gateway.retry_gateway(gateway);
        Ok(())
    }

    async fn site_sweep(&self) -> Result<Option<SweepInterval>, AppError> {
        Ok(intervals::of_site(&self.context.db).await?.and_then(SweepInterval::new))
    }

    async fn set_sweep(&self, who: &Who, of: Sweep, interval: Option<SweepInterval>) -> Result<(), AppError> {
        match of {
            Sweep::Meter(meter) => drop(self.context.room(who, meter).await?),
            Sweep::Site | Sweep::Gateway(_) if !who.may(Permission::Gateways) => return Err(AppError::Forbidden),
            Sweep::Gateway(gateway) => self.context.require_gateway(who, gateway).await?,
            Sweep::Site => {}
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
