//! One batch of invoices, of the month before this one; what was sold since waits.

use domain::rng::Rng;
use invoices::{FlatPrices, NewExport};
use model::invoice::{InvoiceRange, InvoiceSeller, InvoiceSettings};
use model::person::Who;

use super::{Result, Span};
use store::Db;

/// The tax rate in per cent.
const RATE: &str = "13";

pub async fn export(db: &Db, rng: &Rng, span: &Span, by: &Who) -> Result<()> {
    let at = span.until;
    let seller = InvoiceSeller {
        name: "示例后勤服务有限公司".into(),
        tax_number: "91330106MA2ABCDE1X".into(),
        bank: String::new(),
        bank_account: String::new(),
        item: "电费".into(),
        tax_code: "1100101020200000000".into(),
    };
    invoices::set_settings(db, at, by, &InvoiceSettings { seller, rate: RATE.parse()? }).await?;
    let (from, until) = at.date().month_before();
    let range = InvoiceRange { from, until, building: None };
    let (sales, _) = invoices::sums(db, by.user, &range).await?;
    if sales.receipts > 0 {
        let prices = FlatPrices::load(db).await?;
        invoices::export(db, rng, at, by, &NewExport { key: rng.id(at), range }, &prices).await?;
    }
    Ok(())
}
