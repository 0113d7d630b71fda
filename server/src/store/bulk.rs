//! Many rows in one statement, with one text for both engines: made once for a few numbers of rows, so that each stays prepared.

use std::sync::LazyLock;

/// Rows of one statement, largest first; any number of rows is a sum of these. No more than that: SQLite looks a parameter's name up
/// among all of its statement, and with 64 rows that took a fifth of the server's time.
const SIZES: [usize; 3] = [16, 4, 1];

/// `INSERT ... VALUES` of several rows. `head` ends before the first row, `tail` follows the last.
pub(super) struct Bulk {
    texts: LazyLock<[String; 3], Box<dyn FnOnce() -> [String; 3] + Send>>,
}

impl Bulk {
    pub(super) fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { texts: LazyLock::new(Box::new(move || SIZES.map(|rows| text(head, columns, rows, tail)))) }
    }

    /// The rows in pieces, each with its text.
    pub(super) fn pieces<'a, T>(&'static self, rows: &'a [T]) -> impl Iterator<Item = (&'static str, &'a [T])> {
        let mut rest = rows;
        std::iter::from_fn(move || {
            let (text, size) = self.texts.iter().zip(SIZES).find(|(_, size)| *size <= rest.len())?;
            let (piece, after) = rest.split_at_checked(size)?;
            rest = after;
            Some((text.as_str(), piece))
        })
    }
}

fn text(head: &str, columns: usize, rows: usize, tail: &str) -> String {
    let row = |n: usize| {
        let marks: Vec<String> = (1..=columns).map(|column| format!("${}", n * columns + column)).collect();
        format!("({})", marks.join(","))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("{head} VALUES {} {tail}", rows.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    static THREE: LazyLock<Bulk> = LazyLock::new(|| Bulk::new("INSERT INTO t (a, b)", 2, "ON CONFLICT DO NOTHING"));

    #[test]
    fn any_number_of_rows_is_covered_once() {
        for n in [0, 1, 7, 8, 9, 64, 200] {
            let rows: Vec<usize> = (0..n).collect();
            let seen: Vec<usize> = THREE.pieces(&rows).flat_map(|(_, piece)| piece.to_vec()).collect();
            assert_eq!(seen, rows);
        }
    }

    #[test]
    fn parameters_are_numbered_through() {
        let (text, _) = THREE.pieces(&[0]).next().unwrap();
        assert_eq!(text, "INSERT INTO t (a, b) VALUES ($1,$2) ON CONFLICT DO NOTHING");
        let (text, piece) = THREE.pieces(&[0; 4]).next().unwrap();
        assert!(text.contains("($7,$8) ON CONFLICT") && piece.len() == 4);
    }
}
