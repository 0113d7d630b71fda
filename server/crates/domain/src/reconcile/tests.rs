//! Tables of every class, and the promise that whatever happens the bill is the ledger and what is listed.

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
        state: "paid".into(),
        order: None,
        beyond_the_day: false,
    }
}

fn paid(number: &str, fen: i64) -> (StatementLine, LedgerEntry) {
    (line(LineKind::Paid, number, fen), ours(LineKind::Paid, number, fen))
}

/// The classes, with their gaps.
fn classes(comparison: &Comparison) -> Vec<(Class, i64, &str)> {
    assert!(comparison.balances(), "{comparison:?}");
    comparison.findings.iter().map(|finding| (finding.class, finding.gap.0, &*finding.why)).collect()
}

#[test]
fn what_is_the_same_is_equal() {
    let (line_1, ours_1) = paid("1", 5_000);
    let (line_2, ours_2) = (line(LineKind::Refunded, "1", 1_000), ours(LineKind::Refunded, "1", 1_000));
    let comparison = compare(WINDOW, &[line_1, line_2], &[ours_2, ours_1], &[]);
    assert_eq!((comparison.equal, comparison.bill, comparison.ledger), (2, Fen(4_000), Fen(4_000)));
    assert!(classes(&comparison).is_empty());
    assert_eq!(compare(WINDOW, &[], &[], &[]), Comparison::default());
}

#[test]
fn every_class_is_told() {
    let (one, known) = paid("1", 5_000);
    let lines = std::slice::from_ref(&one);
    for (ours, expected) in [
        (vec![], vec![(Class::ChannelOnly, 5_000, "unknown")]),
        (vec![LedgerEntry { booked: Fen(4_999), ..known.clone() }], vec![(Class::Amount, 1, "paid")]),
        (vec![LedgerEntry { booked: Fen::ZERO, state: "closed".into(), ..known.clone() }], vec![(Class::State, 5_000, "closed")]),
        (vec![LedgerEntry { trade_no: Some("X".into()), ..known.clone() }], vec![(Class::State, 0, "trade-number")]),
        (vec![LedgerEntry { at: WINDOW.1, ..known.clone() }], vec![(Class::Edge, 5_000, "booked-elsewhere")]),
        (vec![LedgerEntry { at: FROM.plus(-1), ..known.clone() }], vec![(Class::Edge, 5_000, "booked-elsewhere")]),
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
    assert_eq!(only(&known, &[before, after]), Class::OursOnly, "begun and booked in the middle of the day");
    let late = LedgerEntry { since: FROM.plus(-HOUR), ..known.clone() };
    assert_eq!(only(&late, &[before]), Class::Edge, "paid before midnight, perhaps, and told after it");
    assert_eq!(only(&late, &[after]), Class::OursOnly);
    let edge = LedgerEntry { at: WINDOW.1.plus(-MINUTE), ..known.clone() };
    assert_eq!(only(&edge, &[after]), Class::Edge, "their clock may be ahead");
    assert_eq!(only(&edge, &[]), Class::OursOnly, "the neighbour came, and has it not");
    assert_eq!(only(&LedgerEntry { beyond_the_day: true, ..known.clone() }, &[]), Class::Edge);
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
    let expected = vec![(Class::ChannelOnly, -1_000, "unknown"), (Class::OursOnly, 900, "paid")];
    assert_eq!(classes(&other), expected);
}

#[test]
fn a_line_too_many_finds_nothing_left() {
    let (one, known) = paid("1", 5_000);
    let comparison = compare(WINDOW, &[one.clone(), one], &[known], &[]);
    assert_eq!((comparison.equal, classes(&comparison)), (1, vec![(Class::ChannelOnly, 5_000, "unknown")]));
}

#[test]
fn a_purchase_is_held_against_its_meter() {
    let now = FROM.plus(2 * DAY);
    let good = Purchase {
        amount: Fen(5_000),
        paid_at: FROM,
        delivered: Fen(5_000),
        applied: Some((1, 3, FROM.plus(MINUTE))),
        shown: Some((1, 4, FROM.plus(HOUR))),
        journal: None,
        ended: false,
        in_case: false,
    };
    let fallen = Purchase { shown: Some((1, 2, FROM.plus(HOUR))), ..good.clone() };
    let waiting = Purchase { delivered: Fen::ZERO, applied: None, ..good.clone() };
    for (purchase, expected) in [
        (good.clone(), Metered::Delivered),
        (Purchase { journal: Some(Fen(5_000)), ..good.clone() }, Metered::InJournal),
        (Purchase { journal: Some(Fen(500)), ..good.clone() }, Metered::Contradicts("journal")),
        (Purchase { delivered: Fen(500), ..good.clone() }, Metered::Contradicts("delivered-amount")),
        (Purchase { applied: None, shown: None, ..good.clone() }, Metered::Delivered),
        (fallen.clone(), Metered::Contradicts("count")),
        (Purchase { in_case: true, ..fallen.clone() }, Metered::Open),
        (Purchase { shown: Some((2, 0, FROM.plus(HOUR))), ..fallen.clone() }, Metered::Delivered),
        (Purchase { shown: Some((1, 2, FROM)), ..fallen }, Metered::Delivered),
        (waiting.clone(), Metered::Contradicts("not-delivered")),
        (Purchase { paid_at: now.plus(-HOUR), ..waiting.clone() }, Metered::Open),
        (Purchase { ended: true, ..waiting.clone() }, Metered::Open),
        (Purchase { in_case: true, ..waiting }, Metered::Open),
    ] {
        assert_eq!(metered(&purchase, now), expected, "{purchase:?}");
    }
}

/// Half a dozen numbers, so that they meet.
fn entry() -> impl Strategy<Value = (bool, u8, i64, i64, bool)> {
    (any::<bool>(), 0..6_u8, 1..4_i64, -30..54_i64, any::<bool>())
}

proptest! {
    /// Whatever is in either, the bill is the ledger and what is listed; nothing is counted twice, and the order changes nothing.
    #[test]
    fn it_always_balances(
        bill in prop::collection::vec(entry(), 0..20),
        books in prop::collection::vec(entry(), 0..20),
        unbilled in any::<bool>(),
    ) {
        let kind = |refund| if refund { LineKind::Refunded } else { LineKind::Paid };
        let lines: Vec<_> = bill.iter().map(|&(refund, n, fen, ..)| line(kind(refund), &n.to_string(), fen)).collect();
        let known: Vec<_> = books.iter().map(|&(refund, n, fen, hour, more)| {
            let one = ours(kind(refund), &n.to_string(), if fen == 3 { 0 } else { fen });
            let trade_no = one.trade_no.clone().filter(|_| n % 2 == 0 || more);
            LedgerEntry { at: FROM.plus(hour * HOUR), since: FROM.plus((hour - 1) * HOUR), beyond_the_day: more, trade_no, ..one }
        }).collect();
        let neighbours = [(FROM.plus(-DAY), FROM), (WINDOW.1, WINDOW.1.plus(DAY))];
        let comparison = compare(WINDOW, &lines, &known, if unbilled { &neighbours } else { &[] });
        prop_assert!(comparison.balances(), "{:?}", comparison);
        let of_bill = comparison.findings.iter().filter(|finding| finding.bill.is_some()).count() as i64;
        prop_assert_eq!(comparison.equal + of_bill, lines.len() as i64);
        let booked = known.iter().filter(|one| within(WINDOW, one.at)).map(|one| signed(one.kind, one.booked)).sum::<Fen>();
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
