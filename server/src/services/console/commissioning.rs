//! Commissioning: what is known of an installed meter, and its acceptance.

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

#[async_trait]
impl CommissioningPort for ConsoleService {
    async fn commissioning(&self, who: &Who, meter: MeterId) -> Result<Commissioning, AppError> {
        let mut found = acceptances::commissioning(&self.context.db, who.user, meter).await?.ok_or(AppError::NotFound)?;
        found.limits = defaults::limits_of(&self.context.db, meter).await?;
        found.defaults = values(&defaults::path_of(&self.context.db, meter).await?);
        found.is_priced = prices::checked(&self.context.db, self.context.now()).await?.get(&meter).copied();
        found.latest = self.context.latest(meter);
        found.is_identified = self.context.gateway.is_identified(meter);
        found.quality = self.context.gateway.read_quality(meter);
        Ok(found)
    }

    async fn unaccepted(&self, who: &Who, page: i64) -> Result<Page<UnacceptedMeter>, AppError> {
        let mut page = acceptances::unaccepted(&self.context.db, who.user, page).await?;
        for line in &mut page.lines {
            line.latest = self.context.latest(line.latest.meter);
        }
        Ok(page)
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
