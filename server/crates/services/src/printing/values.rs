//! The values of a receipt in the words of a language.

use app::i18n::account_records::ReceiptRemark;
use app::i18n::{Lang, cash_desk, common, printing};
use model::console::{Receipt, ReceiptCorrection, ReceiptOf};
use model::order::{OrderState, ReturnKind, Tender};
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
        .with("refunded", became(receipt, lang))
        .with("count", count)
        .with("remaining", or_empty(receipt.remaining.map(|left| left.to_string())))
        .with("reason", or_empty(receipt.reason.clone()))
        .with("corrects", or_empty(receipt.corrects.map(|number| number.to_string())))
        .with("by", or_empty(receipt.by.clone()))
}

/// The sample with the program's words in a language; what people gave names to stays.
pub fn sample(lang: Lang) -> Values {
    Values::sample()
        .with("title", cash_desk::receipt(ReceiptOf::Sale, lang))
        .with("copy_for", printing::copy_for(ReceiptCopy::Customer, lang))
        .with("copy", cash_desk::texts(lang).copy)
        .with("tender", common::tender(Tender::Alipay, lang))
        .with("refunded", common::order(OrderState::Refunded, lang))
}

/// What became of a sale whose money went back, in whole or in part.
fn became(receipt: &Receipt, lang: Lang) -> String {
    let refunded = receipt.refunded().map(|state| common::order(state, lang).to_owned());
    let corrected = receipt.corrected.as_ref().map(|corrected| {
        let ReceiptCorrection { amount, at, reason } = corrected;
        ReceiptRemark { amount, at: format!("{} {}", at.date(), at.clock()), reason }.text(lang)
    });
    common::clauses([refunded, corrected].into_iter().flatten(), lang).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use model::console::{ReceiptNumber, ReceiptSeries, RoomName};
    use model::ids::{MeterId, Uuid};
    use model::money::Fen;
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
            corrected: None,
        }
    }

    /// What the receipt says of its delivery and its refund.
    fn says(state: OrderState) -> Vec<Block> {
        let template =
            Template::parse("{{ number }} {{ amount }} {{ copy }}.\nCount | {{ count }}.\nState | {{ refunded }}.").unwrap();
        template.render(&of(&payment(state), ReceiptCopy::Customer, false, Lang::En)).unwrap().split_off(1)
    }

    #[test]
    fn a_corrected_sale_says_how_much_when_and_why() {
        let correction = ReceiptCorrection { amount: Fen(2_000), at: Timestamp(0), reason: "充错房间".into() };
        let sold = Receipt { corrected: Some(correction), ..payment(OrderState::Credited) };
        assert_eq!(became(&sold, Lang::Zh), "1970-01-01 08:00 冲正 20.00 元：充错房间");
        assert_eq!(became(&payment(OrderState::Credited), Lang::Zh), "");
    }

    #[test]
    fn a_refunded_payment_is_not_on_its_way() {
        let row = |label: &str, value: &str| Block::Row { label: label.into(), value: value.into(), strong: false };
        assert_eq!(says(OrderState::Paid), [row("Count", "being delivered."), row("State", ".")]);
        assert_eq!(says(OrderState::Refunded), [row("Count", "."), row("State", "Refunded.")]);
    }
}
