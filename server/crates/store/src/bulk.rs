//! Many rows in one statement, made once for a few numbers of rows, so that each stays prepared.

use std::sync::LazyLock;

use super::Tx;

/// Rows of one statement, largest first; any number of rows is a sum of these. What most transactions write is one statement.
const SIZES: [usize; 10] = [64, 16, 8, 7, 6, 5, 4, 3, 2, 1];

type Texts = [String; SIZES.len()];

/// `INSERT ... VALUES` of several rows. `head` ends before the first row, `tail` follows the
/// last; both are the same for both engines.
pub struct Bulk {
    texts: LazyLock<(Texts, Texts), Box<dyn FnOnce() -> (Texts, Texts) + Send>>,
}

impl Bulk {
    pub fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        // SQLite looks a parameter that has a name up among all of its statement, once when it is bound and once more in its
        // list: with 16 rows of 16 that was a third of what storing a reading took. What has no name is not looked up.
        let make = move || {
            (
                SIZES.map(|rows| text(head, columns, rows, tail, |_| "?".into())),
                SIZES.map(|rows| text(head, columns, rows, tail, |n| format!("${n}"))),
            )
        };
        Self { texts: LazyLock::new(Box::new(make)) }
    }

    /// The rows in pieces, each with its text for this transaction's engine.
    pub fn pieces<'a, T>(&'static self, tx: &Tx, rows: &'a [T]) -> impl Iterator<Item = (&'static str, &'a [T])> + use<'a, T> {
        let texts = match tx {
            Tx::Sqlite(_) => &self.texts.0,
            Tx::Postgres(_) => &self.texts.1,
        };
        pieces(texts, rows)
    }
}

fn pieces<'a, T>(texts: &'static Texts, rows: &'a [T]) -> impl Iterator<Item = (&'static str, &'a [T])> + use<'a, T> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let (text, size) = texts.iter().zip(SIZES).find(|(_, size)| *size <= rest.len())?;
        let (piece, after) = rest.split_at_checked(size)?;
        rest = after;
        Some((text.as_str(), piece))
    })
}

fn text(head: &str, columns: usize, rows: usize, tail: &str, mark: impl Fn(usize) -> String) -> String {
    let row = |n: usize| {
        let marks: Vec<String> = (1..=columns).map(|column| mark(n * columns + column)).collect();
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
    fn every_row_is_in_one_piece() {
        for n in [0, 1, 7, 8, 9, 64, 200] {
            let rows: Vec<usize> = (0..n).collect();
            let seen: Vec<usize> = pieces(&THREE.texts.0, &rows).flat_map(|(_, piece)| piece.to_vec()).collect();
            assert_eq!(seen, rows);
        }
    }

    #[test]
    fn parameters_are_numbered_where_the_engine_needs_it() {
        let (text, _) = pieces(&THREE.texts.1, &[0]).next().unwrap();
        assert_eq!(text, "INSERT INTO t (a, b) VALUES ($1,$2) ON CONFLICT DO NOTHING");
        let (text, piece) = pieces(&THREE.texts.1, &[0; 4]).next().unwrap();
        assert!(text.contains("($7,$8) ON CONFLICT") && piece.len() == 4);
        let (text, _) = pieces(&THREE.texts.0, &[0]).next().unwrap();
        assert_eq!(text, "INSERT INTO t (a, b) VALUES (?,?) ON CONFLICT DO NOTHING");
    }
}
