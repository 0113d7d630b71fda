//! Every class of difference, and that the statement always is the ledger plus the gaps.

use model::money::Money;
use model::time::{Date, HOUR};
use proptest::prelude::*;

use super::*;

const FROM: Timestamp = Timestamp(1_795_363_200_000);
const WINDOW: Window = (FROM, Timestamp(FROM.0 + DAY));

fn line(kind: LineKind, number: &str, fen: i64) -> StatementLine {
    StatementLine {
        kind,
        out_trade_no: number.into(),
        trade_no: format!("T{number}"),
        refund_no: (kind == LineKind::Refunded).then(|| format!("R{number}")),
        amount: Fen(fen),
        fee: Money(0),
        at: FROM.plus(HOUR),
    }
}

fn ours(kind: LineKind, number: &str, fen: i64) -> LedgerEntry {
    LedgerEntry {
        kind,
        out_trade_no: number.into(),
        trade_no: Some(format!("T{number}")),
        refund_no: (kind == LineKind::Refunded).then(|| format!("R{number}")),
        booked: Fen(fen),
        since: FROM.plus(HOUR),
        at: FROM.plus(2 * HOUR),
        state: DifferenceReason::Paid,
        order: None,
        in_other_statement: false,
    }
}

fn paid(number: &str, fen: i64) -> (StatementLine, LedgerEntry) {
    (line(LineKind::Paid, number, fen), ours(LineKind::Paid, number, fen))
}

/// The classes, with their gaps.
fn classes(comparison: &Comparison) -> Vec<(DifferenceClass, i64, &'static str)> {
    assert!(comparison.balances(), "{comparison:?}");
    comparison.findings.iter().map(|finding| (finding.class, finding.gap.0, finding.reason.as_str())).collect()
}

#[test]
fn what_is_the_same_is_equal() {
    let (line_1, ours_1) = paid("1", 5_000);
    let (line_2, ours_2) = (line(LineKind::Refunded, "1", 1_000), ours(LineKind::Refunded, "1", 1_000));
    let comparison = compare(WINDOW, &[line_1, line_2], &[ours_2, ours_1], &[]);
    assert_eq!((comparison.equal, comparison.statement, comparison.ledger), (2, Fen(4_000), Fen(4_000)));
    assert!(classes(&comparison).is_empty());
    assert_eq!(compare(WINDOW, &[], &[], &[]), Comparison::default());
}

#[test]
fn every_class_is_told() {
    let (one, known) = paid("1", 5_000);
    let lines = std::slice::from_ref(&one);
    for (ours, expected) in [
        (vec![], vec![(DifferenceClass::ChannelOnly, 5_000, "unknown")]),
        (vec![LedgerEntry { booked: Fen(4_999), ..known.clone() }], vec![(DifferenceClass::Amount, 1, "paid")]),
        (
            vec![LedgerEntry { booked: Fen::ZERO, state: DifferenceReason::Closed, ..known.clone() }],
            vec![(DifferenceClass::State, 5_000, "closed")],
        ),
        (vec![LedgerEntry { trade_no: Some("X".into()), ..known.clone() }], vec![(DifferenceClass::State, 0, "trade-number")]),
        (vec![LedgerEntry { at: WINDOW.1, ..known.clone() }], vec![(DifferenceClass::Edge, 5_000, "other-day")]),
        (vec![LedgerEntry { at: FROM.plus(-1), ..known.clone() }], vec![(DifferenceClass::Edge, 5_000, "other-day")]),
        (vec![LedgerEntry { at: WINDOW.1.plus(-1), trade_no: None, ..known.clone() }], vec![]),
    ] {
        assert_eq!(classes(&compare(WINDOW, lines, &ours, &[])), expected, "{ours:?}");
    }
}

#[test]
fn a_payment_in_no_statement_counts_after_all_statements() {
    let (_, known) = paid("1", 5_000);
    let (before, after) = ((FROM.plus(-DAY), FROM), (WINDOW.1, WINDOW.1.plus(DAY)));
    let only =
        |ours: &LedgerEntry, unbilled: &[Window]| classes(&compare(WINDOW, &[], std::slice::from_ref(ours), unbilled))[0].0;
    assert_eq!(only(&known, &[before, after]), DifferenceClass::LedgerOnly, "begun and booked in the middle of the day");
    let late = LedgerEntry { since: FROM.plus(-HOUR), ..known.clone() };
    assert_eq!(only(&late, &[before]), DifferenceClass::Edge, "paid before midnight, perhaps, and told after it");
    assert_eq!(only(&late, &[after]), DifferenceClass::LedgerOnly);
    let edge = LedgerEntry { at: WINDOW.1.plus(-MINUTE), ..known.clone() };
    assert_eq!(only(&edge, &[after]), DifferenceClass::Edge, "their clock may be ahead");
    assert_eq!(only(&edge, &[]), DifferenceClass::LedgerOnly, "the neighbour came, and has it not");
    assert_eq!(only(&LedgerEntry { in_other_statement: true, ..known.clone() }, &[]), DifferenceClass::Edge);
    let nothing = compare(WINDOW, &[], &[LedgerEntry { booked: Fen::ZERO, ..known }], &[]);
    assert_eq!(nothing, Comparison::default(), "what moved nothing is missed by nobody");
}

#[test]
fn a_refund_without_a_number_matches_by_trade_and_amount() {
    let refund = ours(LineKind::Refunded, "1", 1_000);
    let told = [line(LineKind::Refunded, "1", 1_000)];
    for number in [None, Some("1000".to_owned())] {
        let comparison = compare(WINDOW, &told, &[LedgerEntry { refund_no: number, ..refund.clone() }], &[]);
        assert_eq!((comparison.equal, classes(&comparison)), (1, vec![]));
    }
    let other = compare(WINDOW, &told, &[LedgerEntry { refund_no: None, booked: Fen(900), ..refund }], &[]);
    let expected = vec![(DifferenceClass::ChannelOnly, -1_000, "unknown"), (DifferenceClass::LedgerOnly, 900, "paid")];
    assert_eq!(classes(&other), expected);
}

#[test]
fn a_line_too_many_finds_nothing_left() {
    let (one, known) = paid("1", 5_000);
    let comparison = compare(WINDOW, &[one.clone(), one], &[known], &[]);
    assert_eq!((comparison.equal, classes(&comparison)), (1, vec![(DifferenceClass::ChannelOnly, 5_000, "unknown")]));
}

#[test]
fn a_purchase_is_held_against_its_meter() {
    let now = FROM.plus(2 * DAY);
    let good = Purchase {
        amount: Fen(5_000),
        paid_at: FROM,
        delivered: Fen(5_000),
        applied: Some((1, 3, FROM.plus(MINUTE))),
        latest: Some((1, 4, FROM.plus(HOUR))),
        journal: None,
        refunded: false,
        in_case: false,
    };
    let fallen = Purchase { latest: Some((1, 2, FROM.plus(HOUR))), ..good.clone() };
    let waiting = Purchase { delivered: Fen::ZERO, applied: None, ..good.clone() };
    for (purchase, expected) in [
        (good.clone(), MeterCheck::Delivered),
        (Purchase { journal: Some(Fen(5_000)), ..good.clone() }, MeterCheck::InJournal),
        (Purchase { journal: Some(Fen(500)), ..good.clone() }, MeterCheck::Contradicts(DifferenceReason::Journal)),
        (Purchase { delivered: Fen(500), ..good.clone() }, MeterCheck::Contradicts(DifferenceReason::DeliveredAmount)),
        (Purchase { applied: None, latest: None, ..good.clone() }, MeterCheck::Delivered),
        (fallen.clone(), MeterCheck::Contradicts(DifferenceReason::Count)),
        (Purchase { in_case: true, ..fallen.clone() }, MeterCheck::Open),
        (Purchase { latest: Some((2, 0, FROM.plus(HOUR))), ..fallen.clone() }, MeterCheck::Delivered),
        (Purchase { latest: Some((1, 2, FROM)), ..fallen }, MeterCheck::Delivered),
        (waiting.clone(), MeterCheck::Contradicts(DifferenceReason::NotDelivered)),
        (Purchase { paid_at: now.plus(-HOUR), ..waiting.clone() }, MeterCheck::Open),
        (Purchase { refunded: true, ..waiting.clone() }, MeterCheck::Open),
        (Purchase { in_case: true, ..waiting }, MeterCheck::Open),
    ] {
        assert_eq!(check_meter(&purchase, now), expected, "{purchase:?}");
    }
}

/// Half a dozen numbers, so that they meet.
fn entry() -> impl Strategy<Value = (bool, u8, i64, i64, bool)> {
    (any::<bool>(), 0..6_u8, 1..4_i64, -30..54_i64, any::<bool>())
}

proptest! {
    /// The statement always is the ledger plus the gaps, and nothing is counted twice.
    #[test]
    fn it_always_balances(
        statement in prop::collection::vec(entry(), 0..20),
        books in prop::collection::vec(entry(), 0..20),
        unbilled in any::<bool>(),
    ) {
        let kind = |refund| if refund { LineKind::Refunded } else { LineKind::Paid };
        let lines: Vec<_> = statement.iter().map(|&(refund, n, fen, ..)| line(kind(refund), &n.to_string(), fen)).collect();
        let known: Vec<_> = books.iter().map(|&(refund, n, fen, hour, more)| {
            let one = ours(kind(refund), &n.to_string(), if fen == 3 { 0 } else { fen });
            let trade_no = one.trade_no.clone().filter(|_| n % 2 == 0 || more);
            let (at, since) = (FROM.plus(hour * HOUR), FROM.plus((hour - 1) * HOUR));
            LedgerEntry { at, since, in_other_statement: more, trade_no, ..one }
        }).collect();
        let neighbours = [(FROM.plus(-DAY), FROM), (WINDOW.1, WINDOW.1.plus(DAY))];
        let comparison = compare(WINDOW, &lines, &known, if unbilled { &neighbours } else { &[] });
        prop_assert!(comparison.balances(), "{:?}", comparison);
        let of_bill = comparison.findings.iter().filter(|finding| finding.statement.is_some()).count() as i64;
        prop_assert_eq!(comparison.equal + of_bill, lines.len() as i64);
        let booked = known.iter().filter(|one| is_within(WINDOW, one.at)).map(|one| one.kind.signed(one.booked)).sum::<Fen>();
        prop_assert_eq!(comparison.ledger, booked);
    }

    /// A day that is all equal has no finding, in whatever order it comes.
    #[test]
    fn the_same_on_both_sides_is_equal(all in prop::collection::btree_map((any::<bool>(), 0..50_u8), 1..9_999_i64, 0..40), turn
        in 0..40_usize) {
        let kind = |refund| if refund { LineKind::Refunded } else { LineKind::Paid };
        let lines: Vec<_> = all.iter().map(|((refund, n), fen)| line(kind(*refund), &n.to_string(), *fen)).collect();
        let mut known: Vec<_> = all.iter().map(|((refund, n), fen)| ours(kind(*refund), &n.to_string(), *fen)).collect();
        let len = known.len().max(1);
        known.rotate_left(turn % len);
        let comparison = compare(WINDOW, &lines, &known, &[]);
        prop_assert_eq!((comparison.equal, comparison.findings.len()), (lines.len() as i64, 0));
    }
}

#[test]
fn the_window_of_the_tests_is_a_day() {
    assert_eq!(FROM, Date::from_ymd(2026, 11, 23).unwrap().start());
}
