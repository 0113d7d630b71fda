//! The active and ended alarms, with their reasons, who acknowledged them and who works on them.

pub mod alarm;
mod preview;
pub mod rules;
pub mod silences;

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, choice, page_param, pager, param, wrong_days};
use crate::api::form::day;
use crate::i18n::events::{event, texts};
use crate::i18n::{alarms, common, lang, operator, reports};
use crate::ports::{allowed, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::abnormal_use::AbnormalKind;
use model::alarm::AlarmLevel;
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
    level: String,
    mine: bool,
}

/// The page: `/alarms?state=over&kind=overload&building=3号楼&since=2026-11-01&page=2`.
#[component]
pub fn AlarmsPage() -> impl IntoView {
    let kind = EventKind::parse(&param("kind"));
    let (building, since, level) = (param("building"), param("since"), param("level"));
    let (over, mine) = (param("state") == "over", param("mine") == "1");
    let filter = AlarmFilter { over, kind, building, since, level, mine };
    let number = page_param();
    let query = EventQuery {
        over: filter.over,
        kind,
        building: filter.building.chars().take(100).collect(),
        since: day(&filter.since),
        level: filter.level.parse().ok().and_then(AlarmLevel::from_code),
        mine,
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
    let AlarmFilter { over, kind, building, since, level, mine } = filter;
    let kind = kind.map_or("", EventKind::as_str);
    let (tab, state) = if over { ("/alarms?state=over", "over") } else { ("/alarms", "") };
    let mine = if mine { "1" } else { "" };
    let params =
        [("state", state), ("kind", kind), ("building", &*building), ("since", &*since), ("level", &*level), ("mine", mine)];
    let here = address("/alarms", &params);
    let a = alarms::texts(lang);
    let levels = AlarmLevel::ALL.map(|one| (alarms::level_code(one), alarms::level(one, lang))).to_vec();
    let links = [("/alarms/silences", a.silences), ("/alarms/rules", a.rules)].into_iter().filter(|(path, _)| allowed(path));
    let links = links.map(|(path, word)| view! { <a class="button" href=path>{word}</a> }).collect_view();
    let (filtered, days) = (here != tab, wrong_days(&since, ""));
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
                <span class="buttons">{links}</span>
            </div>
            <Notice />
            <form class="filter" action="/alarms">
                {over.then(|| view! { <input type="hidden" name="state" value="over" /> })}
                {choice("kind", t.kind, kind, kinds)}
                {choice("level", a.level, &level, levels)}
                {choice("mine", a.assigned, mine, vec![("1", a.to_me)])}
                {choose_building(t.building, c.all, &building, buildings)}
                <label class="filter-field"><span>{t.began_from}</span><input type="date" name="since" value=since /></label>
                <button>{c.filter}</button>
                {filtered.then(|| view! { <a href=tab>{c.clear}</a> })}
            </form>
            {days}
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
                            <th scope="col">{a.assigned}</th>
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
    let (words, t, a) = (event(line.kind, lang()), texts(lang()), alarms::texts(lang()));
    view! {
        <tr>
            <th scope="row">{place(line)}</th>
            <td class="long">
                <a href=format!("/alarms/{}", line.id)><strong>{words.name}</strong></a>
                {tags(line)}
                " "
                <span class="muted">{words.reason}{figures(line)}</span>
            </td>
            <td data-label=t.since><At at=line.since /></td>
            {line.until.map(|at| view! { <td data-label=t.until><At at /></td> })}
            <td class="long" data-label=t.next>{words.next}</td>
            <td data-label=line.seen.is_some().then_some(t.seen)>{seen(line, here)}</td>
            <td data-label=line.assigned.is_some().then_some(a.assigned)>
                {line.assigned.as_ref().map(|(_, name)| name.clone())}
            </td>
        </tr>
    }
}

/// Where it is, as a link.
fn place(line: &EventLine) -> AnyView {
    match (&line.meter, &line.gateway, &line.instrument) {
        (Some((meter, room)), ..) => view! { <a href=format!("/rooms/{meter}")>{room.to_string()}</a> }.into_any(),
        (None, Some((id, name)), _) => view! { <a href=format!("/gateways/{id}")>{name.clone()}</a> }.into_any(),
        (None, None, Some((id, name))) => view! { <a href=format!("/instruments/{id}")>{name.clone()}</a> }.into_any(),
        (None, None, None) => part(line).into_any(),
    }
}

/// The part of the server that it is about.
pub fn part(line: &EventLine) -> &'static str {
    line.channel.map_or(texts(lang()).site, |channel| alarms::channel(channel, lang()))
}

/// Its level, and whether it is silenced or suspended.
pub fn tags(line: &EventLine) -> impl IntoView + use<> {
    let a = alarms::texts(lang());
    let level = line.level.map(|level| {
        let class = match level {
            AlarmLevel::Urgent => "state arrears",
            AlarmLevel::Warning => "state alarm2",
            AlarmLevel::Notice => "state quiet",
        };
        view! { " "<span class=class>{alarms::level(level, lang())}</span> }
    });
    let others = [(line.is_silenced, a.silenced), (line.is_suspended, a.suspended)];
    let others =
        others.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| view! { " "<span class="state quiet">{word}</span> });
    view! { {level}{others.collect_view()} }
}

/// The values measured when it started.
pub fn figures(line: &EventLine) -> String {
    let (number, yuan) = (|key: &str| line.figure(key), common::yuan(lang()));
    let all = [
        number("power_w").map(|w| format!("{w} W")),
        number("step_w").map(|w| format!("+{w} W")),
        number("limit_w").map(|w| format!("> {w} W")),
        number("remaining_fen").map(|fen| format!("{} {yuan}", Fen(fen))),
        number("limit_fen").map(|fen| format!("< {} {yuan}", Fen(fen))),
        number("current_ca").map(|ca| format!("{}.{:02} A", ca / 100, ca % 100)),
        number("from").zip(number("to")).map(|(from, to)| format!("{from} → {to}")),
        number("last_total_wh").map(|wh| format!("{} kWh → 0", model::energy::Energy(wh))),
        number("reverse_wh").map(|wh| format!("{} kWh", model::energy::Energy(wh))),
        Some(line.words("items").join(", ")).filter(|items| !items.is_empty()),
        Some(unusual(line)).filter(|kinds| !kinds.is_empty()),
        number("minutes").map(|minutes| format!("{minutes} min")),
        number("hours").map(|hours| format!("{hours} h")),
        number("days").map(|days| format!("{days} d")),
        number("free_percent").map(|percent| format!("{percent} %")),
        number("an_hour").map(|count| format!("{count}/h")),
        number("payments").map(|count| count.to_string()),
        number("step_s").map(|s| format!("{s:+} s")),
    ];
    let said: Vec<String> = all.into_iter().flatten().collect();
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}

/// What was unusual in a room on the day before.
fn unusual(line: &EventLine) -> String {
    let kinds = line.words("unusual");
    let kinds = kinds.iter().filter_map(|kind| AbnormalKind::parse(kind)).map(|kind| reports::abnormal(kind, lang()));
    kinds.collect::<Vec<_>>().join(", ")
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
