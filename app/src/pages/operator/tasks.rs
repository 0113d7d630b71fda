//! The background tasks: how each ended last, and when it runs next.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use crate::i18n::lang;
use crate::i18n::tasks::{Processed, SomeFailing, advice, duration, task, texts};
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::AtSeconds;
use model::task::{TaskKind, TaskResult, TaskStatus};
use model::time::Timestamp;

/// The page: `/tasks`.
#[component]
pub fn TasksPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.tasks.tasks(&who).await
    };
    load(read, move |tasks: Vec<TaskStatus>| view! { <List tasks /> }.into_any())
}

/// The way here from pages that show other parts of the system, for whoever may open it.
pub fn tasks_link() -> impl IntoView + use<> {
    let title = texts(lang()).title;
    allowed("/tasks").then(|| view! { <p><a class="button" href="/tasks">{title}</a></p> })
}

#[component]
fn List(tasks: Vec<TaskStatus>) -> impl IntoView {
    let t = texts(lang());
    let count = tasks.iter().filter(|status| status.is_failing()).count();
    let failing = (count > 0).then(|| {
        let words = SomeFailing { count }.text(lang());
        view! { <Callout tone=Tone::Warn><p>{words}</p></Callout> }
    });
    let rows = tasks.iter().map(row).collect_view();
    view! {
        <Frame title=t.title section=Section::Tasks>
            <h1>{t.title}</h1>
            <p class="muted">{t.hint}</p>
            {failing}
            <p><a class="button" href="/tasks">{t.refresh}</a></p>
            <TableScroll label=t.title>
                <table class="table stacked">
                    <caption class="visually-hidden">{t.title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.task_head}</th>
                            <th scope="col">{t.result}</th>
                            <th scope="col" class="number">{t.failures}</th>
                            <th scope="col">{t.last_run}</th>
                            <th scope="col">{t.took}</th>
                            <th scope="col">{t.next_run}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {tasks.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
        </Frame>
    }
}

fn row(status: &TaskStatus) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let words = task(status.kind, lang);
    let (started_at, took) = match &status.last {
        Some(run) => (Some(run.started_at), Some(duration(run.took_ms, lang))),
        None => (None, None),
    };
    let next = match (status.next_at, status.running_since) {
        (Some(at), _) => Some(moment(at)),
        (None, Some(_)) if status.last.is_some() => Some(t.running.into_any()),
        (None, _) => None,
    };
    view! {
        <tr id=format!("task-{}", status.kind.as_str())>
            <th scope="row" class="long">{words.name}<br /><span class="muted">{words.purpose}</span></th>
            <td class="long">{result(status)}</td>
            <td class="number" data-label=t.failures>{status.failures_in_row}</td>
            <td data-label=t.last_run>{started_at.map(moment)}</td>
            <td data-label=t.took>{took}</td>
            <td data-label=t.next_run>{next}</td>
        </tr>
    }
}

fn moment(at: Timestamp) -> AnyView {
    view! { <AtSeconds at /> }.into_any()
}

fn result(status: &TaskStatus) -> AnyView {
    let t = texts(lang());
    match (status.last.as_ref().map(|run| &run.result), status.running_since) {
        (Some(TaskResult::Done(0)), _) => view! { <span class="muted">{t.nothing}</span> }.into_any(),
        (Some(TaskResult::Done(count)), _) => Processed { count: *count }.text(lang()).into_any(),
        (Some(TaskResult::Failed(detail)), _) => failed(status.kind, detail.clone()),
        (None, Some(_)) => t.first_run.into_any(),
        (None, None) => view! { <span class="muted">{t.never}</span> }.into_any(),
    }
}

/// The error as the log has it, and what to do.
fn failed(kind: TaskKind, detail: String) -> AnyView {
    let t = texts(lang());
    let (words, page) = advice(kind, lang());
    let link = page.filter(|page| allowed(page)).map(|page| view! { " "<a href=page>{t.see}</a> });
    view! {
        <strong class="bad-text">{t.failed}</strong>" "<code>{detail}</code><br />
        <span>{words}{link}</span>
    }
    .into_any()
}
