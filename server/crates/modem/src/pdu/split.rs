//! A text becomes one short message, or the parts of a long one.

use super::alphabet;

/// Octets of a short message's text, and of the header of a part: its length, and 16 bits of reference, total and number.
const OCTETS: usize = 140;
const HEADER: usize = 7;
/// Longer texts are a mistake of whoever wrote them.
pub const MOST_PARTS: usize = 10;

/// The text of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// In the default alphabet.
    Septets(Vec<u8>),
    /// UTF-16; 23.038 says UCS2, and every phone shows both halves of a pair as one character.
    Units(Vec<u16>),
}

/// Why a text cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("is empty")]
    Empty,
    #[error("needs more than {MOST_PARTS} parts")]
    TooLong,
}

/// The parts of a text. No character is cut in two.
///
/// # Errors
/// [`TextError`].
pub fn split(text: &str) -> Result<Vec<Payload>, TextError> {
    let latin: Option<Vec<Vec<u8>>> = text.chars().map(alphabet::septets).collect();
    let parts: Vec<Payload> = match latin {
        Some(characters) => {
            pieces(&characters, OCTETS * 8 / 7, (OCTETS - HEADER) * 8 / 7).into_iter().map(Payload::Septets).collect()
        }
        None => {
            let characters: Vec<Vec<u16>> = text.chars().map(|character| character.encode_utf16(&mut [0; 2]).to_vec()).collect();
            pieces(&characters, OCTETS / 2, (OCTETS - HEADER) / 2).into_iter().map(Payload::Units).collect()
        }
    };
    match parts.len() {
        0 => Err(TextError::Empty),
        1..=MOST_PARTS => Ok(parts),
        _ => Err(TextError::TooLong),
    }
}

/// Characters of one or two units in pieces of at most `part` units, or in one of at most `short`.
fn pieces<T: Copy>(characters: &[Vec<T>], short: usize, part: usize) -> Vec<Vec<T>> {
    let whole: Vec<T> = characters.concat();
    if whole.len() <= short {
        return if whole.is_empty() { Vec::new() } else { vec![whole] };
    }
    let mut pieces: Vec<Vec<T>> = Vec::new();
    for character in characters {
        match pieces.last_mut().filter(|piece| piece.len() + character.len() <= part) {
            Some(piece) => piece.extend(character),
            None => pieces.push(character.clone()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(text: &str) -> Vec<usize> {
        let of = |part: &Payload| match part {
            Payload::Septets(septets) => septets.len(),
            Payload::Units(units) => units.len(),
        };
        split(text).unwrap().iter().map(of).collect()
    }

    #[test]
    fn texts_are_cut_where_the_standard_says() {
        assert_eq!(lengths(&"a".repeat(160)), [160]);
        assert_eq!(lengths(&"a".repeat(161)), [152, 9]);
        assert_eq!(lengths(&"电".repeat(70)), [70]);
        assert_eq!(lengths(&"电".repeat(71)), [66, 5]);
        assert_eq!(split(""), Err(TextError::Empty));
        assert_eq!(lengths(&"电".repeat(660)).len(), MOST_PARTS);
        assert_eq!(split(&"电".repeat(661)), Err(TextError::TooLong));
    }

    #[test]
    fn no_character_is_cut_in_two() {
        // A pair at the end of a part goes into the next one, and so does an escape.
        assert_eq!(lengths(&format!("{}😀😀", "电".repeat(67))), [66, 5]);
        assert_eq!(lengths(&format!("{}😀{}", "电".repeat(65), "电".repeat(9))), [65, 11]);
        assert_eq!(lengths(&format!("{}€{}", "a".repeat(151), "a".repeat(9))), [151, 11]);
    }
}
