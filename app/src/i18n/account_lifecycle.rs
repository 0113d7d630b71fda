//! Texts of the account lifecycle: residents, meters, closing, moving, replacing.

pub use super::catalogue::account_lifecycle::*;
use super::{Lang, common};
use model::console::{BalanceTarget, ClosingKind, WithdrawalRefusal};
use model::money::Fen;

/// What a closing is called.
#[must_use]
pub const fn kind(kind: ClosingKind, lang: Lang) -> &'static str {
    let t = texts(lang);
    match kind {
        ClosingKind::Close => t.close,
        ClosingKind::Move => t.relocate,
        ClosingKind::Replace => t.replace,
    }
}

/// Why a closing can no longer be withdrawn.
#[must_use]
pub const fn withdrawal_refusal(refusal: WithdrawalRefusal, lang: Lang) -> &'static str {
    let t = texts(lang).withdrawal_refusal;
    match refusal {
        WithdrawalRefusal::Told => t.told,
        WithdrawalRefusal::Read => t.read,
        WithdrawalRefusal::Arrived => t.arrived,
    }
}

/// What closing will do to whom.
#[must_use]
pub fn close_consequence(whom: &str, target: &BalanceTarget, held: Option<Fen>, lang: Lang) -> String {
    let overdrawn = held.is_some_and(|held| held < Fen::ZERO);
    let amount = match held.filter(|held| *held > Fen::ZERO) {
        Some(held) => AboutAmount { amount: format!("{held} {}", common::yuan(lang)) }.text(lang),
        None => texts(lang).balance.to_owned(),
    };
    let first = match target {
        BalanceTarget::Counter(tender) => ClosePaysOut { whom, amount, tender: common::tender(*tender, lang) }.text(lang),
        BalanceTarget::Account(account) => CloseTransfers { whom, amount, account }.text(lang),
    };
    if overdrawn { common::TwoSentences { first, second: texts(lang).overdrawn }.text(lang) } else { first }
}

/// What moving will do to whom.
#[must_use]
pub fn move_consequence(whom: &str, room: &str, lang: Lang) -> String {
    MoveConsequence { whom, room }.text(lang)
}

/// What replacing will do to whom.
#[must_use]
pub fn replace_consequence(whom: &str, serial: &str, lang: Lang) -> String {
    ReplaceConsequence { whom, serial }.text(lang)
}

/// What adding a meter will do to whom.
#[must_use]
pub fn meter_consequence(whom: &str, serial: &str, lang: Lang) -> String {
    MeterConsequence { whom, serial }.text(lang)
}

/// What removing a resident will do.
#[must_use]
pub fn out_consequence(login: &str, room: &str, lang: Lang) -> String {
    RemoveConsequence { login, room }.text(lang)
}
