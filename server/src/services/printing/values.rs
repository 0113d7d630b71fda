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
    let count = match receipt.count {
        Some(count) => count.to_string(),
        None if receipt.is_on_its_way() => cash_desk::texts(lang).on_its_way.to_owned(),
        None => String::new(),
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
        .with("refunded", receipt.refunded().map_or("", |state| common::order(state, lang)))
        .with("count", count)
        .with("remaining", or_empty(receipt.remaining.map(|left| left.to_string())))
        .with("reason", or_empty(receipt.reason.clone()))
        .with("corrects", or_empty(receipt.corrects.map(|number| number.to_string())))
        .with("by", or_empty(receipt.by.clone()))
}

#[cfg(test)]
mod tests {
    use model::console::{ReceiptNumber, ReceiptSeries, RoomName};
    use model::ids::{MeterId, Uuid};
    use model::order::OrderState;
    use model::receipt_sheet::Block;
    use model::time::Timestamp;
    use receipts::Template;

    use super::*;

    fn payment(state: OrderState) -> Receipt {
        Receipt {
            number: ReceiptNumber { series: ReceiptSeries::Online, year: 2026, number: 1 },
            site: String::new(),
            of: ReceiptOf::Online,
            at: Timestamp(0),
            by: None,
            prints: 0,
            printed_at: None,
            room: RoomName { building: String::new(), floor: String::new(), room: String::new() },
            meter: MeterId(Uuid::nil()),
            serial: String::new(),
            account: String::new(),
            residents: String::new(),
            money: None,
            state: Some(state),
            count: None,
            remaining: None,
            reason: None,
            trade_no: None,
            corrects: None,
        }
    }

    /// What the receipt says of its delivery and its refund.
    fn says(state: OrderState) -> Vec<Block> {
        let template =
            Template::parse("{{ number }} {{ amount }} {{ copy }}.\nCount | {{ count }}.\nState | {{ refunded }}.").unwrap();
        template.render(&of(&payment(state), ReceiptCopy::Customer, false, Lang::En)).unwrap().split_off(1)
    }

    #[test]
    fn a_refunded_payment_is_not_on_its_way() {
        let row = |label: &str, value: &str| Block::Row { label: label.into(), value: value.into(), strong: false };
        assert_eq!(says(OrderState::Paid), [row("Count", "being delivered."), row("State", ".")]);
        assert_eq!(says(OrderState::Refunded), [row("Count", "."), row("State", "Refunded.")]);
    }
}
