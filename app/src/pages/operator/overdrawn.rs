//! The overdrawn meters: by how much, since when, and whether they are still supplied.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{page_param, pager};
use crate::i18n::lang;
use crate::i18n::overdrawn::texts;
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::{Ago, At};
use model::console::{Overdrawn, OverdrawnLine};

/// The page: `/overdrawn?page=2`; the same as a file: `/overdrawn.csv`.
#[component]
pub fn OverdrawnPage() -> impl IntoView {
    let number = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.accounts.overdrawn(&who, number).await
    };
    load(read, move |overdrawn| view! { <List overdrawn number /> }.into_any())
}

#[component]
fn List(overdrawn: Overdrawn, number: i64) -> impl IntoView {
    let t = texts(lang());
    let Overdrawn { page, owed } = overdrawn;
    if page.total == 0 {
        return view! { <Frame title=t.title section=Section::Accounts><h1>{t.title}</h1><p class="empty">{t.none}</p></Frame> }
            .into_any();
    }
    let rows = page.lines.iter().map(row).collect_view();
    view! {
        <Frame title=t.title section=Section::Accounts>
            <div class="page-head">
                <h1>{t.title}</h1>
                <a class="button" href="/overdrawn.csv" rel="external" download>{t.export}</a>
            </div>
            <p class="hint">{t.hint}</p>
            <TableScroll label=t.title>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.room}</th>
                            <th scope="col">{t.residents}</th>
                            <th scope="col">{t.account}</th>
                            <th scope="col" class="number">{t.owed}</th>
                            <th scope="col">{t.since}</th>
                            <th scope="col">{t.relay}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                    <tfoot>
                        <tr>
                            <th scope="row" colspan="3">{t.total}</th>
                            <td class="number">{owed.to_string()}</td>
                            <td colspan="2"></td>
                        </tr>
                    </tfoot>
                </table>
            </TableScroll>
            {pager(&page, number, "/overdrawn")}
        </Frame>
    }
    .into_any()
}

fn row(line: &OverdrawnLine) -> impl IntoView + use<> {
    let t = texts(lang());
    let relay = match line.relay {
        Some((closed, at)) => {
            let word = if closed { t.closed } else { t.open };
            let still_on = (closed && !line.should_be_closed).then(|| view! { " "<strong>{t.still_on}</strong> });
            view! { {word}{still_on}" "<span class="muted"><Ago at /></span> }.into_any()
        }
        None => view! { <span class="muted">{t.never}</span> }.into_any(),
    };
    let word = if line.unreadable { t.unreadable } else { t.lost };
    let lost = line.lost_since.map(|at| view! { " "<span class="muted">{word}" "<At at /></span> });
    view! {
        <tr>
            <th scope="row"><a href=format!("/rooms/{}", line.meter)>{line.room.to_string()}</a></th>
            <td>{line.residents.clone()}</td>
            <td class="num">{line.number.clone()}</td>
            <td class="number">{line.owed.to_string()}</td>
            <td><At at=line.since /></td>
            <td>{relay}{lost}</td>
        </tr>
    }
}
