//! Which invoices a return takes back.

use model::invoice::{TaxRate, Taxed};
use model::money::Fen;

/// An invoice, and what of it was not reversed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenInvoice<Id> {
    pub id: Id,
    pub rate: TaxRate,
    pub left: Taxed,
}

/// A part of an invoice that is reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reversal<Id> {
    pub of: Id,
    pub rate: TaxRate,
    pub taxed: Taxed,
}

/// Takes an amount from invoices in their order, and what is taken out of `open`. The last part of an invoice takes all that is
/// left of it, so that its reversals add up to it, net and tax. `None`, and nothing taken, where there is not enough.
pub fn reverse<Id: Copy>(amount: Fen, open: &mut [&mut OpenInvoice<Id>]) -> Option<Vec<Reversal<Id>>> {
    let enough: i64 = open.iter().map(|one| one.left.sum().0).sum();
    if amount.0 <= 0 || enough < amount.0 {
        return None;
    }
    let (mut rest, mut reversals) = (amount, Vec::new());
    for one in open.iter_mut() {
        let part = rest.min(one.left.sum());
        if part == Fen::ZERO {
            continue;
        }
        // Neither net nor tax may take more than is left of it.
        let split = one.rate.split(part);
        let net = split.net.min(one.left.net).max(part - one.left.tax);
        let taxed = if part == one.left.sum() { one.left } else { Taxed { net, tax: part - net } };
        one.left = Taxed { net: one.left.net - taxed.net, tax: one.left.tax - taxed.tax };
        rest = rest - part;
        reversals.push(Reversal { of: one.id, rate: one.rate, taxed });
    }
    Some(reversals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(fen: i64, open: &mut [OpenInvoice<u8>]) -> Option<Vec<Reversal<u8>>> {
        reverse(Fen(fen), &mut open.iter_mut().collect::<Vec<_>>())
    }

    fn open(id: u8, fen: i64) -> OpenInvoice<u8> {
        let rate: TaxRate = "13".parse().unwrap();
        OpenInvoice { id, rate, left: rate.split(Fen(fen)) }
    }

    #[test]
    fn parts_of_an_invoice_add_up_to_it() {
        for parts in [[1, 1, 98], [33, 33, 34], [99, 0, 1], [50, 49, 1]] {
            let (mut all, whole) = ([open(1, 100)], open(1, 100).left);
            let mut sum = Taxed::default();
            for part in parts.into_iter().filter(|part| *part > 0) {
                for one in take(part, &mut all).unwrap() {
                    assert!(one.taxed.net.0 >= 0 && one.taxed.tax.0 >= 0, "{parts:?}");
                    sum = Taxed { net: sum.net + one.taxed.net, tax: sum.tax + one.taxed.tax };
                }
            }
            assert_eq!(sum, whole, "{parts:?}");
        }
    }

    #[test]
    fn several_invoices_are_reversed_in_their_order() {
        let mut all = [open(1, 5_000), open(2, 3_000), open(3, 4_000)];
        let reversals = take(7_000, &mut all).unwrap();
        assert_eq!(reversals.iter().map(|one| (one.of, one.taxed.sum().0)).collect::<Vec<_>>(), [(1, 5_000), (2, 2_000)]);
        assert_eq!(all.map(|one| one.left.sum().0), [0, 1_000, 4_000]);
        let before = all;
        assert_eq!((take(5_001, &mut all), take(0, &mut all)), (None, None));
        assert_eq!(all, before, "nothing was taken");
    }
}
