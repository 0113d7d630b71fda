//! What each error says: what is so, and what to do next.

use super::Lang;
use model::error::AppError;

/// The words for an error.
#[must_use]
pub const fn words(error: AppError, lang: Lang) -> &'static str {
    let (zh, en) = match error {
        AppError::NotLoggedIn => ("登录已失效，请重新登录。", "Your session has ended. Log in again."),
        AppError::BadCredentials => {
            ("账号或密码不对，请核对后重试。", "The login name or the password is wrong. Check both and try again.")
        }
        AppError::RateLimited => ("尝试次数过多，请几分钟后再试。", "Too many tries. Wait a few minutes and try again."),
        AppError::Forbidden => {
            ("您没有此项权限，如有需要请联系管理员。", "You may not do this. Ask an administrator if you need to.")
        }
        AppError::NotFound => ("没有找到，请返回重新选择。", "Not found. Go back and choose again."),
        AppError::Invalid => {
            ("有一项填写不正确，请核对后重新提交。", "One of the fields is not right. Check them and send again.")
        }
        AppError::InvalidAmount => ("金额请填写元，最多两位小数。", "Give the amount in yuan with at most two decimals."),
        AppError::AmountOutOfRange => {
            ("金额超出单笔范围，请换一个金额。", "The amount is outside the range of one sale. Choose another.")
        }
        AppError::HoardingLimit => {
            ("充值后会超过电表囤积限额，请减少金额。", "The meter may not hold that much. Choose a smaller amount.")
        }
        AppError::ExceedsRemaining => (
            "金额超过电表现有余额，请先立即抄读，再减少金额。",
            "The meter holds less than that. Read it now and choose a smaller amount.",
        ),
        AppError::NotCorrectable => (
            "这一笔不能冲正：尚未到账、不是售电，或已经冲正过。",
            "This cannot be corrected: it is not in the meter yet, was no sale, or was corrected before.",
        ),
        AppError::ExceedsRefundable => ("超出这笔付款还可退的金额。", "That is more than is left of this payment to give back."),
        AppError::RefundTooOld => (
            "已超过渠道的退款期限，请改由柜台以现金或转账退款，并写明原因。",
            "The payment is older than its channel gives back. Pay it in cash or by transfer, and say why.",
        ),
        AppError::RefundByChannel => (
            "这笔钱应原路退回；渠道拒绝或过了期限，才能由柜台退。",
            "This money goes back the way it came. The counter pays only what the channel refused or gives back no more.",
        ),
        AppError::InTheMeter => (
            "这笔钱已到表或正在下发，请先冲正，从电表退出后再退款。",
            "It is in the meter or on its way there. Correct the sale first; it goes back when the meter gave it.",
        ),
        AppError::ShiftClosed => {
            ("您的班次已交清，请先在“交接班”中开班。", "Your shift is closed. Open the next one under Shifts first.")
        }
        AppError::DrawerDiffers => (
            "实点现金与应有现金不一致，请复点；仍不一致时写明原因。",
            "The count differs from what should be there. Count again; if it still differs, say why.",
        ),
        AppError::DifferencesOpen => (
            "还有差异没有处理。请先在“待办”中逐条处理，或写明为什么仍要结账。",
            "Differences are open. Settle their cases first, or say why the day is closed nevertheless.",
        ),
        AppError::TooLate => (
            "来不及撤回了：电表已收到指令或已读回，或新房间已经启用。请办完后再改。",
            "It is too late to take this back: a meter was told or read, or the new room is in use. Let it end, then change it.",
        ),
        AppError::SecondPerson => (
            "需由另一位有复核权限的操作员处理，申请人不能自己复核。",
            "A second operator who may approve must do this; nobody approves their own request.",
        ),
        AppError::AccountNotOpen => ("该房间未开户，请先开户。", "No account is open here. Open one first."),
        AppError::AccountAlreadyOpen => ("该房间已开户。", "An account is already open here."),
        AppError::NoPrices => {
            ("该房间还没有电价，请先在“电价”中指定。", "No price plan holds for this room yet. Assign one under Prices first.")
        }
        AppError::LoginTaken => ("该登录名已被使用，请换一个。", "That login name is taken. Choose another."),
        AppError::HasAccount => (
            "这位住户已在别的户里，请先把他从那里移出，或改用“换房”。",
            "This resident has another account. Take them out of that one first, or move that account here.",
        ),
        AppError::WeakPassword => {
            ("新密码至少 10 位，且不能与旧密码相同。", "A new password has at least 10 characters and differs from the old one.")
        }
        AppError::WrongPassword => ("原密码不对，请重新输入。", "The old password is wrong. Enter it again."),
        AppError::ChannelUnavailable => {
            ("该支付方式暂不可用，请换一种或稍后再试。", "This way to pay is not available now. Use another or try later.")
        }
        AppError::OrderClosed => ("订单已关闭，请重新下单。", "The order is closed. Start a new one."),
        AppError::MeterLost => (
            "电表暂时联系不上，指令未发出，请稍后再试。",
            "The meter does not answer just now. Nothing was sent; try again later.",
        ),
        AppError::OffForArrears => {
            ("因欠费断电，充值后自动恢复。", "Power is off because the credit is used up. Top up and it comes back.")
        }
        AppError::OffByOperator => {
            ("管理员已强制断电，请联系管理员。", "The operator has switched this room off. Contact the operator.")
        }
        AppError::OnByOperator => {
            ("管理员已设为保电，暂不能自行开关。", "The operator keeps this room supplied; you cannot switch it now.")
        }
        AppError::OffForOverload => (
            "因过载断电，请拔掉大功率电器并联系管理员恢复。",
            "Tripped for overload. Unplug heavy appliances and ask the operator to restore.",
        ),
        AppError::Conflict => ("内容刚被他人修改，请刷新后重试。", "Somebody has just changed this. Reload and try again."),
        AppError::Unavailable => (
            "服务暂时不可用，没有任何改动，请稍后再试。",
            "The service does not answer just now. Nothing was changed; try again soon.",
        ),
        AppError::Internal => (
            "系统出错，已记录，没有任何改动。请稍后再试。",
            "Something went wrong on our side and is logged. Nothing was changed; try again soon.",
        ),
    };
    lang.pick(zh, en)
}
