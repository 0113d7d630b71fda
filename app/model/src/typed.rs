//! What people type into fields for numbers and codes. Chinese input methods write digits and signs in their full-width forms
//! (`１００．５０`), which mean the same.

use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use crate::money::{Fen, ParseMoneyError};

/// A number or code as it is meant: in compatibility form (NFKC), without blanks around it. Not for sentences, in which
/// full-width signs are right, nor for passwords.
#[must_use]
pub fn typed(text: &str) -> String {
    text.nfkc().collect::<String>().trim().to_owned()
}

/// The name of a room, place or gateway as it is stored and searched: letters and digits in half width, other signs as they are.
#[must_use]
pub fn name(text: &str) -> String {
    /// How far behind the usual forms the full-width ones are.
    const WIDER: u32 = 0xFEE0;
    let usual = |sign: char| match sign {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => char::from_u32(u32::from(sign) - WIDER).unwrap_or(sign),
        '\u{3000}' => ' ',
        _ => sign,
    };
    text.trim().chars().map(usual).collect()
}

/// A number or code by its type's own text form.
///
/// # Errors
/// That of the type.
pub fn parse<T: FromStr>(text: &str) -> Result<T, T::Err> {
    typed(text).parse()
}

/// An amount in yuan.
///
/// # Errors
/// [`ParseMoneyError`].
pub fn yuan(text: &str) -> Result<Fen, ParseMoneyError> {
    Fen::parse_yuan(&typed(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_forms_mean_the_same() {
        assert_eq!(yuan("１００．５０"), Ok(Fen(10_050)));
        assert_eq!(yuan("　20 "), Ok(Fen(2_000)));
        assert_eq!(parse::<u8>("４２"), Ok(42));
        assert_eq!(typed("＋８６１３８－００１３"), "+86138-0013");
        assert_eq!(typed("１０：３０"), "10:30");
        assert_eq!(typed("Ａ２０２６－０００１２３"), "A2026-000123");
    }

    #[test]
    fn names_keep_their_brackets() {
        assert_eq!(name(" １号楼（东）　３０１Ａ "), "1号楼（东） 301A");
    }

    #[test]
    fn other_forms_are_refused_as_before() {
        for text in ["", "1,000", "１，０００", "−1", "一百"] {
            assert_eq!(yuan(text), Err(ParseMoneyError::Format), "{text}");
        }
    }
}
