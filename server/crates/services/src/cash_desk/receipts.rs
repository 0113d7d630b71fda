//! Receipts, orders, and the register of sales and returns.

use app::api::receipts::ReceiptsPort;
use async_trait::async_trait;
use model::console::{OrderView, Page, Receipt, ReceiptNumber, RecordLine, RecordQuery, Records};
use model::error::AppError;
use model::ids::OrderId;
use model::person::Who;

use super::CashDeskService;
use store::receipts;

#[async_trait]
impl ReceiptsPort for CashDeskService {
    async fn receipt(&self, who: &Who, number: ReceiptNumber) -> Result<Receipt, AppError> {
        queries::receipt(&self.context.db, who.user, number).await?.ok_or(AppError::NotFound)
    }

    async fn first_purchase(&self, who: &Who, opening: ReceiptNumber) -> Result<Option<ReceiptNumber>, AppError> {
        self.receipt(who, opening).await?;
        Ok(queries::first_purchase(&self.context.db, opening).await?)
    }

    async fn order(&self, who: &Who, id: OrderId) -> Result<OrderView, AppError> {
        queries::order_view(&self.context.db, who.user, id).await?.ok_or(AppError::NotFound)
    }

    async fn print_receipt(&self, who: &Who, number: ReceiptNumber) -> Result<(), AppError> {
        self.receipt(who, number).await?;
        receipts::print(&self.context.db, self.context.now(), who, number).await?;
        Ok(())
    }

    async fn records(&self, who: &Who, query: &RecordQuery) -> Result<Records, AppError> {
        let (filter, size) = (queries::RecordFilter::new(who.user, query), Page::<RecordLine>::SIZE);
        let lines = queries::records(&self.context.db, &filter, None, size, query.page * size).await?;
        let totals = queries::record_totals(&self.context.db, &filter).await?;
        let page = Page { lines, total: totals.lines };
        let buildings = queries::buildings(&self.context.db, who.user).await?;
        let buildings = buildings.into_iter().map(|(_, name)| name).collect();
        Ok(Records { page, taken: totals.taken, given: totals.given, buildings })
    }
}
