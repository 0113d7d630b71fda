//! What the operator sees and does. Everything is bound to the buildings that the operator may see.

mod actions;
mod batches;
mod counter;
mod events;
mod opening;
mod prices;
mod serial;
mod sweep;
mod trust;

use std::sync::Arc;

use async_trait::async_trait;

use crate::ports::{Who, operator, ports};
use model::error::AppError;
use model::gateway::{Sweep, SweepInterval, Trust};
use model::ids::{BatchId, CaseId, EventId, GatewayId, MeterId, OrderId, PlaceId, Uuid};
use model::issue::{Issue, Kind};
use model::meter::{ControlMode, Latest};
use model::parameters::Parameters;
use model::tariff::Prices;
use model::time::Timestamp;

pub(crate) use actions::parse;
pub use actions::{
    CloseCase, ReadNow, RetryGateway, Sell, SetLimits, SetMode, close_case, read_now, retry_gateway, sell, set_limits, set_mode,
};
pub use actions::{TryAgain, try_again};
pub use batches::{CancelBatch, IssueCommands, RetryBatch, cancel_batch, issue_commands, retry_batch};
pub use counter::{SettleCounter, settle_counter};
pub use events::{AcknowledgeEvent, acknowledge_event};
pub use model::console::{
    Account, AccountLine, AccountState, AuditLine, Batch, BatchCounts, BatchItem, BatchQuery, BatchView, Building, CaseLine,
    CaseQuery, CommandContent, CommandLine, DayCharge, EventLine, EventQuery, Exposed, ExposedLine, Gap, GatewayLine,
    HeldCounter, JournalLine, LeftOut, MeterLine, Missed, PAGE, Page, Preview, Progress, Query, ROOMS_MAX, Reading, Resident,
    Room, RoomDay, RoomName, Sale, Split, Target, WalletLimits, WalletView, kwh,
};
pub use opening::{METERS_MAX, Mistake, MovesIn, OpenAccount, Opening, RESIDENTS_MAX, Row, open_account};
pub use prices::{AssignPrices, Plan, PlanVersion, PriceForm, PricesView, PublishPrices, assign_prices, publish_prices};
pub use serial::{ConfirmSerial, confirm_serial};
pub use sweep::{SetSweep, set_sweep};
pub use trust::{SetTrust, set_trust};

/// A meter and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Seat {
    /// Where it is.
    pub name: RoomName,
    /// What it was last seen to hold.
    pub latest: Latest,
}

/// What the server does for the operator's pages.
#[async_trait]
pub trait OperatorPort: Send + Sync {
    /// Every meter that the operator may see, in the order of the wall.
    async fn seats(&self, who: &Who) -> Result<Vec<Seat>, AppError>;
    /// Rooms whose name, resident or account number holds every word of the text.
    async fn find(&self, who: &Who, text: &str) -> Result<Vec<MeterLine>, AppError>;
    /// All there is to know of a room.
    async fn room(&self, who: &Who, meter: MeterId) -> Result<Room, AppError>;
    /// A key for a form: sent twice, the form acts once.
    fn key(&self) -> Uuid;
    /// Sells at the counter.
    async fn sell(&self, who: &Who, sale: &Sale) -> Result<OrderId, AppError>;
    /// Sets the control mode.
    async fn set_mode(&self, who: &Who, meter: MeterId, mode: ControlMode, key: Uuid) -> Result<(), AppError>;
    /// Reads a meter before its turn.
    async fn read_now(&self, who: &Who, meter: MeterId) -> Result<(), AppError>;
    /// Opens an account, with a first purchase if one is given.
    async fn open_account(&self, who: &Who, opening: &Opening) -> Result<(), Mistake>;
    async fn accounts(&self, who: &Who, query: &Query) -> Result<Page<AccountLine>, AppError>;
    async fn cases(&self, who: &Who, query: &CaseQuery) -> Result<Page<CaseLine>, AppError>;
    /// Closes a case with what was done about it.
    async fn close_case(&self, who: &Who, case: CaseId, resolution: &str) -> Result<(), AppError>;
    /// Settles a counter that is held back: closes its case with what was done and what becomes of the gap.
    async fn settle_counter(&self, who: &Who, case: CaseId, gap: Gap, resolution: &str) -> Result<(), AppError>;
    /// A meter was replaced: takes over the serial number that its identity case has seen, and closes that.
    async fn confirm_serial(&self, who: &Who, case: CaseId, resolution: &str) -> Result<(), AppError>;
    /// Events of meters and gateways, and the buildings that they may be asked by.
    async fn events(&self, who: &Who, query: &EventQuery) -> Result<(Page<EventLine>, Vec<String>), AppError>;
    /// Somebody has seen an event.
    async fn acknowledge(&self, who: &Who, event: EventId) -> Result<(), AppError>;
    /// Takes up the money command that a case holds: the meter is read again and the money rule decides anew.
    async fn try_again(&self, who: &Who, case: CaseId) -> Result<(), AppError>;
    async fn gateways(&self, who: &Who) -> Result<Vec<GatewayLine>, AppError>;
    /// Tries a gateway now instead of waiting for its next turn.
    async fn retry_gateway(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError>;
    /// How often the site is read; `None`: as configured.
    async fn site_sweep(&self) -> Result<Option<SweepInterval>, AppError>;
    /// Sets how often something is read; `None` leaves it to the level above. The site and gateways are for administrators.
    async fn set_sweep(&self, who: &Who, of: Sweep, interval: Option<SweepInterval>) -> Result<(), AppError>;
    /// Says whom to trust at a gateway that speaks TLS. For administrators.
    async fn set_trust(&self, who: &Who, gateway: GatewayId, trust: &Trust) -> Result<(), AppError>;
    async fn meters(&self, who: &Who, query: &Query) -> Result<Page<MeterLine>, AppError>;
    /// Meters whose wallet on the ledger is below zero.
    async fn exposed(&self, who: &Who, page: i64) -> Result<Exposed, AppError>;
    /// Price plans, their versions, and where they hold.
    async fn prices(&self, who: &Who) -> Result<PricesView, AppError>;
    /// Publishes a version of a plan, from an instant or from now on.
    async fn publish_prices(&self, who: &Who, plan: &str, from: Option<Timestamp>, prices: Prices) -> Result<(), AppError>;
    /// Gives a place a plan.
    async fn assign_prices(&self, who: &Who, place: PlaceId, plan: Uuid) -> Result<(), AppError>;
    /// Sets the limits of a server wallet.
    async fn set_limits(&self, who: &Who, meter: MeterId, limits: &WalletLimits) -> Result<(), AppError>;
    /// The audit chain, newest first; an operator bound to buildings sees their own lines only.
    async fn audit(&self, who: &Who, query: &Query) -> Result<Page<AuditLine>, AppError>;
    /// The buildings and floors that commands can be issued to.
    async fn buildings(&self, who: &Who) -> Result<Vec<Building>, AppError>;
    /// Which meters would be told something of this kind.
    async fn preview(&self, who: &Who, kind: Kind, target: &Target) -> Result<Preview, AppError>;
    /// Tells them, if they are still those that the seal stands for.
    async fn issue(&self, who: &Who, id: BatchId, issue: &Issue, target: &Target, seal: &str) -> Result<(), AppError>;
    /// Batches, newest first.
    async fn batches(&self, who: &Who, query: &BatchQuery) -> Result<Page<Batch>, AppError>;
    /// A batch and a page of its meters.
    async fn batch(&self, who: &Who, id: BatchId, state: &str, page: i64) -> Result<BatchView, AppError>;
    /// Tells those meters of a batch again that did not do it.
    async fn retry_batch(&self, who: &Who, id: BatchId, meter: Option<MeterId>) -> Result<(), AppError>;
    /// Takes back what was not sent yet.
    async fn cancel_batch(&self, who: &Who, id: BatchId) -> Result<(), AppError>;
    /// Meters whose planned prices are not in force.
    async fn missed(&self, who: &Who, page: i64) -> Result<Page<Missed>, AppError>;
    /// What a meter's parameters were when last read.
    async fn parameters(&self, who: &Who, meter: MeterId) -> Result<Option<(Parameters, Timestamp)>, AppError>;
}

/// The operator of the session, and the port.
#[derive(Clone)]
pub struct Desk {
    pub who: Who,
    /// Whom they ask.
    pub port: Arc<dyn OperatorPort>,
}

/// The operator of the session, and the port.
///
/// # Errors
/// Where no operator is logged in.
pub fn desk() -> Result<Desk, AppError> {
    Ok(Desk { who: operator()?, port: ports()?.operator })
}
