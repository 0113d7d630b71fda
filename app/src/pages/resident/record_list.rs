//! Records as rows: what, how much, what became of it, and when. Those of an order lead to its page.

use leptos::prelude::*;

use crate::i18n::account_records::{OverAt, PaidByOther, PaidForOther, Reason, state, switched_by, title};
use crate::i18n::resident::{sentences, texts};
use crate::i18n::{Lang, common, lang, notifications};
use crate::ports::now;
use crate::ui::money::Yuan;
use model::account_record::{AccountRecord, AccountRecordOf, OtherRoom};
use model::ids::OrderId;
use model::money::Fen;
use model::order::{CommandState, OrderState, ReturnState, TakenBack};
use model::refund::RefundState;
use model::time::Timestamp;

/// The rows, with a hint if there are none.
#[component]
pub fn RecordList(records: Vec<AccountRecord>) -> impl IntoView {
    if records.is_empty() {
        return view! { <p class="muted">{texts(lang()).no_records}</p> }.into_any();
    }
    view! { <ul class="records">{records.iter().map(row).collect_view()}</ul> }.into_any()
}

fn row(record: &AccountRecord) -> impl IntoView + use<> {
    let (lang, now, of) = (lang(), now(), &record.of);
    let amount = amount(of).map(|amount| view! { " " <Yuan amount /> });
    let details = [Some(common::at(record.at, now, lang))].into_iter().chain(details(of, now, lang));
    let details = details.flatten().collect::<Vec<_>>().join(" · ");
    let inner = view! {
        <span class="first">{title(of, lang)}{amount}</span>
        <span class=tone(of)>{state(of, lang)}</span>
        <span class="muted small">{details}</span>
    };
    match order(of) {
        Some(id) => view! { <li><a href=format!("/orders/{id}")>{inner}</a></li> }.into_any(),
        None => view! { <li><div>{inner}</div></li> }.into_any(),
    }
}

const fn order(of: &AccountRecordOf) -> Option<OrderId> {
    match of {
        AccountRecordOf::Order(record) => Some(record.order),
        AccountRecordOf::Back(back) => back.corrects,
        AccountRecordOf::Refund { order, .. } => Some(*order),
        _ => None,
    }
}

fn amount(of: &AccountRecordOf) -> Option<Fen> {
    match of {
        AccountRecordOf::Order(record) => Some(record.amount),
        AccountRecordOf::Back(back) => Some(-back.amount),
        AccountRecordOf::Refund { amount, .. } | AccountRecordOf::FinalBalance { amount, .. } => Some(*amount),
        _ => None,
    }
}

/// What stands behind the time.
fn details(of: &AccountRecordOf, now: Timestamp, lang: Lang) -> Vec<Option<String>> {
    let tender = |tender| Some(common::tender(tender, lang).to_owned());
    match of {
        AccountRecordOf::Order(record) => {
            let other = record.other_room.as_ref().map(|other| match other {
                OtherRoom::PaidBy(name) => PaidByOther { name }.text(lang),
                OtherRoom::PaidFor(room) => PaidForOther { room }.text(lang),
            });
            vec![tender(record.tender), other, sentences::in_meter(record.count, None, lang)]
        }
        AccountRecordOf::Back(back) => {
            let reason = (!back.reason.is_empty()).then(|| Reason { reason: &back.reason }.text(lang));
            vec![tender(back.tender), sentences::in_meter(back.count, None, lang), reason]
        }
        AccountRecordOf::Refund { tender: way, .. } => vec![tender(*way)],
        AccountRecordOf::Opened | AccountRecordOf::FinalBalance { .. } => Vec::new(),
        AccountRecordOf::Alarm { until, .. } => vec![until.map(|at| OverAt { at: common::at(at, now, lang) }.text(lang))],
        AccountRecordOf::Switch(switch) => vec![Some(switched_by(switch.by, lang).to_owned())],
        AccountRecordOf::Message { kind, channel, values, own_text, .. } => {
            vec![
                Some(notifications::channel(*channel, lang).to_owned()),
                Some(notifications::text(*kind, own_text.as_deref(), values, None, lang)),
            ]
        }
    }
}

fn tone(of: &AccountRecordOf) -> &'static str {
    const GOOD: &str = "state open";
    const BUSY: &str = "state accent";
    const WARN: &str = "state alarm1";
    const QUIET: &str = "state quiet";
    match of {
        AccountRecordOf::Order(record) => match record.state {
            OrderState::Credited if record.taken_back == TakenBack::default() => GOOD,
            OrderState::Pending | OrderState::Paid => BUSY,
            OrderState::Case => WARN,
            OrderState::Credited | OrderState::Closed | OrderState::Refunding | OrderState::Refunded => QUIET,
        },
        AccountRecordOf::Back(back) => match back.state {
            ReturnState::Done => QUIET,
            ReturnState::Case => WARN,
            _ => BUSY,
        },
        AccountRecordOf::Refund { state: RefundState::Done, .. } => QUIET,
        AccountRecordOf::Refund { .. } => BUSY,
        AccountRecordOf::Alarm { until: None, .. } => WARN,
        AccountRecordOf::Switch(switch) if matches!(switch.state, CommandState::Queued | CommandState::Sending) => BUSY,
        AccountRecordOf::Switch(switch) if matches!(switch.state, CommandState::Failed | CommandState::Case) => WARN,
        _ => QUIET,
    }
}
