//! Texts of the refunds.

use super::Lang;
pub use super::catalogue::refunds::*;
use model::refund::{RefundObstacle, RefundSource, RefundState};

/// The name of a state.
#[must_use]
pub const fn state(state: RefundState, lang: Lang) -> &'static str {
    let t = texts(lang).state;
    match state {
        RefundState::Waiting => t.waiting,
        RefundState::Sending => t.sending,
        RefundState::Payable => t.payable,
        RefundState::Done => t.done,
        RefundState::Failed => t.failed,
        RefundState::Rejected => t.rejected,
        RefundState::Cancelled => t.cancelled,
        RefundState::Expired => t.expired,
    }
}

/// What a state means, and the next step.
#[must_use]
pub const fn next(state: RefundState, lang: Lang) -> &'static str {
    let t = texts(lang).next;
    match state {
        RefundState::Waiting => t.waiting,
        RefundState::Sending => t.sending,
        RefundState::Payable => t.payable,
        RefundState::Done => t.done,
        RefundState::Failed => t.failed,
        RefundState::Rejected => t.rejected,
        RefundState::Cancelled => t.cancelled,
        RefundState::Expired => t.expired,
    }
}

/// What holds a refund up, with the next step.
#[must_use]
pub const fn obstacle(obstacle: RefundObstacle, lang: Lang) -> (&'static str, &'static str) {
    let t = texts(lang).obstacle;
    match obstacle {
        RefundObstacle::NoFunds => (t.no_funds.name, t.no_funds.next),
        RefundObstacle::NoMerchant => (t.no_merchant.name, t.no_merchant.next),
    }
}

/// The reason: of the system by its code, of a person as it was written.
#[must_use]
pub fn reason(text: &str, by_system: bool, lang: Lang) -> String {
    let known = by_system.then(|| texts(lang).system_reason.get(text)).flatten();
    known.unwrap_or(text).to_owned()
}

/// What a refund returns.
#[must_use]
pub const fn source(source: RefundSource, lang: Lang) -> &'static str {
    let t = texts(lang).source;
    match source {
        RefundSource::Suspense => t.suspense,
        RefundSource::Order => t.order,
        RefundSource::Return => t.r#return,
    }
}
