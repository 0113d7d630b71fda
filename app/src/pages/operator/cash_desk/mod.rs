//! The pages of the cash desk.

pub mod approvals;
pub mod correction;
pub mod ledger;
pub mod order;
pub mod order_money;
pub mod receipt;
pub mod refund;
pub mod refunds;
pub mod returned;
pub mod shift;
pub mod shifts;
pub mod subsidies;

use leptos::prelude::*;

use crate::i18n::{cash_desk, lang};
use crate::ports::allowed;
use model::order::ReturnState;

/// A state with its colour.
fn state(state: ReturnState) -> impl IntoView {
    let class = match state {
        ReturnState::Done => "state open",
        ReturnState::Taking => "state accent",
        ReturnState::Waiting | ReturnState::Taken => "state alarm1",
        ReturnState::Case | ReturnState::Refused => "state alarm2",
        ReturnState::Rejected | ReturnState::Cancelled | ReturnState::Expired => "state quiet",
    };
    view! { <span class=class>{cash_desk::state(state, lang())}</span> }
}

/// The field for a reason.
fn reason_field(name: &'static str, label: &'static str) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input class="input" name=name required maxlength="200" autocomplete="off" />
        </label>
    }
}

/// A form that is one button, for whoever may press it.
fn press(action: &'static str, id: &str, class: &'static str, word: &'static str) -> impl IntoView + use<> {
    let id = id.to_owned();
    allowed(action).then(|| {
        view! {
            <form method="post" action=action>
                <input type="hidden" name="id" value=id />
                <button class=class>{word}</button>
            </form>
        }
    })
}

/// The approval forms; the requester is told that another operator must approve.
fn second_person(id: &str, mine: bool, approve: (&'static str, &'static str), reject: &'static str) -> AnyView {
    let t = cash_desk::texts(lang());
    if mine {
        return view! { <p class="hint">{t.own_request}</p> }.into_any();
    }
    let (action, word) = approve;
    if !allowed(action) {
        return view! { <p class="hint">{t.may_not}</p> }.into_any();
    }
    view! {
        <div class="card stack-tight">
            {press(action, id, "primary", word)}
            <form class="stack-tight" method="post" action=reject>
                <input type="hidden" name="id" value=id.to_owned() />
                {reason_field("reason", t.reject_reason)}
                <button class="danger">{t.reject}</button>
            </form>
        </div>
    }
    .into_any()
}

/// The button that records a payout; the money is handed over first.
fn hand_over(action: &'static str, id: &str, word: &'static str, hint: &'static str) -> impl IntoView + use<> {
    allowed(action).then(|| {
        view! {
            <div class="card stack-tight">
                {press(action, id, "primary", word)}
                <p class="hint">{hint}</p>
            </div>
        }
    })
}
