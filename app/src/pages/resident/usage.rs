//! Energy of the last days, and the hours of one of them.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::frame::{Frame, Tab, load};
use crate::api::resident::{self as api, Usage, Used};
use crate::i18n::resident::{sentences, texts};
use crate::i18n::{common, lang};
use crate::ports::now;
use crate::ui::bars::{Bar, Bars};
use crate::ui::mark;
use model::energy::Energy;
use model::money::Money;
use model::time::Date;

/// The page; `?day=2026-11-20` chooses the day.
#[component]
pub fn UsePage() -> impl IntoView {
    let day = use_query_map().with_untracked(|query| query.get_str("day").and_then(parse_day));
    load(Tab::Usage, api::usage(day), |usage| view! { <Days usage /> }.into_any())
}

#[component]
fn Days(usage: Usage) -> impl IntoView {
    let (lang, today) = (lang(), now().date());
    let t = texts(lang);
    let chosen = usage.day;
    let total = sum(&usage.days);
    let priced = usage.days.iter().any(|used| used.cost.is_some());
    let cost = usage.days.iter().filter_map(|used| used.cost).sum();
    let day_name = common::day(chosen, today, lang);
    let rows = usage.days.iter().rev().filter(|used| used.energy.is_some()).copied().collect::<Vec<_>>();
    view! {
        <Frame title=t.usage tab=Tab::Usage>
            <section class="card stack-tight" aria-labelledby="days">
                <h2 id="days">{t.last_30}<span class="unit">"kWh"</span></h2>
                {monthly_bars(&usage.days, chosen, total)}
            </section>
            <section class="card stack-tight" aria-labelledby="hours">
                <h2 id="hours">{sentences::hours_of(&day_name, lang)}<span class="unit">"kWh"</span></h2>
                {if usage.hours.iter().any(|used| used.energy.is_some()) {
                    view! { <Hours hours=usage.hours.clone() day=day_name.clone() /> }.into_any()
                } else {
                    view! { <p class="muted">{t.no_hours}</p> }.into_any()
                }}
            </section>
            {if rows.is_empty() {
                view! { <p class="empty">{t.no_use}</p> }.into_any()
            } else {
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
                            <tbody>
                                {rows
                                    .into_iter()
                                    .map(|used| {
                                        let name = common::day(used.of, today, lang);
                                        let week = common::weekday(used.of.weekday(), lang);
                                        view! {
                                            <tr>
                                                <td>
                                                    <a
                                                        class="row-link"
                                                        href=format!("/usage?day={}", used.of)
                                                        aria-current=(used.of == chosen).then_some("true")
                                                    >
                                                        {name}
                                                    </a>
                                                    " "
                                                    <span class="muted small">{week}</span>
                                                </td>
                                                <td class="number">{mark::sign(used.mark)}{used.energy.map(|energy|
                                                    energy.to_string())}</td>
                                                {priced.then(|| view! { <td class="number">{used.cost.map(yuan)}</td> })}
                                            </tr>
                                        }
                                    })
                                    .collect_view()}
                            </tbody>
                            <tfoot>
                                <tr>
                                    <th scope="row">{t.total}</th>
                                    <td class="number">{total.to_string()}</td>
                                    {priced.then(|| view! { <td class="number">{yuan(cost)}</td> })}
                                </tr>
                            </tfoot>
                        </table>
                        {mark::legend(usage.days.iter().map(|used| used.mark))}
                    </section>
                }
                    .into_any()
            }}
        </Frame>
    }
}

#[component]
fn Hours(hours: Vec<Used<u8>>, day: String) -> impl IntoView {
    view! {
        {hourly_bars(&hours, &day)}
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
                    .filter_map(|used| used.energy.map(|energy| (used.of, energy)))
                    .map(|(hour, energy)| {
                        view! {
                            <tr>
                                <td>{format!("{hour:02}:00–{:02}:00", hour + 1)}</td>
                                <td class="number">{energy.to_string()}</td>
                            </tr>
                        }
                    })
                    .collect_view()}
            </tbody>
        </table>
    }
}

/// The last days with a figure on each; today, the last, is emphasised.
pub fn daily_bars(days: &[Used<Date>], height: i64) -> impl IntoView + use<> {
    let (lang, today) = (lang(), now().date());
    let bars = days.iter().map(|used| Bar {
        label: if used.of == today {
            texts(lang).today_bar.into()
        } else {
            format!("{}{}", common::weekday(used.of.weekday(), lang), mark::sign(used.mark))
        },
        figure: used.energy.map(|energy| energy.to_string()).unwrap_or_default(),
        value: used.energy.map(|energy| energy.0),
        strong: used.of == today,
    });
    let label = sentences::bars(days.len(), &sum(days).to_string(), lang);
    let legend = mark::legend(days.iter().filter(|used| used.of != today).map(|used| used.mark));
    view! { <Bars bars=bars.collect() label height /> {legend} }
}

fn monthly_bars(days: &[Used<Date>], chosen: Date, total: Energy) -> impl IntoView + use<> {
    let lang = lang();
    let count = days.len();
    let bars = days.iter().enumerate().map(|(n, used)| Bar {
        label: if (count - 1 - n).is_multiple_of(5) { used.of.ymd().2.to_string() } else { String::new() },
        figure: if used.of == chosen { used.energy.map(|energy| energy.to_string()).unwrap_or_default() } else { String::new() },
        value: used.energy.map(|energy| energy.0),
        strong: used.of == chosen,
    });
    view! { <Bars bars=bars.collect() label=sentences::bars(count, &total.to_string(), lang) /> }
}

fn hourly_bars(hours: &[Used<u8>], day: &str) -> impl IntoView + use<> {
    let most = hours.iter().filter_map(|used| used.energy).max().filter(|energy| energy.0 > 0);
    let bars = hours.iter().map(|used| {
        let strong = most.is_some() && used.energy == most;
        Bar {
            label: if used.of.is_multiple_of(6) || used.of == 23 { used.of.to_string() } else { String::new() },
            figure: if strong { used.energy.map(|energy| energy.to_string()).unwrap_or_default() } else { String::new() },
            value: used.energy.map(|energy| energy.0),
            strong,
        }
    });
    view! { <Bars bars=bars.collect() label=sentences::hours_of(day, lang()) height=72 /> }
}

/// Rounded to the fen; the exact amounts are summed.
fn yuan(cost: Money) -> String {
    (cost + Money(50)).split_fen().0.to_string()
}

fn sum<T>(used: &[Used<T>]) -> Energy {
    used.iter().filter_map(|used| used.energy).fold(Energy::ZERO, |sum, energy| sum + energy)
}

fn parse_day(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Date::from_ymd(year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_day_in_the_query_is_ignored() {
        assert_eq!(parse_day("2026-11-20"), Date::from_ymd(2026, 11, 20));
        for text in ["", "2026-11", "2026-02-30", "20-11-2026-1", "x-y-z"] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
