//! What only operators do: cases, events and control modes; and the parts of queries that keep an operator to their buildings.
//! The lists of the console are in the crate `queries`.
//!
//! Queries name the room `r`, its parent `b` and the parent's parent `t`; `$1` is always the operator.

pub mod case_work;
mod cases;
mod control;

use model::console::RoomName;
use sqlx::FromRow;

pub use cases::{case, cases, cases_of, cases_of_order, close_case, close_cases, held};
pub(crate) use cases::{close_in, note_closed};
pub use control::{may_touch_gateway, set_mode};

/// Both nodes above a room.
#[macro_export]
macro_rules! above {
    () => {
        " LEFT JOIN places b ON b.id = r.parent_id LEFT JOIN places t ON t.id = b.parent_id "
    };
}

/// Only what the operator may see.
#[macro_export]
macro_rules! within {
    () => {
        " ((SELECT all_buildings FROM users WHERE id = $1)
           OR EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1 AND place_id IN (r.id, b.id, t.id))) "
    };
}

/// Only what the operator `u` did in person, such as their shifts: one's own, or that of somebody who works only in buildings
/// that one sees.
#[macro_export]
macro_rules! oversees {
    () => {
        " (u.id = $1 OR (SELECT all_buildings FROM users WHERE id = $1)
           OR (NOT u.all_buildings AND EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = u.id)
               AND NOT EXISTS (SELECT 1 FROM operator_buildings o WHERE o.user_id = u.id
                                AND o.place_id NOT IN (SELECT place_id FROM operator_buildings WHERE user_id = $1)))) "
    };
}

/// Only messages to people that the operator may see: about a room or a gateway of theirs. The query names the message `n` and
/// its room `r`.
#[macro_export]
macro_rules! of_notification {
    () => {
        concat!(
            " ((SELECT all_buildings FROM users WHERE id = $1) OR (n.account_id IS NOT NULL AND",
            $crate::within!(),
            ") OR EXISTS (SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
            $crate::above!(),
            "WHERE m.gateway_id = n.gateway_id AND m.retired_at IS NULL AND",
            $crate::within!(),
            ")) "
        )
    };
}

/// The columns of [`Name`].
#[macro_export]
macro_rules! names {
    () => {
        " COALESCE(r.name, '') AS room, COALESCE(CASE WHEN b.kind = 'unit' THEN b.name END, '') AS floor,
          COALESCE(CASE WHEN b.kind = 'unit' THEN t.name ELSE b.name END, '') AS building "
    };
}

/// What a search looks through where `$2` is the pattern; empty for all. Both engines fold the case of Latin letters.
#[macro_export]
macro_rules! text_matches {
    ($text:literal) => {
        concat!(
            " ($2 = '' OR LOWER(COALESCE(t.name, '') || ' ' || COALESCE(b.name, '') || ' ' || r.name || ' ' || ",
            $text,
            ") LIKE LOWER($2) ESCAPE '!') "
        )
    };
}

pub use crate::{above, names, of_notification, oversees, text_matches, within};

/// The name of a room, as [`names!`] selects it.
#[derive(Clone, FromRow)]
pub struct Name {
    pub building: String,
    pub floor: String,
    pub room: String,
}

impl From<Name> for RoomName {
    fn from(name: Name) -> Self {
        Self { building: name.building, floor: name.floor, room: name.room }
    }
}

/// The pattern that finds all words in their order; empty where there are none.
#[must_use]
pub fn like(text: &str) -> String {
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
