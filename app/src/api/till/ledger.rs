//! The ledger's trial balance, and the monthly subsidies.

use leptos::prelude::*;

use super::actions::yuan;
use super::{Till, till};
use crate::api::operator::parse;
use crate::api::{ApiError, answer};
use model::error::AppError;
use model::ids::PlaceId;
use model::money::{Fen, Money};
use model::subsidy::{Month, Per};
use model::time::Timestamp;

/// What every kind of account took and gave up to an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialBalance {
    pub at: Timestamp,
    /// By kind of account.
    pub lines: Vec<TrialLine>,
}

/// One kind of account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialLine {
    /// The code, without whose it is: `cash`, `clearing:alipay`, `meter`.
    pub kind: String,
    /// How many accounts.
    pub accounts: i64,
    /// What they took.
    pub debits: Money,
    /// What they gave.
    pub credits: Money,
}

/// What rooms below a place get from a month on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubsidyRule {
    /// The place's name.
    pub place: String,
    pub from: Month,
    /// For each what.
    pub per: Per,
    /// How much; nothing ends it.
    pub amount: Fen,
    pub by: String,
}

/// The page of subsidies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subsidies {
    /// What was decided for places that the operator may see, the newest first.
    pub rules: Vec<SubsidyRule>,
    /// Places that it can be decided for.
    pub places: Vec<(PlaceId, String)>,
    pub month: Month,
    /// Rooms of the whole site that got something this month, and how much in all.
    pub given: (i64, Fen),
}

/// Decides what rooms below a place get from a month on; an empty amount ends it.
#[server(name = SetSubsidy, prefix = "/api", endpoint = "operator/subsidy")]
pub async fn set_subsidy(place: String, from: String, per: String, amount: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async {
        let amount = if amount.trim().is_empty() { Fen::ZERO } else { yuan(&amount)? };
        let per = Per::parse(&per).ok_or(AppError::Invalid)?;
        port.set_subsidy(&who, parse(&place)?, from.parse()?, per, amount).await
    };
    answer(done.await.map(|()| "/subsidies".to_owned()), "/subsidies")
}
