//! SQL, one file a noun, for SQLite and PostgreSQL alike.
//!
//! Queries are static strings with `$n` that both engines accept; [`on!`] runs the same query on whichever pool or
//! transaction is there. A business operation is one function here and one transaction.

pub mod bulk;
mod db;
mod error;
mod json_text;
mod one_trip;
mod server_lock;

pub mod account_numbers;
pub mod accounts;
pub mod approvals;
pub mod audit;
pub mod batches;
pub mod cases;
pub mod closings;
pub mod commands;
pub mod config_cases;
pub mod console;
pub mod consumption;
pub mod counters;
pub mod debits;
pub mod defaults;
pub mod deliveries;
pub mod emergency_credits;
pub mod energy;
pub mod events;
pub mod ledger;
pub mod meters;
pub mod money_operations;
pub mod notifications;
pub mod operators;
pub mod order_lists;
pub mod orders;
pub mod overdrafts;
pub mod parameters;
pub mod payments;
pub mod place_energy;
pub mod prices;
pub mod readings;
pub mod receipts;
pub mod refunds;
pub mod returns;
pub mod roles;
pub mod seal;
pub mod serials;
pub mod sessions;
pub mod shifts;
pub mod subsidies;
pub mod trust;
pub mod users;
pub mod wallets;
mod write_back;

pub use db::{Db, POSTGRES, REPORT_LIMIT, REPORTS_AT_ONCE, SQLITE, Tx};
pub use error::StoreError;
pub use json_text::JsonText;
pub use server_lock::{Fence, ServerLock};

/// What every store function gives back.
pub type Result<T> = std::result::Result<T, StoreError>;

/// How many rows a statement touched, or the rows themselves: what both engines agree on.
#[doc(hidden)]
pub fn db_result<T: Outcome>(result: std::result::Result<T, sqlx::Error>) -> Result<T::Plain> {
    result.map(Outcome::plain).map_err(StoreError::from)
}

/// Turns an engine's answer into one that both share.
pub trait Outcome {
    /// The shared form.
    type Plain;
    fn plain(self) -> Self::Plain;
}

impl Outcome for sqlx::sqlite::SqliteQueryResult {
    type Plain = u64;
    fn plain(self) -> u64 {
        self.rows_affected()
    }
}

impl Outcome for sqlx::postgres::PgQueryResult {
    type Plain = u64;
    fn plain(self) -> u64 {
        self.rows_affected()
    }
}

impl<T> Outcome for Vec<T> {
    type Plain = Self;
    fn plain(self) -> Self {
        self
    }
}

impl<T> Outcome for Option<T> {
    type Plain = Self;
    fn plain(self) -> Self {
        self
    }
}
