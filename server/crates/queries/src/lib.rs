//! What pages, files and the start of the poller read; nothing is written here. A query that takes an operator is limited to
//! their buildings in the database, and `$1` is the operator; for the others the caller has checked.
//!
//! Queries name the room `r`, its parent `b` and the parent's parent `t`.

mod account_batches;
mod account_lifecycle;
mod account_records;
mod accounts;
mod approval_requests;
mod audit;
mod batches;
mod closings;
mod former;
mod found_orders;
mod gateways;
mod instruments;
mod meters;
mod notifications;
mod operators;
mod order_view;
mod overdrawn;
mod places;
mod plan_in_force;
mod plan_places;
mod price_changes;
mod receipts;
mod records;
mod refunds;
mod returns;
mod room;
mod search;
mod site_energy;

pub use account_batches::{AccountBatchSums, account_batch_rooms, account_batch_sums, account_batches};
pub use account_lifecycle::{account_by_number, gateway_names, other_meters, room_of_account};
pub use account_records::{AccountOfResident, account_records, money_records, sale_corrections};
pub use accounts::accounts;
pub use approval_requests::{approval_requests, decision_of};
pub use audit::{AuditFilter, audit, audit_line, lines as audit_lines, names as audit_names};
pub use batches::{batch_items, batches, missed, wallets};
pub use closings::{ClosingMeterRow, ClosingRow, ClosingSettingRow, closing, closing_begun_with, closing_of_meter};
pub use former::{RetiredMeterRow, accounts_of_meter, former_accounts, former_meters, retired_by, retired_meter};
pub use found_orders::orders_by_number;
pub use gateways::gateways;
pub use instruments::{circuits, instrument, instruments, masters};
pub use meters::{MeterFacts, MeterIdentity, MeterOfRoom, meter, meter_facts, meters, meters_of_rooms};
pub use notifications::{notification_channels, notifications};
pub use operators::{operator, operator_by_login, operators};
pub use order_view::order_view;
pub use overdrawn::overdrawn;
pub use places::{PricedPlace, above_rooms, buildings, latest, layout, named_places, priced_places, scope};
pub use plan_in_force::PlanInForce;
pub use plan_places::{PlanPlaces, WalletCounts, assigned_plans, group_names};
pub use receipts::{first_purchase, opening_receipt, own_receipt, receipt};
pub use records::{RecordFilter, RecordTotals, record_totals, records};
pub use refunds::{order_money, refund, refunds};
pub use returns::{approvals, by_channel, original, returned, waiting_returns};
pub use room::{AccountRow, CommandRow, RoomRow, commands, residents, room};
pub use search::{meter_line, search};
pub use site_energy::{daily_energy, site_hours};
