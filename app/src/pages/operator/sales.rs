//! The sales: who sold what to whom, and where it stands, with the totals of the whole filter.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::{address, choice, page_param, pager, param};
use crate::api::operator::{SaleLine, Sales, SalesQuery, desk};
use crate::i18n::operator::words;
use crate::i18n::{common, lang, till};
use crate::model::order::{OrderState, Tender};
use crate::model::time::Date;
use crate::ui::load::load;
use crate::ui::time::At;

const STATES: [OrderState; 7] = [
    OrderState::Pending,
    OrderState::Paid,
    OrderState::Credited,
    OrderState::Case,
    OrderState::Refunding,
    OrderState::Refunded,
    OrderState::Closed,
];
const TENDERS: [Tender; 4] = [Tender::Cash, Tender::Card, Tender::Transfer, Tender::Alipay];

/// What the address says.
#[derive(Clone)]
struct Asked {
    q: String,
    state: String,
    tender: String,
    from: String,
    until: String,
}

/// The page: `/sales?q=301&state=paid&tender=cash&from=2026-11-01&until=2026-11-30&page=2`.
#[component]
pub fn SalesPage() -> impl IntoView {
    let asked =
        Asked { q: param("q"), state: param("state"), tender: param("tender"), from: param("from"), until: param("until") };
    let number = page_param();
    let query = SalesQuery {
        text: asked.q.clone(),
        state: OrderState::parse(&asked.state),
        tender: Tender::parse(&asked.tender),
        from: day(&asked.from),
        until: day(&asked.until),
        page: number,
    };
    let read = async move {
        let desk = desk()?;
        desk.port.sales(&desk.who, &query).await
    };
    load(read, move |sales| view! { <List sales number asked /> }.into_any())
}

/// A day as date fields send it.
pub(super) fn day(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Date::from_ymd(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

#[component]
fn List(sales: Sales, number: i64, asked: Asked) -> impl IntoView {
    let (t, lang) = (words(lang()), lang());
    let Asked { q, state, tender, from, until } = asked;
    let params = [("q", &*q), ("state", &*state), ("tender", &*tender), ("from", &*from), ("until", &*until)];
    let here = address("/sales", &params);
    let filtered = here != "/sales";
    let states = STATES.map(|state| (state.as_str(), common::order(state, lang))).to_vec();
    let tenders = TENDERS.map(|tender| (tender.as_str(), common::tender(tender, lang))).to_vec();
    let rows = sales.page.lines.iter().map(row).collect_view();
    view! {
        <Frame title=t.sales section=Section::Sales>
            <h1>{t.sales}</h1>
            <form class="filter" action="/sales">
                <label class="filter-field"><span>{t.search}</span><input type="search" name="q" value=q /></label>
                {choice("state", t.state, &state, states)}
                {choice("tender", t.tender, &tender, tenders)}
                <label class="filter-field"><span>{t.from}</span><input type="date" name="from" value=from /></label>
                <label class="filter-field"><span>{t.until}</span><input type="date" name="until" value=until /></label>
                <button>{t.filter}</button>
                {filtered.then(|| view! { <a href="/sales">{t.clear}</a> })}
            </form>
            <div class="table-scroll" tabindex="0">
                <table class="table sticky">
                    <caption class="visually-hidden">{t.sales}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.time}</th>
                            <th scope="col">{t.room}</th>
                            <th scope="col" class="number">{t.amount_yuan}</th>
                            <th scope="col">{t.tender}</th>
                            <th scope="col">{t.state}</th>
                            <th scope="col" class="number">{t.count}</th>
                            <th scope="col">{t.by}</th>
                            <th scope="col">{t.order_number}</th>
                            <th scope="col"><span class="visually-hidden">{till::words(lang).correct}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                    <tfoot>
                        <tr>
                            <th scope="row" colspan="2">{t.total}" "{sales.page.total}" · "{t.paid_total}</th>
                            <td class="number">{sales.paid.to_string()}</td>
                            <td colspan="6">{t.credited_total}" "{sales.credited.to_string()}</td>
                        </tr>
                    </tfoot>
                </table>
            </div>
            {sales.page.lines.is_empty().then(|| view! { <p class="empty">{t.no_sales}</p> })}
            {pager(&sales.page, number, &here)}
        </Frame>
    }
}

/// The colour of an order's state; the word stands beside it always.
const fn colour(state: OrderState) -> &'static str {
    match state {
        OrderState::Credited => "state open",
        OrderState::Pending | OrderState::Paid => "state accent",
        OrderState::Case => "state alarm2",
        OrderState::Closed | OrderState::Refunding | OrderState::Refunded => "state quiet",
    }
}

fn row(line: &SaleLine) -> impl IntoView + use<> {
    let lang = lang();
    let correctable = line.state == OrderState::Credited && line.tender != Tender::Alipay;
    view! {
        <tr>
            <td><At at=line.created_at /></td>
            <th scope="row"><a href=format!("/rooms/{}", line.meter)>{line.room.to_string()}</a></th>
            <td class="number">{line.amount.to_string()}</td>
            <td>{common::tender(line.tender, lang)}</td>
            <td><span class=colour(line.state)>{common::order(line.state, lang)}</span></td>
            <td class="number">{line.count}</td>
            <td>{line.by.clone()}</td>
            <td class="num muted">{line.number}</td>
            <td>{correctable.then(|| view! { <a href=format!("/corrections/{}", line.id)>{till::words(lang).correct}</a> })}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_date_fields_send_them() {
        assert_eq!(day("2026-11-23"), Date::from_ymd(2026, 11, 23));
        for text in ["", "2026-11", "2026-13-01", "2026-11-23x", "yesterday"] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
