//! Texts of the operator's page of a room, and the sentences that say what an action will do to whom.

pub use super::catalogue::room::*;
use super::{Lang, common};
use model::console::{AccountState, CommandContent};
use model::meter::ControlMode;
use model::money::Fen;

/// The number of a resident in a form.
#[must_use]
pub fn resident(number: usize, lang: Lang) -> String {
    ResidentNumber { number }.text(lang)
}

/// What a control mode will do to whom.
#[must_use]
pub fn consequence(mode: ControlMode, whom: &str, lang: Lang) -> String {
    match mode {
        ControlMode::ForcedOff => ConsequenceForcedOff { whom }.text(lang),
        ControlMode::Guaranteed => ConsequenceGuaranteed { whom }.text(lang),
        ControlMode::Prepaid => ConsequencePrepaid { whom }.text(lang),
    }
}

/// What a sale will do to whom.
#[must_use]
pub fn sale_consequence(amount: Fen, tender: &str, whom: &str, after: Option<Fen>, lang: Lang) -> String {
    let first = ConsequenceSale { amount, tender, whom }.text(lang);
    match after {
        Some(balance) => common::TwoSentences { first, second: ConsequenceBalance { balance }.text(lang) }.text(lang),
        None => first,
    }
}

/// What a return will do to whom.
#[must_use]
pub fn return_consequence(amount: Fen, tender: &str, whom: &str, lang: Lang) -> String {
    ConsequenceReturn { amount, tender, whom }.text(lang)
}

/// What is added where the meter does not answer.
#[must_use]
pub const fn though_lost(lang: Lang) -> &'static str {
    texts(lang).though_lost
}

/// A command in words.
#[must_use]
pub fn command(content: &CommandContent, lang: Lang) -> String {
    let t = texts(lang).command;
    match content {
        CommandContent::Open => t.open.to_owned(),
        CommandContent::Credit(amount) => CommandCredit { amount }.text(lang),
        CommandContent::Debit(amount) => CommandDebit { amount }.text(lang),
        CommandContent::Close => t.close.to_owned(),
        CommandContent::Mode(mode) => CommandMode { mode: common::mode(*mode, lang) }.text(lang),
        CommandContent::Relay(true) => t.relay_close.to_owned(),
        CommandContent::Relay(false) => t.relay_open.to_owned(),
        CommandContent::Switch(true) => t.switch_on.to_owned(),
        CommandContent::Switch(false) => t.switch_off.to_owned(),
        CommandContent::Issue(issue) => super::commands::summary(issue, lang),
        CommandContent::Other(kind) => CommandOther { kind }.text(lang),
    }
}

/// The name of an account's state.
#[must_use]
pub const fn account(state: AccountState, lang: Lang) -> &'static str {
    let t = texts(lang).account_state;
    match state {
        AccountState::Opening => t.opening,
        AccountState::Open => t.open,
        AccountState::Closing => t.closing,
        AccountState::Closed => t.closed,
    }
}

/// The quality of a reading, by its code.
#[must_use]
pub const fn quality(code: u8, lang: Lang) -> &'static str {
    let t = texts(lang).reading_quality;
    match code {
        0 => t.good,
        1 => t.rollover,
        2 => t.fell,
        3 => t.jumped,
        4 => t.out_of_order,
        5 => t.reset,
        6 => t.rebased,
        _ => t.counted,
    }
}

/// The source of a reading, by its code.
#[must_use]
pub const fn source(code: u8, lang: Lang) -> &'static str {
    let t = texts(lang).reading_source;
    match code {
        0 => t.sweep,
        1 => t.on_demand,
        2 => t.read_back,
        _ => t.freeze,
    }
}
