//! Words of the shifts.

use super::Lang;
use super::till::catalogue;

catalogue! {
    shifts: "交接班", "Shifts";
    own: "我的钱箱", "My drawer";
    open: "开班", "Open the drawer";
    float: "备用金", "Float";
    float_hint: "开班时钱箱里的零钱；没有可不填。", "Change in the drawer at the start; leave it empty for none.";
    no_sales_now: "上一班已经交清。开班后才能售电和退款。", "Your last shift is closed. Open the next one before you sell or pay out.";
    recent: "最近的班次", "Newest shifts";
    none: "还没有班次。第一笔售电会自动开班。", "No shift yet. The first sale opens one.";
    operator: "操作员", "Operator";
    opened: "开班时间", "Opened";
    closed: "交班时间", "Closed";
    expected: "应有现金（元）", "Cash expected (yuan)";
    counted: "实点现金（元）", "Cash counted (yuan)";
    difference: "长短款（元）", "Difference (yuan)";
    report: "交班表", "Shift report";
    tender: "付款方式", "Tender";
    sales: "收款笔数", "Sales";
    taken: "收款（元）", "Taken (yuan)";
    payouts: "付款笔数", "Payouts";
    given: "付款（元）", "Paid out (yuan)";
    net: "净额（元）", "Net (yuan)";
    reason: "长短款原因", "Why it differs";
    reason_hint: "实点与应有不一致时必填；差额记入单独的账户。", "Required where the count differs; the difference goes to its own account.";
    close: "点清并交班", "Count and close";
    signature: "签字", "Signature";
}
