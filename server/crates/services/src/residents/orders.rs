//! Top-ups and their progress.

use app::api::resident::{OrderView, PayOffer, RefundView, TopUpOffer};
use model::account_record::OtherRoom;
use model::command::CommandReason;
use model::energy::Energy;
use model::error::AppError;
use model::ids::{OrderId, UserId, Uuid};
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::person::{Who, masked_name};
use model::refund::RefundState;
use model::site_option::SiteOption;

use super::{ResidentService, views};
use ::residents::rooms::{self, Room};
use ::residents::{other_rooms, top_ups};
use domain::top_up::{Amounts, amounts, month_cost};
use estate::site_options;
use store::order_lists::{self, Progress};
use store::orders::{self, NewOrder};
use store::payments::{self, Attempt, AttemptState};
use store::refunds::{self, Refund};
use store::{cases, energy, wallets};

impl ResidentService {
    pub(super) async fn top_up_offer(&self, who: &Who) -> Result<TopUpOffer, AppError> {
        let room = self.room(who).await?;
        let latest = self.latest(&room);
        let limits = self.payments.limits();
        // Paid orders that are not delivered count too; the store checks again when it creates the order.
        let coming = rooms::coming_sum(&self.context.db, room.meter_id).await?;
        let mut max = Fen(limits.max_fen);
        if limits.hoarding_fen > 0 {
            max = max.min(Fen(limits.hoarding_fen) - latest.remaining - coming);
        }
        let min = Fen(limits.min_fen);
        Ok(TopUpOffer {
            pay: self.pay_offer((min, max), self.amounts(&room, (min, max)).await?),
            pays_for_others: site_options::is_on(&self.context.db, SiteOption::PayForOthers).await?,
            room: views::room(&room, latest, cases::shows_foreign_account(&self.context.db, room.meter_id).await?),
        })
    }

    /// The form of a payment with these amounts and all channels.
    pub(super) fn pay_offer(&self, (min, max): (Fen, Fen), amounts: Amounts) -> PayOffer {
        let Amounts { offered, likely } = amounts;
        let channels = self.payments.tenders();
        let works_in_wechat = channels.iter().any(|channel| self.inside(*channel).is_some());
        PayOffer { key: self.context.form_key(), min, max, amounts: offered, likely, channels, works_in_wechat }
    }

    /// What this room's residents are likely to want, by their last purchases and what a month costs.
    async fn amounts(&self, room: &Room, limits: (Fen, Fen)) -> Result<Amounts, AppError> {
        let (db, now) = (&self.context.db, self.context.now());
        let bought = top_ups::bought(db, room.account_id, room.from_at).await?;
        let from = now.date().plus(-30).max(room.from_at.date().plus(1));
        let days = energy::totals(db, room.meter_id, from, now.date()).await?;
        let days: Vec<Energy> = days.into_iter().map(|(_, energy)| energy).collect();
        let month = self.price(room.meter_id, now).await?.and_then(|price| month_cost(&days, price));
        Ok(amounts(&bought, month, limits))
    }

    /// The order that this form has made already, whatever has become since of its account, its channel or its link.
    pub(super) async fn made_with(&self, by: UserId, key: Uuid, paid: (Fen, Tender)) -> Result<Option<OrderId>, AppError> {
        match orders::made_with(&self.context.db, by, key).await? {
            Some(order) if (order.amount, order.tender) != paid => Err(AppError::Conflict),
            order => Ok(order.map(|order| order.id)),
        }
    }

    pub(super) async fn top_up(&self, who: &Who, key: Uuid, amount: Fen, tender: Tender) -> Result<OrderId, AppError> {
        if let Some(made) = self.made_with(who.user, key, (amount, tender)).await? {
            return Ok(made);
        }
        let room = self.room(who).await?;
        let new =
            NewOrder { key, account: room.account_id, meter: room.meter_id, tender, amount, by: who.user, ip: who.ip.clone() };
        Ok(self.payments.create_order(&new).await?.id)
    }

    /// The same choice for the same order gives the same new order, however often it is sent.
    pub(super) async fn change_channel(&self, who: &Who, id: OrderId, tender: Tender) -> Result<OrderId, AppError> {
        let SeenOrder { progress, room, .. } = self.payable(who, id).await?;
        let (order, key) = (&progress.order, key_of_choice(id, tender));
        if let Some(made) = self.made_with(who.user, key, (order.amount, tender)).await? {
            return Ok(made);
        }
        if order.state != OrderState::Pending || progress.held {
            return Err(AppError::OrderClosed);
        }
        if !self.payments.tenders().contains(&tender) || tender == order.tender {
            return Err(AppError::ChannelUnavailable);
        }
        let new = NewOrder {
            key,
            account: order.account_id,
            meter: room.map_or(order.meter_id, |room| room.meter_id),
            tender,
            amount: order.amount,
            by: who.user,
            ip: who.ip.clone(),
        };
        Ok(self.payments.replace_order(&new, id).await?.id)
    }

    pub(super) async fn order(&self, who: &Who, id: OrderId) -> Result<OrderView, AppError> {
        let SeenOrder { progress, room, other_room } = self.seen(who, id).await?;
        let order = &progress.order;
        let state = order.state;
        if state == OrderState::Pending {
            // The payer is waiting: query the channel before its turn.
            self.payments.request_query(id).await;
        }
        // The payer of another room sees what becomes of the money, and nothing of the room.
        let latest = room.as_ref().map(|room| self.latest(room));
        let on_ledger = match &room {
            Some(room) => wallets::is_server_wallet(&self.context.db, room.meter_id).await?,
            None => false,
        };
        Ok(OrderView {
            id,
            number: order.number,
            amount: order.amount,
            tender: order.tender,
            state,
            created_at: order.created_at,
            expires_at: progress.expires_at,
            paid_at: order.paid_at,
            sent_at: progress.sent_at,
            attempts: progress.command_attempts.unwrap_or(0),
            next_at: progress.next_at,
            credited_at: order.credited_at,
            count: order.count.filter(|_| room.is_some()),
            remaining: order.remaining.filter(|_| room.is_some()),
            lost_since: latest.as_ref().and_then(|latest| latest.lost_since),
            full: room.is_some() && progress.reason == Some(CommandReason::HoardingLimit),
            held: state == OrderState::Pending && progress.held,
            other_channels: if state == OrderState::Pending && !progress.held && !is_of_others(other_room.as_ref()) {
                self.payments.tenders().into_iter().filter(|tender| *tender != order.tender).collect()
            } else {
                Vec::new()
            },
            trade_no: paying_trade(payments::attempts_of(&self.context.db, id).await?),
            refunds: self.refund_views(id).await?,
            corrections: queries::sale_corrections(&self.context.db, id).await?,
            power: latest.filter(|_| on_ledger).map(|latest| views::power(&latest)),
            other_room,
            now: self.context.now(),
        })
    }

    /// Refunds by this server and at the channel's console.
    async fn refund_views(&self, order: OrderId) -> Result<Vec<RefundView>, AppError> {
        let ours = refunds::of_order(&self.context.db, order).await?;
        let console_refund = refunds::gone_elsewhere(&self.context.db, order).await?;
        let gone = |(amount, tender, at)| RefundView { amount, tender, at, done_at: Some(at), by_person: false, held_up: false };
        let held_up = refunds::held_up_of(&self.context.db, order).await?;
        let ours =
            ours.iter().filter_map(|refund| Some(RefundView { held_up: held_up.contains(&refund.id), ..refund_view(refund)? }));
        let mut all: Vec<RefundView> = ours.chain(console_refund.into_iter().map(gone)).collect();
        all.sort_by_key(|refund| refund.at);
        Ok(all)
    }

    /// The order, if it is of their room's account or they made it for another room; any other is [`AppError::NotFound`].
    pub(super) async fn seen(&self, who: &Who, order: OrderId) -> Result<SeenOrder, AppError> {
        let db = &self.context.db;
        let room = rooms::of_resident(db, who.user).await?;
        let unknown = if room.is_some() { AppError::NotFound } else { AppError::AccountNotOpen };
        let progress = order_lists::progress(db, order).await?.ok_or(unknown)?;
        let room = room.filter(|room| room.account_id == progress.order.account_id);
        let other_room = match &room {
            Some(_) => other_rooms::paid_by(db, order).await?.map(|name| OtherRoom::PaidBy(masked_name(&name))),
            None => Some(OtherRoom::PaidFor(other_rooms::paid_for(db, who.user, order).await?.ok_or(unknown)?)),
        };
        Ok(SeenOrder { progress, room, other_room })
    }

    /// The order, if they may pay it. They only see an order that somebody of another room made for theirs.
    pub(super) async fn payable(&self, who: &Who, order: OrderId) -> Result<SeenOrder, AppError> {
        let seen = self.seen(who, order).await?;
        if is_of_others(seen.other_room.as_ref()) { Err(AppError::NotFound) } else { Ok(seen) }
    }
}

const fn is_of_others(other_room: Option<&OtherRoom>) -> bool {
    matches!(other_room, Some(OtherRoom::PaidBy(_)))
}

/// An order that a resident may see.
pub(super) struct SeenOrder {
    pub progress: Progress,
    /// Their own room, if the order is for it.
    pub room: Option<Room>,
    other_room: Option<OtherRoom>,
}

/// The form key of an order that takes the place of another one: the same for the same choice, in each version of this program.
fn key_of_choice(order: OrderId, tender: Tender) -> Uuid {
    let choice = [b"another channel ".as_slice(), order.0.as_bytes(), tender.as_str().as_bytes()].concat();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &choice);
    Uuid::from_slice(digest.as_ref().get(..16).unwrap_or_default()).unwrap_or(order.0)
}

/// A refund for its payer. One that failed is left out, since another one or a person takes it up.
fn refund_view(refund: &Refund) -> Option<RefundView> {
    refund.state.is_reserved().then_some(RefundView {
        amount: refund.amount,
        tender: refund.tender,
        at: refund.asked_at,
        done_at: refund.settled_at,
        by_person: matches!(refund.state, RefundState::Waiting | RefundState::Payable),
        held_up: false,
    })
}

/// The channel's number of the attempt that paid the order; of the newest that has one, if none did.
fn paying_trade(attempts: Vec<Attempt>) -> Option<String> {
    let numbered = attempts.into_iter().rev().filter(|attempt| attempt.trade_no.is_some());
    // The first of the best: an order that was paid twice is the sale of one of its attempts.
    numbered.min_by_key(|attempt| attempt.state != AttemptState::Paid).and_then(|attempt| attempt.trade_no)
}

#[cfg(test)]
mod tests {
    use model::ids::AttemptId;
    use model::time::Timestamp;

    use super::*;

    #[test]
    fn the_number_of_the_paying_attempt_is_preferred() {
        let attempt = |state, trade_no: Option<&str>| Attempt {
            id: AttemptId(Uuid::nil()),
            order_id: OrderId(Uuid::nil()),
            channel: Tender::Alipay,
            out_trade_no: String::new(),
            amount: Fen(1),
            app_id: String::new(),
            seller_id: String::new(),
            state,
            created_at: Timestamp(0),
            expires_at: Timestamp(0),
            queries: 0,
            next_query_at: Timestamp(0),
            trade_no: trade_no.map(str::to_owned),
        };
        let paid = attempt(AttemptState::Paid, Some("paid"));
        let later = attempt(AttemptState::Held, Some("later"));
        assert_eq!(paying_trade(vec![paid.clone(), later.clone()]).as_deref(), Some("paid"));
        assert_eq!(paying_trade(vec![later.clone(), paid]).as_deref(), Some("paid"));
        assert_eq!(paying_trade(vec![later, attempt(AttemptState::Closed, None)]).as_deref(), Some("later"));
        assert_eq!(paying_trade(Vec::new()), None);
    }

    #[test]
    fn the_key_of_a_choice_does_not_depend_on_other_channels() {
        let order = |n| OrderId(Uuid::from_u128(n));
        let key = key_of_choice(order(1), Tender::WechatPay);
        assert_eq!(key.to_string(), "f2253560-bee1-a516-8764-bd7d32d6e665", "orders that were chosen before are found again");
        assert!(key != key_of_choice(order(1), Tender::UnionPay) && key != key_of_choice(order(2), Tender::WechatPay));
    }
}
