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
        ReceiptOf::Refund => "refund",
        ReceiptOf::Back(ReturnKind::Return) => "return",
        ReceiptOf::Back(ReturnKind::UndoSale | ReturnKind::UndoReturn) => "correction",
    };
    let count = receipt.count.map_or_else(|| cash_desk::texts(lang).on_its_way.to_owned(), |count| count.to_string());
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
        .with("order", receipt.order.to_string())
        .with("amount", receipt.amount.to_string())
        .with("capitals", receipt.amount.capitals())
        .with("tender", common::tender(receipt.tender, lang))
        .with("count", count)
        .with("remaining", or_empty(receipt.remaining.map(|left| left.to_string())))
        .with("reason", or_empty(receipt.reason.clone()))
        .with("corrects", or_empty(receipt.corrects.map(|number| number.to_string())))
        .with("by", receipt.by.clone())
}
