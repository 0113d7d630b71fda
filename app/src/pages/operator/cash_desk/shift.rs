//! One shift: its report, and the form to close it.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use crate::api::form::parse;
use crate::api::shifts::{Shift, ShiftEnd};
use crate::i18n::shifts::texts;
use crate::i18n::{common, lang};
use crate::ports::{allowed, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::error::AppError;
use model::ids::ShiftId;
use model::money::Fen;

/// The page: `/shifts/:id`.
#[component]
pub fn ShiftPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.shifts.shift(&who, parse::<ShiftId>(&id).map_err(|_| AppError::NotFound)?).await
    };
    load(read, |shift| view! { <Body shift /> }.into_any())
}

#[component]
fn Body(shift: Shift) -> impl IntoView {
    let t = texts(lang());
    let closable = shift.end.is_none() && allowed("/api/operator/close-shift");
    let close = closable.then(|| view! { <section class="card no-print">{close_form(&shift)}</section> });
    view! {
        <Frame title=t.report section=Section::Shifts>
            <Notice />
            <article class="card sheet stack-tight">
                <h1>{t.report}</h1>
                <dl class="facts">
                    <dt>{t.operator}</dt>
                    <dd>{shift.operator.clone()}</dd>
                    <dt>{t.opened}</dt>
                    <dd class="num">{shift.opened_at.to_string()}</dd>
                    {shift.end.as_ref().map(|end| view! { <dt>{t.closed}</dt><dd class="num">{end.at.to_string()}</dd> })}
                </dl>
                {takings(&shift)}
                <dl class="facts">{shift.end.as_ref().map(|end| ended(end, shift.expected))}</dl>
            </article>
            {close}
        </Frame>
    }
}

fn ended(end: &ShiftEnd, expected: Fen) -> impl IntoView + use<> {
    let t = texts(lang());
    let reason = (!end.reason.is_empty()).then(|| end.reason.clone());
    view! {
        <dt>{t.counted}</dt>
        <dd class="num">{end.counted.to_string()}</dd>
        <dt>{t.difference}</dt>
        <dd class="num">{(end.counted - expected).to_string()}</dd>
        {reason.map(|reason| view! { <dt>{t.reason}</dt><dd>{reason}</dd> })}
        <dt>{t.signature}</dt>
        <dd class="sheet-line"></dd>
    }
}

/// The totals by payment method, and the expected cash.
pub fn takings(shift: &Shift) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = shift.takings.iter().map(|one| {
        view! {
            <tr>
                <th scope="row">{common::tender(one.tender, lang())}</th>
                <td class="number">{one.sales}</td>
                <td class="number">{one.taken.to_string()}</td>
                <td class="number">{one.payouts}</td>
                <td class="number">{one.given.to_string()}</td>
                <td class="number">{(one.taken - one.given).to_string()}</td>
            </tr>
        }
    });
    let (rows, float, expected) = (rows.collect_view(), shift.float.to_string(), shift.expected.to_string());
    view! {
        <TableScroll label=t.report>
            <table class="table">
                <caption class="visually-hidden">{t.report}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.tender}</th>
                        <th scope="col" class="number">{t.sales}</th>
                        <th scope="col" class="number">{t.taken}</th>
                        <th scope="col" class="number">{t.payouts}</th>
                        <th scope="col" class="number">{t.given}</th>
                        <th scope="col" class="number">{t.net}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row" colspan="5">{t.expected}" ("{t.float}" "{float}")"</th>
                        <td class="number">{expected}</td>
                    </tr>
                </tfoot>
            </table>
        </TableScroll>
    }
}

/// The form to count the drawer and close the shift.
pub fn close_form(shift: &Shift) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <form class="stack-tight" method="post" action="/api/operator/close-shift">
            <input type="hidden" name="id" value=shift.id.to_string() />
            <label class="field">
                <span>{t.counted}</span>
                <input class="input" name="counted" inputmode="decimal" autocomplete="off" required
                    pattern="[0-9０-９]+([.．][0-9０-９]{1,2})?" />
            </label>
            <label class="field">
                <span>{t.reason}</span>
                <input class="input" name="reason" maxlength="200" autocomplete="off" />
                <span class="hint">{t.reason_hint}</span>
            </label>
            <button>{t.close}</button>
        </form>
    }
}
