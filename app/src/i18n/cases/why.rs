//! The words of the codes that say why.

use crate::i18n::{Lang, commands, errors};
use model::error::AppError;

/// Why a payment does not fit its order.
pub(super) fn payment(why: &str, lang: Lang) -> Option<&'static str> {
    let (zh, en) = match why {
        "unknown" => ("没有这个单号的订单", "no order has that number"),
        "channel" => ("订单是另一个渠道的", "the order is another channel's"),
        "app" => ("应用号不是我方的", "another application's"),
        "seller" => ("商户号不是我方的", "another merchant's"),
        "currency" => ("不是人民币", "not in yuan"),
        "amount" => ("金额与订单不符", "another amount than was ordered"),
        "paid-twice" => ("同一订单付了两次", "the order was paid already"),
        "undeliverable" => ("电表不再收款", "the meter takes nothing any more"),
        "refunded" | "noted" => ("渠道有退款，不是本系统发起的", "given back at the channel, not by this system"),
        _ => return None,
    };
    Some(lang.pick(zh, en))
}

/// Why money did not go back; also the code of an error.
pub(super) fn refund(why: &str, lang: Lang) -> Option<String> {
    let (zh, en) = match why {
        "slow" => ("渠道迟迟没有结果，仍在继续查询", "the channel gives no final word; it is asked on"),
        "failed" => ("渠道没有退成", "the channel did not give it back"),
        "rejected" => ("复核不同意", "not approved"),
        "expired" => ("逾期未复核", "not approved in time"),
        "cancelled" => ("已撤回", "taken back"),
        code => {
            return AppError::from_code(code).map(|error| errors::words(error, lang).trim_end_matches(['。', '.']).to_owned());
        }
    };
    Some(lang.pick(zh, en).to_owned())
}

/// Why a money command stopped.
pub(super) fn delivery(why: &str, lang: Lang) -> Option<String> {
    let (zh, en) = match why {
        "" => return None,
        "epoch" => ("电表在另一个密钥纪元", "the meter is in another key epoch"),
        "order" => ("电表收下的是另一笔", "the meter took another order"),
        "count" | "purchase-count" => ("购电次数对不上", "the purchase count does not fit"),
        "serial-mismatch" => ("表号不符", "the serial number does not fit"),
        "mac" | "stale-challenge" => ("电表不认密钥或校验", "the meter does not take our key or seal"),
        "account-not-open" => ("表内未开户", "no account is open in the meter"),
        "account-already-open" => ("表内已开户", "an account is open in the meter already"),
        "exceeds-remaining" => ("超过表内余额", "more than is left in the meter"),
        "unknown-result" => ("电表的结果码无法识别", "a result that this profile does not know"),
        "account" => ("表内已有别的户", "another account is in the meter"),
        "no-account" => ("账上没有这一户", "the ledger has no such account"),
        "hoarding-limit" => ("超过囤积限额", "above the hoarding limit"),
        "no-final-record" => ("电表没有销户记录", "the meter has no record of its closing"),
        "contradiction" => ("电表说已执行，读回却没有", "the meter says that it did it and shows that it did not"),
        other => return Some(commands::note(other, lang)),
    };
    Some(lang.pick(zh, en).to_owned())
}

pub(super) fn closing(why: &str, lang: Lang) -> Option<String> {
    let (zh, en) = match why {
        "lost" => ("电表失联", "the meter is lost"),
        "not-approved" => ("退款未获同意", "the return was not approved"),
        "takes-nothing" => ("转入的户不再收款", "the other account takes nothing"),
        "undecided" => ("余额没有去向", "nobody has said where the money goes"),
        _ => return None,
    };
    Some(lang.pick(zh, en).to_owned())
}
