//! Friendly hours and emergency credit of a room, for its residents and for operators at the counter.

use app::api::resident::KeptOn;
use model::error::AppError;
use model::friendly::{EmergencyCredit, FriendlyHours};
use model::ids::{AccountId, MeterId};
use model::meter::SupplyState;
use model::money::Fen;
use model::person::Who;
use model::time::Timestamp;

use super::Context;
use domain::friendly_hours::{Calendar, Shanghai, friendly_until};
use domain::friendly_limit::least_top_up;
use estate::{defaults, friendly_hours, friendly_limits};
use store::emergency_credits::{self, NewEmergencyCredit, TakenCredit};
use store::{StoreError, wallets};

/// What applies to the room of a meter.
async fn hours(context: &Context, meter: MeterId) -> Result<Option<FriendlyHours>, StoreError> {
    let Some(place) = defaults::room_of(&context.db, meter).await? else { return Ok(None) };
    let tree = friendly_hours::tree_of(&context.db, place).await?;
    Ok(tree.nearest(place).map(|(hours, _)| hours.clone()))
}

/// What keeps a room on whose credit is used up, by what its meter holds: friendly hours, else emergency credit that was taken.
pub async fn kept_on(
    context: &Context,
    meter: MeterId,
    emergency: EmergencyCredit,
    remaining: Fen,
) -> Result<Option<KeptOn>, StoreError> {
    let own = own_limit(context, meter).await?.unwrap_or(Fen::ZERO);
    let emergency = match emergency {
        EmergencyCredit::Outstanding { amount, .. } => amount,
        _ => Fen::ZERO,
    };
    let left = Fen(own.0 + emergency.0 + remaining.0);
    // As long as they last, what is left of the emergency credit does not say when the power goes off.
    let limit = if wallets::is_server_wallet(&context.db, meter).await? {
        (emergency > Fen::ZERO || left <= Fen::ZERO).then_some(None)
    } else {
        let raised = friendly_limits::keeping_on(&context.db, meter, remaining).await?;
        raised.filter(|limit| limit.0 > own.0 + emergency.0).map(Some)
    };
    if let Some(limit) = limit
        && let Some(until) = until(context, meter).await?
    {
        return Ok(Some(KeptOn::FriendlyHours { until, limit }));
    }
    Ok((emergency > Fen::ZERO && left > Fen::ZERO).then_some(KeptOn::EmergencyCredit(left)))
}

/// How far below zero a meter may go without friendly hours and emergency credit; `None` if it takes no limit or was never read.
async fn own_limit(context: &Context, meter: MeterId) -> Result<Option<Fen>, StoreError> {
    if wallets::is_server_wallet(&context.db, meter).await? {
        return Ok(Some(wallets::view(&context.db, meter).await?.map_or(Fen::ZERO, |wallet| wallet.overdraft_fen)));
    }
    Ok(defaults::limits_of(&context.db, meter).await?.map(|limits| Fen(limits.overdraft.into())))
}

/// Until when the room of a meter has friendly hours.
async fn until(context: &Context, meter: MeterId) -> Result<Option<Timestamp>, StoreError> {
    let Some(hours) = hours(context, meter).await? else { return Ok(None) };
    let (now, days) = (context.now(), friendly_hours::days_around(&context.db, context.now()).await?);
    Ok(friendly_until(Calendar { hours: &hours, days: &days }, now, &Shanghai))
}

/// Whether the account of a meter may take emergency credit.
pub async fn emergency(context: &Context, account: AccountId, meter: MeterId) -> Result<EmergencyCredit, AppError> {
    let (db, today) = (&context.db, context.now().date());
    let hours = hours(context, meter).await?.unwrap_or_default();
    let taken = emergency_credits::taken(db, account, hours.period.first_day(today)).await?;
    match taken {
        Some(TakenCredit { amount_fen: amount, taken_at, repaid_at: None }) => {
            return Ok(EmergencyCredit::Outstanding { amount, taken_at });
        }
        Some(_) => return Ok(EmergencyCredit::Used { next: hours.period.next_first_day(today) }),
        None => {}
    }
    let amount = hours.emergency;
    let Some(own) = own_limit(context, meter).await?.filter(|_| amount > Fen::ZERO) else {
        return Ok(EmergencyCredit::NotOffered);
    };
    let latest = context.latest(meter);
    let is_low = matches!(latest.state(), SupplyState::Alarm2 | SupplyState::Arrears) || latest.remaining <= Fen::ZERO;
    let is_known = latest.observed_at.is_some() && latest.status.account_open();
    Ok(match least_top_up(own, amount, latest.remaining) {
        _ if !is_low || !is_known => EmergencyCredit::NotYet { amount },
        Some(least) => EmergencyCredit::TooLittle { amount, least },
        None => EmergencyCredit::Offered { amount },
    })
}

/// Takes the emergency credit of an account. Taken twice at once it is one. The caller has checked that the account is the
/// resident's or the operator's to see.
pub async fn take_emergency(context: &Context, who: &Who, account: AccountId, meter: MeterId) -> Result<(), AppError> {
    let (db, rng, at) = (&context.db, &context.rng, context.now());
    let amount = match emergency(context, account, meter).await? {
        EmergencyCredit::Offered { amount } => amount,
        EmergencyCredit::Outstanding { .. } => return Ok(()),
        _ => return Err(AppError::Conflict),
    };
    let period = hours(context, meter).await?.unwrap_or_default().period;
    let (period_from, by, ip) = (period.first_day(at.date()), who.user, who.ip.as_str());
    let taken = emergency_credits::take(db, rng, at, &NewEmergencyCredit { account, meter, amount, period_from, by, ip }).await;
    if let Err(error) = taken.map_err(AppError::from) {
        // The same was tapped at the same time.
        let is_taken = matches!(emergency(context, account, meter).await?, EmergencyCredit::Outstanding { .. });
        return if error == AppError::Conflict && is_taken { Ok(()) } else { Err(error) };
    }
    friendly_limits::keep_meters(db, rng, at, Some(meter)).await?;
    context.gateway.wake();
    Ok(())
}
