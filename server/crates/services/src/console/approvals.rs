//! Requests that a second person approves. A meter is read when one about it is made and again when it is approved.

use app::api::approvals::ApprovalsPort;
use async_trait::async_trait;
use domain::meter_state::StateBlock;
use model::approval::{ApprovalKind, ApprovalLine, Decision};
use model::console::checked_reason;
use model::error::AppError;
use model::ids::{ApprovalId, MeterId};
use model::person::Who;

use super::ConsoleService;
use crate::Context;
use store::approvals::{self, NewRequest};

#[async_trait]
impl ApprovalsPort for ConsoleService {
    async fn waiting(&self, who: &Who) -> Result<Vec<ApprovalLine>, AppError> {
        Ok(queries::approval_requests(&self.context.db, who.user, self.context.now()).await?)
    }

    async fn ask_about_meter(&self, who: &Who, kind: ApprovalKind, meter: MeterId, reason: &str) -> Result<(), AppError> {
        let decision = match kind {
            ApprovalKind::CloseForeign => Decision::CloseForeign { meter },
            ApprovalKind::Adjustment => Decision::Adjustment { meter },
            _ => return Err(AppError::Invalid),
        };
        let reason = checked_reason(reason)?;
        self.context.room(who, meter).await?;
        let seen = self.context.gateway.read_state(meter).await?;
        let new = NewRequest { decision, reason, who: who.clone() };
        let Context { db, rng, .. } = &self.context;
        approvals::ask(db, rng, self.context.now(), &self.rules, &new, Some(&seen)).await?;
        Ok(())
    }

    async fn approve(&self, who: &Who, id: ApprovalId) -> Result<(), AppError> {
        let Context { db, rng, gateway, .. } = &self.context;
        let decision = queries::decision_of(db, who.user, id).await?.ok_or(AppError::NotFound)?;
        let seen: Option<StateBlock> = match decision.meter() {
            Some(meter) => Some(gateway.read_state(meter).await?),
            None => None,
        };
        approvals::approve(db, rng, self.context.now(), who, id, seen.as_ref()).await?;
        if let Some(meter) = decision.meter() {
            gateway.wake();
            gateway.read_now(meter);
        }
        Ok(())
    }

    async fn reject(&self, who: &Who, id: ApprovalId, note: &str) -> Result<(), AppError> {
        let note = checked_reason(note)?;
        Ok(approvals::reject(&self.context.db, self.context.now(), who, id, &note).await?)
    }
}
