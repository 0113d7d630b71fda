//! The transactions: every sale, return, correction, refund and shift, with the totals of the filter, and as a file.

use leptos::prelude::*;

use super::exports::in_background;
use super::frame::{Frame, Section};
use super::parts::{address, choice, page_param, pager, param, wrong_days};
use crate::api::form::day;
use crate::i18n::operator::texts;
use crate::i18n::{Lang, cash_desk as cash_desk_texts, common, lang, refunds, register};
use crate::ports::{allowed, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::{ReceiptNumber, RecordKind, RecordLine, RecordQuery, RecordState, RecordStatus, Records};
use model::export::{ExportList, ExportSource};
use model::order::{OrderState, ReturnKind, ReturnState, Tender};
use model::refund::RefundState;
use model::typed;

/// The query parameters.
const PARAMS: [&str; 9] = ["q", "kind", "state", "tender", "building", "by", "receipt", "from", "until"];

/// The page: `/sales?q=301&kind=return&state=done&tender=cash&building=1号楼&by=张&receipt=2026-000123&from=2026-11-01&page=2`.
#[component]
pub fn RegisterPage() -> impl IntoView {
    let number = page_param();
    let query = RecordQuery { page: number, ..query(param) };
    let asked = PARAMS.map(|name| (name, param(name)));
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.receipts.records(&who, &query).await
    };
    load(read, move |records| view! { <List records number asked=asked.to_vec() /> }.into_any())
}

/// The query of an address, for the page and the file; invalid values are ignored.
pub fn query(said: impl Fn(&'static str) -> String) -> RecordQuery {
    let short = |name| said(name).chars().take(100).collect::<String>();
    let text = typed::name(&short("q"));
    let (text, receipt) = match text.parse::<ReceiptNumber>() {
        Ok(number) => (String::new(), Some(number)),
        Err(_) => (text, said("receipt").parse().ok()),
    };
    RecordQuery {
        text,
        kind: RecordKind::parse(&said("kind")),
        status: RecordStatus::parse(&said("state")).filter(|status| offered_states().iter().any(|(one, _)| one == status)),
        tender: Tender::parse(&said("tender")),
        by: short("by"),
        building: short("building"),
        receipt,
        from: day(&said("from")),
        until: day(&said("until")),
        page: 0,
    }
}

/// The states that the filter offers, each with a line that has it.
const fn offered_states() -> [(RecordStatus, RecordState); 17] {
    const fn back(state: ReturnState) -> RecordState {
        RecordState::Back(ReturnKind::Return, state)
    }
    [
        (RecordStatus::Pending, RecordState::Sale(OrderState::Pending)),
        (RecordStatus::Paid, RecordState::Sale(OrderState::Paid)),
        (RecordStatus::Credited, RecordState::Sale(OrderState::Credited)),
        (RecordStatus::Case, RecordState::Sale(OrderState::Case)),
        (RecordStatus::Refunding, RecordState::Sale(OrderState::Refunding)),
        (RecordStatus::Refunded, RecordState::Sale(OrderState::Refunded)),
        (RecordStatus::Waiting, back(ReturnState::Waiting)),
        (RecordStatus::Taking, back(ReturnState::Taking)),
        (RecordStatus::Taken, back(ReturnState::Taken)),
        (RecordStatus::Done, back(ReturnState::Done)),
        (RecordStatus::Refused, back(ReturnState::Refused)),
        (RecordStatus::Rejected, back(ReturnState::Rejected)),
        (RecordStatus::Cancelled, back(ReturnState::Cancelled)),
        (RecordStatus::Sending, RecordState::Refund(RefundState::Sending)),
        (RecordStatus::Payable, RecordState::Refund(RefundState::Payable)),
        (RecordStatus::Failed, RecordState::Refund(RefundState::Failed)),
        (RecordStatus::Closed, RecordState::Shift { closed: true }),
    ]
}

/// The names of the kind and the state of a line.
#[must_use]
pub const fn kind_and_state(state: RecordState, lang: Lang) -> (&'static str, &'static str) {
    let t = register::texts(lang);
    match state {
        RecordState::Sale(state) => (t.sale, common::order(state, lang)),
        RecordState::Back(kind, state) => (cash_desk_texts::kind(kind, lang), cash_desk_texts::state(state, lang)),
        RecordState::Refund(state) => (t.refund, refunds::state(state, lang)),
        RecordState::Shift { closed: true } => (t.shift, t.shift_closed),
        RecordState::Shift { closed: false } => (t.shift, t.shift_open),
    }
}

/// The columns of the file.
#[must_use]
pub const fn head(lang: Lang) -> [&'static str; 14] {
    let (t, o) = (register::texts(lang), texts(lang));
    [
        o.time,
        t.kind,
        o.state,
        o.building,
        o.floor,
        o.room,
        o.account_number,
        o.tender,
        o.amount_yuan,
        t.taken,
        t.given,
        o.by,
        t.receipt,
        o.order_number,
    ]
}

#[component]
fn List(records: Records, number: i64, asked: Vec<(&'static str, String)>) -> impl IntoView {
    let (t, o, lang) = (register::texts(lang()), texts(lang()), lang());
    let params: Vec<(&str, &str)> = asked.iter().map(|(name, value)| (*name, &**value)).collect();
    let background = in_background(ExportSource::List(ExportList::Register), &params);
    let (here, file) = (address("/sales", &params), address("/register.csv", &params));
    let filtered = here != "/sales";
    let value = |name: &str| asked.iter().find(|(one, _)| *one == name).map(|(_, value)| value.clone()).unwrap_or_default();
    let kinds = RecordKind::ALL.map(|kind| (kind.as_str(), register::kind(kind, lang))).to_vec();
    let states = offered_states().map(|(status, state)| (status.as_str(), kind_and_state(state, lang).1)).to_vec();
    let tenders = Tender::ALL.map(|tender| (tender.as_str(), common::tender(tender, lang))).to_vec();
    let rows = records.page.lines.iter().map(row).collect_view();
    let field = |name: &'static str, label: &'static str, kind: &'static str| {
        view! { <label class="filter-field"><span>{label}</span><input type=kind name=name value=value(name) /></label> }
    };
    let filter = view! {
        <form class="filter" action="/sales">
            {field("q", o.search, "search")}
            {choice("kind", t.kind, &value("kind"), kinds)}
            {choice("state", o.state, &value("state"), states)}
            {choice("tender", o.tender, &value("tender"), tenders)}
            {building(&records.buildings, &value("building"))}
            {field("by", o.by, "search")}
            {field("receipt", t.receipt, "search")}
            {field("from", o.from, "date")}
            {field("until", o.until, "date")}
            <button>{o.filter}</button>
            {filtered.then(|| view! { <a href="/sales">{o.clear}</a> })}
            <a class="button" href="/refunds">{refunds::texts(lang).refunds}</a>
            <a class="button" href=file download="dormwatt-register.csv">{t.file}</a>
        </form>
        {background}
    };
    let days = wrong_days(&value("from"), &value("until"));
    view! {
        <Frame title=t.register section=Section::Sales>
            <h1>{t.register}</h1>
            <Notice />
            {filter}
            {days}
            <TableScroll label=t.register>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.register}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{o.time}</th>
                            <th scope="col">{t.kind}</th>
                            <th scope="col">{o.room}</th>
                            <th scope="col" class="number">{o.amount_yuan}</th>
                            <th scope="col">{o.tender}</th>
                            <th scope="col">{o.state}</th>
                            <th scope="col" class="number">{o.count}</th>
                            <th scope="col">{o.by}</th>
                            <th scope="col">{t.receipt}</th>
                            <th scope="col">{o.order_number}</th>
                            <th scope="col" class="no-print">
                                <span class="visually-hidden">{cash_desk_texts::texts(lang).correct}</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                    <tfoot>
                        <tr>
                            <th scope="row" colspan="3">{o.total}" "{records.page.total}</th>
                            <td class="number">{(records.taken - records.given).to_string()}</td>
                            <td colspan="7">
                                {t.taken}" "{records.taken.to_string()}" · "{t.given}" "{records.given.to_string()}
                            </td>
                        </tr>
                    </tfoot>
                </table>
            </TableScroll>
            {records.page.lines.is_empty().then(|| view! { <p class="empty">{t.none}</p> })}
            {pager(&records.page, number, &here)}
        </Frame>
    }
}

fn building(all: &[String], chosen: &str) -> impl IntoView + use<> {
    let o = texts(lang());
    let options = all.iter().map(|name| {
        let selected = name == chosen;
        view! { <option value=name.clone() selected=selected>{name.clone()}</option> }
    });
    view! {
        <label class="filter-field">
            <span>{o.building}</span>
            <select name="building"><option value="">{o.all}</option>{options.collect_view()}</select>
        </label>
    }
}

/// The class that colours a state; its name is always shown too.
pub(super) const fn colour(state: RecordState) -> &'static str {
    match state {
        RecordState::Sale(OrderState::Credited)
        | RecordState::Back(_, ReturnState::Done)
        | RecordState::Refund(RefundState::Done) => "state open",
        RecordState::Sale(OrderState::Pending | OrderState::Paid | OrderState::Refunding)
        | RecordState::Back(_, ReturnState::Taking)
        | RecordState::Refund(RefundState::Sending) => "state accent",
        RecordState::Back(_, ReturnState::Waiting | ReturnState::Taken)
        | RecordState::Refund(RefundState::Waiting | RefundState::Payable) => "state alarm1",
        RecordState::Sale(OrderState::Case)
        | RecordState::Back(_, ReturnState::Case)
        | RecordState::Refund(RefundState::Failed) => "state alarm2",
        _ => "state quiet",
    }
}

fn row(line: &RecordLine) -> impl IntoView + use<> {
    let lang = lang();
    let (kind, state) = kind_and_state(line.state, lang);
    let kind = match line.state {
        RecordState::Sale(_) => view! { <a href=format!("/sales/{}", line.id.as_simple())>{kind}</a> }.into_any(),
        RecordState::Back(..) => view! { <a href=format!("/returns/{}", line.id.as_simple())>{kind}</a> }.into_any(),
        RecordState::Refund(_) => view! { <a href=format!("/refunds/{}", line.id.as_simple())>{kind}</a> }.into_any(),
        RecordState::Shift { .. } => view! { <a href=format!("/shifts/{}", line.id.as_simple())>{kind}</a> }.into_any(),
    };
    let room = match line.meter {
        Some(meter) => view! { <a href=format!("/rooms/{meter}")>{line.room.to_string()}</a> }.into_any(),
        None => "—".into_any(),
    };
    let refundable = matches!(
        line.state,
        RecordState::Sale(OrderState::Paid | OrderState::Case | OrderState::Refunding | OrderState::Refunded)
    ) && line.tender.is_channel();
    let refund =
        refundable.then(|| view! { <a href=format!("/refunds/of/{}", line.id.as_simple())>{refunds::texts(lang).give_back}</a> });
    let page = format!("/corrections/{}", line.id.as_simple());
    let correct =
        (line.is_correctable && allowed(&page)).then(|| view! { <a href=page>{cash_desk_texts::texts(lang).correct}</a> });
    view! {
        <tr>
            <td><At at=line.at /></td>
            <td>{kind}</td>
            <th scope="row">{room}</th>
            <td class="number">{line.amount.to_string()}</td>
            <td>{common::tender(line.tender, lang)}</td>
            <td><span class=colour(line.state)>{state}</span></td>
            <td class="number">{line.count}</td>
            <td>{line.by.clone()}</td>
            <td class="num">{line.receipt.map(|number| view! { <a href=format!("/receipts/{number}")>{number.to_string()}</a>
                })}</td>
            <td class="num muted">{(line.number > 0).then_some(line.number)}</td>
            <td class="no-print">{correct}{refund}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use model::report::RangeProblem;
    use model::time::Date;

    use super::*;
    use crate::api::form::range_problem;

    #[test]
    fn days_are_read_as_date_fields_send_them() {
        assert_eq!(day("2026-11-23"), Date::from_ymd(2026, 11, 23));
        for text in ["", "2026-11", "2026-13-01", "2026-11-23x", "yesterday"] {
            assert_eq!(day(text), None, "{text}");
        }
        assert_eq!(
            [("", ""), ("2026-11-23", ""), ("2026-11-23", "2026-11-23")].map(|(from, until)| range_problem(from, until)),
            [None; 3]
        );
        assert_eq!(range_problem("2026-11-23", "2026-11-22"), Some(RangeProblem::Reversed));
        assert_eq!(range_problem("", "2026-13-01"), Some(RangeProblem::NotADay));
    }

    #[test]
    fn an_address_asks_for_what_makes_sense_in_it() {
        let asked = query(|name| match name {
            "kind" => "return".into(),
            "state" => "'; DROP TABLE orders".into(),
            "tender" => "gold".into(),
            "receipt" => "2026-000007".into(),
            "q" => "长".repeat(1_000),
            _ => String::new(),
        });
        assert_eq!((asked.kind, asked.status, asked.tender), (Some(RecordKind::Return), None, None));
        assert_eq!((asked.receipt.map(|receipt| receipt.number), asked.text.chars().count()), (Some(7), 100));
    }
}
