//! Accounts that are opened or closed together: the list of batches, and what the forms share.

pub mod batch;
pub mod close;
pub mod open;

use leptos::prelude::*;

use super::commands::new::{all, place_choice};
use super::frame::{Frame, Section};
use super::parts::{form_again, page_param, pager, param};
use crate::i18n::account_batches::{kind, obstacle, texts};
use crate::i18n::lang;
use crate::link;
use crate::ports::{operator, ports, visit};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{AccountBatchLine, Building, Page, PlaceGroupLine, ROOMS_MAX, RoomName, RoomObstacle};

/// Rooms that are listed by name; further ones are only counted.
const NAMED: usize = 400;

/// Buildings and groups to choose from.
type Choices = (Vec<Building>, Vec<PlaceGroupLine>);

/// The page: `/accounts/batches?page=2`.
#[component]
pub fn BatchesPage() -> impl IntoView {
    let number = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.account_batches.account_batches(&who, number).await
    };
    load(read, move |page| view! { <List page number /> }.into_any())
}

#[component]
fn List(page: Page<AccountBatchLine>, number: i64) -> impl IntoView {
    let t = texts(lang());
    let some = |n: i64| (n > 0).then(|| n.to_string());
    let rows = page.lines.iter().map(|line| {
        view! {
            <tr>
                <th scope="row"><a href=format!("/accounts/batches/{}", line.id)>{kind(line.kind, lang())}</a></th>
                <td><At at=line.decided_at /></td>
                <td>{line.by.clone()}</td>
                <td class="long">{line.reason.clone()}</td>
                <td class="number">{line.rooms}</td>
                <td class="number">{some(line.waiting)}</td>
                <td class="number">{some(line.refused)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Frame title=t.title section=Section::Accounts>
            <div class="page-head">
                <h1>{t.title}</h1>
                <div class="buttons">
                    <a class="button" href="/accounts/open-many">{t.open_many}</a>
                    <a class="button" href="/accounts/close-many">{t.close_many}</a>
                </div>
            </div>
            <p class="hint">{t.batches_lead}</p>
            <TableScroll label=t.title>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.kind}</th>
                            <th scope="col">{t.decided_at}</th>
                            <th scope="col">{t.by}</th>
                            <th scope="col">{t.reason}</th>
                            <th scope="col" class="number">{t.room}</th>
                            <th scope="col" class="number">{t.waiting}</th>
                            <th scope="col" class="number">{t.refused}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {page.lines.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
            {pager(&page, number, "/accounts/batches")}
        </Frame>
    }
}

/// The form that chooses rooms, with what was chosen before; `more` are its other fields.
fn choose(
    title: &'static str,
    lead: &'static str,
    hint: &'static str,
    action: &'static str,
    choices: &Choices,
    more: AnyView,
) -> impl IntoView + use<> {
    let t = texts(lang());
    let nothing = (param("step") == "preview").then(|| view! { <p class="notice warn" role="status">{t.choose_first}</p> });
    let rooms = place_choice(&choices.0, &choices.1, &all("place"));
    view! {
        <Frame title section=Section::Accounts>
            <h1>{title}</h1>
            <p class="hint">{lead}</p>
            <Notice />
            {nothing}
            <form class="issue" action=action>
                <input type="hidden" name="step" value="preview" />
                <section class="card stack-tight">
                    <h2>{t.r#where}</h2>
                    {rooms}
                    <label class="field">
                        <span>{t.lines}</span>
                        <textarea class="input" name="rooms" rows="4" maxlength=ROOMS_MAX.to_string()>{param("rooms")}</textarea>
                        <span class="hint">{hint}</span>
                    </label>
                </section>
                {more}
                <div class="buttons">
                    <button class="primary">{t.preview}</button>
                    <a class="button" href="/accounts">{t.back}</a>
                </div>
            </form>
        </Frame>
    }
}

/// The confirmation of a batch of `count` rooms: what it does, and the button that does it.
fn confirm(action: &'static str, count: usize, says: AnyView, hidden: Vec<(&'static str, String)>, button: AnyView) -> AnyView {
    let t = texts(lang());
    let back = form_again();
    let hidden: Vec<_> =
        hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect();
    let act = if count == 0 { ().into_any() } else { button };
    view! {
        <form class="card confirm" method="post" action=action>
            {says}
            {(count == 0).then(|| view! { <p>{t.nobody}</p> })}
            {hidden}
            <input type="hidden" name="back" value=link::without_error(&visit().here) />
            <div class="buttons">{act} <a class="button" href=back>{t.back}</a></div>
        </form>
    }
    .into_any()
}

/// The rooms that are left out, by reason, and the lines without a room.
fn left_out(rooms: &[(RoomName, RoomObstacle)], unknown: &[String]) -> impl IntoView + use<> {
    let t = texts(lang());
    let groups = rooms.chunk_by(|one, next| one.1 == next.1).map(|group| {
        let why = group.first().map_or("", |(_, why)| obstacle(*why, lang()));
        let names = listed(group.iter().map(|(room, _)| room.to_string()));
        view! { <dt>{why}" · "<span class="num">{group.len()}</span></dt><dd class="rooms-listed">{names}</dd> }
    });
    let groups = groups.collect_view();
    let groups = (!rooms.is_empty()).then(|| {
        view! { <section class="card stack-tight"><h2>{t.left_out}</h2><dl class="said">{groups}</dl></section> }
    });
    let lines = listed(unknown.iter().cloned());
    let lines = (!unknown.is_empty()).then(|| {
        view! { <section class="card stack-tight"><h2>{t.unknown}</h2><p class="rooms-listed">{lines}</p></section> }
    });
    (lines, groups)
}

fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let list = names.take(NAMED).collect::<Vec<_>>().join(" · ");
    if more > 0 { format!("{list} … +{more}") } else { list }
}
