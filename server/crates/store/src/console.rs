//! The queries of the operator's console, and the writes that only the console makes. Every query is limited to the operator's
//! buildings in the database.
//!
//! Queries name the room `r`, its parent `b` and the parent's parent `t`; `$1` is always the operator.

mod account_lifecycle;
mod accounts;
mod audit;
mod batches;
pub mod case_work;
mod cases;
mod control;
mod events;
mod found_orders;
mod gateways;
mod meters;
mod overdrawn;
mod places;
mod receipts;
mod records;
mod refunds;
mod returns;
mod room;
mod search;
mod site_energy;

use model::console::RoomName;
use sqlx::FromRow;

pub use account_lifecycle::{account_by_number, gateway_names, other_meters, room_of_account};
pub use accounts::accounts;
pub use audit::{AuditFilter, audit, audit_line, lines as audit_lines, names as audit_names};
pub use batches::{batch_items, batches, missed, wallets};
pub use cases::{case, cases, cases_of, close_case, close_cases, held};
pub(crate) use cases::{close_in, note_closed};
pub use control::{may_touch_gateway, set_mode};
pub use events::{acknowledge, buildings, events, events_of};
pub use found_orders::orders_by_number;
pub use gateways::gateways;
pub use meters::{MeterFacts, MeterIdentity, MeterOfRoom, meter, meter_facts, meters, meters_of_rooms};
pub use overdrawn::overdrawn;
pub use places::{latest, layout, priced_places, scope};
pub use receipts::receipt;
pub use records::{RecordFilter, RecordTotals, record_totals, records};
pub use refunds::{order_money, refund, refunds};
pub use returns::{approvals, by_channel, original, returned};
pub use room::{AccountRow, CommandRow, RoomRow, commands, residents, room};
pub use search::{meter_line, search};
pub use site_energy::site_hours;

/// Both nodes above a room.
macro_rules! above {
    () => {
        " LEFT JOIN places b ON b.id = r.parent_id LEFT JOIN places t ON t.id = b.parent_id "
    };
}

/// Only what the operator may see.
macro_rules! within {
    () => {
        " ((SELECT all_buildings FROM users WHERE id = $1)
           OR EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1 AND place_id IN (r.id, b.id, t.id))) "
    };
}

/// The columns of [`Name`].
macro_rules! names {
    () => {
        " COALESCE(r.name, '') AS room, COALESCE(CASE WHEN b.kind = 'unit' THEN b.name END, '') AS floor,
          COALESCE(CASE WHEN b.kind = 'unit' THEN t.name ELSE b.name END, '') AS building "
    };
}

/// What a search looks through where `$2` is the pattern; empty for all. Both engines fold the case of Latin letters.
macro_rules! matches {
    ($text:literal) => {
        concat!(
            " ($2 = '' OR LOWER(COALESCE(t.name, '') || ' ' || COALESCE(b.name, '') || ' ' || r.name || ' ' || ",
            $text,
            ") LIKE LOWER($2) ESCAPE '!') "
        )
    };
}

use matches;
pub(crate) use {above, names, within};

#[derive(FromRow)]
pub(crate) struct Name {
    building: String,
    floor: String,
    room: String,
}

impl From<Name> for RoomName {
    fn from(name: Name) -> Self {
        Self { building: name.building, floor: name.floor, room: name.room }
    }
}

/// The pattern that finds all words in their order; empty where there are none.
fn like(text: &str) -> String {
    let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    let words: Vec<&str> = escaped.split_whitespace().collect();
    if words.is_empty() { String::new() } else { format!("%{}%", words.join("%")) }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns_hold_what_was_typed_literally() {
        assert_eq!(like(""), "");
        assert_eq!(like("  "), "");
        assert_eq!(like("1号楼 301"), "%1号楼%301%");
        assert_eq!(like("50%_!"), "%50!%!_!!%");
    }
}
