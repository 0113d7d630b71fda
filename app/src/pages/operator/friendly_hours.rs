//! Friendly hours and emergency credit of a place or group, the public holidays, and the meters that missed a change.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, param};
use crate::api::friendly_hours::{FriendlyView, PAGE};
use crate::i18n::friendly::{
    Begins, FromPlace, HoldsUntil, Imported, NeverRead, RemoveYear, WrongFile, WrongLine, YearTitle, texts,
};
use crate::i18n::{common, defaults, lang, settings};
use crate::link;
use crate::ports::{now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::defaults::DefaultsOf;
use model::friendly::{CreditPeriod, FriendlyHours, HolidayFault, MinuteOfDay, PreviewDay, Straggler};
use model::time::Date;

/// The page: `/settings/friendly-hours`, or with `?of=...` for a building, a floor, a room or a group.
#[component]
pub fn FriendlyHoursPage() -> impl IntoView {
    let (of, year) = (param("of").parse().ok(), param("year").parse().ok());
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.friendly_hours.friendly_hours(&who, of, year).await
    };
    load(read, |found| match found {
        Some(shown) => view! { <Body shown /> }.into_any(),
        None => view! { <Nothing /> }.into_any(),
    })
}

#[component]
fn Nothing() -> impl IntoView {
    let (t, s) = (texts(lang()), settings::texts(lang()));
    view! {
        <Frame title=t.title section=Section::Settings>
            <h1>{t.title}</h1>
            <p class="empty">{s.no_places}" "<a href="/import">{s.to_import}</a></p>
        </Frame>
    }
}

fn page(of: DefaultsOf) -> String {
    link::with(PAGE, "of", &of.to_string())
}

#[component]
fn Body(shown: FriendlyView) -> impl IntoView {
    let t = texts(lang());
    let title = format!("{} · {}", t.title, defaults::named(shown.of, &shown.name, lang()));
    let above = shown.above.iter().map(|(id, name)| {
        view! { <li><a href=page(DefaultsOf::Place(*id))>{name.clone()}</a></li> }
    });
    let crumbs = (!shown.above.is_empty()).then(|| {
        view! { <nav aria-label=t.above><ol class="crumbs">{above.collect_view()}</ol></nav> }
    });
    view! {
        <Frame title=title.clone() section=Section::Settings>
            {crumbs}
            <h1>{title}</h1>
            <p class="muted">{t.lead}</p>
            <Notice />
            {outcome()}
            <div class="halves">
                <div class="stack">{applies(&shown)} {form(&shown)}</div>
                <div class="stack">{below(&shown)} {import(shown.of)} {stragglers(&shown.stragglers, shown.never_read)}</div>
            </div>
            {year(&shown)}
        </Frame>
    }
}

/// The outcome of the last form, from the address.
fn outcome() -> Option<AnyView> {
    let t = texts(lang());
    let (count, line) = (param("imported").parse::<i64>().ok(), param("line").parse::<u32>().unwrap_or(0));
    let ends = param("first").parse::<Date>().ok().zip(param("last").parse::<Date>().ok());
    let (tone, words) = if let Some(fault) = HolidayFault::parse(&param("wrong")) {
        let fault = fault_of(fault);
        let words = if line > 0 { WrongLine { line, fault }.text(lang()) } else { WrongFile { fault }.text(lang()) };
        (Tone::Bad, words)
    } else if let Some((count, (first, last))) = count.zip(ends) {
        (Tone::Good, Imported { count, first, last }.text(lang()))
    } else if param("done") == "saved" {
        (Tone::Good, t.saved.to_owned())
    } else if param("done") == "removed" {
        (Tone::Good, t.removed.to_owned())
    } else {
        return None;
    };
    Some(view! { <Callout tone><p>{words}</p></Callout> }.into_any())
}

fn fault_of(fault: HolidayFault) -> &'static str {
    let t = texts(lang()).fault;
    match fault {
        HolidayFault::Unreadable => t.unreadable,
        HolidayFault::Day => t.day,
        HolidayFault::Kind => t.kind,
        HolidayFault::Twice => t.twice,
        HolidayFault::Event => t.event,
        HolidayFault::Count => t.count,
    }
}

/// What applies here, since where, and what holds now.
fn applies(shown: &FriendlyView) -> impl IntoView + use<> {
    let t = texts(lang());
    let from = match &shown.effective {
        None => t.not_set.to_owned(),
        Some((_, of, _)) if *of == shown.of => t.set_here.to_owned(),
        Some((_, of, name)) => FromPlace { place: defaults::named(*of, name, lang()) }.text(lang()),
    };
    let now = now();
    let holds = shown.effective.is_some().then(|| match (shown.until, shown.next) {
        (Some(until), _) => HoldsUntil { until: common::at(until, now, lang()) }.text(lang()),
        (None, Some(at)) => Begins { at: common::at(at, now, lang()) }.text(lang()),
        (None, None) => t.never.to_owned(),
    });
    view! {
        <section class="card stack-tight">
            <h2>{t.applies}</h2>
            <p>{from}</p>
            {holds.map(|words| view! { <p>{words}</p> })}
        </section>
    }
}

fn tick(name: &'static str, checked: bool, label: &'static str) -> impl IntoView {
    view! { <label class="check"><input type="checkbox" name=name value="1" checked=checked />{label}</label> }
}

fn input(name: &'static str, kind: &'static str, value: String, (label, hint): (&'static str, &'static str)) -> impl IntoView {
    let hint_id = (!hint.is_empty()).then(|| format!("{name}-hint"));
    let described = hint_id.clone();
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input class="input" id=name name=name type=kind value=value autocomplete="off" maxlength="10"
                aria-describedby=described />
            {hint_id.map(|id| view! { <p class="hint" id=id>{hint}</p> })}
        </div>
    }
}

/// The form, filled with its own values, else with those that it inherits.
fn form(shown: &FriendlyView) -> impl IntoView + use<> {
    let t = texts(lang());
    let inherited = || shown.effective.as_ref().map(|(hours, ..)| hours.clone());
    let hours: FriendlyHours = shown.own.clone().or_else(inherited).unwrap_or_default();
    let is_group = matches!(shown.of, DefaultsOf::Group(_));
    let time = |of: Option<MinuteOfDay>| of.map(|minute| minute.to_string()).unwrap_or_default();
    let ranges = hours.examinations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let periods = [(CreditPeriod::Week, t.week), (CreditPeriod::Month, t.month), (CreditPeriod::Term, t.term)];
    let periods = periods.map(|(period, word)| {
        let is_chosen = period == hours.period;
        view! { <option value=period.as_str() selected=is_chosen>{word}</option> }
    });
    let of = shown.of.to_string();
    let removes = shown.own.is_some().then(|| {
        view! {
            <form class="stack-tight" method="post" action="/api/operator/settings/friendly-hours">
                <input type="hidden" name="of" value=of.clone() />
                <input type="hidden" name="form[inherit]" value="1" />
                <p class="hint">{t.inherit_hint}</p>
                <div class="buttons"><button>{t.inherit}</button></div>
            </form>
        }
    });
    view! {
        <section class="card stack-tight">
            <h2>{if is_group { t.group_form } else { t.form }}</h2>
            <p class="hint">{t.form_hint}</p>
            <form class="stack-tight" method="post" action="/api/operator/settings/friendly-hours">
                <input type="hidden" name="of" value=shown.of.to_string() />
                <fieldset class="stack-tight">
                    <legend>{t.night}</legend>
                    <div class="field-grid">
                        {input("form[night_from]", "time", time(hours.night.map(|night| night.from)), (t.night_from, ""))}
                        {input("form[night_until]", "time", time(hours.night.map(|night| night.until)), (t.night_until, ""))}
                    </div>
                    <p class="hint">{t.night_hint}</p>
                </fieldset>
                {tick("form[weekends]", hours.weekends, t.weekends)}
                {tick("form[holidays]", hours.holidays, t.holidays)}
                <div class="field">
                    <label for="form[examinations]">{t.examinations}</label>
                    <textarea class="input" id="form[examinations]" name="form[examinations]" rows="3" maxlength="400"
                        aria-describedby="examinations-hint">{ranges}</textarea>
                    <p class="hint" id="examinations-hint">{t.examinations_hint}</p>
                </div>
                {input("form[overdraft]", "text", hours.overdraft.to_string(), (t.overdraft, t.overdraft_hint))}
                {input("form[emergency]", "text", hours.emergency.to_string(), (t.emergency, t.emergency_hint))}
                <div class="field">
                    <label for="form[period]">{t.period}</label>
                    <select class="input" id="form[period]" name="form[period]">{periods.collect_view()}</select>
                </div>
                <div class="buttons"><button class="primary">{t.save}</button></div>
            </form>
            {removes}
        </section>
    }
}

fn below(shown: &FriendlyView) -> Option<impl IntoView + use<>> {
    let t = texts(lang());
    let rows = shown.below.iter().map(|(of, name, is_own)| {
        let (word, class) = if *is_own { (t.own, "strong") } else { (t.inherited, "muted") };
        let name = defaults::named(*of, name, lang());
        view! { <tr><th scope="row"><a href=page(*of)>{name}</a></th><td class=class>{word}</td></tr> }
    });
    let rows = rows.collect_view();
    (!shown.below.is_empty()).then(|| {
        view! {
            <section class="card stack-tight">
                <h2>{t.groups_too}</h2>
                <TableScroll label=t.groups_too>
                    <table class="table">
                        <caption class="visually-hidden">{t.groups_too}</caption>
                        <thead><tr><th scope="col">{t.place}</th><th scope="col">{t.title}</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </TableScroll>
            </section>
        }
    })
}

fn import(of: DefaultsOf) -> impl IntoView {
    let (t, action) = (texts(lang()), link::with("/api/operator/settings/holidays", "of", &of.to_string()));
    view! {
        <section class="card stack-tight">
            <h2>{t.import}</h2>
            <p class="hint">{t.import_hint}</p>
            <form class="stack-tight narrow-form" method="post" action=action enctype="multipart/form-data">
                <label class="field">
                    <span>{t.import_file}</span>
                    <input class="input" type="file" name="file" accept=".csv,.ics,text/csv,text/calendar" required />
                </label>
                <div class="buttons"><button class="primary">{t.import_do}</button></div>
            </form>
        </section>
    }
}

fn stragglers(lines: &[Straggler], never_read: usize) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = lines.iter().map(|one| {
        let state = if one.lost_since.is_some() { t.lost } else { t.answers };
        view! {
            <tr>
                <th scope="row"><a href=format!("/rooms/{}", one.meter)>{one.room.to_string()}</a></th>
                <td class="number">{one.wanted.to_string()}</td>
                <td class="number">{one.shown.to_string()}</td>
                <td><At at=one.since /></td>
                <td>{state}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let table = if lines.is_empty() {
        view! { <p>{t.no_stragglers}</p> }.into_any()
    } else {
        view! {
            <p class="hint">{t.stragglers_hint}</p>
            <TableScroll label=t.stragglers>
                <table class="table">
                    <caption class="visually-hidden">{t.stragglers}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.room}</th>
                            <th scope="col" class="number">{t.wanted}</th>
                            <th scope="col" class="number">{t.shown}</th>
                            <th scope="col">{t.since}</th>
                            <th scope="col">{t.state}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        }
        .into_any()
    };
    let unread = i64::try_from(never_read).ok().filter(|count| *count > 0);
    let unread = unread.map(|count| view! { <p>{NeverRead { count }.text(lang())}</p> });
    view! { <section class="card stack-tight" id="stragglers"><h2>{t.stragglers}</h2>{table}{unread}</section> }
}

/// The days of the year, with links to the years beside it.
fn year(shown: &FriendlyView) -> impl IntoView + use<> {
    let t = texts(lang());
    let number = shown.days.first().map_or(0, |day| day.day.ymd().0);
    let here = page(shown.of);
    let to = |year: i64| format!("{}#year", address(&here, &[("year", &year.to_string())]));
    let months = shown.days.chunk_by(|one, next| one.day.ymd().1 == next.day.ymd().1);
    let months = months.map(|days| month(days, shown.today)).collect_view();
    view! {
        <section class="card stack-tight" id="year">
            <div class="page-head">
                <h2>{YearTitle { year: number }.text(lang())}</h2>
                <nav class="buttons no-print" aria-label=t.year>
                    <a class="button" rel="prev" href=to(number - 1)>{number - 1}</a>
                    <a class="button" rel="next" href=to(number + 1)>{number + 1}</a>
                </nav>
            </div>
            <p class="hint">{t.year_hint}</p>
            <div class="year">{months}</div>
            <details class="no-print">
                <summary>{RemoveYear { year: number }.text(lang())}</summary>
                <form class="stack-tight" method="post" action="/api/operator/settings/remove-holidays">
                    <input type="hidden" name="of" value=shown.of.to_string() />
                    <input type="hidden" name="year" value=number.to_string() />
                    <p class="hint">{t.remove_hint}</p>
                    <div class="buttons"><button>{t.remove}</button></div>
                </form>
            </details>
        </section>
    }
}

fn month(days: &[PreviewDay], today: Date) -> impl IntoView + use<> {
    let number = days.first().map_or(1, |day| day.day.ymd().1);
    let empty = days.first().map_or(0, |day| day.day.weekday());
    let heads = (0..7).map(|n| view! { <th scope="col">{common::weekday(n, lang())}</th> }).collect_view();
    // Blanks before the first day, so that the weekdays stand below each other.
    let cells: Vec<Option<&PreviewDay>> = (0..empty).map(|_| None).chain(days.iter().map(Some)).collect();
    let weeks = cells.chunks(7).map(|week| {
        let cells = week.iter().map(|day| match day {
            Some(day) => cell(day, today),
            None => view! { <td></td> }.into_any(),
        });
        view! { <tr>{cells.collect_view()}</tr> }
    });
    let weeks = weeks.collect_view();
    view! {
        <table class="month">
            <caption>{common::month(number, lang())}</caption>
            <thead><tr>{heads}</tr></thead>
            <tbody>{weeks}</tbody>
        </table>
    }
}

fn cell(day: &PreviewDay, today: Date) -> AnyView {
    let is_today = day.day == today;
    let class = format!("{}{}", if day.is_off { "day-kind-1" } else { "muted" }, if is_today { " today" } else { "" });
    let title = (!day.name.is_empty()).then(|| day.name.clone());
    // Not by colour alone.
    let mark = day.is_off.then(|| view! { <span class="kind-letter" aria-hidden="true">"●"</span> });
    let words = [day.is_off.then(|| texts(lang()).off_day.to_owned()), title.clone()];
    let words = words.into_iter().flatten().map(|words| format!(" {words}")).collect::<String>();
    view! {
        <td class=class title=title aria-current=is_today.then_some("date")>
            {day.day.ymd().2}{mark}<span class="visually-hidden">{words}</span>
        </td>
    }
    .into_any()
}
