//! The meter wall and the search.

use async_trait::async_trait;

use crate::ports::Who;
use model::console::{Former, FoundOrder, FoundPlace, MeterLine, Page, RoomName};
use model::energy::Energy;
use model::error::AppError;
use model::meter::Latest;
use model::search_text::SearchText;
use model::time::Timestamp;

/// A meter on the wall.
#[derive(Clone, Debug, PartialEq)]
pub struct WallMeter {
    pub name: RoomName,
    /// What a search looks at: its place and what it belongs to.
    pub search_text: SearchText,
    pub latest: Latest,
}

#[async_trait]
pub trait MeterWallPort: Send + Sync {
    /// Every meter that the operator may see, in the order of the wall.
    async fn wall_meters(&self, who: &Who) -> Result<Vec<WallMeter>, AppError>;
    /// The names of gateways, profiles and groups that its search knows.
    async fn wall_sets(&self, who: &Who) -> Result<Vec<String>, AppError>;
    /// The energy of the last 24 hours that are over, each with its start; hours without energy are left out.
    async fn site_hours(&self, who: &Who) -> Result<Vec<(Timestamp, Energy)>, AppError>;
    /// A page of the rooms whose name, resident, account, meter or gateway contains every word of the text, those that it names
    /// whole first. Pages are counted from 0.
    async fn search(&self, who: &Who, text: &str, page: i64) -> Result<Page<MeterLine>, AppError>;
    /// The buildings, floors and groups that the text names, or else the first whose name it is a part of.
    async fn find_places(&self, who: &Who, text: &str) -> Result<Vec<FoundPlace>, AppError>;
    /// Closed accounts and meters out of service in whose number the text occurs.
    async fn find_former(&self, who: &Who, text: &str) -> Result<Former, AppError>;
    /// Orders with this number: ours, the channel's of the payment, or a refund's.
    async fn find_orders(&self, who: &Who, text: &str) -> Result<Vec<FoundOrder>, AppError>;
}
