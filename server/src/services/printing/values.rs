//! The values of a receipt in the words of a language.

use app::i18n::{Lang, cash_desk, common, printing};
use model::console::{Receipt, ReceiptOf};
use model::order::ReturnKind;
use model::receipt_sheet::ReceiptCopy;
use receipts::Values;

/// All that templates may use.
pub fn of(receipt: &Receipt, copy: ReceiptCopy, is_copy: bool, lang: Lang) -> Values {
    let kind = match receipt.of {
        ReceiptOf::Sale => "sale",
        ReceiptOf::Online => "online",
        ReceiptOf::Opening => "opening",
        ReceiptOf::Refund => "refund",
        ReceiptOf::Back(ReturnKind::Return) => "return",
        ReceiptOf::Back(ReturnKind::UndoSale | ReturnKind::UndoReturn) => "correction",
    };
    // What goes to the meter is on its way until it was counted there; an opening sends no money, a refund goes elsewhere.
    let count = match (receipt.count, receipt.of) {
        (Some(count), _) => count.to_string(),
        (None, ReceiptOf::Opening | ReceiptOf::Refund) => String::new(),
        (None, _) => cash_desk::texts(lang).on_its_way.to_owned(),
    };
    let or_empty = |text: Option<String>| text.unwrap_or_default();
    Values::default()
        .with("title", cash_desk::receipt(receipt.of, lang))
        .with("kind", kind)
        .with("number", receipt.number.to_string())
        .with("copy_for", printing::copy_for(copy, lang))
        .with("copy", if is_copy { cash_desk::texts(lang).copy } else { "" })
        .with("site", receipt.site.clone())
        .with("at", receipt.at.to_string())
        .with("room", receipt.room.to_string())
        .with("residents", receipt.residents.clone())
        .with("account", receipt.account.clone())
        .with("meter", receipt.serial.clone())
        .with("order", or_empty(receipt.money.map(|money| money.order.to_string())))
        .with("amount", or_empty(receipt.money.map(|money| money.amount.to_string())))
        .with("capitals", or_empty(receipt.money.map(|money| money.amount.capitals())))
        .with("tender", receipt.money.map_or("", |money| common::tender(money.tender, lang)))
        .with("trade", or_empty(receipt.trade_no.clone()))
        .with("count", count)
        .with("remaining", or_empty(receipt.remaining.map(|left| left.to_string())))
        .with("reason", or_empty(receipt.reason.clone()))
        .with("corrects", or_empty(receipt.corrects.map(|number| number.to_string())))
        .with("by", or_empty(receipt.by.clone()))
}
