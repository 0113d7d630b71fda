//! The rules of alarms at a place or of a group, and the form of one of them with its preview.

use leptos::prelude::*;

use super::preview::preview_section;
use crate::api::alarm_rules::{AlarmPreview, AlarmRuleLine, AlarmRulesView, FIELDS, bounds, read_rule};
use crate::i18n::alarms::{
    FieldHint, FromPlace, GroupNamed, NumberHint, delay, level, level_code, texts, threshold, threshold_field,
};
use crate::i18n::events::event;
use crate::i18n::{lang, settings};
use crate::link;
use crate::pages::operator::frame::{Frame, Section};
use crate::pages::operator::parts::{address, ask_again, param};
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::alarm::{AlarmLevel, AlarmRule};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::event::EventKind;
use model::place::PlaceKind;

/// What the page shows: the rules, and the one that is edited with what it would have raised.
type Shown = (AlarmRulesView, Option<(AlarmRuleLine, Option<AlarmPreview>)>);

/// The page: `/alarms/rules?of=...&kind=overload`, with `preview=1` and the fields of the form for a preview.
#[component]
pub fn AlarmRulesPage() -> impl IntoView {
    let of: Option<DefaultsOf> = param("of").parse().ok();
    let kind = EventKind::parse(&param("kind"));
    let edited = (param("preview") == "1").then(|| FIELDS.map(param));
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let Some(view) = ports.alarm_rules.alarm_rules(&who, of).await? else { return Ok(None) };
        let Some(mut line) = kind.and_then(|kind| view.rules.iter().find(|line| line.kind == kind).cloned()) else {
            return Ok(Some((view, None)));
        };
        let preview = match edited {
            Some(fields) => {
                let own = match read_rule(line.kind, fields.each_ref().map(String::as_str)) {
                    Ok(own) => own,
                    Err(field) => return ask_again(AppError::Invalid, field).map(|()| None),
                };
                line.own = own;
                Some(ports.alarm_rules.preview_alarm_rule(&who, view.of, line.kind, &own).await?)
            }
            None => None,
        };
        Ok(Some((view, Some((line, preview)))))
    };
    load(read, |found: Option<Shown>| match found {
        Some((view, edited)) => view! { <Rules view edited /> }.into_any(),
        None => view! { <Nothing /> }.into_any(),
    })
}

#[component]
fn Nothing() -> impl IntoView {
    let t = texts(lang());
    view! {
        <Frame title=t.rules section=Section::Alarms>
            <h1>{t.rules}</h1>
            <p class="empty">{t.no_places}</p>
        </Frame>
    }
}

fn page(of: DefaultsOf) -> String {
    link::with("/alarms/rules", "of", &of.to_string())
}

#[component]
fn Rules(view: AlarmRulesView, edited: Option<(AlarmRuleLine, Option<AlarmPreview>)>) -> impl IntoView {
    let t = texts(lang());
    let above = view.above.iter().map(|(id, name)| {
        view! { <li><a href=page(DefaultsOf::Place(*id))>{name.clone()}</a></li> }
    });
    let above = above.collect_view();
    let title = match view.kind {
        Some(PlaceKind::Site) => t.rules.to_owned(),
        Some(_) => format!("{} · {}", t.rules, view.name),
        None => format!("{} · {}", t.rules, GroupNamed { name: &view.name }.text(lang())),
    };
    let below = links(&view.below, if view.kind.is_some() { t.below } else { t.group_places });
    let groups = links(&view.groups, t.groups);
    let edited = edited.map(|(line, preview)| {
        let form = form(view.of, &line);
        view! { <div class="halves">{form}{preview.map(|preview| preview_section(&preview))}</div> }
    });
    view! {
        <Frame title=title.clone() section=Section::Alarms>
            <nav aria-label=settings::texts(lang()).above>
                <ol class="crumbs"><li><a href="/alarms">{t.all_alarms}</a></li>{above}</ol>
            </nav>
            <h1>{title}</h1>
            <Notice />
            {edited}
            <p class="hint">{t.rules_hint}</p>
            {table(&view)}
            {below}
            {groups}
        </Frame>
    }
}

fn links(places: &[(DefaultsOf, String)], title: &'static str) -> impl IntoView + use<> {
    let items = places.iter().map(|(of, name)| view! { <li><a href=page(*of)>{name.clone()}</a></li> }).collect_view();
    (!places.is_empty()).then(|| view! { <h2>{title}</h2><ul class="plain">{items}</ul> })
}

fn table(view: &AlarmRulesView) -> impl IntoView + use<> {
    let t = texts(lang());
    let of = view.of.to_string();
    let rows = view.rules.iter().map(|line| row(line, &of)).collect_view();
    view! {
        <TableScroll label=t.rules>
            <table class="table sticky stacked">
                <caption class="visually-hidden">{t.rules}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.kind}</th>
                        <th scope="col">{t.level}</th>
                        <th scope="col">{t.raise}</th>
                        <th scope="col">{t.clear}</th>
                        <th scope="col">{t.threshold}</th>
                        <th scope="col">{t.state}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
    }
}

fn row(line: &AlarmRuleLine, of: &str) -> impl IntoView + use<> {
    let t = texts(lang());
    let AlarmRule { is_on, raise_delay, clear_delay, .. } = line.rule;
    let edit = address("/alarms/rules", &[("of", of), ("kind", line.kind.as_str())]);
    let delays = (!line.kind.is_instant()).then(|| [raise_delay, clear_delay].map(|ms| delay(ms, lang())));
    let [raise, clear] = delays.unwrap_or_else(|| ["—".to_owned(), "—".to_owned()]);
    let comes = match (&line.from, line.own.is_empty()) {
        (_, false) => t.set_here.to_owned(),
        (Some(name), true) => FromPlace { name }.text(lang()),
        (None, true) => t.usual.to_owned(),
    };
    view! {
        <tr>
            <th scope="row"><a href=edit>{event(line.kind, lang()).name}</a></th>
            <td data-label=t.level>{level_words(&line.rule)}</td>
            <td data-label=t.raise>{is_on.then_some(raise)}</td>
            <td data-label=t.clear>{is_on.then_some(clear)}</td>
            <td data-label=t.threshold>{threshold_words(line).filter(|_| is_on)}</td>
            <td data-label=t.state class=(!line.own.is_empty()).then_some("strong")>{comes}</td>
        </tr>
    }
}

fn level_words(rule: &AlarmRule) -> &'static str {
    if rule.is_on { level(rule.level, lang()) } else { texts(lang()).off }
}

fn threshold_words(line: &AlarmRuleLine) -> Option<String> {
    let (unit, value) = (line.kind.threshold_unit()?, line.rule.threshold?);
    Some(threshold(unit, value, lang()))
}

/// Previews by the address, and saves by a post.
fn form(of: DefaultsOf, line: &AlarmRuleLine) -> impl IntoView + use<> {
    let t = texts(lang());
    let chosen = line.own.level_text();
    let options = AlarmLevel::ALL.map(|one| (level_code(one), level(one, lang())));
    let kind = line.kind;
    let hint = move |name: &str, value: &str| {
        let (least, most) = bounds(kind, name);
        NumberHint { least, most, value }.text(lang())
    };
    let (instant, interlock) = (line.kind.is_instant(), line.kind.is_interlock());
    let off = (!interlock).then_some(("off", t.off));
    let options = [("", t.inherited)].into_iter().chain(options).chain(off).map(|(code, word)| {
        let selected = code == chosen;
        view! { <option value=code selected=selected>{word}</option> }
    });
    let options = options.collect_view();
    let delays = [
        ("raise_s", t.raise_field, line.own.raise_s, delay(line.rule.raise_delay, lang())),
        ("clear_s", t.clear_field, line.own.clear_s, delay(line.rule.clear_delay, lang())),
    ];
    let delays = delays.map(|(name, label, own, now)| {
        if instant || interlock {
            return view! { <input type="hidden" name=name value="" /> }.into_any();
        }
        number(name, label, own, hint(name, &now)).into_any()
    });
    let threshold = line.kind.threshold_unit().map(|unit| {
        let now = threshold_words(line).unwrap_or_default();
        number("threshold", threshold_field(unit, lang()), line.own.threshold, hint("threshold", &now))
    });
    view! {
        <section class="card stack-tight">
            <h2>{event(line.kind, lang()).name}</h2>
            <p class="hint">{event(line.kind, lang()).reason}</p>
            <form class="stack-tight" action="/alarms/rules">
                <input type="hidden" name="of" value=of.to_string() />
                <input type="hidden" name="kind" value=line.kind.as_str() />
                <div class="field">
                    <label for="rule-level">{t.level}</label>
                    <select class="input" id="rule-level" name="level" aria-describedby="rule-level-hint">{options}</select>
                    <p class="hint" id="rule-level-hint">{FieldHint { value: level_words(&line.rule) }.text(lang())}</p>
                </div>
                {delays.collect_view()}
                {instant.then(|| view! { <p class="hint">{t.instant_hint}</p> })}
                {interlock.then(|| view! { <p class="hint">{t.interlock_hint}</p> })}
                {line.kind.is_told_as_case().then(|| view! { <p class="hint">{t.case_hint}</p> })}
                {threshold}
                <div class="buttons">
                    <button name="preview" value="1">{t.preview}</button>
                    <button class="primary" formmethod="post" formaction="/api/operator/settings/alarm-rule">{t.save}</button>
                </div>
            </form>
        </section>
    }
}

/// A field of a number that may be empty.
fn number(name: &'static str, label: &'static str, own: Option<u32>, hint: String) -> impl IntoView + use<> {
    let (id, described) = (format!("rule-{name}"), format!("rule-{name}-hint"));
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                class="input"
                id=id
                name=name
                inputmode="numeric"
                pattern="[0-9]{1,6}"
                autocomplete="off"
                value=own.map(|value| value.to_string()).unwrap_or_default()
                aria-describedby=described.clone()
            />
            <p class="hint" id=described>{hint}</p>
        </div>
    }
}
