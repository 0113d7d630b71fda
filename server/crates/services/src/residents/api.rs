//! What a resident's programs read: always of the one room that is theirs.

use model::error::AppError;
use model::ids::UserId;
use model::time::Date;
use serde_json::{Value, json};

use ::residents::rooms;
use app::api::resident::Used;
use app::ui::time::iso;
use people::top_ups;
use store::{energy, wallets};

use super::views;
use crate::Context;

/// Days of one answer.
pub const DAYS_MAX: i64 = 92;
/// Orders of one answer.
const PAGE: i64 = 50;

async fn room(context: &Context, user: UserId) -> Result<rooms::Room, AppError> {
    rooms::of_resident(&context.db, user).await?.ok_or(AppError::AccountNotOpen)
}

/// The balance and the power as the meter showed them last.
pub async fn balance(context: &Context, user: UserId) -> Result<Value, AppError> {
    let room = room(context, user).await?;
    let latest = context.latest(room.meter_id);
    let seen = latest.observed_at;
    Ok(json!({
        "room": format!("{} {}", room.place(), room.room).trim(),
        "account": room.number,
        "balance_yuan": seen.map(|_| latest.remaining.to_string()),
        "power_on": seen.map(|_| latest.status.relay_closed()),
        "power_w": latest.power_w,
        "read_at": seen.map(iso),
        "lost_since": latest.lost_since.map(iso),
    }))
}

/// Energy of each day, and for a wallet on the server what it cost. `from` and `until` are days of the answer.
pub async fn use_by_day(context: &Context, user: UserId, from: Option<Date>, until: Option<Date>) -> Result<Value, AppError> {
    let room = room(context, user).await?;
    let today = context.now().date();
    let until = until.unwrap_or(today).min(today);
    let from = from.unwrap_or_else(|| until.plus(-29));
    if from > until || until.0 - from.0 >= DAYS_MAX {
        return Err(AppError::Invalid);
    }
    // Not from before they moved in.
    let from = from.max(room.from_at.date());
    let recorded = energy::days(&context.db, room.meter_id, from, until).await?;
    let mut days = views::days(&recorded, from, until);
    views::price(&mut days, &wallets::day_charges(&context.db, room.account_id, room.meter_id, from).await?);
    let day = |used: &Used<Date>| {
        json!({
            "day": used.of.to_string(),
            "energy_kwh": used.energy.map(|energy| energy.to_string()),
            "cost_yuan": used.cost.map(|cost| cost.to_string()),
            "estimated": used.mark.estimated,
            "revised": used.mark.revised,
        })
    };
    Ok(json!({ "days": days.iter().map(day).collect::<Vec<_>>() }))
}

/// A page of the top-ups, the newest first; pages count from 1.
pub async fn records(context: &Context, user: UserId, page: u32) -> Result<Value, AppError> {
    let room = room(context, user).await?;
    let page = page.clamp(1, 10_000);
    let orders = top_ups::of_account(&context.db, room.account_id, PAGE + 1, i64::from(page - 1) * PAGE).await?;
    let more = i64::try_from(orders.len()).unwrap_or(0) > PAGE;
    let record = orders.iter().take(50).map(|order| {
        json!({
            "number": order.number.to_string(),
            "amount_yuan": order.amount.to_string(),
            "paid_with": order.tender.as_str(),
            "state": order.state.as_str(),
            "ordered_at": iso(order.created_at),
            "paid_at": order.paid_at.map(iso),
            "in_meter_at": order.credited_at.map(iso),
        })
    });
    Ok(json!({ "page": page, "more": more, "records": record.collect::<Vec<_>>() }))
}
