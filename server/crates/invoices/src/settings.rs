//! Who sells, and to whom the invoices of an account are made out.

use model::audit::AuditAction;
use model::ids::AccountId;
use model::invoice::{InvoiceBuyer, InvoiceSettings};
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use store::audit::record;
use store::{Db, Result, Tx, on, read};

/// `None` until they were set.
pub async fn settings(db: &Db) -> Result<Option<InvoiceSettings>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT seller, tax_number, bank, bank_account, item, tax_code, rate FROM invoice_settings WHERE one = 1"
    )
    .fetch_optional(pool)
    .await)
}

/// Reads the settings and locks them until the transaction ends; the update changes nothing.
pub(super) async fn lock(tx: &mut Tx) -> Result<Option<InvoiceSettings>> {
    on!(tx, |c| sqlx::query_as(
        "UPDATE invoice_settings SET one = one WHERE one = 1
         RETURNING seller, tax_number, bank, bank_account, item, tax_code, rate"
    )
    .fetch_optional(c)
    .await)
}

/// Sets them for later exports.
pub async fn set_settings(db: &Db, at: Timestamp, who: &Who, new: &InvoiceSettings) -> Result<()> {
    let InvoiceSettings { seller, rate } = new;
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO invoice_settings (one, seller, tax_number, bank, bank_account, item, tax_code, rate, changed_by, changed_at)
         VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (one) DO UPDATE SET seller = $1, tax_number = $2, bank = $3, bank_account = $4, item = $5, tax_code = $6,
                                         rate = $7, changed_by = $8, changed_at = $9"
    )
    .bind(&seller.name)
    .bind(&seller.tax_number)
    .bind(&seller.bank)
    .bind(&seller.bank_account)
    .bind(&seller.item)
    .bind(&seller.tax_code)
    .bind(rate)
    .bind(who.user)
    .bind(at)
    .execute(c)
    .await)?;
    let detail = json!({
        "seller": seller.name, "tax_number": seller.tax_number, "bank": seller.bank, "bank_account": seller.bank_account,
        "item": seller.item, "tax_code": seller.tax_code, "tax_rate": rate.to_string(),
    });
    record(&mut tx, at, who, (AuditAction::InvoiceSettings, "site"), &detail).await?;
    tx.commit().await
}

/// To whom the invoices of an account are made out, where that was set. The caller checks that the operator may see the account.
pub async fn buyer(db: &Db, account: AccountId) -> Result<Option<InvoiceBuyer>> {
    let row: Option<(String, Option<String>)> =
        read!(db, |pool| sqlx::query_as("SELECT name, tax_number FROM invoice_buyers WHERE account_id = $1")
            .bind(account)
            .fetch_optional(pool)
            .await)?;
    Ok(row.map(|(name, tax_number)| InvoiceBuyer { name, tax_number }))
}

/// Sets the buyer of later rows; `None`: the resident. The caller checks that the operator may see the account.
pub async fn set_buyer(db: &Db, at: Timestamp, who: &Who, account: AccountId, new: Option<&InvoiceBuyer>) -> Result<()> {
    let mut tx = db.begin().await?;
    match new {
        Some(new) => on!(&mut tx, |c| sqlx::query(
            "INSERT INTO invoice_buyers (account_id, name, tax_number, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (account_id) DO UPDATE SET name = $2, tax_number = $3, changed_by = $4, changed_at = $5"
        )
        .bind(account)
        .bind(&new.name)
        .bind(&new.tax_number)
        .bind(who.user)
        .bind(at)
        .execute(c)
        .await)?,
        None => on!(&mut tx, |c| sqlx::query("DELETE FROM invoice_buyers WHERE account_id = $1").bind(account).execute(c).await)?,
    };
    let detail = json!({ "buyer": new.map(|new| &new.name), "tax_number": new.and_then(|new| new.tax_number.as_ref()) });
    let subject = format!("account:{account}");
    record(&mut tx, at, who, (AuditAction::InvoiceBuyer, &subject), &detail).await?;
    tx.commit().await
}
