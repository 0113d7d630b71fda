//! Texts of what has happened to a resident's account.

pub use super::catalogue::account_records::*;
use super::{Lang, common, events, notifications};
use model::account_record::{AccountRecordKind, AccountRecordOf, OrderRecord, PowerChange, SwitchedBy};
use model::console::ClosingKind;
use model::money::Fen;
use model::order::{OrderState, ReturnKind, ReturnState, TakenBack, Tender};
use model::refund::RefundState;

/// The name of a kind, in the plural.
#[must_use]
pub const fn kind(kind: AccountRecordKind, lang: Lang) -> &'static str {
    let t = texts(lang).kind_name;
    match kind {
        AccountRecordKind::Recharge => t.recharge,
        AccountRecordKind::Return => t.r#return,
        AccountRecordKind::Correction => t.correction,
        AccountRecordKind::Refund => t.refund,
        AccountRecordKind::Balance => t.balance,
        AccountRecordKind::Alarm => t.alarm,
        AccountRecordKind::Switch => t.switch,
        AccountRecordKind::Message => t.message,
    }
}

/// What happened, in a few words.
#[must_use]
pub fn title(of: &AccountRecordOf, lang: Lang) -> String {
    let t = texts(lang);
    match of {
        AccountRecordOf::Order(order) => order_title(order, lang).to_owned(),
        AccountRecordOf::Back(back) => match back.kind {
            ReturnKind::Return => t.title.r#return.to_owned(),
            ReturnKind::UndoSale => t.correction_of_sale.to_owned(),
            ReturnKind::UndoReturn => t.correction_of_return.to_owned(),
        },
        AccountRecordOf::Refund { .. } => t.title.refund.to_owned(),
        AccountRecordOf::Opened => t.opened.to_owned(),
        AccountRecordOf::FinalBalance { closing, .. } => match closing {
            ClosingKind::Close => t.final_close.to_owned(),
            ClosingKind::Move => t.final_move.to_owned(),
            ClosingKind::Replace => t.final_replace.to_owned(),
        },
        AccountRecordOf::Alarm { kind, .. } => events::event(*kind, lang).name.to_owned(),
        AccountRecordOf::Switch(switch) => match switch.change {
            PowerChange::On => t.title.on.to_owned(),
            PowerChange::Off => t.title.off.to_owned(),
            PowerChange::Mode(mode) => Mode { mode: common::mode(mode, lang) }.text(lang),
            PowerChange::Unreadable(_) => t.other_command.to_owned(),
        },
        AccountRecordOf::Message { kind, .. } => notifications::kind(*kind, lang).to_owned(),
    }
}

const fn order_title(order: &OrderRecord, lang: Lang) -> &'static str {
    match order.tender {
        _ if order.undoes_return => texts(lang).correction_of_return,
        Tender::Subsidy | Tender::Carried | Tender::TakenOver => common::tender(order.tender, lang),
        _ => texts(lang).title.recharge,
    }
}

/// What became of it.
#[must_use]
pub fn state(of: &AccountRecordOf, lang: Lang) -> Option<String> {
    let t = texts(lang);
    Some(match of {
        AccountRecordOf::Order(order) => return Some(became(order.state, order.amount, order.taken_back, lang)),
        AccountRecordOf::Back(back) => back_state(back.state, lang).to_owned(),
        AccountRecordOf::Refund { state, .. } => match state {
            RefundState::Done => t.refund_done.to_owned(),
            RefundState::Sending => t.refund_sending.to_owned(),
            _ => t.refund_waiting.to_owned(),
        },
        AccountRecordOf::Opened | AccountRecordOf::FinalBalance { .. } => return None,
        AccountRecordOf::Alarm { until, .. } => until.map_or(t.lasting, |_| t.over).to_owned(),
        AccountRecordOf::Switch(switch) => common::command(switch.state, lang).to_owned(),
        AccountRecordOf::Message { state, .. } => notifications::state(*state, lang).to_owned(),
    })
}

const fn back_state(state: ReturnState, lang: Lang) -> &'static str {
    let t = texts(lang);
    match state {
        ReturnState::Taking => t.taking,
        ReturnState::Taken => t.taken,
        ReturnState::Done => t.back_done,
        _ => t.with_office,
    }
}

/// What became of an order whose credit may have been taken back.
#[must_use]
pub fn became(state: OrderState, amount: Fen, back: TakenBack, lang: Lang) -> String {
    match back {
        _ if state != OrderState::Credited => common::order(state, lang).to_owned(),
        TakenBack { coming, .. } if coming > Fen::ZERO => Correcting { amount: coming }.text(lang),
        TakenBack { done, .. } if done >= amount => texts(lang).corrected_all.to_owned(),
        TakenBack { done, .. } if done > Fen::ZERO => CorrectedPart { amount: done }.text(lang),
        _ => common::order(state, lang).to_owned(),
    }
}

/// Who had the power switched.
#[must_use]
pub const fn switched_by(by: SwitchedBy, lang: Lang) -> &'static str {
    let t = texts(lang);
    match by {
        SwitchedBy::Resident => t.by_resident,
        SwitchedBy::Operator => t.by_operator,
        SwitchedBy::Server => t.by_server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrected_sale_is_not_just_credited() {
        let sold = Fen(5_000);
        let says = |state, done, coming| became(state, sold, TakenBack { done: Fen(done), coming: Fen(coming) }, Lang::Zh);
        assert_eq!(says(OrderState::Credited, 0, 0), "已到账");
        assert_eq!(says(OrderState::Credited, 2_000, 0), "已到账，其中 20.00 元已冲正");
        assert_eq!(says(OrderState::Credited, 5_000, 0), "已全部冲正");
        assert_eq!(says(OrderState::Credited, 0, 5_000), "正在冲正 50.00 元");
        assert_eq!(says(OrderState::Refunded, 5_000, 0), "已退款", "the state of the order says it");
    }
}
