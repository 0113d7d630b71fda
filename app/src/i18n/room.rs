//! Texts of the operator's page of a room, and the sentences that say what an action will do to whom.

pub use super::catalogue::room::*;
use super::{Lang, common};
use model::command::CommandKind;
use model::console::{AccountState, CommandContent};
use model::meter::ControlMode;
use model::money::Fen;
use model::reading::{ReadingQuality, ReadingSource};

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
        CommandContent::CloseForeign(number) => CommandCloseForeign { number }.text(lang),
        CommandContent::Mode(mode) => CommandMode { mode: common::mode(*mode, lang) }.text(lang),
        CommandContent::Relay(true) => t.relay_close.to_owned(),
        CommandContent::Relay(false) => t.relay_open.to_owned(),
        CommandContent::Switch(true) => t.switch_on.to_owned(),
        CommandContent::Switch(false) => t.switch_off.to_owned(),
        CommandContent::Issue(issue) => super::commands::summary(issue, lang),
        CommandContent::Other(CommandKind::InForce) => t.in_force.to_owned(),
        CommandContent::Other(kind) => CommandOther { kind: kind.as_str() }.text(lang),
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

#[must_use]
pub const fn quality(quality: ReadingQuality, lang: Lang) -> &'static str {
    let t = texts(lang).reading_quality;
    match quality {
        ReadingQuality::Good => t.good,
        ReadingQuality::Rollover => t.rollover,
        ReadingQuality::Fell => t.fell,
        ReadingQuality::Jumped => t.jumped,
        ReadingQuality::Disordered => t.out_of_order,
        ReadingQuality::Reset => t.reset,
        ReadingQuality::Begun => t.rebased,
        ReadingQuality::Settled => t.counted,
    }
}

#[must_use]
pub const fn source(source: ReadingSource, lang: Lang) -> &'static str {
    let t = texts(lang).reading_source;
    match source {
        ReadingSource::Sweep => t.sweep,
        ReadingSource::OnDemand => t.on_demand,
        ReadingSource::ReadBack => t.read_back,
        ReadingSource::Freeze => t.freeze,
    }
}
