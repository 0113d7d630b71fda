//! Commissioning: the checks of one meter with its acceptance, and the meters that nobody has accepted.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Section};
use super::parts::{age, page_param, pager, param, state_cell};
use crate::api::form::parse;
use crate::i18n::commissioning::{AcceptGood, AcceptedMany, check, item, reading, texts};
use crate::i18n::{lang, operator, room};
use crate::ports::{allowed, may, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{CheckState, Commissioning, Page, UnacceptedMeter};
use model::error::AppError;
use model::ids::MeterId;
use model::permission::Permission;

/// Accepts the meters of a page whose checks are all good.
const ACCEPT_GOOD: &str = "/api/operator/commissioning/accept-good";

/// The page: `/meters/:id/commissioning`.
#[component]
pub fn CommissioningPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.commissioning.commissioning(&who, parse::<MeterId>(&id).map_err(|_| AppError::NotFound)?).await
    };
    load(read, |meter| body(&meter).into_any())
}

fn body(meter: &Commissioning) -> impl IntoView + use<> {
    let (o, t) = (operator::texts(lang()), texts(lang()));
    let title = format!("{}: {}", t.title, meter.room);
    let said = match param("done").as_str() {
        "accepted" => Some(t.accepted_now),
        "read" => Some(room::texts(lang()).read_asked),
        _ => None,
    };
    let said = said.map(|words| view! { <Callout tone=Tone::Good><p>{words}</p></Callout> });
    let room_page = format!("/rooms/{}", meter.meter);
    let facts = view! {
        <section class="card">
            <dl class="facts">
                <dt>{o.serial}</dt><dd class="num">{meter.serial.clone()}</dd>
                <dt>{o.profile}</dt><dd>{meter.profile.clone()}</dd>
                <dt>{o.gateway}</dt><dd>{meter.gateway.clone()}" · "<span class="num">{meter.unit}</span></dd>
                <dt>{o.state}</dt><dd>{state_cell(&meter.latest)}" "{age(&meter.latest)}</dd>
            </dl>
            <form method="post" action="/api/operator/read-now">
                <input type="hidden" name="meter" value=meter.meter.to_string() />
                <input type="hidden" name="checks" value="1" />
                <button>{room::texts(lang()).read_now}</button>
            </form>
        </section>
    };
    let rows = meter.checks().map(|(one, state)| {
        let class = match state {
            CheckState::Good => "state open",
            CheckState::Differs => "state lost",
            CheckState::Unknown | CheckState::NotApplicable => "state not-open",
        };
        view! {
            <tr>
                <th scope="row">{item(one, lang())}</th>
                <td data-label=o.state><span class=class>{check(state, lang())}</span></td>
                <td data-label=o.detail class="long">{reading(meter, one, lang())}</td>
            </tr>
        }
    });
    let acceptance = acceptance(meter);
    view! {
        <Frame title=title.clone() section=Section::Meters>
            <nav class="small"><a href=room_page>{o.room}</a>" · "<a href="/commissioning">{t.list}</a></nav>
            <h1>{title}</h1>
            <Notice />
            {said}
            {facts}
            <TableScroll label=t.checks>
                <table class="table stacked">
                    <caption>{t.checks}</caption>
                    <thead>
                        <tr><th scope="col">{t.check}</th><th scope="col">{o.state}</th><th scope="col">{o.detail}</th></tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {acceptance}
        </Frame>
    }
}

/// By whom it was accepted, or the form to accept it, which says what is not good.
fn acceptance(meter: &Commissioning) -> AnyView {
    let t = texts(lang());
    if let Some(accepted) = &meter.accepted {
        let comment = (!accepted.comment.is_empty()).then(|| view! { <p>{accepted.comment.clone()}</p> });
        return view! {
            <section class="card stack-tight">
                <h2>{t.accepted_by}</h2>
                <p>{accepted.by.clone()}" · "<At at=accepted.at /></p>
                {comment}
            </section>
        }
        .into_any();
    }
    if !may(Permission::Estate) {
        return view! { <p class="muted">{t.not_accepted}</p> }.into_any();
    }
    let open = !meter.is_good();
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/commissioning/accept">
            <h2>{t.accept}</h2>
            <p class="hint">{t.accept_hint}</p>
            {open.then(|| view! { <Callout tone=Tone::Warn><p>{t.not_all_good}</p></Callout> })}
            <input type="hidden" name="meter" value=meter.meter.to_string() />
            <label class="field">
                <span>{t.comment}</span>
                <input class="input" name="comment" maxlength="200" required=open autocomplete="off" />
            </label>
            <button class="primary">{t.accept}</button>
        </form>
    }
    .into_any()
}

/// The page: `/commissioning?page=2`.
#[component]
pub fn UnacceptedPage() -> impl IntoView {
    let number = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.commissioning.unaccepted(&who, number).await
    };
    load(read, move |page| list(&page, number).into_any())
}

fn list(page: &Page<UnacceptedMeter>, number: i64) -> impl IntoView + use<> {
    let (o, t) = (operator::texts(lang()), texts(lang()));
    let rows = page.lines.iter().map(|line| {
        view! {
            <tr>
                <th scope="row"><a href=format!("/meters/{}/commissioning", line.latest.meter)>{line.room.to_string()}</a></th>
                <td data-label=o.state>{state_cell(&line.latest)}</td>
                <td data-label=o.age class="number">{age(&line.latest)}</td>
                <td data-label=o.gateway>{line.gateway.clone()}</td>
                <td data-label=o.unit class="number">{line.unit}</td>
                <td data-label=o.serial class="num">{line.serial.clone()}</td>
                <td data-label=t.checks>{if line.is_good { t.all_good } else { t.to_check }}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let shown: Vec<String> = page.lines.iter().filter(|line| line.is_good).map(|line| line.latest.meter.to_string()).collect();
    let good = u32::try_from(shown.len()).unwrap_or(u32::MAX);
    let accept = (good > 0 && allowed(ACCEPT_GOOD)).then(|| {
        view! {
            <form method="post" action=ACCEPT_GOOD>
                <input type="hidden" name="meters" value=shown.join(",") />
                <button class="primary wraps">{AcceptGood { count: good }.text(lang())}</button>
            </form>
        }
    });
    let accepted = param("accepted").parse::<u32>().ok().map(|count| {
        let tone = if count > 0 { Tone::Good } else { Tone::Plain };
        view! { <Callout tone=tone><p>{AcceptedMany { count }.text(lang())}</p></Callout> }
    });
    let (none, pager) = (page.lines.is_empty(), pager(page, number, "/commissioning"));
    view! {
        <Frame title=t.list section=Section::Meters>
            <nav class="small"><a href="/meters">{o.meters}</a></nav>
            <h1>{t.list}</h1>
            <Notice />
            {accepted}
            {accept}
            <TableScroll label=t.list>
                <table class="table stacked">
                    <caption class="visually-hidden">{t.list}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{o.room}</th>
                            <th scope="col">{o.state}</th>
                            <th scope="col" class="number">{o.age}</th>
                            <th scope="col">{o.gateway}</th>
                            <th scope="col" class="number">{o.unit}</th>
                            <th scope="col">{o.serial}</th>
                            <th scope="col">{t.checks}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {none.then(|| view! { <p class="empty">{t.all_accepted}</p> })}
            {pager}
        </Frame>
    }
}
