//! Invoice exports, within the operator's buildings.

use app::api::invoices::{BuyerView, InvoicesPort};
use async_trait::async_trait;
use invoices::{FlatPrices, NewExport};
use model::console::{Page, ReceiptNumber};
use model::error::AppError;
use model::ids::{AccountId, InvoiceBatchId, MeterId, PlaceId, Uuid};
use model::invoice::{
    InvoiceBatch, InvoiceBatchView, InvoiceBuyer, InvoiceFile, InvoiceRange, InvoiceRow, InvoiceSerial, InvoiceSettings,
    InvoicesWaiting,
};
use model::person::Who;
use workbook::invoices as files;

use super::Context;

/// Cheap to clone.
#[derive(Clone)]
pub struct InvoicesService {
    context: Context,
}

impl InvoicesService {
    #[must_use]
    pub const fn new(context: Context) -> Self {
        Self { context }
    }

    /// A file of a batch, and the number of the batch. What was cancelled must not be imported.
    ///
    /// # Errors
    /// [`AppError::NotFound`], or [`AppError::Conflict`] for the import file of a cancelled batch.
    pub async fn file(&self, who: &Who, id: InvoiceBatchId, file: InvoiceFile) -> Result<(i64, Vec<u8>), AppError> {
        let db = &self.context.db;
        let batch = invoices::batch(db, who.user, id).await?.ok_or(AppError::NotFound)?;
        if batch.cancelled.is_some() && file == InvoiceFile::Import {
            return Err(AppError::Conflict);
        }
        let seller = invoices::seller(db, id).await?.ok_or(AppError::NotFound)?;
        let rows = invoices::rows(db, id, i64::MAX, 0).await?;
        let made = batch.made_at.date();
        let written = tokio::task::spawn_blocking(move || match file {
            InvoiceFile::Import => files::import(&seller, made, &rows),
            InvoiceFile::Reversals => files::reversals(&seller, made, &rows),
        });
        let written = written.await.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, batch = batch.number, "invoices.thread_failed");
            AppError::Internal
        })?;
        let bytes = written.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, batch = batch.number, "invoices.not_written");
            AppError::Internal
        })?;
        Ok((batch.number, bytes))
    }

    async fn account(&self, who: &Who, meter: MeterId) -> Result<(BuyerView, AccountId), AppError> {
        let db = &self.context.db;
        let room = self.context.room(who, meter).await?;
        let (Some(id), Some(number)) = (room.account.account_id, room.account.number.clone()) else {
            return Err(AppError::AccountNotOpen);
        };
        let residents = queries::residents(db, id).await?.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
        let buyer = invoices::buyer(db, id).await?;
        Ok((BuyerView { room: room.name(), account: number, residents, buyer }, id))
    }
}

#[async_trait]
impl InvoicesPort for InvoicesService {
    async fn is_set(&self) -> Result<bool, AppError> {
        Ok(invoices::settings(&self.context.db).await?.is_some())
    }

    async fn settings(&self, who: &Who) -> Result<Option<InvoiceSettings>, AppError> {
        self.context.require_whole_site(who).await?;
        Ok(invoices::settings(&self.context.db).await?)
    }

    async fn set_settings(&self, who: &Who, new: &InvoiceSettings) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        Ok(invoices::set_settings(&self.context.db, self.context.now(), who, new).await?)
    }

    async fn buyer(&self, who: &Who, meter: MeterId) -> Result<BuyerView, AppError> {
        Ok(self.account(who, meter).await?.0)
    }

    async fn set_buyer(&self, who: &Who, meter: MeterId, new: Option<&InvoiceBuyer>) -> Result<(), AppError> {
        let (_, account) = self.account(who, meter).await?;
        Ok(invoices::set_buyer(&self.context.db, self.context.now(), who, account, new).await?)
    }

    async fn buildings(&self, who: &Who) -> Result<Vec<(PlaceId, String)>, AppError> {
        Ok(queries::buildings(&self.context.db, who.user).await?)
    }

    async fn waiting(&self, who: &Who, range: &InvoiceRange) -> Result<InvoicesWaiting, AppError> {
        let Context { db, rng, .. } = &self.context;
        let Some(settings) = invoices::settings(db).await? else {
            let (blue, red) = invoices::sums(db, who.user, range).await?;
            return Ok(InvoicesWaiting { blue, red, without_invoice: Vec::new() });
        };
        Ok(invoices::preview(db, rng, self.context.now(), who.user, range, settings.rate).await?)
    }

    async fn export(&self, who: &Who, key: Uuid, range: &InvoiceRange) -> Result<InvoiceBatchId, AppError> {
        let Context { db, rng, .. } = &self.context;
        if let Some(building) = range.building {
            let buildings = queries::buildings(db, who.user).await?;
            buildings.iter().find(|(id, _)| *id == building).ok_or(AppError::NotFound)?;
        }
        // Before the transaction, which takes no second connection; of days that are over no price changes.
        let prices = FlatPrices::load(db).await?;
        Ok(invoices::export(db, rng, self.context.now(), who, &NewExport { key, range: *range }, &prices).await?)
    }

    async fn reverse_manually(&self, who: &Who, number: ReceiptNumber) -> Result<(), AppError> {
        Ok(invoices::reverse_manually(&self.context.db, self.context.now(), who, number).await?)
    }

    async fn of_receipt(&self, who: &Who, number: ReceiptNumber) -> Result<Vec<(InvoiceBatchId, InvoiceSerial)>, AppError> {
        Ok(invoices::of_receipt(&self.context.db, who.user, number).await?)
    }

    async fn cancel(&self, who: &Who, batch: InvoiceBatchId) -> Result<(), AppError> {
        invoices::batch(&self.context.db, who.user, batch).await?.ok_or(AppError::NotFound)?;
        Ok(invoices::cancel(&self.context.db, self.context.now(), who, batch).await?)
    }

    async fn batches(&self, who: &Who, page: i64) -> Result<Page<InvoiceBatch>, AppError> {
        Ok(invoices::batches(&self.context.db, who.user, page).await?)
    }

    async fn batch(&self, who: &Who, batch: InvoiceBatchId, page: i64) -> Result<InvoiceBatchView, AppError> {
        let (db, size) = (&self.context.db, Page::<InvoiceRow>::SIZE);
        let found = invoices::batch(db, who.user, batch).await?.ok_or(AppError::NotFound)?;
        let lines = invoices::rows(db, batch, size, page * size).await?;
        let rows = Page { lines, total: found.rows };
        Ok(InvoiceBatchView { batch: found, rows })
    }
}
