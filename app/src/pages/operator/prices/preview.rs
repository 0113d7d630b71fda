//! The dry run of a version: what it changes, what typical rooms would pay, whom it reaches; and the form that publishes it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::form::PricesForm;
use super::{slots, tiers, year, yuan};
use crate::i18n::price_plans::{Reach, TrialDays, change, texts, typical};
use crate::i18n::{commands, common, lang, prices};
use crate::link;
use crate::ports::{allowed, now, operator, ports, visit};
use crate::ui::callout::{Callout, Problem, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{PriceTrial, TrialCost};
use model::error::AppError;
use model::money::Money;
use model::tariff::{FormFault, NewVersion, parse_version};

/// What the page shows.
enum Shown {
    /// The form again, with its error.
    Wrong(FormFault),
    Would(Box<(NewVersion, PriceTrial, EnteredFields)>),
    /// It cannot be published; the form is one step back.
    Refused(AppError),
}

/// The page: `/prices/preview?plan=...&kind=flat&price=0.6...`.
#[component]
pub fn PricesPreviewPage() -> impl IntoView {
    let (asked, fields) = entered();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        Ok(match asked {
            Err(fault) => Shown::Wrong(fault),
            Ok(new) => match ports.prices.try_prices(&who, &new).await {
                Ok(trial) => Shown::Would(Box::new((new, trial, fields))),
                Err(error @ (AppError::Conflict | AppError::Invalid)) => Shown::Refused(error),
                Err(error) => return Err(error),
            },
        })
    };
    load(read, |shown| match shown {
        Shown::Wrong(fault) => view! { <PricesForm values=Box::new(param) wrong=Some(fault) /> }.into_any(),
        Shown::Would(both) => view! { <Would new=both.0 trial=both.1 fields=both.2 /> }.into_any(),
        Shown::Refused(error) => view! { <Refused error /> }.into_any(),
    })
}

/// Values by name: a field that is asked for twice is one field.
type EnteredFields = BTreeMap<String, String>;

/// The version that the address describes, and the fields that say so, which publish it unchanged.
fn entered() -> (Result<NewVersion, FormFault>, EnteredFields) {
    let fields = RefCell::new(EnteredFields::new());
    let field = |name: &str| {
        let value = param(name);
        if !value.is_empty() {
            fields.borrow_mut().insert(name.to_owned(), value.clone());
        }
        value
    };
    let version = parse_version(&field, now());
    (version, fields.into_inner())
}

/// The address of the form with the same values.
fn back() -> String {
    link::without_error(&visit().here).replacen("/prices/preview", "/prices/new", 1)
}

#[component]
fn Refused(error: AppError) -> impl IntoView {
    let t = texts(lang());
    view! {
        <Frame title=t.preview section=Section::Prices>
            <h1>{t.preview}</h1>
            <Problem error />
            <div class="buttons"><a class="button" href=back()>{commands::texts(lang()).back}</a></div>
        </Frame>
    }
}

#[component]
fn Would(new: NewVersion, trial: PriceTrial, fields: EnteredFields) -> impl IntoView {
    let (t, p, c) = (texts(lang()), prices::texts(lang()), commands::texts(lang()));
    let from = match new.from {
        Some(at) => view! { <At at /> }.into_any(),
        None => t.at_once.into_any(),
    };
    let hidden = fields.into_iter().map(|(name, value)| {
        view! { <input type="hidden" name=format!("form[{name}]") value=value /> }
    });
    let hidden = hidden.collect_view();
    let (button, after) = if trial.second_person { (t.ask, t.ask_hint) } else { (p.publish, t.publish_hint) };
    let may = allowed("/api/operator/publish-prices");
    let name = if trial.plan.is_some() { new.plan.clone() } else { format!("{} ({})", new.plan, t.is_new) };
    let changes = match &trial.changes[..] {
        [] if trial.plan.is_some() => view! { <Callout tone=Tone::Warn><p>{t.no_change}</p></Callout> }.into_any(),
        changes => {
            let lines = changes.iter().map(|one| view! { <li>{change(*one, lang())}</li> }).collect_view();
            view! { <ul class="plain">{lines}</ul> }.into_any()
        }
    };
    let named = new.prices.rates.into_iter().zip(common::texts(lang()).rates);
    let rates = named.map(|(rate, name)| format!("{name} {}", yuan(rate))).collect::<Vec<_>>().join(" · ");
    let reach = match (trial.plan, trial.meter_wallets + trial.server_wallets) {
        (None, _) => t.reach_new.to_owned(),
        (Some(_), 0) => t.reach_none.to_owned(),
        _ => Reach { server: trial.server_wallets, meter: trial.meter_wallets }.text(lang()),
    };
    let calendar = year::calendar(&trial.year, None);
    view! {
        <Frame title=t.preview section=Section::Prices>
            <div class="stack-tight">
                <p class="small"><a href="/prices">{p.prices}</a></p>
                <h1>{t.preview}</h1>
            </div>
            <Notice />
            <form class="card confirm" method="post" action="/api/operator/publish-prices">
                <dl class="said">
                    <dt>{p.plan}</dt><dd>{name}</dd>
                    <dt>{p.effective}</dt><dd>{from}</dd>
                    <dt>{p.prices}</dt><dd class="num">{rates}" "{common::yuan(lang())}"/kWh"</dd>
                    <dt>{p.tiers}</dt><dd class="num">{tiers(&new.prices)}</dd>
                    <dt>{p.slots}</dt><dd class="num">{slots(&new.prices)}</dd>
                </dl>
                {changes}
                <p>{reach}</p>
                <p class="hint">{after}</p>
                {hidden}
                <div class="buttons">
                    {may.then(|| view! { <button class="primary">{button}</button> })}
                    <a class="button" href=back()>{c.back}</a>
                </div>
            </form>
            {costs(&trial)}
            <section class="card stack-tight">
                <h2>{year::title(&trial.year)}</h2>
                {calendar}
            </section>
        </Frame>
    }
}

/// What typical rooms paid and would pay.
fn costs(trial: &PriceTrial) -> impl IntoView + use<> {
    let t = texts(lang());
    let (from, to) = trial.days;
    let hint = if trial.rooms == 0 {
        t.trial_assumed.to_owned()
    } else {
        let count = i64::try_from(trial.rooms).unwrap_or(i64::MAX);
        TrialDays { count, from: from.to_string(), to: to.to_string() }.text(lang())
    };
    let rows = trial.costs.iter().map(row).collect_view();
    view! {
        <section class="card stack-tight">
            <h2>{t.trial}</h2>
            <p class="hint">{hint}</p>
            <TableScroll label=t.trial>
                <table class="table stacked">
                    <caption class="visually-hidden">{t.trial}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.room}</th>
                            <th scope="col" class="number">"kWh"</th>
                            <th scope="col" class="number">{t.before}</th>
                            <th scope="col" class="number">{t.after}</th>
                            <th scope="col" class="number">{t.difference}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        </section>
    }
}

fn row(cost: &TrialCost) -> impl IntoView + use<> {
    let t = texts(lang());
    let fen = |amount: Money| amount.split_fen().0.to_string();
    let difference = cost.before.map(|before| {
        let difference = cost.after.split_fen().0 - before.split_fen().0;
        let sign = if difference.0 > 0 { "+" } else { "" };
        format!("{sign}{difference}")
    });
    view! {
        <tr>
            <th scope="row">{typical(cost.typical, lang())}</th>
            <td class="number" data-label="kWh">{cost.energy.to_string()}</td>
            <td class="number" data-label=t.before>{cost.before.map_or_else(|| "—".to_owned(), fen)}</td>
            <td class="number" data-label=t.after>{fen(cost.after)}</td>
            <td class="number" data-label=t.difference>{difference.unwrap_or_else(|| "—".to_owned())}</td>
        </tr>
    }
}
