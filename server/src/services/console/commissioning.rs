//! Commissioning: what is known of an installed meter, and its acceptance.

use std::collections::HashMap;

use app::access::Access;
use app::api::commissioning::CommissioningPort;
use async_trait::async_trait;
use model::console::{Commissioning, Page, UnacceptedMeter};
use model::error::AppError;
use model::ids::MeterId;
use model::permission::Permission;
use model::person::Who;

use super::{ConsoleService, prices};
use domain::defaults::values;
use estate::{acceptances, defaults};
use store::StoreError;

#[async_trait]
impl CommissioningPort for ConsoleService {
    async fn commissioning(&self, who: &Who, meter: MeterId) -> Result<Commissioning, AppError> {
        let priced = prices::checked(&self.context.db, self.context.now()).await?;
        self.look_at(who, meter, &priced).await
    }

    async fn unaccepted(&self, who: &Who, page: i64) -> Result<Page<UnacceptedMeter>, AppError> {
        let mut page = acceptances::unaccepted(&self.context.db, who.user, page).await?;
        let priced = prices::checked(&self.context.db, self.context.now()).await?;
        for line in &mut page.lines {
            let found = self.look_at(who, line.latest.meter, &priced).await?;
            (line.is_good, line.latest) = (found.is_good(), found.latest);
        }
        Ok(page)
    }

    async fn accept_good(&self, who: &Who, page: i64) -> Result<usize, AppError> {
        Access::May(Permission::Estate).check(Some(who))?;
        let mut accepted = 0;
        for line in self.unaccepted(who, page).await?.lines.iter().filter(|line| line.is_good) {
            match acceptances::accept(&self.context.db, self.context.now(), who, line.latest.meter, "").await {
                Ok(()) => accepted += 1,
                // Somebody else accepted it a moment ago.
                Err(StoreError::Refused(AppError::Conflict)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(accepted)
    }

    async fn accept(&self, who: &Who, meter: MeterId, comment: &str) -> Result<(), AppError> {
        Access::May(Permission::Estate).check(Some(who))?;
        let found = self.commissioning(who, meter).await?;
        if !found.is_good() && comment.is_empty() {
            return Err(AppError::Invalid);
        }
        acceptances::accept(&self.context.db, self.context.now(), who, meter, comment).await?;
        Ok(())
    }
}

impl ConsoleService {
    /// What is known of a meter; `priced` says of all meters whether they keep what their plan says.
    async fn look_at(&self, who: &Who, meter: MeterId, priced: &HashMap<MeterId, bool>) -> Result<Commissioning, AppError> {
        let mut found = acceptances::commissioning(&self.context.db, who.user, meter).await?.ok_or(AppError::NotFound)?;
        found.limits = defaults::limits_of(&self.context.db, meter).await?;
        found.defaults = values(&defaults::path_of(&self.context.db, meter).await?);
        found.is_priced = priced.get(&meter).copied();
        found.latest = self.context.latest(meter);
        found.is_identified = self.context.gateway.is_identified(meter);
        found.quality = self.context.gateway.read_quality(meter);
        Ok(found)
    }
}
