//! The inbox of cases: what waits for a person, who works on it, and by when.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, choice, page_param, pager, param};
use crate::i18n::operator::texts;
use crate::i18n::{account_lifecycle, case_work, cases, lang, reconcile, refunds};
use crate::ports::{allowed, may, now, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::case::CaseKind;
use model::console::{CaseLine, CaseOwner, CaseQuery, Page};
use model::permission::Permission;

/// The page: `/cases?kind=delivery&owner=mine&due=over`, and `/cases?state=closed`.
#[component]
pub fn CasesPage() -> impl IntoView {
    let query = CaseQuery {
        closed: param("state") == "closed",
        kind: CaseKind::parse(&param("kind")),
        owner: CaseOwner::parse(&param("owner")),
        overdue: param("due") == "over",
        text: param("q").chars().take(100).collect(),
        page: page_param(),
    };
    let asked = query.clone();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.cases.cases(&who, &asked).await
    };
    load(read, move |page| view! { <List page query /> }.into_any())
}

#[component]
fn List(page: Page<CaseLine>, query: CaseQuery) -> impl IntoView {
    let (t, w, lang) = (texts(lang()), case_work::texts(lang()), lang());
    let tab = if query.closed { "/cases?state=closed" } else { "/cases" };
    let (kind, owner) = (query.kind.map_or("", CaseKind::as_str), query.owner.map_or("", CaseOwner::as_str));
    let (state, due) = (if query.closed { "closed" } else { "" }, if query.overdue { "over" } else { "" });
    let here = address("/cases", &[("state", state), ("kind", kind), ("owner", owner), ("due", due), ("q", &query.text)]);
    let filtered = here != tab;
    let [open, closed] = [false, true].map(|closed| (query.closed == closed).then_some("page"));
    let kinds = CaseKind::ALL.map(|kind| (kind.as_str(), cases::case(kind, lang).name)).to_vec();
    let owners = vec![(CaseOwner::Mine.as_str(), w.mine), (CaseOwner::Nobody.as_str(), w.nobody)];
    let ticks = !query.closed && may(Permission::Cases) && !page.lines.is_empty();
    let rows = page.lines.iter().map(|line| row(line, ticks)).collect_view();
    let table = view! {
        <TableScroll label=t.cases>
            <table class="table sticky stacked">
                <caption class="visually-hidden">{t.cases}</caption>
                <thead>
                    <tr>
                        {ticks.then(|| view! { <th scope="col"><span class="visually-hidden">{w.choose}</span></th> })}
                        <th scope="col">{w.case}</th>
                        <th scope="col">{t.room}</th>
                        <th scope="col">{w.since}</th>
                        <th scope="col">{if query.closed { t.closed } else { w.due }}</th>
                        <th scope="col">{w.owner}</th>
                        <th scope="col">{if query.closed { t.resolution } else { t.next_step }}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
    };
    let list = if page.lines.is_empty() {
        let nothing = if filtered && !query.closed {
            w.none_match
        } else if query.closed {
            t.no_closed_cases
        } else {
            t.no_cases
        };
        view! { <p class="empty">{nothing}</p> }.into_any()
    } else if ticks {
        view! {
            <form class="bulk" method="post" action="/api/operator/cases/bulk">
                <input type="hidden" name="back" value=here.clone() />
                {table}
                <fieldset class="filter">
                    <legend>{w.chosen}</legend>
                    <label class="filter-field wide">
                        <span>{t.resolution}</span>
                        <input name="resolution" maxlength="500" aria-describedby="resolution-hint" autocomplete="off" />
                    </label>
                    // The first button is what Enter in the field above does.
                    <button name="what" value="close">{w.close_chosen}</button>
                    <button name="what" value="take">{w.take}</button>
                    <p class="hint" id="resolution-hint">{t.resolution_hint}</p>
                    <p class="hint">{w.bulk_hint}</p>
                </fieldset>
            </form>
        }
        .into_any()
    } else {
        table.into_any()
    };
    view! {
        <Frame title=t.cases section=Section::Cases>
            <div class="page-head">
                <h1>{t.cases}</h1>
                <nav class="tabs" aria-label=t.state>
                    <a href="/cases" aria-current=open>{t.open_cases}</a>
                    <a href="/cases?state=closed" aria-current=closed>{t.closed_cases}</a>
                </nav>
            </div>
            <Notice />
            <form class="filter" action="/cases">
                {query.closed.then(|| view! { <input type="hidden" name="state" value="closed" /> })}
                {choice("kind", w.kind, kind, kinds)}
                {choice("owner", w.owner, owner, owners)}
                {(!query.closed).then(|| choice("due", w.due, due, vec![("over", w.overdue)]))}
                <label class="filter-field">
                    <span>{w.place}</span>
                    <input type="search" name="q" maxlength="100" value=query.text />
                </label>
                <button>{t.filter}</button>
                {filtered.then(|| view! { <a href=tab>{t.clear}</a> })}
            </form>
            {list}
            {pager(&page, query.page, &here)}
        </Frame>
    }
}

fn row(line: &CaseLine, ticks: bool) -> impl IntoView + use<> {
    let (words, w, t) = (cases::of_line(line, lang()), case_work::texts(lang()), texts(lang()));
    let (here, is_closed) = (format!("/cases/{}", line.id), line.closed_at.is_some());
    let tick = ticks.then(|| {
        let label = format!("{} {}", w.choose, words.name);
        let value = format!("{}:{}", line.id, line.steps);
        view! {
            <td><label class="check"><input type="checkbox" name="cases[]" value=value aria-label=label /></label></td>
        }
    });
    let place = match (&line.room, line.meter) {
        (Some(room), Some(meter)) => view! { <a href=format!("/rooms/{meter}")>{room.to_string()}</a> }.into_any(),
        _ => view! { <span class="muted">{w.site}</span> }.into_any(),
    };
    let when = match line.closed_at {
        Some(at) => view! { <At at /> }.into_any(),
        None if line.due_at < now() => view! { <strong class="bad"><At at=line.due_at />" · "{w.overdue}</strong> }.into_any(),
        None => view! { <At at=line.due_at /> }.into_any(),
    };
    let by = line.closed_by.clone().or_else(|| line.owner.clone().map(|(_, name)| name));
    let last = if line.closed_at.is_some() {
        cases::resolution(line.resolution.as_deref().unwrap_or_default(), lang()).into_any()
    } else {
        next(line)
    };
    view! {
        <tr>
            {tick}
            <th scope="row"><a href=here>{words.name}</a></th>
            <td data-label=t.room>{place}</td>
            <td data-label=w.since><At at=line.opened_at /></td>
            <td data-label=if is_closed { t.closed } else { w.due }>{when}</td>
            <td data-label=w.owner>{by.unwrap_or_else(|| "—".to_owned())}</td>
            <td class="long">{last}</td>
        </tr>
    }
}

/// The next step as a link to where it is done; to the case itself where this person may not do it.
fn next(line: &CaseLine) -> AnyView {
    let t = texts(lang());
    let refund = line.refunds.map(|order| (format!("/refunds/of/{order}"), refunds::texts(lang()).give_back));
    let day = cases::settlement(&line.detail).map(|day| (day, reconcile::texts(lang()).reconcile));
    let closing = line.detail.closing();
    let closing = closing.map(|id| (format!("/closings/{id}"), account_lifecycle::texts(lang()).see));
    let step = refund.or(day).or(closing).filter(|(address, _)| allowed(address));
    let again = line.held && may(Permission::Cases);
    let (address, word) =
        step.unwrap_or_else(|| (format!("/cases/{}", line.id), if again { t.try_again } else { case_work::texts(lang()).see }));
    view! { <a class="button" href=address>{word}</a> }.into_any()
}
