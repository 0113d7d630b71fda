//! The resident's pages and forms. Each call begins by finding the one room that is theirs.

pub mod api;
mod cashier;
mod orders;
mod other_rooms;
mod pay_links;
mod price;
mod reminders;
mod schedule;
mod sign_in;
mod signed;
mod switch;
mod usage;
mod views;

use std::sync::OnceLock;

use app::api::resident::{
    Cashier, CashierView, CommandView, Home, Me, OrderView, PastAccount, Records, ResidentPort, SignInState, SwitchOffer,
    TopUpOffer, Usage, UsageQuery, Used,
};
use app::ports::{Visit, Who};
use async_trait::async_trait;
use model::account_record::{AccountRecord, AccountRecordOf, AccountRecordQuery};
use model::console::{ClosingKind, DayCost};
use model::error::AppError;
use model::forecast::{Forecast, energy_bought};
use model::friendly::EmergencyCredit;
use model::ids::{AccountId, CommandId, OrderId, UserId, Uuid};
use model::meter::Latest;
use model::money::Fen;
use model::order::Tender;
use model::switch_schedule::SwitchTimes;
use model::time::{Date, Timestamp};

use domain::forecast::{RECORDED_DAYS, UsePattern};

use self::price::SitePrice;
use self::signed::Signer;
use super::{Context, friendly};
use crate::attempt_limits::AttemptLimits;
use ::residents::rooms::{self, Room};
use notify::contacts;
use payments::Payments;
use people::{month_cost, roommates};
use queries::AccountOfResident;
use store::{cases, energy};

pub struct ResidentService {
    context: Context,
    payments: Payments,
    site_price: SitePrice,
    /// Signs the ticket for a room that a payer has named.
    other_rooms: Signer,
    name_checks: AttemptLimits,
    other_orders: AttemptLimits,
    /// Signs the links of reminders.
    pay_links: Signer,
    link_orders: AttemptLimits,
}

/// The most in an hour, by one person and from one address: tried names of other rooms' residents, orders for other rooms, and
/// orders by the links of one resident. Refused orders count, because they tell how much fits into a meter. Orders by links count
/// as the room's own: they are fewer than [`max_pending`](domain::order::Limits::max_pending), so that it can still pay itself.
const NAME_CHECKS: (usize, usize) = (10, 60);
const OTHER_ORDERS: (usize, usize) = (5, 60);
const LINK_ORDERS: (usize, usize) = (5, 100);

/// Signs links where there is no audit key: they end with this process.
static LINKS: OnceLock<[u8; 32]> = OnceLock::new();

/// A room's balance and how long it lasts.
pub struct BalanceOutlook {
    pub room: String,
    /// `None` where the meter was never read.
    pub observed_at: Option<Timestamp>,
    pub balance: Option<Fen>,
    /// By the usual use, where that is known.
    pub days: Option<i64>,
}

impl ResidentService {
    #[must_use]
    pub fn new(context: Context, payments: Payments) -> Self {
        // Tickets live for half an hour, so a key of this service is enough. Links are also signed by another one.
        let key = context.db.derived_key("other rooms").unwrap_or_else(|| context.rng.bytes::<32>());
        let links = context.db.derived_key("top-up links").unwrap_or_else(|| *LINKS.get_or_init(|| context.rng.bytes::<32>()));
        Self {
            context,
            payments,
            site_price: SitePrice::default(),
            other_rooms: Signer::new(key),
            name_checks: AttemptLimits::new(NAME_CHECKS.0, NAME_CHECKS.1),
            other_orders: AttemptLimits::new(OTHER_ORDERS.0, OTHER_ORDERS.1),
            pay_links: Signer::new(links),
            link_orders: AttemptLimits::new(LINK_ORDERS.0, LINK_ORDERS.1),
        }
    }

    async fn room(&self, who: &Who) -> Result<Room, AppError> {
        rooms::of_resident(&self.context.db, who.user).await?.ok_or(AppError::AccountNotOpen)
    }

    fn latest(&self, room: &Room) -> Latest {
        self.context.latest(room.meter_id)
    }

    /// Balance and outlook of a resident's room, for the answer to a text message; `None` without a room.
    pub async fn outlook(&self, user: UserId) -> store::Result<Option<BalanceOutlook>> {
        let Some(room) = rooms::of_resident(&self.context.db, user).await? else { return Ok(None) };
        let latest = self.latest(&room);
        let forecast = self.forecast(&room, latest.remaining, self.context.now()).await?;
        Ok(Some(BalanceOutlook {
            room: format!("{} {}", room.place(), room.room).trim().to_owned(),
            observed_at: latest.observed_at,
            balance: latest.observed_at.map(|_| latest.remaining),
            days: forecast.filter(|_| latest.observed_at.is_some()).map(|forecast| forecast.days),
        }))
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

    /// Fills in the number to call. It is not stored with a message but added when the message is sent, so this is today's.
    async fn name_contact(&self, account: AccountId, records: &mut [AccountRecord]) -> Result<(), AppError> {
        if !records.iter().any(|record| matches!(record.of, AccountRecordOf::Message { .. })) {
            return Ok(());
        }
        let phone = contacts::of_account(&self.context.db, account).await?.phone.unwrap_or_default();
        for record in records {
            if let AccountRecordOf::Message { values, .. } = &mut record.of {
                values.contact.clone_from(&phone);
            }
        }
        Ok(())
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
        let recorded = energy::days(&self.context.db, room.meter_id, week.max(room.from_at.date()), today).await?;
        let off_since = match latest.observed_at {
            Some(_) if !latest.status.relay_closed() => rooms::off_since(&self.context.db, room.meter_id, room.from_at).await?,
            _ => None,
        };
        let coming = rooms::coming(&self.context.db, room.account_id).await?;
        let records = queries::money_records(&self.context.db, room.account_id, 3).await?;
        let emergency = friendly::emergency(&self.context, room.account_id, room.meter_id).await?;
        let is_used_up = latest.status.relay_closed() && latest.remaining <= Fen::ZERO;
        let kept_on =
            if is_used_up { friendly::kept_on(&self.context, room.meter_id, emergency, latest.remaining).await? } else { None };
        Ok(Home {
            kept_on,
            emergency,
            forecast: self.forecast(&room, latest.remaining, now).await?,
            off_since,
            days: views::days(&recorded, week, today),
            coming: coming.map(|order| (order.id, order.amount)),
            switching: rooms::switching(&self.context.db, room.meter_id).await?,
            records,
            room: views::room(&room, latest, cases::shows_foreign_account(&self.context.db, room.meter_id).await?),
        })
    }

    async fn usage(&self, who: &Who, query: UsageQuery) -> Result<Usage, AppError> {
        self.usage(who, query).await
    }

    async fn used_days(&self, who: &Who, query: UsageQuery) -> Result<Vec<Used<Date>>, AppError> {
        let room = self.room(who).await?;
        Ok(self.days(&room, self.period(query)).await?)
    }

    async fn day_cost(&self, who: &Who, day: Date) -> Result<DayCost, AppError> {
        self.day_cost(who, day).await
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

    async fn add_schedule(&self, who: &Who, id: Uuid, times: SwitchTimes) -> Result<(), AppError> {
        self.add_schedule(who, id, times).await
    }

    async fn remove_schedule(&self, who: &Who, id: Uuid) -> Result<(), AppError> {
        self.remove_schedule(who, id).await
    }

    async fn emergency_credit(&self, who: &Who) -> Result<EmergencyCredit, AppError> {
        let room = self.room(who).await?;
        friendly::emergency(&self.context, room.account_id, room.meter_id).await
    }

    async fn take_emergency_credit(&self, who: &Who) -> Result<(), AppError> {
        let room = self.room(who).await?;
        friendly::take_emergency(&self.context, who, room.account_id, room.meter_id).await
    }

    async fn command(&self, who: &Who, command: CommandId) -> Result<CommandView, AppError> {
        self.command(who, command).await
    }

    async fn records(&self, who: &Who, query: AccountRecordQuery) -> Result<Records, AppError> {
        let room = self.room(who).await?;
        let of = AccountOfResident { account: room.account_id, resident: who.user, since: room.from_at };
        let mut records = queries::account_records(&self.context.db, &of, &query).await?;
        let page = usize::try_from(AccountRecordQuery::SIZE).unwrap_or(usize::MAX);
        let more = records.len() > page;
        records.truncate(page);
        self.name_contact(room.account_id, &mut records).await?;
        Ok(Records { records, more })
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
        let Some(room) = room else { return Ok(Me { login, ..Me::default() }) };
        let (db, account) = (&self.context.db, room.account_id);
        let meters = month_cost::serials(db, account).await?;
        let residents = roommates::of_account(db, account, self.context.now()).await?;
        Ok(Me {
            login,
            since: Some(room.from_at),
            opened_at: roommates::opened_at(db, account).await?,
            meters,
            residents: residents.into_iter().filter(|one| one.to_at.is_none()).map(|one| one.name).collect(),
            room: Some(views::room(&room, self.latest(&room), false)),
        })
    }
}
