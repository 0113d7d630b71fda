//! What the actions of the audit chain are called.

use super::Lang;

/// The words for an action; the code itself where it is none of ours.
#[must_use]
pub fn action(code: &str, lang: Lang) -> String {
    let (zh, en) = match code {
        "account.open" => ("开户", "Account opened"),
        "site.take-over" => ("接管旧系统", "Site taken over"),
        "sale.create" => ("售电", "Sale"),
        "shift.open" => ("开班", "Shift opened"),
        "shift.close" => ("交班", "Shift closed"),
        "user.approver" => ("复核权限", "May approve"),
        "subsidy.rule" => ("设置补贴", "Subsidy decided"),
        "subsidy.grant" => ("发放补贴", "Subsidy given"),
        "return.ask" => ("申请退电或冲正", "Return or correction asked for"),
        "return.approve" => ("复核同意", "Approved"),
        "return.reject" => ("复核不同意", "Rejected"),
        "return.cancel" => ("撤回申请", "Request taken back"),
        "return.pay" => ("退款付出", "Paid out"),
        "receipt.print" => ("打印收据", "Receipt printed"),
        "order.create" => ("下单", "Order made"),
        "command.try-again" => ("重新核对并下发", "Held command tried again"),
        "command.done" => ("指令已读回", "Command read back"),
        "command.held" => ("指令待人工处理", "Command held for a person"),
        "command.disobeyed" => ("继电器未按指令动作", "Relay did not obey"),
        "command.not-permitted" => ("电表不认密码", "The meter did not know the password"),
        "command.refused" => ("指令被电表拒绝", "Command refused by the meter"),
        "payment.credited" => ("收到付款", "Payment taken"),
        "payment.credited-late" => ("收到迟到的付款", "Late payment taken"),
        "payment.paid-twice" => ("重复付款", "Paid twice"),
        "payment.held" => ("付款待人工处理", "Payment held for a person"),
        "payment.duplicate" => ("重复通知", "Notified again"),
        "payment.closed" => ("付款已关闭", "Payment closed"),
        "payment.refunded" => ("付款已退回", "Payment refunded"),
        "payment.ignored" => ("通知未改变什么", "Notification changed nothing"),
        "meter.mode" => ("设置控制方式", "Control mode"),
        "meter.switch" => ("住户开关电", "Resident's switch"),
        "event.acknowledge" => ("确认告警", "Alarm acknowledged"),
        "sweep.interval" => ("设置抄读间隔", "Reading interval set"),
        "gateway.trust" => ("设置 TLS 证书", "TLS certificate set"),
        "meter.clock" => ("校时", "Clock set"),
        "batch.create" => ("批量下发", "Commands issued"),
        "batch.retry" => ("批量重试", "Commands issued again"),
        "batch.cancel" => ("取消未发出的指令", "Unsent commands taken back"),
        "prices.missed" => ("调价未生效", "Price switch missed"),
        "case.close" => ("结案", "Case closed"),
        "session.open" => ("登录", "Logged in"),
        "session.close" => ("退出", "Logged out"),
        "session.refuse" => ("登录被拒", "Log-in refused"),
        "user.create" => ("新建用户", "User created"),
        "user.password" => ("修改密码", "Password changed"),
        other => return other.to_owned(),
    };
    lang.pick(zh, en).to_owned()
}
