//! Settings of the site, and the default parameters of meters by place.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::co2::Co2Factor;
use model::defaults::{DefaultKind, DefaultValues, DefaultsOf};
use model::error::AppError;
use model::ids::PlaceId;
use model::notification::Contact;
use model::parameters::Limits;
use model::place::PlaceKind;
use model::site_option::SiteOption;

/// The default parameters of a place or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceSettings {
    pub of: DefaultsOf,
    /// `None` for a group.
    pub kind: Option<PlaceKind>,
    pub name: String,
    /// The places above it, from the site downwards.
    pub above: Vec<(PlaceId, String)>,
    pub own: DefaultValues,
    /// The value that applies, and for what it is set and the name of that, in the order of [`DefaultKind::ALL`]. In a group
    /// only what it sets itself: the rest depends on the place.
    pub effective: [Option<(u32, DefaultsOf, String)>; DefaultKind::ALL.len()],
    /// The price plan that applies, with the place or group to which it was assigned, and the name of that. In a group its own.
    pub plan: Option<(String, DefaultsOf, String)>,
    pub meters: MeterCounts,
    /// The limits that meters here should have and were last read otherwise, with their number, the most first.
    pub to_issue: Vec<(Limits, usize)>,
    /// The places directly below it, or of the group; rooms of a place only where they have values of their own.
    pub below: Vec<PlaceLine>,
    /// The groups, on the page of the site.
    pub groups: Vec<PlaceLine>,
    /// The site's own factor; `None`: the national average.
    pub co2_factor: Option<Co2Factor>,
    /// Whether each is on.
    pub options: Vec<(SiteOption, bool)>,
    pub contact: ContactSettings,
}

/// The number that residents are told to call, and who signs text messages; empty where none is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactSettings {
    pub phone: String,
    pub signature: String,
    /// What applies where the fields are empty.
    pub inherited_phone: String,
    pub inherited_signature: String,
}

/// A place below, or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceLine {
    pub of: DefaultsOf,
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
    /// Of these, those for which a limit is set nowhere.
    pub undecided: usize,
    /// Of these, those whose limits were never read.
    pub unread: usize,
    /// With a server wallet, whose limits are set on the page of the room.
    pub server_wallets: usize,
}

#[async_trait]
pub trait SettingsPort: Send + Sync {
    /// The settings of a place or group; of the site where none is named. `None` where the site has no places yet.
    async fn settings(&self, who: &Who, of: Option<DefaultsOf>) -> Result<Option<PlaceSettings>, AppError>;
    /// Sets a place's or group's own default parameters.
    async fn set_defaults(&self, who: &Who, of: DefaultsOf, values: &DefaultValues) -> Result<(), AppError>;
    /// Sets a place's or group's own contact number and signature.
    async fn set_contact(&self, who: &Who, of: DefaultsOf, contact: (Option<Contact>, Option<String>)) -> Result<(), AppError>;
    async fn rename_site(&self, who: &Who, name: &str) -> Result<(), AppError>;
    /// Sets how much carbon dioxide reports count per kWh; `None`: the national average.
    async fn set_co2_factor(&self, who: &Who, factor: Option<Co2Factor>) -> Result<(), AppError>;
    async fn set_option(&self, who: &Who, option: SiteOption, on: bool) -> Result<(), AppError>;
}

/// The page of a place or group.
fn page(of: &str) -> String {
    link::with("/settings", "of", of)
}

/// Sets a place's or group's own default parameters; an empty field is inherited.
#[server(name = SetDefaults, prefix = "/api", endpoint = "operator/settings/defaults")]
pub async fn set_defaults(
    of: String,
    alarm1: String,
    alarm2: String,
    overdraft: String,
    hoarding: String,
    overload_w: String,
    interval_s: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let fields = [alarm1, alarm2, overdraft, hoarding, overload_w, interval_s];
        let read = |(kind, text): (DefaultKind, &String)| at(kind.as_str(), kind.read(text).map_err(|_| AppError::Invalid));
        let values: DefaultValues = DefaultKind::ALL.into_iter().zip(&fields).map(read).collect::<Result<_, _>>()?;
        ports.settings.set_defaults(&who, parse(&of)?, &values).await
    };
    answer(done.await.map(|()| link::with(&page(&of), "done", "defaults")), &page(&of))
}

/// Sets a place's or group's own contact number and signature; an empty field is inherited.
#[server(name = SetContact, prefix = "/api", endpoint = "operator/settings/contact")]
pub async fn set_contact(of: String, contact: String, signature: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let phone = match contact.trim() {
            "" => None,
            text => Some(at("contact", text.parse::<Contact>().map_err(|_| AppError::Invalid))?),
        };
        let signature = match signature.trim() {
            "" => None,
            text => Some(at("signature", Contact::signature(text).ok_or(AppError::Invalid))?),
        };
        ports.settings.set_contact(&who, parse(&of)?, (phone, signature)).await
    };
    answer(done.await.map(|()| link::with(&page(&of), "done", "contact")), &page(&of))
}

/// Gives the site another name.
#[server(name = RenameSite, prefix = "/api", endpoint = "operator/settings/site")]
pub async fn rename_site(name: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = ports.settings.rename_site(&who, name.trim()).await;
    answer(done.map(|()| link::with("/settings", "done", "name")), "/settings")
}

/// Sets how much carbon dioxide reports count per kWh; an empty field is the national average.
#[server(name = SetCo2Factor, prefix = "/api", endpoint = "operator/settings/co2")]
pub async fn set_co2_factor(co2_factor: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let factor = match co2_factor.trim() {
            "" => None,
            text => Some(at("co2_factor", text.parse::<Co2Factor>())?),
        };
        ports.settings.set_co2_factor(&who, factor).await
    };
    answer(done.await.map(|()| link::with("/settings", "done", "co2")), "/settings")
}

/// Sets whether an option of the site is on.
#[server(name = SetSiteOption, prefix = "/api", endpoint = "operator/settings/option")]
pub async fn set_site_option(option: SiteOption, #[server(default)] on: Option<String>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = ports.settings.set_option(&who, option, on.is_some()).await;
    answer(done.map(|()| link::with("/settings?done=option", "option", option.as_str())), "/settings")
}
