//! What each kind of case means, and a person's next step.

mod about;
mod facts;
mod reason_codes;

pub use about::{expiry, resolution, settlement, settlement_name, unusable};
pub use facts::facts;

use super::Lang;
pub use super::catalogue::cases::{KindItemTexts, texts};
use model::case::CaseKind;

/// What a kind of case is called, what it means, and what to do next.
#[must_use]
pub const fn case(kind: CaseKind, lang: Lang) -> KindItemTexts {
    let t = texts(lang).kind;
    match kind {
        CaseKind::Delivery => t.delivery,
        CaseKind::MeterDiffers => t.meter_differs,
        CaseKind::MeterChanged => t.meter_changed,
        CaseKind::Reading => t.reading,
        CaseKind::Identity => t.identity,
        CaseKind::Payment => t.payment,
        CaseKind::PaidTwice => t.paid_twice,
        CaseKind::Undeliverable => t.undeliverable,
        CaseKind::Refund => t.refund,
        CaseKind::RefundElsewhere => t.refund_elsewhere,
        CaseKind::Relay => t.relay,
        CaseKind::Password => t.password,
        CaseKind::Unusable => t.unusable,
        CaseKind::Prices => t.prices,
        CaseKind::Parameters => t.parameters,
        CaseKind::Clock => t.clock,
        CaseKind::Unpriced => t.unpriced,
        CaseKind::Expiry => t.expiry,
        CaseKind::ChannelOff => t.channel_off,
        CaseKind::Closing => t.closing,
        CaseKind::Journal => t.journal,
        CaseKind::StatementChannelOnly => t.statement_channel_only,
        CaseKind::StatementLedgerOnly => t.statement_ledger_only,
        CaseKind::StatementAmount => t.statement_amount,
        CaseKind::StatementState => t.statement_state,
        CaseKind::StatementMeter => t.statement_meter,
        CaseKind::StatementReopened => t.statement_reopened,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_words() {
        for lang in [Lang::Zh, Lang::En] {
            let names: std::collections::BTreeSet<_> = CaseKind::ALL.into_iter().map(|kind| case(kind, lang).name).collect();
            assert_eq!(names.len(), CaseKind::ALL.len());
        }
    }
}
