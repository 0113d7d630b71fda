//! The ledger's trial balance, and the monthly subsidies.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::yuan_or_zero;
use super::places::place_or_room;
use super::{ApiError, answer};
use crate::ports::{Who, operator, ports};
use model::approval::Outcome;
use model::error::AppError;
use model::ids::PlaceId;
use model::ledger::AccountKind;
use model::money::{Fen, Money};
use model::subsidy::{Month, Per};
use model::time::Timestamp;
use model::typed;

#[async_trait]
pub trait LedgerPort: Send + Sync {
    /// The trial balance at an instant; `None`: now.
    async fn trial_balance(&self, who: &Who, at: Option<Timestamp>) -> Result<TrialBalance, AppError>;
    async fn subsidies(&self, who: &Who) -> Result<Subsidies, AppError>;
    /// Sets the monthly subsidy of the rooms below a place, from a month on.
    async fn set_subsidy(&self, who: &Who, place: PlaceId, from: Month, per: Per, amount: Fen) -> Result<Outcome, AppError>;
}

/// Debits and credits of every kind of account up to an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialBalance {
    pub at: Timestamp,
    pub lines: Vec<TrialLine>,
}

/// The sums of one kind of account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialLine {
    pub kind: AccountKind,
    /// Number of accounts.
    pub accounts: i64,
    pub debits: Money,
    pub credits: Money,
}

/// The monthly subsidy of the rooms below a place, from a month on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubsidyRule {
    /// The place's name.
    pub place: String,
    pub from: Month,
    pub per: Per,
    /// Zero ends the subsidy.
    pub amount: Fen,
    pub by: String,
}

/// The rules, and what they gave this month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subsidies {
    /// For places that the operator may see, newest first.
    pub rules: Vec<SubsidyRule>,
    /// Places that a subsidy can be set for.
    pub places: Vec<(PlaceId, String)>,
    pub month: Month,
    /// Rooms of the whole site that received a subsidy this month, and the total.
    pub given: (i64, Fen),
}

/// Sets the monthly subsidy of the rooms below a place; an empty amount ends it.
#[server(name = SetSubsidy, prefix = "/api", endpoint = "operator/subsidy")]
pub async fn set_subsidy(place: String, room: Option<String>, from: String, per: String, amount: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let per = Per::parse(&per).ok_or(AppError::Invalid)?;
        let place = place_or_room(&ports, &who, &place, room).await?;
        ports.ledger.set_subsidy(&who, place, typed::parse(&from)?, per, yuan_or_zero(&amount)?).await
    };
    answer(done.await.map(|outcome| outcome.page("/subsidies")), "/subsidies")
}
