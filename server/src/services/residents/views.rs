//! Maps rows of the store to view types.

use app::api::resident::{Power, Record, Room, Used};
use model::console::AccountState;
use model::energy::Energy;
use model::event::DayMark;
use model::meter::Latest;
use model::money::Money;
use model::time::Date;

use store::energy::DayEnergy;
use store::orders::Order;
use store::wallets::DayCharge;
use store::{StoreError, rooms};

pub fn room(room: &rooms::Room, latest: Latest) -> Room {
    Room {
        name: room.room.clone(),
        place: room.place(),
        account: room.number.clone(),
        opened: room.state != AccountState::Opening,
        leaving: room.state == AccountState::Closing || room.leaving > 0,
        latest,
    }
}

pub fn record(order: &Order) -> Result<Record, StoreError> {
    Ok(Record {
        id: order.id,
        at: order.created_at,
        amount: order.amount,
        tender: order.tender,
        state: order.state,
        count: order.count,
    })
}

/// Every day from `first` to `last`, with its recorded energy.
pub fn days(recorded: &[DayEnergy], first: Date, last: Date) -> Vec<Used<Date>> {
    let on = |day: Date| match recorded.iter().find(|recorded| recorded.day == day) {
        Some(recorded) => Used { of: day, energy: Some(recorded.energy), mark: recorded.mark, cost: None },
        None => Used { of: day, energy: None, mark: DayMark::default(), cost: None },
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

/// All 24 hours of a day.
pub fn hours(recorded: &[(u8, Energy)]) -> Vec<Used<u8>> {
    let on = |hour: u8| recorded.iter().find(|&&(of, _)| of == hour).map(|&(_, energy)| energy);
    (0..24).map(|of| Used { of, energy: on(of), mark: DayMark::default(), cost: None }).collect()
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
