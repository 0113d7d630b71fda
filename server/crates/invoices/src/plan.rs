//! The rows of a batch, from what waits and what can be reversed; nothing is read or written here.

use std::cmp::Reverse;
use std::collections::HashMap;

use domain::invoice::{OpenInvoice, Reversal, reverse};
use domain::rng::Rng;
use model::console::ReceiptNumber;
use model::energy::Energy;
use model::ids::{AccountId, InvoiceRowId};
use model::invoice::{InvoiceBuyer, InvoiceKind, ReceiptSum, TaxRate, Taxed};
use model::money::{Fen, Money};
use model::time::Timestamp;

use super::flat_prices::FlatPrices;
use super::open_rows::OpenRow;
use super::waiting::Waiting;

/// A row of a batch.
pub(super) struct PlannedRow {
    pub id: InvoiceRowId,
    pub kind: InvoiceKind,
    pub receipt: ReceiptNumber,
    pub account: AccountId,
    pub reverses: Option<InvoiceRowId>,
    pub buyer: InvoiceBuyer,
    pub energy: Option<(Energy, Money)>,
    pub rate: TaxRate,
    pub taxed: Taxed,
}

/// What a batch would have.
#[derive(Default)]
pub(super) struct Plan {
    pub rows: Vec<PlannedRow>,
    /// Returns for which there are not enough invoices to reverse.
    pub without_invoice: Vec<Waiting>,
}

impl Plan {
    /// The receipts of a kind that have rows; all rows of a receipt stand together.
    pub fn sum(&self, kind: InvoiceKind) -> ReceiptSum {
        let rows = || self.rows.iter().filter(|row| row.kind == kind);
        let mut receipts: Vec<ReceiptNumber> = rows().map(|row| row.receipt).collect();
        receipts.dedup();
        ReceiptSum { receipts: receipts.len() as i64, amount: rows().map(|row| row.taxed.sum()).sum() }
    }
}

/// Invoices come first, so that a return may reverse one of the same batch; then corrections, each of which needs the invoice of
/// its sale, and then returns of balances, which take what there is.
pub(super) fn plan(
    rng: &Rng,
    at: Timestamp,
    rate: TaxRate,
    waiting: Vec<Waiting>,
    mut open: HashMap<AccountId, Vec<OpenRow>>,
    prices: &FlatPrices,
) -> Plan {
    let mut plan = Plan::default();
    let (blue, mut red): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|one| one.kind == InvoiceKind::Blue);
    for one in &red {
        open.entry(one.account_id).or_default();
    }
    for one in blue {
        let (id, taxed) = (InvoiceRowId(rng.id(at)), rate.split(one.amount_fen));
        let named = one.buyer.clone().map(|name| InvoiceBuyer { name, tax_number: one.tax_number.clone() });
        let buyer = named.unwrap_or_else(nobody);
        let energy = prices.at(one.place_id, one.issued_at).map(|price| (bought(one.amount_fen, price), price));
        if let Some(rows) = open.get_mut(&one.account_id) {
            let invoice = OpenInvoice { id, rate, left: taxed };
            let (issued_at, number) = (one.issued_at, one.receipt().number);
            rows.push(OpenRow { invoice, order: one.order_id, issued_at, number, buyer: buyer.clone() });
        }
        let (receipt, account) = (one.receipt(), one.account_id);
        plan.rows.push(PlannedRow { id, kind: one.kind, receipt, account, reverses: None, buyer, energy, rate, taxed });
    }
    for rows in open.values_mut() {
        rows.sort_by_key(|row| Reverse((row.issued_at, row.number)));
    }
    red.sort_by_key(|one| one.order_id.is_none());
    for one in red {
        let rows = open.entry(one.account_id).or_default();
        let buyers: HashMap<_, _> = rows.iter().map(|row| (row.invoice.id, row.buyer.clone())).collect();
        let Some(reversals) = reversals(&one, rows) else {
            plan.without_invoice.push(one);
            continue;
        };
        for reversal in reversals {
            plan.rows.push(PlannedRow {
                id: InvoiceRowId(rng.id(at)),
                kind: one.kind,
                receipt: one.receipt(),
                account: one.account_id,
                reverses: Some(reversal.of),
                buyer: buyers.get(&reversal.of).cloned().unwrap_or_else(nobody),
                energy: None,
                rate: reversal.rate,
                taxed: reversal.taxed,
            });
        }
    }
    plan
}

/// The invoices that a return reverses: of payments before it, the newest first. A correction reverses the invoice of its sale,
/// which must be exported; only what a return of an earlier batch took of it comes from the others.
fn reversals(one: &Waiting, rows: &mut [OpenRow]) -> Option<Vec<Reversal<InvoiceRowId>>> {
    let is_own = |row: &OpenRow| one.order_id.is_some() && row.order == one.order_id;
    if one.order_id.is_some() && !rows.iter().any(is_own) {
        return None;
    }
    let mut earlier: Vec<&mut OpenRow> = rows.iter_mut().filter(|row| row.issued_at <= one.issued_at).collect();
    earlier.sort_by_key(|row| !is_own(row));
    let mut invoices: Vec<&mut OpenInvoice<InvoiceRowId>> = earlier.into_iter().map(|row| &mut row.invoice).collect();
    reverse(one.amount_fen, &mut invoices)
}

/// Who buys where no resident has a name: a person.
fn nobody() -> InvoiceBuyer {
    InvoiceBuyer { name: "个人".to_owned(), tax_number: None }
}

/// The energy that an amount buys. To the Wh its price is the amount to the fen for every price below 10 yuan.
fn bought(amount: Fen, price: Money) -> Energy {
    let price = price.0.max(1);
    Energy((amount.money().0 * 1_000 + price / 2) / price)
}

#[cfg(test)]
mod tests {
    use model::console::ReceiptSeries;
    use model::ids::{OrderId, PlaceId, Uuid};
    use store::console::Name;

    use super::*;

    /// A receipt of the instant of its number, of the sale with that number where there is one.
    fn waits(kind: InvoiceKind, number: i64, fen: i64, order: Option<u128>) -> Waiting {
        Waiting {
            kind,
            series: ReceiptSeries::CashDesk,
            year: 2026,
            number,
            issued_at: Timestamp(number),
            account_id: AccountId(Uuid::nil()),
            place_id: PlaceId(Uuid::nil()),
            amount_fen: Fen(fen),
            order_id: order.map(|order| OrderId(Uuid::from_u128(order))),
            buyer: None,
            tax_number: None,
            name: Name { building: String::new(), floor: String::new(), room: String::new() },
        }
    }

    /// Number of the reversed receipt and amount of each reversal, and the receipts that still wait.
    fn planned(waiting: Vec<Waiting>) -> (Vec<(i64, i64)>, Vec<i64>) {
        let rate = "13".parse().unwrap();
        let plan = plan(&Rng::from_seed([1; 32]), Timestamp(9), rate, waiting, HashMap::new(), &FlatPrices::default());
        let number_of = |id| plan.rows.iter().find(|row| row.id == id).map(|row| row.receipt.number);
        let reversed = plan.rows.iter().filter_map(|row| Some((number_of(row.reverses?)?, row.taxed.sum().0)));
        (reversed.collect(), plan.without_invoice.iter().map(|one| one.number).collect())
    }

    #[test]
    fn a_return_reverses_no_later_sale() {
        let (blue, red) = (InvoiceKind::Blue, InvoiceKind::Red);
        let sales = || vec![waits(blue, 1, 3_000, Some(1)), waits(blue, 3, 5_000, Some(3))];
        let with = |fen| planned(sales().into_iter().chain([waits(red, 2, fen, None)]).collect());
        assert_eq!(with(2_000), (vec![(1, 2_000)], vec![]));
        assert_eq!(with(3_001), (vec![], vec![2]), "it waits, and takes nothing of what was sold after it");
    }

    #[test]
    fn what_is_left_out_is_not_counted() {
        let (blue, red) = (InvoiceKind::Blue, InvoiceKind::Red);
        let waiting = vec![
            waits(blue, 1, 3_000, Some(1)),
            waits(blue, 2, 5_000, Some(2)),
            // It reverses both.
            waits(red, 3, 7_000, None),
            waits(red, 4, 1_001, None),
        ];
        let rate = "13".parse().unwrap();
        let plan = plan(&Rng::from_seed([1; 32]), Timestamp(9), rate, waiting, HashMap::new(), &FlatPrices::default());
        assert_eq!(plan.sum(blue), ReceiptSum { receipts: 2, amount: Fen(8_000) });
        assert_eq!(plan.sum(red), ReceiptSum { receipts: 1, amount: Fen(7_000) });
    }

    #[test]
    fn a_correction_gets_the_invoice_of_its_sale() {
        let (blue, red) = (InvoiceKind::Blue, InvoiceKind::Red);
        let waiting = vec![
            waits(blue, 1, 5_000, Some(1)),
            waits(blue, 2, 3_000, Some(2)),
            // The balance went back before the sale was corrected.
            waits(red, 3, 2_500, None),
            waits(red, 4, 3_000, Some(2)),
        ];
        assert_eq!(planned(waiting), (vec![(2, 3_000), (1, 2_500)], vec![]));
        let unsold = vec![waits(blue, 1, 5_000, Some(1)), waits(red, 4, 3_000, Some(2))];
        assert_eq!(planned(unsold), (vec![], vec![4]), "its sale is not exported yet");
    }

    #[test]
    fn a_correction_takes_what_is_missing_from_others() {
        let sale = |order, fen| {
            let left = "13".parse::<TaxRate>().unwrap().split(Fen(fen));
            let invoice = OpenInvoice { id: InvoiceRowId(Uuid::from_u128(order)), rate: "13".parse().unwrap(), left };
            let order_id = Some(OrderId(Uuid::from_u128(order)));
            OpenRow { invoice, order: order_id, issued_at: Timestamp(1), number: 1, buyer: nobody() }
        };
        // A return of an earlier batch has reversed 20.00 of the invoice.
        let mut rows = [sale(1, 5_000), sale(2, 1_000)];
        let found = reversals(&waits(InvoiceKind::Red, 4, 3_000, Some(2)), &mut rows).unwrap();
        let found: Vec<_> = found.iter().map(|one| (one.of.0.as_u128(), one.taxed.sum().0)).collect();
        assert_eq!(found, [(2, 1_000), (1, 2_000)]);
    }

    #[test]
    fn energy_times_price_is_the_amount() {
        for price in [1, 3_000, 5_400, 6_177, 99_999] {
            for fen in [1, 7, 99, 5_000, 12_345, 10_000_000] {
                let energy = bought(Fen(fen), Money(price));
                // 0.0001 yuan a kWh, times Wh: 10^-7 yuan.
                assert_eq!((energy.0 * price + 50_000) / 100_000, fen, "{fen} fen at {price}");
            }
        }
    }
}
