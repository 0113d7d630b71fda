//! The accounts.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, age, amount, choice, page_param, pager, param, state_cell};
use super::reports::statement_link;
use crate::i18n::operator::texts;
use crate::i18n::{account_batches, account_numbers, lang, overdrawn, room};
use crate::ports::{may, operator, ports};
use crate::ui::load::load;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{AccountLine, AccountQuery, AccountState, Page};
use model::permission::Permission;
use model::typed;

/// The page: `/accounts?q=张&state=open&page=2`.
#[component]
pub fn AccountsPage() -> impl IntoView {
    let (q, state) = (typed::name(&param("q")), AccountState::parse(&param("state")));
    let number = page_param();
    let query = AccountQuery { text: q.clone(), state, page: number };
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.accounts.accounts(&who, &query).await
    };
    load(read, move |page| view! { <List page number q state /> }.into_any())
}

#[component]
fn List(page: Page<AccountLine>, number: i64, q: String, state: Option<AccountState>) -> impl IntoView {
    let t = texts(lang());
    let chosen = state.map_or("", AccountState::as_str);
    let here = address("/accounts", &[("q", &q), ("state", chosen)]);
    let filtered = !q.is_empty() || state.is_some();
    let states = AccountState::ALL.map(|state| (state.as_str(), room::account(state, lang())));
    let rows = page.lines.iter().map(row).collect_view();
    view! {
        <Frame title=t.accounts section=Section::Accounts>
            <div class="page-head">
                <h1>{t.accounts}</h1>
                <div class="buttons">
                    <a class="button" href="/overdrawn">{overdrawn::texts(lang()).title}</a>
                    <a class="button" href="/accounts/batches">{account_batches::texts(lang()).title}</a>
                    {may(Permission::Accounts).then(|| view! {
                        <a class="button" href="/accounts/open-many">{account_batches::texts(lang()).open_many}</a>
                        <a class="button" href="/accounts/close-many">{account_batches::texts(lang()).close_many}</a>
                    })}
                    {may(Permission::Site).then(|| view! {
                        <a class="button" href="/accounts/numbers">{account_numbers::texts(lang()).title}</a>
                    })}
                </div>
            </div>
            <form class="filter" action="/accounts">
                <label class="filter-field"><span>{t.search}</span><input type="search" name="q" value=q /></label>
                {choice("state", t.state, chosen, states.to_vec())}
                <button>{t.filter}</button>
                {filtered.then(|| view! { <a href="/accounts">{t.clear}</a> })}
            </form>
            <TableScroll label=t.accounts>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.accounts}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.room}</th>
                            <th scope="col">{t.residents}</th>
                            <th scope="col">{t.account_number}</th>
                            <th scope="col">{t.account}</th>
                            <th scope="col">{t.opened_at}</th>
                            <th scope="col">{t.state}</th>
                            <th scope="col" class="number">{t.remaining_yuan}</th>
                            <th scope="col" class="number">{t.age}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {page.lines.is_empty().then(|| view! { <p class="empty">{t.no_accounts}</p> })}
            {pager(&page, number, &here)}
        </Frame>
    }
}

fn row(line: &AccountLine) -> impl IntoView + use<> {
    let room = line.room.to_string();
    let name = match line.meter {
        Some(meter) => view! { <a href=format!("/rooms/{meter}")>{room}</a> }.into_any(),
        None => room.into_any(),
    };
    let word = room::account(line.state, lang());
    let state = match line.closing.filter(|_| matches!(line.state, AccountState::Closing | AccountState::Closed)) {
        Some(closing) => view! { <a href=format!("/closings/{closing}")>{word}</a> }.into_any(),
        None => word.into_any(),
    };
    let number = match statement_link(&line.number, &line.number) {
        Some(link) => link.into_any(),
        None => line.number.clone().into_any(),
    };
    view! {
        <tr>
            <th scope="row">{name}</th>
            <td>{line.residents.clone()}</td>
            <td class="num">{number}</td>
            <td>{state}</td>
            <td><At at=line.opened_at /></td>
            <td>{line.latest.as_ref().map(state_cell)}</td>
            <td class="number">{line.latest.as_ref().map(amount)}</td>
            <td class="number">{line.latest.as_ref().map(age)}</td>
        </tr>
    }
}
