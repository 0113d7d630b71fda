//! Requests about a meter that a second person approves. The meter is read when one is made and again when it is approved.

use app::api::meter_requests::MeterRequestsPort;
use async_trait::async_trait;
use model::console::{MeterRequestKind, MeterRequestLine, checked_reason};
use model::error::AppError;
use model::ids::{MeterId, Uuid};
use model::person::Who;

use super::ConsoleService;
use store::meter_requests::{self, NewMeterRequest};

#[async_trait]
impl MeterRequestsPort for ConsoleService {
    async fn waiting(&self, who: &Who) -> Result<Vec<MeterRequestLine>, AppError> {
        Ok(meter_requests::waiting(&self.context.db, who.user, self.context.now()).await?)
    }

    async fn ask(&self, who: &Who, kind: MeterRequestKind, meter: MeterId, reason: &str, key: Uuid) -> Result<(), AppError> {
        let reason = checked_reason(reason)?;
        self.context.room(who, meter).await?;
        let seen = self.context.gateway.read_state(meter).await?;
        let new = NewMeterRequest { key, kind, meter, reason, who: who.clone() };
        Ok(meter_requests::ask(&self.context.db, &self.context.rng, self.context.now(), &new, &seen).await?)
    }

    async fn approve(&self, who: &Who, id: Uuid) -> Result<(), AppError> {
        let meter = meter_requests::meter_of(&self.context.db, who, id).await?.ok_or(AppError::NotFound)?;
        let seen = self.context.gateway.read_state(meter).await?;
        meter_requests::approve(&self.context.db, &self.context.rng, self.context.now(), who, id, &seen).await?;
        self.context.gateway.wake();
        self.context.gateway.read_now(meter);
        Ok(())
    }

    async fn reject(&self, who: &Who, id: Uuid, note: &str) -> Result<(), AppError> {
        let note = checked_reason(note)?;
        meter_requests::meter_of(&self.context.db, who, id).await?.ok_or(AppError::NotFound)?;
        Ok(meter_requests::reject(&self.context.db, self.context.now(), who, id, &note).await?)
    }
}
