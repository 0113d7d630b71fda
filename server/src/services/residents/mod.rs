//! The resident's pages and forms. Each call begins by finding the one room that is theirs.

mod cashier;
mod orders;
mod price;
mod sign_in;
mod switch;
mod views;

use app::api::resident::{
    Cashier, CashierView, CommandView, Home, Me, OrderView, PastAccount, Records, ResidentPort, SignInState, SwitchOffer,
    TopUpOffer, Usage,
};
use app::ports::{Visit, Who};
use async_trait::async_trait;
use model::console::ClosingKind;
use model::error::AppError;
use model::forecast::{Forecast, energy_bought};
use model::ids::{CommandId, OrderId, UserId, Uuid};
use model::meter::Latest;
use model::money::Fen;
use model::order::Tender;
use model::time::{Date, Timestamp};

use domain::forecast::{RECORDED_DAYS, UsePattern};

use self::price::SitePrice;
use super::Context;
use payments::Payments;
use store::rooms::{self, Room};
use store::{cases, energy, order_lists, wallets};

pub struct ResidentService {
    context: Context,
    payments: Payments,
    site_price: SitePrice,
}

impl ResidentService {
    #[must_use]
    pub fn new(context: Context, payments: Payments) -> Self {
        Self { context, payments, site_price: SitePrice::default() }
    }

    async fn room(&self, who: &Who) -> Result<Room, AppError> {
        rooms::of_resident(&self.context.db, who.user).await?.ok_or(AppError::AccountNotOpen)
    }

    fn latest(&self, room: &Room) -> Latest {
        self.context.latest(room.meter_id)
    }

    /// What the meter of a resident's room holds, where that may be used up before morning.
    pub async fn empty_tonight(&self, user: UserId) -> store::Result<Option<Fen>> {
        let Some(room) = rooms::of_resident(&self.context.db, user).await? else { return Ok(None) };
        let (now, latest) = (self.context.now(), self.latest(&room));
        if latest.observed_at.is_none() || latest.lost_since.is_some() {
            return Ok(None);
        }
        let forecast = self.forecast(&room, latest.remaining, now).await?;
        Ok(forecast.filter(|forecast| forecast.tonight).map(|_| latest.remaining))
    }

    /// How long the credit lasts, by what was used since the account is theirs.
    async fn forecast(&self, room: &Room, remaining: Fen, now: Timestamp) -> store::Result<Option<Forecast>> {
        let Some(credit) = energy_bought(remaining, self.price(room.meter_id, now).await?) else { return Ok(None) };
        let from = now.date().plus(-RECORDED_DAYS).max(room.from_at.date());
        let recorded = energy::totals(&self.context.db, room.meter_id, from, now.date()).await?;
        Ok(UsePattern::learn(&recorded, now.date()).and_then(|pattern| pattern.lasts(credit, now)))
    }
}

#[async_trait]
impl ResidentPort for ResidentService {
    async fn home(&self, who: &Who) -> Result<Home, AppError> {
        let room = self.room(who).await?;
        let (now, latest) = (self.context.now(), self.latest(&room));
        let today = now.date();
        let week = today.plus(-7);
        let recorded = energy::days(&self.context.db, room.meter_id, week, today).await?;
        let off_since = match latest.observed_at {
            Some(_) if !latest.status.relay_closed() => rooms::off_since(&self.context.db, room.meter_id).await?,
            _ => None,
        };
        let coming = rooms::coming(&self.context.db, room.account_id).await?;
        let records = order_lists::of_account(&self.context.db, room.account_id, 3, 0).await?;
        Ok(Home {
            forecast: self.forecast(&room, latest.remaining, now).await?,
            off_since,
            days: views::days(&recorded, week, today),
            coming: coming.as_ref().map(views::record).transpose()?,
            switching: rooms::switching(&self.context.db, room.meter_id).await?,
            records: records.iter().map(views::record).collect::<Result<_, _>>()?,
            room: views::room(&room, latest, cases::shows_foreign_account(&self.context.db, room.meter_id).await?),
        })
    }

    async fn usage(&self, who: &Who, day: Option<Date>) -> Result<Usage, AppError> {
        let room = self.room(who).await?;
        let today = self.context.now().date();
        let first = today.plus(-29);
        let recorded = energy::days(&self.context.db, room.meter_id, first, today).await?;
        let day = day.filter(|&day| day >= first && day <= today).unwrap_or(today);
        let hours = energy::hourly(&self.context.db, room.meter_id, day).await?;
        let mut days = views::days(&recorded, first, today);
        views::price(&mut days, &wallets::day_charges(&self.context.db, room.account_id, room.meter_id, first).await?);
        Ok(Usage { days, day, hours: views::hours(&hours) })
    }

    async fn top_up_offer(&self, who: &Who) -> Result<TopUpOffer, AppError> {
        self.top_up_offer(who).await
    }

    async fn top_up(&self, who: &Who, key: Uuid, amount: Fen, tender: Tender) -> Result<OrderId, AppError> {
        self.top_up(who, key, amount, tender).await
    }

    async fn pay(&self, who: &Who, order: OrderId, visit: &Visit) -> Result<Cashier, AppError> {
        self.pay(who, order, visit).await
    }

    async fn change_channel(&self, who: &Who, order: OrderId, tender: Tender) -> Result<OrderId, AppError> {
        self.change_channel(who, order, tender).await
    }

    async fn cashier(&self, who: &Who, order: OrderId, visit: &Visit) -> Result<CashierView, AppError> {
        self.cashier(who, order, visit).await
    }

    async fn signed_in(&self, who: &Who, visit: &Visit, state: &SignInState, code: &str) -> Result<OrderId, AppError> {
        self.signed_in(who, visit, state, code).await
    }

    async fn returned(&self, who: &Who, out_trade_no: &str) -> Result<OrderId, AppError> {
        self.returned(who, out_trade_no).await
    }

    async fn order(&self, who: &Who, order: OrderId) -> Result<OrderView, AppError> {
        self.order(who, order).await
    }

    async fn switch_offer(&self, who: &Who) -> Result<SwitchOffer, AppError> {
        self.switch_offer(who).await
    }

    async fn switch(&self, who: &Who, key: Uuid, on: bool) -> Result<CommandId, AppError> {
        self.switch(who, key, on).await
    }

    async fn command(&self, who: &Who, command: CommandId) -> Result<CommandView, AppError> {
        self.command(who, command).await
    }

    async fn records(&self, who: &Who, page: u32) -> Result<Records, AppError> {
        const PAGE: i64 = 20;
        let room = self.room(who).await?;
        let page = page.max(1);
        let offset = i64::from(page - 1) * PAGE;
        let orders = order_lists::of_account(&self.context.db, room.account_id, PAGE + 1, offset).await?;
        let more = i64::try_from(orders.len()).unwrap_or(0) > PAGE;
        let records = orders.iter().take(20).map(views::record).collect::<Result<_, _>>()?;
        Ok(Records { records, page, more })
    }

    async fn past_account(&self, who: &Who) -> Result<Option<PastAccount>, AppError> {
        let past = rooms::past(&self.context.db, who.user).await?;
        Ok(past.filter(|past| past.kind.is_some()).map(|past| PastAccount {
            room: past.place,
            account: past.number,
            closed_at: past.closed_at,
            replacing: past.closed_at.is_none() && past.kind == Some(ClosingKind::Replace),
            left: past.read_at.map(|_| (past.left_fen, past.ended_at.is_some())),
        }))
    }

    async fn me(&self, who: &Who) -> Result<Me, AppError> {
        let login = rooms::login(&self.context.db, who.user).await?.ok_or(AppError::NotFound)?;
        let room = rooms::of_resident(&self.context.db, who.user).await?;
        let since = room.as_ref().map(|room| room.from_at);
        let room = room.map(|room| views::room(&room, self.latest(&room), false));
        Ok(Me { login, room, since })
    }
}
