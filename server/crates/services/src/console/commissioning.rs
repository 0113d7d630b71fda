//! Commissioning: what is known of an installed meter, and its acceptance.

use app::access::Access;
use app::api::commissioning::CommissioningPort;
use async_trait::async_trait;
use model::console::{Commissioning, Page, UnacceptedMeter};
use model::defaults::DefaultValues;
use model::error::AppError;
use model::ids::{MeterId, PlaceId};
use model::permission::Permission;
use model::person::Who;

use super::{ConsoleService, prices};
use estate::{acceptances, defaults};

#[async_trait]
impl CommissioningPort for ConsoleService {
    async fn commissioning(&self, who: &Who, meter: MeterId) -> Result<Commissioning, AppError> {
        let found = acceptances::commissioning(&self.context.db, who.user, meter).await?.ok_or(AppError::NotFound)?;
        self.with_checks(found).await
    }

    async fn unaccepted(&self, who: &Who, page: i64) -> Result<Page<UnacceptedMeter>, AppError> {
        let Page { lines, total } = acceptances::unaccepted(&self.context.db, who.user, page).await?;
        let line = |found: Commissioning| {
            let is_good = found.is_good();
            let Commissioning { latest, room, gateway, unit, serial, .. } = found;
            UnacceptedMeter { latest, room, gateway, unit, serial, is_good }
        };
        Ok(Page { lines: self.with_checks_of_all(lines).await?.into_iter().map(line).collect(), total })
    }

    async fn accept_good(&self, who: &Who, meters: &[MeterId]) -> Result<usize, AppError> {
        Access::May(Permission::Estate).check(Some(who))?;
        let db = &self.context.db;
        let found = self.with_checks_of_all(acceptances::unaccepted_of(db, who.user, meters).await?).await?;
        let good: Vec<MeterId> = found.iter().filter(|found| found.is_good()).map(|found| found.meter).collect();
        Ok(acceptances::accept(db, self.context.now(), who, &good, "").await?)
    }

    async fn accept(&self, who: &Who, meter: MeterId, comment: &str) -> Result<(), AppError> {
        Access::May(Permission::Estate).check(Some(who))?;
        let found = self.commissioning(who, meter).await?;
        if !found.is_good() && comment.is_empty() {
            return Err(AppError::Invalid);
        }
        match acceptances::accept(&self.context.db, self.context.now(), who, &[meter], comment).await? {
            0 => Err(AppError::Conflict),
            _ => Ok(()),
        }
    }
}

impl ConsoleService {
    /// Adds what the running server knows of a meter, and what it should keep.
    async fn with_checks(&self, mut found: Commissioning) -> Result<Commissioning, AppError> {
        let (db, meter) = (&self.context.db, found.meter);
        found.limits = defaults::limits_of(db, meter).await?;
        let room = defaults::room_of(db, meter).await?;
        found.defaults = match room {
            Some(room) => store::defaults::tree(db).await?.values(room),
            None => DefaultValues::default(),
        };
        found.is_priced = prices::keeps_plan(db, self.context.now(), meter).await?;
        self.add_live(&mut found);
        Ok(found)
    }

    /// The same for several meters, which are given with the places of their rooms and with the limits that were read.
    async fn with_checks_of_all(&self, found: Vec<(Commissioning, PlaceId)>) -> Result<Vec<Commissioning>, AppError> {
        let db = &self.context.db;
        let (defaults, priced) = (store::defaults::tree(db).await?, prices::keep_plan(db, self.context.now()).await?);
        let checked = |(mut found, place): (Commissioning, PlaceId)| {
            found.defaults = defaults.values(place);
            found.is_priced = priced.get(&found.meter).copied();
            self.add_live(&mut found);
            found
        };
        Ok(found.into_iter().map(checked).collect())
    }

    fn add_live(&self, found: &mut Commissioning) {
        found.latest = self.context.latest(found.meter);
        found.is_identified = self.context.gateway.is_identified(found.meter);
        found.quality = self.context.gateway.read_quality(found.meter);
    }
}
