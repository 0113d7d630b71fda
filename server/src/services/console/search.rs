//! The search at the top of the console.

use std::collections::HashSet;

use app::api::operator::OperatorPort;
use model::console::{MeterLine, Query, RoomName};
use model::error::AppError;
use model::person::Who;

use super::Operator;

/// Rooms that are meant exactly are looked up by name; more of them than this are no answer.
const NAMED: usize = 8;

/// Rooms whose name, residents or numbers hold the text. Where the text names one room, that room alone: `3号楼 101` is not
/// about every account number with 101 in it.
pub(super) async fn find(desk: &Operator, who: &Who, text: &str) -> Result<Vec<MeterLine>, AppError> {
    let seats = desk.seats(who).await?;
    let named: Vec<_> = seats.iter().filter(|seat| names(text, &seat.name)).take(NAMED + 1).collect();
    let mut found = Vec::new();
    if named.len() <= NAMED {
        for seat in &named {
            let query = Query { text: seat.name.to_string(), ..Query::default() };
            let lines = desk.meters(who, &query).await?.lines;
            found.extend(lines.into_iter().filter(|line| line.latest.meter == seat.latest.meter));
        }
    }
    if let [_] = &found[..] {
        return Ok(found);
    }
    let first: HashSet<_> = found.iter().map(|line| line.latest.meter).collect();
    let query = Query { text: text.to_owned(), ..Query::default() };
    let others = desk.meters(who, &query).await?.lines;
    found.extend(others.into_iter().filter(|line| !first.contains(&line.latest.meter)));
    Ok(found)
}

/// Whether the text means this room: it ends with the room's name, and its other words are in building or floor.
pub(super) fn names(text: &str, name: &RoomName) -> bool {
    let mut words = text.split_whitespace().rev();
    let room = words.next().is_some_and(|word| word.eq_ignore_ascii_case(&name.room));
    room && words.all(|word| name.building.contains(word) || name.floor.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_meant_by_its_name_and_not_by_a_part_of_it() {
        let name = RoomName { building: "3号楼".into(), floor: "1层".into(), room: "B101".into() };
        for text in ["b101", "3 B101", "3号楼 1层 B101", " 3号楼  b101 "] {
            assert!(names(text, &name), "{text}");
        }
        for text in ["", "101", "4号楼 B101", "B101 3号楼", "B1012"] {
            assert!(!names(text, &name), "{text}");
        }
    }
}
