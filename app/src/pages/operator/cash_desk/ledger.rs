//! The trial balance at a point in time.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use crate::api::ledger::{TrialBalance, TrialLine};
use crate::i18n::ledger::{account, texts};
use crate::i18n::{lang, reports};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::table_scroll::TableScroll;
use model::money::Money;
use model::report::RangeProblem;
use model::time::Timestamp;

/// The page: `/ledger?at=2026-11-30` (the end of that day) or `?at=2026-11-30T12:00`; without it now.
#[component]
pub fn LedgerPage() -> impl IntoView {
    let asked = param("at");
    let at = Timestamp::parse_local(&asked);
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.ledger.trial_balance(&who, at).await
    };
    load(read, move |balance| view! { <Body balance asked /> }.into_any())
}

#[component]
fn Body(balance: TrialBalance, asked: String) -> impl IntoView {
    let t = texts(lang());
    let wrong = !asked.trim().is_empty() && Timestamp::parse_local(&asked).is_none();
    let wrong =
        wrong.then(|| view! { <Callout tone=Tone::Bad><p>{reports::problem(RangeProblem::NotADay, lang())}</p></Callout> });
    let sum = |side: fn(&TrialLine) -> Money| balance.lines.iter().map(side).sum::<Money>();
    let (debits, credits) = (sum(|line| line.debits), sum(|line| line.credits));
    let (tone, says) = if debits == credits { (Tone::Good, t.balanced) } else { (Tone::Bad, t.unbalanced) };
    let rows = balance.lines.iter().map(row).collect_view();
    view! {
        <Frame title=t.ledger section=Section::Ledger>
            <h1>{t.ledger}</h1>
            <form class="filter" action="/ledger">
                <label class="filter-field"><span>{t.at}</span><input type="datetime-local" name="at" value=asked /></label>
                <button>{t.show}</button>
                <a href="/subsidies">{t.subsidies}</a>
            </form>
            {wrong}
            <Callout tone=tone><p>{says}" "<span class="num">{balance.at.to_string()}</span></p></Callout>
            <TableScroll label=t.ledger>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.ledger}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.account}</th>
                            <th scope="col" class="number">{t.accounts}</th>
                            <th scope="col" class="number">{t.debits}</th>
                            <th scope="col" class="number">{t.credits}</th>
                            <th scope="col" class="number">{t.debit_balance}</th>
                            <th scope="col" class="number">{t.credit_balance}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                    <tfoot>
                        <tr>
                            <th scope="row" colspan="2">{t.sum}</th>
                            <td class="number">{debits.to_string()}</td>
                            <td class="number">{credits.to_string()}</td>
                            <td colspan="2"></td>
                        </tr>
                    </tfoot>
                </table>
            </TableScroll>
            {balance.lines.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
        </Frame>
    }
}

fn row(line: &TrialLine) -> impl IntoView + use<> {
    let owed = line.credits - line.debits;
    view! {
        <tr>
            <th scope="row">{account(line.kind, lang())}</th>
            <td class="number">{line.accounts}</td>
            <td class="number">{line.debits.to_string()}</td>
            <td class="number">{line.credits.to_string()}</td>
            <td class="number">{(owed < Money::ZERO).then(|| (-owed).to_string())}</td>
            <td class="number">{(owed > Money::ZERO).then(|| owed.to_string())}</td>
        </tr>
    }
}
