//! From stored rows to what the pages show.

use app::api::resident::{Record, Room, Used};
use app::model::energy::Energy;
use app::model::meter::Latest;
use app::model::time::{Date, Timestamp};

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
pub fn days(recorded: &[(Date, Energy)], first: Date, last: Date) -> Vec<Used<Date>> {
    let on = |day: i64| recorded.iter().find(|(date, _)| date.0 == day).map(|&(_, energy)| energy);
    (first.0..=last.0).map(|day| Used { of: Date(day), energy: on(day) }).collect()
}

/// Every hour of a day.
pub fn hours(recorded: &[(u8, Energy)]) -> Vec<Used<u8>> {
    let on = |hour: u8| recorded.iter().find(|&&(of, _)| of == hour).map(|&(_, energy)| energy);
    (0..24).map(|of| Used { of, energy: on(of) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_without_a_record_are_there_and_empty() {
        let days = days(&[(Date(11), Energy(5))], Date(10), Date(12));
        let found: Vec<_> = days.iter().map(|used| (used.of.0, used.energy)).collect();
        assert_eq!(found, [(10, None), (11, Some(Energy(5))), (12, None)]);
    }
}
