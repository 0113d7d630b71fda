//! The trial balance, for operators of the whole site, and the subsidies of the operator's places.

use std::collections::BTreeMap;

use app::api::ledger::{LedgerPort, Subsidies, SubsidyRule, TrialBalance, TrialLine};
use async_trait::async_trait;
use model::approval::{Decision, Outcome};
use model::error::AppError;
use model::ids::PlaceId;
use model::ledger::AccountKind;
use model::money::{Fen, Money};
use model::person::Who;
use model::subsidy::{Month, Per};
use model::time::Timestamp;

use super::CashDeskService;
use crate::Context;
use domain::subsidy::Rule;
use store::approvals::{self, NewRequest};
use store::ledger::Balance;
use store::{StoreError, ledger, subsidies};

/// A larger subsidy is taken for a typing error.
const SUBSIDY_MAX: Fen = Fen(100_000);

#[async_trait]
impl LedgerPort for CashDeskService {
    async fn trial_balance(&self, who: &Who, at: Option<Timestamp>) -> Result<TrialBalance, AppError> {
        self.context.require_whole_site(who).await?;
        let at = at.unwrap_or_else(|| self.context.now());
        Ok(TrialBalance { at, lines: by_kind(&ledger::balances_at(&self.context.db, at).await?)? })
    }

    async fn subsidies(&self, who: &Who) -> Result<Subsidies, AppError> {
        let places = queries::priced_places(&self.context.db, who.user).await?;
        let mut rules = Vec::new();
        for decided in subsidies::rules(&self.context.db).await? {
            if let Some(place) = places.iter().find(|place| place.id == decided.rule.place) {
                let Rule { from, per, amount, .. } = decided.rule;
                rules.push(SubsidyRule { place: place.name.clone(), from, per, amount, by: decided.by_name });
            }
        }
        let month = Month::of(self.context.now());
        let places = queries::above_rooms(places);
        Ok(Subsidies { rules, places, month, given: subsidies::given(&self.context.db, month).await? })
    }

    /// Past months are not changed: a rule begins with this month or a later one.
    async fn set_subsidy(&self, who: &Who, place: PlaceId, from: Month, per: Per, amount: Fen) -> Result<Outcome, AppError> {
        if !queries::priced_places(&self.context.db, who.user).await?.iter().any(|one| one.id == place) {
            return Err(AppError::NotFound);
        }
        let now = self.context.now();
        if from < Month::of(now) || amount > SUBSIDY_MAX {
            return Err(AppError::Invalid);
        }
        let new =
            NewRequest { decision: Decision::Subsidy { place, from, per, amount }, reason: String::new(), who: who.clone() };
        let Context { db, rng, .. } = &self.context;
        Ok(approvals::ask(db, rng, now, &self.rules, &new, None).await?)
    }
}

/// Balances by kind of account, in the order of the codes.
///
/// # Errors
/// If an account has an unknown code.
pub fn by_kind(balances: &[Balance]) -> store::Result<Vec<TrialLine>> {
    let mut kinds: BTreeMap<String, TrialLine> = BTreeMap::new();
    for balance in balances {
        let unknown = StoreError::Inconsistent { table: "ledger_balances", column: "account" };
        let kind = AccountKind::of(&balance.account).ok_or(unknown)?;
        let empty = TrialLine { kind, accounts: 0, debits: Money::ZERO, credits: Money::ZERO };
        let line = kinds.entry(kind.code()).or_insert(empty);
        line.accounts += 1;
        line.debits = line.debits + Money(balance.debits_e4);
        line.credits = line.credits + Money(balance.credits_e4);
    }
    Ok(kinds.into_values().collect())
}
