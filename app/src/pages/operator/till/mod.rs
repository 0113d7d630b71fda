//! The pages of the till.

pub mod approvals;
pub mod correction;
pub mod ledger;
pub mod order_money;
pub mod receipt;
pub mod refund;
pub mod refunds;
pub mod returned;
pub mod shift;
pub mod shifts;
pub mod subsidies;

use leptos::prelude::*;

use crate::i18n::{lang, till};
use crate::model::order::ReturnState;

/// A state as a coloured word.
fn state(state: ReturnState) -> impl IntoView {
    let class = match state {
        ReturnState::Done => "state open",
        ReturnState::Taking => "state accent",
        ReturnState::Waiting | ReturnState::Taken => "state alarm1",
        ReturnState::Case | ReturnState::Refused => "state alarm2",
        ReturnState::Rejected | ReturnState::Cancelled | ReturnState::Expired => "state quiet",
    };
    view! { <span class=class>{till::state(state, lang())}</span> }
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
