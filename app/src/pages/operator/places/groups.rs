//! The groups.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::done;
use crate::i18n::lang;
use crate::i18n::places::texts;
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::console::PlaceGroupLine;

/// The page: `/places/groups`.
#[component]
pub fn GroupsPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.places.groups(&who).await
    };
    load(read, |groups| view! { <List groups /> }.into_any())
}

#[component]
fn List(groups: Vec<PlaceGroupLine>) -> impl IntoView {
    let t = texts(lang());
    let rows = groups.iter().map(|group| {
        view! {
            <tr>
                <th scope="row"><a href=format!("/places/groups/{}", group.id)>{group.name.clone()}</a></th>
                <td class="number">
                    {group.places}
                    {(group.elsewhere > 0).then(|| view! { <div class="small muted">{t.elsewhere}" "{group.elsewhere}</div> })}
                </td>
                <td class="number">{group.meters}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Frame title=t.groups section=Section::Places>
            <div class="stack-tight">
                <p class="small"><a href="/places">{t.title}</a></p>
                <h1>{t.groups}</h1>
            </div>
            <p class="hint">{t.groups_lead}</p>
            <Notice />
            {done()}
            <TableScroll label=t.groups>
                <table class="table">
                    <caption class="visually-hidden">{t.groups}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.name}</th>
                            <th scope="col" class="number">{t.members}</th>
                            <th scope="col" class="number">{t.meters}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {groups.is_empty().then(|| view! { <p class="empty">{t.no_groups}</p> })}
            <form class="card stack-tight narrow-form" method="post" action="/api/operator/places/add-group">
                <h2>{t.create_group}</h2>
                <label class="field">
                    <span>{t.group_name}</span>
                    <input class="input" name="name" required maxlength="40" autocomplete="off" />
                </label>
                <button>{t.create_group}</button>
            </form>
        </Frame>
    }
}
