//! Shifts: the operator's own drawer, and the recent reports.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::shift::{close_form, takings};
use crate::api::shifts::{Shift, Shifts};
use crate::i18n::lang;
use crate::i18n::shifts::texts;
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;

/// The page: `/shifts`.
#[component]
pub fn ShiftsPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.shifts.shifts(&who).await
    };
    load(read, |shifts| view! { <Body shifts /> }.into_any())
}

#[component]
fn Body(shifts: Shifts) -> impl IntoView {
    let t = texts(lang());
    let rows = shifts.recent.iter().map(row).collect_view();
    let own = match &shifts.open {
        Some(shift) => view! {
            <section class="card stack-tight">
                <h2>{t.own}</h2>
                <p>{t.opened}" "<At at=shift.opened_at /></p>
                {takings(shift)}
                {allowed("/api/operator/close-shift").then(|| close_form(shift))}
            </section>
        }
        .into_any(),
        None if allowed("/api/operator/open-shift") => open_form(shifts.closed).into_any(),
        None => ().into_any(),
    };
    view! {
        <Frame title=t.shifts section=Section::Shifts>
            <h1>{t.shifts}</h1>
            <Notice />
            {own}
            <TableScroll label=t.recent>
                <table class="table">
                    <caption>{t.recent}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.operator}</th>
                            <th scope="col">{t.opened}</th>
                            <th scope="col">{t.closed}</th>
                            <th scope="col" class="number">{t.expected}</th>
                            <th scope="col" class="number">{t.counted}</th>
                            <th scope="col" class="number">{t.difference}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {shifts.recent.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
        </Frame>
    }
}

fn open_form(closed: bool) -> impl IntoView {
    let t = texts(lang());
    view! {
        {closed.then(|| view! { <Callout tone=Tone::Warn><p>{t.no_sales_now}</p></Callout> })}
        <form class="card stack-tight" method="post" action="/api/operator/open-shift">
            <h2>{t.open}</h2>
            <Field name="float" label=t.float inputmode="decimal" hint=t.float_hint optional=true />
            <button class="primary">{t.open}</button>
        </form>
    }
}

fn row(shift: &Shift) -> impl IntoView + use<> {
    let end = shift.end.as_ref();
    let expected = shift.expected;
    view! {
        <tr>
            <th scope="row"><a href=format!("/shifts/{}", shift.id)>{shift.operator.clone()}</a></th>
            <td><At at=shift.opened_at /></td>
            <td>{end.map(|end| view! { <At at=end.at /> })}</td>
            <td class="number">{expected.to_string()}</td>
            <td class="number">{end.map(|end| end.counted.to_string())}</td>
            <td class="number">{end.map(|end| (end.counted - expected).to_string())}</td>
        </tr>
    }
}
