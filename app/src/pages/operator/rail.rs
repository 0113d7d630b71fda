//! The rail: every section of the console, in groups. On tablets and phones a button opens it.

use leptos::prelude::*;
use model::permission::Permission;

use crate::i18n::{
    cash_desk, commands, events, import, lang, ledger, operator, operators, places, prices, reconcile, settings, setup, shifts,
};
use crate::ports::{may, ports};

/// The section of the rail that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What a new site still lacks.
    Start,
    /// The site's workbook.
    Import,
    /// The site's settings and default parameters.
    Settings,
    /// The meter wall, rooms and search results.
    Wall,
    Accounts,
    Sales,
    /// Trial balance and subsidies.
    Ledger,
    /// Channel statements against the ledger.
    Reconcile,
    Shifts,
    /// Requests waiting for approval.
    Approvals,
    /// Buildings, floors, rooms and groups.
    Places,
    Meters,
    Gateways,
    Alarms,
    /// Commands to many meters.
    Commands,
    Prices,
    Cases,
    /// The audit chain.
    Audit,
    /// Operators and roles.
    Operators,
    Guide,
}

/// A section with its address, its name, and who sees it; `None`: everybody who works here.
type Entry = (Section, &'static str, &'static str, Option<Permission>);

/// What the person may open, in groups. A group without entries is left out.
#[component]
pub fn Rail(section: Section) -> impl IntoView {
    let (t, lang) = (operator::texts(lang()), lang());
    let watch = Some(Permission::Watch);
    let money = Some(Permission::Money);
    let groups: [(&str, &[Entry]); 4] = [
        (
            t.group_operate,
            &[
                (Section::Wall, "/wall", t.wall, watch),
                (Section::Cases, "/cases", t.cases, watch),
                (Section::Alarms, "/alarms", events::texts(lang).title, watch),
            ],
        ),
        (
            t.group_money,
            &[
                (Section::Sales, "/sales", t.sales, money),
                (Section::Shifts, "/shifts", shifts::texts(lang).shifts, money),
                (Section::Approvals, "/approvals", cash_desk::texts(lang).approvals, money),
                (Section::Reconcile, "/reconcile", reconcile::texts(lang).reconcile, money),
                (Section::Ledger, "/ledger", ledger::texts(lang).ledger, money),
            ],
        ),
        (
            t.group_estate,
            &[
                (Section::Places, "/places", places::texts(lang).title, Some(Permission::Estate)),
                (Section::Accounts, "/accounts", t.accounts, watch),
                (Section::Meters, "/meters", t.meters, watch),
                (Section::Gateways, "/gateways", t.gateways, watch),
                (Section::Prices, "/prices", prices::texts(lang).prices, watch),
                (Section::Commands, "/commands", commands::texts(lang).commands, watch),
            ],
        ),
        (
            t.group_system,
            &[
                (Section::Start, "/start", setup::texts(lang).start_title, Some(Permission::Site)),
                (Section::Operators, "/operators", operators::texts(lang).operators, Some(Permission::Operators)),
                (Section::Import, "/import", import::texts(lang).title, Some(Permission::Site)),
                (Section::Settings, "/settings", settings::texts(lang).title, Some(Permission::Site)),
                (Section::Audit, "/audit", t.audit, Some(Permission::Audit)),
                (Section::Guide, "/guide", t.guide, None),
            ],
        ),
    ];
    let has_checklist = ports().is_ok_and(|ports| ports.setup.has_checklist());
    let is_shown = |one: Section| one != Section::Start || has_checklist;
    let groups = groups.into_iter().enumerate().filter_map(|(number, (name, entries))| {
        let entries: Vec<_> = entries.iter().filter(|(one, .., needs)| is_shown(*one) && needs.is_none_or(may)).collect();
        let heading = format!("rail-{number}");
        (!entries.is_empty()).then(|| {
            let links = entries.into_iter().map(|&(one, path, word, _)| {
                view! { <li><a href=path aria-current=(one == section).then_some("page")>{word}</a></li> }
            });
            let links = links.collect_view();
            view! { <h2 id=heading.clone()>{name}</h2><ul aria-labelledby=heading>{links}</ul> }
        })
    });
    view! { <nav class="console-rail" id="rail" popover="auto" aria-label=t.console>{groups.collect_view()}</nav> }
}
