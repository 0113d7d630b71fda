//! Sentences with figures in them.

use super::*;
use crate::api::resident::{KeptOn, RefundView};
use crate::i18n::{Lang, common};
use model::forecast::Forecast;
use model::money::Fen;
use model::time::Timestamp;

/// How long the credit lasts.
#[must_use]
pub fn lasts(forecast: Forecast, lang: Lang) -> String {
    // Beyond two months a forecast says little.
    const LONG: i64 = 60;
    let Forecast { days, earliest, latest, over, tonight } = forecast;
    let basis = LastsBasis { count: over }.text(lang);
    match days {
        _ if tonight => LastsTonight { basis }.text(lang),
        ..=0 => LastsLessThanADay { basis }.text(lang),
        LONG.. => LastsLong { basis }.text(lang),
        _ if earliest == latest => LastsDays { count: days, basis }.text(lang),
        _ => LastsDaysInRange { count: days, earliest, latest, basis }.text(lang),
    }
}

/// The power is off since then; `why` is a clause.
#[must_use]
pub fn off_since(since: Option<Timestamp>, now: Timestamp, why: &str, lang: Lang) -> String {
    match since.map(|since| common::at(since, now, lang)) {
        Some(since) => OffSince { since, why }.text(lang),
        None => OffBecause { why }.text(lang),
    }
}

/// The credit is used up, and how much restores the power.
#[must_use]
pub fn used_up(amount: Fen, lang: Lang) -> String {
    UsedUp { amount: whole(amount) }.text(lang)
}

/// The credit is used up, and the power stays on for now.
#[must_use]
pub fn kept_on(kept_on: KeptOn, now: Timestamp, lang: Lang) -> String {
    let at = |at| common::at(at, now, lang);
    match kept_on {
        KeptOn::FriendlyHours { until, limit: Some(amount) } => OnUntilLimit { until: at(until), amount }.text(lang),
        KeptOn::FriendlyHours { until, limit: None } => OnUntil { until: at(until) }.text(lang),
        KeptOn::EmergencyCredit(amount) => OnByEmergencyCredit { amount }.text(lang),
    }
}

/// The meter does not answer since then, and what it means.
#[must_use]
pub fn lost(since: Timestamp, now: Timestamp, lang: Lang) -> String {
    LostSince { since: common::at(since, now, lang) }.text(lang)
}

/// The meter answers since then what cannot be read, and what it means.
#[must_use]
pub fn unreadable(since: Timestamp, now: Timestamp, lang: Lang) -> String {
    UnreadableSince { since: common::at(since, now, lang) }.text(lang)
}

/// When the value was read.
#[must_use]
pub fn read(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    ReadAgo { ago: common::ago(at, now, lang) }.text(lang)
}

/// When the value was read, of a meter that has stopped answering since.
#[must_use]
pub fn last_read(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    ReadAt { at: common::at(at, now, lang) }.text(lang)
}

/// A purchase that is paid and being delivered.
#[must_use]
pub fn coming(amount: Fen, lang: Lang) -> String {
    PaidAndComing { amount }.text(lang)
}

/// The button that goes on to the payment of this amount.
#[must_use]
pub fn top_up_by(amount: &str, lang: Lang) -> String {
    TopUpBy { amount }.text(lang)
}

/// The smallest and largest top-up.
#[must_use]
pub fn range(min: Fen, max: Fen, lang: Lang) -> String {
    AmountHint { min: whole(min), max: whole(max) }.text(lang)
}

/// Until when it can be paid.
#[must_use]
pub fn pay_before(at: Timestamp, now: Timestamp, lang: Lang) -> String {
    PayBefore { at: common::at(at, now, lang) }.text(lang)
}

/// The purchase count and balance that were read back from the meter.
#[must_use]
pub fn in_meter(count: Option<i64>, remaining: Option<Fen>, lang: Lang) -> Option<String> {
    let purchase = count.map(|purchase| InMeterPurchase { purchase }.text(lang));
    let balance = remaining.map(|balance| InMeterBalance { balance }.text(lang));
    common::list([purchase, balance].into_iter().flatten(), lang)
}

/// The money waits because the meter does not answer.
#[must_use]
pub fn safe(lost_since: Timestamp, next: Option<Timestamp>, now: Timestamp, lang: Lang) -> String {
    let since = common::at(lost_since, now, lang);
    match next.filter(|next| *next > now).map(|next| common::at(next, now, lang)) {
        Some(next) => SafeUntilNextTry { since, next }.text(lang),
        None => Safe { since }.text(lang),
    }
}

/// The switch command waits because the meter does not answer.
#[must_use]
pub fn switch_waits(lost_since: Timestamp, now: Timestamp, lang: Lang) -> String {
    SwitchWaits { since: common::at(lost_since, now, lang) }.text(lang)
}

/// How much is refunded, and through which channel.
#[must_use]
pub fn goes_back(refund: &RefundView, lang: Lang) -> String {
    let (amount, tender) = (refund.amount, common::tender(refund.tender, lang));
    if refund.done_at.is_some() {
        RefundDone { amount, tender }.text(lang)
    } else if refund.by_person {
        RefundByOffice { amount, tender }.text(lang)
    } else if refund.held_up {
        RefundHeldUp { amount, tender }.text(lang)
    } else {
        RefundByChannel { amount, tender }.text(lang)
    }
}

/// How often the command was sent.
#[must_use]
pub fn tries(attempts: i64, lang: Lang) -> Option<String> {
    (attempts > 1).then(|| Attempts { attempts }.text(lang))
}

/// A description of the bars for those who cannot see them.
#[must_use]
pub fn bars(days: usize, total: &str, lang: Lang) -> String {
    BarsLabel { days, total }.text(lang)
}

/// The heading above the hours of a day.
#[must_use]
pub fn hours_of(day: &str, lang: Lang) -> String {
    HoursOfDay { day }.text(lang)
}

/// Yuan without decimals where there are none.
#[must_use]
pub fn whole(amount: Fen) -> String {
    let text = amount.to_string();
    text.strip_suffix(".00").map_or_else(|| text.clone(), str::to_owned)
}
