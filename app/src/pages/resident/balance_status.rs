//! The line under the balance: what the balance means, and what to do.

use crate::api::resident::KeptOn;
use crate::i18n::Lang;
use crate::i18n::resident::{sentences, texts};
use crate::pages::resident::topup::OFFERED;
use crate::ui::callout::Tone;
use model::forecast::{Forecast, amount_to_restore};
use model::meter::{ControlMode, Latest, SupplyState};
use model::money::Fen;
use model::time::Timestamp;

/// What the line depends on.
pub struct BalanceFacts<'a> {
    /// The meter as last observed.
    pub latest: &'a Latest,
    /// Whether the account's opening was confirmed by the meter.
    pub opened: bool,
    /// Since when the power is off.
    pub off_since: Option<Timestamp>,
    /// How long the credit lasts.
    pub forecast: Option<Forecast>,
    pub kept_on: Option<KeptOn>,
}

/// The line and its tone. What keeps the power off takes precedence over how long the credit lasts.
#[must_use]
pub fn balance_status(facts: &BalanceFacts, now: Timestamp, lang: Lang) -> (Tone, String) {
    let BalanceFacts { latest, opened, off_since, forecast, kept_on } = facts;
    let status = latest.status;
    // A meter that was never read is not lost.
    if let Some(since) = latest.lost_since.filter(|_| latest.observed_at.is_some()) {
        let sentence = if latest.unreadable { sentences::unreadable } else { sentences::lost };
        return (Tone::Lost, sentence(since, now, lang));
    }
    let t = texts(lang).status;
    if *opened && latest.observed_at.is_none() {
        return (Tone::Lost, t.not_read.into());
    }
    if !opened || latest.state() == SupplyState::NotOpen {
        return (Tone::Plain, t.opening.into());
    }
    match status.mode() {
        ControlMode::Guaranteed => return (Tone::Plain, t.guaranteed.into()),
        ControlMode::ForcedOff => return (Tone::Bad, sentences::off_since(*off_since, now, t.forced_off, lang)),
        ControlMode::Prepaid => {}
    }
    if !status.relay_closed() {
        let (tone, why) = why_off(latest, lang);
        return (tone, sentences::off_since(*off_since, now, &why, lang));
    }
    match kept_on.filter(|_| latest.remaining <= Fen::ZERO) {
        Some(kept_on) => (Tone::Warn, sentences::kept_on(kept_on, now, lang)),
        None => supplied(latest, *forecast, lang),
    }
}

/// Why the relay is open in prepaid mode, in the meter's own order of precedence.
fn why_off(latest: &Latest, lang: Lang) -> (Tone, String) {
    let (status, t) = (latest.status, texts(lang).status);
    if status.tripped_overload() {
        (Tone::Bad, t.overload.into())
    } else if status.tripped_malignant() {
        (Tone::Bad, t.malignant.into())
    } else if status.tripped_arrears() {
        (Tone::Bad, sentences::used_up(amount_to_restore(latest.remaining, &OFFERED), lang))
    } else if status.user_switch_off() {
        (Tone::Plain, t.switched_off.into())
    } else {
        (Tone::Bad, t.unknown.into())
    }
}

fn supplied(latest: &Latest, forecast: Option<Forecast>, lang: Lang) -> (Tone, String) {
    let t = texts(lang).status;
    let low = matches!(latest.state(), SupplyState::Alarm1 | SupplyState::Alarm2);
    if latest.remaining <= Fen::ZERO {
        return (Tone::Bad, t.no_credit.into());
    }
    if let Some(forecast) = forecast {
        let tone = if forecast.days < 1 || forecast.tonight || low { Tone::Warn } else { Tone::Plain };
        return (tone, sentences::lasts(forecast, lang));
    }
    if low { (Tone::Warn, t.low.into()) } else { (Tone::Plain, t.no_forecast.into()) }
}

/// The observed state of the relay.
#[must_use]
pub const fn relay(latest: &Latest, lang: Lang) -> &'static str {
    let t = texts(lang);
    match (latest.observed_at, latest.status.relay_closed()) {
        (None, _) => t.unknown,
        (Some(_), true) => t.on,
        (Some(_), false) => t.off,
    }
}

/// When the values were read: how long ago, or at what time if the meter has been lost since.
#[must_use]
pub fn read(latest: &Latest, now: Timestamp, lang: Lang) -> Option<String> {
    let words =
        |at| if latest.lost_since.is_some() { sentences::last_read(at, now, lang) } else { sentences::read(at, now, lang) };
    latest.observed_at.map(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{MeterId, Uuid};
    use model::meter::StatusWord;
    use model::time::Civil;

    const OPEN: u16 = 1 << 1;
    const ON: u16 = OPEN | 1;

    fn at(hour: u8, minute: u8) -> Timestamp {
        Civil { year: 2026, month: 11, day: 23, hour, minute, second: 0 }.timestamp().unwrap()
    }

    fn seen(status: u16, remaining: i64) -> Latest {
        Latest {
            observed_at: Some(at(21, 59)),
            status: StatusWord(status),
            remaining: Fen(remaining),
            ..Latest::unseen(MeterId(Uuid::nil()))
        }
    }

    fn line(latest: &Latest, forecast: Option<Forecast>) -> (Tone, String) {
        let off_since = (!latest.status.relay_closed()).then(|| at(21, 4));
        balance_status(&BalanceFacts { latest, opened: true, off_since, forecast, kept_on: None }, at(22, 0), Lang::Zh)
    }

    #[test]
    fn the_cause_of_an_outage_takes_precedence() {
        let forecast = |days, earliest, latest| Some(Forecast { days, earliest, latest, over: 28, tonight: false });
        let six = forecast(6, 5, 8);
        let tonight = Some(Forecast { tonight: true, ..forecast(0, 0, 1).unwrap() });
        for (status, remaining, forecast, tone, words) in [
            (ON, 6_320, six, Tone::Plain, "按近 28 天用电情况，约可用 6 天（5 至 8 天）"),
            (ON, 6_320, forecast(6, 6, 6), Tone::Plain, "按近 28 天用电情况，约可用 6 天"),
            (ON, 90_000, forecast(90, 70, 110), Tone::Plain, "按近 28 天用电情况，可用两个月以上"),
            (ON | 1 << 2, 900, six, Tone::Warn, "按近 28 天用电情况，约可用 6 天（5 至 8 天）"),
            (ON, 90, forecast(0, 0, 1), Tone::Warn, "按近 28 天用电情况，不到 1 天就会用完，请尽快充值"),
            (ON, 90, tonight, Tone::Warn, "按近 28 天用电情况，今晚可能用完，请立即充值"),
            (ON, 6_320, None, Tone::Plain, "再用一段时间，这里会显示还能用几天。"),
            (ON, -50, six, Tone::Bad, "余额已用完，随时可能断电，请尽快充值。"),
            (OPEN | 1 << 4, 0, None, Tone::Bad, "今天 21:04 起断电：余额用完，充值 20 元即可恢复"),
            (OPEN | 1 << 4, -3_500, None, Tone::Bad, "今天 21:04 起断电：余额用完，充值 50 元即可恢复"),
            (OPEN | 1 << 8, 6_320, six, Tone::Plain, "今天 21:04 起断电：由住户关闭，可在下方随时恢复。"),
            (
                OPEN | 1 << 5 | 1 << 4,
                0,
                None,
                Tone::Bad,
                "今天 21:04 起断电：用电负荷过大。请拔掉大功率电器，再联系宿舍管理处恢复。",
            ),
            (OPEN | 1 << 7, 6_320, six, Tone::Bad, "今天 21:04 起断电：管理员已强制断电，请联系宿舍管理处。"),
            (ON | 1 << 6, -50, None, Tone::Plain, "管理员已设为保电，余额用完也不会断电。"),
            (OPEN, 6_320, six, Tone::Bad, "今天 21:04 起断电：原因还不清楚，请联系宿舍管理处。"),
            (0, 0, None, Tone::Plain, "正在开户，电表确认后即可用电。"),
        ] {
            assert_eq!(line(&seen(status, remaining), forecast), (tone, words.to_owned()), "{status:#b} {remaining}");
        }
    }

    #[test]
    fn the_page_says_what_keeps_the_power_on() {
        let latest = seen(ON, -50);
        let of = |kept_on| BalanceFacts { latest: &latest, opened: true, off_since: None, forecast: None, kept_on };
        let by = |kept_on| balance_status(&of(Some(kept_on)), at(22, 0), Lang::Zh);
        let until = |limit| by(KeptOn::FriendlyHours { until: at(23, 30), limit });
        let (tone, words) = until(None);
        assert_eq!((tone, words.contains("23:30")), (Tone::Warn, true), "{words}");
        assert!(!words.contains("欠费") && until(Some(Fen(2_000))).1.contains("20.00"));
        let (tone, words) = by(KeptOn::EmergencyCredit(Fen(950)));
        assert_eq!((tone, words.contains("9.50")), (Tone::Warn, true), "{words}");
        assert_eq!(balance_status(&of(None), at(22, 0), Lang::Zh).0, Tone::Bad);
    }

    #[test]
    fn a_lost_meter_takes_precedence() {
        let lost = Latest { lost_since: Some(at(21, 30)), ..seen(OPEN | 1 << 4, 0) };
        let (tone, words) = line(&lost, None);
        assert_eq!(tone, Tone::Lost);
        assert!(words.starts_with("电表自今天 21:30 起失联"), "{words}");
        assert_eq!(line(&Latest::unseen(MeterId(Uuid::nil())), None).0, Tone::Lost);
    }

    #[test]
    fn a_new_account_is_shown_as_being_opened() {
        let latest = Latest { lost_since: Some(at(21, 30)), ..Latest::unseen(MeterId(Uuid::nil())) };
        let facts = BalanceFacts { latest: &latest, opened: false, off_since: None, forecast: None, kept_on: None };
        assert_eq!(balance_status(&facts, at(22, 0), Lang::Zh), (Tone::Plain, "正在开户，电表确认后即可用电。".to_owned()));
    }

    #[test]
    fn a_lost_meter_shows_the_time_of_its_last_reading() {
        let fresh = seen(ON, 0);
        assert_eq!(read(&fresh, at(22, 0), Lang::Zh).as_deref(), Some("1 分钟前读取"));
        let lost = Latest { lost_since: Some(at(21, 59)), ..fresh };
        assert_eq!(read(&lost, at(22, 0), Lang::Zh).as_deref(), Some("今天 21:59 读取"));
        assert_eq!(read(&lost, at(22, 0), Lang::En).as_deref(), Some("read at 21:59 today"));
    }
}
