//! The instruments: the list, the form of one, and the page of one.

pub mod form;
pub mod instrument;

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::param;
use crate::i18n::instruments::{Held, texts, trouble};
use crate::i18n::lang;
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::data_table::{Column, DataTable};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::{Ago, At};
use model::instrument::{InstrumentField, InstrumentLine};

/// The name of a field.
fn label(field: InstrumentField) -> &'static str {
    crate::i18n::instruments::field(field, lang()).0
}

/// The page: `/instruments`.
#[component]
pub fn InstrumentsPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.instruments.instruments(&who).await
    };
    load(read, |lines| view! { <Body lines /> }.into_any())
}

#[component]
fn Body(lines: Vec<InstrumentLine>) -> impl IntoView {
    let t = texts(lang());
    let add = allowed("/instruments/new").then(|| view! { <a class="button primary" href="/instruments/new">{t.add}</a> });
    let done = (param("done") == "retired").then(|| view! { <Callout tone=Tone::Good><p>{t.retired}</p></Callout> });
    let is_empty = lines.is_empty();
    let rows = lines.iter().map(row).collect_view();
    let columns = [
        Column::text(label(InstrumentField::Name)),
        Column::text(label(InstrumentField::Place)),
        Column::text(t.state),
        Column::number(t.newest),
        Column::number(t.circuits),
        Column::text(label(InstrumentField::Gateway)),
        Column::number(label(InstrumentField::Unit)),
    ];
    let table = (!is_empty).then(|| view! { <DataTable label=t.title columns stacked=true>{rows}</DataTable> });
    view! {
        <Frame title=t.title section=Section::Instruments>
            <div class="page-head"><h1>{t.title}</h1>{add}</div>
            <p class="hint">{t.lead}" "<a href="/reports/instruments">{t.report}</a></p>
            <Notice />
            {done}
            {table}
            {is_empty.then(|| view! { <p class="empty">{t.none}</p> })}
        </Frame>
    }
}

fn row(line: &InstrumentLine) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <tr>
            <th scope="row">
                <a href=format!("/instruments/{}", line.id)>{line.name.clone()}</a>
                <br /><span class="muted num">{line.number.clone()}</span>
            </th>
            <td data-label=label(InstrumentField::Place)>{line.place.clone()}</td>
            <td data-label=t.state>{state(line)}</td>
            <td data-label=t.newest class="number">
                {line.read_at.map_or_else(|| "—".into_any(), |at| view! { <Ago at /> }.into_any())}
            </td>
            <td data-label=t.circuits class="number">{line.circuits}</td>
            <td data-label=label(InstrumentField::Gateway)>{line.gateway.clone()}</td>
            <td data-label=label(InstrumentField::Unit) class="number">{line.unit}</td>
        </tr>
    }
}

/// Whether it is read; since when it is lost and why; how many of its counters are held.
fn state(line: &InstrumentLine) -> impl IntoView + use<> {
    let t = texts(lang());
    let reading = match (line.lost, line.read_at) {
        (Some((since, why)), _) => view! {
            <span class="state lost">{t.lost}</span>" "{t.since}" "<At at=since />
            <br /><span class="muted">{trouble(why, lang())}</span>
        }
        .into_any(),
        (None, Some(_)) => view! { <span class="state open">{t.good}</span> }.into_any(),
        (None, None) => view! { <span class="muted">{t.waiting}</span> }.into_any(),
    };
    let held = (line.held > 0).then(|| {
        view! { <br /><span class="state alarm2">{Held { count: line.held }.text(lang())}</span> }
    });
    view! { {reading}{held} }
}
