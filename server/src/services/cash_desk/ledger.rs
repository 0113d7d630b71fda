//! Trial balance and subsidies, as the till asks for them: for those who may see the whole site, and each for their places.

use std::collections::BTreeMap;

use app::api::till::{Subsidies, SubsidyRule, TrialBalance, TrialLine};
use model::error::AppError;
use model::ids::PlaceId;
use model::money::{Fen, Money};
use model::person::Who;
use model::subsidy::{Month, Per};
use model::time::Timestamp;

use super::Till;
use domain::ledger::kind_of;
use domain::subsidy::Rule;
use domain::wall_layout::Scope;
use store::ledger::Balance;
use store::{console, ledger, subsidies};

/// The largest subsidy that is believed, fen: more is a slip of the hand.
const MOST: Fen = Fen(100_000);

pub(super) async fn trial_balance(till: &Till, who: &Who, at: Option<Timestamp>) -> Result<TrialBalance, AppError> {
    if console::scope(&till.db, who.user).await? != Scope::All {
        return Err(AppError::Forbidden);
    }
    let at = at.unwrap_or_else(|| till.clock.now());
    Ok(TrialBalance { at, lines: by_kind(&ledger::balances_at(&till.db, at).await?) })
}

/// Balances by kind of account.
#[must_use]
pub fn by_kind(balances: &[Balance]) -> Vec<TrialLine> {
    let mut kinds: BTreeMap<&str, TrialLine> = BTreeMap::new();
    for balance in balances {
        let kind = kind_of(&balance.account);
        let line = kinds.entry(kind).or_insert_with(|| TrialLine {
            kind: kind.to_owned(),
            accounts: 0,
            debits: Money::ZERO,
            credits: Money::ZERO,
        });
        line.accounts += 1;
        line.debits = line.debits + Money(balance.debits_e4);
        line.credits = line.credits + Money(balance.credits_e4);
    }
    kinds.into_values().collect()
}

pub(super) async fn subsidies(till: &Till, who: &Who) -> Result<Subsidies, AppError> {
    let places = console::priced_places(&till.db, who.user).await?;
    let mut rules = Vec::new();
    for decided in subsidies::rules(&till.db).await? {
        if let Some((_, place)) = places.iter().find(|(id, _)| *id == decided.rule.place) {
            let Rule { from, per, amount, .. } = decided.rule;
            rules.push(SubsidyRule { place: place.clone(), from, per, amount, by: decided.by_name });
        }
    }
    let month = Month::of(till.clock.now());
    Ok(Subsidies { rules, places, month, given: subsidies::given(&till.db, month).await? })
}

/// What was given stands: a rule begins with this month or a later one.
pub(super) async fn set_subsidy(
    till: &Till,
    who: &Who,
    place: PlaceId,
    from: Month,
    per: Per,
    amount: Fen,
) -> Result<(), AppError> {
    if !console::priced_places(&till.db, who.user).await?.iter().any(|(id, _)| *id == place) {
        return Err(AppError::NotFound);
    }
    let now = till.clock.now();
    if from < Month::of(now) || amount > MOST {
        return Err(AppError::Invalid);
    }
    Ok(subsidies::decide(&till.db, now, who, &Rule { place, from, per, amount }).await?)
}
