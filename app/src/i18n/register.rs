//! Words of the register.

use super::Lang;
use super::till::catalogue;

catalogue! {
    register: "收支记录", "Register";
    kind: "类别", "Kind";
    sale: "售电", "Sale";
    refund: "退款", "Refund";
    shift: "班次", "Shift";
    shift_open: "未交班", "Open";
    shift_closed: "已交班", "Closed";
    taken: "收入（元）", "In (yuan)";
    given: "支出（元）", "Out (yuan)";
    receipt: "收据号", "Receipt";
    file: "导出 CSV", "Export CSV";
    none: "没有符合条件的记录。在房间页可以售电和退电。", "Nothing fits. Selling and returning is done on the page of a room.";
}

/// A kind by its word.
#[must_use]
pub fn kind(word: &str, lang: Lang) -> &'static str {
    match model::order::ReturnKind::parse(word) {
        Some(kind) => super::till::kind(kind, lang),
        None if word == "sale" => words(lang).sale,
        None if word == "refund" => words(lang).refund,
        None => words(lang).shift,
    }
}
