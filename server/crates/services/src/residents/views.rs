//! Maps rows of the store to view types.

use ::residents::rooms;
use ::residents::schedules::Schedule;
use app::api::resident::{LastSwitchView, Power, Room, ScheduleView, Used};
use model::console::AccountState;
use model::energy::Energy;
use model::event::DayMark;
use model::meter::Latest;
use model::money::Money;
use model::person::Who;
use model::time::Date;

use store::energy::DayEnergy;
use store::wallets::DayCharge;

/// `suspended`: the meter does not show the account, so it takes no money.
pub fn room(room: &rooms::Room, latest: Latest, suspended: bool) -> Room {
    Room {
        name: room.room.clone(),
        place: room.place(),
        account: room.number.clone(),
        opened: room.state != AccountState::Opening,
        leaving: room.state == AccountState::Closing || room.leaving > 0,
        suspended,
        latest,
    }
}

/// Every day from `first` to `last`, with its recorded energy.
pub fn days(recorded: &[DayEnergy], first: Date, last: Date) -> Vec<Used<Date>> {
    let on = |day: Date| match recorded.iter().find(|recorded| recorded.day == day) {
        Some(recorded) => {
            Used { of: day, energy: Some(recorded.energy), mark: recorded.mark, cost: None, rates: recorded.parts.rates }
        }
        None => Used { of: day, energy: None, mark: DayMark::default(), cost: None, rates: Default::default() },
    };
    (first.0..=last.0).map(Date).map(on).collect()
}

/// Adds the cost of each day.
pub fn price(days: &mut [Used<Date>], lines: &[DayCharge]) {
    for used in days {
        let of_day = || lines.iter().filter(|line| line.day == used.of);
        let e7: i64 = of_day().map(|line| line.cost_e7).sum();
        used.cost = of_day().next().map(|_| Money(e7 / 1_000));
    }
}

/// The power of a room with a server wallet after a payment.
pub const fn power(latest: &Latest) -> Power {
    let status = latest.status;
    let held_off = status.user_switch_off() || status.forced_off() || status.tripped_overload() || status.tripped_malignant();
    if status.relay_closed() {
        Power::On
    } else if held_off || latest.remaining.0 <= 0 {
        Power::Off
    } else {
        Power::Coming
    }
}

/// A schedule of the switch.
pub fn schedule(schedule: &Schedule, by: String, who: &Who) -> ScheduleView {
    let last =
        schedule.last.map(|last| LastSwitchView { at: last.at, on: last.on, outcome: last.outcome, command: last.command });
    ScheduleView {
        id: schedule.id,
        times: schedule.times,
        next: schedule.next,
        by: (schedule.by != who.user).then_some(by),
        last,
    }
}

/// All 24 hours of a day, and which of them are estimated.
pub fn hours(recorded: &[(u8, Energy)], is_estimated: impl Fn(u8) -> bool) -> Vec<Used<u8>> {
    let on = |hour: u8| recorded.iter().find(|&&(of, _)| of == hour).map(|&(_, energy)| energy);
    let hour = |of| {
        let energy = on(of);
        let estimated = energy.is_some_and(|energy| energy != Energy::ZERO) && is_estimated(of);
        Used { of, energy, mark: DayMark { estimated, revised: false }, cost: None, rates: Default::default() }
    };
    (0..24).map(hour).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::rollup::Parts;
    use model::meter::StatusWord;
    use model::money::Fen;

    #[test]
    fn power_after_a_payment_is_on_coming_or_off() {
        let seen = |status, fen| Latest {
            status: StatusWord(status),
            remaining: Fen(fen),
            ..Latest::unseen(model::ids::MeterId(model::ids::Uuid::nil()))
        };
        assert_eq!(power(&seen(0b11, 100)), Power::On);
        assert_eq!(power(&seen(0b10, 100)), Power::Coming);
        assert_eq!(power(&seen(0b10, 0)), Power::Off);
        assert_eq!(power(&seen(1 << 8 | 0b10, 100)), Power::Off);
    }

    #[test]
    fn days_without_a_record_are_listed_empty() {
        let mark = DayMark { estimated: true, revised: false };
        let known = DayEnergy { day: Date(11), energy: Energy(5), parts: Parts::default(), mark };
        let days = days(&[known], Date(10), Date(12));
        assert!(days[1].mark.estimated);
        let found: Vec<_> = days.iter().map(|used| (used.of.0, used.energy)).collect();
        assert_eq!(found, [(10, None), (11, Some(Energy(5))), (12, None)]);
    }
}
