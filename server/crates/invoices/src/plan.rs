//! The rows of a batch, from what waits and what can be reversed; nothing is read or written here.

use std::cmp::Reverse;
use std::collections::HashMap;

use domain::invoice::{OpenInvoice, reverse};
use domain::rng::Rng;
use model::console::ReceiptNumber;
use model::energy::Energy;
use model::ids::{AccountId, InvoiceRowId};
use model::invoice::{InvoiceBuyer, InvoiceKind, TaxRate, Taxed};
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

/// Invoices come first, so that a return may reverse one of the same batch. The reversal of an order takes its invoice; a return
/// takes the account's invoices, the newest first.
pub(super) fn plan(
    rng: &Rng,
    at: Timestamp,
    rate: TaxRate,
    waiting: Vec<Waiting>,
    mut open: HashMap<AccountId, Vec<OpenRow>>,
    prices: &FlatPrices,
) -> Plan {
    let mut plan = Plan::default();
    let (blue, red): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|one| one.kind == InvoiceKind::Blue);
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
    for one in red {
        let rows = open.entry(one.account_id).or_default();
        let buyers: HashMap<_, _> = rows.iter().map(|row| (row.invoice.id, row.buyer.clone())).collect();
        let reversible = rows.iter_mut().filter(|row| one.order_id.is_none() || row.order == one.order_id);
        let mut reversible: Vec<&mut OpenInvoice<InvoiceRowId>> = reversible.map(|row| &mut row.invoice).collect();
        let Some(reversals) = reverse(one.amount_fen, &mut reversible) else {
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
    use super::*;

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
