//! The words of the codes that say why.

use crate::i18n::{Lang, commands, errors};
use model::case::{ClosingReason, HoldReason, PaymentReason, RefundReason, RefundTrouble};

/// Why a payment does not fit its order.
pub(super) fn payment(reason: PaymentReason, lang: Lang) -> &'static str {
    let (zh, en) = match reason {
        PaymentReason::Unknown => ("没有这个单号的订单", "no order has that number"),
        PaymentReason::Channel => ("订单是另一个渠道的", "the order is another channel's"),
        PaymentReason::App => ("应用号不是我方的", "another application's"),
        PaymentReason::Seller => ("商户号不是我方的", "another merchant's"),
        PaymentReason::Currency => ("不是人民币", "not in yuan"),
        PaymentReason::Amount => ("金额与订单不符", "another amount than was ordered"),
        PaymentReason::PaidTwice => ("同一订单付了两次", "the order was paid already"),
        PaymentReason::Refunded => ("渠道有退款，不是本系统发起的", "given back at the channel, not by this system"),
    };
    lang.pick(zh, en)
}

/// Why money did not go back.
pub(super) fn refund(reason: RefundReason, lang: Lang) -> String {
    let (zh, en) = match reason {
        RefundReason::Trouble(RefundTrouble::Slow) => {
            ("渠道迟迟没有结果，仍在继续查询", "the channel gives no final word; it is asked on")
        }
        RefundReason::Trouble(RefundTrouble::Failed) => ("渠道没有退成", "the channel did not give it back"),
        RefundReason::Trouble(RefundTrouble::Rejected) => ("复核不同意", "not approved"),
        RefundReason::Trouble(RefundTrouble::Expired) => ("逾期未复核", "not approved in time"),
        RefundReason::Trouble(RefundTrouble::Cancelled) => ("已撤回", "taken back"),
        RefundReason::Refused(error) => return errors::words(error, lang).trim_end_matches(['。', '.']).to_owned(),
    };
    lang.pick(zh, en).to_owned()
}

/// Why a money command stopped.
pub(super) fn delivery(reason: HoldReason, lang: Lang) -> String {
    let (zh, en) = match reason {
        HoldReason::Epoch => ("电表在另一个密钥纪元", "the meter is in another key epoch"),
        HoldReason::Order => ("电表收下的是另一笔", "the meter took another order"),
        HoldReason::Count | HoldReason::PurchaseCount => ("购电次数对不上", "the purchase count does not fit"),
        HoldReason::SerialMismatch => ("表号不符", "the serial number does not fit"),
        HoldReason::Mac | HoldReason::StaleChallenge => ("电表不认密钥或校验", "the meter does not take our key or seal"),
        HoldReason::AccountNotOpen => ("表内未开户", "no account is open in the meter"),
        HoldReason::AccountAlreadyOpen => ("表内已开户", "an account is open in the meter already"),
        HoldReason::ExceedsRemaining => ("超过表内余额", "more than is left in the meter"),
        HoldReason::UnknownResult => ("电表的结果码无法识别", "a result that this profile does not know"),
        HoldReason::Account => ("表内已有别的户", "another account is in the meter"),
        HoldReason::NoAccount => ("账上没有这一户", "the ledger has no such account"),
        HoldReason::HoardingLimit => ("超过囤积限额", "above the hoarding limit"),
        HoldReason::NoFinalRecord => ("电表没有销户记录", "the meter has no record of its closing"),
        HoldReason::Contradiction => ("电表说已执行，读回却没有", "the meter says that it did it and shows that it did not"),
        HoldReason::NotOpen | HoldReason::OutOfRange | HoldReason::Invalid | HoldReason::FrameRefused => {
            return commands::reason(reason.into(), lang);
        }
    };
    lang.pick(zh, en).to_owned()
}

pub(super) fn closing(reason: ClosingReason, lang: Lang) -> &'static str {
    let (zh, en) = match reason {
        ClosingReason::Lost => ("电表失联", "the meter is lost"),
        ClosingReason::NotApproved => ("退款未获同意", "the return was not approved"),
        ClosingReason::TakesNothing => ("转入的户不再收款", "the other account takes nothing"),
        ClosingReason::Undecided => ("余额没有去向", "nobody has said where the money goes"),
    };
    lang.pick(zh, en)
}
