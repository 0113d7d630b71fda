//! The search results; a single room is opened directly.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{age, amount, param, state_cell};
use crate::i18n::lang;
use crate::i18n::operator::texts;
use crate::ports::{operator, ports, reply};
use crate::ui::load::load;
use model::console::MeterLine;

/// The page: `/search?q=301`.
#[component]
pub fn SearchPage() -> impl IntoView {
    let q = param("q");
    let text = q.clone();
    let read = async move {
        let (ports, who, reply) = (ports()?, operator()?, reply()?);
        let found = ports.meter_wall.search(&who, &text).await?;
        if let [only] = &found[..] {
            reply.redirect(&format!("/rooms/{}", only.latest.meter));
        }
        Ok(found)
    };
    load(read, move |found| view! { <Found found q /> }.into_any())
}

#[component]
fn Found(found: Vec<MeterLine>, q: String) -> impl IntoView {
    let t = texts(lang());
    let rows = found.iter().map(|line| {
        view! {
            <tr>
                <th scope="row"><a href=format!("/rooms/{}", line.latest.meter)>{line.room.to_string()}</a></th>
                <td>{line.residents.clone()}</td>
                <td>{state_cell(&line.latest)}</td>
                <td class="number">{amount(&line.latest)}</td>
                <td class="number">{age(&line.latest)}</td>
            </tr>
        }
    });
    let table = view! {
        <div class="table-scroll" tabindex="0">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">{t.room}</th>
                        <th scope="col">{t.residents}</th>
                        <th scope="col">{t.state}</th>
                        <th scope="col" class="number">{t.remaining_yuan}</th>
                        <th scope="col" class="number">{t.age}</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    };
    let body = if found.is_empty() { view! { <p class="empty">{t.nothing_found}</p> }.into_any() } else { table.into_any() };
    view! {
        <Frame title=t.search_results section=Section::Wall q>
            <h1>{t.search_results}</h1>
            {body}
        </Frame>
    }
}
