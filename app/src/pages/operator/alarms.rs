//! The active and ended alarms, with their reasons and who acknowledged them.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, choice, page_param, pager, param};
use crate::api::form::day;
use crate::i18n::events::{event, texts};
use crate::i18n::{lang, operator};
use crate::ports::{allowed, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{EventLine, EventQuery, Page};
use model::event::EventKind;
use model::money::Fen;

/// The filter, as the page's form and links repeat it.
#[derive(Clone)]
struct AlarmFilter {
    over: bool,
    kind: Option<EventKind>,
    building: String,
    since: String,
}

/// The page: `/alarms?state=over&kind=overload&building=3号楼&since=2026-11-01&page=2`.
#[component]
pub fn AlarmsPage() -> impl IntoView {
    let kind = EventKind::parse(&param("kind"));
    let filter = AlarmFilter { over: param("state") == "over", kind, building: param("building"), since: param("since") };
    let number = page_param();
    let query = EventQuery {
        over: filter.over,
        kind,
        building: filter.building.chars().take(100).collect(),
        since: day(&filter.since),
        page: number,
    };
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.alarms.events(&who, &query).await
    };
    load(read, move |(page, buildings)| view! { <List page buildings number filter /> }.into_any())
}

#[component]
fn List(page: Page<EventLine>, buildings: Vec<String>, number: i64, filter: AlarmFilter) -> impl IntoView {
    let (t, c, lang) = (texts(lang()), operator::texts(lang()), lang());
    let AlarmFilter { over, kind, building, since } = filter;
    let kind = kind.map_or("", EventKind::as_str);
    let (tab, state) = if over { ("/alarms?state=over", "over") } else { ("/alarms", "") };
    let here = address("/alarms", &[("state", state), ("kind", kind), ("building", &*building), ("since", &*since)]);
    let filtered = here != tab;
    let kinds = EventKind::ALL.map(|kind| (kind.as_str(), event(kind, lang).name)).to_vec();
    let current = move |one: bool| (over == one).then_some("page");
    let rows = page.lines.iter().map(|line| row(line, &here)).collect_view();
    view! {
        <Frame title=t.title section=Section::Alarms>
            <div class="page-head">
                <h1>{t.title}</h1>
                <nav class="tabs" aria-label=c.state>
                    <a href="/alarms" aria-current=current(false)>{t.open}</a>
                    <a href="/alarms?state=over" aria-current=current(true)>{t.over}</a>
                </nav>
            </div>
            <Notice />
            <form class="filter" action="/alarms">
                {over.then(|| view! { <input type="hidden" name="state" value="over" /> })}
                {choice("kind", t.kind, kind, kinds)}
                {choose_building(t.building, c.all, &building, buildings)}
                <label class="filter-field"><span>{t.began_from}</span><input type="date" name="since" value=since /></label>
                <button>{c.filter}</button>
                {filtered.then(|| view! { <a href=tab>{c.clear}</a> })}
            </form>
            <TableScroll label=t.title>
                <table class="table sticky stacked">
                    <caption class="visually-hidden">{t.title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.place}</th>
                            <th scope="col">{t.reason}</th>
                            <th scope="col">{t.since}</th>
                            {over.then(|| view! { <th scope="col">{t.until}</th> })}
                            <th scope="col">{t.next}</th>
                            <th scope="col">{t.seen}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {page.lines.is_empty().then(|| view! { <p class="empty">{if over { t.none_over } else { t.none_open }}</p> })}
            {pager(&page, number, &here)}
        </Frame>
    }
}

fn choose_building(label: &'static str, all: &'static str, chosen: &str, buildings: Vec<String>) -> impl IntoView + use<> {
    let chosen = chosen.to_owned();
    let options = buildings.into_iter().map(|name| {
        let selected = name == chosen;
        view! { <option value=name.clone() selected=selected>{name.clone()}</option> }
    });
    view! {
        <label class="filter-field">
            <span>{label}</span>
            <select name="building"><option value="">{all}</option>{options.collect_view()}</select>
        </label>
    }
}

fn row(line: &EventLine, here: &str) -> impl IntoView + use<> {
    let (words, t) = (event(line.kind, lang()), texts(lang()));
    let place = match (&line.meter, &line.gateway, &line.instrument) {
        (Some((meter, room)), ..) => view! { <a href=format!("/rooms/{meter}")>{room.to_string()}</a> }.into_any(),
        (None, Some(gateway), _) => view! { <a href="/gateways">{gateway.clone()}</a> }.into_any(),
        (None, None, Some((id, name))) => view! { <a href=format!("/instruments/{id}")>{name.clone()}</a> }.into_any(),
        (None, None, None) => t.site.into_any(),
    };
    view! {
        <tr>
            <th scope="row">{place}</th>
            <td class="long"><strong>{words.name}</strong>" "<span class="muted">{words.reason}{figures(line)}</span></td>
            <td data-label=t.since><At at=line.since /></td>
            {line.until.map(|at| view! { <td data-label=t.until><At at /></td> })}
            <td class="long" data-label=t.next>{words.next}</td>
            <td data-label=line.seen.is_some().then_some(t.seen)>{seen(line, here)}</td>
        </tr>
    }
}

/// The values measured when it started.
pub fn figures(line: &EventLine) -> String {
    let number = |key: &str| line.figure(key);
    let all = [
        number("power_w").map(|w| format!("{w} W")),
        number("step_w").map(|w| format!("+{w} W")),
        number("limit_w").map(|w| format!("> {w} W")),
        number("remaining_fen").map(|fen| Fen(fen).to_string()),
        number("limit_fen").map(|fen| format!("< {}", Fen(fen))),
        number("current_ca").map(|ca| format!("{}.{:02} A", ca / 100, ca % 100)),
        number("from").zip(number("to")).map(|(from, to)| format!("{from} → {to}")),
        number("last_total_wh").map(|wh| format!("{} kWh → 0", model::energy::Energy(wh))),
        number("reverse_wh").map(|wh| format!("{} kWh", model::energy::Energy(wh))),
        Some(line.words("items").join(", ")).filter(|items| !items.is_empty()),
        number("step_s").map(|s| format!("{s:+} s")),
    ];
    let said: Vec<String> = all.into_iter().flatten().collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}

fn seen(line: &EventLine, here: &str) -> AnyView {
    let t = texts(lang());
    match &line.seen {
        Some((at, by)) => view! { <span class="muted">{by.clone()}" "<At at=*at /></span> }.into_any(),
        None if !allowed("/api/operator/acknowledge") => ().into_any(),
        None => view! {
            <form method="post" action="/api/operator/acknowledge">
                <input type="hidden" name="event" value=line.id.to_string() />
                <input type="hidden" name="back" value=here.to_owned() />
                <button>{t.see}</button>
            </form>
        }
        .into_any(),
    }
}
