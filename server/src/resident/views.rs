//! From stored rows to what the pages show.

use app::api::resident::{Record, Room, Used};
use app::model::energy::Energy;
use app::model::event::DayMark;
use app::model::meter::Latest;
use app::model::time::{Date, Timestamp};

use crate::store::energy::DayEnergy;
use crate::store::orders::Order;
use crate::store::{StoreError, rooms};

/// The room as its page shows it.
pub fn room(room: &rooms::Room, latest: Latest) -> Room {
    Room { name: room.room.clone(), place: room.place(), account: room.number.clone(), opened: room.state != "opening", latest }
}

/// A line of the records.
pub fn record(order: &Order) -> Result<Record, StoreError> {
    Ok(Record {
        id: order.id(),
        at: Timestamp(order.created_at),
        amount: order.amount(),
        tender: order.tender()?,
        state: order.state()?,
        count: order.count,
    })
}

/// Every day from `first` to `last`, with what was recorded on it.
pub fn days(recorded: &[DayEnergy], first: Date, last: Date) -> Vec<Used<Date>> {
    let on = |day: Date| match recorded.iter().find(|recorded| recorded.day == day) {
        Some(recorded) => Used { of: day, energy: Some(recorded.energy), mark: recorded.mark },
        None => Used { of: day, energy: None, mark: DayMark::default() },
    };
    (first.0..=last.0).map(Date).map(on).collect()
}

/// Every hour of a day.
pub fn hours(recorded: &[(u8, Energy)]) -> Vec<Used<u8>> {
    let on = |hour: u8| recorded.iter().find(|&&(of, _)| of == hour).map(|&(_, energy)| energy);
    (0..24).map(|of| Used { of, energy: on(of), mark: DayMark::default() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meters::rollup::Parts;

    #[test]
    fn days_without_a_record_are_there_and_empty() {
        let mark = DayMark { estimated: true, revised: false };
        let known = DayEnergy { day: Date(11), energy: Energy(5), parts: Parts::default(), mark };
        let days = days(&[known], Date(10), Date(12));
        assert!(days[1].mark.estimated);
        let found: Vec<_> = days.iter().map(|used| (used.of.0, used.energy)).collect();
        assert_eq!(found, [(10, None), (11, Some(Energy(5))), (12, None)]);
    }
}
