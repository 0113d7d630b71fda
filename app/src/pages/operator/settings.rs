//! Settings of the site, and the default parameters of meters by place and group.

use leptos::prelude::*;

use super::contact::contact_card;
use super::frame::{Frame, Section};
use super::parts::{address, param};
use crate::api::friendly_hours;
use crate::api::settings::{MeterCounts, PlaceLine, PlaceSettings};
use crate::i18n::settings::{
    Co2Hint, Co2Saved, ComesFrom, ContactSaved, DefaultsSaved, GroupNamed, Issue, IssueHere, NameSaved, OptionOff, OptionOn,
    ServerWallets, Undecided, Unread, Unset, texts,
};
use crate::i18n::{defaults, friendly, gateways, lang, setup};
use crate::link;
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::default_field::default_field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::co2::Co2Factor;
use model::console::Differs;
use model::defaults::{DefaultKind, DefaultValues, DefaultsOf};
use model::place::PlaceKind;
use model::site_option::SiteOption;

/// The page: `/settings`, or `/settings?of=...` for a building, a floor, a room or a group.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let of = param("of").parse().ok();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.settings.settings(&who, of).await
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
    let is_site = settings.kind == Some(PlaceKind::Site);
    let above = settings.above.iter().map(|(id, name)| {
        view! { <li><a href=page(DefaultsOf::Place(*id))>{name.clone()}</a></li> }
    });
    let crumbs = match settings.kind {
        Some(PlaceKind::Site) => None,
        Some(_) => Some(above.collect_view().into_any()),
        None => Some(view! { <li><a href="/settings">{t.title}</a></li> }.into_any()),
    };
    let crumbs = crumbs.map(|above| view! { <nav aria-label=t.above><ol class="crumbs">{above}</ol></nav> });
    let title = match settings.kind {
        Some(PlaceKind::Site) => t.title.to_owned(),
        Some(_) => settings.name.clone(),
        None => GroupNamed { name: &settings.name }.text(lang()),
    };
    let done = outcome(&settings).map(|text| view! { <Callout tone=Tone::Good><p>{text}</p></Callout> });
    view! {
        <Frame title=title.clone() section=Section::Settings>
            {crumbs}
            <h1>{title}</h1>
            <Notice />
            {done}
            <div class="halves">
                <div class="stack">
                    {values(&settings)}
                    {issue(&settings)}
                    {is_site.then(|| contact_card(&settings))}
                </div>
                {if is_site { site(&settings).into_any() } else { contact_card(&settings).into_any() }}
            </div>
            {lines(&settings.below, if settings.kind.is_some() { t.below } else { t.group_places }, t.place)}
            {lines(&settings.groups, t.groups, t.group)}
        </Frame>
    }
}

fn page(of: DefaultsOf) -> String {
    link::with("/settings", "of", &of.to_string())
}

/// What the last form set, in the values that hold now.
fn outcome(settings: &PlaceSettings) -> Option<String> {
    let (t, lang) = (texts(lang()), lang());
    let own = |text: &str| if text.is_empty() { t.not_set.to_owned() } else { text.to_owned() };
    Some(match param("done").as_str() {
        "defaults" => {
            let values = defaults::list(&settings.own, lang);
            if values.is_empty() { t.defaults_inherited.to_owned() } else { DefaultsSaved { values }.text(lang) }
        }
        "contact" => {
            let (phone, signature) = (own(&settings.contact.phone), own(&settings.contact.signature));
            ContactSaved { phone, signature }.text(lang)
        }
        "option" => {
            let named = |(option, _): &(SiteOption, bool)| option.as_str() == param("option");
            let (option, is_on) = settings.options.iter().copied().find(named)?;
            let (name, _) = option_words(option);
            if is_on { OptionOn { name }.text(lang) } else { OptionOff { name }.text(lang) }
        }
        "co2" => Co2Saved { factor: settings.co2_factor.unwrap_or(Co2Factor::NATIONAL_2023) }.text(lang),
        "name" => NameSaved { name: &settings.name }.text(lang),
        _ => return None,
    })
}

/// The own values, with what applies where a field is empty.
fn values(settings: &PlaceSettings) -> impl IntoView + use<> {
    let t = texts(lang());
    let is_group = settings.kind.is_none();
    let fields = DefaultKind::ALL.into_iter().zip(settings.effective.clone()).map(|(kind, effective)| {
        let own = settings.own.get(kind);
        let hint = match effective {
            Some(_) if own.is_some() => t.set_here.to_owned(),
            Some((value, of, name)) => {
                let place = defaults::named(of, &name, lang());
                ComesFrom { value: &defaults::value(kind, value, lang()), place: &place }.text(lang())
            }
            None if is_group => t.by_place.to_owned(),
            None if kind == DefaultKind::Interval => gateways::texts(lang()).as_configured.to_owned(),
            None => t.set_nowhere.to_owned(),
        };
        default_field(kind, own, hint)
    });
    let fields = fields.collect_view();
    let plan = match &settings.plan {
        Some((plan, of, _)) if is_group && *of == settings.of => plan.clone(),
        Some((plan, of, name)) => ComesFrom { value: plan, place: &defaults::named(*of, name, lang()) }.text(lang()),
        None if is_group => t.by_place.to_owned(),
        None => t.no_plan.to_owned(),
    };
    let plan = view! {
        <dl class="said">
            <dt>{t.plan}</dt>
            <dd>{plan}" "<a href="/prices">{t.to_prices}</a></dd>
        </dl>
    };
    view! {
        <section class="card stack-tight">
            <h2>{t.defaults}</h2>
            <p class="hint">{if is_group { t.group_hint } else { t.defaults_hint }}</p>
            <form class="stack-tight" method="post" action="/api/operator/settings/defaults">
                <input type="hidden" name="of" value=settings.of.to_string() />
                <div class="field-grid">{fields}</div>
                <p class="hint">{t.interval_hint}</p>
                <div class="buttons"><button class="primary">{t.save}</button></div>
            </form>
            {plan}
            <dl class="said">
                <dt>{friendly::texts(lang()).title}</dt>
                <dd><a href=link::with(friendly_hours::PAGE, "of", &settings.of.to_string())>{t.to_friendly}</a></dd>
            </dl>
        </section>
    }
}

/// What is still to be issued, with a link for each set of limits to the command that does it.
fn issue(settings: &PlaceSettings) -> impl IntoView + use<> {
    let t = texts(lang());
    let counts = settings.meters;
    let missing = DefaultKind::limits().zip(&settings.effective).filter(|(_, value)| value.is_none());
    let names = missing.map(|(kind, _)| defaults::kind(kind, lang())).collect::<Vec<_>>().join(", ");
    let undecided = match settings.kind {
        Some(_) if !names.is_empty() => Some(Unset { names }.text(lang())),
        _ if counts.undecided > 0 => Some(Undecided { count: count(counts.undecided) }.text(lang())),
        _ => None,
    };
    let none = (counts.differing == 0 && undecided.is_none()).then(|| view! { <p>{t.none_differs}</p> });
    let differ = (counts.differing > 0).then(|| {
        view! { <Callout tone=Tone::Warn><p>{Issue { count: count(counts.differing) }.text(lang())}</p></Callout> }
    });
    let are_several = settings.to_issue.len() > 1;
    let links = settings.to_issue.iter().map(|(limits, meters)| {
        let differs = Differs::Limits { of: settings.of, limits: *limits }.to_string();
        let values: DefaultValues = DefaultKind::ALL.into_iter().map(|kind| kind.of(limits)).collect();
        let filled: Vec<(DefaultKind, String)> =
            DefaultKind::limits().filter_map(|kind| Some((kind, kind.text(kind.of(limits)?)))).collect();
        let mut params = vec![("kind", "limits"), ("differs", differs.as_str())];
        params.extend(filled.iter().map(|(kind, text)| (kind.as_str(), text.as_str())));
        let to = address("/commands/new", &params);
        let words = IssueHere { count: count(*meters) }.text(lang());
        let which = are_several.then(|| view! { <p class="hint">{defaults::list(&values, lang())}</p> });
        view! { <div class="stack-tight">{which}<div class="buttons"><a class="button primary" href=to>{words}</a></div></div> }
    });
    let links = links.collect_view();
    let unread = (counts.unread > 0).then(|| view! { <p class="hint">{Unread { count: count(counts.unread) }.text(lang())}</p> });
    let server = (counts.server_wallets > 0).then(|| {
        view! { <p class="hint">{ServerWallets { count: count(counts.server_wallets) }.text(lang())}</p> }
    });
    view! {
        <section class="card stack-tight" id="issue">
            <h2>{t.meters}</h2>
            {undecided.map(|said| view! { <p>{said}</p> })}
            {none}
            {differ}
            {links}
            {unread}
            {server}
        </section>
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// What an option is called, and a hint.
fn option_words(option: SiteOption) -> (&'static str, Option<&'static str>) {
    let t = texts(lang());
    match option {
        SiteOption::RoommateLinks => (t.roommate_links, None),
        SiteOption::CompareRooms => (t.compare_rooms, Some(t.compare_rooms_hint)),
        SiteOption::PayForOthers => (t.pay_for_others, Some(t.pay_for_others_hint)),
    }
}

fn option_form((option, is_on): (SiteOption, bool)) -> impl IntoView {
    let t = texts(lang());
    let (label, hint) = option_words(option);
    view! {
        <form class="stack-tight" method="post" action="/api/operator/settings/option">
            <input type="hidden" name="option" value=option.as_str() />
            <label class="check"><input type="checkbox" name="on" value="on" checked=is_on />{label}</label>
            {hint.map(|hint| view! { <p class="hint">{hint}</p> })}
            <div class="buttons"><button>{t.save}</button></div>
        </form>
    }
}

/// What is of the site alone.
fn site(settings: &PlaceSettings) -> impl IntoView + use<> {
    let (t, s) = (texts(lang()), setup::texts(lang()));
    let co2_hint = Co2Hint { factor: Co2Factor::NATIONAL_2023 }.text(lang());
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
            <form class="stack-tight" method="post" action="/api/operator/settings/co2">
                <div class="field">
                    <label for="co2-factor">{t.co2_factor}</label>
                    <input
                        class="input"
                        id="co2-factor"
                        name="co2_factor"
                        inputmode="decimal"
                        maxlength="6"
                        autocomplete="off"
                        placeholder=Co2Factor::NATIONAL_2023.to_string()
                        value=settings.co2_factor.map(|factor| factor.to_string()).unwrap_or_default()
                        aria-describedby="co2-factor-hint"
                    />
                    <p class="hint" id="co2-factor-hint">{co2_hint}</p>
                </div>
                <div class="buttons"><button>{t.save}</button></div>
            </form>
            {settings.options.iter().copied().map(option_form).collect_view()}
            <dl class="said">
                <dt>{s.time_zone}</dt>
                <dd>{s.time_zone_value}</dd>
                <dt>{s.start_title}</dt>
                <dd><a href="/start">{t.to_start}</a></dd>
            </dl>
        </section>
    }
}

/// Places or groups, with the values that apply to each; `named` is the title of their names.
fn lines(lines: &[PlaceLine], title: &'static str, named: &'static str) -> impl IntoView + use<> {
    let t = texts(lang());
    let heads = DefaultKind::ALL.map(|kind| view! { <th scope="col" class="number">{defaults::kind(kind, lang())}</th> });
    let rows = lines.iter().map(row).collect_view();
    (!lines.is_empty()).then(|| {
        view! {
            <h2>{title}</h2>
            <TableScroll label=title>
                <table class="table sticky">
                    <caption class="visually-hidden">{title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{named}</th>
                            <th scope="col" class="number">{t.meters}</th>
                            <th scope="col" class="number">{t.differing}</th>
                            {heads.collect_view()}
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
            <th scope="row"><a href=page(line.of)>{line.name.clone()}</a></th>
            <td class="number">{meters}</td>
            <td class=class>{differing}</td>
            {cells}
        </tr>
    }
}

/// A value of its own is bold, an inherited one is not.
fn cell(kind: DefaultKind, own: &DefaultValues, effective: &DefaultValues) -> impl IntoView + use<> {
    let class = if own.get(kind).is_some() { "number strong" } else { "number muted" };
    let text = effective.get(kind).map_or_else(|| "—".to_owned(), |value| defaults::value(kind, value, lang()));
    view! { <td class=class>{text}</td> }
}
