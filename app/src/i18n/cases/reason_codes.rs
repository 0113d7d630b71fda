//! The texts of the codes that give a reason.

use crate::i18n::catalogue::cases::texts;
use crate::i18n::{Lang, commands, errors};
use model::case::{ClosingReason, HoldReason, PaymentReason, RefundReason, RefundTrouble};

/// Why a payment does not fit its order.
#[must_use]
pub const fn payment(reason: PaymentReason, lang: Lang) -> &'static str {
    let t = texts(lang).payment_reason;
    match reason {
        PaymentReason::Unknown => t.unknown,
        PaymentReason::Channel => t.channel,
        PaymentReason::App => t.app,
        PaymentReason::Seller => t.seller,
        PaymentReason::Currency => t.currency,
        PaymentReason::Amount => t.amount,
        PaymentReason::PaidTwice => t.paid_twice,
        PaymentReason::Refunded => t.refunded,
    }
}

/// Why money did not go back.
pub(super) fn refund(reason: RefundReason, lang: Lang) -> String {
    let t = texts(lang).refund_reason;
    let text = match reason {
        RefundReason::Trouble(RefundTrouble::Slow) => t.slow,
        RefundReason::Trouble(RefundTrouble::NoFunds) => t.no_funds,
        RefundReason::Trouble(RefundTrouble::NoMerchant) => t.no_merchant,
        RefundReason::Trouble(RefundTrouble::Failed) => t.failed,
        RefundReason::Trouble(RefundTrouble::Rejected) => t.rejected,
        RefundReason::Trouble(RefundTrouble::Expired) => t.expired,
        RefundReason::Trouble(RefundTrouble::Cancelled) => t.cancelled,
        RefundReason::Refused(error) => return clause(errors::message(error, lang)).to_owned(),
    };
    text.to_owned()
}

/// Why a money command stopped.
pub(super) fn delivery(reason: HoldReason, lang: Lang) -> String {
    let (t, note) = (texts(lang).delivery_reason, commands::texts(lang).note);
    let text = match reason {
        HoldReason::Epoch => t.epoch,
        HoldReason::Order => t.order,
        HoldReason::Count | HoldReason::PurchaseCount => t.count,
        HoldReason::SerialMismatch => t.serial_mismatch,
        HoldReason::Mac | HoldReason::StaleChallenge => t.mac,
        HoldReason::AccountNotOpen => t.account_not_open,
        HoldReason::AccountAlreadyOpen => t.account_already_open,
        HoldReason::ExceedsRemaining => t.exceeds_remaining,
        HoldReason::UnknownResult => t.unknown_result,
        HoldReason::Account => t.account,
        HoldReason::NoAccount => t.no_account,
        HoldReason::HoardingLimit => t.hoarding_limit,
        HoldReason::NoFinalRecord => t.no_final_record,
        HoldReason::Contradiction => t.contradiction,
        HoldReason::CountEnds => t.count_ends,
        HoldReason::NotOpen => note.not_open,
        HoldReason::OutOfRange => note.out_of_range,
        HoldReason::Invalid => note.invalid,
        HoldReason::FrameRefused => note.frame_refused,
    };
    text.to_owned()
}

pub(super) fn closing(reason: ClosingReason, lang: Lang) -> &'static str {
    let t = texts(lang).closing_reason;
    match reason {
        ClosingReason::Lost => t.lost,
        ClosingReason::NotApproved => t.not_approved,
        ClosingReason::TakesNothing => t.takes_nothing,
        ClosingReason::Undecided => t.undecided,
    }
}

/// A sentence without its full stop.
pub(super) fn clause(sentence: &str) -> &str {
    sentence.trim_end_matches(['。', '.'])
}
