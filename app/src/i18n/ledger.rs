//! Words of the ledger and the subsidies.

use super::Lang;
use super::till::catalogue;

catalogue! {
    ledger: "总账试算", "Trial balance";
    at: "时点（只填日期为当日终）", "Instant (a day alone: its end)";
    show: "查看", "Show";
    balanced: "借贷平衡，截至", "Balanced, as of";
    unbalanced: "借贷不平！请立即运行 dormwatt verify。截至", "Not balanced! Run dormwatt verify at once. As of";
    account: "科目", "Account";
    accounts: "户数", "Accounts";
    debits: "借方发生（元）", "Debits (yuan)";
    credits: "贷方发生（元）", "Credits (yuan)";
    debit_balance: "借方余额（元）", "Debit balance (yuan)";
    credit_balance: "贷方余额（元）", "Credit balance (yuan)";
    sum: "合计", "Sum";
    none: "这一时点之前还没有账目。", "Nothing was posted up to then.";
    subsidies: "补贴", "Subsidies";
    subsidies_hint: "每月由系统给每个已开户房间发放一次，按售电下发到电表，付款方式记为“补贴”。离房间最近的一级规则有效。",
        "Once a month each room with an open account gets it, delivered as a sale with the tender “subsidy”. The rule of the nearest place holds.";
    given: "已发放（元）", "given (yuan)";
    rooms: "间", "rooms";
    place: "范围", "Where";
    from: "起始月份", "From month";
    amount: "每月金额（元）", "A month (yuan)";
    amount_hint: "不填或 0 表示从该月起停发。", "Empty or 0 ends it from that month on.";
    per: "按", "For each";
    per_room: "每间", "room";
    per_head: "每人", "resident";
    by: "经手人", "By";
    ended: "停发", "ended";
    no_rules: "还没有补贴规则。", "No subsidy was decided yet.";
    decide: "设置补贴", "Decide a subsidy";
}

/// A kind of account by its code; the code itself where it is none of ours.
#[must_use]
pub fn account(kind: &str, lang: Lang) -> String {
    let (zh, en) = match kind {
        "cash" => ("现金", "Cash"),
        "card" => ("刷卡在途", "Card takings"),
        "bank" => ("银行存款", "Bank"),
        "clearing:alipay" => ("支付宝清算", "Alipay clearing"),
        "clearing:wechat" => ("微信支付清算", "WeChat Pay clearing"),
        "clearing:unionpay" => ("银联清算", "UnionPay clearing"),
        "fees:alipay" => ("支付宝手续费", "Alipay fees"),
        "fees:wechat" => ("微信支付手续费", "WeChat Pay fees"),
        "fees:unionpay" => ("银联手续费", "UnionPay fees"),
        "paid" => ("住户已付未到表", "Paid, not in the meter"),
        "meter" => ("电表内预存", "In the meters"),
        "wallet" => ("系统钱包预存", "Server wallets"),
        "consumption" => ("用电收入", "Consumption"),
        "subsidies" => ("补贴支出", "Subsidies"),
        "carried" => ("销户结转在途", "Left in closed meters"),
        "write-off" => ("核销", "Write-off"),
        "drawer-difference" => ("现金长短款", "Drawer differences"),
        "suspense" => ("待查款项", "Suspense"),
        "refunding" => ("退款在途", "On its way back"),
        "taken-over" => ("旧系统转入", "Taken over"),
        other => return other.to_owned(),
    };
    lang.pick(zh, en).to_owned()
}
