use std::collections::BTreeMap;

use super::*;
use crate::closing::FinalBalance;
use model::money::Fen;
use proptest::prelude::*;

#[test]
fn every_tender_has_its_own_account() {
    let codes = Tender::ALL.map(|tender| Account::of_tender(tender).code());
    assert_eq!(std::collections::BTreeSet::from(codes).len(), Tender::ALL.len());
}

#[test]
fn every_account_has_a_kind() {
    let owner = AccountId(Uuid::from_u128(7));
    let accounts = [
        Account::Cash,
        Account::Card,
        Account::Bank,
        Account::Clearing("alipay"),
        Account::Fees("wechat"),
        Account::Paid(owner),
        Account::InMeter(owner),
        Account::Wallet(owner),
        Account::Consumption,
        Account::Suspense,
        Account::Refunding,
        Account::Subsidies,
        Account::Carried,
        Account::WriteOff,
        Account::DrawerDifference,
        Account::Adjustments,
        Account::TakenOver,
    ];
    for account in accounts {
        // Does not compile where an account is missing here and above.
        match account {
            Account::Cash | Account::Card | Account::Bank | Account::Clearing(_) | Account::Fees(_) | Account::Paid(_) => {}
            Account::InMeter(_) | Account::Wallet(_) | Account::Consumption | Account::Suspense | Account::Refunding => {}
            Account::Subsidies | Account::Carried | Account::WriteOff | Account::DrawerDifference => {}
            Account::Adjustments | Account::TakenOver => {}
        }
        assert!(model::ledger::AccountKind::of(&account.code()).is_some(), "{account:?}");
    }
}

#[test]
fn what_is_paid_and_delivered_leaves_nothing_between() {
    let account = AccountId(Uuid::from_u128(7));
    let paid = payment(Uuid::from_u128(1), Tender::Alipay, account, Money(630_000));
    let delivered = delivery(Uuid::from_u128(1), account, Money(630_000));
    assert_eq!(paid.credit, delivered.debit);
    assert_eq!(paid.amount, delivered.amount);
}

/// One of the operations, by a number.
fn operation(n: usize, account: AccountId, amount: Money) -> Vec<Transfer> {
    let of = Uuid::from_u128(9);
    match n {
        0 => vec![payment(of, Tender::Cash, account, amount)],
        1 => vec![delivery(of, account, amount)],
        2 => vec![withdrawal(of, account, amount)],
        3 => vec![payout(of, Tender::Cash, account, amount)],
        4 => vec![credit(of, account, amount)],
        5 => vec![withdrawal_of_wallet(of, account, amount)],
        6 => vec![consumption(of, account, amount)],
        7 => vec![consumption_reversal(of, account, amount)],
        8 => vec![takeover(account, amount)],
        9 => use_of_meter(of, account, amount, false).into_iter().collect(),
        10 => use_of_meter(of, account, -amount, false).into_iter().collect(),
        11 => drawer_difference(of, amount).into_iter().collect(),
        12 => drawer_difference(of, -amount).into_iter().collect(),
        13 => vec![suspense(of, "alipay", amount)],
        14 => vec![refund_reserve(of, Account::Suspense, amount)],
        15 => vec![refund_release(of, Account::Suspense, amount)],
        16 => vec![refund(of, Tender::Alipay, amount)],
        17 => vec![refund_elsewhere(of, "alipay", amount)],
        18 => vec![refund_reserve(of, Account::Paid(account), amount)],
        19 => vec![refund_release(of, Account::Paid(account), amount)],
        20 => vec![payment(of, Tender::Alipay, account, amount)],
        21 => fees(of, "alipay", amount).into_iter().collect(),
        22 => fees(of, "alipay", -amount).into_iter().collect(),
        23 => vec![settlement(of, "alipay", amount)],
        24 => final_amount(of, Account::InMeter(account), amount).into_iter().collect(),
        25 => final_amount(of, Account::Wallet(account), amount).into_iter().collect(),
        26 => write_off(of, Account::Wallet(account), amount).into_iter().collect(),
        27 => write_off(of, Account::Wallet(account), -amount).into_iter().collect(),
        28 => vec![payout_of_carried(of, Tender::Cash, amount)],
        29 => vec![payment(of, Tender::Carried, account, amount)],
        30 => vec![reroute(of, account, AccountId(Uuid::from_u128(77)), amount)],
        31 => vec![reroute(of, AccountId(Uuid::from_u128(77)), account, amount)],
        32 => vec![refund_cleared(of, account, amount)],
        33 => vec![refund_lost(of, amount)],
        _ => vec![payment(of, Tender::Subsidy, account, amount)],
    }
}

fn post(books: &mut BTreeMap<String, i64>, transfer: &Transfer) {
    *books.entry(transfer.debit.code()).or_default() -= transfer.amount.0;
    *books.entry(transfer.credit.code()).or_default() += transfer.amount.0;
}

proptest! {
    /// Whatever happens in whatever order, the whole sums to zero after every posting, and no posting is empty or to itself.
    #[test]
    fn the_whole_sums_to_zero(all in prop::collection::vec((0..35_usize, 0..4_u128, 1..100_000_000_i64), 0..60)) {
        let mut books = BTreeMap::new();
        for (n, account, e4) in all {
            for transfer in operation(n, AccountId(Uuid::from_u128(account)), Money(e4)) {
                prop_assert!(transfer.amount > Money::ZERO && transfer.debit != transfer.credit, "{transfer:?}");
                post(&mut books, &transfer);
                prop_assert_eq!(books.values().sum::<i64>(), 0);
            }
        }
    }

    /// What is undone leaves nothing: a sale and its return, a delivery and its withdrawal, a use that came back, a charge
    /// reversed, money reserved and released, a payment given back.
    #[test]
    fn an_operation_and_its_opposite_leave_nothing(pair in 0..15_usize, e4 in 1..100_000_000_i64) {
        let all: [&[usize]; 15] = [
            &[0, 3], &[1, 2], &[4, 5], &[6, 7], &[9, 10], &[11, 12], &[14, 15], &[18, 19], &[13, 14, 16], &[20, 18, 16], &[20,
                17, 32], &[13, 17], &[21, 22], &[26, 27], &[30, 31],
        ];
        let (account, mut books) = (AccountId(Uuid::from_u128(1)), BTreeMap::new());
        for &n in all[pair] {
            operation(n, account, Money(e4)).iter().for_each(|transfer| post(&mut books, transfer));
        }
        prop_assert!(books.values().all(|&balance| balance == 0), "{books:?}");
    }

    /// What is sold, delivered, partly used and then closed leaves nothing of the account: it is
    /// in the hand, or in the next meter.
    #[test]
    fn a_closed_account_has_nothing_left(wallet: bool, carried: bool, sold in 1..1_000_000_i64, used in 0..2_000_000_i64) {
        let (account, next) = (AccountId(Uuid::from_u128(1)), AccountId(Uuid::from_u128(2)));
        let (of, sold) = (Uuid::from_u128(9), Fen(sold).money());
        let mut all = vec![payment(of, Tender::Cash, account, sold)];
        let from = if wallet { Account::Wallet(account) } else { Account::InMeter(account) };
        all.push(if wallet { credit(of, account, sold) } else { delivery(of, account, sold) });
        if wallet && used > 0 {
            all.push(consumption(of, account, Money(used)));
        }
        let left = if wallet { sold - Money(used) } else { sold - Fen(used / 100).money() };
        if !wallet {
            all.extend(use_of_meter(of, account, sold - left, false));
        }
        let FinalBalance { due, written_off } = FinalBalance::of(left);
        all.extend(final_amount(of, from.clone(), due.money()));
        all.extend(write_off(of, from, written_off));
        if due > Fen::ZERO {
            all.push(match carried {
                true => payment(of, Tender::Carried, next, due.money()),
                false => payout_of_carried(of, Tender::Cash, due.money()),
            });
        }
        let mut books = BTreeMap::new();
        all.iter().for_each(|transfer| post(&mut books, transfer));
        let balance = |account: Account| books.get(&account.code()).copied().unwrap_or_default();
        let closed = [Account::Paid(account), Account::InMeter(account), Account::Wallet(account), Account::Carried];
        for account in closed {
            prop_assert_eq!(balance(account.clone()), 0, "{:?}", account);
        }
        prop_assert_eq!(balance(Account::Paid(next)), if carried { due.money().0 } else { 0 });
        prop_assert_eq!(books.values().sum::<i64>(), 0);
    }
}
