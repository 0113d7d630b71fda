//! The differences of a day, each with its next step.

use leptos::prelude::*;

use crate::api::reconciliation::{DifferenceLine, ForeignLine, SettlementDay};
use crate::i18n::reconcile::{ForeignCount, ForeignFirst, class, reason, texts};
use crate::i18n::{Lang, cases, common, lang};
use crate::ports::allowed;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::money::Fen;
use model::reconciliation::DifferenceReason;

/// The table with its totals.
pub(super) fn lines(listed: &[DifferenceLine]) -> impl IntoView + use<> {
    let t = texts(lang());
    if listed.is_empty() {
        return view! { <p class="empty">{t.nothing}</p> }.into_any();
    }
    let rows = listed.iter().map(row).collect_view();
    let sum: Fen = listed.iter().map(|line| line.gap).sum();
    view! {
        <TableScroll label=t.lines>
            <table class="table sticky">
                <caption>{t.lines}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.class}</th>
                        <th scope="col">{t.number}</th>
                        <th scope="col" class="number">{t.statement}</th>
                        <th scope="col" class="number">{t.in_ledger}</th>
                        <th scope="col" class="number">{t.gap}</th>
                        <th scope="col">{t.next}</th>
                        <th scope="col">{t.decision}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
                <tfoot>
                    <tr>
                        <th scope="row" colspan="4">{t.listed}</th>
                        <td class="number">{sum.to_string()}</td>
                        <td colspan="2"></td>
                    </tr>
                </tfoot>
            </table>
        </TableScroll>
    }
    .into_any()
}

/// The situation and the next step.
#[must_use]
pub fn next(line: &DifferenceLine, lang: Lang) -> String {
    let situation = reason(line.reason, lang);
    // Its reason names the next step; that of its class is for payments of nobody.
    let is_bookable = line.reason == DifferenceReason::Unbooked;
    let step = line.class.case().filter(|_| !is_bookable).map(|kind| cases::case(kind, lang).next);
    match (situation, step) {
        (Some(first), Some(second)) => common::TwoSentences { first, second }.text(lang),
        (one, None) | (None, one) => one.unwrap_or_default().to_owned(),
    }
}

fn row(line: &DifferenceLine) -> impl IntoView + use<> {
    let t = texts(lang());
    let amount = |fen: Option<Fen>| fen.map_or_else(|| "—".to_owned(), |fen| fen.to_string());
    let number = match (line.meter, line.out_trade_no.as_str()) {
        (_, "") => view! { <span class="num">"—"</span> }.into_any(),
        (Some(meter), number) => view! { <a class="num" href=format!("/rooms/{meter}")>{number.to_owned()}</a> }.into_any(),
        (None, number) => view! { <span class="num">{number.to_owned()}</span> }.into_any(),
    };
    let decision = match &line.decision {
        Some((decision, by)) => view! { <span>{decision.clone()}" "<span class="muted">{by.clone()}</span></span> }.into_any(),
        None if !line.class.is_difference() => ().into_any(),
        None if !allowed("/cases") => ().into_any(),
        None => view! { <a href="/cases">{t.to_cases}</a> }.into_any(),
    };
    let refund = line.refund.then(|| format!(" · {} {}", t.refund, line.refund_no));
    view! {
        <tr>
            <th scope="row">{class(line.class, lang())}{refund}</th>
            <td>{number}<br /><span class="muted num">{line.trade_no.clone()}</span></td>
            <td class="number">{amount(line.statement)}</td>
            <td class="number">{amount(line.ledger)}</td>
            <td class="number">{line.gap.to_string()}</td>
            <td class="long">{next(line, lang())}</td>
            <td>{decision}</td>
        </tr>
    }
}

/// The lines that are not ours; nothing where there are none.
pub(super) fn foreign_lines(day: &SettlementDay, lines: &[ForeignLine]) -> impl IntoView + use<> {
    let (t, (count, sum)) = (texts(lang()), day.foreign);
    let rows = lines.iter().map(foreign_row).collect_view();
    let listed = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    let first = (listed < count).then(|| ForeignFirst { listed }.text(lang()));
    (count > 0).then(|| {
        view! {
            <details class="card">
                <summary>{t.foreign}" ("{count}")"</summary>
                <p class="hint">{t.foreign_hint}</p>
                <p>{ForeignCount { count, sum }.text(lang())}" "{first}</p>
                <TableScroll label=t.foreign>
                    <table class="table">
                        <caption class="visually-hidden">{t.foreign}</caption>
                        <thead>
                            <tr>
                                <th scope="col">{t.number}</th>
                                <th scope="col">{t.date}</th>
                                <th scope="col" class="number">{t.statement}</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </TableScroll>
            </details>
        }
    })
}

fn foreign_row(line: &ForeignLine) -> impl IntoView + use<> {
    let amount = if line.refund { -line.amount } else { line.amount };
    view! {
        <tr>
            <th scope="row" class="num">{line.out_trade_no.clone()}<br /><span class="muted">{line.trade_no.clone()}</span></th>
            <td><At at=line.at /></td>
            <td class="number">{amount.to_string()}</td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::reconciliation::DifferenceClass;

    fn line(class: DifferenceClass, reason: DifferenceReason) -> DifferenceLine {
        DifferenceLine {
            class,
            refund: false,
            out_trade_no: String::new(),
            trade_no: String::new(),
            refund_no: String::new(),
            statement: None,
            ledger: None,
            gap: Fen(0),
            reason,
            meter: None,
            order: None,
            decision: None,
        }
    }

    #[test]
    fn the_reason_and_the_next_step_are_two_sentences() {
        let said = next(&line(DifferenceClass::State, DifferenceReason::Pending), Lang::En);
        assert!(said.contains(". Payment: "), "{said}");
        assert!(!next(&line(DifferenceClass::State, DifferenceReason::Pending), Lang::Zh).contains("。 "));
    }

    #[test]
    fn a_bookable_refund_has_the_step_that_books_it() {
        for lang in [Lang::Zh, Lang::En] {
            let said = next(&line(DifferenceClass::ChannelOnly, DifferenceReason::Unbooked), lang);
            assert_eq!(Some(said.as_str()), reason(DifferenceReason::Unbooked, lang));
        }
    }
}
