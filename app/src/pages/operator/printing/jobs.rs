//! What was sent to receipt printers, and what a person must decide about it.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use crate::i18n::lang;
use crate::i18n::printing::{state, texts, trouble};
use crate::ports::{operator, ports};
use crate::ui::live::{BUSY, Live, without_script};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{PrintDecision, PrintJob, PrintState};

/// The page: `/prints`.
#[component]
pub fn PrintsPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.printing.print_jobs(&who).await
    };
    load(read, |jobs| view! { <Body jobs /> }.into_any())
}

#[component]
fn Body(jobs: Vec<PrintJob>) -> impl IntoView {
    let t = texts(lang());
    let is_moving = jobs.iter().any(|job| matches!(job.state, PrintState::Queued | PrintState::Sending));
    let list = if jobs.is_empty() {
        view! { <p class="empty">{t.no_jobs}</p> }.into_any()
    } else {
        let rows = jobs.into_iter().map(row).collect_view();
        view! {
            <TableScroll label=t.jobs>
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">{t.receipt}</th>
                            <th scope="col">{t.state_title}</th>
                            <th scope="col">{t.printer}</th>
                            <th scope="col">{t.asked}</th>
                            <th scope="col">{t.by}</th>
                            <th scope="col">{t.action}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        }
        .into_any()
    };
    view! {
        <Frame title=t.jobs section=Section::Sales>
            <h1>{t.jobs}</h1>
            <p class="hint">{t.jobs_lead}</p>
            <Notice />
            <Live id="prints" again=is_moving.then_some(BUSY)>{list}</Live>
            {without_script(!is_moving)}
        </Frame>
    }
}

fn row(job: PrintJob) -> impl IntoView {
    let (t, here) = (texts(lang()), lang());
    let number = job.receipt.to_string();
    let which = if job.print == 1 { t.original } else { t.copy };
    let why = job.trouble.filter(|_| !matches!(job.state, PrintState::Printed | PrintState::Seen));
    let why = why.map(|why| format!(" · {}", trouble(why, here)));
    let id = job.id.to_string();
    let open = PrintDecision::ALL.into_iter().filter(|decision| decision.is_open(job.state));
    let buttons = open.map(|decision| {
        let word = match decision {
            PrintDecision::Seen => t.seen,
            PrintDecision::Again => t.again,
            PrintDecision::Cancel => t.cancel,
        };
        view! { <button name="decision" value=decision.as_str()>{word}</button> }
    });
    let class = matches!(job.state, PrintState::Unknown | PrintState::GivenUp).then_some("bad-text");
    view! {
        <tr>
            <td class="num"><a href=format!("/receipts/{number}")>{number.clone()}</a>" · "{which}</td>
            <td class=class>{state(job.state, here)}{why}</td>
            <td>{job.printer}</td>
            <td><At at=job.asked_at /></td>
            <td>{job.by}</td>
            <td>
                <form method="post" action="/api/operator/decide-print" class="buttons">
                    <input type="hidden" name="job" value=id />
                    {buttons.collect_view()}
                </form>
            </td>
        </tr>
    }
}
