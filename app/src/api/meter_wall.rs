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

/// The meters of a wall, and what they belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Wall {
    /// In the order of the wall.
    pub meters: Vec<WallMeter>,
    pub sets: WallSets,
}

/// What the meters of a wall belong to beside their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WallSets {
    /// The names of gateways, profiles and groups that its search knows.
    pub names: Vec<String>,
    /// The profiles of all meters that the operator may see.
    pub profiles: Vec<String>,
    /// Of this one alone are the meters of the wall.
    pub profile: Option<String>,
}

#[async_trait]
pub trait MeterWallPort: Send + Sync {
    /// The meters that the operator may see; of one profile where `profile` is not empty.
    async fn wall(&self, who: &Who, profile: &str) -> Result<Wall, AppError>;
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
