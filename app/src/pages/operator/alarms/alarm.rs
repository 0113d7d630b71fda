//! One alarm: its reason and next step, who works on it, what was done about it, and where it is silenced.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::silences::{SilenceForm, outcome, silence_rows};
use super::{figures, place, tags};
use crate::i18n::alarms::{AssignedTo, texts};
use crate::i18n::events::event;
use crate::i18n::{events, lang};
use crate::pages::operator::frame::{Frame, Section};
use crate::ports::{may, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::console::{AlarmAction, AlarmStep, AlarmView};
use model::error::AppError;
use model::ids::EventId;
use model::permission::Permission;

/// The page: `/alarms/:id`.
#[component]
pub fn AlarmPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let id: EventId = id.parse().map_err(|_| AppError::NotFound)?;
        ports.alarms.alarm(&who, id).await
    };
    load(read, |alarm| view! { <Alarm alarm /> }.into_any())
}

#[component]
fn Alarm(alarm: AlarmView) -> impl IntoView {
    let (t, e, words) = (texts(lang()), events::texts(lang()), event(alarm.line.kind, lang()));
    let here = format!("/alarms/{}", alarm.line.id);
    let works = may(Permission::Cases) && alarm.line.until.is_none();
    let silence = (works && !alarm.scopes.is_empty()).then(|| {
        view! { <SilenceForm scopes=alarm.scopes.clone() back=here.clone() /> }
    });
    let silences = silence_rows(&alarm.silences, &here);
    view! {
        <Frame title=words.name section=Section::Alarms>
            <p><a href="/alarms">{t.all_alarms}</a></p>
            <div class="page-head"><h1>{words.name}" "{place(&alarm.line)}{tags(&alarm.line)}</h1></div>
            <Notice />
            {outcome(alarm.silences.iter())}
            <div class="halves">
                <section class="card stack-tight">
                    <dl class="said">
                        <dt>{e.reason}</dt><dd>{words.reason}{figures(&alarm.line)}</dd>
                        <dt>{e.next}</dt><dd>{words.next}</dd>
                        <dt>{t.from}</dt><dd><At at=alarm.line.since /></dd>
                        <dt>{t.until}</dt>
                        <dd>{alarm.line.until.map_or_else(|| t.goes_on.into_any(), |at| view! { <At at /> }.into_any())}</dd>
                        <dt>{t.assigned}</dt>
                        <dd>{assignee(&alarm)}</dd>
                    </dl>
                    {works.then(|| forms(&alarm, &here))}
                </section>
                <div class="stack">
                    <section class="card stack-tight">
                        <h2>{t.history}</h2>
                        {history(&alarm.history)}
                    </section>
                    {silence}
                    {(!alarm.silences.is_empty()).then(|| view! {
                        <section class="card stack-tight"><h2>{t.silences}</h2>{silences}</section>
                    })}
                </div>
            </div>
        </Frame>
    }
}

fn assignee(alarm: &AlarmView) -> String {
    alarm.line.assigned.as_ref().map_or_else(|| texts(lang()).nobody.to_owned(), |(_, name)| name.clone())
}

/// Acknowledging and assigning.
fn forms(alarm: &AlarmView, here: &str) -> impl IntoView + use<> {
    let (t, e, id) = (texts(lang()), events::texts(lang()), alarm.line.id.to_string());
    let chosen = alarm.line.assigned.as_ref().map(|(user, _)| *user);
    let options = alarm.operators.iter().map(|(user, name)| {
        view! { <option value=user.to_string() selected=chosen == Some(*user)>{name.clone()}</option> }
    });
    let options = options.collect_view();
    let acknowledge = alarm.line.seen.is_none().then(|| {
        view! {
            <form method="post" action="/api/operator/acknowledge">
                <input type="hidden" name="event" value=id.clone() />
                <input type="hidden" name="back" value=here.to_owned() />
                <button class="primary">{e.see}</button>
            </form>
        }
    });
    view! {
        {acknowledge}
        <form class="filter" method="post" action="/api/operator/alarms/assign">
            <input type="hidden" name="event" value=id.clone() />
            <label class="filter-field">
                <span>{t.assigned}</span>
                <select name="assignee"><option value="">{t.nobody}</option>{options}</select>
            </label>
            <button>{t.assign}</button>
        </form>
    }
}

fn history(steps: &[AlarmStep]) -> AnyView {
    let t = texts(lang());
    if steps.is_empty() {
        return view! { <p class="muted">{t.no_history}</p> }.into_any();
    }
    let step = |step: &AlarmStep| {
        let what = match (step.action, &step.assigned) {
            (AlarmAction::Acknowledge, _) => t.acknowledged.to_owned(),
            (AlarmAction::Assign, Some(name)) => AssignedTo { name }.text(lang()),
            (AlarmAction::Assign, None) => t.unassigned.to_owned(),
        };
        view! { <li><At at=step.at />" "<strong>{step.by.clone()}</strong>" "{what}</li> }
    };
    view! { <ul class="plain">{steps.iter().map(step).collect_view()}</ul> }.into_any()
}
