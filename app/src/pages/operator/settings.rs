//! Settings of the site, and the default parameters of meters by place.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, param};
use crate::api::settings::{MeterCounts, PlaceLine, PlaceSettings};
use crate::i18n::settings::{ComesFrom, Issue, IssueHere, ServerWallets, Unread, Unset, texts};
use crate::i18n::{defaults, gateways, lang, setup};
use crate::link;
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::defaults::{DefaultKind, DefaultValues};
use model::place::PlaceKind;

/// The page: `/settings`, or `/settings?place=...` for a building, a floor or a room.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let place = param("place").parse().ok();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.settings.settings(&who, place).await
    };
    load(read, |found| match found {
        Some(settings) => view! { <Settings settings /> }.into_any(),
        None => view! { <Nothing /> }.into_any(),
    })
}

#[component]
fn Nothing() -> impl IntoView {
    let t = texts(lang());
    view! {
        <Frame title=t.title section=Section::Settings>
            <h1>{t.title}</h1>
            <p class="empty">{t.no_places}" "<a href="/import">{t.to_import}</a></p>
        </Frame>
    }
}

#[component]
fn Settings(settings: PlaceSettings) -> impl IntoView {
    let t = texts(lang());
    let is_site = settings.kind == PlaceKind::Site;
    let above = settings.above.iter().map(|(id, name)| {
        view! { <li><a href=page(&id.to_string())>{name.clone()}</a></li> }
    });
    let crumbs = (!is_site).then(|| view! { <nav aria-label=t.above><ol class="crumbs">{above.collect_view()}</ol></nav> });
    let title = if is_site { t.title.to_owned() } else { settings.name.clone() };
    view! {
        <Frame title=title.clone() section=Section::Settings>
            {crumbs}
            <h1>{title}</h1>
            <Notice />
            <div class="halves">
                {values(&settings)}
                <div class="stack">
                    {issue(&settings)}
                    {is_site.then(|| site(&settings))}
                </div>
            </div>
            {below(&settings)}
        </Frame>
    }
}

fn page(place: &str) -> String {
    link::with("/settings", "place", place)
}

/// The name of a parameter with its unit.
fn label(kind: DefaultKind) -> &'static str {
    defaults::kind(kind, lang())
}

/// The place's own values, with what applies where a field is empty.
fn values(settings: &PlaceSettings) -> impl IntoView + use<> {
    let t = texts(lang());
    let fields = DefaultKind::ALL.into_iter().zip(settings.effective.clone()).map(|(kind, effective)| {
        let own = settings.own.get(kind);
        let hint = match &effective {
            Some(_) if own.is_some() => t.set_here.to_owned(),
            Some((value, place)) => ComesFrom { value: kind.text(*value), place }.text(lang()),
            None => t.set_nowhere.to_owned(),
        };
        let id = format!("default-{}", kind.as_str());
        let described = format!("{id}-from");
        let pattern = if kind == DefaultKind::Overload { "[0-9]{1,5}" } else { "[0-9]{1,8}([.][0-9]{1,2})?" };
        view! {
            <div class="field">
                <label for=id.clone()>{label(kind)}</label>
                <input
                    class="input"
                    id=id
                    name=kind.as_str()
                    inputmode="decimal"
                    autocomplete="off"
                    pattern=pattern
                    value=own.map(|value| kind.text(value)).unwrap_or_default()
                    placeholder=effective.map(|(value, _)| kind.text(value)).unwrap_or_default()
                    aria-describedby=described.clone()
                />
                <p class="hint" id=described>{hint}</p>
            </div>
        }
    });
    let fields = fields.collect_view();
    let plan = match &settings.plan {
        Some((plan, place)) => ComesFrom { value: plan, place }.text(lang()),
        None => t.no_plan.to_owned(),
    };
    view! {
        <section class="card stack-tight">
            <h2>{t.defaults}</h2>
            <p class="hint">{t.defaults_hint}</p>
            <form class="stack-tight" method="post" action="/api/operator/settings/defaults">
                <input type="hidden" name="place" value=settings.id.to_string() />
                <div class="field-grid">{fields}</div>
                <div class="buttons"><button class="primary">{t.save}</button></div>
            </form>
            <dl class="said">
                <dt>{t.plan}</dt>
                <dd>{plan}" "<a href="/prices">{t.to_prices}</a></dd>
            </dl>
        </section>
    }
}

/// What is still to be issued, with a link to the command that does it.
fn issue(settings: &PlaceSettings) -> impl IntoView + use<> {
    let t = texts(lang());
    let counts = settings.meters;
    let body = match settings.limits {
        None => {
            let missing = DefaultKind::ALL.into_iter().zip(&settings.effective).filter(|(_, value)| value.is_none());
            let names = missing.map(|(kind, _)| label(kind)).collect::<Vec<_>>().join(", ");
            view! { <p>{Unset { names }.text(lang())}</p> }.into_any()
        }
        Some(_) if counts.differing == 0 => view! { <p>{t.none_differs}</p> }.into_any(),
        Some(_) => {
            let effective = settings.effective.clone().map(|value| value.map(|(value, _)| value));
            let filled: Vec<(DefaultKind, String)> = DefaultKind::ALL
                .into_iter()
                .zip(effective)
                .map(|(kind, value)| (kind, value.map(|value| kind.text(value)).unwrap_or_default()))
                .collect();
            let id = settings.id.to_string();
            let mut params = vec![("kind", "limits"), ("differs", id.as_str())];
            params.extend(filled.iter().map(|(kind, text)| (kind.as_str(), text.as_str())));
            let to = address("/commands/new", &params);
            let here = counts.issued_here;
            let link = (here > 0).then(|| {
                let words = IssueHere { count: count(here) }.text(lang());
                view! { <div class="buttons"><a class="button primary" href=to>{words}</a></div> }
            });
            view! {
                <Callout tone=Tone::Warn><p>{Issue { count: count(counts.differing) }.text(lang())}</p></Callout>
                {link}
                {(here < counts.differing).then(|| view! { <p class="hint">{t.differ_below}</p> })}
            }
            .into_any()
        }
    };
    let unread = (counts.unread > 0).then(|| view! { <p class="hint">{Unread { count: count(counts.unread) }.text(lang())}</p> });
    let server = (counts.server_wallets > 0).then(|| {
        view! { <p class="hint">{ServerWallets { count: count(counts.server_wallets) }.text(lang())}</p> }
    });
    view! {
        <section class="card stack-tight">
            <h2>{t.meters}</h2>
            {body}
            {unread}
            {server}
        </section>
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// What is of the site alone.
fn site(settings: &PlaceSettings) -> impl IntoView + use<> {
    let (t, s) = (texts(lang()), setup::texts(lang()));
    let interval = settings
        .interval
        .map_or_else(|| gateways::texts(lang()).as_configured.to_owned(), |interval| gateways::interval(interval, lang()));
    view! {
        <section class="card stack-tight">
            <h2>{s.site}</h2>
            <form class="stack-tight" method="post" action="/api/operator/settings/site">
                <div class="field">
                    <label for="site-name">{s.site_name}</label>
                    <input class="input" id="site-name" name="name" required maxlength="40" value=settings.name.clone() />
                </div>
                <div class="buttons"><button>{t.rename}</button></div>
            </form>
            <dl class="said">
                <dt>{s.time_zone}</dt>
                <dd>{s.time_zone_value}</dd>
                <dt>{t.interval}</dt>
                <dd>{interval}" "<a href="/meters">{t.to_interval}</a></dd>
                <dt>{s.start_title}</dt>
                <dd><a href="/start">{t.to_start}</a></dd>
            </dl>
        </section>
    }
}

/// The places below, with the values that apply to each.
fn below(settings: &PlaceSettings) -> impl IntoView + use<> {
    let t = texts(lang());
    let heads = DefaultKind::ALL.map(|kind| view! { <th scope="col" class="number">{label(kind)}</th> }).collect_view();
    let rows = settings.below.iter().map(row).collect_view();
    (!settings.below.is_empty()).then(|| {
        view! {
            <h2>{t.below}</h2>
            <TableScroll label=t.below>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.below}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.place}</th>
                            {heads}
                            <th scope="col" class="number">{t.meters}</th>
                            <th scope="col" class="number">{t.differing}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            <p class="hint">{t.below_hint}</p>
        }
    })
}

fn row(line: &PlaceLine) -> impl IntoView + use<> {
    let cells = DefaultKind::ALL.map(|kind| cell(kind, &line.own, &line.effective)).collect_view();
    let MeterCounts { meters, differing, .. } = line.meters;
    let class = if differing > 0 { "number strong" } else { "number" };
    view! {
        <tr>
            <th scope="row"><a href=page(&line.id.to_string())>{line.name.clone()}</a></th>
            {cells}
            <td class="number">{meters}</td>
            <td class=class>{differing}</td>
        </tr>
    }
}

/// A value of its own is bold, an inherited one is not.
fn cell(kind: DefaultKind, own: &DefaultValues, effective: &DefaultValues) -> impl IntoView + use<> {
    let class = if own.get(kind).is_some() { "number strong" } else { "number muted" };
    let text = effective.get(kind).map_or_else(|| "—".to_owned(), |value| kind.text(value));
    view! { <td class=class>{text}</td> }
}
