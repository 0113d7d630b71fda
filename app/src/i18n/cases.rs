//! What each kind of case means, and a person's next step.

mod about;
mod facts;
mod reason_codes;

pub use about::{expiry, resolution, settlement, settlement_name, unusable};
pub use facts::facts;
pub use reason_codes::payment as payment_reason;

use super::Lang;
pub use super::catalogue::cases::{KindItemTexts, texts};
use model::case::{CaseDetail, CaseKind, RefundCase, RefundReason, RefundTrouble};
use model::console::CaseLine;

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

/// The texts of a case in a list. A refund of a payment in the ledger is a difference that the channel alone has, and yet ours.
#[must_use]
pub fn of_line(line: &CaseLine, lang: Lang) -> KindItemTexts {
    let is_booked = line.resolution.as_deref() == Some("booked");
    if line.bookable || is_booked {
        return texts(lang).kind.statement_refund;
    }
    let words = case(line.detail.kind(), lang);
    KindItemTexts { next: refund_next(&line.detail, lang).unwrap_or(words.next), ..words }
}

/// What to do about a refund that goes on by itself; `None` for any other case.
const fn refund_next(detail: &CaseDetail, lang: Lang) -> Option<&'static str> {
    let CaseDetail::Refund(RefundCase { reason: Some(RefundReason::Trouble(trouble)), .. }) = detail else { return None };
    let t = texts(lang).refund_next;
    match trouble {
        RefundTrouble::NoFunds => Some(t.no_funds),
        RefundTrouble::NoMerchant => Some(t.no_merchant),
        RefundTrouble::Slow => Some(t.slow),
        RefundTrouble::Failed | RefundTrouble::Rejected | RefundTrouble::Cancelled | RefundTrouble::Expired => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::case::StatementCase;
    use model::ids::{CaseId, Uuid};
    use model::money::Fen;
    use model::order::Tender;
    use model::reconciliation::DifferenceReason;
    use model::time::{Date, Timestamp};

    fn line(detail: CaseDetail) -> CaseLine {
        CaseLine {
            id: CaseId(Uuid::nil()),
            held: false,
            detail,
            counter: None,
            meter: None,
            room: None,
            order: None,
            refunds: None,
            bookable: false,
            closable: true,
            opened_at: Timestamp(0),
            due_at: Timestamp(0),
            owner: None,
            closed_at: None,
            closed_by: None,
            resolution: None,
            steps: 0,
        }
    }

    #[test]
    fn a_refund_that_goes_on_by_itself_is_not_to_be_made_again() {
        let next = |trouble, lang| {
            let reason = Some(RefundReason::Trouble(trouble));
            let case = RefundCase { reason, refund: None, channel: Some(Tender::WechatPay), amount: Fen(1) };
            of_line(&line(CaseDetail::Refund(case)), lang).next
        };
        assert!(next(RefundTrouble::NoFunds, Lang::En).starts_with("Top the merchant's balance up"));
        assert!(next(RefundTrouble::NoFunds, Lang::Zh).contains("充值"));
        for lang in [Lang::Zh, Lang::En] {
            let general = texts(lang).kind.refund.next;
            for trouble in [RefundTrouble::NoFunds, RefundTrouble::NoMerchant, RefundTrouble::Slow] {
                assert_ne!(next(trouble, lang), general, "{trouble:?}");
            }
            for trouble in [RefundTrouble::Failed, RefundTrouble::Rejected] {
                assert_eq!(next(trouble, lang), general, "{trouble:?}");
            }
        }
    }

    #[test]
    fn a_refund_in_a_statement_is_not_called_a_payment_of_nobody() {
        let detail = CaseDetail::StatementChannelOnly(StatementCase {
            channel: Tender::Alipay,
            day: Date(0),
            out_trade_no: String::new(),
            trade_no: String::new(),
            refund_no: String::new(),
            statement: None,
            ledger: None,
            reason: DifferenceReason::Unbooked,
        });
        let line = line(detail);
        for lang in [Lang::Zh, Lang::En] {
            let t = texts(lang).kind;
            assert_eq!(of_line(&line, lang).meaning, t.statement_channel_only.meaning);
            let bookable = CaseLine { bookable: true, ..line.clone() };
            assert_eq!(of_line(&bookable, lang).next, t.statement_refund.next);
            let booked = CaseLine { resolution: Some("booked".into()), ..line.clone() };
            assert_eq!(of_line(&booked, lang).meaning, t.statement_refund.meaning);
        }
    }

    #[test]
    fn every_kind_has_its_own_words() {
        for lang in [Lang::Zh, Lang::En] {
            let names: std::collections::BTreeSet<_> = CaseKind::ALL.into_iter().map(|kind| case(kind, lang).name).collect();
            assert_eq!(names.len(), CaseKind::ALL.len());
        }
    }
}
