//! The changes of a transaction, as seals: the texts of the rows, which are long, are not kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Seal, SealKey, TABLES};

/// A row that a transaction changed: its seal before and after, `None` where there was no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChange {
    pub table: &'static str,
    pub row_key: Box<str>,
    pub before: Option<Seal>,
    pub after: Option<Seal>,
}

#[derive(Default)]
pub struct Changes(HashMap<(&'static str, Box<str>), NetChange>);

struct NetChange {
    /// Place in the order of first changes.
    place: usize,
    before: Option<Seal>,
    after: Option<Seal>,
}

impl Changes {
    /// Notes a change of a row by its texts before and after. `None` for a table that is not sealed.
    pub fn note(&mut self, key: &SealKey, (table, row): (&str, &str), before: Option<&str>, after: Option<&str>) -> Option<()> {
        let table = TABLES.into_iter().find(|sealed| *sealed == table)?;
        let place = self.0.len();
        let seal = |image: &str| key.seal(table, row, image);
        match self.0.entry((table, row.into())) {
            Entry::Vacant(vacant) => {
                vacant.insert(NetChange { place, before: before.map(seal), after: after.map(seal) });
            }
            Entry::Occupied(mut occupied) => occupied.get_mut().after = after.map(seal),
        }
        Some(())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each row that differs once, in the order of their first change: as it was before the transaction and as it is now.
    pub fn net(self) -> Vec<RowChange> {
        let mut rows: Vec<_> = self.0.into_iter().filter(|(_, change)| change.before != change.after).collect();
        rows.sort_unstable_by_key(|(_, change)| change.place);
        let row = |((table, row_key), NetChange { before, after, .. })| RowChange { table, row_key, before, after };
        rows.into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_changes_twice_is_sealed_once() {
        let (key, mut changes) = (SealKey::none(), Changes::default());
        for (row, before, after) in [
            ("1", None, Some("a")),
            ("2", Some("x"), Some("y")),
            ("3", Some("p"), Some("q")),
            ("1", Some("a"), Some("b")),
            ("2", Some("y"), None),
            ("3", Some("q"), Some("p")),
        ] {
            changes.note(&key, ("orders", row), before, after).unwrap();
        }
        let seal = |row, image| Some(key.seal("orders", row, image));
        let change = |row: &str, before, after| RowChange { table: "orders", row_key: row.into(), before, after };
        assert_eq!(changes.net(), [change("1", None, seal("1", "b")), change("2", seal("2", "x"), None)]);
        assert!(Changes::default().note(&key, ("sessions", "1"), None, None).is_none());
    }
}
