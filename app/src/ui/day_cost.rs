//! Why a day cost what it did, step by step: energy by price, and from there to what the ledger or the meter took.

use leptos::prelude::*;

use super::callout::{Callout, Tone};
use super::table_scroll::TableScroll;
use super::time::At;
use crate::i18n::price_steps::{ParametersOf, TierBefore, exact, period, texts};
use crate::i18n::{common, lang, operator as console, prices};
use crate::ports::now;
use model::console::{ChargePart, DayCharge, DayCost, LedgerSteps, MeterTook, PostedUse};
use model::energy::Energy;
use model::meter::Wallet;

/// The steps, and whether the day is over.
#[component]
pub fn CostSteps(cost: DayCost) -> impl IntoView {
    let t = texts(lang());
    let running = (cost.day == cost.today).then(|| view! { <Callout><p>{t.not_over}</p></Callout> });
    let energy = cost.energy.map_or_else(|| "—".to_owned(), |energy| format!("{energy} kWh"));
    let tier = cost.tier.map(|(of, used)| TierBefore { used: used.to_string(), period: period(of, lang()) }.text(lang()));
    let tier = tier.map(|words| view! { <p class="muted">{words}</p> });
    let by = match (cost.wallet, cost.read_at) {
        (Wallet::Server, _) => t.by_charges.to_owned(),
        (Wallet::Meter, Some(at)) => ParametersOf { at: common::at(at, now(), lang()) }.text(lang()),
        (Wallet::Meter, None) => t.never_read.to_owned(),
        (Wallet::None, _) => t.measures_only.to_owned(),
    };
    let lines = match (cost.lines.is_empty(), cost.wallet) {
        (false, _) => table(&cost).into_any(),
        (true, Wallet::Server) => view! { <p>{t.no_lines}</p> }.into_any(),
        (true, _) => ().into_any(),
    };
    let ledger = match &cost.ledger {
        _ if cost.lines.is_empty() || cost.wallet != Wallet::Server => ().into_any(),
        Some(ledger) => ledger_steps(ledger, cost.cost_e7).into_any(),
        None => view! { <li><h2>{t.step_readings}</h2><p>{t.too_many_charges}</p></li> }.into_any(),
    };
    let took = (cost.wallet == Wallet::Meter).then(|| meter_took(cost.took, &cost.posted));
    view! {
        {running}
        <ol class="card price-steps">
            <li><h2>{t.step_energy}</h2><p class="num">{energy}</p>{tier}</li>
            <li><h2>{t.step_prices}</h2><p class="hint">{by}</p>{lines}</li>
            {ledger}
            {took}
        </ol>
    }
}

/// Energy times price, with the exact sum.
fn table(cost: &DayCost) -> impl IntoView + use<> {
    let p = prices::texts(lang());
    let energy = cost.lines.iter().fold(Energy::ZERO, |sum, line| sum + line.energy);
    let rows = cost.lines.iter().map(|line| row(line, cost.wallet)).collect_view();
    let plan = (cost.wallet == Wallet::Server).then(|| view! { <th scope="col">{p.plan}</th> });
    let total = exact(cost.cost_e7);
    let span = if cost.wallet == Wallet::Server { "4" } else { "3" };
    view! {
        <TableScroll label=p.charges>
            <table class="table stacked">
                <caption class="visually-hidden">{p.charges}</caption>
                <thead>
                    <tr>
                        {plan}
                        <th scope="col">{p.rate}</th>
                        <th scope="col" class="number">{p.tier}</th>
                        <th scope="col" class="number">{p.price}</th>
                        <th scope="col" class="number">{p.kwh}</th>
                        <th scope="col" class="number">{p.cost}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row" colspan=span>{console::texts(lang()).total}</th>
                        <td class="number" data-label=p.kwh>{kwh(energy)}</td>
                        <td class="number" data-label=p.cost>{total}</td>
                    </tr>
                </tfoot>
            </table>
        </TableScroll>
    }
}

fn row(line: &DayCharge, wallet: Wallet) -> impl IntoView + use<> {
    let p = prices::texts(lang());
    let plan = (wallet == Wallet::Server).then(|| view! { <td data-label=p.plan>{line.plan.clone()}</td> });
    let rate = u8::try_from(line.rate).map_or("", |rate| common::rate(rate, lang()));
    view! {
        <tr>
            {plan}
            <th scope="row" data-label=p.rate>{rate}</th>
            <td class="number" data-label=p.tier>{line.tier}</td>
            <td class="number" data-label=p.price>{line.price.to_string()}</td>
            <td class="number" data-label=p.kwh>{kwh(line.energy)}</td>
            <td class="number" data-label=p.cost>{exact(line.energy.0 * line.price.0)}</td>
        </tr>
    }
}

/// Energy to the Wh, so that price times energy is the cost that stands beside it.
fn kwh(energy: Energy) -> String {
    let sign = if energy.0 < 0 { "-" } else { "" };
    let wh = energy.0.unsigned_abs();
    format!("{sign}{}.{:03}", wh / 1_000, wh % 1_000)
}

/// From the exact cost to what the ledger took.
fn ledger_steps(ledger: &LedgerSteps, cost_e7: i64) -> impl IntoView + use<> {
    let (t, p) = (texts(lang()), prices::texts(lang()));
    let rows = ledger.charges.iter().map(part).collect_view();
    let agrees = if ledger.ledger == ledger.posted {
        view! { <Callout tone=Tone::Good><p>{t.ledger_agrees}</p></Callout> }.into_any()
    } else {
        view! { <Callout tone=Tone::Bad><p>{t.ledger_differs}</p></Callout> }.into_any()
    };
    view! {
        <li>
            <h2>{t.step_readings}</h2>
            <p class="hint">{t.readings_hint}</p>
            <details>
                <summary>{t.by_hour}</summary>
                <TableScroll label=t.step_readings>
                    <table class="table">
                        <caption class="visually-hidden">{t.step_readings}</caption>
                        <thead>
                            <tr>
                                <th scope="col">{t.readings}</th>
                                <th scope="col" class="number">{t.count}</th>
                                <th scope="col" class="number">{p.kwh}</th>
                                <th scope="col" class="number">{p.cost}</th>
                                <th scope="col" class="number">{t.posted}</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </TableScroll>
            </details>
        </li>
        <li>
            <h2>{t.step_ledger}</h2>
            <p class="hint">{t.rounding}</p>
            <table class="table sum">
                <caption class="visually-hidden">{t.step_ledger}</caption>
                <tbody>
                    <tr><th scope="row">{t.cost_of_day}</th><td class="number">{exact(cost_e7)}</td></tr>
                    <tr><th scope="row">{t.other_days}</th><td class="number">{exact(ledger.other_days_e7)}</td></tr>
                    <tr><th scope="row">{t.carried_in}</th><td class="number">{exact(ledger.carried_in_e7)}</td></tr>
                    <tr><th scope="row">{t.carried_out}</th><td class="number">{exact(-ledger.carried_out_e7)}</td></tr>
                </tbody>
                <tfoot>
                    <tr><th scope="row">{t.ledger_took}</th><td class="number">{ledger.ledger.to_string()}</td></tr>
                </tfoot>
            </table>
            {agrees}
        </li>
    }
}

fn part(part: &ChargePart) -> impl IntoView + use<> {
    let t = texts(lang());
    let back = part.is_reversal.then(|| format!(" ({})", t.reversal));
    view! {
        <tr>
            <th scope="row" class="num">{part.from.clock()}"–"{part.at.clock()}{back}</th>
            <td class="number">{part.readings}</td>
            <td class="number">{kwh(part.energy)}</td>
            <td class="number">{exact(part.cost_e7)}</td>
            <td class="number">{part.posted.to_string()}</td>
        </tr>
    }
}

/// What a meter that holds its own credit took, and what was posted for it.
fn meter_took(took: Option<MeterTook>, posted: &[PostedUse]) -> impl IntoView + use<> {
    let t = texts(lang());
    let body = match took {
        None => view! { <p>{t.no_took}</p> }.into_any(),
        Some(took) => view! {
            <table class="table sum">
                <caption class="visually-hidden">{t.step_took}</caption>
                <tbody>
                    <tr>
                        <th scope="row">{t.held_before}" · "<At at=took.from /></th>
                        <td class="number">{took.before.to_string()}</td>
                    </tr>
                    <tr><th scope="row">{t.credited}</th><td class="number">{took.credited.to_string()}</td></tr>
                    <tr>
                        <th scope="row">{t.held_after}" · "<At at=took.at /></th>
                        <td class="number">{took.after.to_string()}</td>
                    </tr>
                </tbody>
                <tfoot>
                    <tr><th scope="row">{t.meter_took}" · "{took.energy.to_string()}" kWh"</th>
                        <td class="number">{took.taken().to_string()}</td></tr>
                </tfoot>
            </table>
        }
        .into_any(),
    };
    let rows = posted.iter().map(|one| {
        let from = one.from.map(|from| view! { <At at=from />" – " });
        view! { <li>{from}<At at=one.at />": "<span class="num">{one.amount.to_string()}</span></li> }
    });
    let rows = rows.collect_view();
    let posted = (!posted.is_empty()).then(|| view! { <p>{t.posted_use}</p><ul>{rows}</ul> });
    view! { <li><h2>{t.step_took}</h2><p class="hint">{t.took_hint}</p>{body}{posted}</li> }
}
