//! The operation log: the audit chain in words.

use leptos::prelude::*;

use super::exports::in_background;
use super::frame::{Frame, Section};
use super::parts::{address, page_param, pager, param, wrong_days};
use super::tasks::tasks_link;
use crate::api::form::day;
use crate::i18n::audit::{self as words, texts};
use crate::i18n::{Lang, lang, operator as operator_texts};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::marked::marked;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::{At, AtSeconds};
use model::audit::{AuditAction, AuditLine, AuditPage, AuditQuery, Doer, Names, Verification};
use model::export::{ExportList, ExportSource};
use model::time::Timestamp;

/// The query parameters.
const PARAMS: [&str; 6] = ["q", "by", "kind", "about", "from", "until"];

/// What a verification found, where the page shows one, and when it was.
type Verified = Option<(Timestamp, Verification)>;

/// The page: `/audit?q=301&by=user:<id>&kind=payment.held&about=meter:<id>&from=2026-11-01&until=2026-11-30&page=2`.
#[component]
pub fn AuditPage() -> impl IntoView {
    let number = page_param();
    let query = AuditQuery { page: number, ..query(param) };
    let asked = PARAMS.map(|name| (name, param(name)));
    let verified: Option<i64> = param("verified").parse().ok();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let page = ports.audit.audit(&who, &query).await?;
        let result = match verified.filter(|_| page.may_verify) {
            Some(line) => ports.audit.verification(&who, line).await?,
            None => None,
        };
        Ok((page, result))
    };
    load(read, move |(page, result)| view! { <List page result number asked=asked.to_vec() /> }.into_any())
}

/// The query of an address, for the page and the file; invalid values are ignored.
pub fn query(field: impl Fn(&'static str) -> String) -> AuditQuery {
    let kind = field("kind");
    let known = AuditAction::ALL.iter().any(|one| one.as_str() == kind || one.area() == kind);
    AuditQuery {
        text: field("q").chars().take(100).collect(),
        by: Doer::parse(&field("by")),
        action: if known { kind } else { String::new() },
        subject: field("about").chars().take(100).collect(),
        from: day(&field("from")),
        until: day(&field("until")),
        page: 0,
    }
}

/// The columns of the file.
#[must_use]
pub const fn head(lang: Lang) -> [&'static str; 10] {
    let (t, o) = (texts(lang), operator_texts::texts(lang));
    [o.number, o.time, t.who, o.ip, t.what_kind, t.what, t.about, o.room, t.details, t.raw]
}

#[component]
fn List(page: AuditPage, result: Verified, number: i64, asked: Vec<(&'static str, String)>) -> impl IntoView {
    let (t, o) = (texts(lang()), operator_texts::texts(lang()));
    let params: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (*name, &**value)).collect();
    let background = in_background(ExportSource::List(ExportList::Audit), &params);
    let (here, file) = (address("/audit", &params), address("/audit.csv", &params));
    let value = |name: &str| asked.iter().find(|(one, _)| *one == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let rows = page.page.lines.iter().map(|line| row(line, &page.names)).collect_view();
    let field = |name: &'static str, label: &'static str| {
        let day = value(name);
        view! { <label class="filter-field"><span>{label}</span><input type="date" name=name value=day /></label> }
    };
    let (text, from, until) = (value("q"), value("from"), value("until"));
    let (filtered, days) = (here != "/audit", wrong_days(&from, &until));
    let filter = view! {
        <form class="filter" action="/audit">
            <label class="filter-field"><span>{o.search}</span><input type="search" name="q" value=text placeholder=t.search_hint
                maxlength="100" /></label>
            {doers(&page, &value("by"))}
            {kinds(&value("kind"))}
            {field("from", o.from)}
            {field("until", o.until)}
            {about(&value("about"), &page.names)}
            <button>{o.filter}</button>
            {filtered.then(|| view! { <a href="/audit">{o.clear}</a> })}
            <a class="button" href=file rel="external" download="dormwatt-audit.csv">{t.file}</a>
        </form>
        {background}
    };
    let after = result.as_ref().and_then(|(_, found)| found.goes_on_after());
    let verification = page.may_verify.then(|| verify(from, until, after));
    view! {
        <Frame title=o.audit section=Section::Audit>
            <h1>{o.audit}</h1>
            <Notice/>
            {result.as_ref().map(|(at, found)| outcome(*at, found))}
            {filter}
            {days}
            {verification}
            {page.is_too_wide.then(|| view! { <Callout tone=Tone::Warn><p>{t.too_wide}</p></Callout> })}
            {(!page.may_verify).then(|| view! { <p class="hint">{t.own_lines}</p> })}
            {tasks_link()}
            <TableScroll label=o.audit>
                <table class="table sticky stacked audit">
                    <caption class="visually-hidden">{o.audit}</caption>
                    <thead>
                        <tr>
                            <th scope="col" class="number">{o.number}</th>
                            <th scope="col">{o.time}</th>
                            <th scope="col">{t.who}</th>
                            <th scope="col">{t.what}</th>
                            <th scope="col">{t.about}</th>
                            <th scope="col">{t.details}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {page.page.lines.is_empty().then(|| view! { <p class="empty">{o.no_audit}</p> })}
            {pager(&page.page, number, &here)}
        </Frame>
    }
}

/// Says what the verification found that was just made.
fn outcome(at: Timestamp, found: &Verification) -> impl IntoView + use<> {
    let t = texts(lang());
    let (class, what) = match (found.is_sound(), found.is_complete()) {
        (false, _) => ("notice bad", t.unsound),
        (true, false) => ("notice", t.unfinished),
        (true, true) => ("notice good", t.sound),
    };
    let found = words::verification(found, lang());
    view! { <p class=class role="status"><strong>{marked(what)}</strong>" "{marked(&found)}" · "<At at/></p> }
}

/// The button that verifies the chosen days; after a part of them, one that goes on from there.
fn verify(from: String, until: String, after: Option<i64>) -> impl IntoView {
    let t = texts(lang());
    let on = after.map(|line| {
        let label = words::VerifyOn { line: line + 1 }.text(lang());
        view! { <button class="primary" name="after" value=line>{label}</button> }
    });
    view! {
        <form class="filter" method="post" action="/api/operator/audit/verify">
            <input type="hidden" name="from" value=from />
            <input type="hidden" name="until" value=until />
            {on}
            <button>{t.verify}</button>
            <span class="hint">{t.verify_hint}</span>
        </form>
    }
}

/// The choice of operators, the system and the channels. Residents are chosen in a line of the log only, so an id without a
/// name adds no option.
fn doers(page: &AuditPage, chosen: &str) -> impl IntoView + use<> {
    let t = texts(lang());
    let mut options = vec![("system".to_owned(), t.system.to_owned()), ("channel".to_owned(), t.channels.to_owned())];
    options.extend(page.people.iter().map(|(user, name)| (Doer::Person(*user).to_string(), name.clone())));
    if page.names.contains_key(chosen) && !options.iter().any(|(value, _)| value == chosen) {
        options.push((chosen.to_owned(), words::actor(chosen, &page.names, lang())));
    }
    let options = options.into_iter().map(|(value, name)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{name}</option> }
    });
    view! {
        <label class="filter-field">
            <span>{t.who}</span>
            <select name="by"><option value="">{operator_texts::texts(lang()).all}</option>{options.collect_view()}</select>
        </label>
    }
}

fn kinds(chosen: &str) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let groups = words::actions(lang).into_iter().map(|(area, actions)| {
        let name = words::area(area, lang);
        let all = words::AllOf { area: name }.text(lang);
        let options = actions.into_iter().map(|(code, name)| {
            let selected = code == chosen;
            view! { <option value=code selected=selected>{name}</option> }
        });
        view! {
            <optgroup label=name>
                <option value=area selected=area == chosen>{all}</option>
                {options.collect_view()}
            </optgroup>
        }
    });
    view! {
        <label class="filter-field">
            <span>{t.what_kind}</span>
            <select name="kind"><option value="">{operator_texts::texts(lang).all}</option>{groups.collect_view()}</select>
        </label>
    }
}

/// The one subject that lines are about, which a line's link chose; unchecking it shows the others.
fn about(chosen: &str, names: &Names) -> Option<impl IntoView + use<>> {
    let chosen = chosen.to_owned();
    (!chosen.is_empty()).then(|| {
        let subject = words::subject(&chosen, names, lang());
        let label = words::Only { subject }.text(lang());
        view! { <label class="check"><input type="checkbox" name="about" value=chosen checked/><span>{label}</span></label> }
    })
}

fn row(line: &AuditLine, names: &Names) -> impl IntoView + use<> {
    let (t, o, lang) = (texts(lang()), operator_texts::texts(lang()), lang());
    let who = words::actor(&line.actor, names, lang);
    let by = if line.actor.starts_with("channel:") { "channel" } else { &line.actor };
    let what = words::subject(&line.subject, names, lang);
    let link = match words::page_of(line) {
        Some(page) => view! { <a href=page>{what}</a> }.into_any(),
        None => what.into_any(),
    };
    let room = line.place.as_ref().map(|(meter, room)| view! { " "<a href=format!("/rooms/{meter}")>{room.to_string()}</a> });
    let only = address("/audit", &[("about", &line.subject)]);
    let all = words::Only { subject: words::subject(&line.subject, names, lang) }.text(lang);
    let raw = (line.detail != "{}").then(|| {
        view! {
            <details class="raw">
                <summary>{t.raw}</summary>
                <code>{line.action.clone()}" "{line.subject.clone()}" "{line.detail.clone()}</code>
            </details>
        }
    });
    view! {
        <tr>
            <td class="number" data-label=o.number>{line.seq}</td>
            <td><AtSeconds at=line.at /></td>
            <td data-label=t.who>
                <a href=address("/audit", &[("by", by)])>{who}</a>
                {(!line.ip.is_empty()).then(|| view! { <span class="muted num from-where">{line.ip.clone()}</span> })}
            </td>
            <th scope="row" title=line.action.clone()>{words::action(&line.action, lang)}</th>
            <td class="long" data-label=t.about>
                {link}{room}" "<a class="muted" href=only title=all.clone() aria-label=all>"⌕"</a>
            </td>
            <td class="long">{words::detail(line, names, lang)}{raw}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_filters_by_what_is_known() {
        let of = |pairs: &'static [(&str, &str)]| {
            query(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()).unwrap_or_default())
        };
        assert_eq!(of(&[]), AuditQuery::default());
        assert_eq!(of(&[("kind", "payment")]).action, "payment");
        assert_eq!(of(&[("kind", "payment.held")]).action, "payment.held");
        assert_eq!(of(&[("kind", "moon%")]).action, "");
        assert_eq!(of(&[("by", "channel")]).by, Some(Doer::Channel));
        assert_eq!(of(&[("by", "nobody")]).by, None);
    }
}
