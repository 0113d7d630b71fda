//! The frame of the console: the rail to the left, the search at the top, the page in the rest.

use leptos::prelude::*;

use crate::i18n::lang;
use crate::i18n::operator::texts;
use crate::ports;
use crate::ui::preferences::Preferences;
use crate::ui::search_box::SearchBox;

/// The section of the rail that a page belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
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
    /// Meters and gateways.
    Meters,
    Alarms,
    /// Commands to many meters.
    Commands,
    Prices,
    Cases,
    /// The audit chain.
    Audit,
    Guide,
}

/// The frame. `q` is the search text, which stays in the box.
#[component]
pub fn Frame(
    #[prop(into)] title: String,
    section: Section,
    #[prop(optional, into)] q: String,
    children: Children,
) -> impl IntoView {
    let t = texts(lang());
    let name = ports::operator().map(|who| who.name).unwrap_or_default();
    let entries = [
        (Section::Wall, "/wall", t.wall),
        (Section::Accounts, "/accounts", t.accounts),
        (Section::Sales, "/sales", t.sales),
        (Section::Shifts, "/shifts", crate::i18n::shifts::texts(lang()).shifts),
        (Section::Approvals, "/approvals", crate::i18n::cash_desk::texts(lang()).approvals),
        (Section::Ledger, "/ledger", crate::i18n::ledger::texts(lang()).ledger),
        (Section::Reconcile, "/reconcile", crate::i18n::reconcile::texts(lang()).reconcile),
        (Section::Meters, "/meters", t.meters),
        (Section::Alarms, "/alarms", crate::i18n::events::texts(lang()).title),
        (Section::Commands, "/commands", crate::i18n::commands::texts(lang()).commands),
        (Section::Prices, "/prices", crate::i18n::prices::texts(lang()).prices),
        (Section::Cases, "/cases", t.cases),
        (Section::Audit, "/audit", t.audit),
        (Section::Guide, "/guide", t.guide),
    ];
    let rail = entries.map(|(one, path, word)| {
        view! { <li><a href=path aria-current=(one == section).then_some("page")>{word}</a></li> }
    });
    view! {
        <leptos_meta::Title text=format!("{title} - Dormwatt") />
        <a class="skip" href="#main">{t.skip}</a>
        <div class="console">
            <header class="console-top">
                <a class="brand" href="/wall">"Dormwatt"</a>
                <form class="console-search" role="search" action="/search">
                    <SearchBox label=t.search.to_owned() hint=t.search_hint.to_owned() value=q />
                </form>
                <div class="console-me">
                    <Preferences />
                    <a href="/password">{name}</a>
                    <form method="post" action="/api/auth/log-out">
                        <button class="quiet">{t.log_out}</button>
                    </form>
                </div>
            </header>
            <nav class="console-rail" aria-label=t.console>
                <ul>{rail}</ul>
            </nav>
            <main class="console-main" id="main">{children()}</main>
        </div>
    }
}
