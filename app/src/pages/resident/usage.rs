//! Energy of the days of a period, the hours of one of them, and what they are compared with.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::compared_use::{Months, Similar, Unusual};
use super::frame::{Frame, Tab, load};
use crate::api::resident::{self as api, Usage, UsageQuery, Used};
use crate::i18n::resident::{BarsValues, sentences, texts};
use crate::i18n::resident_usage::{self as words, BarsLabel};
use crate::i18n::{common, history, lang};
use crate::ports::{now, visit};
use crate::ui::bars::{Bar, Bars};
use crate::ui::callout::{Callout, Tone};
use crate::ui::mark;
use model::account_record::AccountRecordQuery;
use model::energy::Energy;
use model::money::Money;
use model::time::Date;

/// The page; `?from=2026-11-01&to=2026-11-30&day=2026-11-20` chooses the days, and the one whose hours are shown.
#[component]
pub fn UsePage() -> impl IntoView {
    let param = |name: &str| use_query_map().with_untracked(|query| query.get(name)).unwrap_or_default();
    let range = AccountRecordQuery::parse("", &param("from"), &param("to"), "");
    let (from, to) = range.as_ref().map_or((None, None), |range| (range.from, range.until));
    let problem = range.err();
    let query = UsageQuery { from, to, day: param("day").parse().ok() };
    load(Tab::Usage, api::usage(query), move |usage| {
        let is_other = |wanted: Option<Date>, shown: Date| wanted.is_some_and(|wanted| wanted != shown);
        let is_cut = is_other(from, usage.from) || is_other(to, usage.to);
        let cut = is_cut.then(|| words::texts(lang()).period_cut.to_owned());
        let notice = problem.map(|problem| history::problem(problem, lang())).or(cut);
        view! { <Days usage notice /> }.into_any()
    })
}

/// `notice` says why other days are shown than were chosen.
#[component]
fn Days(usage: Usage, notice: Option<String>) -> impl IntoView {
    let (lang, today) = (lang(), now().date());
    let (t, w) = (texts(lang), words::texts(lang));
    let chosen = usage.day;
    let day_name = common::day(chosen, today, lang);
    let is_used = usage.days.iter().any(|used| used.energy.is_some());
    let similar = usage.similar.map(|rooms| view! { <Similar rooms /> });
    let hours = if usage.hours.iter().any(|used| used.energy.is_some()) {
        view! { <Hours hours=usage.hours.clone() day=day_name.clone() /> }.into_any()
    } else {
        view! { <p class="muted">{t.no_hours}</p> }.into_any()
    };
    let table = if is_used {
        view! { <DayTable usage=usage.clone() /> }.into_any()
    } else {
        view! { <p class="empty">{t.no_use}</p> }.into_any()
    };
    view! {
        <Frame title=t.usage tab=Tab::Usage>
            {notice.map(|words| view! { <Callout tone=Tone::Warn><p>{words}</p></Callout> })}
            {period(&usage, today)}
            <section class="card stack-tight" aria-labelledby="days">
                <h2 id="days">{w.days}<span class="unit">"kWh"</span></h2>
                {period_bars(&usage)}
            </section>
            <section class="card stack-tight" aria-labelledby="hours">
                <h2 id="hours">{sentences::hours_of(&day_name, lang)}<span class="unit">"kWh"</span></h2>
                {hours}
                <p class="plain-links"><a href=format!("/usage/days/{chosen}")>{w.why}</a></p>
            </section>
            <Unusual days=usage.unusual.clone() />
            {table}
            {rates(&usage.days)}
            <Months months=usage.months.clone() />
            {similar}
        </Frame>
    }
}

/// The choice of the days, and the file of the same.
fn period(usage: &Usage, today: Date) -> impl IntoView + use<> {
    let t = words::texts(lang());
    let (from, to) = (usage.from, usage.to);
    let link = |from: Date, to: Date, words: &'static str| {
        view! { <a href=format!("/usage?from={from}&to={to}")>{words}</a> }
    };
    let (year, month, _) = today.ymd();
    let this_month = Date::from_ymd(year, month, 1).unwrap_or(today);
    let (last_month, last_end) = today.month_before();
    let value = |day: Date| day.to_string();
    // A query machine keeps no files.
    let file = (!visit().at_kiosk).then(|| {
        view! { <a href=format!("/usage.csv?from={from}&to={to}") download="">{t.csv}</a> }
    });
    view! {
        <section class="card stack-tight" aria-labelledby="period">
            <h2 id="period">{t.period}</h2>
            <form action="/usage" class="stack-tight">
                <div class="pair">
                    <div class="field">
                        <label for="from">{t.from}</label>
                        <input class="input" id="from" name="from" type="date" max=value(today) value=value(from) />
                    </div>
                    <div class="field">
                        <label for="to">{t.until}</label>
                        <input class="input" id="to" name="to" type="date" max=value(today) value=value(to) />
                    </div>
                </div>
                <button>{t.show}</button>
            </form>
            <p class="plain-links">
                {link(today.plus(-6), today, t.last_7)}
                {link(today.plus(-29), today, t.last_30)}
                {link(this_month, today, t.this_month)}
                {link(last_month, last_end, t.last_month)}
                {file}
            </p>
        </section>
    }
}

/// The days with energy, newest first. Estimated days have a mark, and what it means stands once below.
#[component]
fn DayTable(usage: Usage) -> impl IntoView {
    let (lang, today) = (lang(), now().date());
    let t = texts(lang);
    let (from, to, chosen) = (usage.from, usage.to, usage.day);
    let priced = usage.days.iter().any(|used| used.cost.is_some());
    let cost = usage.days.iter().filter_map(|used| used.cost).sum();
    let rows = usage.days.iter().rev().filter(|used| used.energy.is_some()).map(move |used| {
        let name = capitalised(common::day(used.of, today, lang));
        let week = common::weekday(used.of.weekday(), lang);
        view! {
            <tr>
                <td>
                    <a
                        class="row-link"
                        href=format!("/usage?from={from}&to={to}&day={}", used.of)
                        aria-current=(used.of == chosen).then_some("true")
                    >
                        {name}
                    </a>
                    " "
                    <span class="muted small">{week}</span>
                </td>
                <td class="number">{mark::sign(used.mark)}{used.energy.map(|energy| energy.to_string())}</td>
                {priced.then(|| view! { <td class="number">{used.cost.map(yuan)}</td> })}
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section class="card">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">{t.day}</th>
                        <th scope="col" class="number">{t.kwh}</th>
                        {priced.then(|| view! { <th scope="col" class="number">{t.cost}</th> })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row">{t.total}</th>
                        <td class="number">{sum(&usage.days).to_string()}</td>
                        {priced.then(|| view! { <td class="number">{yuan(cost)}</td> })}
                    </tr>
                </tfoot>
            </table>
            {mark::legend(usage.days.iter().map(|used| used.mark))}
        </section>
    }
}

/// The energy of the period by rate; that of a single rate is the total, which stands above.
fn rates(days: &[Used<Date>]) -> impl IntoView + use<> {
    let (t, w, lang) = (texts(lang()), words::texts(lang()), lang());
    let sums = days.iter().fold([Energy::ZERO; 4], |mut sums, used| {
        sums.iter_mut().zip(used.rates).for_each(|(sum, energy)| *sum = *sum + energy);
        sums
    });
    let rows = (1_u8..).zip(sums).filter(|(_, energy)| energy.0 > 0).map(|(rate, energy)| {
        view! { <tr><th scope="row">{common::rate(rate, lang)}</th><td class="number">{energy.to_string()}</td></tr> }
    });
    let rows = rows.collect_view();
    (sums.iter().filter(|energy| energy.0 > 0).count() > 1).then(|| {
        view! {
            <section class="card stack-tight" aria-labelledby="rates">
                <h2 id="rates">{w.by_rate}</h2>
                <table class="table">
                    <thead><tr><th scope="col">{w.rate}</th><th scope="col" class="number">{t.kwh}</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
    })
}

#[component]
fn Hours(hours: Vec<Used<u8>>, day: String) -> impl IntoView {
    let is_estimated = hours.iter().any(|used| used.mark.estimated);
    let legend = is_estimated.then(|| view! { <p class="muted small">{words::texts(lang()).hour_estimated}</p> });
    view! {
        {hourly_bars(&hours, &day)}
        {legend}
        <details>
            <summary>{texts(lang()).by_hour}</summary>
            <HourTable hours />
        </details>
    }
}

#[component]
fn HourTable(hours: Vec<Used<u8>>) -> impl IntoView {
    let t = texts(lang());
    view! {
        <table class="table">
            <thead><tr><th scope="col">{t.hour}</th><th scope="col" class="number">{t.kwh}</th></tr></thead>
            <tbody>
                {hours
                    .into_iter()
                    .filter_map(|used| used.energy.map(|energy| (used.of, energy, used.mark)))
                    .map(|(hour, energy, of)| {
                        view! {
                            <tr>
                                <td>{format!("{hour:02}:00–{:02}:00", hour + 1)}</td>
                                <td class="number">{mark::sign(of)}{energy.to_string()}</td>
                            </tr>
                        }
                    })
                    .collect_view()}
            </tbody>
        </table>
    }
}

/// The last days with a figure on each; today, the last, is emphasised. That some are estimated stands once below.
pub fn daily_bars(days: &[Used<Date>], height: i64) -> impl IntoView + use<> {
    let (lang, today) = (lang(), now().date());
    let name = |day: Date| if day == today { texts(lang).today_bar } else { common::weekday(day.weekday(), lang) };
    let bars = days.iter().map(|used| Bar {
        label: name(used.of).to_owned(),
        figure: used.energy.map(|energy| energy.to_string()).unwrap_or_default(),
        value: used.energy.map(|energy| energy.0),
        strong: used.of == today,
    });
    let bars: Vec<Bar> = bars.collect();
    // There is no table beside it from which the figures could be read out.
    let values = bars.iter().filter(|bar| !bar.figure.is_empty()).map(|bar| format!("{} {}", bar.label, bar.figure));
    let values = values.collect::<Vec<_>>().join(", ");
    let label = BarsValues { label: sentences::bars(days.len(), &sum(days).to_string(), lang), values }.text(lang);
    let legend = mark::legend(days.iter().filter(|used| used.of != today).map(|used| used.mark));
    view! { <Bars bars label height /> {legend} }
}

fn period_bars(usage: &Usage) -> impl IntoView + use<> {
    let (lang, today) = (lang(), now().date());
    let count = usage.days.len();
    let step = (count / 6).max(1);
    let bars = usage.days.iter().enumerate().map(|(n, used)| Bar {
        label: if (count - 1 - n).is_multiple_of(step) { day_label(used.of, count) } else { String::new() },
        figure: if used.of == usage.day {
            used.energy.map(|energy| energy.to_string()).unwrap_or_default()
        } else {
            String::new()
        },
        value: used.energy.map(|energy| energy.0),
        strong: used.of == usage.day,
    });
    let bars = bars.collect();
    let (from, until) = (common::day(usage.from, today, lang), common::day(usage.to, today, lang));
    let label = BarsLabel { from, until, kwh: sum(&usage.days).to_string() }.text(lang);
    view! { <Bars bars label /> }
}

/// The day of the month, with the month where the days are of several.
fn day_label(day: Date, count: usize) -> String {
    let (_, month, day) = day.ymd();
    if count > 31 { format!("{month}/{day}") } else { day.to_string() }
}

fn hourly_bars(hours: &[Used<u8>], day: &str) -> impl IntoView + use<> {
    let most = hours.iter().filter_map(|used| used.energy).max().filter(|energy| energy.0 > 0);
    // Only the first of equal maxima has a figure: several would overlap.
    let first = most.and_then(|most| hours.iter().find(|used| used.energy == Some(most))).map(|used| used.of);
    let bars = hours.iter().map(|used| {
        let strong = first == Some(used.of);
        Bar {
            label: if used.of.is_multiple_of(6) || used.of == 23 { used.of.to_string() } else { String::new() },
            figure: if strong { used.energy.map(|energy| energy.to_string()).unwrap_or_default() } else { String::new() },
            value: used.energy.map(|energy| energy.0),
            strong,
        }
    });
    view! { <Bars bars=bars.collect() label=sentences::hours_of(day, lang()) height=72 /> }
}

/// `Today`: as what stands by itself begins.
fn capitalised(text: String) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// Rounded to the fen; the exact amounts are summed.
fn yuan(cost: Money) -> String {
    (cost + Money(50)).split_fen().0.to_string()
}

fn sum<T>(used: &[Used<T>]) -> Energy {
    used.iter().filter_map(|used| used.energy).fold(Energy::ZERO, |sum, energy| sum + energy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_stands_by_itself_begins_with_a_capital() {
        assert_eq!(["today", "20 Nov", "今天", ""].map(|text| capitalised(text.into())), ["Today", "20 Nov", "今天", ""]);
    }
}
