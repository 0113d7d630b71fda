//! What every service and task works with.

use std::sync::Arc;

use model::error::AppError;
use model::ids::{AccountId, GatewayId, MeterId, Uuid};
use model::meter::Latest;
use model::permission::Permission;
use model::person::Who;
use model::time::Timestamp;

use super::MeterGateway;
use domain::clock::SharedClock;
use domain::rng::Rng;
use domain::wall_layout::Scope;
use meters::live::Live;
use queries::RoomRow;
use store::{Db, console};

/// Cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    /// The newest reading of every meter.
    pub live: Live,
    pub gateway: Arc<dyn MeterGateway>,
}

impl Context {
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new idempotency key for a form.
    #[must_use]
    pub fn form_key(&self) -> Uuid {
        self.rng.id(self.now())
    }

    /// The newest reading of a meter, which is never behind the store.
    pub(super) fn latest(&self, meter: MeterId) -> Latest {
        self.live.get(meter).unwrap_or_else(|| Latest::unseen(meter))
    }

    /// A room that the operator may see; any other is [`AppError::NotFound`].
    pub(super) async fn room(&self, who: &Who, meter: MeterId) -> Result<RoomRow, AppError> {
        queries::room(&self.db, who.user, meter).await?.ok_or(AppError::NotFound)
    }

    /// The account of a meter that the operator may see.
    pub(super) async fn account(&self, who: &Who, meter: MeterId) -> Result<AccountId, AppError> {
        self.room(who, meter).await?.account.account_id.ok_or(AppError::AccountNotOpen)
    }

    /// Gateways or meters were added, changed or retired: the engine and the meter wall read them again.
    pub(super) async fn meters_changed(&self) -> Result<(), AppError> {
        self.gateway.reload();
        self.gateway.wake();
        Ok(self.live.reload(&self.db).await?)
    }

    /// Refuses operators who are bound to buildings.
    pub(super) async fn require_whole_site(&self, who: &Who) -> Result<(), AppError> {
        if queries::scope(&self.db, who.user).await? == Scope::All { Ok(()) } else { Err(AppError::Forbidden) }
    }

    /// Whether a person answers for the site: who has that permission in some buildings alone answers for none of the others.
    pub(super) async fn answers_for_site(&self, who: &Who) -> Result<bool, AppError> {
        Ok(who.may(Permission::Site) && queries::scope(&self.db, who.user).await? == Scope::All)
    }

    /// Refuses a gateway of other buildings than the operator's.
    pub(super) async fn require_gateway(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError> {
        if console::may_touch_gateway(&self.db, who.user, gateway).await? { Ok(()) } else { Err(AppError::NotFound) }
    }
}
