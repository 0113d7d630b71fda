//! The server's side of [`OperatorPort`]: one function a wish, over the store, the live readings and the buses.

mod batches;
mod field;
mod opening;
mod prices;
mod room;
mod search;

use std::sync::Arc;

use app::api::operator::{Mistake, Opening, OperatorPort, PricesView, Seat};
use async_trait::async_trait;
use model::console::{
    AccountLine, AuditLine, Batch, BatchQuery, BatchView, Building, CaseLine, CaseQuery, EventLine, EventQuery, Exposed, Gap,
    GatewayLine, MeterLine, Missed, Page, Preview, Query, Room, Sale, Target, WalletLimits,
};
use model::error::AppError;
use model::gateway::{Sweep, SweepInterval, Trust};
use model::ids::{AccountId, BatchId, CaseId, EventId, GatewayId, MeterId, OrderId, PlaceId, Uuid};
use model::issue::{Issue, Kind};
use model::meter::{ControlMode, Latest};
use model::parameters::Parameters;
use model::person::{Role, Who};
use model::tariff::Prices;
use model::time::Timestamp;

pub use field::{Field, NoField};

use crate::services::auth::Passwords;
use domain::clock::SharedClock;
use domain::order::Limits;
use domain::rng::Rng;
use meters::live::Live;
use store::cases::kind;
use store::orders::{self, NewOrder};
use store::{Db, console, counters, deliveries, intervals, parameters, serials, trust};

/// The shortest password that an operator may hand out.
pub(crate) const MIN_PASSWORD: usize = 10;
/// Characters of what was done about a case.
const MOST_SAID: usize = 500;

/// The operator's desk.
pub struct Operator {
    db: Db,
    clock: SharedClock,
    rng: Rng,
    live: Live,
    passwords: Passwords,
    limits: Limits,
    field: Arc<dyn Field>,
}

impl Operator {
    /// Over these parts.
    ///
    /// # Errors
    /// Where no password can be hashed.
    pub fn new(
        db: Db,
        clock: SharedClock,
        rng: Rng,
        live: Live,
        limits: Limits,
        field: Arc<dyn Field>,
    ) -> Result<Self, AppError> {
        let passwords = Passwords::new(rng.clone())?;
        Ok(Self { db, clock, rng, live, passwords, limits, field })
    }

    /// The newest of a meter: from the live readings, which are never behind the store.
    fn latest(&self, meter: MeterId) -> Latest {
        self.live.get(meter).unwrap_or_else(|| Latest::unseen(meter))
    }

    /// A room that the operator may see; anything else does not exist.
    async fn room_of(&self, who: &Who, meter: MeterId) -> Result<console::RoomRow, AppError> {
        console::room(&self.db, who.user, meter).await?.ok_or(AppError::NotFound)
    }
}

#[async_trait]
impl OperatorPort for Operator {
    async fn seats(&self, who: &Who) -> Result<Vec<Seat>, AppError> {
        let scope = console::scope(&self.db, who.user).await?;
        Ok(self.live.meter_places(&scope).into_iter().map(|(place, latest)| Seat { name: place.name(), latest }).collect())
    }

    async fn find(&self, who: &Who, text: &str) -> Result<Vec<MeterLine>, AppError> {
        search::find(self, who, text).await
    }

    async fn room(&self, who: &Who, meter: MeterId) -> Result<Room, AppError> {
        room::room(self, who, meter).await
    }

    fn key(&self) -> Uuid {
        self.rng.id(self.clock.now())
    }

    async fn sell(&self, who: &Who, sale: &Sale) -> Result<OrderId, AppError> {
        let room = self.room_of(who, sale.meter).await?;
        let account = room.account.account_id.ok_or(AppError::AccountNotOpen)?;
        let new = NewOrder {
            key: sale.key,
            account,
            meter: sale.meter,
            tender: sale.tender,
            amount: sale.amount,
            by: who.user,
            ip: who.ip.clone(),
        };
        let order = orders::sell(&self.db, &self.rng, self.clock.now(), &self.limits, &new).await?;
        self.field.wake();
        Ok(order.id())
    }

    async fn set_mode(&self, who: &Who, meter: MeterId, mode: ControlMode, key: Uuid) -> Result<(), AppError> {
        console::set_mode(&self.db, &self.rng, self.clock.now(), who, meter, mode, key).await?;
        self.field.wake();
        Ok(())
    }

    async fn read_now(&self, who: &Who, meter: MeterId) -> Result<(), AppError> {
        self.room_of(who, meter).await?;
        self.field.read_now(meter);
        Ok(())
    }

    async fn open_account(&self, who: &Who, opening: &Opening) -> Result<(), Mistake> {
        opening::open(self, who, opening).await
    }

    async fn accounts(&self, who: &Who, query: &Query) -> Result<Page<AccountLine>, AppError> {
        let mut page = console::accounts(&self.db, who.user, query).await?;
        for line in &mut page.lines {
            line.latest = line.meter.map(|meter| self.latest(meter));
        }
        Ok(page)
    }

    async fn cases(&self, who: &Who, query: &CaseQuery) -> Result<Page<CaseLine>, AppError> {
        let mut page = console::cases(&self.db, who.user, *query).await?;
        for line in page.lines.iter_mut().filter(|line| line.kind == kind::READING && line.closed_at.is_none()) {
            line.counter = match line.meter {
                Some(meter) => counters::held(&self.db, meter).await?,
                None => None,
            };
        }
        Ok(page)
    }

    async fn close_case(&self, who: &Who, case: CaseId, resolution: &str) -> Result<(), AppError> {
        let resolution = said(resolution)?;
        console::close_case(&self.db, self.clock.now(), who, case, resolution).await?;
        // Money commands of its meter may have waited for it.
        self.field.wake();
        Ok(())
    }

    async fn settle_counter(&self, who: &Who, case: CaseId, gap: Gap, resolution: &str) -> Result<(), AppError> {
        Ok(counters::settle(&self.db, &self.rng, self.clock.now(), who, case, gap, said(resolution)?).await?)
    }

    async fn confirm_serial(&self, who: &Who, case: CaseId, resolution: &str) -> Result<(), AppError> {
        serials::confirm(&self.db, self.clock.now(), who, case, said(resolution)?).await?;
        self.field.reload();
        Ok(())
    }

    async fn events(&self, who: &Who, query: &EventQuery) -> Result<(Page<EventLine>, Vec<String>), AppError> {
        let page = console::events(&self.db, who.user, query).await?;
        Ok((page, console::buildings(&self.db, who.user).await?))
    }

    async fn acknowledge(&self, who: &Who, event: EventId) -> Result<(), AppError> {
        Ok(console::acknowledge(&self.db, self.clock.now(), who, event).await?)
    }

    async fn try_again(&self, who: &Who, case: CaseId) -> Result<(), AppError> {
        let command = console::held(&self.db, who.user, case).await?.ok_or(AppError::NotFound)?;
        let decision = deliveries::Decision { by: who.user, ip: &who.ip, at: self.clock.now() };
        deliveries::try_again(&self.db, command, &decision).await?;
        self.field.wake();
        Ok(())
    }

    async fn gateways(&self, who: &Who) -> Result<Vec<GatewayLine>, AppError> {
        let mut lines = console::gateways(&self.db, who.user).await?;
        let states = self.field.gateways();
        for line in &mut lines {
            let state = states.iter().find(|state| state.id == line.id);
            line.health = state.map(|state| (state.health, state.since));
        }
        Ok(lines)
    }

    async fn retry_gateway(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError> {
        if !console::may_touch_gateway(&self.db, who.user, gateway).await? {
            return Err(AppError::NotFound);
        }
        self.field.retry_gateway(gateway);
        Ok(())
    }

    async fn site_sweep(&self) -> Result<Option<SweepInterval>, AppError> {
        Ok(intervals::of_site(&self.db).await?.and_then(SweepInterval::new))
    }

    async fn set_sweep(&self, who: &Who, of: Sweep, interval: Option<SweepInterval>) -> Result<(), AppError> {
        match of {
            Sweep::Meter(meter) => drop(self.room_of(who, meter).await?),
            Sweep::Site | Sweep::Gateway(_) if who.role != Role::Admin => return Err(AppError::Forbidden),
            Sweep::Gateway(gateway) if !console::may_touch_gateway(&self.db, who.user, gateway).await? => {
                return Err(AppError::NotFound);
            }
            Sweep::Site | Sweep::Gateway(_) => {}
        }
        intervals::set(&self.db, self.clock.now(), who, of, interval).await?;
        self.field.reload();
        Ok(())
    }

    async fn set_trust(&self, who: &Who, gateway: GatewayId, to: &Trust) -> Result<(), AppError> {
        if who.role != Role::Admin {
            return Err(AppError::Forbidden);
        }
        if !console::may_touch_gateway(&self.db, who.user, gateway).await? {
            return Err(AppError::NotFound);
        }
        trust::set(&self.db, self.clock.now(), who, gateway, to).await?;
        self.field.reload();
        Ok(())
    }

    async fn meters(&self, who: &Who, query: &Query) -> Result<Page<MeterLine>, AppError> {
        let mut page = console::meters(&self.db, who.user, query).await?;
        for line in &mut page.lines {
            line.latest = self.latest(line.latest.meter);
        }
        Ok(page)
    }

    async fn exposed(&self, who: &Who, page: i64) -> Result<Exposed, AppError> {
        Ok(console::exposed(&self.db, who.user, page).await?)
    }

    async fn prices(&self, who: &Who) -> Result<PricesView, AppError> {
        prices::prices(self, who).await
    }

    async fn publish_prices(&self, who: &Who, plan: &str, from: Option<Timestamp>, prices: Prices) -> Result<(), AppError> {
        prices::publish(self, who, plan, from, prices).await
    }

    async fn assign_prices(&self, who: &Who, place: PlaceId, plan: Uuid) -> Result<(), AppError> {
        prices::assign(self, who, place, plan).await
    }

    async fn set_limits(&self, who: &Who, meter: MeterId, limits: &WalletLimits) -> Result<(), AppError> {
        prices::set_limits(self, who, meter, limits).await
    }

    async fn audit(&self, who: &Who, query: &Query) -> Result<Page<AuditLine>, AppError> {
        Ok(console::audit(&self.db, who.user, query).await?)
    }

    async fn buildings(&self, who: &Who) -> Result<Vec<Building>, AppError> {
        batches::buildings(self, who).await
    }

    async fn preview(&self, who: &Who, kind: Kind, target: &Target) -> Result<Preview, AppError> {
        batches::preview(self, who, kind, target).await
    }

    async fn issue(&self, who: &Who, id: BatchId, issue: &Issue, target: &Target, seal: &str) -> Result<(), AppError> {
        batches::issue(self, who, id, issue, target, seal).await
    }

    async fn batches(&self, who: &Who, query: &BatchQuery) -> Result<Page<Batch>, AppError> {
        Ok(console::batches(&self.db, who.user, None, query).await?)
    }

    async fn batch(&self, who: &Who, id: BatchId, state: &str, page: i64) -> Result<BatchView, AppError> {
        batches::batch(self, who, id, state, page).await
    }

    async fn retry_batch(&self, who: &Who, id: BatchId, meter: Option<MeterId>) -> Result<(), AppError> {
        batches::retry(self, who, id, meter).await
    }

    async fn cancel_batch(&self, who: &Who, id: BatchId) -> Result<(), AppError> {
        batches::cancel(self, who, id).await
    }

    async fn missed(&self, who: &Who, page: i64) -> Result<Page<Missed>, AppError> {
        Ok(console::missed(&self.db, who.user, self.clock.now(), page).await?)
    }

    async fn parameters(&self, who: &Who, meter: MeterId) -> Result<Option<(Parameters, Timestamp)>, AppError> {
        self.room_of(who, meter).await?;
        Ok(parameters::find(&self.db, meter).await?)
    }
}

/// What was done about a case; something must be said, and not a book.
fn said(resolution: &str) -> Result<&str, AppError> {
    let resolution = resolution.trim();
    if resolution.is_empty() || resolution.chars().count() > MOST_SAID { Err(AppError::Invalid) } else { Ok(resolution) }
}
