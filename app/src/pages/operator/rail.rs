//! The rail: every section of the console, in groups. On tablets and phones a button opens it.

use leptos::prelude::*;

use crate::i18n::{
    cash_desk, commands, events, import, instruments, invoices, kiosk, lang, ledger, notifications, operator, operators, places,
    prices, printing, reconcile, reports, settings, setup, shifts, tasks,
};
use crate::ports::{allowed, ports};

/// The section of the rail that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What a new site still lacks.
    Start,
    /// The site's workbook.
    Import,
    /// The site's settings and default parameters.
    Settings,
    /// Layouts of receipts, and receipt printers.
    Printing,
    Kiosks,
    /// The meter wall, rooms and search results.
    Wall,
    Accounts,
    Sales,
    /// Trial balance and subsidies.
    Ledger,
    /// Exports of invoices, and their batches.
    Invoices,
    /// Channel statements against the ledger.
    Reconcile,
    Shifts,
    /// Requests waiting for approval.
    Approvals,
    /// Buildings, floors, rooms and groups.
    Places,
    Meters,
    Gateways,
    Instruments,
    Alarms,
    /// Messages to people, and their channels.
    Messages,
    /// Commands to many meters.
    Commands,
    Prices,
    Cases,
    Reports,
    /// The background tasks.
    Tasks,
    /// The audit chain.
    Audit,
    /// Operators and roles.
    Operators,
    Guide,
}

/// A section with its address and its name.
type Entry = (Section, &'static str, &'static str);

/// What the person may open, in groups. A group without entries is left out.
#[component]
pub fn Rail(section: Section) -> impl IntoView {
    let (t, lang) = (operator::texts(lang()), lang());
    let groups: [(&str, &[Entry]); 5] = [
        (
            t.group_operate,
            &[
                (Section::Wall, "/wall", t.wall),
                (Section::Cases, "/cases", t.cases),
                (Section::Alarms, "/alarms", events::texts(lang).title),
                (Section::Messages, "/messages", notifications::texts(lang).title),
            ],
        ),
        (
            t.group_money,
            &[
                (Section::Sales, "/sales", t.sales),
                (Section::Shifts, "/shifts", shifts::texts(lang).shifts),
                (Section::Approvals, "/approvals", cash_desk::texts(lang).approvals),
                (Section::Reconcile, "/reconcile", reconcile::texts(lang).reconcile),
                (Section::Invoices, "/invoices", invoices::texts(lang).title),
                (Section::Ledger, "/ledger", ledger::texts(lang).ledger),
                (Section::Ledger, "/subsidies", ledger::texts(lang).subsidies),
            ],
        ),
        (
            t.group_estate,
            &[
                (Section::Places, "/places", places::texts(lang).title),
                (Section::Accounts, "/accounts", t.accounts),
                (Section::Meters, "/meters", t.meters),
                (Section::Gateways, "/gateways", t.gateways),
                (Section::Instruments, "/instruments", instruments::texts(lang).title),
                (Section::Prices, "/prices", prices::texts(lang).prices),
                (Section::Commands, "/commands", commands::texts(lang).commands),
            ],
        ),
        (t.group_analyse, &[(Section::Reports, "/reports", reports::texts(lang).title)]),
        (
            t.group_system,
            &[
                (Section::Start, "/start", setup::texts(lang).start_title),
                (Section::Operators, "/operators", operators::texts(lang).operators),
                (Section::Import, "/import", import::texts(lang).title),
                (Section::Settings, "/settings", settings::texts(lang).title),
                (Section::Printing, "/printing", printing::texts(lang).title),
                (Section::Kiosks, "/kiosks", kiosk::texts(lang).machines),
                (Section::Tasks, "/tasks", tasks::texts(lang).title),
                (Section::Audit, "/audit", t.audit),
                (Section::Guide, "/guide", t.guide),
            ],
        ),
    ];
    let has_checklist = ports().is_ok_and(|ports| ports.setup.has_checklist());
    // The subsidies are a page of the trial balance, which some may not open.
    let is_shown = |one: Section, path: &str| match (one, path) {
        (Section::Start, _) => has_checklist,
        (Section::Ledger, "/subsidies") => !allowed("/ledger"),
        _ => true,
    };
    let groups = groups.into_iter().enumerate().filter_map(|(number, (name, entries))| {
        let entries: Vec<_> = entries.iter().filter(|(one, path, _)| is_shown(*one, path) && allowed(path)).collect();
        let heading = format!("rail-{number}");
        (!entries.is_empty()).then(|| {
            let links = entries.into_iter().map(|&(one, path, word)| {
                view! { <li><a href=path aria-current=(one == section).then_some("page")>{word}</a></li> }
            });
            let links = links.collect_view();
            view! { <h2 id=heading.clone()>{name}</h2><ul aria-labelledby=heading>{links}</ul> }
        })
    });
    view! { <nav class="console-rail" id="rail" popover="auto" aria-label=t.console>{groups.collect_view()}</nav> }
}
