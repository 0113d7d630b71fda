//! The meters of a plan that hold their own credit: what is to be issued, and the stragglers.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::{address, page_param, pager};
use super::year::clock;
use super::yuan;
use crate::i18n::price_meters::{
    InForce, IssueTo, MeterCount, Moving, NextIs, ServerWallets, Unread, differing, gap, texts, uncallable,
};
use crate::i18n::{commands, common, lang, prices};
use crate::ports::{allowed, now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::{Ago, At};
use model::console::{Differs, PriceCommand, PriceIssue, PriceMeter, PriceMeterCounts, PriceMeters};
use model::error::AppError;
use model::ids::Uuid;
use model::issue::{Issue, PRICES};
use model::parameters::TierPeriod;

/// The page: `/prices/:id/meters?page=2`.
#[component]
pub fn PriceMetersPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let number = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let id = Uuid::parse_str(&id).map_err(|_| AppError::NotFound)?;
        ports.prices.price_meters(&who, id, number).await
    };
    load(read, move |shown| view! { <Body shown number /> }.into_any())
}

#[component]
fn Body(shown: PriceMeters, number: i64) -> impl IntoView {
    let (t, p) = (texts(lang()), prices::texts(lang()));
    let plan = format!("/prices/{}", shown.plan);
    let here = format!("{plan}/meters");
    let in_force = InForce { number: shown.number }.text(lang());
    let next = shown.next.map(|(number, at)| NextIs { number, at: common::at(at, now(), lang()) }.text(lang()));
    let cards = shown.issues.iter().map(|one| issue_card(shown.plan, one)).collect_view();
    let nothing = shown.issues.is_empty().then(|| {
        let words = if shown.counts.meters == 0 { t.no_meters } else { t.nothing_to_issue };
        view! { <Callout tone=Tone::Good><p>{words}</p></Callout> }
    });
    let rows = shown.lines.lines.iter().map(row).collect_view();
    let list = (shown.lines.total > 0).then(|| {
        view! {
            <section class="stack-tight">
                <h2>{t.stragglers}</h2>
                <p class="hint">{t.stragglers_hint}</p>
                {table(rows)}
                {pager(&shown.lines, number, &here)}
            </section>
        }
    });
    view! {
        <Frame title=t.title section=Section::Prices>
            <div class="stack-tight">
                <p class="small"><a href="/prices">{p.prices}</a>" · "<a href=plan>{shown.name.clone()}</a></p>
                <h1>{t.title}</h1>
            </div>
            <Notice />
            <p class="muted">{in_force}" "{next}</p>
            {counts(shown.counts)}
            {nothing}
            <div class="issue-cards">{cards}</div>
            {list}
        </Frame>
    }
}

fn counts(counts: PriceMeterCounts) -> impl IntoView {
    let (t, c) = (texts(lang()), commands::texts(lang()));
    let n = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let unread = (counts.unread > 0).then(|| view! { <p class="hint">{Unread { count: n(counts.unread) }.text(lang())}</p> });
    let server = (counts.server_wallets > 0)
        .then(|| view! { <p class="hint">{ServerWallets { count: n(counts.server_wallets) }.text(lang())}</p> });
    let way = (counts.moving + counts.failed > 0).then(|| {
        let words = Moving { moving: counts.moving, failed: counts.failed }.text(lang());
        view! { <p>{words}" "<a href="/commands">{c.commands}</a>" · "
        <a href="/commands/missed-price-switches">{c.missed_title}</a></p> }
    });
    view! {
        <section class="card stack-tight">
            <p><strong>{differing(counts, lang())}</strong></p>
            <progress max=counts.meters.max(1).to_string() value=counts.same.to_string() aria-label=t.title></progress>
            {way}
            {unread}
            {server}
        </section>
    }
}

/// A command that is to be issued, with a link that fills it in.
fn issue_card(plan: Uuid, one: &PriceIssue) -> impl IntoView + use<> {
    let t = texts(lang());
    let what = gap(one.gap, lang());
    let act = match &one.issue {
        None => view! { <p class="hint">{uncallable(one.gap, lang())}</p> }.into_any(),
        Some(issue) => {
            let said = commands::summary(issue, lang());
            let differs = Differs::Prices { plan, table: one.gap.table() }.to_string();
            let mut fields = vec![("kind".to_owned(), one.gap.kind().as_str().to_owned()), ("differs".to_owned(), differs)];
            fields.extend(filled(issue));
            let pairs: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let href = address("/commands/new", &pairs);
            let count = i64::try_from(one.meters).unwrap_or(i64::MAX);
            let may = allowed("/commands/new");
            view! {
                <p class="small">{said}</p>
                {may.then(|| {
                    let words = IssueTo { count }.text(lang());
                    view! { <div class="buttons"><a class="button primary" href=href>{words}</a></div> }
                })}
                {(!may).then(|| view! { <p class="hint">{MeterCount { count }.text(lang())}" · "{t.may_not}</p> })}
            }
            .into_any()
        }
    };
    view! { <section class="card stack-tight"><h2>{what}</h2>{act}</section> }
}

/// The fields of the command's form.
fn filled(issue: &Issue) -> Vec<(String, String)> {
    let named = |pairs: Vec<(&str, String)>| pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let rates = |prices: &[u32; 4]| PRICES.iter().zip(prices).map(|(name, price)| (*name, yuan(*price))).collect::<Vec<_>>();
    match issue {
        Issue::Prices(prices) => named(rates(prices)),
        Issue::Standby { prices, at } => {
            let mut pairs = rates(prices);
            pairs.push(("at", format!("{}T{}", at.date(), at.clock())));
            named(pairs)
        }
        Issue::Tiers(tiers) => {
            let period = match tiers.period {
                TierPeriod::None => return named(vec![("period", "none".to_owned())]),
                TierPeriod::Month => "month",
                TierPeriod::Year => "year",
            };
            let ([second, third], [over2, over3]) = (tiers.thresholds.map(commands::threshold), tiers.surcharges.map(yuan));
            named(vec![
                ("period", period.to_owned()),
                ("threshold2", second),
                ("threshold3", third),
                ("surcharge2", over2),
                ("surcharge3", over3),
            ])
        }
        Issue::DayTable { table, slots } => {
            let rows = (1..)
                .zip(slots)
                .flat_map(|(n, slot)| [(format!("from{n}"), clock(slot.starts())), (format!("rate{n}"), slot.rate.to_string())]);
            [("table".to_owned(), table.to_string())].into_iter().chain(rows).collect()
        }
        Issue::DatePlan(entries) => (1..)
            .zip(entries)
            .flat_map(|(n, entry)| {
                let values = [("month", entry.month), ("day", entry.day), ("use", entry.table)];
                values.map(|(name, value)| (format!("{name}{n}"), value.to_string()))
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn table(rows: impl IntoView + 'static) -> impl IntoView {
    let t = texts(lang());
    view! {
        <TableScroll label=t.stragglers>
            <table class="table stacked sticky">
                <caption class="visually-hidden">{t.stragglers}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.meter}</th>
                        <th scope="col">{t.differs}</th>
                        <th scope="col">{t.read}</th>
                        <th scope="col">{t.command}</th>
                        <th scope="col"><span class="visually-hidden">{t.again}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
    }
}

fn row(line: &PriceMeter) -> impl IntoView + use<> {
    let t = texts(lang());
    let what = match line.read_at {
        None => t.never_read.to_owned(),
        Some(_) => line.gaps.iter().map(|one| gap(*one, lang())).collect::<Vec<_>>().join(" · "),
    };
    let lost = line.lost_since.map(|at| view! { <div class="muted">{t.lost}" "<Ago at /></div> });
    let read = match line.read_at {
        Some(at) => view! { <At at /> }.into_any(),
        None => "—".into_any(),
    };
    let last = match line.last {
        Some(last) => command(last).into_any(),
        None => view! { <span class="muted">{t.no_command}</span> }.into_any(),
    };
    let again = line.last.filter(|last| last.has_failed() && allowed("/api/operator/retry-batch")).map(|last| {
        view! {
            <form method="post" action="/api/operator/retry-batch">
                <input type="hidden" name="batch" value=last.batch.to_string() />
                <input type="hidden" name="meter" value=line.meter.to_string() />
                <button>{t.again}</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row"><a href=format!("/rooms/{}", line.meter)>{line.room.to_string()}</a>{lost}</th>
            <td class="long" data-label=t.differs>{what}</td>
            <td data-label=t.read>{read}</td>
            <td class="long" data-label=t.command>{last}</td>
            <td>{again}</td>
        </tr>
    }
}

/// How far the newest command is, and why.
fn command(last: PriceCommand) -> impl IntoView {
    let why = last.reason.map(|reason| format!(" · {}", commands::reason(reason, lang())));
    view! {
        <a href=format!("/commands/{}", last.batch)>{commands::kind(last.kind, lang())}</a>
        " · "{commands::state(last.state, lang())}{why}" · "<At at=last.decided_at />
    }
}
