//! Settings of the site, and the default parameters of meters by place.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::defaults::{DefaultKind, DefaultValues};
use model::error::AppError;
use model::gateway::SweepInterval;
use model::ids::PlaceId;
use model::parameters::Limits;
use model::place::PlaceKind;

/// The default parameters at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceSettings {
    pub id: PlaceId,
    pub kind: PlaceKind,
    pub name: String,
    /// The places above it, from the site downwards.
    pub above: Vec<(PlaceId, String)>,
    pub own: DefaultValues,
    /// The value that applies, and the place where it is set, in the order of [`DefaultKind::ALL`].
    pub effective: [Option<(u32, String)>; DefaultKind::ALL.len()],
    /// The price plan that applies, and the place to which it was assigned.
    pub plan: Option<(String, String)>,
    pub meters: MeterCounts,
    /// What meters are told where all values are known.
    pub limits: Option<Limits>,
    /// The places directly below it; rooms only where they have values of their own.
    pub below: Vec<PlaceLine>,
    /// The site's interval of readings; `None`: the configuration's.
    pub interval: Option<SweepInterval>,
}

/// A place below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceLine {
    pub id: PlaceId,
    pub name: String,
    pub own: DefaultValues,
    pub effective: DefaultValues,
    pub meters: MeterCounts,
}

/// Meters below a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeterCounts {
    /// With a wallet in the meter, which the values are issued to.
    pub meters: usize,
    /// Of these, those whose limits were last read otherwise than the defaults that apply to them.
    pub differing: usize,
    /// Of the differing ones, those that have the values of this very place.
    pub issued_here: usize,
    /// Of these, those whose limits were never read.
    pub unread: usize,
    /// With a server wallet, whose limits are set on the page of the room.
    pub server_wallets: usize,
}

#[async_trait]
pub trait SettingsPort: Send + Sync {
    /// The settings of a place; of the site where none is named. `None` where the site has no places yet.
    async fn settings(&self, who: &Who, place: Option<PlaceId>) -> Result<Option<PlaceSettings>, AppError>;
    /// Sets a place's own default parameters.
    async fn set_defaults(&self, who: &Who, place: PlaceId, values: &DefaultValues) -> Result<(), AppError>;
    async fn rename_site(&self, who: &Who, name: &str) -> Result<(), AppError>;
}

/// The page of a place.
fn page(place: &str) -> String {
    link::with("/settings", "place", place)
}

/// Sets a place's own default parameters; an empty field is inherited.
#[server(name = SetDefaults, prefix = "/api", endpoint = "operator/settings/defaults")]
pub async fn set_defaults(
    place: String,
    alarm1: String,
    alarm2: String,
    overdraft: String,
    hoarding: String,
    overload_w: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let fields = [alarm1, alarm2, overdraft, hoarding, overload_w];
        let read = |(kind, text): (DefaultKind, &String)| at(kind.as_str(), kind.read(text).map_err(|_| AppError::Invalid));
        let values: DefaultValues = DefaultKind::ALL.into_iter().zip(&fields).map(read).collect::<Result<_, _>>()?;
        ports.settings.set_defaults(&who, parse(&place)?, &values).await
    };
    answer(done.await.map(|()| page(&place)), &page(&place))
}

/// Gives the site another name.
#[server(name = RenameSite, prefix = "/api", endpoint = "operator/settings/site")]
pub async fn rename_site(name: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = ports.settings.rename_site(&who, name.trim()).await;
    answer(done.map(|()| "/settings".to_owned()), "/settings")
}
