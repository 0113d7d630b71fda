//! Paying for another room: the payer names the room and one of its residents, and sees nothing else of it.

use app::api::other_rooms::{OtherRoomOffer, OtherRoomsPort};
use app::api::resident::PayOffer;
use async_trait::async_trait;
use model::error::AppError;
use model::ids::{OrderId, Uuid};
use model::money::Fen;
use model::order::Tender;
use model::person::{Who, masked_name};
use model::site_option::SiteOption;
use model::time::{MINUTE, Timestamp};

use super::ResidentService;
use super::signed::Claim;
use ::residents::other_rooms::{self, PayableRoom};
use domain::other_room::{comparable, only};
use domain::top_up::amounts;
use estate::site_options;
use store::orders::NewOrder;

/// How long the payer may take from the name to the order.
const VALID: i64 = 30 * MINUTE;

impl ResidentService {
    /// Refused with [`AppError::NotFound`] where the site does not allow it.
    async fn require_other_rooms(&self) -> Result<(), AppError> {
        if self.pays_for_others().await? { Ok(()) } else { Err(AppError::NotFound) }
    }

    /// The room of the payer's ticket; [`AppError::LinkEnded`] for anybody else's, and after it has expired.
    async fn named_room(&self, who: &Who, ticket: &str) -> Result<PayableRoom, AppError> {
        self.require_other_rooms().await?;
        let claim = Claim::read(ticket).ok_or(AppError::LinkEnded)?;
        let room = other_rooms::of_resident(&self.context.db, claim.user).await?.ok_or(AppError::LinkEnded)?;
        let bound = [who.user.0.as_bytes().as_slice(), room.account_id.0.as_bytes().as_slice()];
        if self.other_rooms.is_genuine(&claim, self.context.now(), &bound) { Ok(room) } else { Err(AppError::LinkEnded) }
    }

    /// The form of a payment whose amounts tell nothing about the room.
    pub(super) fn usual_offer(&self) -> PayOffer {
        let limits = self.payments.limits();
        let limits = (Fen(limits.min_fen), Fen(limits.max_fen));
        self.pay_offer(limits, amounts(&[], None, limits))
    }
}

#[async_trait]
impl OtherRoomsPort for ResidentService {
    async fn pays_for_others(&self) -> Result<bool, AppError> {
        Ok(site_options::is_on(&self.context.db, SiteOption::PayForOthers).await?)
    }

    async fn find_room(&self, who: &Who, room: &str, resident: &str) -> Result<String, AppError> {
        self.require_other_rooms().await?;
        let now: Timestamp = self.context.now();
        self.room(who).await?;
        let taken = self.name_checks.take(Some(who.user), &who.ip, now);
        taken.inspect_err(|error| tracing::warn!(user = %who.user, error = error.code(), "security.other_room"))?;
        let rooms = other_rooms::named(&self.context.db, &comparable(room)).await?;
        let Some(found) = only(&rooms, resident, |room| (room.account_id, &*room.resident)) else {
            tracing::info!(user = %who.user, "security.other_room_not_named");
            return Err(AppError::NotFound);
        };
        let bound = [who.user.0.as_bytes().as_slice(), found.account_id.0.as_bytes().as_slice()];
        self.other_rooms.sign(found.resident_id, now.plus(VALID), &bound).ok_or(AppError::Internal)
    }

    async fn other_room(&self, who: &Who, ticket: &str) -> Result<OtherRoomOffer, AppError> {
        let room = self.named_room(who, ticket).await?;
        let is_own = self.room(who).await?.account_id == room.account_id;
        Ok(OtherRoomOffer { place: room.place, resident: masked_name(&room.resident), is_own, pay: self.usual_offer() })
    }

    async fn top_up_other(
        &self,
        who: &Who,
        ticket: &str,
        key: Uuid,
        (amount, tender): (Fen, Tender),
    ) -> Result<OrderId, AppError> {
        if let Some(made) = self.made_with(who.user, key, (amount, tender)).await? {
            return Ok(made);
        }
        let room = self.named_room(who, ticket).await?;
        self.other_orders.take(Some(who.user), &who.ip, self.context.now())?;
        let (account, meter) = (room.account_id, room.meter_id);
        let new = NewOrder { key, account, meter, tender, amount, by: who.user, ip: who.ip.clone() };
        Ok(self.payments.create_order(&new).await?.id)
    }
}
