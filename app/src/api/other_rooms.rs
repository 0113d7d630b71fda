//! Paying for another room, whose room and resident the payer names.

use async_trait::async_trait;
use leptos::prelude::*;

use super::resident::{PayOffer, to_cashier, top_up_fields};
use super::{ApiError, answer};
use crate::i18n::{lang, pay};
use crate::link;
use crate::ports::{Who, ports, reply, resident};
use model::error::AppError;
use model::ids::{OrderId, Uuid};
use model::money::Fen;
use model::order::Tender;

/// Characters of a room or name, at most.
const LONGEST: usize = 120;

/// A room that the payer has named, and how it can be paid for. Nothing in it depends on what the room has or uses.
#[derive(Clone, Debug)]
pub struct OtherRoomOffer {
    /// From the building inwards.
    pub place: String,
    /// The masked name of the resident.
    pub resident: String,
    /// It is the payer's own.
    pub is_own: bool,
    pub pay: PayOffer,
}

/// Every method refuses with [`AppError::NotFound`] where the site does not allow it.
#[async_trait]
pub trait OtherRoomsPort: Send + Sync {
    /// Whether the site allows it.
    async fn pays_for_others(&self) -> Result<bool, AppError>;
    /// Finds the room of a resident by both names; returns a ticket, valid for some time, with which the payer goes on. Names
    /// that do not belong together are [`AppError::NotFound`] too, and attempts are limited by person and address.
    async fn find_room(&self, who: &Who, room: &str, resident: &str) -> Result<String, AppError>;
    /// The room that was found; [`AppError::LinkEnded`] after the ticket has expired.
    async fn other_room(&self, who: &Who, ticket: &str) -> Result<OtherRoomOffer, AppError>;
    /// Creates an order for the room that was found; the same key gives the same order.
    async fn top_up_other(&self, who: &Who, ticket: &str, key: Uuid, paid: (Fen, Tender)) -> Result<OrderId, AppError>;
}

const PAGE: &str = "/topup/other";

/// The page of the room that was found.
fn page(ticket: &str) -> String {
    link::with(PAGE, "room", ticket)
}

/// The room that the payer has named, or `None` if the payer has not named one yet or the ticket has expired.
pub async fn other_room(ticket: Option<String>) -> Result<Option<(String, OtherRoomOffer)>, AppError> {
    let (ports, who) = (ports()?, resident()?);
    if !ports.other_rooms.pays_for_others().await? {
        return Err(AppError::NotFound);
    }
    let Some(ticket) = ticket else { return Ok(None) };
    match ports.other_rooms.other_room(&who, &ticket).await {
        Ok(offer) => Ok(Some((ticket, offer))),
        Err(AppError::LinkEnded) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Finds the room that is to be paid for.
#[server(name = FindRoom, prefix = "/api", endpoint = "resident/find-room")]
pub async fn find_room(room: String, resident_name: String) -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, resident()?);
    let found = async {
        let is_short = |text: &str| text.chars().count() <= LONGEST;
        if !ports.other_rooms.pays_for_others().await? {
            return Err(AppError::NotFound);
        }
        if !is_short(&room) || !is_short(&resident_name) {
            return Err(AppError::Invalid);
        }
        ports.other_rooms.find_room(&who, &room, &resident_name).await.map_err(|error| match error {
            AppError::NotFound => {
                reply.wrong_field("resident_name", Some(pay::texts(lang()).not_found.to_owned()));
                AppError::Invalid
            }
            error => error,
        })
    };
    answer(found.await.map(|ticket| page(&ticket)), PAGE)
}

/// Creates an order for the room that was found and redirects to the cashier.
#[server(name = TopUpOther, prefix = "/api", endpoint = "resident/top-up-other")]
pub async fn top_up_other(
    room: String,
    key: Uuid,
    amount: Option<String>,
    own: Option<String>,
    channel: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let ordered = match top_up_fields(amount.as_deref(), own.as_deref(), &channel) {
        Ok(paid) => ports.other_rooms.top_up_other(&who, &room, key, paid).await,
        Err(error) => Err(error),
    };
    match ordered {
        Ok(order) => to_cashier(order).await,
        Err(AppError::LinkEnded) => answer(Err(AppError::LinkEnded), PAGE),
        Err(error) => answer(Err(error), &page(&room.chars().take(LONGEST).collect::<String>())),
    }
}
